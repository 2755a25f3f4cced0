//! Asking and being answered: hands, the floor, and what only the court can grant.

use super::session;
use crate::HearingSetup;
use crate::draft::Draft;
use crate::table::{self, Kind};
use protocol::{
    Command, HearingState, PendingRequest, Refusal, Request, RequestOutcome as Ended, Role, SeatId,
};

pub(super) fn carry_out(
    draft: &mut Draft<'_>,
    setup: &HearingSetup,
    sender: &SeatId,
    command: &Command,
) -> Result<(), Refusal> {
    match command {
        Command::SelfHand { up: true } => make(draft, setup, sender, &Request::Floor),
        Command::SelfHand { up: false } => {
            draft.end_requests(Ended::Withdrawn, |r| {
                r.seat == *sender && r.request == Request::Floor
            });
            Ok(())
        }
        Command::HandLowerAll => {
            draft.end_requests(Ended::Lapsed, |r| r.request == Request::Floor);
            Ok(())
        }
        Command::FloorGive { seat } => give_floor(draft, seat.as_ref()),
        Command::RequestMake { request } => make(draft, setup, sender, request),
        Command::RequestWithdraw { request } => {
            draft.end_requests(Ended::Withdrawn, |r| r.id == *request && r.seat == *sender);
            // Somebody else's request is as unknown as none at all.
            if draft.is_untouched() {
                Err(Refusal::UnknownRequest)
            } else {
                Ok(())
            }
        }
        Command::RequestDecide { request, granted } => {
            let asked = draft.room.requests.iter().find(|r| r.id == *request).cloned();
            let asked = asked.ok_or(Refusal::UnknownRequest)?;
            if *granted {
                grant(draft, &asked)
            } else {
                draft.end_requests(Ended::Refused, |r| r.id == asked.id);
                Ok(())
            }
        }
        _ => unreachable!("acts::carry_out sends only the commands above"),
    }
}

/// One request of a kind at a time; what one may do freely need not be asked for.
fn make(
    draft: &mut Draft<'_>,
    setup: &HearingSetup,
    sender: &SeatId,
    request: &Request,
) -> Result<(), Refusal> {
    let asked_before =
        draft.room.requests.iter().any(|r| {
            r.seat == *sender && std::mem::discriminant(&r.request) == std::mem::discriminant(request)
        });
    let person = draft.person(sender);
    let pointless = match request {
        Request::Floor => draft
            .room
            .floor
            .as_ref()
            .is_some_and(|floor| floor.seat == *sender),
        Request::Share => table::role_may(
            Kind::ShareStart,
            person.role(),
            &setup.settings,
            person.share_granted,
        )
        .is_ok(),
        Request::Leave { .. } => person.leave_granted,
        Request::Phase { phase } => draft.room.state == HearingState::InSession { phase: *phase },
        Request::Recess { .. } => false,
    };
    if asked_before || pointless {
        return Err(Refusal::NothingToDo);
    }
    draft.make_request(sender, request.clone());
    Ok(())
}

fn give_floor(draft: &mut Draft<'_>, seat: Option<&SeatId>) -> Result<(), Refusal> {
    if let Some(seat) = seat {
        let person = draft.person(seat);
        if !person.in_court() || person.role() == Role::Observer {
            return Err(Refusal::WrongTargetState);
        }
        draft.end_requests(Ended::Granted, |r| r.seat == *seat && r.request == Request::Floor);
    }
    draft.set_floor(seat.cloned());
    Ok(())
}

/// Granting carries out what was asked, where the court is the one to do it.
fn grant(draft: &mut Draft<'_>, asked: &PendingRequest) -> Result<(), Refusal> {
    let state = draft.room.state.clone();
    match &asked.request {
        Request::Floor => give_floor(draft, Some(&asked.seat)),
        Request::Recess { .. } | Request::Phase { .. } => {
            let HearingState::InSession { phase } = state else {
                return Err(Refusal::WrongHearingState);
            };
            draft.end_requests(Ended::Granted, |r| r.id == asked.id);
            match &asked.request {
                Request::Recess { note } => {
                    draft.enter(HearingState::Recess {
                        phase,
                        reason: note.clone(),
                        until: None,
                    });
                    Ok(())
                }
                Request::Phase { phase } => session::set_phase(draft, *phase),
                _ => Ok(()),
            }
        }
        Request::Leave { .. } | Request::Share => {
            draft.end_requests(Ended::Granted, |r| r.id == asked.id);
            Ok(())
        }
    }
}
