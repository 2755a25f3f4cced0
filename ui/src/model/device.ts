/** How one's own microphone or camera reads in the dock. What the court ordered is shown before everything else. */
import type { DeviceFault, DeviceState, MediaKind, MediaSwitches } from '../wire/generated';

export type Reading =
  | { name: 'locked' }
  /** 屏蔽: nothing of this person passes until the court calls them back. */
  | { name: 'isolated' }
  /** The way to the court is lost; it comes back with the connection. */
  | { name: 'resumes' }
  | { name: 'opening' }
  | { name: 'on' }
  | { name: 'off' }
  | { name: 'failed'; fault: DeviceFault };

export function readingOf(kind: MediaKind, media: MediaSwitches, device: DeviceState, lost: boolean, isolated: boolean): Reading {
  if (lost) return { name: 'resumes' };
  const locked = kind === 'audio' ? media.micLocked : media.cameraLocked;
  if (isolated) return { name: 'isolated' };
  if (locked) return { name: 'locked' };
  if (device.name === 'failed') return { name: 'failed', fault: device.fault };
  if (device.name === 'opening') return { name: 'opening' };
  // On is what the court knows too: the server has to have said so.
  const told = kind === 'audio' ? media.mic : media.camera;
  return { name: told && device.name === 'on' ? 'on' : 'off' };
}
