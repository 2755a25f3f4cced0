//! From a hearing code to a seat: `POST /enter`, then `POST /seat`.
//!
//! A code that is wrong, malformed or unknown gets one answer after the same work. Only who holds a right code learns
//! anything about a hearing, and a wrong name is never told apart by how near it is.

use super::exchange::{Body, Device, Failure};
use super::routes::opened_by;
use crate::app::Shared;
use crate::docket::{DocketError, HearingMessage, Look, TakeRefusal, is_over};
use crate::keyed_hash::Purpose;
use crate::names::same_name;
use crate::storage::{AuditKind, TokenKind};
use crate::tries::{Desk, TryKey};
use axum::Json;
use axum::extract::State;
use protocol::{
    ApiErrorCode, Capacity, Enter, Entered, HearingId, HearingState, IdNumber, JoinCode, Role, Seat, SeatId,
    SeatTaken, Secret, TakeSeat, TimeMs,
};
use std::sync::Arc;

/// How long after the code a name may be given.
const TICKET_MS: u64 = 30 * 60_000;
/// Codes work from this long before the hearing starts.
pub(crate) const CODE_OPENS_BEFORE_MS: u64 = 24 * 3_600_000;
/// A seat token ends with the hearing; this is for tokens of hearings that never end.
const SEAT_TOKEN_MS: u64 = 30 * 24 * 3_600_000;

/// Whether a code may be used now.
pub(crate) fn code_window(starts_at: TimeMs, state: &HearingState, now: TimeMs) -> Result<(), Failure> {
    let opens = TimeMs(starts_at.0.saturating_sub(CODE_OPENS_BEFORE_MS));
    if is_over(state) {
        Err(ApiErrorCode::CodeExpired.into())
    } else if now < opens && *state == HearingState::Scheduled {
        Err(Failure::not_yet_valid(opens))
    } else {
        Ok(())
    }
}

/// The seat that a code is for. A wrong one counts against whoever tries.
pub(super) async fn seat_of_code(
    shared: &Shared,
    device: &Device,
    code: Option<JoinCode>,
    began: TimeMs,
) -> Result<(HearingId, SeatId), Failure> {
    let keys = [TryKey::address(Desk::Code, device.address)];
    shared.begin_try(&keys, began)?;
    // A malformed code is looked up like any other, so that the answer takes as long.
    let digits = code
        .as_ref()
        .map_or_else(|| "malformed".to_owned(), JoinCode::expose);
    let hash = shared.key.hash(Purpose::Code, &digits);
    let found = shared
        .store
        .seat_of_code(&hash)
        .await
        .map_err(|e| shared.internal("code", &e))?;
    let Some(place) = found else {
        shared.metrics.codes_refused.up();
        shared.audit(device.entry(AuditKind::CodeRefused)).await;
        return Err(ApiErrorCode::CodeNotAccepted.into());
    };
    shared.tries.forgive(&keys, began);
    Ok(place)
}

pub(crate) async fn enter(
    State(shared): State<Arc<Shared>>,
    device: Device,
    Body(request): Body<Enter>,
) -> Result<Json<Entered>, Failure> {
    let began = shared.clock.now();
    let place = seat_of_code(&shared, &device, request.parsed(), began).await?;
    let look = look(&shared, &place).await?;
    if let Err(failure) = code_window(look.case.starts_at, &look.state, began) {
        shared.metrics.codes_refused.up();
        shared
            .audit(
                device
                    .entry(AuditKind::CodeRefused)
                    .at(&place)
                    .detail("outside its window".into()),
            )
            .await;
        return Err(failure);
    }
    let ticket = shared
        .issue(TokenKind::Ticket(place.0.clone(), place.1.clone()), TICKET_MS)
        .await?;
    shared.metrics.codes_accepted.up();
    shared
        .audit(device.entry(AuditKind::CodeAccepted).at(&place))
        .await;
    Ok(Json(Entered {
        ticket,
        hearing: place.0,
        case: look.case,
        state: look.state,
        seat: masked(look.seat),
        others: look
            .others
            .into_iter()
            .map(|seat| {
                if hearing::is_court(seat.role) {
                    seat
                } else {
                    masked(seat)
                }
            })
            .collect(),
        in_use: look.in_use,
        identity_step: look.identity_step,
    }))
}

/// A code alone is weak (it is eight digits in an SMS): what it opens must not answer the question for the name.
fn masked(seat: Seat) -> Seat {
    Seat {
        name: seat.name.masked(),
        ..seat
    }
}

