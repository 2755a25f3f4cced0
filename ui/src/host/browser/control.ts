// What the court lets this seat send, followed from the hearing channel alone, so that it holds whether or not the
// page listens. Pure. The media server enforces the same; this closes the devices' way out at the source as well.

import type {
  Envelope,
  HearingState,
  MediaSwitches,
  ParticipantState,
  Role,
  SeatId,
  ServerFrame,
  Snapshot,
} from '../../wire/generated';

/** The part of the hearing that decides what may be sent. */
export interface Standing {
  seat: SeatId;
  role: Role;
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
  if (me === undefined) return null;
  return { seat: snapshot.you, role: me.seat.role, hearing: snapshot.state, state: me.state, media: me.media };
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
    case 'participant.seat':
      return envelope.payload.seat.id === standing.seat ? { ...standing, role: envelope.payload.seat.role } : standing;
    default:
      return standing;
  }
}

/** This seat hears and sees the others. */
export function receives(standing: Standing | null): boolean {
  if (standing === null) return false;
  const live = ['open', 'inSession', 'signing'].includes(standing.hearing.name);
  return live && standing.state.name === 'inCourt';
}

/** Sound and picture of this seat pass. Observers only watch. */
export function inLiveRoom(standing: Standing): boolean {
  return receives(standing) && standing.role !== 'observer';
}

/** The hearing wants to know how this seat's switches stand. During the device check they are nobody's business. */
export function reportsSwitches(standing: Standing): boolean {
  const there = ['waiting', 'witnessRoom', 'inCourt', 'isolated'].includes(standing.state.name);
  return there && standing.role !== 'observer';
}

/** What the person wants after the court's word: a device that the court closes stays closed until its owner opens it. */
export function obey(wants: Wants, media: MediaSwitches): Wants {
  const mic = wants.mic && !media.micLocked;
  const camera = wants.camera && !media.cameraLocked;
  return mic === wants.mic && camera === wants.camera ? wants : { mic, camera };
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
