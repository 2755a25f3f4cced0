import { describe, expect, it, vi } from 'vitest';
import type { HearingState, MediaSwitches, ParticipantState, Role, ServerFrame } from '../../wire/generated';
import { failureOf } from './api';
import { follow, inLiveRoom, obey, receives, reportsSwitches, sendingOf, type Standing } from './control';
import { deviceInfos, faultOf } from './devices';
import { loudnessOf, SpeechFinder } from './level';
import { count, measure, type Counters } from './network';
import { SwitchReport } from './report';
import { gavelSamples, wavOf } from './sound';

const media: MediaSwitches = { mic: true, camera: true, micLocked: false, cameraLocked: false, audioBlocked: false, videoBlocked: false, askedToUnmute: false };
const session: HearingState = { name: 'inSession', phase: 'debate' };
const standing = (state: ParticipantState, hearing: HearingState = session, role: Role = 'plaintiff'): Standing => ({ seat: 'me', role, hearing, state, media });
const both = { mic: true, camera: true };

describe('the court decides what leaves the machine', () => {
  it('everything in court, nothing before a hearing', () => {
    expect(sendingOf(standing({ name: 'inCourt' }), both, true)).toEqual({ inRoom: true, mic: true, camera: true, screen: true });
    expect(sendingOf(null, both, true)).toEqual({ inRoom: false, mic: false, camera: false, screen: false });
  });
  it.each<[string, Standing]>([
    ['isolated', standing({ name: 'isolated', reason: '', since: 0 })],
    ['waiting', standing({ name: 'waiting' })],
    ['in the witness room', standing({ name: 'witnessRoom' })],
    ['in a recess', standing({ name: 'inCourt' }, { name: 'recess', phase: 'debate', reason: '', until: null })],
    ['in a suspension', standing({ name: 'inCourt' }, { name: 'suspended', phase: 'debate', cause: { name: 'judgeLost' } })],
    ['as an observer', standing({ name: 'inCourt' }, session, 'observer')],
  ])('nothing leaves while %s', (_, where) => expect(sendingOf(where, both, true)).toEqual({ inRoom: false, mic: false, camera: false, screen: false }));
  it('an observer hears and sees, an isolated person does not', () => {
    expect(receives(standing({ name: 'inCourt' }, session, 'observer'))).toBe(true);
    expect(receives(standing({ name: 'isolated', reason: '', since: 0 }))).toBe(false);
  });
  it('a lock closes a device, and opening it again is up to its owner', () => {
    const locked = { ...media, micLocked: true };
    expect(sendingOf({ ...standing({ name: 'inCourt' }), media: locked }, both, false)).toMatchObject({ mic: false, camera: true });
    expect(obey(both, locked)).toEqual({ mic: false, camera: true });
    expect(obey(obey(both, locked), media)).toEqual({ mic: false, camera: true });
    expect(obey(both, media)).toBe(both);
  });
  it('follows events about oneself and no others', () => {
    const frame = (seat: string) => ({ type: 'event', envelope: { type: 'participant.state', payload: { seat, from: { name: 'inCourt' }, to: { name: 'isolated', reason: '', since: 0 } } } }) as unknown as ServerFrame;
    const here = standing({ name: 'inCourt' });
    expect(follow(here, frame('other'))).toBe(here);
    const there = follow(here, frame('me'));
    expect(there && inLiveRoom(there)).toBe(false);
  });
  it('keeps the device check to oneself', () => {
    expect(reportsSwitches(standing({ name: 'testing' }))).toBe(false);
    expect(reportsSwitches(standing({ name: 'waiting' }))).toBe(true);
  });
});

describe('telling the court how a switch stands', () => {
  it('says it once, again after a change, and not again after a refusal', async () => {
    const send = vi.fn(async (_: string, on: boolean) => !on);
    const report = new SwitchReport(send);
    const again = vi.fn();
    report.compare('mic', false, true, again);
    report.compare('mic', false, true, again);
    await vi.waitFor(() => expect(again).toHaveBeenCalledOnce());
    report.compare('mic', false, true, again);
    expect(send.mock.calls).toEqual([['mic', true]]);
    report.compare('mic', true, false, again);
    await vi.waitFor(() => expect(again).toHaveBeenCalledTimes(2));
    report.compare('mic', false, true, again);
    expect(send.mock.calls).toEqual([['mic', true], ['mic', false], ['mic', true]]);
  });
});