pub(crate) async fn seat(
    State(shared): State<Arc<Shared>>,
    device: Device,
    Body(request): Body<TakeSeat>,
) -> Result<Json<SeatTaken>, Failure> {
    let now = shared.clock.now();
    let Some(TokenKind::Ticket(hearing, seat)) = opened_by(&shared, &request.ticket).await? else {
        return Err(ApiErrorCode::TicketExpired.into());
    };
    let place = (hearing, seat);
    let keys = [
        TryKey::address(Desk::Name, device.address),
        TryKey::Seat(place.0.clone(), place.1.clone()),
    ];
    shared.begin_try(&keys, now)?;
    let look = look(&shared, &place).await?;
    code_window(look.case.starts_at, &look.state, now)?;
    if let Err(code) = fits(&request, &look.seat) {
        shared
            .audit(
                device
                    .entry(AuditKind::SeatRefused)
                    .at(&place)
                    .detail(claim(&request)),
            )
            .await;
        return Err(code.into());
    }
    shared.tries.forgive(&keys, now);
    let token = take(&shared, &place, request.take_over).await?;
    shared
        .audit(
            device
                .entry(AuditKind::SeatTaken)
                .at(&place)
                .detail(claim(&request)),
        )
        .await;
    Ok(Json(SeatTaken {
        hearing: place.0,
        seat: place.1,
        token,
    }))
}

/// What the court may read about who took the seat: the capacity as it was claimed, with the end of each number. The
/// trail is kept for long, and whoever copies it is not to have people's numbers.
fn claim(request: &TakeSeat) -> String {
    let mut capacity = request.capacity.clone();
    match &mut capacity {
        Capacity::Party { id_number: number } | Capacity::Agent { licence: number, .. } => {
            *number = number.as_ref().map(IdNumber::masked);
        }
        Capacity::Other => {}
    }
    serde_json::to_string(&capacity).expect("a capacity always serialises")
}

/// The name is the invited one and the capacity is that of the seat.
fn fits(request: &TakeSeat, seat: &Seat) -> Result<(), ApiErrorCode> {
    if !same_name(&request.name, &seat.name) {
        return Err(ApiErrorCode::NameMismatch);
    }
    let capacity = match (&request.capacity, seat.role) {
        (Capacity::Party { .. }, Role::Plaintiff | Role::Defendant | Role::ThirdParty) => true,
        (Capacity::Agent { represents, .. }, Role::Agent) => seat.represents.as_ref() == Some(represents),
        (
            Capacity::Other,
            Role::Witness
            | Role::Expert
            | Role::Interpreter
            | Role::Observer
            | Role::PresidingJudge
            | Role::PanelMember
            | Role::Assistant
            | Role::Clerk
            | Role::Technician,
        ) => true,
        _ => false,
    };
    if !capacity {
        return Err(ApiErrorCode::CapacityMismatch);
    }
    if let Capacity::Agent {
        licence: Some(licence),
        ..
    } = &request.capacity
        && !(licence.expose().len() == 17 && licence.expose().bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(ApiErrorCode::BadRequest);
    }
    Ok(())
}

pub(super) async fn look(shared: &Shared, (hearing, seat): &(HearingId, SeatId)) -> Result<Look, Failure> {
    let looked = shared
        .docket
        .ask(hearing, |reply| HearingMessage::Look {
            seat: seat.clone(),
            reply,
        })
        .await
        .map_err(|error| failure_of(shared, &error))?;
    looked.ok_or_else(|| ApiErrorCode::NotFound.into())
}

/// Takes a seat for somebody whose right to it was checked, and issues its token.
pub(super) async fn take(
    shared: &Shared,
    place: &(HearingId, SeatId),
    take_over: bool,
) -> Result<Secret, Failure> {
    let taken = shared
        .docket
        .ask(&place.0, |reply| HearingMessage::Take {
            seat: place.1.clone(),
            take_over,
            reply,
        })
        .await
        .map_err(|error| failure_of(shared, &error))?;
    taken.map_err(|refusal| match refusal {
        TakeRefusal::NoSuchSeat => ApiErrorCode::NotFound,
        TakeRefusal::InUse => ApiErrorCode::SeatInUse,
        TakeRefusal::Over => ApiErrorCode::CodeExpired,
        TakeRefusal::NotAllowed => ApiErrorCode::NotAllowed,
        TakeRefusal::Failed => ApiErrorCode::Internal,
    })?;
    shared.metrics.seats_taken.up();
    shared
        .issue(TokenKind::Seat(place.0.clone(), place.1.clone()), SEAT_TOKEN_MS)
        .await
}

