// The way of sound from loudspeaker to microphone: a chirp to play, and finding it in what was recorded. Pure; with the
// definitions of `crates/media/src/audio/loopback.rs`. A chirp is found by its shape (normalised cross-correlation), so
// that neither noise nor somebody who speaks is taken for it.

import { fft, zeros, type Complex } from './fft';

/** It lasts so long. */
export const CHIRP_S = 0.12;
/** It rises through these frequencies, in Hz: what the loudspeaker of a notebook plays and a voice is made of. */
const SWEEP = [900, 5_400] as const;
/** Loudest sample, -12 dBFS: clearly heard, and frightens nobody. */
const AMPLITUDE = 0.25;
/** It fades in and out for so long, so that it does not click. */
const FADE_S = 0.01;
/** Only these frequencies are looked at, in Hz. */
const BAND = [700, 5_800] as const;
/** A buffer between two clocks stretches sound a little. */
const STRETCHES = [-0.001_5, 0, 0.001_5];
/** A correlation from here on is the chirp; chance stays far below. */
const FOUND = 0.22;
/** Less power than this in the band is silence, not a faint chirp (-100 dBFS). */
const SILENT_POWER = 1e-10;

/** A chirp that was found. */
export interface Echo {
  /** Where it begins, in samples. */
  at: number;
  /** How loud it is against what was played, in dB. */
  levelDb: number;
  /** How much of the sound at that place is the chirp, 0 to 1. */
  confidence: number;
}

/** The chirp at so many samples a second. */
export function chirp(rate: number): Float32Array {
  return Float32Array.from(stretched(rate, 0, 0));
}

/** The chirp as it sounds when it takes longer by this part, and turned by this part of a period. */
function stretched(rate: number, by: number, turned: number): Float64Array {
  const count = Math.round(CHIRP_S * rate);
  const [from, to] = SWEEP;
  return Float64Array.from({ length: count }, (_, n) => {
    const t = n / rate / (1 + by);
    const turns = turned + from * t + ((to - from) / (2 * CHIRP_S)) * t * t;
    const edge = Math.min(1, Math.min(n, count - 1 - n) / (FADE_S * rate));
    return AMPLITUDE * (0.5 - 0.5 * Math.cos(Math.PI * edge)) * Math.sin(2 * Math.PI * (turns % 1));
  });
}

const energyOf = (samples: Float64Array) => samples.reduce((sum, sample) => sum + sample * sample, 0);

/** Finds chirps in recordings. */
export class ChirpFinder {
  private readonly length: number;

  constructor(private readonly rate: number) {
    this.length = Math.round(CHIRP_S * rate);
  }

  /** The chirp wherever it is in the recording; `null` where it is not. */
  find(recorded: Float32Array): Echo | null {
    const best = this.best(recorded, (echo) => echo.confidence);
    return best !== null && best.confidence >= FOUND ? best : null;
  }

  /** What most resembles a chirp, however faint: an upper bound of what is there. */
  loudest(recorded: Float32Array): Echo | null {
    return this.best(recorded, (echo) => echo.levelDb);
  }

  private best(recorded: Float32Array, by: (echo: Echo) => number): Echo | null {
    const last = recorded.length - this.length;
    if (last < 0) return null;
    const sound = this.inBand(recorded);
    const sums = this.sums(sound, recorded.length);
    let best: Echo | null = null;
    for (const stretch of STRETCHES) {
      const { product, energy } = this.correlate(sound, stretch);
      for (let at = 0; at <= last; at += 1) {
        const there = Math.hypot(product.re[at] ?? 0, product.im[at] ?? 0);
        const power = (sums[at + this.length] ?? 0) - (sums[at] ?? 0);
        const gain = there / energy;
        const confidence = power < SILENT_POWER * this.length ? 0 : Math.min(1, there / Math.sqrt(power * energy));
        const echo = { at, levelDb: 20 * Math.log10(Math.max(gain, 1e-6)), confidence };
        if (best === null || by(echo) > by(best)) best = echo;
      }
    }
    return best;
  }

  /** The spectrum of the band alone. */
  private inBand(recorded: Float32Array): Complex {
    const size = 2 ** Math.ceil(Math.log2(recorded.length));
    const sound = zeros(size);
    sound.re.set(recorded);
    fft(sound);
    for (let bin = 0; bin < size; bin += 1) {
      const hz = (Math.min(bin, size - bin) * this.rate) / size;
      if (hz < BAND[0] || hz > BAND[1]) sound.re[bin] = sound.im[bin] = 0;
    }
    return sound;
  }

  /** Sums of the squares of the sound from its start. */
  private sums({ re, im }: Complex, count: number): Float64Array {
    const size = re.length;
    const sound = { re: re.slice(), im: im.slice() };
    fft(sound, true);
    const sums = new Float64Array(count + 1);
    for (let i = 0; i < count; i += 1) sums[i + 1] = (sums[i] ?? 0) + ((sound.re[i] ?? 0) / size) ** 2;
    return sums;
  }

  /**
   * Correlation with the chirp (`re`) and with the same a quarter of a period later (`im`): loudspeakers and rooms turn
   * phases, and what is heard lies between the two. Both are real, so one transform back gives them together.
   */
  private correlate(sound: Complex, stretch: number): { product: Complex; energy: number } {
    const size = sound.re.length;
    const known = zeros(size);
    const there = stretched(this.rate, stretch, 0);
    known.re.set(there);
    known.im.set(stretched(this.rate, stretch, 0.25));
    // The spectrum of a + ib, met by the conjugates of A and B: conj(A) + i conj(B) is that of a + ib run backwards.
    fft(known, true);
    const product = zeros(size);
    for (let i = 0; i < size; i += 1) {
      const [a, b, c, d] = [sound.re[i] ?? 0, sound.im[i] ?? 0, known.re[i] ?? 0, known.im[i] ?? 0];
      product.re[i] = (a * c - b * d) / size;
      product.im[i] = (a * d + b * c) / size;
    }
    fft(product, true);
    return { product, energy: energyOf(there) };
  }
}
