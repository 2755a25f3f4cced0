// Chirps played on the loudspeaker and looked for in the microphone, first as the microphone gives its sound and then as the
// browser sends it: what its echo canceller leaves is what the others hear of themselves. Never keeps a sound.
//
// A browser that has one microphone open twice may give both the same processing, so the two are recorded one after the other.

import type { EchoFacts } from '../../../wire/generated';
import { ECHO_DB } from '../../../model/judge';
import { CHIRP_S, ChirpFinder, chirp } from './chirp';
import { SILENCE_DB } from './ear';
import { play, record } from './tape';
import { openTrack } from './within';

/** Longest delay that is found. Wireless headsets stay below 300 ms. */
const MAX_DELAY_S = 0.5;
/** Without the canceller; so far apart that none is mistaken for another. */
const PLAIN = { count: 3, periodS: MAX_DELAY_S + CHIRP_S + 0.09, cancelling: false };
/** With it: it learns on the first ones, and the last ones are measured. */
const LEARNING = { count: 8, periodS: 0.35, cancelling: true };
const LAST = 3;
/** The delay wanders by this much at most: the two recordings have buffers of their own. */
const WANDER_S = 0.08;
/** The first is played so long after it was asked for. */
const LEAD_S = 0.15;
const OPEN_MS = 3_000;

interface Found {
  delayS: number;
  levelDb: number;
}

/** The middle one. */
function middle(figures: number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The way from loudspeaker to microphone; `null` where the chirp does not come back, as with a headset. */
export async function measureLoop(context: AudioContext, microphone: string | null, signal?: AbortSignal): Promise<EchoFacts | null> {
  // A loudspeaker that slept wakes up with the first chirps, and swallows them.
  const loop = (await comesBack(context, microphone, signal).catch(() => null)) ?? (await comesBack(context, microphone, signal));
  if (loop === null) return null;
  let residualDb = await left(context, microphone, loop.delayS, signal);
  // No proof yet: the canceller may still have learned, and a busy computer tears the sound.
  if (residualDb > ECHO_DB) residualDb = Math.min(residualDb, await left(context, microphone, loop.delayS, signal));
  return { delayMs: loop.delayS * 1_000, levelDb: loop.levelDb, residualDb };
}

/** How it comes back as the microphone gives it. */
async function comesBack(context: AudioContext, microphone: string | null, signal?: AbortSignal): Promise<Found | null> {
  const played = await chirps(context, microphone, PLAIN, signal);
  const first = firstOf(played);
  if (first === null) return null;
  const heard = played.starts.map((_, n) => nearby(played, n, first.delayS)).filter((found) => found !== null);
  // A busy computer tears chirps, and what is torn is quieter, never louder.
  return heard.reduce((loudest, found) => (found.levelDb > loudest.levelDb ? found : loudest), first);
}

/** What the canceller leaves of it, in dB of what was played. */
async function left(context: AudioContext, microphone: string | null, delayS: number, signal?: AbortSignal): Promise<number> {
  const played = await chirps(context, microphone, LEARNING, signal);
  const last = played.starts.map((_, n) => n).slice(-LAST);
  return middle(last.map((n) => nearby(played, n, delayS)?.levelDb ?? SILENCE_DB));
}

interface Chirps {
  rate: number;
  /** When each was played, in samples of the recording. */
  starts: number[];
  samples: Float32Array;
}

async function chirps(context: AudioContext, microphone: string | null, { count, periodS, cancelling }: typeof PLAIN, signal?: AbortSignal): Promise<Chirps> {
  const rate = context.sampleRate;
  const device = microphone === null ? {} : { deviceId: { exact: microphone } };
  // Without gain control: with it what is left is louder by its gain, like the voice beside it, and says little.
  const audio = { ...device, echoCancellation: cancelling, noiseSuppression: cancelling, autoGainControl: false };
  const track = await openTrack({ audio }, OPEN_MS, signal);
  try {
    const one = chirp(rate);
    const period = Math.round(periodS * rate);
    const sequence = new Float32Array((count - 1) * period + one.length);
    for (let n = 0; n < count; n += 1) sequence.set(one, n * period);
    const wholeMs = (LEAD_S + sequence.length / rate + MAX_DELAY_S) * 1_000;
    const recorded = record(context, track, wholeMs, signal);
    const atS = context.currentTime + LEAD_S;
    const [{ at, samples }] = await Promise.all([recorded, play(context, sequence, atS)]);
    const begin = Math.round(atS * rate) - at;
    return { rate, starts: Array.from({ length: count }, (_, n) => begin + n * period), samples };
  } finally {
    track.stop();
  }
}

/** Where the first chirp comes back, if it does. */
function firstOf({ rate, starts, samples }: Chirps): Found | null {
  const start = Math.max(0, starts[0] ?? 0);
  const echo = new ChirpFinder(rate).find(samples.subarray(start, start + Math.round((MAX_DELAY_S + CHIRP_S) * rate)));
  return echo && { delayS: echo.at / rate, levelDb: echo.levelDb };
}

/** What is left of one chirp near where it must be. */
function nearby({ rate, starts, samples }: Chirps, n: number, delayS: number): Found | null {
  const start = starts[n] ?? 0;
  const from = Math.max(0, start + Math.round((delayS - WANDER_S) * rate));
  const echo = new ChirpFinder(rate).loudest(samples.subarray(from, from + Math.round((2 * WANDER_S + CHIRP_S) * rate)));
  return echo && { delayS: (from - start + echo.at) / rate, levelDb: echo.levelDb };
}
