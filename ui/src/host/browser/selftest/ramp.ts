// How much comes through: which rates are asked for, and what follows from what arrived. Pure.
//
// A browser decides by itself how fast it sends and finds out only slowly how much a line carries. So a rate that still rose
// at the end is the browser's and not the line's: below what a hearing needs it says nothing, and nothing is said.

/** What the encoder is asked for, in bits a second. The last is more than a hearing needs from anybody. */
export const STEPS_BPS = [1_000_000, 2_500_000, 5_000_000, 10_000_000];
/** How long each is asked for, in milliseconds. */
export const STEP_MS = 1_300;
/** Counters are read so often. */
export const LOOK_MS = 250;
/** Rates are of no less time than this. */
const WINDOW_MS = 450;
/** From here on a hearing lacks nothing (`GOOD_UP_BPS`, `GOOD_DOWN_BPS` of the judge), and whether more would come is no matter. */
export const ENOUGH_BPS = 2_500_000;
/** A rate of the last part that is higher than that of the one before by this still grows. */
const GROWS = 1.15;

/** Bytes that had arrived at a moment. */
export interface Arrived {
  atMs: number;
  bytes: number;
}

/** Rates over windows, in bits a second, in order. */
export function rates(looks: readonly Arrived[]): number[] {
  return looks.flatMap((look, i) => {
    const before = looks.slice(0, i).findLast(({ atMs }) => look.atMs - atMs >= WINDOW_MS);
    return before ? [Math.max(0, ((look.bytes - before.bytes) * 8_000) / (look.atMs - before.atMs))] : [];
  });
}

/** The most that came through, in bits a second; `null` where it was still growing and not yet enough. */
export function mostOf(looks: readonly Arrived[]): number | null {
  const all = rates(looks);
  if (all.length === 0) return null;
  const most = Math.max(...all);
  const middle = (part: number[]) => part.reduce((sum, rate) => sum + rate, 0) / Math.max(1, part.length);
  const third = Math.ceil(all.length / 3);
  const grows = middle(all.slice(-third)) > middle(all.slice(-2 * third, -third)) * GROWS;
  return most < ENOUGH_BPS && grows ? null : Math.round(most);
}
