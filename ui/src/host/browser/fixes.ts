// 一键修复: what is done once a person has agreed to it. Each either helped or throws why not. Offers nothing by itself.

import type { DeviceFix, DeviceInfo, DeviceKind, DeviceList } from '../../wire/generated';
import { HostFailure } from '../host';
import type { Capture } from './capture';

/** The next device of a kind after the one in use, in the order of the list; `null` where there is no other. */
export function nextDevice(devices: readonly DeviceInfo[], kind: DeviceKind, inUse: string | null): DeviceInfo | null {
  const all = devices.filter((one) => one.kind === kind);
  const at = all.findIndex((one) => (inUse === null ? one.default : one.id === inUse));
  const next = all[(at + 1) % Math.max(1, all.length)];
  return next === undefined || (at >= 0 && next === all[at]) ? null : next;
}

/** What a fix needs of the host around it. */
export interface Repair {
  capture: Capture;
  choose(kind: DeviceKind, id: string | null): Promise<DeviceList>;
  /** Drops channel and media and opens both again; resolves when the channel is live. */
  reconnect(): Promise<void>;
}

async function next(kind: DeviceKind, { capture, choose }: Repair): Promise<void> {
  const { devices } = await capture.list();
  const other = nextDevice(devices, kind, capture.inUse(kind));
  if (other === null) throw new HostFailure({ name: 'device', fault: 'missing' });
  await choose(kind, other.id);
}

async function restart(kind: 'camera' | 'microphone', { capture }: Repair): Promise<void> {
  const fault = await capture.restart(kind);
  if (fault !== null) throw new HostFailure({ name: 'device', fault });
}

/** Carries one out. */
export async function apply(fix: DeviceFix, repair: Repair): Promise<void> {
  switch (fix) {
    case 'nextCamera':
      return next('camera', repair);
    case 'nextMicrophone':
      return next('microphone', repair);
    case 'nextSpeaker':
      return next('speaker', repair);
    case 'raiseInput':
      if (!repair.capture.raise()) throw new HostFailure({ name: 'device', fault: 'broken' });
      return;
    case 'restartCamera':
      return restart('camera', repair);
    case 'restartMicrophone':
      return restart('microphone', repair);
    case 'reconnect':
      return repair.reconnect();
    default:
      return fix satisfies never;
  }
}
