// How fast this browser encodes and decodes the court's codec (H.264, constrained baseline), by WebCodecs where it has them. The
// pictures are drawn here and thrown away.

import type { CodecSpeed } from '../../../wire/generated';
import { within } from './within';

/** The layers of a camera: width, height, bits a second. */
const LAYERS = [
  [320, 180, 140_000],
  [640, 360, 450_000],
  [1_280, 720, 1_500_000],
] as const;
/** Constrained baseline, level 3.1. */
const CODEC = 'avc1.42e01f';
/** Each layer is encoded for so long, in milliseconds, and decoded for no longer than its limit. */
const ENCODE_MS = 350;
const LIMIT_MS = 1_500;
/** So many pictures wait for the encoder, as in a hearing none should. */
const QUEUE = 3;
/** Fewer pictures than this say nothing. */
const ENOUGH = 5;
const PICTURE_US = 33_333;

/** Measures all layers that this browser can encode; smallest first. Empty where it has no WebCodecs. */
export async function measureCodec(signal?: AbortSignal): Promise<CodecSpeed[]> {
  const speeds: CodecSpeed[] = [];
  if (typeof VideoEncoder === 'undefined' || typeof VideoDecoder === 'undefined') return speeds;
  for (const [width, height, bitrate] of LAYERS) {
    try {
      const config: VideoEncoderConfig = { codec: CODEC, width, height, bitrate, framerate: 30, latencyMode: 'realtime', avc: { format: 'annexb' } };
      if (!(await VideoEncoder.isConfigSupported(config)).supported) return speeds;
      const { chunks, fps } = await within(encode(config), LIMIT_MS, signal);
      if (chunks.length < ENOUGH) return speeds;
      speeds.push({ height, encodeFps: fps, decodeFps: await within(decode(chunks), LIMIT_MS, signal) });
    } catch {
      return speeds;
    }
  }
  return speeds;
}

async function encode(config: VideoEncoderConfig): Promise<{ chunks: EncodedVideoChunk[]; fps: number }> {
  const chunks: EncodedVideoChunk[] = [];
  let failed: DOMException | null = null;
  const encoder = new VideoEncoder({ output: (chunk) => chunks.push(chunk), error: (error) => (failed = error) });
  encoder.configure(config);
  const { width, height } = config;
  const pictures = Array.from({ length: DRAWN }, (_, n) => drawn(n, width, height));
  const begun = performance.now();
  for (let n = 0; performance.now() - begun < ENCODE_MS && failed === null; n += 1) {
    const picture = pictures[n % DRAWN] ?? drawn(n, width, height);
    const frame = new VideoFrame(picture, { format: 'I420', codedWidth: width, codedHeight: height, timestamp: n * PICTURE_US });
    encoder.encode(frame, { keyFrame: n === 0 });
    frame.close();
    if (encoder.encodeQueueSize >= QUEUE) await dequeued(encoder);
  }
  await encoder.flush();
  const seconds = (performance.now() - begun) / 1_000;
  encoder.close();
  return { chunks, fps: chunks.length / seconds };
}

async function decode(chunks: EncodedVideoChunk[]): Promise<number> {
  let shown = 0;
  const decoder = new VideoDecoder({ output: (frame) => ((shown += 1), frame.close()), error: () => undefined });
  decoder.configure({ codec: CODEC, optimizeForLatency: true });
  const begun = performance.now();
  for (const chunk of chunks) decoder.decode(chunk);
  await decoder.flush();
  const seconds = Math.max(0.001, (performance.now() - begun) / 1_000);
  decoder.close();
  return shown / seconds;
}

/** So many different pictures, drawn before anything is timed: a camera's pictures need no drawing either. */
const DRAWN = 6;

/**
 * A picture (I420) with something that moves and with grain that is never the same, as a sensor has it: without grain an encoder
 * skips nearly everything and looks faster than it is.
 */
function drawn(n: number, width: number, height: number): Uint8Array<ArrayBuffer> {
  const picture = new Uint8Array((width * height * 3) / 2).fill(128);
  const left = Math.floor(width * (0.3 + 0.02 * n));
  let seed = n + 1;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const person = x > left && x < left + width * 0.3 && y > height * 0.2;
      picture[y * width + x] = (person ? 70 : 150) + (seed >>> 29);
    }
  }
  return picture;
}

const dequeued = (encoder: VideoEncoder) => new Promise<void>((resolve) => encoder.addEventListener('dequeue', () => resolve(), { once: true }));
