// One's own camera, microphone and shared screen: opened and closed as the person wants and the court allows, with
// the meter of the microphone. Knows nothing of connections; what is to be sent is read from `plans`.

import type { DeviceFault, DeviceKind, DeviceState, HostEvent, MediaKind } from '../../wire/generated';
import { obey, sendingOf, type Standing, type Wants } from './control';
import { Device, listDevices, stateOf } from './devices';
import { LevelWatch, SILENCE_DB, SpeechFinder } from './level';
import type { PictureSource, Plans } from './media';
import { Raised, raised } from './raised';
import { Turned } from './turned';

/** A later word about the device decides; that there was one is no fault of it. */
const notSuperseded = (fault: DeviceFault | 'superseded' | null): DeviceFault | null => (fault === 'superseded' ? null : fault);

const switchOf = (kind: 'camera' | 'microphone'): keyof Wants => (kind === 'camera' ? 'camera' : 'mic');

/** Everything this machine captures. */
export class Capture {
  private readonly camera: Device;
  private readonly microphone: Device;
  /** The devices that the person chose; `null` is the system's default. */
  readonly chosen: Record<DeviceKind, string | null> = { camera: null, microphone: null, speaker: null };
  private readonly states: Record<'camera' | 'microphone', DeviceState> = { camera: { name: 'off' }, microphone: { name: 'off' } };
  private wanted: Wants = { mic: false, camera: false };
  /** Wanted on, and the device did not open: another one is tried at once. */
  private refused: Wants = { mic: false, camera: false };
  /** What the court has locked. */
  private locked: Wants = { mic: false, camera: false };
  private watch: { of: MediaStreamTrack; meter: LevelWatch } | null = null;
  /** In the courtroom a muted microphone keeps listening on this machine, to tell who speaks into it unheard. */
  private keepsEar = false;
  /** What is sent of the microphone: a copy, so that muting it does not deafen the meter. */
  private outgoing: { of: MediaStreamTrack; copy: MediaStreamTrack } | null = null;
  /** The camera hangs upside down: its picture is turned before anybody sees it. */
  private upsideDown = false;
  private turned: Turned | null = null;
  /** How much louder the voice is made. */
  private gain = 1;
  private louder: Raised | null = null;
  private shared: MediaStreamTrack | null = null;
  /** Loudest sample since `takePeak`. */
  private peak: number | null = null;
  /** Loudest 100 ms since the meter was asked to listen anew. */
  private loudest = SILENCE_DB;

