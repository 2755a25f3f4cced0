/** What a role may do in a hearing, so that the page offers no more. The server decides again. */
import type { HearingSettings, HearingState, Role } from '../wire/generated';
import { isCourt } from './people';

export interface Rights {
  /** Call the hearing in: hearing.open. */
  open: boolean;
  /** Start, resume, close, adjourn, cancel, move offline; remove a person; make findings; waive an identity check. */
  preside: boolean;
  /** Recess, phases, the floor, admission, isolation, media locks, answering requests. */
  order: boolean;
  /** Declare a technical interruption. */
  suspend: boolean;
  /** See how everybody's connection and devices are. */
  health: boolean;
  /** Offer to put somebody's device right. */
  fix: boolean;
  share: 'free' | 'ask' | 'no';
  /** What the person may ask the court for, beside the floor, a share and leave. */
  asks: readonly ('recess' | 'phase')[];
  /** Archive a hearing that was closed. */
  archive: boolean;
  message: boolean;
}

/** 法官助理 may do what the clerk may. */
const isClerk = (role: Role): boolean => role === 'clerk' || role === 'assistant';

/** Whom a closed hearing still lets in, to archive it. */
export const archives = (role: Role): boolean => role === 'presidingJudge' || isClerk(role);

export function rightsOf(role: Role, settings: HearingSettings): Rights {
  const judge = role === 'presidingJudge';
  const clerk = isClerk(role);
  return {
    open: judge || clerk,
    preside: judge,
    order: judge || (clerk && settings.clerkAssists),
    suspend: judge || clerk || (role === 'technician' && settings.technicianMaySuspend),
    health: isCourt(role),
    fix: judge || clerk || role === 'technician',
    share: shareOf(role, settings),
    asks: asksOf(role),
    archive: archives(role),
    message: role !== 'observer' && role !== 'technician',
  };
}

function asksOf(role: Role): Rights['asks'] {
  switch (role) {
    case 'plaintiff':
    case 'defendant':
    case 'thirdParty':
    case 'agent':
      return ['recess', 'phase'];
    case 'witness':
    case 'expert':
      return ['phase'];
    default:
      return [];
  }
}

function shareOf(role: Role, settings: HearingSettings): Rights['share'] {
  switch (role) {
    case 'presidingJudge':
    case 'clerk':
    case 'assistant':
      return 'free';
    case 'panelMember':
      return settings.panelMayShare ? 'free' : 'no';
    case 'plaintiff':
    case 'defendant':
    case 'thirdParty':
    case 'agent':
      return settings.partiesShareFreely ? 'free' : 'ask';
    case 'witness':
    case 'expert':
      return 'ask';
    default:
      return 'no';
  }
}

/** Whoever has a part in the hearing may not walk out of it: leave needs the court's word while it goes on. */
export function leavingOf(role: Role, state: HearingState): 'handOver' | 'askFirst' | 'free' {
  const going = state.name === 'inSession' || state.name === 'recess' || state.name === 'suspended' || state.name === 'signing';
  if (!going) return 'free';
  if (role === 'presidingJudge') return 'handOver';
  return isCourt(role) || role === 'observer' ? 'free' : 'askFirst';
}
