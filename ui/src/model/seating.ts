/**
 * Who sits where. The screen is the courtroom: bench above, clerk below it, plaintiff left, defendant right, witness or
 * third party at the bottom. The same plan before and during the hearing.
 */
import type { Participant, Side } from '../wire/generated';
import { inCourt, standing } from './people';

export type Place =
  /** Sits there: show the tile. */
  | { name: 'seated'; who: Participant }
  /** Belongs there and is not: show an empty chair that says why. */
  | { name: 'vacant'; who: Participant; why: 'absent' | 'coming' | 'waiting' | 'isolated' | 'witnessRoom' | 'left' | 'removed' };

export interface Seating {
  /** Left to right, the presiding judge in the middle. */
  bench: Place[];
  /** With an interpreter whom the court itself brought: one of a party sits with the party. */
  clerk: Place[];
  plaintiff: Place[];
  defendant: Place[];
  /** The seat below: witnesses while one is to be heard, else third parties. */
  below: { name: 'witness' | 'thirdParty'; places: Place[] };
}

export function placeOf(who: Participant): Place {
  if (inCourt(who)) return { name: 'seated', who };
  const state = standing(who.state).name;
  switch (state) {
    case 'waiting':
    case 'isolated':
    case 'witnessRoom':
    case 'left':
    case 'removed':
      return { name: 'vacant', who, why: state };
    case 'invited':
    case 'coded':
      return { name: 'vacant', who, why: 'absent' };
    default:
      return { name: 'vacant', who, why: 'coming' };
  }
}

/** 翻译人员 of nobody's side. The server seats them in the gallery, which is not drawn: observers only watch. */
const isCourtInterpreter = ({ seat }: Participant): boolean => seat.role === 'interpreter' && seat.side === 'gallery';

/** The judge in the middle, the others beside: first left, then right. */
function benchOrder(places: Place[]): Place[] {
  const middle = places.filter((p) => p.who.seat.role === 'presidingJudge');
  const others = places.filter((p) => p.who.seat.role !== 'presidingJudge');
  const left = others.filter((_, i) => i % 2 === 0).reverse();
  const right = others.filter((_, i) => i % 2 === 1);
  return [...left, ...middle, ...right];
}

export function seatingOf(participants: Participant[]): Seating {
  const on = (side: Side) => participants.filter((p) => p.seat.side === side).map(placeOf);
  const witnesses = on('witness');
  const thirdParties = on('thirdParty');
  const heard = witnesses.filter((p) => p.name === 'seated');
  const withThirdParty = heard.length === 0 && thirdParties.length > 0;
  return {
    bench: benchOrder(on('bench')),
    clerk: [...on('clerk'), ...participants.filter(isCourtInterpreter).map(placeOf)],
    plaintiff: on('plaintiff'),
    defendant: on('defendant'),
    below: withThirdParty
      ? { name: 'thirdParty', places: thirdParties }
      : // Somebody who is heard takes the seat; third parties stay in the picture beside.
        { name: 'witness', places: [...(heard.length > 0 ? [...heard, ...thirdParties] : witnesses)] },
  };
}

/** Who is large on a narrow screen: who speaks, else who holds the floor, else the judge, never oneself if others can be. */
export function foremost(participants: Participant[], speakers: string[], floor: string | null, you: string): Participant | undefined {
  const here = participants.filter((p) => inCourt(p));
  const others = here.filter((p) => p.seat.id !== you);
  return (
    others.find((p) => speakers.includes(p.seat.id)) ??
    others.find((p) => p.seat.id === floor) ??
    others.find((p) => p.seat.role === 'presidingJudge') ??
    others[0] ??
    here[0]
  );
}
