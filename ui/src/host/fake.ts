/**
 * A scripted hearing without a server, for development and screenshots: `?host=fake&as=plaintiff&scene=court`.
 * `as` is a seat of fake/cast.ts; `scene` one of SCENES; `check` one of TROUBLES. Not part of a production build.
 */
import { HostFailure, type Host } from './host';
import { cast } from './fake/cast';
import { face, sheet } from './fake/faces';
import { FakeHearing } from './fake/hearing';
import { TESTED, TROUBLES, checkAnswers } from './fake/selftest';
import type { DeviceKind, DeviceList, DeviceState, HostCommands, HostEvent, SeatTaken, TrackInfo } from '../wire/generated';

type Handlers = { [K in keyof HostCommands]: (args: HostCommands[K]['args']) => HostCommands[K]['reply'] | Promise<HostCommands[K]['reply']> };

const DEVICES: DeviceList = {
  devices: [
    { id: 'cam-1', kind: 'camera', name: '集成摄像头', default: true },
    { id: 'mic-1', kind: 'microphone', name: '麦克风阵列', default: true },
    { id: 'mic-2', kind: 'microphone', name: 'USB 耳机麦克风', default: false },
    { id: 'spk-1', kind: 'speaker', name: '扬声器', default: true },
  ],
  camera: 'cam-1',
  microphone: 'mic-1',
  speaker: 'spk-1',
};

const PICTURE = { width: 1280, height: 720, fps: 30 };
const SOUND = { width: 0, height: 0, fps: 0 };

/** What is different in each scene, told after the page has joined. */
const SCENES: Record<string, (h: FakeHearing, say: (e: HostEvent) => void) => void> = {
  court: () => undefined,
  scheduled: (h) => Object.assign(h.snapshot, { state: { name: 'scheduled' }, startedAt: null, floor: null, recording: { name: 'off' } }),
  open: (h) => Object.assign(h.snapshot, { state: { name: 'open' }, startedAt: null, floor: null, recording: { name: 'off' } }),
  recess: (h) => void h.do('judge', { type: 'hearing.recess', reason: '合议庭评议', until: Date.now() + 40 * 60_000 }),
  suspended: (h) => h.happen(null, { type: 'hearing.state', payload: { from: h.snapshot.state, to: { name: 'suspended', phase: 'evidence', cause: { name: 'judgeLost' } } } }),
  isolated: (h) => void h.do('judge', { type: 'seat.isolate', seat: h.snapshot.you, reason: '对方证人作证期间' }),
  lost: (_, say) => say({ type: 'link', state: { name: 'retrying', attempt: 3, retryInMs: 4000, lostForMs: 38_000 } }),
  lostNow: (_, say) => say({ type: 'link', state: { name: 'retrying', attempt: 2, retryInMs: 1000, lostForMs: 3_000 } }),
  silent: (_, say) => {
    say({ type: 'playback', blocked: true });
    addEventListener('click', () => say({ type: 'playback', blocked: false }), { once: true });
  },
  turn: (h) => void h.do('judge', { type: 'floor.give', seat: h.snapshot.you }),
  asked: (h) => void h.do('judge', { type: 'media.askUnmute', seat: h.snapshot.you }),
  identity: (h) => void h.do('judge', { type: 'identity.request', seat: h.snapshot.you }),
  muted: (_, say) => say({ type: 'level', rmsDb: -24, peakDb: -12, talkingWhileMuted: true }),
  unheard: (h, say) => {
    const me = h.snapshot.participants.find((p) => p.seat.id === h.snapshot.you);
    if (me) me.devices = { ...me.devices, microphone: { name: 'silent' } };
    h.do(h.snapshot.you, { type: 'self.mic', on: true });
    say({ type: 'device', kind: 'microphone', state: { name: 'on', device: 'mic-1', ...SOUND } });
    say({ type: 'channel', frame: { type: 'snapshot', snapshot: structuredClone(h.snapshot) } });
  },
  locked: (h) => void h.do('judge', { type: 'media.lock', seat: h.snapshot.you, kind: 'audio' }),
  said: (h) => void setTimeout(() => h.do('judge', { type: 'message.send', text: '请原告作最后陈述。' }), 500),
  answered: (h) => {
    h.do('judge', { type: 'seat.isolate', seat: h.snapshot.you, reason: '对方证人作证期间' });
    setTimeout(() => h.do('clerk', { type: 'help.ask', to: h.snapshot.you, text: '证人作证后即请您回到法庭。' }), 500);
  },
  sharingOwn: (h) => void h.do(h.snapshot.you, { type: 'share.start' }),
  sharing: (h) => void h.do('agent1', { type: 'share.start' }),
  queue: (h) => {
    h.do('plaintiff', { type: 'request.make', request: { name: 'share' } });
    h.do('defendant', { type: 'request.make', request: { name: 'leave', note: '改用手机' } });
  },
  closed: (h) => void h.do('judge', { type: 'hearing.close' }),
  removed: (h) => void h.do('judge', { type: 'seat.remove', seat: h.snapshot.you, reason: '多次扰乱法庭秩序' }),
  replaced: (_, say) => say({ type: 'link', state: { name: 'ended', reason: 'replaced' } }),
};
/** The page starts at the entry, in a step, or in the court. */
const PLACES = ['coded', 'testing', 'identifying', 'acknowledging', 'waiting', 'witnessRoom'] as const;

