/** 一键修复: what is done once somebody has agreed. */
import { expect, it, vi } from 'vitest';
import type { DeviceInfo } from '../../wire/generated';
import type { HostFailure } from '../host';
import type { Capture } from './capture';
import { apply, nextDevice } from './fixes';
import { RAISE_MOST, raised } from './raised';

const device = (id: string, kind: DeviceInfo['kind'], isDefault = false): DeviceInfo => ({ id, kind, name: id, default: isDefault });
const DEVICES = [device('a', 'camera'), device('m', 'microphone', true), device('b', 'camera', true), device('c', 'camera')];

it.each([
  ['a', 'b'],
  ['c', 'a'],
  [null, 'c'],
  ['gone', 'a'],
])('after %s comes %s', (inUse, next) => expect(nextDevice(DEVICES, 'camera', inUse)?.id).toBe(next));

it('of a kind of which there is only one, or none, there is no next', () => {
  expect(nextDevice(DEVICES, 'microphone', 'm')).toBeNull();
  expect(nextDevice(DEVICES, 'microphone', null)).toBeNull();
  expect(nextDevice(DEVICES, 'speaker', null)).toBeNull();
});

it('a voice is raised step by step, and not without end', () => {
  let [gain, steps]: [number | null, number] = [1, 0];
  for (; gain !== null; gain = raised(gain)) steps += 1;
  expect(2 ** (steps - 1)).toBe(RAISE_MOST);
});

it('fails where it did not help, and says why', async () => {
  const capture = { list: async () => ({ devices: DEVICES }), inUse: () => 'm', raise: () => false, restart: async () => 'busy' } as unknown as Capture;
  const choose = vi.fn();
  const repair = { capture, choose, reconnect: async () => undefined };
  const why = (fix: Parameters<typeof apply>[0]) => apply(fix, repair).then(() => 'helped', (error: HostFailure) => error.error);
  expect(await why('nextMicrophone')).toEqual({ name: 'device', fault: 'missing' });
  expect(await why('raiseInput')).toEqual({ name: 'device', fault: 'broken' });
  expect(await why('restartCamera')).toEqual({ name: 'device', fault: 'busy' });
  expect(await why('nextCamera')).toBe('helped');
  expect(choose).toHaveBeenCalledWith('camera', 'a');
  expect(await why('reconnect')).toBe('helped');
});
