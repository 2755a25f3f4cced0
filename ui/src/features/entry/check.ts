// 庭前检测 as a value: what the four parts are, how each stands, and what the court is told. What follows from the figures is
// `model/judge.ts`. It never keeps anybody out: whatever is missing, the person goes on and the court sees what is missing.

import type { Verdict } from '../../model/judge';
import type { CameraFacts, DeviceFault, HostError, MicrophoneFacts, SpeakerFacts, TestFacts, TestPart, TestScore } from '../../wire/generated';

/** The four things that are checked. */
export type CheckItem = 'camera' | 'microphone' | 'speaker' | 'network';
/** In the order of the screen. */
export const CHECK_ITEMS: readonly CheckItem[] = ['camera', 'microphone', 'speaker', 'network'];
/** What is measured without asking anybody; shown where something is wrong. */
export const SILENT_PARTS = ['permissions', 'computer'] as const;

/** How a part stands. */
export type Standing = 'untested' | 'running' | 'good' | 'usable' | 'bad';

export const NOTHING_MEASURED: TestFacts = { camera: null, microphone: null, speaker: null, network: null, computer: null, permissions: null };

export const cameraFails = (fault: DeviceFault): CameraFacts => ({ name: 'failed', fault, device: null, heldBy: [] });
export const microphoneFails = (fault: DeviceFault): MicrophoneFacts => ({ name: 'failed', fault, device: null });
export const speakerFails = (fault: DeviceFault): SpeakerFacts => ({ name: 'failed', fault, device: null });

/** What a host's failure says of the device; none where it says nothing. */
export const faultIn = (error: HostError): DeviceFault | null => (error.name === 'device' ? error.fault : null);

/** How a part stands. What the person says of themselves weighs more than that nothing was found. */
export function standingOf(part: TestPart, running: boolean, unclear: boolean): Standing {
  if (running) return 'running';
  if (part.score === 'unknown') return unclear ? 'usable' : 'untested';
  return part.score === 'good' && unclear ? 'usable' : part.score;
}

/** What the court is told of it all. What was not tried is never called good, and is no fault either. */
export function scoreOf(verdict: Verdict, standings: Record<CheckItem, Standing>): TestScore {
  const { score } = verdict.overall;
  if (score !== 'good') return score;
  return CHECK_ITEMS.every((item) => standings[item] === 'good') ? 'good' : 'usable';
}
