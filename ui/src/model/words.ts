/** What the court said to a person: the words of its people, to everybody in court or to this person alone. Pure. */
import type { Envelope, SeatId } from '../wire/generated';
import { called, isCourt } from './people';

export interface CourtWords {
  seq: number;
  /** Empty when the system itself spoke. */
  who: string;
  text: string;
}

export function courtWords(log: readonly Envelope[], you: SeatId, after: number): CourtWords[] {
  return log.flatMap((e) => {
    if (e.seq <= after || (e.type !== 'message' && e.type !== 'help')) return [];
    const court = e.actor === null || (isCourt(e.actor.role) && e.actor.seat !== you);
    const forYou = e.type === 'message' || e.payload.seat === you;
    return court && forYou && e.payload.text !== '' ? [{ seq: e.seq, who: e.actor ? called(e.actor) : '', text: e.payload.text }] : [];
  });
}

/** However short, long enough to notice and to read twice. */
const SHOWN_MS = 8_000;
/** However long: the rest stands in 消息. */
const SHOWN_LIMIT_MS = 24_000;
/** Somebody who reads slowly. */
const PER_CHARACTER_MS = 250;

/** How long words stay over the court. */
export function readingMs(words: readonly CourtWords[]): number {
  const characters = words.reduce((sum, { who, text }) => sum + who.length + text.length, 0);
  return Math.min(SHOWN_LIMIT_MS, Math.max(SHOWN_MS, characters * PER_CHARACTER_MS));
}
