/** 练习: one sees oneself, and afterwards everything is as it was before. */
import { beforeEach, expect, it, vi } from 'vitest';
import type { Capture } from './capture';
import { PracticeSession } from './practice';

const { rooms, FakeRoom } = vi.hoisted(() => {
  class FakeRoom {
    readonly heard: Record<string, (track: object) => void> = {};
    readonly published: object[] = [];
    /** Whether leaving stops what was sent. */
    stops: boolean | null = null;
    localParticipant = { publishTrack: async (track: object) => (this.published.push(track), {}), getTrackPublication: () => undefined };
    constructor() {
      rooms.push(this);
    }
    connect = async () => undefined;
    once = () => undefined;
    on = (event: string, hear: (track: object) => void) => void (this.heard[event] = hear);
    disconnect = async (stops: boolean) => void (this.stops = stops);
  }
  const rooms: FakeRoom[] = [];
  return { rooms, FakeRoom };
});
vi.mock('livekit-client', async (original) => ({ ...(await original<object>()), Room: FakeRoom }));

const turned: string[] = [];
const wants = { camera: true, mic: false };
const [picture, voice] = [{ id: 'picture' }, { id: 'voice' }];
const capture = {
  get wants() {
    return wants;
  },
  turn: async (kind: string, on: boolean) => (turned.push(`${kind} ${on ? 'on' : 'off'}`), null),
  picture,
  running: { camera: picture, microphone: voice },
} as unknown as Capture;

beforeEach(() => {
  rooms.length = turned.length = 0;
  vi.stubGlobal('AudioContext', class {
    close = async () => undefined;
  });
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ media: { url: '', token: 'me', expiresAt: 0 }, mirror: 'back', serverTime: 0 })));
});

it('sends sound and picture, shows what comes back, and leaves the devices as they were', async () => {
  const changed = vi.fn();
  const practice = new PracticeSession(capture, changed);
  await practice.start();
  const [me, back] = rooms;
  expect(me?.published).toEqual([voice, picture]);
  expect(turned).toEqual(['audio on']);
  expect(practice.pictures()).toEqual([]);
  back?.heard['trackSubscribed']?.({ kind: 'video', mediaStreamTrack: { getSettings: () => ({ width: 640, height: 360 }) } });
  expect(practice.pictures()).toMatchObject([{ own: false, source: 'camera', width: 640, height: 360 }]);
  await practice.end();
  // The camera belongs to the page, which goes on showing it.
  expect(rooms.map(({ stops }) => stops)).toEqual([false, false]);
  expect(turned).toEqual(['audio on', 'audio off']);
  expect(practice.pictures()).toEqual([]);
  expect(changed).toHaveBeenCalledTimes(2);
});
