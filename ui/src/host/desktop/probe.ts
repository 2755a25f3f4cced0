/** Tries whether this webview really decodes H.264, with one small key frame: what it says about itself is not enough. */
import { codecOf } from './frame';

/** A grey key frame of 64 × 64, constrained baseline, Annex B. */
const KEY_FRAME = 'AAAAAWdCwArcQmwEQAAAAwBAAAAMg8SJ4AAAAAFozg8sgAAAAWWIhAS8mKAAIC8nJyddddddddddddeA';
/** The first decoder of a process can be slow to start. */
const PATIENCE_MS = 4000;

export async function decodesH264(): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') return false;
  const data = Uint8Array.from(atob(KEY_FRAME), (c) => c.charCodeAt(0));
  const codec = codecOf(data) ?? '';
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(false), PATIENCE_MS);
    const decoder = new VideoDecoder({
      output: (frame) => {
        frame.close();
        done(true);
      },
      error: () => done(false),
    });
    function done(works: boolean) {
      clearTimeout(timer);
      if (decoder.state !== 'closed') decoder.close();
      resolve(works);
    }
    try {
      decoder.configure({ codec, optimizeForLatency: true });
      decoder.decode(new EncodedVideoChunk({ type: 'key', timestamp: 0, data }));
      decoder.flush().catch(() => done(false));
    } catch {
      done(false);
    }
  });
}
