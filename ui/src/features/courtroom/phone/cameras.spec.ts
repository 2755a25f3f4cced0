import { expect, it } from 'vitest';
import type { DeviceInfo, DeviceState } from '../../../wire/generated';
import { nextCamera } from './cameras';

const camera = (id: string): DeviceInfo => ({ id, kind: 'camera', name: id, default: false });
const on = (device: string): DeviceState => ({ name: 'on', device, width: 1, height: 1, fps: 25 });
const three = [camera('front'), camera('back'), camera('wide'), { ...camera('m'), kind: 'microphone' as const }];

it.each<[string, DeviceInfo[], DeviceState, string | null, string | null]>([
  ['from the front to the back', three, on('front'), null, 'back'],
  ['round to the first again', three, on('wide'), null, 'front'],
  ['after the chosen one while it is off', three, { name: 'off' }, 'back', 'wide'],
  ['to the first when nothing is known', three, { name: 'off' }, null, 'front'],
  ['nowhere with one camera', [camera('front')], on('front'), null, null],
])('turns %s', (_, devices, state, chosen, next) => expect(nextCamera(devices, state, chosen)).toBe(next));
