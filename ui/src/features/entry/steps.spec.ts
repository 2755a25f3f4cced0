import { describe, expect, it } from 'vitest';
import type { HearingState, ParticipantState, Snapshot } from '../../wire/generated';
import { placeOf, stepMark, stepsOf, type Place } from './steps';

const at = (state: ParticipantState, hearing: HearingState = { name: 'open' }): Place | null =>
  placeOf({ you: 'me', state: hearing, participants: [{ seat: { id: 'me' }, state }] } as unknown as Snapshot);
const step = (name: string) => ({ name: 'step', step: name });
const dropped = (resume: ParticipantState): ParticipantState => ({ name: 'disconnected', since: 0, cause: 'silence', resume });

describe('the screen follows from what the server says', () => {
  it.each<[string, ParticipantState, object]>([
    ['code accepted', { name: 'coded' }, step('case')],
    ['testing', { name: 'testing' }, step('test')],
    ['identifying', { name: 'identifying' }, step('identity')],
    ['acknowledging', { name: 'acknowledging' }, step('discipline')],
    ['waiting', { name: 'waiting' }, step('waiting')],
    ['a witness', { name: 'witnessRoom' }, { name: 'witnessRoom' }],
    ['in court', { name: 'inCourt' }, { name: 'court' }],
    ['isolated', { name: 'isolated', reason: '', since: 0 }, { name: 'court' }],
    ['a drop while testing', dropped({ name: 'testing' }), step('test')],
    ['a drop upon a drop', dropped(dropped({ name: 'waiting' })), step('waiting')],
    ['removed', { name: 'removed', reason: '扰乱秩序' }, { name: 'over', why: 'removed' }],
    ['left', { name: 'left' }, { name: 'over', why: 'left' }],
  ])('%s', (_, state, place) => expect(at(state)).toEqual(place));

  it('a hearing that ended meets the one who waits, not the one in court', () => {
    expect(at({ name: 'waiting' }, { name: 'closed' })).toEqual({ name: 'over', why: 'closed' });
    expect(at({ name: 'testing' }, { name: 'adjourned', reason: '' })).toEqual({ name: 'over', why: 'adjourned' });
    expect(at({ name: 'inCourt' }, { name: 'closed' })).toEqual({ name: 'court' });
  });
});

it('the identity step is there only if the hearing has it', () => {
  expect(stepsOf(true)).toContain('identity');
  expect(stepsOf(false)).not.toContain('identity');
  expect(stepsOf(false).map((one) => stepMark(stepsOf(false), one, 'discipline'))).toEqual(['done', 'done', 'now', 'todo']);
});
