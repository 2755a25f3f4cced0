// One self-test: the computer first, before anything keeps it busy, then camera, sound and line side by side. It always ends, and
// always has a report: what hangs or was stopped has no facts. Measures nothing itself.

import { judge } from '../../../model/judge';
import type { SelfTest, SelfTestProgress, TestFacts, TestPlan, TestStep } from '../../../wire/generated';

/** The whole test ends after this, with whatever is known. */
export const LIMIT_MS = 25_000;

/** What measures one step. It notes what it knows as it goes and ends when `signal` says so; it may also hang. */
export type Measure = (note: (facts: Partial<TestFacts>) => void, signal: AbortSignal) => Promise<void>;

/** All steps, and the permissions, which are read at once and again once somebody was asked. */
export type Measures = Record<TestStep | 'permissions', Measure>;

const NOTHING: TestFacts = { camera: null, microphone: null, speaker: null, network: null, computer: null, permissions: null };

/** Puts a report together. */
export function reportOf(facts: TestFacts, takenAt: number, tookMs: number, version: string): SelfTest {
  return { takenAt, tookMs: Math.round(tookMs), version, facts, ...judge(facts) };
}

/** A test under way. */
export class Run {
  private readonly aborter = new AbortController();
  private readonly takenAt = Date.now();
  private readonly begun = performance.now();
  private readonly timer: ReturnType<typeof setTimeout>;
  private facts = NOTHING;
  private over: TestStep[] = [];
  private running: TestStep[] = [];
  private done = false;

  constructor(
    plan: TestPlan,
    private readonly measures: Measures,
    private readonly version: string,
    private readonly tell: (progress: SelfTestProgress) => void,
  ) {
    this.timer = setTimeout(() => this.stop(), LIMIT_MS);
    void this.measureAll(plan).then(() => this.stop());
  }

  /** Ends it now; what is known is the report. */
  stop(): void {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.timer);
    this.aborter.abort();
    this.running = [];
    this.say();
  }

  private async measureAll(plan: TestPlan): Promise<void> {
    await this.measure('permissions');
    await this.step('computer');
    const steps: TestStep[] = (['camera', 'sound', 'network'] as const).filter((step) => plan[step]);
    await Promise.all(steps.map((step) => this.step(step)));
    await this.measure('permissions');
  }

  private async step(step: TestStep): Promise<void> {
    if (this.done) return;
    this.running = [...this.running, step];
    this.say();
    await this.measure(step);
    if (this.done) return;
    this.running = this.running.filter((one) => one !== step);
    this.over = [...this.over, step];
    this.say();
  }

  private async measure(which: TestStep | 'permissions'): Promise<void> {
    // What comes after the end was made by the end: a device that was closed has not failed.
    const note = (facts: Partial<TestFacts>) => {
      if (!this.done) this.facts = { ...this.facts, ...facts };
    };
    // A part that breaks in a way nobody thought of leaves its facts open; the others go on.
    await this.measures[which](note, this.aborter.signal).catch(() => undefined);
  }

  private say(): void {
    const report = reportOf(this.facts, this.takenAt, performance.now() - this.begun, this.version);
    this.tell({ over: this.over, running: this.running, report, done: this.done });
  }
}
