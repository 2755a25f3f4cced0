/** Which screen the page shows. It follows from the state alone, so no address can contradict the hearing. */
import type { ByeReason, LinkState, Snapshot } from '../wire/generated';
import { viewer } from './hearing';
import { isCourt, standing } from './people';
import { overOf } from './stage';

export type Screen =
  /** Nobody has taken a seat here: sign-in, case check. */
  | { name: 'entry' }
  /** A seat is taken, and the hearing is not there yet. */
  | { name: 'joining' }
  /** Device check, identity, discipline, waiting room, witness room. */
  | { name: 'steps' }
  /** The courtroom; its own states are in model/stage.ts. */
  | { name: 'courtroom' }
  /** Over, for good: this page holds no seat any more. */
  | { name: 'ended'; reason: ByeReason };

export function screenOf(seated: boolean, link: LinkState, snapshot: Snapshot | null): Screen {
  if (link.name === 'ended') return { name: 'ended', reason: link.reason };
  if (!seated) return { name: 'entry' };
  if (!snapshot) return { name: 'joining' };
  const you = viewer(snapshot);
  // Who was in court sees the end there; who was still on the way is told on the last page.
  const onTheWay: Screen = overOf(snapshot.state) ? { name: 'ended', reason: 'hearingEnded' } : { name: 'steps' };
  switch (you && standing(you.state).name) {
    case 'waiting':
      // The court itself does not wait: it opens the hearing from its own screen.
      return isCourt(you?.seat.role ?? 'observer') ? { name: 'courtroom' } : onTheWay;
    case 'inCourt':
    case 'isolated':
      return { name: 'courtroom' };
    case 'left':
      return { name: 'ended', reason: 'left' };
    case 'removed':
      return { name: 'ended', reason: 'removed' };
    default:
      return onTheWay;
  }
}
