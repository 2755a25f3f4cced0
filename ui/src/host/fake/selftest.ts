/** A self-test in which the line loses data, and what is measured piece by piece on devices that run. */
import type { CameraFacts, HostCommands, SelfTest, TestPart, Voice } from '../../wire/generated';
import type { FakeHearing } from './hearing';

const good: TestPart = { score: 'good', findings: [], remedies: [] };
const lossy: TestPart = { score: 'usable', findings: ['udpClosed', 'networkLossy'], remedies: ['askAdministratorUdp', 'usePhoneNetwork', 'useCable'] };

export const TESTED = (): SelfTest => ({
  takenAt: Date.now(),
  tookMs: 21_400,
  version: '0.1.0',
  facts: {
    camera: { name: 'seen', device: '集成摄像头', width: 1280, height: 720, fps: 29.8, firstMs: 420, brightness: 0.5, burnt: 0, contrast: 0.2, sharpness: 180, frozen: 0, flipped: false },
    microphone: { name: 'heard', device: 'USB 耳机麦克风', speechDb: -24, noiseDb: -62, peakDb: -9, clipped: 0, live: null },
    speaker: { name: 'played', device: 'USB 耳机', heard: true, headset: true, echo: null },
    network: { name: 'open', reach: 'open', tls: 'open', answer: 'open', channel: 'open', udp: 'closed', tcp: 'open', tunnel: 'open', proxy: false, rttMs: 64, jitterMs: 9, loss: 0.061, upBps: 3_200_000, downBps: 9_600_000, skewMs: -40 },
    computer: { system: 'Windows 10', webview: '109.0', cores: 4, busy: 0.1, memoryMib: 8_192, freeMemoryMib: 3_000, freeDiskMib: 40_000, power: { name: 'mains' }, saver: false, codec: [] },
    permissions: { camera: 'granted', microphone: 'granted' },
  },
  camera: good,
  microphone: good,
  speaker: good,
  network: lossy,
  computer: good,
  permissions: good,
  overall: lossy,
});

/** What is wrong with the devices, by `?check=`. */
export const TROUBLES = ['none', 'dark', 'black', 'upsideDown', 'denied', 'missing', 'other', 'quiet', 'echo'] as const;
export type Trouble = (typeof TROUBLES)[number];

function seen(trouble: Trouble): CameraFacts {
  const picture: CameraFacts = { name: 'seen', device: '集成摄像头', width: 1280, height: 720, fps: 29.8, firstMs: 420, brightness: 0.5, burnt: 0, contrast: 0.2, sharpness: 180, frozen: 0, flipped: false };
  if (trouble === 'dark') return { ...picture, brightness: 0.12, contrast: 0.06, sharpness: 8 };
  if (trouble === 'black') return { ...picture, brightness: 0.02, contrast: 0.01, sharpness: 3 };
  return trouble === 'upsideDown' ? { ...picture, flipped: true } : picture;
}
function voice(trouble: Trouble): Voice {
  const silent = trouble === 'other';
  return {
    facts: {
      name: 'heard', device: '麦克风阵列', speechDb: silent ? null : trouble === 'quiet' ? -43 : -24, noiseDb: -62, peakDb: silent ? -58 : -9, clipped: 0,
      live: silent ? 'USB 耳机麦克风' : null,
    },
    shape: Array.from({ length: 32 }, (_, i) => (silent ? 0.02 : Math.abs(Math.sin(i * 0.7)) * (i < 26 ? 0.9 : 0.2))),
  };
}
const after = <T>(ms: number, value: T) => new Promise<T>((done) => setTimeout(() => done(value), ms));

type Answers = { [K in keyof HostCommands]: (args: HostCommands[K]['args']) => HostCommands[K]['reply'] | Promise<HostCommands[K]['reply']> };
type Check = 'check.keep' | 'check.send' | 'check.look' | 'check.hear' | 'check.replay' | 'check.loop' | 'check.permissions' | 'check.settings';
type Rest = 'camera.turn' | 'court.selfTests' | 'fix.apply' | 'practice.start' | 'practice.stop';

export const checkAnswers = (hearing: FakeHearing, trouble: Trouble): Pick<Answers, Check | Rest> => ({
  'check.keep': () => null,
  'check.send': () => null,
  'check.look': () => after(2_000, seen(trouble)),
  'check.hear': () => after(5_000, voice(trouble)),
  'check.replay': () => after(5_000, null),
  'check.loop': () => after(2_000, { name: 'played', device: 'USB 耳机', heard: null, headset: null, echo: trouble === 'echo' ? { delayMs: 84, levelDb: -12, residualDb: -18 } : null }),
  'check.permissions': () => (trouble === 'denied' ? { camera: 'denied', microphone: 'granted' } : { camera: 'granted', microphone: 'granted' }),
  'check.settings': () => null,
  'camera.turn': () => null,
  'court.selfTests': () => hearing.snapshot.participants.slice(4, 7).map(({ seat }) => ({ seat: seat.id, sentAt: Date.now() - 3_600_000, report: TESTED() })),
  'fix.apply': () => after(1_500, null),
  'practice.start': () => null,
  'practice.stop': () => null,
});
