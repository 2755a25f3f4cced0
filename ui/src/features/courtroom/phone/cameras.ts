/** Turning from one camera to the next. Pure. */
import type { DeviceInfo, DeviceState } from '../../../wire/generated';

/** The camera after the one in use; `null` when there is no other. */
export function nextCamera(devices: readonly DeviceInfo[], state: DeviceState, chosen: string | null): string | null {
  const cameras = devices.filter((one) => one.kind === 'camera');
  if (cameras.length < 2) return null;
  const used = state.name === 'on' ? state.device : chosen;
  const at = cameras.findIndex((one) => one.id === used);
  return cameras[(at + 1) % cameras.length]?.id ?? null;
}
