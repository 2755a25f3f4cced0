import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../model/judge';
import type { TestPart, TestScore } from '../../wire/generated';
import { faultIn, scoreOf, standingOf, type CheckItem, type Standing } from './check';
import { countdown, waitFor } from './clock';
import { readinessOf, talk, zone } from './waiting/plan';

const TESTED_ALL: Record<CheckItem, Standing> = { camera: 'good', microphone: 'good', speaker: 'good', network: 'good' };
const part = (score: TestScore): TestPart => ({ score, findings: [], remedies: [] });
const verdict = (overall: TestScore): Verdict => ({ camera: part('good'), microphone: part('good'), speaker: part('good'), network: part('good'), computer: part('good'), permissions: part('good'), overall: part(overall) });

describe('the device check', () => {
  it.each<[string, TestScore, boolean, boolean, Standing]>([
    ['not tried', 'unknown', false, false, 'untested'],
    ['being measured', 'bad', true, false, 'running'],
    ['found good', 'good', false, false, 'good'],
    ['found good, and the person says it is not', 'good', false, true, 'usable'],
    ['not measured, and the person says it is not clear', 'unknown', false, true, 'usable'],
    ['found bad, whatever the person says', 'bad', false, true, 'bad'],
  ])('a part that is %s', (_, score, running, unclear, standing) => expect(standingOf(part(score), running, unclear)).toBe(standing));
  it('is good only when all four were tried and are', () => {
    expect(scoreOf(verdict('good'), TESTED_ALL)).toBe('good');
    expect(scoreOf(verdict('good'), { ...TESTED_ALL, speaker: 'untested' })).toBe('usable');
    expect(scoreOf(verdict('good'), { ...TESTED_ALL, camera: 'usable' })).toBe('usable');
  });
  it.each(['bad', 'usable', 'unknown'] as const)('tells the court what follows from the figures: %s', (score) => expect(scoreOf(verdict(score), TESTED_ALL)).toBe(score));
  it('takes a device’s own word for what is wrong with it, and nobody else’s', () => {
    expect(faultIn({ name: 'device', fault: 'busy' })).toBe('busy');
    expect(faultIn({ name: 'unreachable' })).toBeNull();
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
