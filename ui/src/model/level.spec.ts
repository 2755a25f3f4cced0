import { describe, expect, it } from 'vitest';
import { FLAT_MS, LISTENING, flatSince, levelShare, listen, speechScore, type Listening } from './level';

/** Levels 100 ms apart, and every word that was said about them. */
function words(levels: readonly (readonly [rms: number, peak: number])[]): string[] {
  let at: Listening = LISTENING;
  const said: string[] = [];
  levels.forEach(([rmsDb, peakDb], i) => {
    const next = listen(at, { rmsDb, peakDb }, i * 100);
    if (next.said !== at.said) said.push(next.said);
    at = next;
  });
  return said;
}
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);

describe('the loudness of a voice', () => {
  it('is a share of the meter', () => expect([-90, -60, -33, -6, 0].map(levelShare)).toEqual([0, 0, 0.5, 1, 1]));
  it('is said at once when somebody begins to speak', () => expect(words([[-70, -60], [-24, -9]])).toEqual(['fit']));
  it('is nothing in a quiet room', () => expect(words(times(100, [-60, -50] as const))).toEqual([]));
  it('stays said through pauses', () => expect(words([[-24, -9], ...times(80, [-70, -60] as const), [-24, -9]])).toEqual(['fit']));
  it('is said again every two seconds at most, whatever comes', () => {
    const wild = Array.from({ length: 100 }, (_, i) => (i % 2 ? ([-24, -9] as const) : ([-24, 0] as const)));
    expect(words(wild).length).toBeLessThanOrEqual(5);
  });
  it.each([[-40, -20, 'small'], [-24, -9, 'fit'], [-10, -0.2, 'big']] as const)('of %d dB with peaks of %d dB is %s', (rms, peak, word) =>
    expect(words([[rms, peak]])).toEqual([word]));
});

describe('the points of what was read', () => {
  it.each([[-90, 0], [-48, 30], [-36, 60], [-32, 80], [-24, 100], [-12, 100], [-3, 60], [3, 40]])('%d dB are %d', (db, points) => expect(speechScore(db)).toBe(points));
});

describe('a microphone that gives nothing', () => {
  const flat = (levels: readonly number[], on = true) => levels.reduce<number | null>((since, peakDb, i) => flatSince(since, { peakDb }, on, i * 1_000), null);
  it('counts from the first silence', () => expect(flat([-60, -90, -90, -90])).toBe(1_000));
  it('is none as soon as anything comes', () => expect(flat([-90, -90, -79])).toBeNull());
  it('is none while it is off', () => expect(flat([-90, -90], false)).toBeNull());
  it('is told after eight seconds', () => expect(FLAT_MS).toBe(8_000));
});
