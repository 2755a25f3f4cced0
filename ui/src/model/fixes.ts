/** What is wrong with a person's devices, as their own program says, and what could put it right. */
import type { DeviceCondition, DeviceFault, DeviceFix, DeviceKind, Participant } from '../wire/generated';

/** What a device that should run does instead. */
export interface Trouble {
  device: DeviceKind;
  what: 'silent' | 'echo' | DeviceFault;
}

const KINDS: readonly DeviceKind[] = ['microphone', 'camera', 'speaker'];

/** Not being heard is worse than not being seen. What its owner has switched off is no trouble. */
export function troublesOf(p: Participant): Trouble[] {
  return KINDS.flatMap((device) => {
    const what = trouble(p.devices[device]);
    return what ? [{ device, what }] : [];
  });
}

function trouble(condition: DeviceCondition): Trouble['what'] | null {
  switch (condition.name) {
    case 'failed':
      return condition.fault;
    case 'silent':
    case 'echo':
      return condition.name;
    default:
      return null;
  }
}

const ALL: readonly DeviceFix[] = ['restartMicrophone', 'raiseInput', 'nextMicrophone', 'restartCamera', 'nextCamera', 'nextSpeaker', 'reconnect'];

/** Another device cannot be plugged in from afar, nor a person's own refusal undone. */
const HOPELESS: readonly Trouble['what'][] = ['denied', 'notSent'];

function helps({ device, what }: Trouble): DeviceFix[] {
  if (HOPELESS.includes(what)) return [];
  if (device === 'camera') return what === 'missing' || what === 'unplugged' ? ['nextCamera'] : ['restartCamera', 'nextCamera'];
  if (device === 'speaker') return ['nextSpeaker'];
  if (what === 'echo') return ['nextSpeaker', 'nextMicrophone'];
  return what === 'missing' || what === 'unplugged' ? ['nextMicrophone'] : ['restartMicrophone', 'nextMicrophone'];
}

/** What is likely to help, the likeliest first, and everything else that can be offered. */
export function fixesFor(p: Participant): { likely: DeviceFix[]; other: DeviceFix[] } {
  const weak = p.net === 'poor' || p.net === 'bad';
  const likely = [...new Set([...troublesOf(p).flatMap(helps), ...(weak ? (['reconnect'] as const) : [])])];
  return { likely, other: ALL.filter((fix) => !likely.includes(fix)) };
}

/** An offer that still waits for the person or their program. */
export const isUnderWay = (p: Participant): boolean => p.fix?.state === 'offered' || p.fix?.state === 'agreed';
