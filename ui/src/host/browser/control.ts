// What the court lets this seat send, followed from the hearing channel alone, so that it holds whether or not the
// page listens. Pure. The media server enforces the same; this closes the devices' way out at the source as well.

import type {
  Envelope,
  HearingState,
  MediaSwitches,
  Participant,
  ParticipantState,
  SeatId,
  ServerFrame,
  Snapshot,
} from '../../wire/generated';

/** The part of the hearing that decides what may be sent. */
export interface Standing {
  seat: SeatId;
  hearing: HearingState;
  state: ParticipantState;
  media: MediaSwitches;
}

/** What the person has switched on. */
export interface Wants {
  mic: boolean;
  camera: boolean;
}

/** What goes out now. */
export interface Sending {
  /** The person is in a room where sound and picture pass. */
  inRoom: boolean;
  mic: boolean;
  camera: boolean;
  screen: boolean;
}

/** The standing that a snapshot shows; `null` when it lacks the viewer. */
export function standingOf(snapshot: Snapshot): Standing | null {
  const me = snapshot.participants.find((one) => one.seat.id === snapshot.you);
  return me ? { seat: snapshot.you, hearing: snapshot.state, state: me.state, media: me.media } : null;
}

/** The standing after a frame. Returns the same object when nothing changed. */
export function follow(standing: Standing | null, frame: ServerFrame): Standing | null {
  switch (frame.type) {
    case 'welcome':
    case 'snapshot':
      return standingOf(frame.snapshot);
    case 'event':
      return standing === null ? null : apply(standing, frame.envelope);
    default:
      return standing;
  }
}

function apply(standing: Standing, envelope: Envelope): Standing {
  switch (envelope.type) {
    case 'hearing.state':
      return { ...standing, hearing: envelope.payload.to };
    case 'participant.state':
      return envelope.payload.seat === standing.seat ? { ...standing, state: envelope.payload.to } : standing;
    case 'participant.media':
      return envelope.payload.seat === standing.seat ? { ...standing, media: envelope.payload.media } : standing;
    case 'participant.shown':
      return shown(standing, envelope.payload.participant);
    default:
      return standing;
  }
}

function shown(standing: Standing, participant: Participant): Standing {
  if (participant.seat.id !== standing.seat) return standing;
  return { ...standing, state: participant.state, media: participant.media };
}

/** Sound and picture pass for this seat. */
export function inLiveRoom(standing: Standing): boolean {
  const live = ['open', 'inSession', 'signing'].includes(standing.hearing.name);
  return live && standing.state.name === 'inCourt';
}

/** The court keeps its own commands about a switch until the person is where it counts. */
export function mayReportSwitches(standing: Standing): boolean {
  return standing.state.name === 'inCourt' || standing.state.name === 'waiting';
}

/** What is sent, given what the person wants. Without a hearing nothing leaves the machine. */
export function sendingOf(standing: Standing | null, wants: Wants, sharing: boolean): Sending {
  if (standing === null || !inLiveRoom(standing)) return { inRoom: false, mic: false, camera: false, screen: false };
  return {
    inRoom: true,
    mic: wants.mic && !standing.media.micLocked,
    camera: wants.camera && !standing.media.cameraLocked,
    screen: sharing,
  };
}
