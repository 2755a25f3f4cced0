import { describe, expect, it } from 'vitest';
import { hearing, inSession, person, T0 } from '../testing/build';
import type { HearingState, LinkState } from '../wire/generated';
import { screenOf } from './screen';
import { dropAfter, stageOf, type Drop, type Stage } from './stage';

/** Plays what the link says at given seconds and reads the stage at given seconds. */
function play(links: Record<number, LinkState>, until: number): string {
  let drop: Drop | null = null;
  const seen: string[] = [];
  for (let s = 0; s <= until; s += 1) {
    const now = T0 + s * 1000;
    const link = links[s];
    if (link) drop = dropAfter(drop, link, true, now);
    seen.push({ court: 'c', isolated: 'i', reconnecting: 'r', over: 'o' }[stageOf(hearing(), drop, now).name]);
  }
  return seen.join('');
}
const retrying = (attempt: number, lostForMs: number): LinkState => ({ name: 'retrying', attempt, retryInMs: 1000, lostForMs });

describe('a lost way, over time', () => {
  it.each<[string, Record<number, LinkState>, string]>([
    ['a short drop does not take the court away', { 1: retrying(1, 0), 2: { name: 'live' } }, 'ccccc'],
    ['a longer one shows itself after two seconds and goes at once', { 1: retrying(1, 0), 3: retrying(2, 2000), 5: { name: 'live' } }, 'cccrrcc'],
    ['tries do not start the time anew', { 0: retrying(1, 0), 1: retrying(2, 1000), 2: retrying(3, 2000) }, 'ccrrr'],
    ['what was lost before the page knew counts', { 1: retrying(4, 9000) }, 'crrr'],
    ['connecting again after being live is a drop too', { 1: { name: 'connecting' } }, 'cccrr'],
  ])('%s', (_, links, expected) => {
    expect(play(links, expected.length - 1)).toBe(expected);
  });

  it('keeps the moment of the loss and the coming try', () => {
    const first = dropAfter(null, retrying(1, 500), true, T0);
    expect(first).toEqual({ lostAt: T0 - 500, attempt: 1, nextTryAt: T0 + 1000 });
    expect(dropAfter(first, retrying(2, 3500), true, T0 + 3000)).toMatchObject({ lostAt: T0 - 500, attempt: 2 });
  });

  it('does not call the first connection a drop', () => {
    expect(dropAfter(null, { name: 'connecting' }, false, T0)).toBeNull();
  });
});

describe('stageOf', () => {
  const pause = (state: HearingState, you = 'p') => {
    const stage: Stage = stageOf(hearing({ state, you }), null, T0);
    return stage.name === 'court' ? (stage.pause?.name ?? null) : stage.name;
  };
  it('lays the right pause over the court', () => {
    expect(pause({ name: 'scheduled' }, 'j')).toBe('notOpened');
    expect(pause({ name: 'open' })).toBe('waiting');
    expect(pause({ name: 'open' }, 'j')).toBeNull();
    expect(pause(inSession)).toBeNull();
    expect(pause({ name: 'recess', phase: 'evidence', reason: '', until: null })).toBe('recess');
    expect(pause({ name: 'suspended', phase: 'evidence', cause: { name: 'judgeLost' } })).toBe('judgeLost');
    expect(pause({ name: 'suspended', phase: 'evidence', cause: { name: 'technical', note: '停电' } })).toBe('technical');
    expect(pause({ name: 'closed' })).toBe('over');
    expect(pause({ name: 'adjourned', reason: '' })).toBe('over');
  });

  it('holds an isolated person, also while disconnected', () => {
    const isolated = { name: 'isolated', reason: '作证', since: T0 } as const;
    for (const state of [isolated, { name: 'disconnected', since: T0, cause: 'silence', told: null, resume: isolated } as const]) {
      const h = hearing({ participants: [person('p', 'plaintiff', { state })] });
      expect(stageOf(h, null, T0)).toEqual({ name: 'isolated', reason: '作证', since: T0 });
    }
  });
});

describe('screenOf', () => {
  const live: LinkState = { name: 'live' };
  const as = (state: Parameters<typeof person>[2]) => hearing({ participants: [person('p', 'plaintiff', state)] });
  it('follows the state', () => {
    expect(screenOf(false, live, null).name).toBe('entry');
    expect(screenOf(true, { name: 'connecting' }, null).name).toBe('joining');
    expect(screenOf(true, live, as({ state: { name: 'testing' } })).name).toBe('steps');
    expect(screenOf(true, live, as({ state: { name: 'waiting' } })).name).toBe('steps');
    expect(screenOf(true, live, as({ state: { name: 'isolated', reason: '', since: T0 } })).name).toBe('courtroom');
    expect(screenOf(true, live, hearing()).name).toBe('courtroom');
    expect(screenOf(true, live, as({ state: { name: 'removed', reason: '' } }))).toEqual({ name: 'ended', reason: 'removed' });
    expect(screenOf(true, { name: 'ended', reason: 'replaced' }, hearing())).toEqual({ name: 'ended', reason: 'replaced' });
  });
  it('tells the end where one stands', () => {
    const ended = (state: Parameters<typeof person>[2]) => screenOf(true, live, { ...as(state), state: { name: 'adjourned', reason: '' } });
    expect(ended({ state: { name: 'waiting' } })).toEqual({ name: 'ended', reason: 'hearingEnded' });
    expect(ended({ state: { name: 'testing' } })).toEqual({ name: 'ended', reason: 'hearingEnded' });
    expect(ended({}).name).toBe('courtroom');
  });
  it('lets the court open the hearing from its own screen', () => {
    const h = hearing({ you: 'j', participants: [person('j', 'presidingJudge', { state: { name: 'waiting' } })] });
    expect(screenOf(true, live, h).name).toBe('courtroom');
  });
});
