import { beforeEach, expect, test, vi } from 'vitest';
import type { HostEvent } from '../../wire/generated';
import { Capture } from './capture';

vi.mock('./level', () => ({
  SILENCE_DB: -90,
  LevelWatch: class {
    stop() {}
  },
  SpeechFinder: class {
    hears = () => false;
  },
}));

/** Tracks that were made and not stopped: what lights the browser's red dot. */
const live = new Set<object>();
function track(): MediaStreamTrack {
  const one = {
    getSettings: () => ({ deviceId: 'm' }),
    addEventListener: () => undefined,
    stop: () => void live.delete(one),
    clone: () => track(),
  };
  live.add(one);
  return one as unknown as MediaStreamTrack;
}

const said: HostEvent[] = [];
function capture() {
  return new Capture(
    (event) => void said.push(event),
    () => undefined,
  );
}
const lastState = () => said.findLast((event) => event.type === 'device');

beforeEach(() => {
  live.clear();
  said.length = 0;
  vi.stubGlobal('navigator', {
    mediaDevices: {
      addEventListener: () => undefined,
      enumerateDevices: async () => [],
      getUserMedia: async () => {
        const one = track();
        return { getTracks: () => [one] };
      },
    },
  });
});

test('choosing another microphone while muted does not open it to the court', async () => {
  const own = capture();
  await own.turn('audio', true);
  own.keepEar(true);
  await own.turn('audio', false);
  await own.choose('microphone', 'other');
  expect(own.wants.mic).toBe(false);
  expect(own.switchedOn('microphone')).toBe(false);
  expect(lastState()).toMatchObject({ state: { name: 'off' } });
});

test('choosing another microphone while it is on keeps it on', async () => {
  const own = capture();
  await own.turn('audio', true);
  await own.choose('microphone', 'other');
  expect(own.switchedOn('microphone')).toBe(true);
});

test('nothing records after everything was closed', async () => {
  const own = capture();
  await own.turn('audio', true);
  own.plans(null);
  expect(live.size).toBe(2);
  own.close();
  expect(live.size).toBe(0);
});

test('what cannot be sent is off for the court, and its owner is told why', async () => {
  const own = capture();
  await own.turn('video', true);
  own.cannotSend('camera');
  expect(own.switchedOn('camera')).toBe(false);
  expect(live.size).toBe(0);
  expect(lastState()).toEqual({ type: 'device', kind: 'camera', state: { name: 'failed', fault: 'notSent' } });
});
