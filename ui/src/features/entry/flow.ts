// From the first screen to a seat, as a state machine: one screen at a time, each with what it needs. Pure.

import type { Entered, HearingId, StaffSignedIn } from '../../wire/generated';
import type { Problem } from './problem';

/** The screen before a seat is taken. */
export type Flow =
  /** 庭审码 or 账号登录. */
  | { name: 'signIn'; busy: boolean; problem: Problem | null }
  /** 核对案件. */
  | { name: 'case'; entered: Entered; busy: boolean; problem: Problem | null; askTakeOver: boolean }
  /** 我的庭审 of a member of staff. */
  | { name: 'staff'; signedIn: StaffSignedIn; busy: HearingId | null; problem: Problem | null; askTakeOver: HearingId | null }
  /** 设备自检, before any code. */
  | { name: 'check' };

/** What moves it. */
export type FlowEvent =
  | { name: 'asked'; hearing?: HearingId }
  | { name: 'failed'; problem: Problem }
  | { name: 'entered'; entered: Entered }
  | { name: 'signedIn'; signedIn: StaffSignedIn }
  | { name: 'edited' }
  | { name: 'takeOverDeclined' }
  | { name: 'selfCheck' }
  | { name: 'back' };

/** Where it starts, and where `back` leads. */
export const SIGN_IN: Extract<Flow, { name: 'signIn' }> = { name: 'signIn', busy: false, problem: null };

/** The flow after an event; an event that does not belong to the screen changes nothing. */
export function step(flow: Flow, event: FlowEvent): Flow {
  switch (event.name) {
    case 'back':
      return SIGN_IN;
    case 'selfCheck':
      return flow.name === 'signIn' ? { name: 'check' } : flow;
    case 'entered':
      return { name: 'case', entered: event.entered, busy: false, problem: null, askTakeOver: false };
    case 'signedIn':
      return { name: 'staff', signedIn: event.signedIn, busy: null, problem: null, askTakeOver: null };
    case 'asked':
      return asked(flow, event.hearing ?? null);
    case 'failed':
      return failed(flow, event.problem);
    case 'edited':
      return flow.name !== 'check' && flow.problem !== null && flow.problem.name !== 'tooManyTries'
        ? { ...flow, problem: null }
        : flow;
    case 'takeOverDeclined':
      if (flow.name === 'case') return { ...flow, askTakeOver: false };
      return flow.name === 'staff' ? { ...flow, askTakeOver: null } : flow;
    default:
      return event satisfies never;
  }
}

function asked(flow: Flow, hearing: HearingId | null): Flow {
  switch (flow.name) {
    case 'signIn':
      return { ...flow, busy: true, problem: null };
    case 'case':
      return { ...flow, busy: true, problem: null, askTakeOver: false };
    case 'staff':
      return { ...flow, busy: hearing, problem: null, askTakeOver: null };
    case 'check':
      return flow;
    default:
      return flow satisfies never;
  }
}

function failed(flow: Flow, problem: Problem): Flow {
  switch (flow.name) {
    case 'signIn':
      return { ...flow, busy: false, problem };
    case 'case':
      // The half hour of the ticket is over: only the code helps, and the person is told why.
      if (problem.name === 'ticketExpired') return { ...SIGN_IN, problem };
      if (problem.name === 'seatInUse') return { ...flow, busy: false, askTakeOver: true };
      return { ...flow, busy: false, problem };
    case 'staff':
      if (problem.name === 'notSignedIn') return { ...SIGN_IN, problem };
      if (problem.name === 'seatInUse') return { ...flow, busy: null, askTakeOver: flow.busy };
      return { ...flow, busy: null, problem };
    case 'check':
      return flow;
    default:
      return flow satisfies never;
  }
}
