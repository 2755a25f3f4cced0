/** Which acts of the court are possible now. Official acts keep their place; this says which can be used. */
import type { Snapshot } from '../wire/generated';
import { inCourt, isCourt, standing } from './people';
import type { Rights } from './rights';

export interface Acts {
  open: boolean;
  start: boolean;
  recess: boolean;
  resume: boolean;
  close: boolean;
  phase: boolean;
  /** Mute, isolate and the like. */
  order: boolean;
  /** A witness or expert waits to be called. */
  witness: boolean;
  /** What the button for everybody's microphones does. */
  muteAll: 'lock' | 'unlock';
  /** Rare acts, in a menu. */
  more: ('technical' | 'adjourn' | 'moveOffline' | 'cancel')[];
}

export function actsOf(hearing: Snapshot, rights: Rights): Acts {
  const state = hearing.state.name;
  const session = state === 'inSession';
  const begun = session || state === 'recess' || state === 'suspended' || state === 'signing';
  const held = begun || state === 'open';
  const parties = hearing.participants.filter((p) => inCourt(p) && !isCourt(p.seat.role));
  const more: Acts['more'] = [];
  if (rights.suspend && session) more.push('technical');
  if (rights.preside && (held || state === 'scheduled')) more.push('adjourn', 'moveOffline', 'cancel');
  return {
    open: rights.open && state === 'scheduled',
    start: rights.preside && state === 'open',
    recess: rights.order && session,
    resume: rights.preside && (state === 'recess' || state === 'suspended' || state === 'signing'),
    close: rights.preside && (session || state === 'recess' || state === 'signing'),
    phase: rights.order && session,
    order: rights.order && held,
    witness: rights.order && session && hearing.participants.some((p) => standing(p.state).name === 'witnessRoom' && p.state.name !== 'disconnected'),
    muteAll: parties.length > 0 && parties.every((p) => p.media.micLocked) ? 'unlock' : 'lock',
    more,
  };
}
