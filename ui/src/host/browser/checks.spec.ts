/** The single measurements of a check in a browser: they end when they are told to, and never play into court. */
import { beforeEach, expect, it, vi } from 'vitest';
import type { HostEvent, SelfTestProgress } from '../../wire/generated';
import type { Capture } from './capture';
import { Checks } from './checks';
import { keptReports } from './selftest/history';

const { sounds, hang } = vi.hoisted(() => {
  /** Runs until it is aborted. */
  const hang = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => {
      const stopped = () => reject(new DOMException('stopped', 'AbortError'));
      if (signal?.aborted) stopped();
      signal?.addEventListener('abort', stopped);
    });
  return { hang, sounds: { recorded: null as Float32Array<ArrayBuffer> | null, played: 0, closed: 0 } };
});
vi.mock('./selftest/tape', () => ({
  openContext: async () => ({ sampleRate: 8_000, close: async () => void (sounds.closed += 1) }),
  record: (_context: unknown, _track: unknown, _ms: number, signal?: AbortSignal) => (sounds.recorded ? Promise.resolve({ at: 0, samples: sounds.recorded }) : hang(signal)),
  play: () => ((sounds.played += 1), new Promise(() => undefined)),
  playOn: async () => undefined,
}));
vi.mock('./selftest/camera', () => ({ lookAt: (_track: unknown, _ms: number, _begun: number, signal?: AbortSignal) => hang(signal), measureCamera: () => hang() }));
vi.mock('./selftest/sound', () => ({ measureSpeaker: (_context: unknown, _chosen: unknown, _hears: boolean, signal?: AbortSignal) => hang(signal) }));
vi.mock('./selftest/measures', () => ({ OPEN_MS: 6_000, measuresOf: () => new Proxy({}, { get: () => async () => undefined }) }));
vi.mock('./devices', async (original) => ({ ...(await original<object>()), nameOf: async () => 'a microphone' }));

const microphone = { label: '', clone: () => ({ stop: () => undefined }) };
const capture = { running: { camera: {}, microphone }, chosen: {}, stateOf: () => ({ name: 'on' }) } as unknown as Capture;
let inCourt = false;
const said: HostEvent[] = [];
const checks = () => new Checks(capture, '1', (event) => void said.push(event), () => inCourt);

beforeEach(() => {
  inCourt = false;
  said.length = 0;
  Object.assign(sounds, { recorded: null, played: 0, closed: 0 });
  localStorage.clear();
});
const spoken = async (one: Checks) => {
  sounds.recorded = new Float32Array(800).fill(0.1);
  await one.hear();
  sounds.recorded = null;
};

it.each(['look', 'hear', 'loop', 'replay'] as const)('%s ends at once when the check does', async (what) => {
  const one = checks();
  await spoken(one);
  const { closed } = sounds;
  const found = one[what]();
  await vi.waitFor(() => expect(sounds.played).toBe(what === 'replay' ? 1 : 0));
  one.stop();
  await expect(found).rejects.toMatchObject({ error: { name: 'internal' } });
  if (what !== 'look') expect(sounds.closed).toBe(closed + 1);
});

it('forgets what was spoken when the check ends', async () => {
  const one = checks();
  await spoken(one);
  one.stop();
  await one.replay();
  expect(sounds.played).toBe(0);
});

it('measuring the line beside it ends no single measurement and forgets nothing', async () => {
  const one = checks();
  await spoken(one);
  one.start({ camera: false, sound: false, network: true });
  void one.replay().catch(() => undefined);
  await vi.waitFor(() => expect(sounds.played).toBe(1));
  one.stop();
});

it.each(['loop', 'replay'] as const)('%s is refused while the court hears the microphone', async (what) => {
  const one = checks();
  await spoken(one);
  inCourt = true;
  await expect(one[what]()).rejects.toMatchObject({ error: { name: 'device', fault: 'busy' } });
  expect(sounds.played).toBe(0);
});

it.each([
  [{ camera: true, sound: false, network: true }, 1],
  [{ camera: false, sound: true, network: true }, 1],
  [{ camera: false, sound: false, network: true }, 0],
])('of %j it keeps %i reports', async (plan, kept) => {
  checks().start(plan);
  const last = () => said.map((event) => (event.type === 'selfTest' ? event.progress : null)).at(-1) as SelfTestProgress;
  await vi.waitFor(() => expect(last().done).toBe(true));
  expect(keptReports()).toHaveLength(kept);
});
