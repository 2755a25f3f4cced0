/** A seat in a browser: what the court is told of its switches, and what not. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hearing, person } from '../../testing/build';
import type { Command, SendCommand, ServerFrame } from '../../wire/generated';
import type { Capture } from './capture';
import { HearingSession, type Around } from './session';
import type { ChannelListener } from './socket';
import type { Surfaces } from './surfaces';

const wire = vi.hoisted(() => ({ told: [] as unknown[], listener: null as unknown, answer: null as unknown }));
vi.mock('./socket', () => ({
  ChannelDriver: class {
    constructor(_channel: unknown, _url: string, listener: unknown) {
      wire.listener = listener;
    }
    start() {}
    end() {}
    /** The answer is still on its way. */
    command({ command }: SendCommand) {
      wire.told.push(command);
      return wire.answer;
    }
  },
}));
vi.mock('./media', () => ({
  MediaRoom: class {
    receive() {}
    send() {}
    close() {}
    connected = null;
    pictures = () => [];
  },
}));

const told = () => wire.told as Command[];
const on = { mic: true, camera: true };

/** In court with both switched on, as the court knows. */
function seated() {
  const switches = { ...on };
  const capture = {
    speaker: null,
    screen: null,
    wants: on,
    keepEar: () => undefined,
    plans: () => ({}),
    obey: () => undefined,
    stateOf: (kind: 'camera' | 'microphone') => ({ name: switches[kind === 'camera' ? 'camera' : 'mic'] ? 'on' : 'off' }),
    takePeak: () => null,
    switchedOn: (kind: 'camera' | 'microphone') => switches[kind === 'camera' ? 'camera' : 'mic'],
  };
  const around: Around = {
    capture: capture as unknown as Capture,
    surfaces: {} as Surfaces,
    client: 'test',
    say: () => undefined,
    show: () => undefined,
    over: () => undefined,
  };
  const session = new HearingSession({ hearing: 'h', seat: 'me', token: 't' }, around);
  const me = person('me', 'plaintiff', { state: { name: 'inCourt' } });
  const snapshot = hearing({ you: 'me', participants: [{ ...me, media: { ...me.media, ...on } }] });
  const welcome: ServerFrame = { type: 'welcome', connection: 'c', snapshot, media: null };
  const hear = () => (wire.listener as ChannelListener).frame(welcome);
  hear();
  return { session, switches, hear };
}

beforeEach(() => {
  wire.told.length = 0;
  wire.answer = new Promise(() => undefined);
});
afterEach(() => void vi.useRealTimers());

test('a microphone that is taken away is reported', () => {
  const { session, switches } = seated();
  switches.mic = false;
  session.apply();
  expect(told()).toEqual([{ type: 'self.mic', on: false }]);
  session.end();
});

test('what the browser takes from a page that goes away is no act of the person', () => {
  const { session, switches } = seated();
  dispatchEvent(new Event('pagehide'));
  Object.assign(switches, { mic: false, camera: false });
  session.apply();
  expect(told()).toEqual([]);
  // Kept and shown again: now it is true, and said.
  dispatchEvent(new Event('pageshow'));
  expect(told()).toEqual([
    { type: 'self.mic', on: false },
    { type: 'self.camera', on: false },
  ]);
  session.end();
});

test('the court is told how the devices are, once for each change, and again after a fresh welcome', async () => {
  vi.useFakeTimers();
  wire.answer = Promise.resolve({ name: 'accepted', seq: 0 });
  const { session, hear } = seated();
  const devices = { camera: { name: 'fine' }, microphone: { name: 'fine' }, speaker: { name: 'unknown' } };
  await vi.advanceTimersByTimeAsync(500);
  expect(told()).toEqual([{ type: 'self.devices', devices }]);
  const envelope = { type: 'participant.devices', payload: { seat: 'me', devices } };
  (wire.listener as ChannelListener).frame({ type: 'event', envelope } as unknown as ServerFrame);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told()).toHaveLength(1);
  hear();
  await vi.advanceTimersByTimeAsync(500);
  expect(told()).toHaveLength(2);
  session.end();
});
