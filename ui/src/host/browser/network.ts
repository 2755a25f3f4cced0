// One's own network in the media room, from the browser's own statistics.

import type { Room } from 'livekit-client';
import type { NetQuality } from '../../wire/generated';

/** Measured every five seconds. */
export const NETWORK_EVERY_MS = 5_000;

/** Counters of the room's connections at one moment. */
export interface Counters {
  atMs: number;
  bytesSent: number;
  bytesReceived: number;
  packetsReceived: number;
  packetsLost: number;
  /** Round trip of the media path, in milliseconds. */
  rttMs: number;
  /** Share of what we send that is lost, as the other side reports it. */
  sentLoss: number;
  jitterMs: number;
}

/** What the page and the court are told. */
export interface Measured {
  quality: NetQuality;
  rttMs: number;
  loss: number;
  jitterMs: number;
  sendingKbps: number;
  receivingKbps: number;
}

/** Grades a path as the server does (`NetReport::quality`). */
export function gradeOf(loss: number, rttMs: number): NetQuality {
  if (loss >= 0.15 || rttMs >= 1_000) return 'bad';
  return loss >= 0.05 || rttMs >= 400 ? 'poor' : 'good';
}

/** The network between two looks. `channelRttMs` is the round trip of the hearing channel; the larger one counts. */
export function measure(before: Counters, now: Counters, channelRttMs: number): Measured {
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1_000);
  // A new connection starts its counters at zero.
  const grown = (key: 'bytesSent' | 'bytesReceived' | 'packetsReceived' | 'packetsLost') => Math.max(0, now[key] - before[key]);
  const lost = grown('packetsLost');
  const received = grown('packetsReceived');
  const receivedLoss = lost + received === 0 ? 0 : lost / (lost + received);
  const loss = Math.min(1, Math.max(receivedLoss, now.sentLoss));
  const rttMs = Math.round(Math.max(now.rttMs, channelRttMs));
  return {
    quality: gradeOf(loss, rttMs),
    rttMs,
    loss,
    jitterMs: Math.round(now.jitterMs),
    sendingKbps: Math.round((grown('bytesSent') * 8) / 1_000 / seconds),
    receivingKbps: Math.round((grown('bytesReceived') * 8) / 1_000 / seconds),
  };
}

/** Adds the statistics of one connection to the counters. */
export function count(report: Iterable<Record<string, unknown>>, into: Counters): Counters {
  const number = (value: unknown) => (typeof value === 'number' ? value : 0);
  const sum = { ...into };
  for (const stat of report) {
    switch (stat['type']) {
      case 'candidate-pair':
        if (stat['nominated'] !== true) break;
        sum.bytesSent += number(stat['bytesSent']);
        sum.bytesReceived += number(stat['bytesReceived']);
        sum.rttMs = Math.max(sum.rttMs, number(stat['currentRoundTripTime']) * 1_000);
        break;
      case 'inbound-rtp':
        sum.packetsReceived += number(stat['packetsReceived']);
        sum.packetsLost += Math.max(0, number(stat['packetsLost']));
        sum.jitterMs = Math.max(sum.jitterMs, number(stat['jitter']) * 1_000);
        break;
      case 'remote-inbound-rtp':
        sum.sentLoss = Math.max(sum.sentLoss, number(stat['fractionLost']));
        break;
    }
  }
  return sum;
}

/** Looks at a room's connections once. */
export async function look(room: Room): Promise<Counters> {
  let counters: Counters = {
    atMs: performance.now(),
    bytesSent: 0,
    bytesReceived: 0,
    packetsReceived: 0,
    packetsLost: 0,
    rttMs: 0,
    sentLoss: 0,
    jitterMs: 0,
  };
  const connections = room.engine.pcManager;
  for (const transport of [connections?.publisher, connections?.subscriber]) {
    const report = await transport?.getStats()?.catch(() => undefined);
    const stats: Record<string, unknown>[] = [];
    report?.forEach((stat: Record<string, unknown>) => stats.push(stat));
    counters = count(stats, counters);
  }
  return counters;
}
