/** What follows from a browser's statistics. */
import { describe, expect, it } from 'vitest';
import { arrivedOf, cameOf, pathsOf, quality, roundTripMs, type Stat } from './paths';
import { mostOf, rates } from './ramp';

const candidate = (id: string, protocol: string): Stat => ({ type: 'local-candidate', id, protocol });
const pair = (local: string, more: Stat): Stat => ({ type: 'candidate-pair', localCandidateId: local, state: 'in-progress', requestsSent: 0, responsesReceived: 0, ...more });
const both = [candidate('u', 'udp'), candidate('t', 'tcp')];

describe('the ways of media', () => {
  it.each<[string, Stat[], object]>([
    ['a way that was answered is open; of one that was not tried nothing is known', [pair('u', { responsesReceived: 3, state: 'succeeded' }), pair('t', {})], { udp: 'open', tcp: 'untested' }],
    ['UDP was asked in vain, TCP answers', [pair('u', { requestsSent: 9 }), pair('t', { responsesReceived: 1 })], { udp: 'closed', tcp: 'open' }],
    ['one of several addresses is enough', [pair('u', { requestsSent: 9 }), pair('u', { responsesReceived: 1 })], { udp: 'open', tcp: 'untested' }],
    ['an address that failed and one that still tries', [pair('u', { state: 'failed' }), pair('u', { requestsSent: 1 })], { udp: 'untested', tcp: 'untested' }],
    ['nothing at all', [], { udp: 'untested', tcp: 'untested' }],
  ])('%s', (_, pairs, expected) => expect(pathsOf([...both, ...pairs])).toEqual(expected));

  it('take the mean round trip of the chosen one', () => {
    const chosen = pair('u', { nominated: true, state: 'succeeded', responsesReceived: 4, totalRoundTripTime: 0.2 });
    expect(roundTripMs([...both, pair('t', { responsesReceived: 9, totalRoundTripTime: 9 }), chosen])).toBe(50);
    expect(roundTripMs(both)).toBeNull();
  });
});

describe('what comes back', () => {
  const at = (packets: number, lost: number, jitterMs = 10) => ({ atMs: 0, packets, lost, bytes: 0, jitterMs });
  it('has loss and jitter of the time in between', () => {
    expect(quality([at(1_000, 500, 90), at(1_090, 505), at(1_180, 520, 20)])).toEqual({ loss: 0.1, jitterMs: 15 });
    // A packet that came late after all is counted back.
    expect(quality([at(0, 3), at(200, 1)]).loss).toBe(0);
  });
  it('says nothing of too few packets', () => {
    expect(quality([])).toEqual({ loss: null, jitterMs: null });
    expect(quality([at(0, 0), at(50, 50)])).toEqual({ loss: null, jitterMs: null });
  });
  it('is counted by kind, and without what was lost on the way up', () => {
    const stats: Stat[] = [
      { type: 'inbound-rtp', kind: 'audio', packetsReceived: 5, packetsLost: 1, bytesReceived: 100, headerBytesReceived: 20, jitter: 0.004 },
      { type: 'inbound-rtp', kind: 'video', packetsReceived: 7, bytesReceived: 900 },
      { type: 'outbound-rtp', kind: 'video', packetsSent: 10, bytesSent: 900, headerBytesSent: 100 },
      { type: 'remote-inbound-rtp', kind: 'video', packetsLost: 2 },
    ];
    expect(cameOf(stats, 'audio', 7)).toEqual({ atMs: 7, packets: 5, lost: 1, bytes: 120, jitterMs: 4 });
    expect(arrivedOf(stats, 7).bytes).toBeCloseTo(800);
  });
});

describe('rates', () => {
  /** Bytes at these rates, a quarter of a second each. */
  const looks = (bps: number[]) => bps.reduce((all, rate) => [...all, { atMs: all.length * 250, bytes: (all.at(-1)?.bytes ?? 0) + rate / 32 }], [{ atMs: 0, bytes: 0 }]);
  it('are of half a second', () => expect(rates(looks([1e6, 1e6, 2e6, 2e6]))).toEqual([1e6, 1.5e6, 2e6]));
  it('that stand still below what a hearing needs are those of the line', () => {
    expect(mostOf(looks([3e5, 6e5, 8e5, 8e5, 8e5, 8e5, 8e5, 8e5, 8e5, 8e5]))).toBe(800_000);
  });
  it('that still grow at the end are the browser’s, and say nothing unless they are enough', () => {
    const growing = [2e5, 3e5, 4e5, 5e5, 6e5, 8e5, 1e6, 1.2e6, 1.4e6, 1.6e6];
    expect(mostOf(looks(growing))).toBeNull();
    expect(mostOf(looks(growing.map((bps) => bps * 3)))).toBe(4_500_000);
  });
  it('are not there without looks, and a counter that begins anew is no rate', () => {
    expect(mostOf([])).toBeNull();
    expect(rates([{ atMs: 0, bytes: 100 }, { atMs: 500, bytes: 0 }])).toEqual([0]);
  });
});
