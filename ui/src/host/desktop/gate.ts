/**
 * Which frames of a track go to its decoder. A decoder must start at a key frame, must not see a gap, and must not fall
 * behind: a picture that comes late is worth less than the next one.
 */

/** Frames that may wait in the decoder; with one more, everything up to the next key frame is dropped. */
export const QUEUE_LIMIT = 3;
/** A key frame is asked for at most this often on one track. */
export const ASK_EVERY_MS = 500;

export interface Gate {
  /** Number of the frame that may come next; null while a key frame is awaited. */
  next: number | null;
  askedAt: number;
}

export const closedGate: Gate = { next: null, askedAt: -Infinity };

export interface Passage {
  gate: Gate;
  decode: boolean;
  /** Ask the host for a key frame. */
  ask: boolean;
}

export function pass(gate: Gate, frame: { key: boolean; number: number }, queued: number, nowMs: number): Passage {
  const behind = queued > QUEUE_LIMIT;
  if (frame.key && !behind) return { gate: { ...gate, next: frame.number + 1 }, decode: true, ask: false };
  if (!behind && gate.next === frame.number) return { gate: { ...gate, next: frame.number + 1 }, decode: true, ask: false };
  return wait(gate, nowMs);
}

/** Waits for a key frame, and asks for one unless it was asked for just now. */
export function wait(gate: Gate, nowMs: number): Passage {
  const ask = nowMs - gate.askedAt >= ASK_EVERY_MS;
  return { gate: { next: null, askedAt: ask ? nowMs : gate.askedAt }, decode: false, ask };
}
