//! The courtroom's business that belongs to no single person: shares, words, the record, the broadcast.

use crate::HearingSetup;
use crate::draft::Draft;
use crate::place::is_court;
use protocol::{Command, Event, ParticipantState, RecordingState, Refusal, SeatId};

pub(super) fn carry_out(
    draft: &mut Draft<'_>,
    setup: &HearingSetup,
    sender: &SeatId,
    command: &Command,
) -> Result<(), Refusal> {
    match command {
        Command::ShareStart => start_share(draft, sender),
        Command::ShareStop { seat } => {
            draft.stop_share(seat.as_ref().unwrap_or(sender));
            Ok(())
        }
        Command::MessageSend { text } => {
            draft.emit(Event::Message { text: text.clone() });
            Ok(())
        }
        Command::HelpAsk { text, to } => {
            if let Some(to) = to {
                let person = draft.person(to);
                let gone = matches!(
                    person.place(),
                    ParticipantState::Invited | ParticipantState::Left | ParticipantState::Removed { .. }
                );
                if gone {
                    return Err(Refusal::WrongTargetState);
                }
            }
            let seat = to.as_ref().unwrap_or(sender).clone();
            draft.emit(Event::Help {
                seat,
                text: text.clone(),
            });
            Ok(())
        }
        Command::RecordPause { reason } => match draft.room.recording.state {
            RecordingState::Unavailable => Err(Refusal::Unavailable),
            RecordingState::On { .. } => {
                draft.set_recording(RecordingState::Paused {
                    reason: *reason,
                    by: Some(sender.clone()),
                    since: draft.now,
                });
                Ok(())
            }
            RecordingState::Off | RecordingState::Paused { .. } => Err(Refusal::NothingToDo),
        },
        Command::RecordResume => match draft.room.recording.state {
            RecordingState::Unavailable => Err(Refusal::Unavailable),
            RecordingState::Paused { .. } => {
                draft.set_recording(RecordingState::On { since: draft.now });
                Ok(())
            }
            RecordingState::Off | RecordingState::On { .. } => Err(Refusal::NothingToDo),
        },
        Command::BroadcastStart => {
            if !setup.settings.broadcaster {
                return Err(Refusal::Unavailable);
            }
            // What is heard behind closed doors is not shown to the public, whoever asks.
            if !setup.case.public {
                return Err(Refusal::NotAllowed);
            }
            if draft.room.broadcasting {
                return Err(Refusal::NothingToDo);
            }
            draft.emit(Event::BroadcastState { on: true });
            Ok(())
        }
        Command::BroadcastStop => {
            draft.stop_broadcast();
            Ok(())
        }
        _ => unreachable!("acts::carry_out sends only the commands above"),
    }
}

/// One share at a time. The court's takes the place of another; a party's waits for the end of it.
fn start_share(draft: &mut Draft<'_>, sender: &SeatId) -> Result<(), Refusal> {
    let running = draft
        .room
        .people
        .iter()
        .find(|p| p.shown.sharing)
        .map(|p| p.id().clone());
    match running {
        Some(seat) if seat == *sender => return Err(Refusal::NothingToDo),
        Some(_) if !is_court(draft.person(sender).role()) => return Err(Refusal::WrongHearingState),
        Some(seat) => draft.stop_share(&seat),
        None => {}
    }
    draft.emit(Event::ShareState {
        seat: sender.clone(),
        on: true,
    });
    Ok(())
}
