//! A person's devices as their own program tells of them, and 一键修复: the court offers, the person agrees, their program acts
//! and says how it went. The court opens and changes nothing by itself, and what a program says of its devices is never a
//! finding.

use crate::draft::Draft;
use crate::place::Place;
use protocol::{Command, DeviceFix, Event, FixOffer, FixState, Refusal, SeatId};

/// A program that has not said for so long how it went will not say it, in milliseconds: none of the fixes takes half of it.
const FIX_LIMIT_MS: u64 = 60_000;

pub(super) fn carry_out(draft: &mut Draft<'_>, sender: &SeatId, command: &Command) -> Result<(), Refusal> {
    match command {
        Command::SelfDevices { devices } => {
            if draft.person(sender).shown.devices != *devices {
                draft.emit(Event::ParticipantDevices {
                    seat: sender.clone(),
                    devices: *devices,
                });
            }
            Ok(())
        }
        Command::FixOffer { seat, fix } => offer(draft, sender, seat, *fix),
        Command::FixAnswer { agreed } => {
            let answer = if *agreed {
                FixState::Agreed
            } else {
                FixState::Declined
            };
            advance(draft, sender, FixState::Offered, answer)
        }
        Command::FixDone { worked } => {
            let end = if *worked { FixState::Done } else { FixState::Failed };
            advance(draft, sender, FixState::Agreed, end)
        }
        _ => unreachable!("acts::carry_out sends only the commands above"),
    }
}

/// Who is not here cannot agree. A newer offer replaces one that waits for its answer, but not one that is being carried out,
/// while that can be.
fn offer(
    draft: &mut Draft<'_>,
    sender: &SeatId,
    seat: &SeatId,
    fix: Option<DeviceFix>,
) -> Result<(), Refusal> {
    let person = draft.person(seat);
    let standing = person.shown.fix.as_ref();
    let agreed = standing.filter(|offer| offer.state == FixState::Agreed);
    let under_way = agreed.is_some_and(|offer| draft.now.since(offer.at) < FIX_LIMIT_MS);
    if seat == sender || !person.shown.state.is_connected() || under_way {
        return Err(Refusal::WrongTargetState);
    }
    let open = standing.is_some_and(|offer| matches!(offer.state, FixState::Offered | FixState::Agreed));
    if fix.is_none() && !open {
        return Err(Refusal::NothingToDo);
    }
    let fix = fix.map(|fix| FixOffer {
        fix,
        state: FixState::Offered,
        by: sender.clone(),
        at: draft.now,
    });
    draft.emit(Event::ParticipantFix {
        seat: seat.clone(),
        fix,
    });
    Ok(())
}

fn advance(draft: &mut Draft<'_>, seat: &SeatId, from: FixState, to: FixState) -> Result<(), Refusal> {
    let standing = draft.person(seat).shown.fix.clone();
    let Some(offer) = standing.filter(|offer| offer.state == from) else {
        return Err(Refusal::NothingToDo);
    };
    let fix = Some(FixOffer {
        state: to,
        at: draft.now,
        ..offer
    });
    draft.emit(Event::ParticipantFix {
        seat: seat.clone(),
        fix,
    });
    Ok(())
}
