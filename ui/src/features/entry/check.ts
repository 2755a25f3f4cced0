// The short device check as a value: what was found about each of the four, and what follows for the hearing.
// It never keeps anybody out: whatever is missing, the person goes on and the court sees what is missing.

import type { DeviceFault, DeviceState, TestScore } from '../../wire/generated';

/** The four things that are checked. */
export type CheckItem = 'camera' | 'microphone' | 'speaker' | 'network';
/** In the order of the screen. */
export const CHECK_ITEMS: readonly CheckItem[] = ['camera', 'microphone', 'speaker', 'network'];

/** What was found. */
export type Finding =
  | { name: 'untested' }
  | { name: 'running' }
  | { name: 'good' }
  /** It works, and could be better. */
  | { name: 'usable'; why: Weakness }
  | { name: 'bad'; why: DeviceFault | Weakness };

/** What is wrong short of a device that does not run. */
export type Weakness = 'off' | 'notHeard' | 'tooQuiet' | 'tooLoud' | 'slow' | 'unreachable' | 'unclear';

/** Loudness below which speech is not heard in court, in dB below full scale. */
export const HEARD_DB = -48;
/** Loudness below which speech is heard with effort. */
export const QUIET_DB = -36;
/** Peak above which speech clips. */
export const LOUD_DB = -1;
/** Round trip from which a conversation stumbles, in milliseconds (`NetReport::quality`). */
export const SLOW_RTT_MS = 400;

/** A camera's finding from its state. */
export function cameraFinding(state: DeviceState): Finding {
  switch (state.name) {
    case 'on':
      return state.width > 0 && state.height > 0 ? { name: 'good' } : { name: 'running' };
    case 'opening':
      return { name: 'running' };
    case 'off':
      return { name: 'bad', why: 'off' };
    case 'failed':
      return { name: 'bad', why: state.fault };
    default:
      return state satisfies never;
  }
}

/** A microphone's finding from its state and the loudest it heard, in dB below full scale. */
export function microphoneFinding(state: DeviceState, loudestDb: number, peakDb: number): Finding {
  if (state.name === 'off') return { name: 'bad', why: 'off' };
  if (state.name === 'failed') return { name: 'bad', why: state.fault };
  if (state.name === 'opening' || loudestDb < HEARD_DB) return { name: 'running' };
  if (peakDb > LOUD_DB) return { name: 'usable', why: 'tooLoud' };
  return loudestDb < QUIET_DB ? { name: 'usable', why: 'tooQuiet' } : { name: 'good' };
}

/** The network's finding. */
export function networkFinding(reachable: boolean, rttMs: number | null): Finding {
  if (!reachable) return { name: 'bad', why: 'unreachable' };
  return rttMs !== null && rttMs >= SLOW_RTT_MS ? { name: 'usable', why: 'slow' } : { name: 'good' };
}

/** What the court is told of the whole check. */
export function scoreOf(findings: Record<CheckItem, Finding>): TestScore {
  const all = CHECK_ITEMS.map((item) => findings[item].name);
  if (all.includes('bad')) return 'bad';
  return all.every((name) => name === 'good') ? 'good' : 'usable';
}
