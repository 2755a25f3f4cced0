/** Why the person should open the microphone now, if at all. Only the person ever opens it. */
import type { Participant, Snapshot } from '../wire/generated';
import { inCourt } from './people';

export type Turn = 'asked' | 'floor' | 'muted';

export function turnOf(hearing: Snapshot, you: Participant, talkingWhileMuted: boolean): Turn | null {
  const live = hearing.state.name === 'inSession' || hearing.state.name === 'open' || hearing.state.name === 'signing';
  if (!live || !inCourt(you) || you.media.mic || you.media.micLocked) return null;
  if (you.media.askedToUnmute) return 'asked';
  if (hearing.floor?.seat === you.seat.id) return 'floor';
  return talkingWhileMuted ? 'muted' : null;
}
