// Who is there already, by the place they will have in court. Pure. Witnesses never appear.

import type { Envelope, Participant, ParticipantState, Role, SeatId, Side } from '../../../wire/generated';

/** A part of the courtroom in the waiting room's plan. */
export type Zone = 'bench' | 'plaintiff' | 'thirdParty' | 'defendant';
/** How ready somebody is. */
export type Readiness = 'absent' | 'checking' | 'ready' | 'dropped' | 'gone';

const ZONES: Record<Side, Zone | null> = {
  bench: 'bench',
  clerk: 'bench',
  plaintiff: 'plaintiff',
  defendant: 'defendant',
  thirdParty: 'thirdParty',
  witness: null,
  gallery: null,
};

/** How ready a person in a state is. */
export function readinessOf(state: ParticipantState): Readiness {
  switch (state.name) {
    case 'invited':
      return 'absent';
    case 'coded':
    case 'testing':
    case 'identifying':
    case 'acknowledging':
      return 'checking';
    case 'waiting':
    case 'witnessRoom':
    case 'inCourt':
    case 'isolated':
      return 'ready';
    case 'disconnected':
      return 'dropped';
    case 'left':
    case 'removed':
      return 'gone';
    default:
      return state satisfies never;
  }
}

/** On the bench the court sits by rank; everybody else as the court listed them. */
const RANK: readonly Role[] = ['presidingJudge', 'panelMember', 'assistant', 'clerk', 'technician'];

/** An interpreter of nobody's side is the court's own, and sits below the bench as in court. */
const zoneOf = ({ seat }: Participant) => (seat.role === 'interpreter' && seat.side === 'gallery' ? 'bench' : ZONES[seat.side]);

/** The people of a zone, in the order in which they are shown. */
export function zone(people: readonly Participant[], which: Zone): Participant[] {
  const rank = (one: Participant) => (RANK.includes(one.seat.role) ? RANK.indexOf(one.seat.role) : RANK.length);
  return people.filter((one) => zoneOf(one) === which).sort((a, b) => rank(a) - rank(b));
}

/** One line of the talk with the clerk. */
export interface Line {
  seq: number;
  mine: boolean;
  from: { title: string; name: string } | null;
  text: string;
  at: number;
}

/** The talk between one seat and the court, oldest first. Empty words are a plain call for help. */
export function talk(log: readonly Envelope[], you: SeatId): Line[] {
  return log.flatMap((entry) => {
    if (entry.type !== 'help' || entry.payload.seat !== you) return [];
    const from = entry.actor === null ? null : { title: entry.actor.title, name: entry.actor.name };
    return [{ seq: entry.seq, mine: entry.actor?.seat === you, from, text: entry.payload.text, at: entry.serverTime }];
  });
}
