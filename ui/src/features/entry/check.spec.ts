import { describe, expect, it } from 'vitest';
import type { DeviceState } from '../../wire/generated';
import { cameraFinding, microphoneFinding, networkFinding, scoreOf, type Finding } from './check';
import { countdown, waitFor } from './clock';
import { readinessOf, talk, zone } from './waiting/plan';

const on: DeviceState = { name: 'on', device: 'd', width: 1280, height: 720, fps: 25 };
const good: Finding = { name: 'good' };

describe('the device check', () => {
  it('keeps each fault of a camera apart', () => {
    expect(cameraFinding(on)).toEqual(good);
    for (const fault of ['missing', 'busy', 'denied', 'hung', 'unplugged', 'broken', 'notSent'] as const) {
      expect(cameraFinding({ name: 'failed', fault })).toEqual({ name: 'bad', why: fault });
    }
  });
  it.each<[string, number, number, Finding]>([
    ['silence is no finding yet', -90, -90, { name: 'running' }],
    ['a whisper', -40, -20, { name: 'usable', why: 'tooQuiet' }],
    ['speech', -25, -8, good],
    ['shouting into it', -10, -0.2, { name: 'usable', why: 'tooLoud' }],
  ])('%s', (_, rms, peak, finding) => expect(microphoneFinding(on, rms, peak)).toEqual(finding));
  it('grades the way to the server', () => {
    expect(networkFinding(true, 30)).toEqual(good);
    expect(networkFinding(true, 400)).toEqual({ name: 'usable', why: 'slow' });
    expect(networkFinding(false, null)).toEqual({ name: 'bad', why: 'unreachable' });
  });
  it('never fails for what was not tried, and always tells what is missing', () => {
    const all = { camera: good, microphone: good, speaker: good, network: good };
    expect(scoreOf(all)).toBe('good');
    expect(scoreOf({ ...all, speaker: { name: 'untested' } })).toBe('usable');
    expect(scoreOf({ ...all, camera: { name: 'bad', why: 'missing' } })).toBe('bad');
  });
});

describe('the wait', () => {
  const start = 10 * 3_600_000;
  it.each([
    [start - 756_000, '00:12:36'],
    [start - 999, '00:00:01'],
    [start - 25 * 3_600_000, '25:00:00'],
  ])('at %d it shows %s', (now, text) => expect(countdown(start, now)).toEqual({ name: 'running', text }));
  it('is over when it is time', () => expect(countdown(start, start)).toEqual({ name: 'due' }));
  it('is told in the unit people use', () => {
    expect(waitFor(12_300)).toEqual({ unit: 'seconds', n: 13 });
    expect(waitFor(90_000)).toEqual({ unit: 'minutes', n: 2 });
  });
});

describe('the plan of the waiting room', () => {
  it('has no place for witnesses', () => {
    const people = [{ seat: { id: 'w', side: 'witness' } }, { seat: { id: 'c', side: 'clerk' } }] as never;
    expect(['bench', 'plaintiff', 'thirdParty', 'defendant'].flatMap((which) => zone(people, which as 'bench').map((one) => one.seat.id))).toEqual(['c']);
  });
  it('calls somebody whose line broke dropped, whatever they were before', () => {
    expect(readinessOf({ name: 'disconnected', since: 0, cause: 'silence', told: null, resume: { name: 'waiting' } })).toBe('dropped');
    expect(readinessOf({ name: 'isolated', reason: '', since: 0 })).toBe('ready');
  });
  it('shows one’s own talk with the clerk only', () => {
    const help = (seq: number, seat: string, by: string) => ({ type: 'help', seq, serverTime: 0, payload: { seat, text: '在吗' }, actor: { seat: by, title: '书记员', name: '孙演示' } });
    const log = [help(1, 'me', 'me'), help(2, 'other', 'other'), help(3, 'me', 'clerk'), { type: 'message', seq: 4, payload: { text: '' } }] as never;
    expect(talk(log, 'me').map((line) => [line.seq, line.mine])).toEqual([[1, true], [3, false]]);
  });
});
