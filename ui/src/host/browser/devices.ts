// Cameras, microphones and loudspeakers of the browser: what there is, which is chosen, and what keeps one from
// running. Sends nothing anywhere.

import type { DeviceFault, DeviceInfo, DeviceKind, DeviceList, DeviceState } from '../../wire/generated';

/** A device that does not answer within this time is taken as hung. The permission question is part of it. */
const OPEN_LIMIT_MS = 30_000;
const FRAME_RATE = 25;

/** Why a device does not run, from what `getUserMedia` throws. */
export function faultOf(error: unknown): DeviceFault {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    case 'TimeoutError':
      return 'hung';
    default:
      return 'broken';
  }
}

/** The kind of a browser's device. */
function kindOf(kind: MediaDeviceKind): DeviceKind {
  if (kind === 'videoinput') return 'camera';
  return kind === 'audioinput' ? 'microphone' : 'speaker';
}

/**
 * The devices as the page shows them. The browser lists the default twice, once under the id "default"; only the
 * real one stays. Names are empty before the person has given leave.
 */
export function deviceInfos(found: readonly MediaDeviceInfo[]): DeviceInfo[] {
  const real = found.filter((one) => one.deviceId !== '' && !['default', 'communications'].includes(one.deviceId));
  return real.map((one, i) => {
    const twin = found.find((other) => other.deviceId === 'default' && other.kind === one.kind);
    const first = real.findIndex((other) => other.kind === one.kind) === i;
    return {
      id: one.deviceId,
      kind: kindOf(one.kind),
      name: one.label,
      default: twin === undefined ? first : twin.groupId === one.groupId,
    };
  });
}

/** What a running device is called by itself: the browser may have opened it under the name "Default". */
export async function nameOf(track: MediaStreamTrack): Promise<string> {
  const { deviceId = '' } = track.getSettings();
  const { devices } = await listDevices({ camera: null, microphone: null, speaker: null });
  const kind = track.kind === 'video' ? 'camera' : 'microphone';
  const all = devices.filter((one) => one.kind === kind);
  const own = all.find((one) => (deviceId === 'default' ? one.default || all.length === 1 : one.id === deviceId));
  return own?.name || track.label;
}

/** All devices and the chosen ones. */
export async function listDevices(chosen: Record<DeviceKind, string | null>): Promise<DeviceList> {
  const found = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  return { devices: deviceInfos(found), ...chosen };
}

function constraintsOf(kind: 'camera' | 'microphone', id: string | null, front: boolean): MediaStreamConstraints {
  const device = id === null ? {} : { deviceId: { exact: id } };
  if (kind === 'microphone') {
    return { audio: { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
  }
  const facing = id === null ? { facingMode: front ? 'user' : 'environment' } : {};
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: FRAME_RATE, max: 30 } };
  return { video: { ...device, ...facing, ...size } };
}

async function openStream(kind: 'camera' | 'microphone', id: string | null): Promise<MediaStream> {
  // Without a secure address there is no mediaDevices at all: the same remedy as a refusal, in other words.
  if (!navigator.mediaDevices) throw new DOMException('no media devices here', 'NotAllowedError');
  const stream = navigator.mediaDevices.getUserMedia(constraintsOf(kind, id, true));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('no answer', 'TimeoutError')), OPEN_LIMIT_MS);
  });
  try {
    return await Promise.race([stream, limit]);
  } catch (error) {
    // A stream that comes after all must not leave the device running.
    stream.then((late) => late.getTracks().forEach((track) => track.stop())).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** One's own camera or microphone: open or not, and what it says about itself. */
export class Device {
  private opened: MediaStreamTrack | null = null;
  private generation = 0;

  constructor(
    readonly kind: 'camera' | 'microphone',
    private readonly changed: (state: DeviceState) => void,
  ) {}

  /** The running track. */
  get track(): MediaStreamTrack | null {
    return this.opened;
  }

  /**
   * Opens the chosen device, or the default when the chosen one is gone. Returns why not, or `null`; what closed it or opened
   * it again meanwhile has superseded this.
   */
  async open(id: string | null): Promise<DeviceFault | 'superseded' | null> {
    this.close();
    const mine = ++this.generation;
    this.changed({ name: 'opening' });
    try {
      const stream = await openStream(this.kind, id).catch((error: unknown) => {
        if (id === null || faultOf(error) !== 'missing') throw error;
        return openStream(this.kind, null);
      });
      const track = stream.getTracks()[0];
      if (mine !== this.generation || track === undefined) {
        stream.getTracks().forEach((one) => one.stop());
        return mine === this.generation ? this.failed('missing') : 'superseded';
      }
      track.addEventListener('ended', () => this.unplugged(track));
      this.opened = track;
      this.changed(stateOf(track));
      return null;
    } catch (error) {
      return mine === this.generation ? this.failed(faultOf(error)) : 'superseded';
    }
  }

  /** Closes the device; its light goes out. */
  close(): void {
    this.generation += 1;
    this.opened?.stop();
    this.opened = null;
  }

  /** Closes the device and says so. */
  switchOff(): void {
    this.close();
    this.changed({ name: 'off' });
  }

  /** Closes the device and says why. */
  fail(fault: DeviceFault): void {
    this.close();
    this.changed({ name: 'failed', fault });
  }

  private failed(fault: DeviceFault): DeviceFault {
    this.changed({ name: 'failed', fault });
    return fault;
  }

  private unplugged(track: MediaStreamTrack): void {
    if (this.opened !== track) return;
    this.opened = null;
    this.changed({ name: 'failed', fault: 'unplugged' });
  }
}

/** A running track as the page shows it. */
export function stateOf(track: MediaStreamTrack): DeviceState {
  const { deviceId = '', width = 0, height = 0, frameRate = 0 } = track.getSettings();
  return { name: 'on', device: deviceId, width, height, fps: Math.round(frameRate) };
}
