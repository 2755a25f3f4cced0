// 设备检测 in a browser: the whole self-test, and its single measurements on devices that run. Keeps reports in this browser and what
// a person read aloud in memory, for playing it back; sends a report only when it is told to.

import type { CameraFacts, HostEvent, SeatTaken, SeatTest, SelfTestsRead, SendSelfTest, SpeakerFacts, TestPlan, Voice } from '../../wire/generated';
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

/** A running camera is looked at for so long, and a running microphone listened to. In milliseconds. */
const LOOK_MS = 2_000;
const HEAR_MS = 5_000;
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

  constructor(
    private readonly capture: Capture,
    private readonly version: string,
    private readonly say: (event: HostEvent) => void,
  ) {}

  /** Begins the whole self-test; a test that was under way ends. */
  start(plan: TestPlan): void {
    this.stop();
    this.run = new Run(plan, measuresOf({ ...this.capture.chosen }), this.version, (progress) => {
      // The page asks for the history once it hears that it is over.
      if (progress.done) keepReport(progress.report);
      this.say({ type: 'selfTest', progress });
    });
  }

  /** Ends it; what is known is the report. */
  stop(): void {
    this.run?.stop();
    this.run = null;
  }

  /** Looks at the own camera: the one that runs, or else the chosen one, opened for the look. */
  async look(): Promise<CameraFacts> {
    const { camera } = this.capture.running;
    if (camera !== null) return lookAt(camera, LOOK_MS, performance.now());
    const state = this.capture.stateOf('camera');
    if (state.name === 'failed') return { name: 'failed', fault: state.fault, device: null, heldBy: [] };
    return measureCamera(this.capture.chosen.camera, OPEN_MS);
  }

  /** Listens to the microphone that runs, as the court hears it, and keeps that for `replay`. */
  async hear(): Promise<Voice> {
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
      context = await openContext();
      const { samples } = await record(context, copy, HEAR_MS);
      this.spoken = { samples, rate: context.sampleRate };
      const facts = { name: 'heard' as const, device: await nameOf(copy), ...hear(samples, context.sampleRate), live: null };
      return { facts, shape: shapeOf(samples, BARS) };
    } catch (error) {
      return { facts: { name: 'failed', fault: faultOf(error), device: microphone.label }, shape: [] };
    } finally {
      copy.stop();
      void context?.close().catch(() => undefined);
    }
  }

  /** Plays what was heard on the chosen loudspeaker; resolves when it is over, at once where nothing was heard. */
  async replay(): Promise<void> {
    if (this.spoken === null) return;
    const { samples, rate } = this.spoken;
    const context = await openContext();
    try {
      await playOn(context, this.capture.chosen.speaker);
      await play(context, samples, 0, rate);
    } finally {
      void context.close().catch(() => undefined);
    }
  }

  /** Plays chirps on the chosen loudspeaker and looks for them in the chosen microphone. */
  async loop(): Promise<SpeakerFacts> {
    let context: AudioContext | null = null;
    try {
      context = await openContext();
      return await measureSpeaker(context, this.capture.chosen, true);
    } catch (error) {
      return { name: 'failed', fault: faultOf(error), device: null };
    } finally {
      void context?.close().catch(() => undefined);
    }
  }
}

/** Sends a report to the court. */
export const sendReport = (report: SendSelfTest): Promise<void> => tell('/self-tests', report);

/** What the others of a hearing have sent; its staff only. */
export async function seatTests({ hearing, token }: SeatTaken): Promise<SeatTest[]> {
  const { tests } = await get<SelfTestsRead>(`/hearings/${encodeURIComponent(hearing)}/self-tests`, token);
  return tests;
}
