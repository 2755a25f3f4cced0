import { describe, expect, it } from 'vitest';
import { event, hearing, person, T0 } from '../testing/build';
import { apply, LOG_LIMIT } from './hearing';
import { find } from './people';

describe('apply', () => {
  it('puts the new value in its place and keeps the log', () => {
    const before = hearing();
    const after = apply(before, event(before, 'p', { type: 'participant.hand', payload: { seat: 'p', up: true } }));
    expect(find(after, 'p')?.hand).toBe(true);
    expect(find(after, 'd')?.hand).toBe(false);
    expect([after.seq, after.log.length]).toEqual([11, 1]);
    expect(find(before, 'p')?.hand).toBe(false);
  });

  it('changes nothing for what the snapshot contains already', () => {
    const before = hearing();
    expect(apply(before, event(before, 'p', { type: 'participant.hand', payload: { seat: 'p', up: true } }, 0))).toBe(before);
  });

  it('accepts gaps: a viewer does not see everything', () => {
    const before = hearing();
    expect(apply(before, event(before, 'j', { type: 'broadcast.state', payload: { on: true } }, 7)).seq).toBe(17);
  });

  it('remembers when the hearing began, once, and when its state last changed', () => {
    let h = hearing({ state: { name: 'open' }, startedAt: null });
    h = apply(h, event(h, 'j', { type: 'hearing.state', payload: { from: { name: 'open' }, to: { name: 'inSession', phase: 'opening' } } }, 1));
    expect([h.startedAt, h.stateSince]).toEqual([T0 + 1000, T0 + 1000]);
    h = apply(h, event(h, 'j', { type: 'hearing.state', payload: { from: { name: 'inSession', phase: 'opening' }, to: { name: 'inSession', phase: 'evidence' } } }, 5));
    expect([h.startedAt, h.stateSince, h.state]).toEqual([T0 + 1000, T0 + 1000, { name: 'inSession', phase: 'evidence' }]);
    h = apply(h, event(h, 'j', { type: 'hearing.state', payload: { from: h.state, to: { name: 'closed' } } }, 9));
    expect([h.startedAt, h.stateSince]).toEqual([T0 + 1000, T0 + 9000]);
  });

  it('shows a witness who is called and hides one who went back', () => {
    let h = hearing();
    h = apply(h, event(h, 'j', { type: 'participant.shown', payload: { participant: person('w', 'witness') } }));
    expect(find(h, 'w')).toBeDefined();
    h = apply(h, event(h, 'j', { type: 'participant.shown', payload: { participant: person('w', 'witness', { hand: true }) } }));
    expect(h.participants.filter((p) => p.seat.id === 'w')).toMatchObject([{ hand: true }]);
    h = apply(h, event(h, 'j', { type: 'participant.hidden', payload: { seat: 'w' } }));
    expect(find(h, 'w')).toBeUndefined();
  });

  it('keeps open requests and findings', () => {
    let h = hearing();
    const request = { id: 'r1', seat: 'p', request: { name: 'floor' as const }, at: T0 };
    h = apply(h, event(h, 'p', { type: 'request.made', payload: { request } }));
    expect(h.requests).toEqual([request]);
    h = apply(h, event(h, 'j', { type: 'request.ended', payload: { id: 'r1', seat: 'p', outcome: 'granted' } }));
    expect(h.requests).toEqual([]);
    const finding = { kind: 'absent' as const, note: '', at: T0 };
    h = apply(h, event(h, 'j', { type: 'finding', payload: { seat: 'd', finding } }));
    expect(find(h, 'd')?.findings).toEqual([finding]);
  });

  it('keeps no more of the log than a snapshot carries', () => {
    let h = hearing();
    for (let i = 0; i < LOG_LIMIT + 5; i += 1) h = apply(h, event(h, 'c', { type: 'message', payload: { text: String(i) } }));
    expect(h.log).toHaveLength(LOG_LIMIT);
    expect(h.log[0]).toMatchObject({ payload: { text: '5' } });
  });

  it('survives what a newer server may say', () => {
    const h = hearing();
    const strange = { ...event(h, null, { type: 'message', payload: { text: '' } }), type: 'something.new' } as never;
    expect(apply(h, strange).participants).toEqual(h.participants);
  });
});
