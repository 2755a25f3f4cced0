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

test('what is off, or locked by the court, is not restarted, and that is no success', async () => {
  const own = capture();
  expect(await own.restart('camera')).toBe('denied');
  await own.turn('video', true);
  expect(await own.restart('camera')).toBeNull();
  own.obey({ media: { mic: false, camera: false, micLocked: false, cameraLocked: true } } as Parameters<typeof own.obey>[0]);
  expect(await own.restart('camera')).toBe('denied');
  expect(live.size).toBe(0);
});

test('a camera that did not open, and was then locked by the court, stays closed', async () => {
  const own = capture();
  const { getUserMedia } = navigator.mediaDevices;
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'));
  expect(await own.turn('video', true)).toBe('busy');
  navigator.mediaDevices.getUserMedia = getUserMedia;
  own.obey({ media: { mic: false, camera: false, micLocked: false, cameraLocked: true } } as Parameters<typeof own.obey>[0]);
  expect(await own.restart('camera')).toBe('denied');
  expect(own.wants.camera).toBe(false);
});

test('a restart that was overtaken did not happen, and leaves what came later alone', async () => {
  const own = capture();
  await own.turn('video', true);
  const restarted = own.restart('camera');
  await own.turn('video', false);
  expect(await restarted).toBe('busy');
  expect(own.wants.camera).toBe(false);
  expect(live.size).toBe(0);
  // Not refused either: turned off, it is off.
  expect(await own.restart('camera')).toBe('denied');
});