export async function createFakeHost(query: string): Promise<Host> {
  const params = new URLSearchParams(query);
  const as = params.get('as') ?? 'plaintiff';
  const scene = params.get('scene') ?? 'court';
  const place = PLACES.find((p) => p === scene);
  const trouble = TROUBLES.find((one) => one === params.get('check')) ?? 'none';
  const listeners = new Set<(e: HostEvent) => void>();
  const say = (event: HostEvent) => listeners.forEach((l) => l(event));
  const hearing = new FakeHearing(as, () => Date.now(), (envelope) => say({ type: 'channel', frame: { type: 'event', envelope } }));
  const you = () => hearing.snapshot.participants.find((p) => p.seat.id === as);
  const taken: SeatTaken = { hearing: 'fake', seat: as, token: 'fake' };

  const tracks = (): TrackInfo[] =>
    cast(as).flatMap((p, i) => [
      { slot: i + 1, seat: p.seat.id, source: 'camera' as const, own: p.seat.id === as, muted: false, width: 640, height: 480 },
      ...(p.seat.id === 'agent1' ? [{ slot: 50 + i, seat: p.seat.id, source: 'screen' as const, own: false, muted: false, width: 1280, height: 800 }] : []),
    ]);
  const device = (kind: DeviceKind, state: DeviceState) => say({ type: 'device', kind, state });

  hearing.past([
    ['judge', { type: 'hearing.state', payload: { from: { name: 'inSession', phase: 'investigation' }, to: { name: 'inSession', phase: 'evidence' } } }],
    ['defendant', { type: 'message', payload: { text: '我这里声音有点断，正在靠近路由器。' } }],
    [null, { type: 'net.health', payload: { seat: 'defendant', net: 'poor' } }],
    ['clerk', { type: 'message', payload: { text: '已看到，听不清时请举手，审判长会等您。' } }],
    ['agent1', { type: 'participant.hand', payload: { seat: 'agent1', up: true } }],
  ]);
  if (place) {
    Object.assign(hearing.snapshot, { state: { name: 'open' }, startedAt: null, floor: null, recording: { name: 'off' } });
    const p = you();
    if (p) p.state = { name: place };
  }

  const handlers: Handlers = {
    'app.start': () => ({ version: '0.1.0', server: 'http://127.0.0.1:8443', code: null, frames: { url: '', token: '' }, session: scene === 'entry' ? null : taken }),
    'court.enter': ({ code }) => {
      const seat = hearing.snapshot.participants.find((p) => p.seat.id === as)?.seat;
      if (!/^\d{8}$/.test(code) || code === '00000000' || !seat) throw new HostFailure({ name: 'api', error: { code: 'codeNotAccepted', retryAfterMs: null, validFrom: null } });
      const others = hearing.snapshot.participants.map((p) => p.seat).filter((s) => s.id !== as && s.role !== 'witness');
      return { ticket: 'fake', hearing: 'fake', case: hearing.snapshot.case, state: hearing.snapshot.state, seat, others, inUse: false, identityStep: true };
    },
    'court.takeSeat': () => taken,
    'court.signIn': () => ({ token: 'fake', name: '王示范', hearings: [{ hearing: 'fake', case: hearing.snapshot.case, state: hearing.snapshot.state, seat: 'judge', role: 'presidingJudge', inUse: false }] }),
    'court.staffSeat': () => ({ ...taken, seat: 'judge' }),
    'hearing.join': () => {
      setTimeout(() => {
        say({ type: 'link', state: { name: 'live' } });
        say({ type: 'mediaLink', state: { name: 'live' } });
        say({ type: 'channel', frame: { type: 'welcome', connection: 'fake', snapshot: { ...structuredClone(hearing.snapshot), serverTime: Date.now() }, media: null } });
        say({ type: 'tracks', tracks: tracks() });
        say({ type: 'devices', list: DEVICES });
        say({ type: 'network', quality: 'good', rttMs: 38, loss: 0, sendingKbps: 1200, receivingKbps: 3100 });
        say({ type: 'speakers', seats: ['agent2'] });
        if (place !== 'testing') device('camera', { name: 'on', device: 'cam-1', ...PICTURE });
        if (you()?.media.mic) device('microphone', { name: 'on', device: 'mic-1', width: 0, height: 0, fps: 0 });
        say({ type: 'level', rmsDb: -28, peakDb: -14, talkingWhileMuted: false });
        SCENES[scene]?.(hearing, say);
        if (scene === 'scheduled' || scene === 'open') say({ type: 'channel', frame: { type: 'snapshot', snapshot: structuredClone(hearing.snapshot) } });
      });
      return null;
    },
    'hearing.command': ({ command }) => hearing.do(as, command),
    'hearing.retryNow': () => null,
    'hearing.end': () => null,
    'devices.list': () => DEVICES,
    'devices.choose': ({ kind, id }) => {
      if (id !== null && kind !== 'speaker') device(kind, { name: 'on', device: id, ...(kind === 'camera' ? PICTURE : SOUND) });
      return { ...DEVICES, [kind]: id };
    },
    'media.switch': ({ kind, on }) => {
      const fault = kind === 'video' && on && (trouble === 'denied' || trouble === 'missing') ? trouble : null;
      if (kind === 'audio') device('microphone', on ? { name: 'on', device: 'mic-1', ...SOUND } : { name: 'off' });
      else if (fault) device('camera', { name: 'failed', fault });
      else device('camera', on ? { name: 'on', device: 'cam-1', ...PICTURE } : { name: 'off' });
      hearing.do(as, { type: kind === 'audio' ? 'self.mic' : 'self.camera', on });
      return null;
    },
    'media.views': () => null,
    'check.playSound': () => null,
    'check.quick': () => ({
      camera: { name: 'on', device: 'cam-1', width: 1280, height: 720, fps: 30 },
      microphone: { name: 'on', device: 'mic-1', width: 0, height: 0, fps: 0 },
      loudestDb: -20,
      serverReachable: true,
      rttMs: 38,
      mediaReachable: true,
    }),
    'check.start': () => {
      setTimeout(() => say({ type: 'selfTest', progress: { over: ['computer', 'camera', 'sound', 'network'], running: [], report: TESTED(), done: true } }), 1500);
      say({ type: 'selfTest', progress: { over: ['computer'], running: ['camera', 'sound', 'network'], report: TESTED(), done: false } });
      return null;
    },
    'check.stop': () => null,
    'check.history': () => [],
    ...checkAnswers(hearing, trouble),
    'share.sources': () => [
      { id: 'screen-1', name: '整个屏幕 1', monitor: true, thumbnail: null },
      { id: 'window-1', name: '房屋交接单.pdf', monitor: false, thumbnail: null },
    ],
    'share.start': () => {
      hearing.do(as, { type: 'share.start' });
      return null;
    },
    'share.stop': () => {
      hearing.do(as, { type: 'share.stop', seat: null });
      return null;
    },
  };

  return {
    kind: 'fake',
    can: { share: 'picker', chooseSpeaker: true, checkBeforeSeat: true, selfTest: true, openSettings: true, cannotKnow: [] },
    call: async (name, args) => (await handlers[name](args as never)) as never,
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    attach(slot, box) {
      const track = tracks().find((t) => t.slot === slot);
      return track?.source === 'screen' ? sheet(box) : face(track?.seat ?? '', box);
    },
  };
}