pub(super) fn failure_of(shared: &Shared, error: &DocketError) -> Failure {
    match error {
        DocketError::NoSuchHearing => ApiErrorCode::NotFound.into(),
        DocketError::Store(error) => shared.internal("hearing", error),
        DocketError::Unavailable => ApiErrorCode::Internal.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{AgentAuthority, AgentKind, PersonName, Side, Words};

    #[test]
    fn a_code_works_in_its_window_only() {
        let starts = TimeMs(100 * 3_600_000);
        let opens = TimeMs(76 * 3_600_000);
        let early = TimeMs(opens.0 - 1);
        let check = |state: &HearingState, now: TimeMs| code_window(starts, state, now);
        assert_eq!(
            check(&HearingState::Scheduled, early),
            Err(Failure::not_yet_valid(opens))
        );
        assert_eq!(check(&HearingState::Scheduled, opens), Ok(()));
        assert_eq!(
            check(&HearingState::Open, early),
            Ok(()),
            "the court opened early"
        );
        assert_eq!(
            check(&HearingState::Scheduled, starts.plus(1_000_000_000)),
            Ok(()),
            "it has not been held yet"
        );
        let over = [
            HearingState::Closed,
            HearingState::Archived,
            HearingState::Cancelled {
                reason: Words::default(),
            },
        ];
        for state in over {
            assert_eq!(check(&state, starts), Err(ApiErrorCode::CodeExpired.into()));
        }
    }

    #[test]
    fn the_trail_keeps_the_end_of_a_number_only() {
        let request = |capacity| TakeSeat {
            ticket: Secret::new("t"),
            name: PersonName::new("张示例"),
            capacity,
            take_over: false,
        };
        let party = request(Capacity::Party {
            id_number: Some(IdNumber::new("110101199001011234")),
        });
        let agent = request(Capacity::Agent {
            represents: "plaintiff".into(),
            kind: AgentKind::Lawyer,
            licence: Some(IdNumber::new("11101202012345678")),
            authority: AgentAuthority::General,
        });
        for (request, kept, not) in [(party, "*1234\"", "01011234"), (agent, "*5678\"", "12345678")] {
            let claim = claim(&request);
            assert!(claim.contains(kept) && !claim.contains(not), "{claim}");
        }
    }

    #[test]
    fn the_capacity_is_that_of_the_seat() {
        let party = Capacity::Party { id_number: None };
        let agent = |of: &str, licence: Option<&str>| Capacity::Agent {
            represents: of.into(),
            kind: AgentKind::Lawyer,
            licence: licence.map(IdNumber::new),
            authority: AgentAuthority::General,
        };
        let check = |role, capacity: &Capacity, name: &str| {
            let represents = (role == Role::Agent).then(|| SeatId::from("plaintiff"));
            let seat = Seat {
                id: "s".into(),
                role,
                title: String::new(),
                name: PersonName::new("张示例"),
                represents,
                side: Side::Plaintiff,
            };
            let request = TakeSeat {
                ticket: Secret::new("t"),
                name: PersonName::new(name),
                capacity: capacity.clone(),
                take_over: false,
            };
            fits(&request, &seat)
        };
        let mismatch = Err(ApiErrorCode::CapacityMismatch);
        let licence = Some("11101202012345678");
        assert_eq!(check(Role::Plaintiff, &party, "张 示例"), Ok(()));
        assert_eq!(
            check(Role::Plaintiff, &party, "李样本"),
            Err(ApiErrorCode::NameMismatch)
        );
        assert_eq!(
            check(Role::Plaintiff, &agent("plaintiff", None), "张示例"),
            mismatch
        );
        assert_eq!(check(Role::Plaintiff, &Capacity::Other, "张示例"), mismatch);
        assert_eq!(check(Role::Agent, &agent("plaintiff", licence), "张示例"), Ok(()));
        assert_eq!(
            check(Role::Agent, &agent("defendant", licence), "张示例"),
            mismatch
        );
        assert_eq!(
            check(Role::Agent, &agent("plaintiff", Some("1")), "张示例"),
            Err(ApiErrorCode::BadRequest)
        );
        assert_eq!(check(Role::Agent, &party, "张示例"), mismatch);
        for role in [Role::Witness, Role::Observer, Role::PresidingJudge, Role::Clerk] {
            assert_eq!(check(role, &Capacity::Other, "张示例"), Ok(()));
            assert_eq!(check(role, &party, "张示例"), mismatch);
        }
    }
}
