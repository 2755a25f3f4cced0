// How loud one's own microphone is, thirty times a second. The arithmetic is pure; WebAudio only fetches the samples.

/** What silence is called, in dB below full scale. */
export const SILENCE_DB = -90;
/** Thirty times a second, as in the desktop program. */
const EVERY_MS = 33;
/** Samples looked at, about 85 ms at 48 kHz. */
const WINDOW = 4_096;
/** Louder than this is taken for speech. */
export const SPEECH_DB = -42;
/** So many looks of the last second must be speech before somebody is told to be muted: one cough is not speech. */
const SPEECH_LOOKS = 15;
const LOOKS = 30;

/** One look at the microphone. */
export interface Loudness {
  rmsDb: number;
  peakDb: number;
}

/** Loudness of samples between -1 and 1. */
export function loudnessOf(samples: Float32Array): Loudness {
  let sum = 0;
  let peak = 0;
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { rmsDb: decibels(Math.sqrt(sum / Math.max(1, samples.length))), peakDb: decibels(peak) };
}

function decibels(amplitude: number): number {
  return amplitude <= 0 ? SILENCE_DB : Math.max(SILENCE_DB, 20 * Math.log10(amplitude));
}

/** Finds speech over several looks. */
export class SpeechFinder {
  private looks: boolean[] = [];

  /** True when the last second holds speech. */
  hears(rmsDb: number): boolean {
    this.looks = [...this.looks, rmsDb > SPEECH_DB].slice(-LOOKS);
    return this.looks.filter(Boolean).length >= SPEECH_LOOKS;
  }
}

/** Watches one track until stopped. */
export class LevelWatch {
  private readonly context = new AudioContext();
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly copy: MediaStreamTrack;

  constructor(track: MediaStreamTrack, heard: (loudness: Loudness) => void) {
    // A copy, so that muting what is sent does not deafen the meter.
    this.copy = track.clone();
    this.copy.enabled = true;
    const analyser = this.context.createAnalyser();
    analyser.fftSize = WINDOW;
    this.context.createMediaStreamSource(new MediaStream([this.copy])).connect(analyser);
    const samples = new Float32Array(WINDOW);
    this.timer = setInterval(() => {
      // A context that does not run hears nothing, which is not silence.
      if (this.context.state !== 'running') return void this.context.resume().catch(() => undefined);
      analyser.getFloatTimeDomainData(samples);
      heard(loudnessOf(samples));
    }, EVERY_MS);
  }

  /** Ends the watch. */
  stop(): void {
    clearInterval(this.timer);
    this.copy.stop();
    void this.context.close().catch(() => undefined);
  }
}
