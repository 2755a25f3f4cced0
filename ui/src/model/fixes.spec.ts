import { describe, expect, it } from 'vitest';
import { person } from '../testing/build';
import type { DeviceConditions, DeviceFix, NetQuality } from '../wire/generated';
import { fixesFor, troublesOf } from './fixes';

const fine: DeviceConditions = { camera: { name: 'fine' }, microphone: { name: 'fine' }, speaker: { name: 'fine' } };

describe('troublesOf', () => {
  it('sees nothing in devices that run, are off, or were not told of', () => {
    expect(troublesOf(person('p', 'plaintiff', { devices: { camera: { name: 'off' }, microphone: { name: 'unknown' }, speaker: { name: 'fine' } } }))).toEqual([]);
  });
  it('puts what keeps a person from being heard first', () => {
    const devices: DeviceConditions = { ...fine, camera: { name: 'failed', fault: 'busy' }, microphone: { name: 'silent' } };
    expect(troublesOf(person('p', 'plaintiff', { devices }))).toEqual([
      { device: 'microphone', what: 'silent' },
      { device: 'camera', what: 'busy' },
    ]);
  });
});

describe('fixesFor', () => {
  it.each<[Partial<DeviceConditions>, NetQuality, DeviceFix[]]>([
    [{}, 'good', []],
    [{ microphone: { name: 'silent' } }, 'good', ['restartMicrophone', 'nextMicrophone']],
    [{ microphone: { name: 'failed', fault: 'missing' } }, 'good', ['nextMicrophone']],
    [{ microphone: { name: 'failed', fault: 'denied' } }, 'good', []],
    [{ microphone: { name: 'echo' } }, 'good', ['nextSpeaker', 'nextMicrophone']],
    [{ camera: { name: 'failed', fault: 'hung' } }, 'good', ['restartCamera', 'nextCamera']],
    [{ camera: { name: 'failed', fault: 'unplugged' } }, 'bad', ['nextCamera', 'reconnect']],
    [{ speaker: { name: 'failed', fault: 'broken' } }, 'poor', ['nextSpeaker', 'reconnect']],
  ])('%j on a %s line suggests %j', (devices, net, likely) => {
    const found = fixesFor(person('p', 'plaintiff', { devices: { ...fine, ...devices }, net }));
    expect(found.likely).toEqual(likely);
    expect([...found.likely, ...found.other].sort()).toEqual([...new Set([...found.likely, ...found.other])].sort());
    expect(found.likely.length + found.other.length).toBe(7);
  });
});
