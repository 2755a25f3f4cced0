// The camera, opened as a hearing opens it, and its pictures looked at for two seconds. Never keeps a picture.

import type { CameraFacts } from '../../../wire/generated';
import { faultOf } from '../devices';
import { Look, lumaOf, measuredSize, type Small } from './look';
import { openTrack, pass, within } from './within';

/** Pictures are looked at for so long, the time in which a camera sets its exposure included. In milliseconds. */
const LOOKED_AT_MS = 2_500;
/** A camera that shows nothing for so long counts as hung. */
const FIRST_MS = 6_000;
/** Where a browser does not say when a picture is shown, it is looked at so often. */
const EVERY_MS = 33;

/** Opens the camera and looks. Never fails: what went wrong is a fact. `openMs` includes the person's answer. */
export async function measureCamera(id: string | null, openMs: number, signal?: AbortSignal): Promise<CameraFacts> {
  const begun = performance.now();
  const device = id === null ? {} : { deviceId: { exact: id } };
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  try {
    const track = await openTrack({ video: { ...device, ...size } }, openMs, signal);
    try {
      return await lookAt(track, LOOKED_AT_MS, begun, signal);
    } finally {
      track.stop();
    }
  } catch (error) {
    return { name: 'failed', fault: faultOf(error), device: null, heldBy: [] };
  }
}

/** Looks at a camera that runs; leaves it running. `begunMs` is when it was asked for. */
export async function lookAt(track: MediaStreamTrack, ms: number, begunMs: number, signal?: AbortSignal): Promise<CameraFacts> {
  const failed = (error: unknown): CameraFacts => {
    const unplugged = track.readyState === 'ended' && !signal?.aborted;
    return { name: 'failed', fault: unplugged ? 'unplugged' : faultOf(error), device: track.label || null, heldBy: [] };
  };
  const video = document.createElement('video');
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  const look = new Look();
  const eye = new Eye(video);
  let stop: () => void = () => undefined;
  try {
    void video.play().catch(() => undefined);
    await within(
      new Promise<void>((first) => {
        stop = eachPicture(video, (skipped) => {
          look.take(eye.see(), [video.videoWidth, video.videoHeight], performance.now(), skipped);
          first();
        });
      }),
      FIRST_MS,
      signal,
    );
    const firstMs = Math.round(performance.now() - begunMs);
    await pass(ms, signal);
    const seen = look.seen(performance.now());
    if (seen === null || track.readyState === 'ended') return failed(new DOMException('it ended', 'TimeoutError'));
    // Whether a camera turns its picture itself, no browser tells.
    return { name: 'seen', device: track.label, firstMs, flipped: false, ...seen };
  } catch (error) {
    return failed(error);
  } finally {
    stop();
    video.srcObject = null;
  }
}

/** Makes pictures small, to be measured. */
class Eye {
  private readonly canvas = typeof OffscreenCanvas === 'undefined' ? document.createElement('canvas') : new OffscreenCanvas(1, 1);
  private readonly context = this.canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;

  constructor(private readonly video: HTMLVideoElement) {}

  see(): Small {
    const [width, height] = measuredSize(this.video.videoWidth, this.video.videoHeight);
    if (this.canvas.width !== width || this.canvas.height !== height) [this.canvas.width, this.canvas.height] = [width, height];
    if (this.context === null) return { luma: new Uint8Array(width * height), width };
    this.context.imageSmoothingQuality = 'high';
    this.context.drawImage(this.video, 0, 0, width, height);
    return { luma: lumaOf(this.context.getImageData(0, 0, width, height).data), width };
  }
}

/** Calls `seen` for each picture that is shown, with how many were shown in between; returns how to stop. */
function eachPicture(video: HTMLVideoElement, seen: (skipped: number) => void): () => void {
  if (!('requestVideoFrameCallback' in HTMLVideoElement.prototype)) {
    let at = -1;
    const timer = setInterval(() => {
      if (video.readyState < video.HAVE_CURRENT_DATA || video.currentTime === at) return;
      at = video.currentTime;
      seen(0);
    }, EVERY_MS);
    return () => clearInterval(timer);
  }
  let before = 0;
  let handle = 0;
  const next = () => {
    handle = video.requestVideoFrameCallback((_, { presentedFrames }) => {
      seen(Math.max(0, presentedFrames - before - 1));
      before = presentedFrames;
      next();
    });
  };
  next();
  return () => video.cancelVideoFrameCallback(handle);
}
