// What a microphone's sound is like over some seconds, in figures: background, speech, peaks, clipping, or nothing at all.
// Pure arithmetic on samples, with the definitions of `crates/media/src/audio/ear.rs`; it judges nothing.

/** What silence is called, in dBFS. */
export const SILENCE_DB = -127;
/** Levels are those of so many blocks a second. */
const BLOCKS_A_SECOND = 50;
/** The background is what this part of the blocks does not exceed: people pause between words. */
const NOISE_PART = 0.1;
/** Speech stands out of the background by this much, in dB. */
const SPEECH_OVER_NOISE_DB = 10;
/** Below this nothing counts as speech, in dBFS: it is the noise of an amplifier. */
const SPEECH_FLOOR_DB = -75;
/** Fewer blocks than this that stand out (0.3 s) are a click or a knock on the table. */
const SPEECH_BLOCKS = 15;
/** The level of speech is what this part of the blocks that stand out does not exceed. */
const SPEECH_PART = 0.75;
/** From here on a sample is at full scale: 0.1 dB below it. */
const FULL_SCALE = 0.985;
/** Fewer neighbours than this at full scale are a loud sound that just fits. */
const CLIPPED_RUN = 3;

/** What was heard. */
export interface Heard {
  speechDb: number | null;
  noiseDb: number;
  peakDb: number;
  clipped: number;
}

/** A power of 1 is 0 dBFS. */
export function powerDb(power: number): number {
  return power > 0 ? Math.max(SILENCE_DB, 10 * Math.log10(power)) : SILENCE_DB;
}

/** What `part` of these sorted levels does not exceed; silence for none. */
function partOf(sorted: readonly number[], part: number): number {
  return sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)] ?? SILENCE_DB;
}

/** Zeros before the first sound are a device that starts. */
function begun(samples: Float32Array): Float32Array {
  const first = samples.findIndex((sample) => sample !== 0);
  return first < 0 ? samples.subarray(0, 0) : samples.subarray(first);
}

/** Levels of whole blocks without their mean: the constant offset of a cheap converter is no sound. */
function levelsOf(samples: Float32Array, block: number): number[] {
  const levels: number[] = [];
  for (let from = 0; from + block <= samples.length; from += block) {
    let [sum, squares] = [0, 0];
    for (const sample of samples.subarray(from, from + block)) {
      sum += sample;
      squares += sample * sample;
    }
    const mean = sum / block;
    levels.push(powerDb(Math.max(0, squares / block - mean * mean)));
  }
  return levels;
}

/** Hears samples of so many a second. */
export function hear(all: Float32Array, rate: number): Heard {
  const samples = begun(all);
  let [peak, run, clipped] = [0, 0, 0];
  for (const sample of samples) {
    const size = Math.abs(sample);
    peak = Math.max(peak, size);
    run = size >= FULL_SCALE ? run + 1 : 0;
    if (run === CLIPPED_RUN) clipped += CLIPPED_RUN;
    else if (run > CLIPPED_RUN) clipped += 1;
  }
  const levels = levelsOf(samples, Math.round(rate / BLOCKS_A_SECOND)).sort((a, b) => a - b);
  const noiseDb = partOf(levels, NOISE_PART);
  const standsOut = Math.max(noiseDb + SPEECH_OVER_NOISE_DB, SPEECH_FLOOR_DB);
  const speech = levels.filter((level) => level >= standsOut);
  return {
    speechDb: speech.length >= SPEECH_BLOCKS ? partOf(speech, SPEECH_PART) : null,
    noiseDb,
    peakDb: Math.min(0, powerDb(peak * peak)),
    clipped: clipped / Math.max(1, samples.length),
  };
}

/** Below this a bar is not seen; full scale fills it. In dBFS. */
const SHAPE_FLOOR_DB = -60;

/** The loudness over time as so many bars, 0 to 1. */
export function shapeOf(samples: Float32Array, bars: number): number[] {
  const each = samples.length / bars;
  return Array.from({ length: bars }, (_, i) => {
    const part = samples.subarray(Math.floor(i * each), Math.floor((i + 1) * each));
    const db = powerDb(part.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, part.length));
    return Math.min(1, Math.max(0, 1 - db / SHAPE_FLOOR_DB));
  });
}
