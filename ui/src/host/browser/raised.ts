// One's own voice made louder before it is sent, where a microphone is too quiet and the system's own level out of reach. What would
// be too loud then is held back instead of being cut off. Opens no microphone.

/** Each step doubles it. */
export const RAISE_STEP = 2;
/** Louder than this it is mostly the noise of the room. */
export const RAISE_MOST = 8;

/** The gain after one step more; `null` where there is none. */
export function raised(gain: number): number | null {
  return gain * RAISE_STEP > RAISE_MOST ? null : gain * RAISE_STEP;
}

/** Held back from here on, in dBFS. */
const CEILING_DB = -3;

/** A louder copy of a microphone's sound. The microphone itself stays its owner's. */
export class Raised {
  readonly track: MediaStreamTrack;
  private readonly context = new AudioContext();

  constructor(
    readonly source: MediaStreamTrack,
    readonly by: number,
  ) {
    const gain = this.context.createGain();
    gain.gain.value = by;
    const ceiling = this.context.createDynamicsCompressor();
    ceiling.threshold.value = CEILING_DB;
    ceiling.knee.value = 0;
    ceiling.ratio.value = 20;
    ceiling.attack.value = 0.002;
    const out = this.context.createMediaStreamDestination();
    this.context.createMediaStreamSource(new MediaStream([source])).connect(gain).connect(ceiling).connect(out);
    void this.context.resume().catch(() => undefined);
    const [track] = out.stream.getAudioTracks();
    if (track === undefined) throw new Error('a destination has one track');
    this.track = track;
  }

  /** Ends the copy; the microphone goes on. */
  stop(): void {
    this.track.stop();
    void this.context.close().catch(() => undefined);
  }
}
