/** What fills the courtroom screen, as a function of state and time. */
import type { HearingState, LinkState, Snapshot, TimeMs, Words } from '../wire/generated';
import { viewer } from './hearing';
import { isCourt, standing } from './people';

export type Stage =
  /** The court. A pause lies over it. */
  | { name: 'court'; pause: Pause | null }
  /** 您已被屏蔽. Nothing of the hearing is shown. */
  | { name: 'isolated'; reason: Words; since: TimeMs }
  /** The way to the server is lost. */
  | { name: 'reconnecting'; attempt: number; nextTryAt: TimeMs; lostAt: TimeMs }
  /** The hearing is over for everybody. */
  | { name: 'over'; state: Over };

export type Over = Extract<HearingState, { name: 'closed' | 'archived' | 'cancelled' | 'adjourned' | 'movedOffline' }>;

export type Pause =
  | { name: 'notOpened' }
  | { name: 'waiting' }
  | { name: 'recess'; reason: Words; until: TimeMs | null }
  | { name: 'judgeLost' }
  | { name: 'technical'; note: Words };

/** A drop shorter than this is not worth a new screen. */
export const SHORT_DROP_MS = 2000;

/** When the way was lost and what is known since; kept by the page itself. */
export interface Drop {
  lostAt: TimeMs;
  attempt: number;
  nextTryAt: TimeMs;
}

/** The drop after the link said something. */
export function dropAfter(drop: Drop | null, link: LinkState, wasLive: boolean, now: TimeMs): Drop | null {
  switch (link.name) {
    case 'live':
    case 'ended':
      return null;
    case 'connecting':
      return wasLive ? (drop ?? { lostAt: now, attempt: 1, nextTryAt: now }) : null;
    case 'retrying':
      return { lostAt: drop?.lostAt ?? now - link.lostForMs, attempt: link.attempt, nextTryAt: now + link.retryInMs };
  }
}

export function stageOf(snapshot: Snapshot, drop: Drop | null, now: TimeMs): Stage {
  const over = overOf(snapshot.state);
  if (over) return { name: 'over', state: over };
  if (drop && now - drop.lostAt >= SHORT_DROP_MS) return { name: 'reconnecting', ...drop };
  const you = viewer(snapshot);
  const place = you && standing(you.state);
  if (place?.name === 'isolated') return { name: 'isolated', reason: place.reason, since: place.since };
  return { name: 'court', pause: pauseOf(snapshot.state, you !== undefined && isCourt(you.seat.role)) };
}

export function overOf(state: HearingState): Over | null {
  switch (state.name) {
    case 'closed':
    case 'archived':
    case 'cancelled':
    case 'adjourned':
    case 'movedOffline':
      return state;
    default:
      return null;
  }
}

function pauseOf(state: HearingState, court: boolean): Pause | null {
  switch (state.name) {
    case 'scheduled':
      return { name: 'notOpened' };
    case 'open':
      // The court sees and hears who is there before it starts.
      return court ? null : { name: 'waiting' };
    case 'recess':
      return { name: 'recess', reason: state.reason, until: state.until };
    case 'suspended':
      return state.cause.name === 'judgeLost' ? { name: 'judgeLost' } : { name: 'technical', note: state.cause.note };
    default:
      return null;
  }
}

/** How the seal reads. */
export function sealOf(state: HearingState): 'open' | 'session' | 'recess' | 'suspended' | 'signing' | 'closed' {
  switch (state.name) {
    case 'scheduled':
    case 'open':
      return 'open';
    case 'inSession':
      return 'session';
    case 'recess':
    case 'suspended':
    case 'signing':
      return state.name;
    default:
      return 'closed';
  }
}
