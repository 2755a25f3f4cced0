/**
 * The log as a clerk would write it: every event that matters becomes one sentence (a key of the locale and its
 * parameters), messages stay messages, and what is mere mechanics is left out.
 */
import type { Envelope, MediaSwitches, Participant, ParticipantState, PendingRequest, SeatId, TimeMs } from '../wire/generated';
import { called, standing } from './people';

export type SentenceKey = string;

export type LogLine =
  | { kind: 'event'; seq: number; at: TimeMs; key: SentenceKey; words: Record<string, string>; tone: 'plain' | 'warn' | 'official' }
  | { kind: 'message'; seq: number; at: TimeMs; who: string; mine: boolean; text: string }
  /** A call for help, or the court's answer: only the person and the court see it. */
  | { kind: 'help'; seq: number; at: TimeMs; who: string; mine: boolean; text: string; to: string | null };

const NO_SWITCHES: MediaSwitches = {
  mic: false,
  camera: false,
  micLocked: false,
  cameraLocked: false,
  audioBlocked: false,
  videoBlocked: false,
  askedToUnmute: false,
};

/** What has to be remembered while reading the log from its start. */
interface Memory {
  media: Map<SeatId, MediaSwitches>;
  requests: Map<string, PendingRequest>;
  weak: Set<SeatId>;
  /** Commands whose raised hand or granted floor is written already; their other event says no more. */
  written: Set<string>;
  names: Map<SeatId, string>;
  you: SeatId;
}

export function linesOf(log: Envelope[], participants: Participant[], you: SeatId): LogLine[] {
  const memory: Memory = {
    media: new Map(),
    requests: new Map(),
    weak: new Set(),
    written: new Set(),
    names: new Map(participants.map((p) => [p.seat.id, called(p.seat)])),
    you,
  };
  return log.flatMap((e) => lineOf(e, memory) ?? []);
}

function lineOf(e: Envelope, m: Memory): LogLine | LogLine[] | null {
  if (e.actor) m.names.set(e.actor.seat, called(e.actor));
  const name = (seat: SeatId) => m.names.get(seat) ?? '';
  const actor = e.actor ? called(e.actor) : '';
  const line = (key: string, words: Record<string, string> = {}, tone: 'plain' | 'warn' | 'official' = 'plain'): LogLine => ({
    kind: 'event',
    seq: e.seq,
    at: e.serverTime,
    key,
    words: { actor, ...words },
    tone,
  });
  /** True for the first of the events that one command made about one thing. */
  const first = (thing: string): boolean => {
    if (e.causedBy === null) return true;
    const mark = `${thing} ${e.causedBy}`;
    const fresh = !m.written.has(mark);
    m.written.add(mark);
    return fresh;
  };
  const byOther = (seat: SeatId) => e.actor !== null && e.actor.seat !== seat;

  switch (e.type) {
    case 'hearing.state':
      return hearingLine(e.payload.from, e.payload.to, line);
    case 'participant.state':
      return stateLines(e.payload, name(e.payload.seat), e.payload.seat === m.you, line);
    case 'participant.shown':
      m.names.set(e.payload.participant.seat.id, called(e.payload.participant.seat));
      return standing(e.payload.participant.state).name === 'inCourt' ? line('inCourt', { who: called(e.payload.participant.seat) }) : null;
    case 'participant.media': {
      const before = m.media.get(e.payload.seat) ?? NO_SWITCHES;
      m.media.set(e.payload.seat, e.payload.media);
      return byOther(e.payload.seat) ? mediaLines(before, e.payload.media, name(e.payload.seat), line) : null;
    }
    case 'participant.hand':
      return e.payload.up && first('hand') ? line('hand', { who: name(e.payload.seat) }) : null;
    case 'participant.replaced':
      return line('replaced', { who: name(e.payload.seat) });
    case 'participant.fix': {
      const { fix } = e.payload;
      return line(fix ? `fix.${fix.state}` : 'fix.withdrawn', { who: name(e.payload.seat), fix: fix?.fix ?? '' });
    }
    case 'identity.state': {
      const { identity } = e.payload;
      return identity === 'none' || identity === 'pending' ? null : line(`identity.${identity}`, { who: name(e.payload.seat) }, identity === 'failed' ? 'warn' : 'plain');
    }
    case 'floor':
      return e.payload.floor && first('floor') ? line('floor', { who: name(e.payload.floor.seat) }) : null;
    case 'share.state':
      return line(e.payload.on ? 'shareOn' : 'shareOff', { who: name(e.payload.seat) });
    case 'request.made':
      m.requests.set(e.payload.request.id, e.payload.request);
      if (e.payload.request.request.name === 'floor' && !first('hand')) return null;
      return line(`asks.${e.payload.request.request.name}`, { who: name(e.payload.request.seat) });
    case 'request.ended': {
      if (e.payload.outcome === 'lapsed') return null;
      const asked = m.requests.get(e.payload.id)?.request.name ?? 'other';
      if (asked === 'floor' && e.payload.outcome === 'granted' && !first('floor')) return null;
      return line(`${e.payload.outcome}.${asked}`, { who: name(e.payload.seat) });
    }
    case 'message':
      return { kind: 'message', seq: e.seq, at: e.serverTime, who: actor, mine: e.actor?.seat === m.you, text: e.payload.text };
    case 'help': {
      const answer = byOther(e.payload.seat);
      return { kind: 'help', seq: e.seq, at: e.serverTime, who: actor, mine: e.actor?.seat === m.you, text: e.payload.text, to: answer ? name(e.payload.seat) : null };
    }
    case 'recording.state':
      return line(`recording.${e.payload.state.name}`, {}, 'official');
    case 'broadcast.state':
      return line(e.payload.on ? 'broadcastOn' : 'broadcastOff', {}, 'official');
    case 'net.health': {
      const weak = e.payload.net === 'poor' || e.payload.net === 'bad';
      const was = m.weak.has(e.payload.seat);
      if (weak === was) return null;
      if (weak) m.weak.add(e.payload.seat);
      else m.weak.delete(e.payload.seat);
      return line(weak ? 'netWeak' : 'netGood', { who: name(e.payload.seat) }, weak ? 'warn' : 'plain');
    }
    case 'finding':
      return line(`finding.${e.payload.finding.kind}`, { who: name(e.payload.seat), note: e.payload.finding.note }, 'official');
    default:
      // participant.hidden, .seat, .test and .devices are mechanics; so is what a newer server may add.
      return null;
  }
}

