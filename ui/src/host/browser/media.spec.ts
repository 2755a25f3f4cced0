/** The media room on a room of the test: what is told when the browser will not play or cannot send. */
import { ConnectionState, DisconnectReason, PublishTrackError, RoomEvent, type Room } from 'livekit-client';
import { beforeEach, expect, test, vi } from 'vitest';
import { MediaRoom, type Plans } from './media';

/** As much of livekit's room as the media room uses. */
class TestRoom {
  state = ConnectionState.Connected;
  canPlaybackAudio = true;
  remoteParticipants = new Map();
  published: string[] = [];
  readonly localParticipant = {
    getTrackPublication: () => undefined,
    publishTrack: async (_: unknown, { name }: { name: string }) => {
      const failure = this.fails[name];
      if (failure) throw failure;
      this.published.push(name);
    },
  };
  private readonly hears = new Map<string, (what?: unknown) => void>();

  constructor(readonly fails: Record<string, Error> = {}) {}
  on(event: string, listener: () => void) {
    this.hears.set(event, listener);
  }
  says(event: RoomEvent, what?: unknown) {
    this.hears.get(event)?.(what);
  }
  connect = async () => undefined;
  disconnect = async () => undefined;
  startAudio = vi.fn(async () => undefined);
}

const track = {} as MediaStreamTrack;
const sending: Plans = { microphone: { name: 'on', track }, camera: { name: 'on', track }, screen: { name: 'none' } };
const nothing: Plans = { microphone: { name: 'none' }, camera: { name: 'none' }, screen: { name: 'none' } };

async function enter(room: TestRoom) {
  const said: string[] = [];
  const media = new MediaRoom(
    {
      link: () => undefined,
      pictures: () => undefined,
      speakers: () => undefined,
      playback: (blocked) => said.push(blocked ? 'blocked' : 'playing'),
      cannotSend: (source) => {
        said.push(`cannot send ${source}`);
        media.send({ ...sending, [source]: { name: 'muted' } });
      },
    },
    () => room as unknown as Room,
  );
  media.enter({ url: 'ws://court', token: 't' } as Parameters<typeof media.enter>[0]);
  await vi.advanceTimersByTimeAsync(0);
  return { media, said };
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

test('says that the browser waits for a touch, and that it plays again', async () => {
  const room = new TestRoom();
  const { media, said } = await enter(room);
  room.canPlaybackAudio = false;
  room.says(RoomEvent.AudioPlaybackStatusChanged);
  room.says(RoomEvent.AudioPlaybackStatusChanged);
  expect(said).toEqual(['blocked']);
  room.canPlaybackAudio = true;
  room.says(RoomEvent.AudioPlaybackStatusChanged);
  expect(said).toEqual(['blocked', 'playing']);
  media.close();
});

test('a room that was left for good asks for no touch any more', async () => {
  const room = new TestRoom();
  const { media, said } = await enter(room);
  room.canPlaybackAudio = false;
  room.says(RoomEvent.AudioPlaybackStatusChanged);
  room.says(RoomEvent.Disconnected, DisconnectReason.PARTICIPANT_REMOVED);
  expect(said).toEqual(['blocked', 'playing']);
  media.close();
});

test.each([
  ['a finger that is lifted', 'pointerup'],
  ['a screen reader', 'click'],
  ['a key', 'keydown'],
])('%s brings the sound back', async (_, kind) => {
  const room = new TestRoom();
  const { media } = await enter(room);
  room.startAudio.mockClear();
  dispatchEvent(new Event(kind));
  expect(room.startAudio).toHaveBeenCalledOnce();
  media.close();
  dispatchEvent(new Event(kind));
  expect(room.startAudio).toHaveBeenCalledOnce();
});

test('a picture that cannot be sent is given up after two tries, and the voice goes out meanwhile', async () => {
  const room = new TestRoom({ camera: new Error('no answer to the offer') });
  const { media, said } = await enter(room);
  media.send(sending);
  await vi.advanceTimersByTimeAsync(0);
  expect(room.published).toContain('microphone');
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual(['cannot send camera']);
  media.close();
});

test('a voice that is answered too late is tried on and on: the line is the trouble, not the browser', async () => {
  const room = new TestRoom({ microphone: new Error('no answer in time') });
  const { media, said } = await enter(room);
  media.send({ ...nothing, microphone: { name: 'on', track } });
  await vi.advanceTimersByTimeAsync(0);
  expect(media.voiceStuck).toBe(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual([]);
  expect(media.voiceStuck).toBe(true);
  delete room.fails['microphone'];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(room.published).toContain('microphone');
  expect(media.voiceStuck).toBe(false);
  media.close();
});

test('a browser without the codec of the court is told so, and nothing is offered', async () => {
  vi.stubGlobal('RTCRtpSender', { getCapabilities: () => ({ codecs: [{ mimeType: 'video/VP8' }] }) });
  const room = new TestRoom();
  const { media, said } = await enter(room);
  media.send(sending);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual(['cannot send camera']);
  expect(room.published).not.toContain('camera');
  media.close();
  vi.unstubAllGlobals();
});

test.each([
  ['the right to send is on its way', new PublishTrackError('insufficient permissions', 403), ConnectionState.Connected],
  ['the connection is being repaired', new Error('timeout'), ConnectionState.Reconnecting],
])('%s: tried again, and nothing is given up', async (_, failure, state) => {
  const room = new TestRoom({ camera: failure });
  const { media, said } = await enter(room);
  room.state = state;
  media.send({ ...nothing, camera: { name: 'on', track } });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual([]);
  delete room.fails['camera'];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(room.published).toContain('camera');
  media.close();
});

test('a room that is lost while something is being published is no bug', async () => {
  const room = new TestRoom();
  const { media, said } = await enter(room);
  room.localParticipant.publishTrack = async () => {
    media.close();
    throw new Error('closed');
  };
  media.send(sending);
  await vi.advanceTimersByTimeAsync(60_000);
  // A rejection that nobody handles would fail the run.
  expect(said).toEqual([]);
});
