// The seat that this tab holds, kept over a reload and gone when the tab is closed.

import type { SeatTaken } from '../../wire/generated';

const KEY = 'mingting.seat';

/** The seat, if this tab holds one. */
export function heldSeat(): SeatTaken | null {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    return isSeat(value) ? value : null;
  } catch {
    return null;
  }
}

function isSeat(value: unknown): value is SeatTaken {
  if (typeof value !== 'object' || value === null) return false;
  const { hearing, seat, token } = value as Record<string, unknown>;
  return [hearing, seat, token].every((part) => typeof part === 'string' && part !== '');
}

/** Keeps or forgets the seat. A browser that keeps nothing costs a reload the seat, no more. */
export function holdSeat(seat: SeatTaken | null): void {
  try {
    if (seat === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(seat));
  } catch {
    // Storage is closed in this browser.
  }
}
