import { describe, expect, it } from 'vitest';
import type { ParticipantState, Snapshot } from '../../wire/generated';
import { placeOf, stepMark, stepsOf, type Place } from './steps';

const at = (state: ParticipantState): Place | null =>
  placeOf({ you: 'me', participants: [{ seat: { id: 'me' }, state }] } as unknown as Snapshot);
const step = (name: string) => ({ name: 'step', step: name });
const dropped = (resume: ParticipantState): ParticipantState => ({ name: 'disconnected', since: 0, cause: 'silence', told: null, resume });

describe('the screen follows from what the server says', () => {
  it.each<[string, ParticipantState, object]>([
    ['code accepted', { name: 'coded' }, step('case')],
    ['testing', { name: 'testing' }, step('test')],
    ['identifying', { name: 'identifying' }, step('identity')],
    ['acknowledging', { name: 'acknowledging' }, step('discipline')],
    ['waiting', { name: 'waiting' }, step('waiting')],
    ['a witness', { name: 'witnessRoom' }, { name: 'witnessRoom' }],
    ['a drop while testing', dropped({ name: 'testing' }), step('test')],
    ['a drop upon a drop', dropped(dropped({ name: 'waiting' })), step('waiting')],
  ])('%s', (_, state, place) => expect(at(state)).toEqual(place));

  it('who is in court or gone is not on the way in', () => {
    for (const state of [{ name: 'inCourt' }, { name: 'left' }, { name: 'isolated', reason: '', since: 0 }] as const) expect(at(state)).toBeNull();
  });
});

it('the identity step is there only if the hearing has it', () => {
  expect(stepsOf(true)).toContain('identity');
  expect(stepsOf(false)).not.toContain('identity');
  expect(stepsOf(false).map((one) => stepMark(stepsOf(false), one, 'discipline'))).toEqual(['done', 'done', 'now', 'todo']);
});
