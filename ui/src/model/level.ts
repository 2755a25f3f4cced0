/**
 * Loudness as a person reads it: a share of the meter, a word, a score. In dB below full scale. Measures nothing, and decides
 * nothing about a device: that is `judge.ts`.
 */

/** Speech lies between -50 and -10 dB; the bar shows that range. */
const QUIET_DB = -60;
const LOUD_DB = -6;

export function levelShare(rmsDb: number): number {
  return Math.min(1, Math.max(0, (rmsDb - QUIET_DB) / (LOUD_DB - QUIET_DB)));
}

/** Steps of the small bar in the dock. */
const STEPS = 12;
/** The same in whole steps: between two of them nothing has to be drawn anew. */
export const levelStep = (rmsDb: number) => Math.floor(levelShare(rmsDb) * STEPS) / STEPS;

/** Below this it may be the room as well as a voice. */
const VOICE_DB = -48;
/** Below this a voice is heard with effort. */
const SMALL_DB = -36;
/** A peak above this is cut off. */
const CUT_DB = -1;
/** A word about the loudness stays this long: nobody reads faster, and a screen reader says each one. */
const WORD_MS = 2_000;

/** 太小, 合适, 太大; `silent` before anybody spoke. */
export type Loudness = 'silent' | 'small' | 'fit' | 'big';

/** What is said of the loudness now, and the loudest since that was said. */
export interface Listening {
  said: Loudness;
  since: number;
  rmsDb: number;
  peakDb: number;
}

export const LISTENING: Listening = { said: 'silent', since: 0, rmsDb: -90, peakDb: -90 };

function loudness(rmsDb: number, peakDb: number): Loudness {
  if (rmsDb < VOICE_DB) return 'silent';
  if (peakDb > CUT_DB) return 'big';
  return rmsDb < SMALL_DB ? 'small' : 'fit';
}

/** Hears 100 ms more. A pause between words takes nothing back: what was said of the last words stays. */
export function listen(before: Listening, level: { rmsDb: number; peakDb: number }, nowMs: number): Listening {
  const rmsDb = Math.max(before.rmsDb, level.rmsDb);
  const peakDb = Math.max(before.peakDb, level.peakDb);
  if (before.said !== 'silent' && nowMs - before.since < WORD_MS) return { ...before, rmsDb, peakDb };
  const said = loudness(rmsDb, peakDb);
  if (said !== 'silent') return { said, since: nowMs, rmsDb: level.rmsDb, peakDb: level.peakDb };
  return { ...before, rmsDb: level.rmsDb, peakDb: level.peakDb };
}

/** Points of the loudness of speech at these levels; between them a straight line. 60 is where `judge.ts` begins to complain. */
const POINTS: readonly (readonly [db: number, points: number])[] = [[-60, 0], [-36, 60], [-28, 100], [-12, 100], [-3, 60], [0, 40]];

/** Loudness of what was read aloud, 0 to 100. */
export function speechScore(speechDb: number): number {
  const last = POINTS.findIndex(([db]) => speechDb <= db);
  const [to, from] = [POINTS[last], POINTS[last - 1]];
  if (!to) return 40;
  if (!from) return 0;
  return Math.round(from[1] + ((to[1] - from[1]) * (speechDb - from[0])) / (to[0] - from[0]));
}

/** Even a quiet microphone has noise above this; below it a switch is off, or nothing is connected. As in `judge.ts`. */
const DEAD_PEAK_DB = -80;
/** A microphone that gave nothing for so long is not heard. */
export const FLAT_MS = 8_000;

/** Since when nothing at all comes from a microphone that is on; none while something does. */
export function flatSince(before: number | null, level: { peakDb: number }, on: boolean, nowMs: number): number | null {
  return on && level.peakDb < DEAD_PEAK_DB ? (before ?? nowMs) : null;
}
