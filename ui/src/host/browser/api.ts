// Requests to the court's server outside the hearing channel.

import { HostFailure } from '../host';
import type { ApiError } from '../../wire/generated';

const BASE = '/api/v1';
/** A server that does not answer within this time is taken as unreachable. */
const ANSWER_LIMIT_MS = 10_000;

/** Sends a request and reads the reply; fails with {@link HostFailure} only. */
export async function post<Reply>(path: string, body: unknown, bearer?: string): Promise<Reply> {
  return need(await ask('POST', path, body, bearer));
}

/** Asks for something; fails with {@link HostFailure} only. */
export async function get<Reply>(path: string, bearer: string): Promise<Reply> {
  return need(await ask('GET', path, undefined, bearer));
}

/** Sends something to which the server has nothing to say but that it came. */
export async function tell(path: string, body: unknown): Promise<void> {
  await ask('POST', path, body);
}

function need<Reply>(value: unknown): Reply {
  // A success without a reply is not the court's.
  if (value === null) throw new HostFailure(failureOf(200, null));
  return value as Reply;
}

async function ask(method: 'GET' | 'POST', path: string, body: unknown, bearer?: string): Promise<unknown> {
  const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
  const answer = await fetch(BASE + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  }).catch(() => {
    throw new HostFailure({ name: 'unreachable' });
  });
  const value: unknown = await answer.json().catch(() => null);
  if (answer.ok) return value;
  throw new HostFailure(failureOf(answer.status, value));
}

/** The failure behind an answer that is not a success. */
export function failureOf(status: number, body: unknown): HostFailure['error'] {
  if (isApiError(body)) return { name: 'api', error: body };
  // Something between us and the server answered: a proxy that cannot reach it, or its error page.
  if (status >= 502 && status <= 504) return { name: 'unreachable' };
  const code = status === 429 ? 'tooManyTries' : 'internal';
  return { name: 'api', error: { code, retryAfterMs: null, validFrom: null } };
}

function isApiError(body: unknown): body is ApiError {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';
}

/** Round trip to the server in milliseconds, the best of three; `null` when it cannot be reached. */
export async function roundTrip(): Promise<number | null> {
  let best: number | null = null;
  for (let i = 0; i < 3; i += 1) {
    const before = performance.now();
    const answer = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(3_000) }).catch(() => null);
    // A proxy that cannot reach the server answers too.
    if (answer === null || !answer.ok) continue;
    const took = Math.round(performance.now() - before);
    best = best === null ? took : Math.min(best, took);
  }
  return best;
}
