//! Reports of device checks: sent by their owners, read by the staff of the same hearing.
//!
//! A report changes nothing but the score that the court sees; it never keeps anybody out. What is in it is what a person's own
//! program says.

use super::enter::{failure_of, look, seat_of_code};
use super::exchange::{Body, Device, Failure};
use super::routes::{Seated, opened_by};
use crate::app::Shared;
use crate::docket::{HearingMessage, is_over};
use crate::storage::{AuditKind, TokenKind};
use crate::tries::{Desk, TryKey};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use protocol::{
    ApiErrorCode, HearingId, JoinCode, SeatId, SeatTaken, Secret, SelfTest, SelfTestsRead, SendSelfTest,
    TestSender,
};
use std::sync::Arc;

/// Longest report, in bytes as JSON. A whole one has three thousand.
const REPORT_LIMIT: usize = 16 * 1024;

pub(crate) async fn send(
    State(shared): State<Arc<Shared>>,
    device: Device,
    Body(request): Body<SendSelfTest>,
) -> Result<Json<()>, Failure> {
    let place = match &request.by {
        TestSender::Code { code } => by_code(&shared, &device, code).await?,
        TestSender::Seat { seat } => by_seat(&shared, &device, seat).await?,
    };
    if length(&request.report) > REPORT_LIMIT {
        return Err(ApiErrorCode::BadRequest.into());
    }
    if is_over(&look(&shared, &place).await?.state) {
        return Err(ApiErrorCode::CodeExpired.into());
    }
    shared
        .store
        .keep_self_test(&place, shared.clock.now(), &request.report)
        .await
        .map_err(|e| shared.internal("self-test", &e))?;
    shared
        .audit(device.entry(AuditKind::SelfTestSent).at(&place))
        .await;
    let (hearing, seat) = place;
    let score = request.report.overall.score;
    shared
        .docket
        .ask(&hearing, |reply| HearingMessage::Tested {
            seat: seat.clone(),
            score,
            reply,
        })
        .await
        .map_err(|error| failure_of(&shared, &error))?;
    shared.metrics.self_tests.up();
    Ok(Json(()))
}

fn length(report: &SelfTest) -> usize {
    serde_json::to_vec(report).map_or(usize::MAX, |json| json.len())
}

/// A code is guessed here as little as where it is typed, and in the same book.
async fn by_code(shared: &Shared, device: &Device, code: &Secret) -> Result<(HearingId, SeatId), Failure> {
    let began = shared.clock.now();
    let place = seat_of_code(shared, device, JoinCode::parse(code.expose()).ok(), began).await?;
    shared.begin_try(&[TryKey::address(Desk::Report, device.address)], began)?;
    Ok(place)
}

async fn by_seat(
    shared: &Shared,
    device: &Device,
    taken: &SeatTaken,
) -> Result<(HearingId, SeatId), Failure> {
    let now = shared.clock.now();
    shared.begin_try(&[TryKey::address(Desk::Report, device.address)], now)?;
    match opened_by(shared, &taken.token).await? {
        Some(TokenKind::Seat(hearing, seat)) if hearing == taken.hearing && seat == taken.seat => {
            Ok((hearing, seat))
        }
        _ => Err(ApiErrorCode::NotSignedIn.into()),
    }
}

pub(crate) async fn read(
    State(shared): State<Arc<Shared>>,
    Path(hearing): Path<String>,
    Extension(Seated(own)): Extension<Seated>,
) -> Result<Json<SelfTestsRead>, Failure> {
    if own.as_str() != hearing {
        // Not told apart from a hearing that does not exist.
        return Err(ApiErrorCode::NotFound.into());
    }
    let tests = shared
        .store
        .self_tests(&own)
        .await
        .map_err(|e| shared.internal("self-tests", &e))?;
    Ok(Json(SelfTestsRead { tests }))
}
