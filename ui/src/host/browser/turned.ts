// One's own picture turned by half a circle before it is sent, so that the others see it upright too. Opens no camera.

/** What only some browsers have: pictures by themselves, without a canvas that sleeps while nobody looks at the page. */
interface Streams {
  MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<VideoFrame> };
  MediaStreamTrackGenerator?: new (init: { kind: 'video' }) => MediaStreamTrack & { writable: WritableStream<VideoFrame> };
}

const RATE = 30;

/** A camera's picture, turned. The camera itself stays its owner's. */
export class Turned {
  readonly track: MediaStreamTrack;
  private readonly end: () => void;

  constructor(readonly source: MediaStreamTrack) {
    const { MediaStreamTrackProcessor: Processor, MediaStreamTrackGenerator: Generator } = globalThis as Streams;
    const made = Processor && Generator ? byStreams(source, Processor, Generator) : byCanvas(source);
    this.track = made.track;
    this.end = made.end;
  }

  /** Ends the turned picture; the camera goes on. */
  stop(): void {
    this.end();
    this.track.stop();
  }
}

interface Made {
  track: MediaStreamTrack;
  end(): void;
}

/** Draws upside down and the other way round: half a circle. */
function turn(paint: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, picture: CanvasImageSource, width: number, height: number): void {
  paint.setTransform(-1, 0, 0, -1, width, height);
  paint.drawImage(picture, 0, 0, width, height);
}

function byStreams(source: MediaStreamTrack, Processor: NonNullable<Streams['MediaStreamTrackProcessor']>, Generator: NonNullable<Streams['MediaStreamTrackGenerator']>): Made {
  // Its end must not be that of the camera.
  const copy = source.clone();
  const track = new Generator({ kind: 'video' });
  const canvas = new OffscreenCanvas(1, 1);
  const paint = canvas.getContext('2d');
  const turning = new TransformStream<VideoFrame, VideoFrame>({
    transform(frame, out) {
      const { displayWidth: width, displayHeight: height, timestamp } = frame;
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
      if (paint !== null) turn(paint, frame, width, height);
      frame.close();
      out.enqueue(new VideoFrame(canvas, { timestamp }));
    },
  });
  void new Processor({ track: copy }).readable.pipeThrough(turning).pipeTo(track.writable).catch(() => undefined);
  return { track, end: () => copy.stop() };
}

function byCanvas(source: MediaStreamTrack): Made {
  const video = document.createElement('video');
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([source]);
  void video.play().catch(() => undefined);
  const canvas = document.createElement('canvas');
  const paint = canvas.getContext('2d');
  const timer = setInterval(() => {
    const { videoWidth: width, videoHeight: height } = video;
    if (paint === null || width === 0) return;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    turn(paint, video, width, height);
  }, 1_000 / RATE);
  const [track] = canvas.captureStream(RATE).getVideoTracks();
  if (track === undefined) throw new Error('a canvas has one track');
  const end = () => {
    clearInterval(timer);
    video.srcObject = null;
  };
  return { track, end };
}
