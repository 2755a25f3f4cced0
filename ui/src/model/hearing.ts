/**
 * The hearing as this page knows it: the last snapshot with the events since. Every event carries the new value, so
 * this only puts it in its place; it decides nothing.
 */
import type { Envelope, Participant, SeatId, Snapshot } from '../wire/generated';

/** As many log entries as a snapshot carries (protocol: Snapshot::LOG_LIMIT). */
export const LOG_LIMIT = 200;

/** The snapshot after one more event. An event that the snapshot contains already changes nothing. */
export function apply(snapshot: Snapshot, envelope: Envelope): Snapshot {
  if (envelope.seq <= snapshot.seq) return snapshot;
  const next = change({ ...snapshot, seq: envelope.seq, serverTime: envelope.serverTime }, envelope);
  next.log = [...snapshot.log, envelope].slice(-LOG_LIMIT);
  return next;
}

function change(s: Snapshot, e: Envelope): Snapshot {
  switch (e.type) {
    case 'hearing.state': {
      const startedAt = s.startedAt ?? (e.payload.to.name === 'inSession' ? e.serverTime : null);
      const same = e.payload.from.name === e.payload.to.name;
      return { ...s, state: e.payload.to, stateSince: same ? s.stateSince : e.serverTime, startedAt };
    }
    case 'participant.state':
      return person(s, e.payload.seat, { state: e.payload.to });
    case 'participant.shown': {
      const { participant } = e.payload;
      const others = s.participants.filter((p) => p.seat.id !== participant.seat.id);
      return { ...s, participants: [...others, participant] };
    }
    case 'participant.hidden':
      return { ...s, participants: s.participants.filter((p) => p.seat.id !== e.payload.seat) };
    case 'participant.media':
      return person(s, e.payload.seat, { media: e.payload.media });
    case 'participant.hand':
      return person(s, e.payload.seat, { hand: e.payload.up });
    case 'participant.seat':
      return person(s, e.payload.seat.id, { seat: e.payload.seat });
    case 'participant.test':
      return person(s, e.payload.seat, { test: e.payload.score });
    case 'participant.devices':
      return person(s, e.payload.seat, { devices: e.payload.devices });
    case 'participant.fix':
      return person(s, e.payload.seat, { fix: e.payload.fix });
    case 'identity.state':
      return person(s, e.payload.seat, { identity: e.payload.identity });
    case 'floor':
      return { ...s, floor: e.payload.floor };
    case 'share.state':
      return person(s, e.payload.seat, { sharing: e.payload.on });
    case 'request.made':
      return { ...s, requests: [...s.requests.filter((r) => r.id !== e.payload.request.id), e.payload.request] };
    case 'request.ended':
      return { ...s, requests: s.requests.filter((r) => r.id !== e.payload.id) };
    case 'recording.state':
      return { ...s, recording: e.payload.state };
    case 'broadcast.state':
      return { ...s, broadcasting: e.payload.on };
    case 'net.health':
      return person(s, e.payload.seat, { net: e.payload.net });
    case 'finding': {
      const p = s.participants.find((q) => q.seat.id === e.payload.seat);
      return p ? person(s, e.payload.seat, { findings: [...p.findings, e.payload.finding] }) : s;
    }
    case 'participant.replaced':
    case 'message':
    case 'help':
      return s;
    default:
      return unknown(e, s);
  }
}

/** A newer server may say something this page does not know; the rest stays true. */
function unknown(_: never, s: Snapshot): Snapshot {
  return s;
}

function person(s: Snapshot, id: SeatId, set: Partial<Participant>): Snapshot {
  return { ...s, participants: s.participants.map((p) => (p.seat.id === id ? { ...p, ...set } : p)) };
}

/** The viewer. */
export function viewer(s: Snapshot): Participant | undefined {
  return s.participants.find((p) => p.seat.id === s.you);
}
