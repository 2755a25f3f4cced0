// The way to a seat as timelines: what happened, and where one stands after each.
import { describe, expect, it } from 'vitest';
import type { Entered, StaffSignedIn } from '../../wire/generated';
import { SIGN_IN, step, type Flow, type FlowEvent } from './flow';
import { holdMs, problemOf, type Problem } from './problem';

const entered = { ticket: 't' } as Entered;
const signedIn = { token: 'b', hearings: [] } as unknown as StaffSignedIn;
const failed = (name: string): FlowEvent => ({ name: 'failed', problem: { name } as Problem });
const asked: FlowEvent = { name: 'asked' };

/** Screen, whether it is busy, what it tells, and whether it asks about taking over. */
function shown(flow: Flow): string {
  if (flow.name === 'check') return 'check';
  const parts = [flow.name, flow.busy ? 'busy' : '', flow.problem?.name ?? '', 'askTakeOver' in flow && flow.askTakeOver ? 'ask' : ''];
  return parts.filter(Boolean).join(' ');
}
function timeline(...line: [FlowEvent, string][]) {
  let flow: Flow = SIGN_IN;
  for (const [event, expected] of line) {
    flow = step(flow, event);
    expect(shown(flow), event.name).toBe(expected);
  }
}

describe('the way to a seat', () => {
  it('a wrong code, then the right one', () =>
    timeline(
      [asked, 'signIn busy'],
      [failed('codeNotAccepted'), 'signIn codeNotAccepted'],
      [{ name: 'edited' }, 'signIn'],
      [asked, 'signIn busy'],
      [{ name: 'entered', entered }, 'case'],
    ));
  it('too many tries stays told while the person types', () =>
    timeline([asked, 'signIn busy'], [failed('tooManyTries'), 'signIn tooManyTries'], [{ name: 'edited' }, 'signIn tooManyTries']));
  it('a seat that is in use is asked about and then taken', () =>
    timeline(
      [{ name: 'entered', entered }, 'case'],
      [asked, 'case busy'],
      [failed('seatInUse'), 'case ask'],
      [{ name: 'takeOverDeclined' }, 'case'],
      [asked, 'case busy'],
      [failed('seatInUse'), 'case ask'],
      [asked, 'case busy'],
    ));
  it('a ticket that ran out leads back to the code and says why', () =>
    timeline([{ name: 'entered', entered }, 'case'], [asked, 'case busy'], [failed('ticketExpired'), 'signIn ticketExpired']));
  it('a wrong name stays in the form', () =>
    timeline([{ name: 'entered', entered }, 'case'], [asked, 'case busy'], [failed('nameMismatch'), 'case nameMismatch'], [{ name: 'edited' }, 'case']));
  it('staff choose a hearing', () =>
    timeline(
      [asked, 'signIn busy'],
      [{ name: 'signedIn', signedIn }, 'staff'],
      [{ name: 'asked', hearing: 'h' }, 'staff busy'],
      [failed('seatInUse'), 'staff ask'],
      [{ name: 'asked', hearing: 'h' }, 'staff busy'],
      [failed('notSignedIn'), 'signIn notSignedIn'],
    ));
  it('the self-check is left as it was entered', () => timeline([{ name: 'selfCheck' }, 'check'], [failed('internal'), 'check'], [{ name: 'back' }, 'signIn']));
});

describe('what is told about a failure', () => {
  it('holds back for as long as the server says', () => {
    const problem = problemOf({ name: 'api', error: { code: 'tooManyTries', retryAfterMs: 30_000, validFrom: null } }, 1_000);
    expect([holdMs(problem, 1_000), holdMs(problem, 30_500), holdMs(problem, 40_000)]).toEqual([30_000, 500, 0]);
  });
  it('names the day from which a code is valid', () => {
    expect(problemOf({ name: 'api', error: { code: 'codeNotYetValid', retryAfterMs: null, validFrom: 7 } }, 0)).toEqual({ name: 'codeNotYetValid', from: 7 });
  });
  it('tells an unreachable server from a wrong code', () => {
    expect(problemOf({ name: 'unreachable' }, 0)).toEqual({ name: 'unreachable' });
    expect(problemOf({ name: 'internal' }, 0)).toEqual({ name: 'internal' });
  });
});
