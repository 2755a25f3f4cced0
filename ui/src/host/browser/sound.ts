// The test sound: two knocks of a gavel, computed, as a WAV file in memory. No file is fetched.

const RATE = 24_000;
const KNOCK_S = 0.35;
const GAP_S = 0.25;

/** One knock: a few damped wooden resonances. */
function knock(t: number): number {
  const click = Math.exp(-t * 220) * Math.sin(2 * Math.PI * 1_900 * t);
  const wood = Math.exp(-t * 28) * Math.sin(2 * Math.PI * 420 * t);
  const table = Math.exp(-t * 16) * Math.sin(2 * Math.PI * 150 * t);
  return 0.3 * click + 0.35 * wood + 0.3 * table;
}

/** Samples of the test sound, between -1 and 1. */
export function gavelSamples(): Float32Array {
  const one = Math.round((KNOCK_S + GAP_S) * RATE);
  const samples = new Float32Array(one * 2);
  return samples.map((_, i) => knock((i % one) / RATE));
}

/** A mono 16-bit WAV file. */
export function wavOf(samples: Float32Array, rate = RATE): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const ascii = (at: number, text: string) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  ascii(0, 'RIFF');
  view.setUint32(4, 36 + samples.length * 2, true);
  ascii(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  ascii(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) => view.setInt16(44 + i * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), true));
  return bytes;
}

/** The sound lasts 1.2 s; a loudspeaker that went away meanwhile never says that it ended. */
const END_LIMIT_MS = 4_000;

/** Plays the test sound on a loudspeaker and waits for its end. */
export async function playGavel(speaker: string | null): Promise<void> {
  const url = URL.createObjectURL(new Blob([wavOf(gavelSamples())], { type: 'audio/wav' }));
  const audio = new Audio(url);
  let limit: ReturnType<typeof setTimeout> | undefined;
  try {
    if (speaker !== null && 'setSinkId' in audio) await audio.setSinkId(speaker).catch(() => undefined);
    const ended = new Promise<void>((resolve, reject) => {
      audio.addEventListener('ended', () => resolve(), { once: true });
      limit = setTimeout(() => reject(new DOMException('the sound did not end', 'TimeoutError')), END_LIMIT_MS);
    });
    // Where playing fails, nobody waits for the end.
    ended.catch(() => undefined);
    await audio.play();
    await ended;
  } finally {
    clearTimeout(limit);
    URL.revokeObjectURL(url);
  }
}
