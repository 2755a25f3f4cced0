// Which screen a person stands on, from what the server says alone: a reload or a reconnect lands on the same one.

import { standing } from '../../model/people';
import type { Snapshot } from '../../wire/generated';

/** The steps of the header, in order. */
export type Step = 'case' | 'test' | 'identity' | 'discipline' | 'waiting';

/** A screen of the way into court. */
export type Place = { name: 'step'; step: Step } | { name: 'witnessRoom' };

/** The steps a hearing has. */
export function stepsOf(identityStep: boolean): Step[] {
  return identityStep ? ['case', 'test', 'identity', 'discipline', 'waiting'] : ['case', 'test', 'discipline', 'waiting'];
}

/** Where a step lies relative to the current one. */
export function stepMark(steps: readonly Step[], step: Step, current: Step): 'done' | 'now' | 'todo' {
  const at = steps.indexOf(step);
  const now = steps.indexOf(current);
  return at < now ? 'done' : at === now ? 'now' : 'todo';
}

/** Where the viewer of a snapshot stands; `null` when that is not on the way in. */
export function placeOf(snapshot: Pick<Snapshot, 'you' | 'participants'>): Place | null {
  const me = snapshot.participants.find((one) => one.seat.id === snapshot.you);
  // One's own line is back as soon as this can be read; until the event arrives, stay where one returns to.
  switch (me && standing(me.state).name) {
    case 'invited':
    case 'coded':
      return { name: 'step', step: 'case' };
    case 'testing':
      return { name: 'step', step: 'test' };
    case 'identifying':
      return { name: 'step', step: 'identity' };
    case 'acknowledging':
      return { name: 'step', step: 'discipline' };
    case 'waiting':
      return { name: 'step', step: 'waiting' };
    case 'witnessRoom':
      return { name: 'witnessRoom' };
    default:
      return null;
  }
}
