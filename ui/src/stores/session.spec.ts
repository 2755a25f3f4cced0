import { createPinia, setActivePinia } from 'pinia';
import { createApp } from 'vue';
import { describe, expect, it } from 'vitest';
import { hostKey } from '../host/host';
import { fakeHost } from '../testing/fakeHost';
import { event, hearing } from '../testing/build';
import type { HostCommands, Outcome } from '../wire/generated';
import { useSession } from './session';

const TAKEN = { hearing: 'h', seat: 'p', token: 'x' };

function start(answers: Parameters<typeof fakeHost>[0] = {}) {
  const fake = fakeHost({ 'hearing.join': () => null, 'hearing.end': () => null, ...answers });
  const pinia = createPinia();
  createApp({}).provide(hostKey, fake.host).use(pinia);
  setActivePinia(pinia);
  return { ...fake, session: useSession() };
}
const welcome = (snapshot = hearing()) => ({ type: 'channel' as const, frame: { type: 'welcome' as const, connection: 'c', snapshot, media: null } });

describe('the session', () => {
  it('goes straight back to a seat that the program still holds', async () => {
    const { session, asked } = start({
      'app.start': (): HostCommands['app.start']['reply'] => ({ version: '1', server: 's', code: null, frames: { url: '', token: '' }, session: TAKEN }),
    });
    await session.begin();
    expect(asked.map((a) => a.name)).toEqual(['app.start', 'hearing.join']);
    expect(session.screen.name).toBe('joining');
  });

  it('shows what the server says: snapshot, then events, then a newer snapshot', async () => {
    const { session, say } = start();
    await session.join(TAKEN);
    const h = hearing();
    say({ type: 'link', state: { name: 'live' } });
    say(welcome(h));
    expect([session.screen.name, session.you?.hand]).toEqual(['courtroom', false]);
    say({ type: 'channel', frame: { type: 'event', envelope: event(h, 'p', { type: 'participant.hand', payload: { seat: 'p', up: true } }) } });
    expect(session.you?.hand).toBe(true);
    say({ type: 'channel', frame: { type: 'snapshot', snapshot: h } });
    expect(session.you?.hand).toBe(false);
  });

  it('changes nothing by itself when a command is sent', async () => {
    let answer: (o: Outcome) => void = () => undefined;
    const { session, say, asked } = start({ 'hearing.command': () => new Promise<Outcome>((resolve) => (answer = resolve)) });
    await session.join(TAKEN);
    say(welcome());
    const sent = session.command({ type: 'self.hand', up: true });
    expect(session.you?.hand).toBe(false);
    answer({ name: 'accepted', seq: 11 });
    await expect(sent).resolves.toEqual({ name: 'accepted', seq: 11 });
    expect(session.you?.hand).toBe(false);
    expect(asked.at(-1)).toMatchObject({ args: { expectedSeq: null, command: { type: 'self.hand', up: true } } });
  });

  it('rests a decision on what was seen when asked to', async () => {
    const { session, say, asked } = start({ 'hearing.command': () => ({ name: 'rejected', code: 'stale' }) });
    await session.join(TAKEN);
    say(welcome());
    await session.command({ type: 'hearing.close' }, true);
    expect(asked.at(-1)).toMatchObject({ args: { expectedSeq: 10 } });
  });

  it('keeps the server’s clock', async () => {
    const { session, say } = start();
    await session.join(TAKEN);
    say(welcome(hearing({ serverTime: Date.now() + 90_000 })));
    expect(Math.round(session.clockOffsetMs / 1000)).toBe(90);
  });

  it('ends for good when the server says so', async () => {
    const { session, say } = start();
    await session.join(TAKEN);
    say(welcome());
    say({ type: 'link', state: { name: 'ended', reason: 'replaced' } });
    expect(session.screen).toEqual({ name: 'ended', reason: 'replaced' });
    await session.end();
    expect(session.screen).toEqual({ name: 'entry' });
  });
});
