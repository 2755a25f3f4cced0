//! Opening, starting, breaking off, going on and ending.

use crate::draft::Draft;
use protocol::{
    Command, Event, HearingState, MediaSwitches, ParticipantState, Phase, Refusal, Role, Seat, SeatId,
    SuspendCause,
};

pub(super) fn carry_out(draft: &mut Draft<'_>, sender: &SeatId, command: &Command) -> Result<(), Refusal> {
    let next = match command {
        Command::HearingHandOver { to } => return hand_over(draft, sender, to),
        Command::PhaseSet { phase } => return set_phase(draft, *phase),
        Command::HearingOpen => HearingState::Open,
        Command::HearingStart => HearingState::InSession {
            phase: Phase::Opening,
        },
        Command::HearingRecess { reason, until } => HearingState::Recess {
            phase: phase(&draft.room.state),
            reason: reason.clone(),
            until: *until,
        },
        Command::HearingResume => HearingState::InSession {
            phase: phase(&draft.room.state),
        },
        Command::HearingSuspend { note } => HearingState::Suspended {
            phase: phase(&draft.room.state),
            cause: SuspendCause::Technical { note: note.clone() },
        },
        Command::HearingSign => HearingState::Signing {
            phase: phase(&draft.room.state),
        },
        Command::HearingClose => HearingState::Closed,
        Command::HearingArchive => HearingState::Archived,
        Command::HearingCancel { reason } => HearingState::Cancelled {
            reason: reason.clone(),
        },
        Command::HearingAdjourn { reason } => HearingState::Adjourned {
            reason: reason.clone(),
        },
        Command::HearingMoveOffline { reason } => HearingState::MovedOffline {
            reason: reason.clone(),
        },
        _ => unreachable!("acts::carry_out sends only the commands above"),
    };
    draft.enter(next);
    Ok(())
}

/// Where the hearing goes on.
pub(crate) fn phase(state: &HearingState) -> Phase {
    match state {
        HearingState::InSession { phase }
        | HearingState::Recess { phase, .. }
        | HearingState::Suspended { phase, .. }
        | HearingState::Signing { phase } => *phase,
        _ => Phase::Opening,
    }
}

pub(super) fn set_phase(draft: &mut Draft<'_>, phase: Phase) -> Result<(), Refusal> {
    let next = HearingState::InSession { phase };
    if draft.room.state == next {
        return Err(Refusal::NothingToDo);
    }
    draft.enter(next);
    Ok(())
}

/// Only a judge can preside: to a member of the panel who is in court. The two change role and title, so there is
/// exactly one presiding judge before and after.
fn hand_over(draft: &mut Draft<'_>, sender: &SeatId, to: &SeatId) -> Result<(), Refusal> {
    let old = draft.person(sender).shown.seat.clone();
    let new = draft.person(to);
    if new.role() != Role::PanelMember || new.shown.state != ParticipantState::InCourt {
        return Err(Refusal::WrongTargetState);
    }
    let new = new.shown.seat.clone();
    let (old_title, new_title) = (old.title.clone(), new.title.clone());
    draft.emit(Event::ParticipantSeat {
        seat: Seat {
            role: Role::PresidingJudge,
            title: old_title,
            ..new
        },
    });
    draft.emit(Event::ParticipantSeat {
        seat: Seat {
            role: Role::PanelMember,
            title: new_title,
            ..old
        },
    });
    // Nobody may silence the presiding judge, so nobody could undo it either.
    draft.set_media(to, |media| {
        *media = MediaSwitches {
            mic_locked: false,
            camera_locked: false,
            audio_blocked: false,
            video_blocked: false,
            ..*media
        };
    });
    Ok(())
}