type Line = (key: string, words?: Record<string, string>, tone?: 'plain' | 'warn' | 'official') => LogLine;
type Payload<T extends Envelope['type']> = Extract<Envelope, { type: T }>['payload'];

function hearingLine(from: Payload<'hearing.state'>['from'], to: Payload<'hearing.state'>['to'], line: Line): LogLine | null {
  switch (to.name) {
    case 'inSession':
      if (from.name === 'inSession') return line('phase', { phase: to.phase }, 'official');
      if (from.name === 'recess') return line('resumed', {}, 'official');
      if (from.name === 'suspended') return line('restored', {}, 'official');
      if (from.name === 'signing') return line('reopened', {}, 'official');
      return line('started', {}, 'official');
    case 'recess':
      return line('recess', { reason: to.reason }, 'official');
    case 'suspended':
      return to.cause.name === 'judgeLost' ? line('judgeLost', {}, 'warn') : line('technical', { note: to.cause.note }, 'warn');
    case 'cancelled':
    case 'adjourned':
    case 'movedOffline':
      return line(to.name, { reason: to.reason }, 'official');
    case 'open':
    case 'signing':
    case 'closed':
    case 'archived':
      return line(to.name, {}, 'official');
    default:
      return null;
  }
}

/** What was seen of a drop, and apart from it what the person's own program says of it, then or on coming back. */
function dropLines(from: ParticipantState, to: Extract<ParticipantState, { name: 'disconnected' }>, who: string, line: Line): LogLine[] {
  const before = from.name === 'disconnected' ? from : null;
  const seen = before === null ? [line(`dropped.${to.cause}`, { who }, 'warn')] : [];
  return to.told === null || before?.told === to.told ? seen : [...seen, line(`told.${to.told}`, { who })];
}

function stateLines({ from, to }: Payload<'participant.state'>, who: string, mine: boolean, line: Line): LogLine | LogLine[] | null {
  if (from.name === 'disconnected' && to.name !== 'disconnected') {
    return to.name === 'left' || to.name === 'removed' ? line(to.name, { who }) : line('back', { who });
  }
  switch (to.name) {
    case 'disconnected':
      return dropLines(from, to, who, line);
    case 'inCourt':
      return line(from.name === 'isolated' ? 'recalled' : 'inCourt', { who });
    case 'isolated':
      // 屏蔽 is what their own screen calls it; 隔离 is the court's word for the act.
      return line(mine ? 'isolatedSelf' : 'isolated', { who, reason: to.reason });
    case 'witnessRoom':
      return line(from.name === 'inCourt' ? 'dismissed' : 'witnessRoom', { who });
    case 'removed':
      return line('removed', { who, reason: to.reason }, 'official');
    case 'waiting':
    case 'left':
      return line(to.name, { who });
    default:
      return null;
  }
}

function mediaLines(before: MediaSwitches, after: MediaSwitches, who: string, line: Line): LogLine[] {
  const watched = ['micLocked', 'cameraLocked', 'audioBlocked', 'videoBlocked'] as const;
  const lines = watched.filter((k) => before[k] !== after[k]).map((k) => line(after[k] ? k : `${k}Off`, { who }));
  if (after.askedToUnmute && !before.askedToUnmute) lines.push(line('askedToUnmute', { who }));
  return lines;
}
