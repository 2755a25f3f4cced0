import { expect, it } from 'vitest';
import { person } from '../testing/build';
import type { DeviceCondition, DeviceKind } from '../wire/generated';
import { isReady } from './people';

const CASES: [DeviceKind, DeviceCondition, boolean][] = [
  ['microphone', { name: 'silent' }, false],
  ['camera', { name: 'failed', fault: 'busy' }, false],
  // What its owner has closed is no trouble, and a loudspeaker can be seen to.
  ['camera', { name: 'off' }, true],
  ['speaker', { name: 'echo' }, true],
];

it.each(CASES)('with a %s that is %j: ready is %s', (device, condition, ready) => {
  const p = person('a', 'plaintiff', { state: { name: 'waiting' } });
  expect(isReady(p)).toBe(true);
  expect(isReady({ ...p, devices: { ...p.devices, [device]: condition } })).toBe(ready);
});
