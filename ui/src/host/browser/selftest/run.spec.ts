/** A self-test always ends, always has a report, and reports are kept. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TESTED } from '../../fake/selftest';
import type { SelfTestProgress } from '../../../wire/generated';
import { keepReport, keptReports } from './history';
import { LIMIT_MS, Run, type Measure, type Measures } from './run';
import { openTrack, pass, within } from './within';

const { camera, network, computer, permissions } = TESTED().facts;
const hangs: Measure = () => new Promise(() => undefined);
const good: Measures = {
  permissions: async (note) => note({ permissions }),
  computer: async (note) => note({ computer }),
  camera: async (note) => note({ camera }),
  sound: async () => undefined,
  network: async (note) => note({ network }),
};
const ALL = { camera: true, sound: true, network: true };
let told: SelfTestProgress[];
const last = () => told.at(-1) as SelfTestProgress;
const start = (measures: Partial<Measures>, plan = ALL) => new Run(plan, { ...good, ...measures }, '1.2.3', (progress) => told.push(progress));

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
});
afterEach(() => vi.useRealTimers());

describe('a self-test', () => {
  it('measures the computer first and the rest side by side, and then is over, once', async () => {
    start({});
    await vi.runAllTimersAsync();
    expect(told[0]).toMatchObject({ over: [], running: ['computer'] });
    expect(told.some(({ running }) => running.length === 3)).toBe(true);
    expect(last()).toMatchObject({ done: true, running: [] });
    expect([...last().over].sort()).toEqual(['camera', 'computer', 'network', 'sound']);
    expect(told.filter(({ done }) => done)).toHaveLength(1);
    expect(last().report).toMatchObject({ version: '1.2.3', camera: { score: 'good' }, network: { findings: ['udpClosed', 'networkLossy'] }, microphone: { score: 'unknown' } });
  });
  it.each(['permissions', 'computer', 'camera', 'sound', 'network'] as const)('ends in time when %s hangs, with what is known', async (what) => {
    start({ [what]: hangs });
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
    expect(last()?.done ?? false).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(last().done).toBe(true);
    if (what === 'sound') expect(last().report.facts.network).toEqual(network);
  });
  it('goes on when a part breaks in a way nobody thought of', async () => {
    start({ camera: () => Promise.reject(new TypeError('a bug')) });
    await vi.runAllTimersAsync();
    expect(last().report.facts).toMatchObject({ camera: null, network });
  });
  it('that is stopped keeps what was known and believes nothing that its end made', async () => {
    const closed: Measure = (note, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => (note({ camera: { name: 'failed', fault: 'busy', device: null, heldBy: [] } }), resolve())));
    const run = start({ camera: closed });
    await vi.advanceTimersByTimeAsync(100);
    run.stop();
    await vi.runAllTimersAsync();
    expect(last()).toMatchObject({ done: true, report: { facts: { camera: null, network } } });
    expect(told.filter(({ done }) => done)).toHaveLength(1);
  });
  it('measures what the plan says', async () => {
    start({}, { camera: false, sound: false, network: false });
    await vi.runAllTimersAsync();
    expect(last()).toMatchObject({ over: ['computer'], report: { facts: { camera: null, network: null, computer } } });
  });
});

describe('waiting', () => {
  it('ends by itself and by the signal', async () => {
    const never = new Promise<never>(() => undefined);
    const late = within(never, 50).catch((error: DOMException) => error.name);
    const aborter = new AbortController();
    const stopped = within(never, 1_000_000, aborter.signal).catch((error: DOMException) => error.name);
    aborter.abort();
    await vi.advanceTimersByTimeAsync(50);
    expect([await late, await stopped, await within(Promise.resolve(3), 50)]).toEqual(['TimeoutError', 'AbortError', 3]);
    await pass(1_000_000, aborter.signal);
  });
  it('closes a device that opens too late', async () => {
    const track = { stop: vi.fn() };
    vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: () => new Promise((resolve) => setTimeout(() => resolve({ getTracks: () => [track] }), 100)) } });
    const opened = openTrack({ video: true }, 50).catch((error: DOMException) => error.name);
    await vi.advanceTimersByTimeAsync(100);
    expect(await opened).toBe('TimeoutError');
    expect(track.stop).toHaveBeenCalledOnce();
    vi.unstubAllGlobals();
  });
});

describe('kept reports', () => {
  beforeEach(() => localStorage.clear());
  it('are the newest twenty, newest first; one that is kept again takes its place', () => {
    for (let n = 1; n <= 25; n += 1) keepReport({ ...TESTED(), takenAt: n });
    keepReport({ ...TESTED(), takenAt: 24, version: 'again' });
    const kept = keptReports();
    expect(kept.map(({ takenAt }) => takenAt)).toEqual(Array.from({ length: 20 }, (_, i) => 25 - i));
    expect(kept[1]?.version).toBe('again');
  });
  it.each(['', 'nonsense', '{}', '[1, null, {"takenAt": 1}]', '[{"takenAt":1,"facts":{},"camera":{}}]'])('in spoilt storage (%s) are none', (spoilt) => {
    localStorage.setItem('mingting.selfTests', spoilt);
    expect(keptReports()).toEqual([]);
    keepReport(TESTED());
    expect(keptReports()).toHaveLength(1);
  });
});
