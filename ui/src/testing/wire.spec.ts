/** The bytes that the Rust side writes (crates/protocol/tests/wire), read by the page's own rules. */
import { createPinia, setActivePinia } from 'pinia';
import { createApp } from 'vue';
import { describe, expect, it } from 'vitest';
import { createWords } from '../i18n';
import { hostKey } from '../host/host';
import { apply } from '../model/hearing';
import { find, standing } from '../model/people';
import { linesOf } from '../model/sentences';
import { sealOf, stageOf } from '../model/stage';
import { useDevices } from '../stores/devices';
import { useMedia } from '../stores/media';
import { useSession } from '../stores/session';
import { hearing, person, T0 } from './build';
import { fakeHost } from './fakeHost';
import type { Envelope, HearingState, HostError, HostEvent, Outcome, ParticipantState, ServerFrame, Snapshot } from '../wire/generated';

const files = import.meta.glob<unknown[]>('../../../crates/protocol/tests/wire/*.json', { eager: true, import: 'default' });
function wire<T>(name: string): T[] {
  const found = files[`../../../crates/protocol/tests/wire/${name}.json`];
  if (!found) throw new Error(`no snapshot of ${name}: run cargo test -p protocol`);
  return found as T[];
}
const { te } = createWords().global;
const envelopes = wire<Envelope>('envelope');

/** A hearing in which the people of the envelopes are. */
const before = (): Snapshot => hearing({ seq: 0, participants: ['s1', 's2', 's3', 's4'].map((id) => person(id, 'plaintiff')) });

type Of<T extends Envelope['type']> = Extract<Envelope, { type: T }>;
/** What has to be true after each event. One entry for every type, or this does not compile. */
const effects: { [T in Envelope['type']]: (s: Snapshot, e: Of<T>) => unknown } = {
  'hearing.state': (s, e) => expect(s.state).toEqual(e.payload.to),
  'participant.state': (s, e) => expect(find(s, e.payload.seat)?.state).toEqual(e.payload.to),
  'participant.shown': (s, e) => expect(s.participants).toContainEqual(e.payload.participant),
  'participant.hidden': (s, e) => expect(find(s, e.payload.seat)).toBeUndefined(),
  'participant.media': (s, e) => expect(find(s, e.payload.seat)?.media).toEqual(e.payload.media),
  'participant.hand': (s, e) => expect(find(s, e.payload.seat)?.hand).toBe(e.payload.up),
  'participant.seat': (s, e) => expect(find(s, e.payload.seat.id)?.seat).toEqual(e.payload.seat),
  'participant.replaced': (s) => expect(s.log).toHaveLength(1),
  'participant.test': (s, e) => expect(find(s, e.payload.seat)?.test).toBe(e.payload.score),
  'participant.devices': (s, e) => expect(find(s, e.payload.seat)?.devices).toEqual(e.payload.devices),
  'participant.fix': (s, e) => expect(find(s, e.payload.seat)?.fix).toEqual(e.payload.fix),
  'identity.state': (s, e) => expect(find(s, e.payload.seat)?.identity).toBe(e.payload.identity),
  floor: (s, e) => expect(s.floor).toEqual(e.payload.floor),
  'share.state': (s, e) => expect(find(s, e.payload.seat)?.sharing).toBe(e.payload.on),
  'request.made': (s, e) => expect(s.requests).toEqual([e.payload.request]),
  'request.ended': (s) => expect(s.requests).toEqual([]),
  message: (s) => expect(s.log).toHaveLength(1),
  help: (s) => expect(s.log).toHaveLength(1),
  'recording.state': (s, e) => expect(s.recording).toEqual(e.payload.state),
  'broadcast.state': (s, e) => expect(s.broadcasting).toBe(e.payload.on),
  'net.health': (s, e) => expect(find(s, e.payload.seat)?.net).toBe(e.payload.net),
  finding: (s, e) => expect(find(s, e.payload.seat)?.findings).toEqual([e.payload.finding]),
};

describe('envelopes', () => {
  it('are there for every event the page knows', () => {
    expect([...new Set(envelopes.map((e) => e.type))].sort()).toEqual(Object.keys(effects).sort());
  });
  it.each(envelopes.map((e) => [e.type, e] as const))('%s puts the new value in its place', (type, e) => {
    const check = effects[type] as (s: Snapshot, e: Envelope) => unknown;
    check(apply(before(), e), e);
  });
  it('become sentences that exist', () => {
    for (const e of envelopes) {
      const s = apply(before(), e);
      for (const line of linesOf(s.log, s.participants, s.you)) {
        if (line.kind === 'event') expect(te(`courtroom.log.${line.key}`), line.key).toBe(true);
      }
    }
  });
});

describe('states', () => {
  it.each(wire<HearingState>('hearing_state').map((s) => [s.name, s] as const))('hearing %s has a seal, a stage and a name', (name, state) => {
    expect(sealOf(state)).toBeTruthy();
    expect(stageOf(hearing({ state }), null, T0)).toBeTruthy();
    expect(te(`courtroom.state.${name}`)).toBe(true);
  });
  it.each(wire<ParticipantState>('participant_state').map((s) => [s.name, s] as const))('person %s has a place with a name', (_, state) => {
    expect(te(`courtroom.place.${standing(state).name}`)).toBe(true);
  });
});

describe('words for what fails', () => {
  it.each(wire<Outcome>('outcome').flatMap((o) => (o.name === 'rejected' ? [o.code] : [])))('refusal %s', (code) => {
    expect(te(`courtroom.refusal.${code}`)).toBe(true);
  });
  it.each(wire<HostError>('host_error').map((e) => [e.name, e] as const))('failure %s', (name, e) => {
    expect(te(e.name === 'device' ? `courtroom.fault.${e.fault}` : `courtroom.failure.${name}`)).toBe(true);
  });
  it.each(wire<ServerFrame>('server_frame').flatMap((f) => (f.type === 'bye' ? [f.reason] : [])))('bye %s', (reason) => {
    expect(te(`courtroom.ended.${reason}.title`)).toBe(true);
  });
});

it('the stores take everything a host says', async () => {
  const fake = fakeHost({ 'hearing.join': () => null });
  const pinia = createPinia();
  createApp({}).provide(hostKey, fake.host).use(pinia);
  setActivePinia(pinia);
  const [session, devices, media] = [useSession(), useDevices(), useMedia()];
  await session.join({ hearing: 'h', seat: 's', token: 't' });
  const said = wire<HostEvent>('host_event');
  for (const frame of wire<ServerFrame>('server_frame')) fake.say({ type: 'channel', frame });
  for (const event of said) fake.say(event);
  const last = <T extends HostEvent['type']>(type: T) => said.findLast((e): e is Extract<HostEvent, { type: T }> => e.type === type);
  expect(session.snapshot).not.toBeNull();
  expect(session.link).toEqual(last('link')?.state);
  expect(media.tracks).toEqual(last('tracks')?.tracks);
  expect(media.speakers).toEqual(last('speakers')?.seats);
  expect(devices.list).toEqual(last('devices')?.list);
  expect(session.offeredCode).toBe(last('openCode')?.code);
});
