/** 练习: one sees oneself, and afterwards everything is as it was before. */
import { beforeEach, expect, it, vi } from 'vitest';
import type { Capture } from './capture';
import { PracticeSession } from './practice';

const { rooms, way, FakeRoom } = vi.hoisted(() => {
  class FakeRoom {
    readonly heard: Record<string, (track: object) => void> = {};
    readonly once = (event: string, hear: (track: object) => void) => void (this.heard[event] = hear);
    readonly published: object[] = [];
    /** Whether leaving stops what was sent. */
    stops: boolean | null = null;
    localParticipant = { publishTrack: async (track: object) => (this.published.push(track), {}), getTrackPublication: () => undefined };
    constructor() {
      rooms.push(this);
    }
    connect = () => way.in();
    on = (event: string, hear: (track: object) => void) => void (this.heard[event] = hear);
    disconnect = async (stops: boolean) => void (this.stops = stops);
  }
  const rooms: FakeRoom[] = [];
  /** How entering goes. */
  const way = { in: async (): Promise<void> => undefined };
  return { rooms, way, FakeRoom };
});
vi.mock('livekit-client', async (original) => ({ ...(await original<object>()), Room: FakeRoom }));

/** How opening a device goes. */
let opening = async (): Promise<void> => undefined;
const contexts = { open: 0 };
const turned: string[] = [];
const wants = { camera: true, mic: false };
const [picture, voice] = [{ id: 'picture' }, { id: 'voice' }];
const capture = {
  get wants() {
    return wants;
  },
  turn: async (kind: string, on: boolean) => {
    turned.push(`${kind} ${on ? 'on' : 'off'}`);
    if (on) await opening();
    return null;
  },
  picture,
  running: { camera: picture, microphone: voice },
} as unknown as Capture;

beforeEach(() => {
  rooms.length = turned.length = contexts.open = 0;
  wants.camera = true;
  way.in = opening = async () => undefined;
  vi.unstubAllGlobals();
  vi.stubGlobal('AudioContext', class {
    constructor() {
      contexts.open += 1;
    }
    close = async () => void (contexts.open -= 1);
  });
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ media: { url: '', token: 'me', expiresAt: 0 }, mirror: 'back', serverTime: 0 })));
});

const ended = vi.fn();
beforeEach(() => void ended.mockClear());

it('sends sound and picture, shows what comes back, and leaves the devices as they were', async () => {
  const changed = vi.fn();
  const practice = new PracticeSession(capture, changed, ended);
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

/** Something that is under way until the test says so. */
function held() {
  let go: () => void = () => undefined;
  const work = new Promise<void>((resolve) => (go = resolve));
  return { work, go };
}
/** Nothing runs that did not run before. */
function nothingOpen() {
  expect(turned.filter((one) => one.endsWith('on')).map((one) => one.replace('on', 'off'))).toEqual(turned.filter((one) => one.endsWith('off')));
  expect(contexts.open).toBe(0);
}

it.each([
  ['the server has no room', () => vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ code: 'busy', retryAfterMs: 1, validFrom: null }), { status: 503 }))],
  ['nobody can be reached', () => vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')))],
  ['the room cannot be entered', () => (way.in = () => Promise.reject(new Error('closed')))],
])('leaves nothing open where %s, nor at another try', async (_, breaks) => {
  breaks();
  wants.camera = false;
  for (const tries of [1, 2]) {
    const practice = new PracticeSession(capture, vi.fn(), ended);
    await expect(practice.start()).rejects.toMatchObject({ name: 'HostFailure' });
    expect(turned).toHaveLength(4 * tries);
    nothingOpen();
  }
  expect(ended).not.toHaveBeenCalled();
});

it('ended while a device is being opened goes no further and leaves nothing open', async () => {
  const device = held();
  opening = () => device.work;
  wants.camera = false;
  const practice = new PracticeSession(capture, vi.fn(), ended);
  const started = practice.start();
  await practice.end();
  device.go();
  await started;
  expect(turned).toEqual(['video on', 'video off']);
  nothingOpen();
});

it('ended while it enters leaves the room it has entered', async () => {
  const room = held();
  way.in = () => room.work;
  const practice = new PracticeSession(capture, vi.fn(), ended);
  const started = practice.start();
  await vi.waitFor(() => expect(rooms[0]?.heard['signalConnected']).toBeDefined());
  await practice.end();
  for (const one of rooms) one.stops = null;
  room.go();
  await started;
  expect(rooms.map(({ stops }) => stops)).toEqual([false, false]);
  expect(rooms[0]?.published).toEqual([]);
  nothingOpen();
});

it('says that it is over when the server ends it, once, and not when its owner does', async () => {
  const practice = new PracticeSession(capture, vi.fn(), ended);
  await practice.start();
  for (const { heard } of rooms) heard['disconnected']?.({});
  await vi.waitFor(() => expect(ended.mock.calls).toEqual([['hearingEnded']]));
  nothingOpen();
  const own = new PracticeSession(capture, vi.fn(), ended);
  await own.start();
  await own.end();
  rooms.at(-1)?.heard['disconnected']?.({});
  await Promise.resolve();
  expect(ended).toHaveBeenCalledTimes(1);
});

it('opens nothing in a browser that cannot send the picture, and says so', async () => {
  vi.stubGlobal('RTCRtpSender', { getCapabilities: () => ({ codecs: [{ mimeType: 'video/VP8' }] }) });
  const practice = new PracticeSession(capture, vi.fn(), ended);
  await practice.start();
  expect(ended.mock.calls).toEqual([['updateNeeded']]);
  expect(turned).toEqual([]);
  nothingOpen();
});
