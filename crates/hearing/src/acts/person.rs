//! What a person does about themselves: the steps of joining, switches, identity, leaving. And the court's side of
//! the identity check.

use crate::HearingSetup;
use crate::draft::Draft;
use crate::place::{is_court, waiting_place};
use protocol::{Command, Event, Identity, ParticipantState as At, Refusal, Role, SeatId};

pub(super) fn carry_out(
    draft: &mut Draft<'_>,
    setup: &HearingSetup,
    sender: &SeatId,
    command: &Command,
) -> Result<(), Refusal> {
    match command {
        Command::SelfMic { on } => {
            let media = draft.person(sender).shown.media;
            if *on && media.mic_locked {
                return Err(Refusal::LockedByCourt);
            }
            draft.set_media(sender, |media| {
                media.mic = *on;
                media.asked_to_unmute = false;
            });
            Ok(())
        }
        Command::SelfCamera { on } => {
            if *on && draft.person(sender).shown.media.camera_locked {
                return Err(Refusal::LockedByCourt);
            }
            draft.set_media(sender, |media| media.camera = *on);
            Ok(())
        }
        Command::StepBegin
        | Command::StepTested { .. }
        | Command::StepIdentified { .. }
        | Command::StepAcknowledged
        | Command::StepRetest => step(draft, setup, sender, command),
        Command::IdentityRequest { seat } => set_identity(draft, seat, Identity::Requested),
        Command::IdentityWaive { seat } => set_identity(draft, seat, Identity::Waived),
        Command::IdentityConfirm { seat, passed } => set_identity(
            draft,
            seat,
            if *passed {
                Identity::Passed
            } else {
                Identity::Failed
            },
        ),
        Command::IdentitySubmit => {
            if draft.person(sender).shown.identity != Identity::Requested {
                return Err(Refusal::NothingToDo);
            }
            set_identity(draft, sender, Identity::Pending)
        }
        Command::Leave => leave(draft, sender),
        _ => unreachable!("acts::carry_out sends only the commands above"),
    }
}

/// The way in, one step after the other: `Coded → Testing → Identifying? → Acknowledging → Waiting | WitnessRoom`.
/// A new device check from the waiting place leads straight back to it.
fn step(
    draft: &mut Draft<'_>,
    setup: &HearingSetup,
    sender: &SeatId,
    command: &Command,
) -> Result<(), Refusal> {
    let person = draft.person(sender);
    let (state, role) = (person.shown.state.clone(), person.role());
    let next = match (command, &state) {
        (Command::StepBegin, At::Coded) => At::Testing,
        (Command::StepRetest, At::Waiting | At::WitnessRoom) => At::Testing,
        (Command::StepTested { score }, At::Testing) => {
            let answered =
                person.shown.identity != Identity::None && person.shown.identity != Identity::Requested;
            let next = if person.acknowledged {
                waiting_place(role)
            } else if setup.settings.identity_step && !answered {
                At::Identifying
            } else {
                At::Acknowledging
            };
            if person.shown.test != *score {
                draft.emit(Event::ParticipantTest {
                    seat: sender.clone(),
                    score: *score,
                });
            }
            next
        }
        (Command::StepIdentified { skipped }, At::Identifying) => {
            if !skipped && matches!(person.shown.identity, Identity::None | Identity::Requested) {
                set_identity(draft, sender, Identity::Pending)?;
            }
            At::Acknowledging
        }
        (Command::StepAcknowledged, At::Acknowledging) => waiting_place(role),
        _ => return Err(Refusal::NotInCourt),
    };
    draft.move_to(sender, next);
    Ok(())
}

fn set_identity(draft: &mut Draft<'_>, seat: &SeatId, identity: Identity) -> Result<(), Refusal> {
    let person = draft.person(seat);
    let here = !matches!(person.place(), At::Invited | At::Left | At::Removed { .. });
    if is_court(person.role()) || !here {
        return Err(Refusal::WrongTargetState);
    }
    if person.shown.identity == identity {
        return Err(Refusal::NothingToDo);
    }
    draft.emit(Event::IdentityState {
        seat: seat.clone(),
        identity,
    });
    Ok(())
}

/// 退庭. Before the session everybody is free to go; in it, the judge hands over, the clerk goes when another clerk
/// or assistant stays, parties and witnesses go with leave, and the others are free.
fn leave(draft: &mut Draft<'_>, sender: &SeatId) -> Result<(), Refusal> {
    let person = draft.person(sender);
    if draft.room.is_under_way() {
        match person.role() {
            Role::PresidingJudge => return Err(Refusal::NeedsHandOver),
            Role::Clerk | Role::Assistant if !another_clerk_stays(draft, sender) => {
                return Err(Refusal::NeedsHandOver);
            }
            role if !is_court(role) && role != Role::Observer => {
                let bound = matches!(
                    person.place(),
                    At::InCourt | At::WitnessRoom | At::Isolated { .. }
                );
                if bound && !person.leave_granted {
                    return Err(Refusal::NeedsLeave);
                }
            }
            _ => {}
        }
    }
    draft.move_to(sender, At::Left);
    Ok(())
}

fn another_clerk_stays(draft: &Draft<'_>, leaving: &SeatId) -> bool {
    draft.room.people.iter().any(|other| {
        matches!(other.role(), Role::Clerk | Role::Assistant) && other.in_court() && other.id() != leaving
    })
}
