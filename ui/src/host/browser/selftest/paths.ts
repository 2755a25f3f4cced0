// What a browser's statistics say of the ways that media takes. Pure.

import type { TestPath } from '../../../wire/generated';

/** One line of `getStats`. */
export type Stat = Record<string, unknown>;

const number = (value: unknown) => (typeof value === 'number' ? value : 0);

/** So many checks without an answer, and a way is closed rather than slow. */
const CHECKS = 4;

/**
 * Media over UDP and over TCP. A browser checks every pair of addresses it knows; a pair that was answered is open, one
 * that was asked again and again in vain is closed, and of a way it did not try nothing is known.
 */
export function pathsOf(stats: readonly Stat[]): { udp: TestPath; tcp: TestPath } {
  const protocols = new Map(stats.filter(({ type }) => type === 'local-candidate').map((one) => [one['id'], one['protocol']]));
  const way = (protocol: string): TestPath => {
    const pairs = stats.filter((one) => one['type'] === 'candidate-pair' && protocols.get(one['localCandidateId']) === protocol);
    if (pairs.some((pair) => number(pair['responsesReceived']) > 0)) return 'open';
    const inVain = pairs.filter((pair) => number(pair['requestsSent']) >= CHECKS || pair['state'] === 'failed');
    return pairs.length > 0 && inVain.length === pairs.length ? 'closed' : 'untested';
  };
  return { udp: way('udp'), tcp: way('tcp') };
}

/** The way in use: an address pair that was chosen. */
function chosen(stats: readonly Stat[]): Stat | undefined {
  return stats.find((one) => one['type'] === 'candidate-pair' && one['nominated'] === true && one['state'] === 'succeeded');
}

/** Mean round trip of the checks (STUN) on the chosen way, in milliseconds. */
export function roundTripMs(stats: readonly Stat[]): number | null {
  const pair = chosen(stats);
  const answers = number(pair?.['responsesReceived']);
  return answers === 0 ? null : (number(pair?.['totalRoundTripTime']) / answers) * 1_000;
}

/** Counters of what comes back of one kind, at one moment. */
export interface Came {
  atMs: number;
  packets: number;
  lost: number;
  bytes: number;
  jitterMs: number;
}

/** What the receiving end has got of sound or pictures. */
export function cameOf(stats: readonly Stat[], kind: 'audio' | 'video', atMs: number): Came {
  const came: Came = { atMs, packets: 0, lost: 0, bytes: 0, jitterMs: 0 };
  for (const one of stats.filter((stat) => stat['type'] === 'inbound-rtp' && stat['kind'] === kind)) {
    came.packets += number(one['packetsReceived']);
    came.lost += number(one['packetsLost']);
    came.bytes += number(one['bytesReceived']) + number(one['headerBytesReceived']);
    came.jitterMs = Math.max(came.jitterMs, number(one['jitter']) * 1_000);
  }
  return came;
}

/** What the sending end has sent of pictures and the server says arrived: without what was lost, by the mean packet. */
export function arrivedOf(stats: readonly Stat[], atMs: number): { atMs: number; bytes: number } {
  const ofPictures = (type: string) => stats.filter((one) => one['type'] === type && one['kind'] === 'video');
  const sum = (of: Stat[], key: string) => of.reduce((all, one) => all + number(one[key]), 0);
  const [sent, told] = [ofPictures('outbound-rtp'), ofPictures('remote-inbound-rtp')];
  const bytes = sum(sent, 'bytesSent') + sum(sent, 'headerBytesSent');
  const lost = Math.max(0, sum(told, 'packetsLost'));
  return { atMs, bytes: bytes * Math.max(0, 1 - lost / Math.max(1, sum(sent, 'packetsSent'))) };
}

/** Loss and jitter between two looks; `null` where too little came to tell. */
export function quality(looks: readonly Came[]): { loss: number | null; jitterMs: number | null } {
  const [first, last] = [looks[0], looks.at(-1)];
  if (!first || !last || last.packets - first.packets < ENOUGH_PACKETS) return { loss: null, jitterMs: null };
  const lost = Math.max(0, last.lost - first.lost);
  const later = looks.slice(1);
  return {
    loss: lost / (lost + last.packets - first.packets),
    jitterMs: later.reduce((sum, { jitterMs }) => sum + jitterMs, 0) / later.length,
  };
}

/** A hundred sound packets say little of loss. */
const ENOUGH_PACKETS = 100;
