// What a self-test sends: a picture that is hard to encode, so that as much is sent as was asked for, and a sound that nobody
// hears. Shows and plays nothing.

/** Large enough for ten megabits a second. */
const SIZE = [640, 360] as const;
const RATE = 30;
/** Squares of this side: coarse noise keeps its weight through the encoder, fine noise is thrown away. */
const GRAIN = 4;
/** Quiet, and never silent: silence would not be sent. */
const LOUDNESS = 0.02;

/** Noise that changes all the time. */
export class Pattern {
  readonly picture: MediaStreamTrack;
  readonly sound: MediaStreamTrack;
  private readonly canvas = document.createElement('canvas');
  private readonly context = new AudioContext();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor() {
    [this.canvas.width, this.canvas.height] = SIZE;
    const paint = this.canvas.getContext('2d');
    const [width, height] = [SIZE[0] / GRAIN, SIZE[1] / GRAIN];
    const small = new OffscreenCanvas(width, height);
    const grain = small.getContext('2d');
    const image = new ImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    let seed = 1;
    this.timer = setInterval(() => {
      for (let i = 0; i < words.length; i += 1) {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        words[i] = 0xff00_0000 | (seed >>> 8);
      }
      grain?.putImageData(image, 0, 0);
      paint?.drawImage(small, 0, 0, ...SIZE);
    }, 1_000 / RATE);
    const [picture] = this.canvas.captureStream(RATE).getVideoTracks();
    const out = this.context.createMediaStreamDestination();
    const tone = this.context.createOscillator();
    const gain = this.context.createGain();
    gain.gain.value = LOUDNESS;
    tone.connect(gain).connect(out);
    tone.start();
    void this.context.resume().catch(() => undefined);
    const [sound] = out.stream.getAudioTracks();
    if (picture === undefined || sound === undefined) throw new Error('a canvas and a destination have one track each');
    this.picture = picture;
    this.sound = sound;
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.timer);
    this.picture.stop();
    this.sound.stop();
    void this.context.close().catch(() => undefined);
  }
}
