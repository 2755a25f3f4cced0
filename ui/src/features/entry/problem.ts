// What went wrong on the way in, as the page tells it. Pure; the words are chosen by the page from `name`.

import type { ApiErrorCode, HostError } from '../../wire/generated';

/** Something to tell the person. Times are milliseconds of the page's clock. */
export type Problem =
  | { name: Exclude<ApiErrorCode, 'tooManyTries' | 'codeNotYetValid'> }
  | { name: 'tooManyTries'; until: number }
  | { name: 'codeNotYetValid'; from: number | null }
  | { name: 'unreachable' }
  | { name: 'device' };

/** How long to hold back when the server did not say. */
const DEFAULT_HOLD_MS = 60_000;

/** What to tell about a failed command of the host. */
export function problemOf(error: HostError, nowMs: number): Problem {
  switch (error.name) {
    case 'api':
      return problemOfApi(error.error.code, error.error.retryAfterMs, error.error.validFrom, nowMs);
    case 'unreachable':
      return { name: 'unreachable' };
    case 'device':
    case 'shareDenied':
      return { name: 'device' };
    case 'noSession':
    case 'internal':
      return { name: 'internal' };
    default:
      return error satisfies never;
  }
}

function problemOfApi(code: ApiErrorCode, retryAfterMs: number | null, from: number | null, nowMs: number): Problem {
  if (code === 'tooManyTries') return { name: code, until: nowMs + (retryAfterMs ?? DEFAULT_HOLD_MS) };
  if (code === 'codeNotYetValid') return { name: code, from };
  return { name: code };
}

/** Milliseconds to wait before trying makes sense again. */
export function holdMs(problem: Problem | null, nowMs: number): number {
  return problem?.name === 'tooManyTries' ? Math.max(0, problem.until - nowMs) : 0;
}

/** The problem is about the name in the form, not about the whole form. */
export function isAboutName(problem: Problem | null): boolean {
  return problem?.name === 'nameMismatch';
}
