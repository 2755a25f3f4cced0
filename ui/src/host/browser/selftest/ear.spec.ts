/** A microphone in figures, as the desktop program has them (`crates/media/src/audio/ear.rs`), and chirps found in it. */
import { describe, expect, it } from 'vitest';
import { ChirpFinder, chirp } from './chirp';
import { hear, shapeOf } from './ear';

const RATE = 48_000;
/** White noise with a root mean square of `db`. */
function noise(seed: number, db: number, samples: number): Float32Array {
  const amplitude = 10 ** (db / 20) * Math.sqrt(3);
  let state = seed;
  return Float32Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return amplitude * ((state >>> 8) / 8_388_608 - 1);
  });
}
/** Syllables of 200 ms with pauses of 100 ms. */
const syllables = (db: number, samples: number) =>
  Float32Array.from({ length: samples }, (_, n) => (n % 14_400 < 9_600 ? 10 ** (db / 20) * Math.SQRT2 * Math.sin((2 * Math.PI * 250 * n) / RATE) : 0));
const sum = (a: Float32Array, b: Float32Array) => a.map((sample, i) => sample + (b[i] ?? 0));

describe('an ear', () => {
  it.each([[-26, -60], [-45, -70], [-20, -35]])('finds speech of %i dB over a background of %i dB', (speech, background) => {
    const heard = hear(sum(syllables(speech, 4 * RATE), noise(1, background, 4 * RATE)), RATE);
    expect(Math.abs((heard.speechDb ?? 0) - speech)).toBeLessThan(1);
    expect(Math.abs(heard.noiseDb - background)).toBeLessThan(1);
    expect(heard.clipped).toBe(0);
  });
  it('takes neither a quiet room nor a knock for speech', () => {
    const room = noise(3, -60, 4 * RATE);
    expect(hear(room, RATE).speechDb).toBeNull();
    room.fill(0.5, RATE, RATE + 4_800);
    room[RATE + 2_000] = -0.5;
    expect(hear(room, RATE).speechDb).toBeNull();
  });
  it('counts tops that are cut off, and not a sound that just fits', () => {
    const cut = syllables(0, RATE).map((sample) => Math.max(-1, Math.min(1, sample)));
    expect(hear(cut, RATE).clipped).toBeGreaterThan(0.1);
    expect(hear(Float32Array.from({ length: RATE }, (_, i) => (i % 100 === 0 ? 1 : 0.1)), RATE).clipped).toBe(0);
  });
  it('hears nothing in zeros, in no samples, and leaves out zeros before the first sound', () => {
    expect(hear(new Float32Array(RATE), RATE)).toEqual({ speechDb: null, noiseDb: -127, peakDb: -127, clipped: 0 });
    expect(hear(new Float32Array(0), RATE).peakDb).toBe(-127);
    const late = new Float32Array(2 * RATE);
    late.set(noise(2, -50, RATE), RATE);
    expect(Math.abs(hear(late, RATE).noiseDb + 50)).toBeLessThan(1);
  });
  it('draws loudness over time as bars between 0 and 1', () => {
    const shape = shapeOf(sum(syllables(-20, RATE), new Float32Array(RATE)), 32);
    expect(shape).toHaveLength(32);
    expect(Math.max(...shape)).toBeCloseTo(0.667, 1);
    expect(Math.min(...shape)).toBe(0);
    expect(shapeOf(new Float32Array(0), 32)).toEqual(new Array(32).fill(0));
  });
});

describe('a chirp', () => {
  const finder = new ChirpFinder(RATE);
  const LENGTH = (RATE * 7) / 10;
  /** A recording of a chirp that begins at `start`, under noise. */
  function recording(start: number, gain: number, noiseDb: number): Float32Array {
    const sound = noise(7, noiseDb, LENGTH);
    chirp(RATE).forEach((sample, i) => (sound[start + i] = (sound[start + i] ?? 0) + gain * sample));
    return sound;
  }
  it.each([[0, 1, -90], [4_800, 0.5, -50], [9_600, -0.1, -50], [20_000, 0.02, -70]])('at sample %i with gain %f is found under %i dB of noise', (start, gain, noiseDb) => {
    const echo = finder.find(recording(start, gain, noiseDb));
    expect(Math.abs((echo?.at ?? -1_000) - start)).toBeLessThan(10);
    expect(Math.abs((echo?.levelDb ?? 0) - 20 * Math.log10(Math.abs(gain)))).toBeLessThan(1);
  });
  it('at another rate is found as well', () => {
    const other = new ChirpFinder(44_100);
    const sound = new Float32Array(30_000);
    sound.set(chirp(44_100).map((sample) => sample * 0.25), 5_000);
    expect(other.find(sound)).toMatchObject({ at: 5_000 });
    expect(other.find(sound)?.levelDb).toBeCloseTo(-12, 0);
  });
  it('is not found in silence, in noise, in a voice, or where it does not fit', () => {
    for (let seed = 1; seed < 4; seed += 1) expect(finder.find(noise(seed, -20, LENGTH))).toBeNull();
    expect(finder.find(syllables(-10, LENGTH))).toBeNull();
    expect(finder.find(new Float32Array(LENGTH))).toBeNull();
    expect(finder.find(new Float32Array(10))).toBeNull();
  });
});
