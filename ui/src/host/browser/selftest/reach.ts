// Whether the court's server can be reached at all: a request, its answer, and a WebSocket. Each is tried once, by the same means
// as in a hearing. Takes no seat.

import { PROTOCOL_VERSION, type ClientFrame, type NetworkFacts, type Practice, type TestPath } from '../../../wire/generated';
import { HostFailure } from '../../host';
import { post } from '../api';
import { channelUrl } from '../session';
import { within } from './within';

/** Each step. */
const STEP_MS = 3_000;

/**
 * Name, connection and TLS. A browser says that a request arrived, and never why one did not: what it was is not known then,
 * only that the server is not reached.
 */
export async function reach(signal?: AbortSignal): Promise<Pick<NetworkFacts, 'name' | 'reach' | 'tls'>> {
  const answer = await within(fetch('/healthz', { cache: 'no-store' }), STEP_MS, signal).catch(() => null);
  if (answer === null) return { name: 'untested', reach: 'closed', tls: 'untested' };
  return { name: 'open', reach: 'open', tls: location.protocol === 'https:' ? 'open' : 'untested' };
}

/** Asks for a practice room; and how far this computer's clock is ahead. */
export async function answer(signal?: AbortSignal): Promise<{ answer: TestPath; practice: Practice | null; skewMs: number | null }> {
  const asked = Date.now();
  try {
    const practice = await within(post<Practice>('/practice', {}), STEP_MS, signal);
    const skewMs = Math.round((asked + Date.now()) / 2 - practice.serverTime);
    return { answer: 'open', practice, skewMs };
  } catch (error) {
    // A refusal is an answer of the court: all places are taken.
    const refused = error instanceof HostFailure && error.error.name === 'api' && error.error.error.code !== 'internal';
    return { answer: refused ? 'open' : 'closed', practice: null, skewMs: null };
  }
}

/** A frame of the hearing channel there and one back. The server refuses the token, and a refusal that arrives shows that nothing
 * in between stops a WebSocket. */
export async function channel(signal?: AbortSignal): Promise<TestPath> {
  const socket = new WebSocket(channelUrl('practice'));
  const said = new Promise<void>((resolve, reject) => {
    socket.onmessage = () => resolve();
    socket.onerror = () => reject(new DOMException('no channel', 'NetworkError'));
    socket.onclose = () => reject(new DOMException('no channel', 'NetworkError'));
    const hello: ClientFrame = { type: 'hello', protocol: PROTOCOL_VERSION, token: 'none', resumeAfter: null, dropCause: null, client: 'self-test' };
    socket.onopen = () => socket.send(JSON.stringify(hello));
  });
  try {
    await within(said, STEP_MS, signal);
    return 'open';
  } catch {
    return 'closed';
  } finally {
    socket.close();
  }
}
