// 设备检测 in a browser: the whole self-test, and its single measurements on devices that run. Keeps reports in this browser and what
// a person read aloud in memory, for playing it back; sends a report only when it is told to.

import type { CameraFacts, HostEvent, SeatTaken, SeatTest, SelfTestsRead, SendSelfTest, SpeakerFacts, TestPlan, Voice } from '../../wire/generated';
import { HostFailure } from '../host';
import { get, tell } from './api';
import type { Capture } from './capture';
import { faultOf, nameOf } from './devices';
import { lookAt, measureCamera } from './selftest/camera';
import { hear, shapeOf } from './selftest/ear';
import { keepReport } from './selftest/history';
import { measuresOf, OPEN_MS } from './selftest/measures';
import { Run } from './selftest/run';
import { measureSpeaker } from './selftest/sound';
import { openContext, play, playOn, record } from './selftest/tape';
import { within } from './selftest/within';

/** A running camera is looked at for so long, and a running microphone listened to. In milliseconds. */
const LOOK_MS = 2_000;
const HEAR_MS = 5_000;
/** What is played back ends so much after its time at most: a loudspeaker that went away never says that it ended. */
const END_LATE_MS = 2_000;
/** Loudness over time is drawn in so many bars. */
const BARS = 32;

/** What was heard last, to be played back. */
interface Spoken {
  samples: Float32Array<ArrayBuffer>;
  rate: number;
}

export class Checks {
  private run: Run | null = null;
  private spoken: Spoken | null = null;
  /** Ends the single measurements. */
  private aborter = new AbortController();

  constructor(
    private readonly capture: Capture,
    private readonly version: string,
    private readonly say: (event: HostEvent) => void,
    /** The microphone is open to the court: what is played here would be heard there. */
    private readonly heardInCourt: () => boolean,
  ) {}

  /** Begins the whole self-test; a test that was under way ends. Single measurements go on beside it. */
  start(plan: TestPlan): void {
    this.endRun();
    this.run = new Run(plan, measuresOf({ ...this.capture.chosen }), this.version, (progress) => {
      // The page asks for the history once it hears that it is over. What is measured beside another check is kept by that one.
      if (progress.done && (plan.camera || plan.sound)) keepReport(progress.report);
      this.say({ type: 'selfTest', progress });
    });
  }

  /** Ends all of it: what is known is the report, single measurements fail, and what was spoken is forgotten. */
  stop(): void {
    this.endRun();
    this.aborter.abort();
    this.aborter = new AbortController();
    this.spoken = null;
  }

  private endRun(): void {
    this.run?.stop();
    this.run = null;
  }

  /** Measures until it is stopped; what was stopped has found nothing. */
  private async untilStopped<T>(measure: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.aborter;
    const found = await measure(signal).catch((error: unknown) => {
      if (error instanceof HostFailure) throw error;
      throw new HostFailure(signal.aborted ? { name: 'internal' } : { name: 'device', fault: faultOf(error) });
    });
    if (signal.aborted) throw new HostFailure({ name: 'internal' });
    return found;
  }

  private refuseInCourt(): void {
    if (this.heardInCourt()) throw new HostFailure({ name: 'device', fault: 'busy' });
  }

  /** Looks at the own camera: the one that runs, or else the chosen one, opened for the look. */
  look(): Promise<CameraFacts> {
    return this.untilStopped(async (signal) => {
      const { camera } = this.capture.running;
      if (camera !== null) return lookAt(camera, LOOK_MS, performance.now(), signal);
      const state = this.capture.stateOf('camera');
      if (state.name === 'failed') return { name: 'failed', fault: state.fault, device: null, heldBy: [] };
      return measureCamera(this.capture.chosen.camera, OPEN_MS, signal);
    });
  }

  /** Listens to the microphone that runs, as the court hears it, and keeps that for `replay`. */
  hear(): Promise<Voice> {
    return this.untilStopped((signal) => this.listen(signal));
  }

  private async listen(signal: AbortSignal): Promise<Voice> {
    const { microphone } = this.capture.running;
    const state = this.capture.stateOf('microphone');
    if (microphone === null) {
      const fault = state.name === 'failed' ? state.fault : 'missing';
      return { facts: { name: 'failed', fault, device: null }, shape: [] };
    }
    const copy = microphone.clone();
    copy.enabled = true;
    let context: AudioContext | null = null;
    try {
      context = await openContext(signal);
      const { samples } = await record(context, copy, HEAR_MS, signal);
      const device = await nameOf(copy);
      if (!signal.aborted) this.spoken = { samples, rate: context.sampleRate };
      const facts = { name: 'heard' as const, device, ...hear(samples, context.sampleRate), live: null };
      return { facts, shape: shapeOf(samples, BARS) };
    } catch (error) {
      return { facts: { name: 'failed', fault: faultOf(error), device: microphone.label }, shape: [] };
    } finally {
      copy.stop();
      void context?.close().catch(() => undefined);
    }
  }

  /**
   * Plays what was heard on the chosen loudspeaker; resolves when it is over, at once where nothing was heard. Refused while the
   * court hears the microphone.
   */
  async replay(): Promise<void> {
    this.refuseInCourt();
    const { spoken } = this;
    if (spoken === null) return;
    await this.untilStopped(async (signal) => {
      const context = await openContext(signal);
      try {
        await playOn(context, this.capture.chosen.speaker);
        const lengthMs = (spoken.samples.length / spoken.rate) * 1_000;
        await within(play(context, spoken.samples, 0, spoken.rate), lengthMs + END_LATE_MS, signal);
      } finally {
        void context.close().catch(() => undefined);
      }
    });
  }

  /** Plays chirps on the chosen loudspeaker and looks for them in the chosen microphone. Refused likewise. */
  async loop(): Promise<SpeakerFacts> {
    this.refuseInCourt();
    return this.untilStopped(async (signal) => {
      let context: AudioContext | null = null;
      try {
        context = await openContext(signal);
        return await measureSpeaker(context, this.capture.chosen, true, signal);
      } catch (error) {
        return { name: 'failed', fault: faultOf(error), device: null };
      } finally {
        void context?.close().catch(() => undefined);
      }
    });
  }
}

/** Sends a report to the court. */
export const sendReport = (report: SendSelfTest): Promise<void> => tell('/self-tests', report);

/** What the others of a hearing have sent; its staff only. */
export async function seatTests({ hearing, token }: SeatTaken): Promise<SeatTest[]> {
  const { tests } = await get<SelfTestsRead>(`/hearings/${encodeURIComponent(hearing)}/self-tests`, token);
  return tests;
}
