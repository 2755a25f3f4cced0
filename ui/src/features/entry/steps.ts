// Which screen a person stands on, from what the server says alone: a reload or a reconnect lands on the same one.

import type { HearingState, ParticipantState, Snapshot } from '../../wire/generated';

/** The steps of the header, in order. */
export type Step = 'case' | 'test' | 'identity' | 'discipline' | 'waiting';

/** A screen of the way into court, or past it. */
export type Place =
  | { name: 'step'; step: Step }
  | { name: 'witnessRoom' }
  | { name: 'court' }
  | { name: 'over'; why: OverReason };

/** Why the way ends here. */
export type OverReason = 'left' | 'removed' | 'closed' | 'cancelled' | 'adjourned' | 'movedOffline';

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

function endOf(state: HearingState): OverReason | null {
  switch (state.name) {
    case 'closed':
    case 'archived':
      return 'closed';
    case 'cancelled':
    case 'adjourned':
    case 'movedOffline':
      return state.name;
    default:
      return null;
  }
}

function placeOfState(state: ParticipantState): Place {
  switch (state.name) {
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
    case 'inCourt':
    case 'isolated':
      return { name: 'court' };
    // One's own line is back as soon as this can be read; until the event arrives, stay where one returns to.
    case 'disconnected':
      return placeOfState(state.resume);
    case 'left':
      return { name: 'over', why: 'left' };
    case 'removed':
      return { name: 'over', why: 'removed' };
    default:
      return state satisfies never;
  }
}

/** Where the viewer of a snapshot stands; `null` when the snapshot lacks the viewer, which no server sends. */
export function placeOf(snapshot: Pick<Snapshot, 'you' | 'participants' | 'state'>): Place | null {
  const me = snapshot.participants.find((one) => one.seat.id === snapshot.you);
  if (me === undefined) return null;
  const place = placeOfState(me.state);
  if (place.name === 'over') return place;
  const end = endOf(snapshot.state);
  // Who was in court sees the end there, with the court's words; who was still on the way is told here.
  return end !== null && place.name !== 'court' ? { name: 'over', why: end } : place;
}
