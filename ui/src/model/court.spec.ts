/** What the court may do, when: strip, menu, rights, phases, and what a person is told about devices and turns. */
import { describe, expect, it } from 'vitest';
import { away, event, hearing, inSession, person, T0 } from '../testing/build';
import type { HearingState, Participant, Role } from '../wire/generated';
import { actsOf } from './acts';
import { readingOf } from './device';
import { apply } from './hearing';
import { menuOf } from './menu';
import { nextOf, stepsOf } from './phases';
import { granted } from './requests';
import { leavingOf, rightsOf } from './rights';
import { turnOf } from './turn';

const { settings } = hearing();
const judge = rightsOf('presidingJudge', settings);
const clerk = rightsOf('clerk', settings);

describe('actsOf', () => {
  const possible = (state: HearingState, rights = judge) =>
    Object.entries(actsOf(hearing({ state }), rights))
      .filter(([, v]) => v === true)
      .map(([k]) => k)
      .join(' ');
  it('offers what the state allows', () => {
    expect(possible({ name: 'scheduled' })).toBe('open');
    expect(possible({ name: 'open' })).toBe('start order');
    expect(possible(inSession)).toBe('recess close phase order');
    expect(possible({ name: 'recess', phase: 'evidence', reason: '', until: null })).toBe('resume close order');
    expect(possible({ name: 'suspended', phase: 'evidence', cause: { name: 'judgeLost' } })).toBe('resume order');
    expect(possible({ name: 'closed' })).toBe('');
  });
  it('leaves presiding to the judge', () => {
    expect(possible({ name: 'open' }, clerk)).toBe('order');
    expect(possible(inSession, clerk)).toBe('recess phase order');
    expect(possible(inSession, rightsOf('clerk', { ...settings, clerkAssists: false }))).toBe('');
  });
  it('calls a witness only when one waits and is connected', () => {
    const w = (state: Participant['state']) => actsOf(hearing({ participants: [person('w', 'witness', { state })] }), judge).witness;
    expect(w({ name: 'witnessRoom' })).toBe(true);
    expect(w(away({ name: 'witnessRoom' }))).toBe(false);
    expect(w({ name: 'inCourt' })).toBe(false);
  });
  it('unlocks everybody once everybody is locked', () => {
    const locked = person('p', 'plaintiff', { media: { ...person('p', 'plaintiff').media, micLocked: true } });
    expect(actsOf(hearing({ participants: [locked] }), judge).muteAll).toBe('unlock');
    expect(actsOf(hearing({ participants: [locked, person('d', 'defendant')] }), judge).muteAll).toBe('lock');
  });
});

describe('menuOf', () => {
  const menu = (p: Participant, state: HearingState = inSession, rights = judge) => menuOf(p, state, null, rights).map((i) => i.name).join(' ');
  it('has for a party in court', () => {
    expect(menu(person('p', 'plaintiff'))).toBe('floorGive askUnmute micLock cameraLock audioBlock videoBlock isolate check answer remove');
  });
  it('never offers to open a microphone, only to ask', () => {
    const locked = person('p', 'plaintiff', { media: { ...person('p', 'plaintiff').media, micLocked: true } });
    expect(menu(locked)).toContain('micUnlock');
    expect(menu(locked)).not.toContain('askUnmute');
  });
  it('has for a witness who waits, and one who is heard', () => {
    expect(menu(person('w', 'witness', { state: { name: 'witnessRoom' }, identity: 'waived' }))).toBe('callWitness check answer finding.absent remove');
    expect(menu(person('w', 'witness'))).toContain('dismiss');
  });
  it('leaves findings and removal to the judge', () => {
    const dropped = person('d', 'defendant', { state: away() });
    expect(menu(dropped)).toContain('finding.withdrewWithoutLeave finding.excusedDrop');
    expect(menu(dropped, inSession, clerk)).not.toMatch(/finding|remove/);
  });
  it('does not isolate the court', () => {
    expect(menu(person('x', 'panelMember'))).not.toMatch(/isolate|remove|identity/);
  });
});