describe('devices of a browser', () => {
  it.each([
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotAllowedError', 'denied'],
    ['NotReadableError', 'busy'],
    ['TimeoutError', 'hung'],
    ['Whatever', 'broken'],
  ])('%s means %s', (name, fault) => expect(faultOf(Object.assign(new Error('x'), { name }))).toBe(fault));
  it('a device is listed once, and the default is the one behind the default', () => {
    const found = [
      { deviceId: 'default', kind: 'audioinput', label: '默认', groupId: 'g2' },
      { deviceId: 'm1', kind: 'audioinput', label: '一', groupId: 'g1' },
      { deviceId: 'm2', kind: 'audioinput', label: '二', groupId: 'g2' },
      { deviceId: 'c1', kind: 'videoinput', label: '摄', groupId: 'g3' },
      { deviceId: '', kind: 'audiooutput', label: '', groupId: '' },
    ] as MediaDeviceInfo[];
    expect(deviceInfos(found).map((one) => [one.id, one.kind, one.default])).toEqual([['m1', 'microphone', false], ['m2', 'microphone', true], ['c1', 'camera', true]]);
  });
});

describe('what is measured', () => {
  it('loudness in dB below full scale', () => {
    expect(loudnessOf(new Float32Array(100))).toEqual({ rmsDb: -90, peakDb: -90 });
    const half = loudnessOf(new Float32Array(100).fill(0.5));
    expect(half.rmsDb).toBeCloseTo(-6.02, 2);
  });
  it('one cough is not speech', () => {
    // Thirty looks a second; half of them must be speech.
    const finder = new SpeechFinder();
    const hears = (looks: number, db: number) => Array.from({ length: looks }, () => finder.hears(db));
    expect([...hears(5, -20), ...hears(30, -90)]).not.toContain(true);
    expect(hears(15, -22)).toEqual([...Array.from({ length: 14 }, () => false), true]);
  });
  it('loss, rates and the larger round trip', () => {
    const zero: Counters = { atMs: 0, bytesSent: 0, bytesReceived: 0, packetsReceived: 0, packetsLost: 0, rttMs: 0, sentLoss: 0, jitterMs: 0 };
    const later = count(
      [
        { type: 'candidate-pair', nominated: true, bytesSent: 62_500, bytesReceived: 625_000, currentRoundTripTime: 0.05 },
        { type: 'candidate-pair', nominated: false, bytesSent: 999_999 },
        { type: 'inbound-rtp', packetsReceived: 94, packetsLost: 6, jitter: 0.012 },
        { type: 'remote-inbound-rtp', fractionLost: 0.01 },
        { type: 'codec' },
      ],
      { ...zero, atMs: 5_000 },
    );
    expect(measure(zero, later, 420)).toEqual({ quality: 'poor', rttMs: 420, loss: 0.06, jitterMs: 12, sendingKbps: 100, receivingKbps: 1_000 });
    // Counters that start again are not negative traffic.
    expect(measure(later, { ...zero, atMs: 10_000 }, 10)).toMatchObject({ quality: 'good', loss: 0, sendingKbps: 0 });
  });
  it('the test sound is a sound file with sound in it', () => {
    const samples = gavelSamples();
    const bytes = wavOf(samples, 24_000);
    expect(new TextDecoder().decode(bytes.slice(0, 4))).toBe('RIFF');
    expect(bytes.length).toBe(44 + samples.length * 2);
    expect(Math.max(...samples)).toBeGreaterThan(0.2);
    expect(Math.max(...samples)).toBeLessThanOrEqual(1);
  });
});

it('what comes back from a proxy is told apart from the court’s answer', () => {
  const error = { code: 'codeNotAccepted', retryAfterMs: null, validFrom: null };
  expect(failureOf(403, error)).toEqual({ name: 'api', error });
  expect(failureOf(502, null)).toEqual({ name: 'unreachable' });
  expect(failureOf(429, 'busy')).toMatchObject({ error: { code: 'tooManyTries' } });
  expect(failureOf(500, { message: 'x' })).toMatchObject({ error: { code: 'internal' } });
});
