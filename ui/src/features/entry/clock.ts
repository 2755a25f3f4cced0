// Times as the entry screens show them. Pure: `now` is the server's clock and comes in as an argument.

/** The wait before a hearing begins. */
export type Countdown = { name: 'running'; text: string } | { name: 'due' };

const SECOND_MS = 1_000;

/** `HH:MM:SS` until the start; days are folded into hours because the waiting room opens a day before at most. */
export function countdown(startsAtMs: number, nowMs: number): Countdown {
  const left = Math.ceil((startsAtMs - nowMs) / SECOND_MS);
  if (left <= 0) return { name: 'due' };
  const two = (n: number) => String(n).padStart(2, '0');
  return { name: 'running', text: `${two(Math.floor(left / 3_600))}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}` };
}

/** Whole minutes or seconds to wait before another try, the unit a person would use. */
export function waitFor(ms: number): { unit: 'seconds' | 'minutes'; n: number } {
  const seconds = Math.max(1, Math.ceil(ms / SECOND_MS));
  return seconds < 90 ? { unit: 'seconds', n: seconds } : { unit: 'minutes', n: Math.ceil(seconds / 60) };
}
