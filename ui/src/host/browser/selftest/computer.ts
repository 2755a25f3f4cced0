// The computer, as far as a browser tells of it. What it does not tell is declared in `can` and stays unknown.

import type { ComputerFacts, TestPower } from '../../../wire/generated';
import type { Unknowable } from '../../host';
import { measureCodec } from './codec';
import { within } from './within';

/** What only some browsers have. */
interface Hints extends Navigator {
  /** GiB, rounded, and never more than eight. */
  deviceMemory?: number;
  getBattery?: () => Promise<{ charging: boolean; level: number }>;
  userAgentData?: { platform: string; getHighEntropyValues(hints: string[]): Promise<{ platformVersion?: string }> };
}

/** A battery that does not answer within this time is not there. */
const ANSWER_MS = 1_000;

/** Measures for two seconds at most. */
export async function measureComputer(signal?: AbortSignal): Promise<ComputerFacts> {
  const hints: Hints = navigator;
  const [system, power] = await Promise.all([systemOf(hints, signal), powerOf(hints, signal)]);
  const codec = await measureCodec(signal);
  return {
    system,
    webview: browserOf(navigator.userAgent),
    cores: navigator.hardwareConcurrency || 1,
    busy: null,
    memoryMib: hints.deviceMemory === undefined ? null : hints.deviceMemory * 1_024,
    freeMemoryMib: null,
    freeDiskMib: null,
    power,
    saver: null,
    codec,
  };
}

/** What no browser tells, and what this one does not. */
export function cannotKnow(hints: Hints = navigator): Unknowable[] {
  const cannot: Unknowable[] = ['holders', 'flipped', 'proxy', 'tunnel', 'systemSwitches', 'load'];
  if (hints.deviceMemory === undefined) cannot.push('memory');
  cannot.push('disk');
  if (hints.getBattery === undefined) cannot.push('power');
  cannot.push('saver');
  if (typeof VideoEncoder === 'undefined' || typeof VideoDecoder === 'undefined') cannot.push('codec');
  return cannot;
}

async function systemOf(hints: Hints, signal?: AbortSignal): Promise<string> {
  const { userAgentData } = hints;
  if (userAgentData?.platform) {
    const more = await within(userAgentData.getHighEntropyValues(['platformVersion']), ANSWER_MS, signal).catch(() => null);
    return `${userAgentData.platform} ${more?.platformVersion ?? ''}`.trim();
  }
  return systemIn(navigator.userAgent);
}

async function powerOf(hints: Hints, signal?: AbortSignal): Promise<TestPower | null> {
  const battery = await within(hints.getBattery?.() ?? Promise.resolve(null), ANSWER_MS, signal).catch(() => null);
  if (battery === null) return null;
  return battery.charging ? { name: 'mains' } : { name: 'battery', percent: Math.round(battery.level * 100) };
}

/** The system that a browser without better manners names in its user agent. */
export function systemIn(agent: string): string {
  return /\(([^;)]+)(?:;\s*([^;)]+))?/u.exec(agent)?.slice(1, 3).filter(Boolean).join(' ') ?? '';
}

/** The browser and its version; `null` where the user agent names none that is known. */
export function browserOf(agent: string): string | null {
  for (const [name, sign] of BROWSERS) {
    const version = sign.exec(agent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return null;
}

/** The most particular first: each of them also names the ones below it. */
const BROWSERS: [string, RegExp][] = [
  ['Edge', /Edg\w*\/([\d.]+)/u],
  ['Firefox', /(?:Firefox|FxiOS)\/([\d.]+)/u],
  ['Chrome', /(?:HeadlessChrome|Chrome|CriOS)\/([\d.]+)/u],
  ['Safari', /Version\/([\d.]+).*Safari/u],
];