describe('rights', () => {
  it.each<[Role, string]>([
    ['presidingJudge', 'free'],
    ['clerk', 'free'],
    ['panelMember', 'no'],
    ['plaintiff', 'ask'],
    ['witness', 'ask'],
    ['observer', 'no'],
  ])('%s may share: %s', (role, share) => expect(rightsOf(role, settings).share).toBe(share));

  it.each<[Role, HearingState['name'], string]>([
    ['plaintiff', 'inSession', 'askFirst'],
    ['plaintiff', 'open', 'free'],
    ['presidingJudge', 'inSession', 'handOver'],
    ['panelMember', 'inSession', 'free'],
    ['observer', 'inSession', 'free'],
    ['witness', 'recess', 'askFirst'],
  ])('%s leaves a hearing %s: %s', (role, name, way) => {
    const state = { name, phase: 'evidence', reason: '', until: null } as HearingState;
    expect(leavingOf(role, state)).toBe(way);
  });
});

describe('phases', () => {
  const steps = (state: HearingState) => stepsOf(state).map((s) => ({ done: '+', now: '*', ahead: '-' })[s.is] + s.phase);
  it('marks what is done and where it is', () => {
    expect(steps(inSession)).toEqual(['+opening', '+investigation', '*evidence', '-debate', '-finalStatement']);
    expect(steps({ name: 'scheduled' })[0]).toBe('-opening');
  });
  it('adds the phase outside the usual ones while it lasts', () => {
    expect(steps({ name: 'inSession', phase: 'mediation' }).at(-1)).toBe('*mediation');
  });
  it('knows what comes next', () => {
    expect(nextOf('evidence')).toBe('debate');
    expect(nextOf('finalStatement')).toBe('pronouncement');
    expect(nextOf('mediation')).toBeNull();
  });
});

describe('readingOf', () => {
  const { media } = person('p', 'plaintiff');
  const on = { name: 'on', device: 'm', width: 0, height: 0, fps: 0 } as const;
  it('shows the court’s lock before everything but a lost way', () => {
    expect(readingOf('audio', { ...media, micLocked: true }, on, false, false).name).toBe('locked');
    expect(readingOf('audio', { ...media, micLocked: true }, on, true, false).name).toBe('resumes');
    expect(readingOf('video', { ...media, cameraLocked: true }, on, false, true).name).toBe('isolated');
  });
  it('is on only when the device runs and the court knows it', () => {
    expect(readingOf('audio', { ...media, mic: true }, on, false, false).name).toBe('on');
    expect(readingOf('audio', { ...media, mic: false }, on, false, false).name).toBe('off');
    expect(readingOf('audio', { ...media, mic: true }, { name: 'off' }, false, false).name).toBe('off');
    expect(readingOf('audio', media, { name: 'failed', fault: 'busy' }, false, false)).toEqual({ name: 'failed', fault: 'busy' });
  });
});

describe('turnOf', () => {
  const you = (set: Partial<Participant['media']>) => person('p', 'plaintiff', { media: { ...person('p', 'plaintiff').media, ...set } });
  const mine = hearing({ floor: { seat: 'p', since: T0 } });
  it('asks the person to open the microphone, and only the person opens it', () => {
    expect(turnOf(mine, you({}), false)).toBe('floor');
    expect(turnOf(hearing(), you({ askedToUnmute: true }), false)).toBe('asked');
    expect(turnOf(hearing(), you({}), true)).toBe('muted');
    expect(turnOf(hearing(), you({}), false)).toBeNull();
  });
  it('is quiet when open, locked, or not in session', () => {
    expect(turnOf(mine, you({ mic: true }), true)).toBeNull();
    expect(turnOf(mine, you({ micLocked: true }), true)).toBeNull();
    expect(turnOf(hearing({ state: { name: 'recess', phase: 'evidence', reason: '', until: null } }), you({}), true)).toBeNull();
  });
});

describe('granted', () => {
  it('reads the court’s last word on one’s own request', () => {
    let h = hearing();
    const ask = (id: string) => event(h, 'p', { type: 'request.made', payload: { request: { id, seat: 'p', request: { name: 'share' }, at: T0 } } });
    expect(granted(h, 'share')).toBe(false);
    h = apply(h, ask('r1'));
    expect(granted(h, 'share')).toBe(false);
    h = apply(h, event(h, 'j', { type: 'request.ended', payload: { id: 'r1', seat: 'p', outcome: 'granted' } }));
    expect([granted(h, 'share'), granted(h, 'leave')]).toEqual([true, false]);
    h = apply(h, ask('r2'));
    expect(granted(h, 'share')).toBe(false);
  });
});
