//! May this person have this carried out now? The checks that come before any effect, in a fixed order, so that a
//! refusal names the first thing that stands against it:
//!
//! 1. the command id: carried out before (for the same seat: nothing happens again; for another: refused),
//! 2. the words and values, 3. the table's role, 4. `expectedSeq`, 5. the table's hearing states,
//! 6. where the sender stands. Whom it is about is checked by the act itself.
//!
//! **Stale.** A command with `expectedSeq` is refused when, after that event, the hearing changed state or phase, or
//! the person it is about changed state or role. Other events (messages, switches, somebody else's drop) do not
//! overturn a decision: a judge who isolates a party is not told to look again because somebody raised a hand.
//! An `expectedSeq` from the future is a client's mistake and refused as invalid.

use crate::HearingSetup;
use crate::acts;
use crate::draft::Draft;
use crate::log::Log;
use crate::place::{Place, is_court};
use crate::room::{Person, Room};
use crate::table::{self, From, Kind};
use protocol::{
    Command, CommandId, Envelope, MESSAGE_LIMIT, ParticipantState, PauseReason, REASON_LIMIT, Refusal,
    Request, SeatId, Seq, TimeMs, Words,
};

/// What came, as one value.
pub(crate) struct Asked<'a> {
    pub(crate) seat: &'a SeatId,
    pub(crate) id: &'a CommandId,
    pub(crate) expected: Option<Seq>,
    pub(crate) command: &'a Command,
}

pub(crate) fn decide(
    setup: &HearingSetup,
    room: &Room,
    log: &Log,
    asked: &Asked<'_>,
    now: TimeMs,
) -> Result<Vec<Envelope>, Refusal> {
    let sender = room.person(asked.seat).ok_or(Refusal::UnknownSeat)?;
    if let Some((by, _)) = log.done(asked.id) {
        return if by == asked.seat {
            Ok(Vec::new())
        } else {
            Err(Refusal::CommandIdReused)
        };
    }
    if !is_well_formed(asked.command, now) {
        return Err(Refusal::Invalid);
    }
    let kind = Kind::of(asked.command);
    let granted = kind == Kind::ShareStart && sender.share_granted;
    table::role_may(kind, sender.role(), &setup.settings, granted)?;
    let target = target(asked.command);
    if let Some(expected) = asked.expected {
        if expected > room.seq {
            return Err(Refusal::Invalid);
        }
        let moved = target
            .and_then(|seat| room.person(seat))
            .map(|person| person.moved);
        if room.state_seq > expected || moved.is_some_and(|moved| moved > expected) {
            return Err(Refusal::Stale);
        }
    }
    if !kind.states().contains(&room.state) {
        return Err(Refusal::WrongHearingState);
    }
    if !stands_right(kind.from(), sender) {
        return Err(Refusal::NotInCourt);
    }
    if let Some(seat) = target {
        room.person(seat).ok_or(Refusal::UnknownSeat)?;
    }
    let mut draft = Draft::by(&setup.id, room, now, sender, asked.id);
    acts::carry_out(&mut draft, setup, asked.seat, asked.command)?;
    let events = draft.into_events();
    // What changes nothing is not carried out, so every accepted command has an event that proves it.
    if events.is_empty() {
        Err(Refusal::NothingToDo)
    } else {
        Ok(events)
    }
}

fn stands_right(from: From, sender: &Person) -> bool {
    let state = &sender.shown.state;
    match from {
        From::Anywhere => state.is_connected(),
        From::Court => {
            *state == ParticipantState::InCourt
                || (is_court(sender.role()) && *state == ParticipantState::Waiting)
        }
    }
}

/// The person whom the command is about, when that is somebody else.
fn target(command: &Command) -> Option<&SeatId> {
    match command {
        Command::HearingHandOver { to } => Some(to),
        Command::SeatAdmit { seat }
        | Command::SeatCallWitness { seat }
        | Command::SeatDismiss { seat }
        | Command::SeatIsolate { seat, .. }
        | Command::SeatRecall { seat }
        | Command::SeatRemove { seat, .. }
        | Command::MediaBlock { seat, .. }
        | Command::MediaUnblock { seat, .. }
        | Command::MediaAskUnmute { seat }
        | Command::FixOffer { seat, .. }
        | Command::IdentityRequest { seat }
        | Command::IdentityConfirm { seat, .. }
        | Command::IdentityWaive { seat }
        | Command::FindingMake { seat, .. } => Some(seat),
        Command::FloorGive { seat }
        | Command::MediaLock { seat, .. }
        | Command::MediaUnlock { seat, .. }
        | Command::ShareStop { seat }
        | Command::HelpAsk { to: seat, .. } => seat.as_ref(),
        _ => None,
    }
}

fn is_well_formed(command: &Command, now: TimeMs) -> bool {
    match command {
        Command::HearingRecess { reason, until } => note(reason) && until.is_none_or(|until| until > now),
        Command::HearingCancel { reason }
        | Command::HearingAdjourn { reason }
        | Command::HearingMoveOffline { reason }
        | Command::SeatIsolate { reason, .. }
        | Command::SeatRemove { reason, .. } => note(reason),
        Command::HearingSuspend { note: words } | Command::FindingMake { note: words, .. } => note(words),
        Command::RequestMake {
            request: Request::Recess { note: words } | Request::Leave { note: words },
        } => note(words),
        Command::MessageSend { text } | Command::HelpAsk { text, to: Some(_) } => {
            !is_blank(text) && fits(text, MESSAGE_LIMIT)
        }
        Command::HelpAsk { text, to: None } => fits(text, MESSAGE_LIMIT),
        // The other reasons come from the hearing's own state, not from an order.
        Command::RecordPause { reason } => {
            matches!(reason, PauseReason::ClosedEvidence | PauseReason::Mediation)
        }
        _ => true,
    }
}

/// May be empty: the page then says what the state itself says.
fn note(words: &Words) -> bool {
    fits(words, REASON_LIMIT)
}

fn is_blank(words: &Words) -> bool {
    words.expose().trim().is_empty()
}

/// Short enough, and without characters that only a broken or hostile client sends.
fn fits(words: &Words, limit: usize) -> bool {
    let text = words.expose();
    text.chars().take(limit + 1).count() <= limit
        && !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}
