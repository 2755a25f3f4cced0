/** What the court may do about one person now: the items of the per-person menu, in order. */
import type { Command, FindingKind, HearingState, Participant } from '../wire/generated';
import { isCourt, standing } from './people';
import type { Rights } from './rights';

export type MenuItem =
  | { name: string; does: { kind: 'command'; command: Command }; group: number }
  /** Asks first, with a reason. */
  | { name: string; does: { kind: 'ask'; what: 'isolate' | 'remove' | 'help' | 'identity' | 'check' }; group: number }
  | { name: string; does: { kind: 'finding'; what: FindingKind }; group: number };

export function menuOf(p: Participant, state: HearingState, floor: string | null, rights: Rights): MenuItem[] {
  const seat = p.seat.id;
  const items: MenuItem[] = [];
  const add = (group: number, name: string, command: Command) => items.push({ name, group, does: { kind: 'command', command } });
  const place = standing(p.state).name;
  const session = state.name === 'inSession';
  const m = p.media;
  const partyLike = !isCourt(p.seat.role);

  if (rights.order && place === 'inCourt') {
    if (session) {
      if (floor === seat) add(1, 'floorEnd', { type: 'floor.give', seat: null });
      else add(1, 'floorGive', { type: 'floor.give', seat });
    }
    if (!m.mic && !m.micLocked) add(1, 'askUnmute', { type: 'media.askUnmute', seat });
    if (p.sharing) add(1, 'stopShare', { type: 'share.stop', seat });
    add(2, m.micLocked ? 'micUnlock' : 'micLock', { type: m.micLocked ? 'media.unlock' : 'media.lock', seat, kind: 'audio' });
    add(2, m.cameraLocked ? 'cameraUnlock' : 'cameraLock', { type: m.cameraLocked ? 'media.unlock' : 'media.lock', seat, kind: 'video' });
    add(2, m.audioBlocked ? 'audioUnblock' : 'audioBlock', { type: m.audioBlocked ? 'media.unblock' : 'media.block', seat, kind: 'audio' });
    add(2, m.videoBlocked ? 'videoUnblock' : 'videoBlock', { type: m.videoBlocked ? 'media.unblock' : 'media.block', seat, kind: 'video' });
  }
  if (rights.order && partyLike) {
    const heard = p.seat.role === 'witness' || p.seat.role === 'expert';
    if (place === 'witnessRoom' && session) add(3, 'callWitness', { type: 'seat.callWitness', seat });
    if (place === 'waiting' && (session || state.name === 'recess')) add(3, 'admit', { type: 'seat.admit', seat });
    if (place === 'isolated') add(3, 'recall', { type: 'seat.recall', seat });
    if (place === 'inCourt') {
      if (heard) add(3, 'dismiss', { type: 'seat.dismiss', seat });
      items.push({ name: 'isolate', group: 3, does: { kind: 'ask', what: 'isolate' } });
    }
    if (p.identity === 'none' || p.identity === 'failed') add(4, 'identityRequest', { type: 'identity.request', seat });
    if (p.identity === 'pending' || p.identity === 'requested') items.push({ name: 'identityConfirm', group: 4, does: { kind: 'ask', what: 'identity' } });
    if (rights.preside && (p.identity === 'none' || p.identity === 'requested' || p.identity === 'failed')) add(4, 'identityWaive', { type: 'identity.waive', seat });
  }
  if (partyLike && rights.health && place !== 'left' && place !== 'removed' && place !== 'invited') {
    items.push({ name: 'check', group: 5, does: { kind: 'ask', what: 'check' } });
    items.push({ name: 'answer', group: 5, does: { kind: 'ask', what: 'help' } });
  }
  if (rights.preside && partyLike) {
    if (session && place !== 'inCourt' && place !== 'isolated' && place !== 'removed') items.push({ name: 'finding.absent', group: 6, does: { kind: 'finding', what: 'absent' } });
    if (session && (p.state.name === 'disconnected' || place === 'left')) {
      items.push({ name: 'finding.withdrewWithoutLeave', group: 6, does: { kind: 'finding', what: 'withdrewWithoutLeave' } });
      items.push({ name: 'finding.excusedDrop', group: 6, does: { kind: 'finding', what: 'excusedDrop' } });
    }
    if (place === 'inCourt' || place === 'isolated' || place === 'waiting' || place === 'witnessRoom') {
      items.push({ name: 'remove', group: 7, does: { kind: 'ask', what: 'remove' } });
    }
  }
  return items;
}
