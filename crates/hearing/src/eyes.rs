//! What the server itself sees: codes, connections, drops, time. No finding in law ever comes from here: a drop is a
//! drop, and losing the judge suspends the hearing but never closes it.

use crate::acts::phase;
use crate::draft::Draft;
use crate::input::{DeadlineReason, HearingSetup, Input};
use crate::place::{Place, after_a_drop, is_court};
use crate::room::Room;
use protocol::{
    DropCause, Envelope, Event, HearingState, NetQuality, ParticipantState as At, RecordingState, Refusal,
    Role, SeatId, SuspendCause, TimeMs,
};

/// Everything but commands. An input that changes nothing gives no events.
pub(crate) fn decide(
    setup: &HearingSetup,
    room: &Room,
    input: &Input,
    now: TimeMs,
) -> Result<Vec<Envelope>, Refusal> {
    let mut draft = Draft::noticed(&setup.id, room, now);
    match input {
        Input::Command { .. } => unreachable!("Hearing::decide sends commands elsewhere"),
        Input::Tick => tick(setup, &mut draft),
        Input::RecorderUp => recorder_up(&mut draft),
        Input::RecorderDown => {
            if draft.room.recording.is_available() {
                draft.set_recording(RecordingState::Unavailable);
            }
        }
        Input::CodeAccepted { seat }
        | Input::Connected { seat, .. }
        | Input::Dropped { seat, .. }
        | Input::DropExplained { seat, .. }
        | Input::Replaced { seat }
        | Input::Net { seat, .. }
        | Input::Tested { seat, .. } => {
            room.person(seat).ok_or(Refusal::UnknownSeat)?;
            // Who reads the end of a hearing changes nothing in it.
            if !room.is_over() {
                about_seat(&mut draft, seat, input)?;
            }
        }
    }
    Ok(draft.into_events())
}

fn about_seat(draft: &mut Draft<'_>, seat: &SeatId, input: &Input) -> Result<(), Refusal> {
    match input {
        Input::CodeAccepted { .. } => code_accepted(draft, seat),
        Input::Connected { .. } => connected(draft, seat),
        Input::Dropped {
            since, cause, told, ..
        } => {
            dropped(draft, seat, *since, (*cause, *told));
            Ok(())
        }
        Input::DropExplained { told, .. } => {
            let mut state = draft.person(seat).shown.state.clone();
            if let At::Disconnected { told: said, .. } = &mut state
                && said.is_none()
            {
                *said = Some(*told);
                draft.move_to(seat, state);
            }
            Ok(())
        }
        Input::Replaced { .. } => {
            if draft.person(seat).shown.state.is_connected() {
                draft.emit(Event::ParticipantReplaced { seat: seat.clone() });
                reseat(draft, seat);
            }
            Ok(())
        }
        Input::Net { quality, .. } => {
            let person = draft.person(seat);
            if person.shown.state.is_connected() && person.shown.net != *quality {
                draft.emit(Event::NetHealth {
                    seat: seat.clone(),
                    net: *quality,
                });
            }
            Ok(())
        }
        Input::Tested { score, .. } => {
            if draft.person(seat).shown.test != *score {
                draft.emit(Event::ParticipantTest {
                    seat: seat.clone(),
                    score: *score,
                });
            }
            Ok(())
        }
        _ => unreachable!("decide sends only inputs about a seat"),
    }
}

/// A code starts the way in; who is on the way or inside already stays there. Who left may come again.
fn code_accepted(draft: &mut Draft<'_>, seat: &SeatId) -> Result<(), Refusal> {
    let person = draft.person(seat);
    match person.shown.state {
        At::Removed { .. } => Err(Refusal::NotAllowed),
        At::Invited | At::Left if !is_court(person.role()) => {
            draft.move_to(seat, At::Coded);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn connected(draft: &mut Draft<'_>, seat: &SeatId) -> Result<(), Refusal> {
    let person = draft.person(seat);
    let court = is_court(person.role());
    match person.shown.state.clone() {
        At::Removed { .. } => return Err(Refusal::NotAllowed),
        At::Left if !court => return Err(Refusal::NotAllowed),
        At::Invited | At::Left if court => draft.move_to(seat, court_place(&draft.room)),
        At::Invited | At::Left => draft.move_to(seat, At::Coded),
        At::Disconnected { resume, .. } => {
            let back = if court {
                court_place(&draft.room)
            } else {
                after_a_drop(person.role(), &resume)
            };
            draft.move_to(seat, back);
        }
        // Connected without a drop before it: the server lost sight of the old connection.
        _ => reseat(draft, seat),
    }
    Ok(())
}

/// A new connection in the place of a live one: the same rule as after a drop.
fn reseat(draft: &mut Draft<'_>, seat: &SeatId) {
    let person = draft.person(seat);
    let back = after_a_drop(person.role(), &person.shown.state);
    draft.move_to(seat, back);
}

/// The court waits until the hearing is opened, and is in court from then on.
fn court_place(room: &Room) -> At {
    if room.state == HearingState::Scheduled {
        At::Waiting
    } else {
        At::InCourt
    }
}

/// What was seen, and what the client said.
type Evidence = (DropCause, Option<DropCause>);

fn dropped(draft: &mut Draft<'_>, seat: &SeatId, since: TimeMs, (cause, told): Evidence) {
    let person = draft.person(seat);
    let state = person.shown.state.clone();
    if !state.is_connected() {
        return;
    }
    let resume = Box::new(after_a_drop(person.role(), &state));
    let measured = person.shown.net != NetQuality::Unknown;
    // A last packet cannot come after the drop was noticed, whatever two clocks say.
    let since = since.min(draft.now);
    let away = At::Disconnected {
        since,
        cause,
        told,
        resume,
    };
    draft.move_to(seat, away);
    if measured {
        draft.emit(Event::NetHealth {
            seat: seat.clone(),
            net: NetQuality::Unknown,
        });
    }
}

fn recorder_up(draft: &mut Draft<'_>) {
    if !draft.room.recording.is_available() {
        let due = draft.room.recording.due(&draft.room.state, None, draft.now);
        draft.set_recording(due);
    }
}

fn tick(setup: &HearingSetup, draft: &mut Draft<'_>) {
    match next_deadline(setup, &draft.room) {
        Some((at, DeadlineReason::JudgeGrace)) if at <= draft.now => {
            let phase = phase(&draft.room.state);
            draft.enter(HearingState::Suspended {
                phase,
                cause: SuspendCause::JudgeLost,
            });
        }
        _ => {}
    }
}

/// In session, the presiding judge may be gone for the grace time, counted from the last packet.
pub(crate) fn next_deadline(setup: &HearingSetup, room: &Room) -> Option<(TimeMs, DeadlineReason)> {
    if !matches!(room.state, HearingState::InSession { .. }) {
        return None;
    }
    let judges = room.people.iter().filter(|p| p.role() == Role::PresidingJudge);
    let mut last_seen = None;
    for judge in judges {
        match judge.shown.state {
            At::Disconnected { since, .. } => last_seen = last_seen.max(Some(since)),
            _ => return None,
        }
    }
    last_seen.map(|since| {
        (
            since.plus(setup.settings.judge_grace_ms),
            DeadlineReason::JudgeGrace,
        )
    })
}