  constructor(
    private readonly say: (event: HostEvent) => void,
    /** Something that may be sent or shown changed. */
    private readonly changed: () => void,
  ) {
    this.camera = new Device('camera', (state) => this.heard('camera', state));
    this.microphone = new Device('microphone', (state) => this.heard('microphone', state));
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.list().then((list) => say({ type: 'devices', list })));
  }

  /** What the person wants on. */
  get wants(): Wants {
    return this.wanted;
  }
  /** The own picture as it is sent, for the preview. */
  get picture(): MediaStreamTrack | null {
    const source = this.camera.track;
    if (this.turned !== null && (this.turned.source !== source || !this.upsideDown)) {
      this.turned.stop();
      this.turned = null;
    }
    if (source === null || !this.upsideDown) return source;
    this.turned ??= new Turned(source);
    return this.turned.track;
  }
  /** The devices that run, as they are. */
  get running(): { camera: MediaStreamTrack | null; microphone: MediaStreamTrack | null } {
    return { camera: this.camera.track, microphone: this.heardTrack() };
  }
  /** The shared screen. */
  get screen(): MediaStreamTrack | null {
    return this.shared;
  }
  /** The chosen loudspeaker. */
  get speaker(): string | null {
    return this.chosen.speaker;
  }
  /** How a device is. */
  stateOf(kind: 'camera' | 'microphone'): DeviceState {
    return this.states[kind];
  }
  /** The switch as the court is to know it; `null` while the device is being opened. */
  switchedOn(kind: 'camera' | 'microphone'): boolean | null {
    const state = this.states[kind].name;
    return state === 'opening' ? null : state === 'on';
  }
  /** Loudest 100 ms since `listenAnew`. */
  get loudestDb(): number {
    return this.loudest;
  }
  /** The loudest sample since this was last asked; `null` where nobody listened. */
  takePeak(): number | null {
    const { peak } = this;
    this.peak = null;
    return peak;
  }
  /** Forgets how loud it was. */
  listenAnew(): void {
    this.loudest = SILENCE_DB;
  }

  /** All devices. */
  list() {
    return listDevices(this.chosen);
  }

  /** Whether a muted microphone goes on listening for its owner. */
  keepEar(on: boolean): void {
    this.keepsEar = on;
    if (!on && !this.wanted.mic && this.microphone.track !== null) this.microphone.switchOff();
  }

  /** The device of a kind that is in use; `null` is the system's default. */
  inUse(kind: DeviceKind): string | null {
    if (kind === 'speaker') return this.chosen.speaker;
    const { track } = kind === 'camera' ? this.camera : this.microphone;
    const { deviceId = '' } = track?.getSettings() ?? {};
    // The default device is listed under its own id.
    return ['', 'default', 'communications'].includes(deviceId) ? this.chosen[kind] : deviceId;
  }

  /** Turns the own picture by half a circle, or back. */
  turnPicture(on: boolean): void {
    this.upsideDown = on;
    this.changed();
  }

  /** Makes the own voice louder by one step; false where it is as loud as it gets, or nothing runs. */
  raise(): boolean {
    const more = raised(this.gain);
    if (more === null || this.microphone.track === null) return false;
    this.gain = more;
    this.listen();
    this.changed();
    return true;
  }

  /**
   * Closes a device and opens it again. Returns why it does not run, or `null`; what is off stays off, and what the court has
   * locked stays locked: nothing was restarted then.
   */
  async restart(kind: 'camera' | 'microphone'): Promise<DeviceFault | null> {
    const device = kind === 'camera' ? this.camera : this.microphone;
    const which = switchOf(kind);
    if (this.locked[which]) return 'denied';
    let fault;
    if (this.wanted[which] || this.refused[which]) {
      device.close();
      fault = await this.open(kind);
    } else {
      // Muted, it may still listen for its owner.
      fault = device.track === null ? 'denied' as const : await device.open(this.chosen[kind]);
    }
    // Something else has closed it or opened it again meanwhile.
    return fault === 'superseded' ? 'busy' : fault;
  }

  /** Turns a device on or off. Returns why it does not run, or `null`. */
  async turn(kind: MediaKind, on: boolean): Promise<DeviceFault | null> {
    const device = kind === 'audio' ? this.microphone : this.camera;
    if (on) return notSuperseded(await this.open(device.kind));
    const which = switchOf(device.kind);
    this.wanted = { ...this.wanted, [which]: false };
    this.refused = { ...this.refused, [which]: false };
    if (kind === 'audio' && this.keepsEar && device.track !== null) this.heard('microphone', { name: 'off' });
    else device.switchOff();
    return null;
  }

  private async open(kind: 'camera' | 'microphone'): Promise<DeviceFault | 'superseded' | null> {
    const which = switchOf(kind);
    this.wanted = { ...this.wanted, [which]: true };
    this.refused = { ...this.refused, [which]: false };
    const device = kind === 'camera' ? this.camera : this.microphone;
    if (device.track !== null) {
      this.heard(kind, stateOf(device.track));
      return null;
    }
    const fault = await device.open(this.chosen[kind]);
    // Whoever came later knows what is wanted.
    if (fault === 'superseded') return fault;
    if (fault !== null) {
      this.wanted = { ...this.wanted, [which]: false };
      this.refused = { ...this.refused, [which]: true };
    }
    this.changed();
    return fault;
  }

  /** Takes another device, also while one runs. */
  async choose(kind: DeviceKind, id: string | null): Promise<DeviceFault | null> {
    this.chosen[kind] = id;
    if (kind === 'speaker') return null;
    const device = kind === 'camera' ? this.camera : this.microphone;
    if (this.wanted[switchOf(kind)] || this.refused[switchOf(kind)]) {
      device.close();
      return this.turn(kind === 'camera' ? 'video' : 'audio', true);
    }
    // Muted, it goes on listening for its owner alone: choosing a device never opens it to the court.
    return device.track === null ? null : notSuperseded(await device.open(id));
  }

  /** Shares a screen that the browser asks for. */
  async share(): Promise<void> {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 10 } }, audio: false });
    const track = stream.getVideoTracks()[0];
    if (track === undefined) throw new DOMException('nothing was chosen', 'NotAllowedError');
    this.unshare();
    track.contentHint = 'detail';
    track.addEventListener('ended', () => this.shared === track && (this.unshare(), this.say({ type: 'shareEnded' })));
    this.shared = track;
    this.changed();
  }

  /** Ends the share. */
  unshare(): void {
    this.shared?.stop();
    this.shared = null;
    this.changed();
  }

  /** What is captured there cannot leave this browser: it is closed, and its owner is told why. */
  cannotSend(source: PictureSource): void {
    if (source === 'screen') {
      this.unshare();
      this.say({ type: 'shareEnded' });
      return;
    }
    this.wanted = { ...this.wanted, camera: false };
    this.camera.fail('notSent');
  }

  /** Follows the court's word about one's own devices. */
  obey(standing: Standing): void {
    this.locked = { mic: standing.media.micLocked, camera: standing.media.cameraLocked };
    const after = obey(this.wanted, standing.media);
    const closed = { mic: this.wanted.mic && !after.mic, camera: this.wanted.camera && !after.camera };
    this.wanted = after;
    if (closed.mic) this.microphone.switchOff();
    if (closed.camera) this.camera.switchOff();
  }

  /** What is to be sent. */
  plans(standing: Standing | null): Plans {
    const sending = sendingOf(standing, this.wanted, this.shared !== null);
    const { picture } = this;
    const voice = this.voice();
    if (!sending.inRoom) return { microphone: { name: 'none' }, camera: { name: 'none' }, screen: { name: 'none' } };
    return {
      microphone: sending.mic && voice ? { name: 'on', track: voice } : { name: 'muted' },
      camera: sending.camera && picture ? { name: 'on', track: picture } : { name: 'muted' },
      screen: sending.screen && this.shared ? { name: 'on', track: this.shared } : { name: 'none' },
    };
  }

  /** Closes everything. */
  close(): void {
    this.wanted = { mic: false, camera: false };
    this.refused = { mic: false, camera: false };
    this.locked = { mic: false, camera: false };
    this.keepsEar = false;
    this.upsideDown = false;
    this.gain = 1;
    this.camera.switchOff();
    this.microphone.switchOff();
    this.unshare();
  }

  /** The own voice, made louder where that was asked for. */
  private heardTrack(): MediaStreamTrack | null {
    const source = this.microphone.track;
    if (this.louder !== null && (this.louder.source !== source || this.louder.by !== this.gain)) {
      this.louder.stop();
      this.louder = null;
    }
    if (source === null || this.gain === 1) return source;
    this.louder ??= new Raised(source, this.gain);
    return this.louder.track;
  }

  private voice(): MediaStreamTrack | null {
    const of = this.heardTrack();
    if (this.outgoing?.of !== of) {
      this.outgoing?.copy.stop();
      this.outgoing = of === null ? null : { of, copy: of.clone() };
    }
    return this.outgoing?.copy ?? null;
  }

  private heard(kind: 'camera' | 'microphone', said: DeviceState): void {
    // A device that only its owner hears is off for everybody else, the page included.
    const state: DeviceState = said.name === 'failed' || this.wanted[switchOf(kind)] ? said : { name: 'off' };
    this.states[kind] = state;
    if (kind === 'microphone') {
      this.listen();
      // A copy that outlives its track would keep the device open.
      this.voice();
    }
    this.say({ type: 'device', kind, state });
    this.changed();
  }

  private listen(): void {
    const track = this.heardTrack();
    if (this.watch?.of === track) return;
    this.watch?.meter.stop();
    this.watch = null;
    if (track === null) return;
    const speech = new SpeechFinder();
    const meter = new LevelWatch(track, ({ rmsDb, peakDb }) => {
      this.loudest = Math.max(this.loudest, rmsDb);
      this.peak = Math.max(this.peak ?? SILENCE_DB, peakDb);
      this.say({ type: 'level', rmsDb, peakDb, talkingWhileMuted: speech.hears(rmsDb) && !this.wanted.mic });
    });
    this.watch = { of: track, meter };
  }
}
