// How long to wait before the next try. Pure: the randomness comes in as an argument.

/** First wait, in milliseconds. */
export const FIRST_WAIT_MS = 500;
/** Longest wait, in milliseconds. */
export const LONGEST_WAIT_MS = 10_000;

/**
 * Milliseconds before try `attempt` (from 1): doubling from half a second to ten seconds, of which a random half is
 * taken off, so that a restarted server is not met by a whole court at once. `random` is in [0, 1).
 */
export function retryDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(ceiling * (1 - random / 2));
}
