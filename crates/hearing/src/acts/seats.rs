//! What the court does to a person: letting in, calling, isolating, sending out, holding devices closed, findings.

use crate::draft::Draft;
use crate::place::{Place, is_court, is_witness, waiting_place};
use crate::room::Person;
use protocol::{Command, Event, Finding, MediaKind, MediaSwitches, ParticipantState, Refusal, Role, SeatId};

pub(super) fn carry_out(draft: &mut Draft<'_>, sender: &SeatId, command: &Command) -> Result<(), Refusal> {
    match command {
        Command::MediaLock { seat, kind } => lock(draft, sender, seat.as_ref(), *kind, true),
        Command::MediaUnlock { seat, kind } => lock(draft, sender, seat.as_ref(), *kind, false),
        Command::MediaBlock { seat, kind } => block(draft, sender, seat, *kind, true),
        Command::MediaUnblock { seat, kind } => block(draft, sender, seat, *kind, false),
        Command::MediaAskUnmute { seat } => ask_unmute(draft, seat),
        Command::FindingMake { seat, kind, note } => {
            if is_court(draft.person(seat).role()) {
                return Err(Refusal::WrongTargetState);
            }
            let finding = Finding {
                kind: *kind,
                note: note.clone(),
                at: draft.now,
            };
            draft.emit(Event::FindingMade {
                seat: seat.clone(),
                finding,
            });
            Ok(())
        }
        Command::SeatAdmit { seat }
        | Command::SeatCallWitness { seat }
        | Command::SeatDismiss { seat }
        | Command::SeatIsolate { seat, .. }
        | Command::SeatRecall { seat }
        | Command::SeatRemove { seat, .. } => {
            let to = destination(draft, draft.person(seat), command)?;
            if *draft.person(seat).place() == to {
                return Err(Refusal::NothingToDo);
            }
            let to = match to {
                // Final, connected or not.
                ParticipantState::Removed { .. } => to,
                place => draft.person(seat).shown.state.moved_to(place),
            };
            draft.move_to(seat, to);
            Ok(())
        }
        _ => unreachable!("acts::carry_out sends only the commands above"),
    }
}

/// Where the court may send this person; a person whose connection is away is sent there for when it comes back.
fn destination(draft: &Draft<'_>, person: &Person, command: &Command) -> Result<ParticipantState, Refusal> {
    use ParticipantState as At;
    let role = person.role();
    if is_court(role) {
        return Err(Refusal::WrongTargetState);
    }
    let connected = person.shown.state.is_connected();
    let to = match (command, person.place()) {
        (Command::SeatAdmit { .. }, At::Waiting | At::InCourt) if !is_witness(role) => At::InCourt,
        // Only to a living connection: a witness never comes into court by itself.
        (Command::SeatCallWitness { .. }, At::WitnessRoom | At::InCourt) if is_witness(role) && connected => {
            At::InCourt
        }
        (Command::SeatDismiss { .. }, At::InCourt | At::Isolated { .. } | At::Waiting | At::WitnessRoom) => {
            waiting_place(role)
        }
        (Command::SeatIsolate { reason, .. }, At::InCourt) => At::Isolated {
            reason: reason.clone(),
            since: draft.now,
        },
        (Command::SeatIsolate { .. }, At::Isolated { .. }) => return Err(Refusal::NothingToDo),
        (Command::SeatRecall { .. }, At::Isolated { .. }) if is_witness(role) && !connected => {
            At::WitnessRoom
        }
        (Command::SeatRecall { .. }, At::Isolated { .. }) => At::InCourt,
        (Command::SeatRemove { .. }, At::Removed { .. }) => return Err(Refusal::NothingToDo),
        (Command::SeatRemove { .. }, At::Invited | At::Left) => return Err(Refusal::WrongTargetState),
        (Command::SeatRemove { reason, .. }, _) => At::Removed {
            reason: reason.clone(),
        },
        _ => return Err(Refusal::WrongTargetState),
    };
    Ok(to)
}

/// The presiding judge is nobody's to silence, and the rest of the court only the presiding judge's.
fn may_silence(draft: &Draft<'_>, sender: &SeatId, person: &Person) -> bool {
    let arrived = matches!(
        person.place(),
        ParticipantState::Waiting
            | ParticipantState::WitnessRoom
            | ParticipantState::InCourt
            | ParticipantState::Isolated { .. }
    );
    arrived
        && person.role() != Role::PresidingJudge
        && person.role() != Role::Observer
        && (!is_court(person.role()) || draft.is_judge(sender))
}

fn set_lock(media: &mut MediaSwitches, kind: MediaKind, on: bool) {
    match kind {
        MediaKind::Audio => {
            media.mic_locked = on;
            media.mic &= !on;
            media.asked_to_unmute &= !on;
        }
        MediaKind::Video => {
            media.camera_locked = on;
            media.camera &= !on;
        }
    }
}

fn lock(
    draft: &mut Draft<'_>,
    sender: &SeatId,
    seat: Option<&SeatId>,
    kind: MediaKind,
    on: bool,
) -> Result<(), Refusal> {
    if let Some(seat) = seat {
        if !may_silence(draft, sender, draft.person(seat)) {
            return Err(Refusal::WrongTargetState);
        }
        draft.set_media(seat, |media| set_lock(media, kind, on));
        return Ok(());
    }
    let everybody: Vec<SeatId> = draft
        .room
        .people
        .iter()
        .filter(|person| !is_court(person.role()) && may_silence(draft, sender, person))
        .map(|person| person.id().clone())
        .collect();
    for seat in everybody {
        draft.set_media(&seat, |media| set_lock(media, kind, on));
    }
    Ok(())
}

fn block(
    draft: &mut Draft<'_>,
    sender: &SeatId,
    seat: &SeatId,
    kind: MediaKind,
    on: bool,
) -> Result<(), Refusal> {
    if !may_silence(draft, sender, draft.person(seat)) {
        return Err(Refusal::WrongTargetState);
    }
    draft.set_media(seat, |media| match kind {
        MediaKind::Audio => media.audio_blocked = on,
        MediaKind::Video => media.video_blocked = on,
    });
    Ok(())
}

/// A question. The answer is the person's own `self.mic`.
fn ask_unmute(draft: &mut Draft<'_>, seat: &SeatId) -> Result<(), Refusal> {
    let person = draft.person(seat);
    if !person.in_court() || person.role() == Role::Observer {
        return Err(Refusal::WrongTargetState);
    }
    if person.shown.media.mic_locked {
        return Err(Refusal::LockedByCourt);
    }
    if person.shown.media.mic {
        return Err(Refusal::NothingToDo);
    }
    draft.set_media(seat, |media| media.asked_to_unmute = true);
    Ok(())
}
