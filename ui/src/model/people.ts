/** Small questions about people in the hearing. */
import { troublesOf } from './fixes';
import type { Participant, ParticipantState, Role, SeatId, Snapshot } from '../wire/generated';

/** Where the person stands, connected or not: a drop does not change anybody's place. */
export function standing(state: ParticipantState): Exclude<ParticipantState, { name: 'disconnected' }> {
  return state.name === 'disconnected' ? standing(state.resume) : state;
}

export const isAway = (p: Participant): boolean => p.state.name === 'disconnected';

export const inCourt = (p: Participant): boolean => standing(p.state).name === 'inCourt';

const COURT: readonly Role[] = ['presidingJudge', 'panelMember', 'assistant', 'clerk', 'technician'];
/** 法庭工作人员. */
export const isCourt = (role: Role): boolean => COURT.includes(role);

export const find = (s: Snapshot, seat: SeatId): Participant | undefined => s.participants.find((p) => p.seat.id === seat);

/** 原告 张示例. */
export const called = (p: { title: string; name: string }): string => `${p.title} ${p.name}`;

/** The person's connection needs looking after. */
export const isWeak = (p: Participant): boolean => p.net === 'poor' || p.net === 'bad';

/** There, through with the steps of joining, seen and heard, and with a device check that does not speak against it. */
export const isReady = (p: Participant): boolean =>
  !isAway(p) && ['waiting', 'witnessRoom', 'inCourt'].includes(p.state.name) && p.test !== 'bad' && p.net !== 'bad' && troublesOf(p).every(({ device }) => device === 'speaker');

/** Bars of the network sign, 0 to 4. */
export function bars(p: Participant): 0 | 1 | 2 | 3 | 4 {
  if (isAway(p)) return 0;
  return ({ unknown: 3, good: 4, poor: 2, bad: 1 } as const)[p.net];
}
