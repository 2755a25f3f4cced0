// The line to the court's server, measured: from a request to a stream of media that comes back.
//
// - `rttMs`: mean round trip of the checks (STUN) on the ways of both ends, sending and receiving. A packet that goes there on one
//   and back on the other takes half of each, so this is what the desktop program measures, without the server's forwarding.
// - `jitterMs`, `loss`: of the sound that came back; both directions together. Nothing of it is repaired.
// - `upBps`, `downBps`: see `ramp`.
// - `udp`, `tcp`: what the browser's own checks say, see `paths`. It is not made to take one of them.
// - `tunnel`, `proxy`: a browser cannot know (declared in `can`).
//
// It never fails and always ends; what was not reached stays untested.

import type { NetworkFacts } from '../../../wire/generated';
import { arrivedOf, cameOf, pathsOf, quality, roundTripMs, type Came, type Stat } from './paths';
import { Pattern } from './pattern';
import { LOOK_MS, mostOf, STEP_MS, STEPS_BPS, type Arrived } from './ramp';
import { answer, channel, reach } from './reach';
import { Mirror } from './room';
import { pass } from './within';

/** Until both ends are in the room. */
const ENTER_MS = 8_000;
/** Until sound comes back, from then on. */
const FIRST_MS = 4_000;
/** How long sound and a small picture go there and back. */
const QUALITY_MS = 5_000;
const QUALITY_LOOK_MS = 500;
/** The picture meanwhile, in bits a second. */
const QUALITY_BPS = 400_000;

/** Nothing is known yet. */
export const UNTESTED: NetworkFacts = {
  name: 'untested',
  reach: 'untested',
  tls: 'untested',
  answer: 'untested',
  channel: 'untested',
  udp: 'untested',
  tcp: 'untested',
  tunnel: 'untested',
  proxy: false,
  rttMs: null,
  jitterMs: null,
  loss: null,
  upBps: null,
  downBps: null,
  skewMs: null,
};

/** Measures; `note` is told what is known so far. */
export async function measureNetwork(note: (facts: NetworkFacts) => void, signal?: AbortSignal): Promise<void> {
  let facts = UNTESTED;
  const say = (more: Partial<NetworkFacts>) => note((facts = { ...facts, ...more }));
  say(await reach(signal));
  if (facts.reach === 'closed') return;
  const answered = await answer(signal);
  say({ answer: answered.answer, skewMs: answered.skewMs });
  if (answered.answer !== 'open') return;
  const channelled = channel(signal).then((open) => say({ channel: open }));
  if (answered.practice !== null) {
    const mirror = new Mirror();
    try {
      await mirror.enter(answered.practice, ENTER_MS, signal);
      await throughRoom(mirror, say, signal);
    } catch {
      // Both ways were tried, and neither brought anything through.
      if (!signal?.aborted && mirror.why === 'media') say(orClosed(pathsOf([...(await mirror.sent()), ...(await mirror.came())])));
    } finally {
      await mirror.leave();
    }
  }
  await channelled;
}

type Paths = Pick<NetworkFacts, 'udp' | 'tcp'>;
/** Where no media came at all, a way that was not answered is closed. */
const orClosed = ({ udp, tcp }: Paths): Paths => ({ udp: udp === 'open' ? 'open' : 'closed', tcp: tcp === 'open' ? 'open' : 'closed' });

async function throughRoom(mirror: Mirror, say: (more: Partial<NetworkFacts>) => void, signal?: AbortSignal): Promise<void> {
  const pattern = new Pattern();
  try {
    await mirror.send(pattern.sound, pattern.picture, QUALITY_BPS);
    const begun = performance.now();
    let stats: Stat[] = [];
    while (!signal?.aborted && performance.now() - begun < FIRST_MS && cameOf(stats, 'audio', 0).packets === 0) {
      await pass(LOOK_MS, signal);
      stats = await mirror.came();
    }
    const ways = async () => pathsOf([...(await mirror.sent()), ...(await mirror.came())]);
    const came = cameOf(stats, 'audio', 0).packets > 0;
    say(came ? await ways() : orClosed(await ways()));
    if (!came) return;
    await measureQuality(mirror, say, signal);
    // A way that is tried late has had its time by now.
    say(await ways());
    if (mirror.sendsPicture) await measureRates(mirror, say, signal);
  } finally {
    pattern.stop();
  }
}

async function measureQuality(mirror: Mirror, say: (more: Partial<NetworkFacts>) => void, signal?: AbortSignal): Promise<void> {
  const looks: Came[] = [];
  for (let gone = 0; gone <= QUALITY_MS && !signal?.aborted; gone += QUALITY_LOOK_MS) {
    const [sent, came] = await Promise.all([mirror.sent(), mirror.came()]);
    looks.push(cameOf(came, 'audio', performance.now()));
    const trips = [roundTripMs(sent), roundTripMs(came)].filter((trip) => trip !== null);
    const rttMs = trips.length === 0 ? null : trips.reduce((sum, trip) => sum + trip, 0) / trips.length;
    say({ rttMs, ...quality(looks) });
    await pass(QUALITY_LOOK_MS, signal);
  }
}

async function measureRates(mirror: Mirror, say: (more: Partial<NetworkFacts>) => void, signal?: AbortSignal): Promise<void> {
  const [up, down]: [Arrived[], Arrived[]] = [[], []];
  for (const bps of STEPS_BPS) {
    await mirror.ask(bps);
    for (let gone = 0; gone < STEP_MS && !signal?.aborted; gone += LOOK_MS) {
      const [sent, came] = await Promise.all([mirror.sent(), mirror.came()]);
      const now = performance.now();
      up.push(arrivedOf(sent, now));
      down.push(cameOf(came, 'video', now));
      await pass(LOOK_MS, signal);
    }
  }
  if (!signal?.aborted) say({ upBps: mostOf(up), downBps: mostOf(down) });
}
