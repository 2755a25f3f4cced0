/** The phases of a hearing, in order. Mediation and pronouncement happen only where the court calls for them. */
import type { HearingState, Phase } from '../wire/generated';

export const USUAL: readonly Phase[] = ['opening', 'investigation', 'evidence', 'debate', 'finalStatement'];
export const ALL: readonly Phase[] = [...USUAL, 'mediation', 'pronouncement'];

export const phaseOf = (state: HearingState): Phase | null => ('phase' in state ? state.phase : null);

export interface Step {
  phase: Phase;
  is: 'done' | 'now' | 'ahead';
}

/** The steps of the top bar: the five usual ones, and the one outside them while it lasts. */
export function stepsOf(state: HearingState): Step[] {
  const now = phaseOf(state);
  if (now === null) return USUAL.map((phase) => ({ phase, is: 'ahead' }));
  const at = USUAL.indexOf(now);
  if (at === -1) return [...USUAL.map((phase): Step => ({ phase, is: 'done' })), { phase: now, is: 'now' }];
  return USUAL.map((phase, i) => ({ phase, is: i < at ? 'done' : i === at ? 'now' : 'ahead' }));
}

/** What usually comes next. */
export function nextOf(phase: Phase): Phase | null {
  const at = USUAL.indexOf(phase);
  return at === -1 ? null : (USUAL[at + 1] ?? 'pronouncement');
}
