/** How one's own devices are, for the court, over time that the test makes. */
import { expect, it } from 'vitest';
import type { DeviceCondition, DeviceConditions, DeviceState } from '../../wire/generated';
import { Follower, Teller } from './condition';

const ON: DeviceState = { name: 'on', device: 'd', width: 0, height: 0, fps: 0 };
const OFF: DeviceState = { name: 'off' };
const [NOTHING, ROOM] = [-90, -70];

/** Two looks a second from `from` to `to` seconds, both included; the microphone at the end. */
function looks(follower: Follower, from: number, to: number, microphone: DeviceState, peakDb: number | null): DeviceCondition {
  let seen: DeviceConditions | null = null;
  for (let half = from * 2; half <= to * 2; half += 1) seen = follower.look(half * 500, { camera: OFF, microphone, peakDb });
  if (seen === null) throw new Error('at least one look');
  return seen.microphone;
}

it('a device is as it says; one that is being opened is what it was', () => {
  const follower = new Follower();
  const camera = (state: DeviceState) => follower.look(0, { camera: state, microphone: OFF, peakDb: null }).camera;
  expect(camera({ name: 'opening' })).toEqual({ name: 'unknown' });
  expect(camera(ON)).toEqual({ name: 'fine' });
  expect(camera({ name: 'opening' })).toEqual({ name: 'fine' });
  expect(camera({ name: 'failed', fault: 'busy' })).toEqual({ name: 'failed', fault: 'busy' });
  expect(camera(OFF)).toEqual({ name: 'off' });
  expect(follower.look(0, { camera: ON, microphone: ON, peakDb: null }).speaker).toEqual({ name: 'unknown' });
});

it('a microphone is silent after eight seconds of nothing, and fine at the first sound', () => {
  const follower = new Follower();
  expect(looks(follower, 0, 7, ON, NOTHING).name).toBe('fine');
  expect(looks(follower, 8, 8, ON, NOTHING).name).toBe('silent');
  expect(looks(follower, 9, 9, ON, ROOM).name).toBe('fine');
  // Nothing for a long time is no fault of a microphone that its owner closed, …
  expect(looks(follower, 10, 30, OFF, NOTHING).name).toBe('off');
  // … nor of one to which nobody listened, …
  expect(looks(follower, 31, 60, ON, null).name).toBe('fine');
  // … and a quiet room is no dead microphone.
  expect(looks(follower, 61, 90, ON, ROOM).name).toBe('fine');
});

it('what passed while the computer slept was not listened to', () => {
  const follower = new Follower();
  expect(looks(follower, 0, 2, ON, NOTHING).name).toBe('fine');
  expect(looks(follower, 3_600, 3_601, ON, NOTHING).name).toBe('fine');
});

const nothing: DeviceConditions = { camera: { name: 'unknown' }, microphone: { name: 'unknown' }, speaker: { name: 'unknown' } };
const fine: DeviceConditions = { ...nothing, microphone: { name: 'fine' } };
const busy: DeviceConditions = { ...nothing, microphone: { name: 'failed', fault: 'busy' } };
const hung: DeviceConditions = { ...nothing, microphone: { name: 'failed', fault: 'hung' } };

it('the court is told of a change at most every two seconds, and again when it knows otherwise', () => {
  const teller = new Teller();
  expect(teller.isDue(0, nothing, nothing)).toBe(false);
  expect(teller.isDue(100, busy, nothing)).toBe(true);
  teller.told(100, busy);
  expect(teller.isDue(9_000, hung, nothing)).toBe(false);
  teller.answered(true);
  expect(teller.isDue(2_000, hung, busy)).toBe(false);
  expect(teller.isDue(2_100, hung, busy)).toBe(true);
  expect(teller.isDue(5_000, busy, { ...busy })).toBe(false);
  // A welcome after the line was lost says otherwise than what was told.
  expect(teller.isDue(5_000, busy, nothing)).toBe(true);
});

it('what the court refuses is not told again before a snapshot', () => {
  const teller = new Teller();
  teller.told(0, fine);
  teller.answered(false);
  expect(teller.isDue(60_000, fine, nothing)).toBe(false);
  teller.refreshed();
  expect(teller.isDue(60_000, fine, nothing)).toBe(true);
});
