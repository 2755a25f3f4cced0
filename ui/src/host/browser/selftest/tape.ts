// Samples of a microphone as they come, through WebAudio. Keeps what was asked for and nothing else.

import { within } from './within';

/** The audio thread answers, or there is none. */
const START_MS = 3_000;
/** Samples come later than they are made, and a microphone that slept wakes up first; so much later at most. */
const LATE_MS = 2_500;

/** An audio context that runs. */
export async function openContext(signal?: AbortSignal): Promise<AudioContext> {
  const context = new AudioContext();
  try {
    await within(Promise.all([context.resume(), context.audioWorklet.addModule('/listener.js')]), START_MS, signal);
    return context;
  } catch (error) {
    void context.close().catch(() => undefined);
    throw error;
  }
}

/** Sound that was recorded; `at` is the context's frame of the first sample. */
export interface Recording {
  at: number;
  samples: Float32Array<ArrayBuffer>;
}

/** Records a track for so long from now. */
export async function record(context: AudioContext, track: MediaStreamTrack, ms: number, signal?: AbortSignal): Promise<Recording> {
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const node = new AudioWorkletNode(context, 'listener', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
  const samples = new Float32Array(Math.round((ms / 1_000) * context.sampleRate));
  let [at, filled] = [-1, 0];
  try {
    const full = new Promise<void>((resolve, reject) => {
      track.addEventListener('ended', () => reject(new DOMException('it ended', 'NotReadableError')), { once: true });
      node.port.onmessage = ({ data }: MessageEvent<Recording>) => {
        if (at < 0) at = data.at;
        samples.set(data.samples.subarray(0, samples.length - filled), filled);
        filled = Math.min(samples.length, filled + data.samples.length);
        if (filled === samples.length) resolve();
      };
    });
    source.connect(node);
    await within(full, ms + LATE_MS, signal);
    return { at, samples };
  } finally {
    node.port.onmessage = null;
    source.disconnect();
    node.port.close();
  }
}

/** Plays samples and waits for their end. `atS` is the context's time. */
export function play(context: AudioContext, samples: Float32Array<ArrayBuffer>, atS = 0, rate = context.sampleRate): Promise<void> {
  const buffer = context.createBuffer(1, samples.length, rate);
  buffer.copyToChannel(samples, 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  return new Promise((resolve) => {
    source.onended = () => resolve();
    source.start(atS);
  });
}

/** Plays on the chosen loudspeaker, where the browser lets choose. */
export async function playOn(context: AudioContext, speaker: string | null): Promise<void> {
  if (speaker === null || !('setSinkId' in context)) return;
  await (context as AudioContext & { setSinkId(id: string): Promise<void> }).setSinkId(speaker);
}
