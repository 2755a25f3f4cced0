//! The staff routes: signing in, one's own hearings, and one's own seat in one of them.

use super::enter::take;
use super::exchange::{Body, Device, Failure};
use super::routes::SignedIn;
use crate::app::Shared;
use crate::storage::{AuditKind, TokenKind};
use crate::tries::{Desk, TryKey};
use axum::extract::State;
use axum::{Extension, Json};
use protocol::{
    ApiErrorCode, SeatTaken, StaffHearing, StaffHearings, StaffSignIn, StaffSignedIn, StaffTakeSeat,
};
use std::sync::Arc;

/// A working day.
const SESSION_MS: u64 = 12 * 3_600_000;
/// Longer than any real login; keeps what a stranger can make the server remember small.
const LOGIN_LIMIT: usize = 128;

pub(crate) async fn sign_in(
    State(shared): State<Arc<Shared>>,
    device: Device,
    Body(request): Body<StaffSignIn>,
) -> Result<Json<StaffSignedIn>, Failure> {
    let began = shared.clock.now();
    let login = request.account.expose().trim();
    if login.is_empty() || login.len() > LOGIN_LIMIT {
        return Err(ApiErrorCode::SignInFailed.into());
    }
    let keys = [
        TryKey::address(Desk::Password, device.address),
        TryKey::account(login, device.address),
        TryKey::login(login),
    ];
    shared.begin_try(&keys, began)?;
    // The same for logins there are and those there are not.
    let wait = shared.tries.slow_down(&TryKey::login(login), began);
    shared.clock.sleep_until(began.plus(wait)).await;
    let account = shared
        .store
        .account_by_login(login)
        .await
        .map_err(|e| shared.internal("account", &e))?;
    let stored = account.as_ref().map(|a| a.password.clone());
    let right = shared.passwords.verify(request.password, stored).await;
    let Some(account) = account.filter(|_| right) else {
        shared.audit(device.entry(AuditKind::SignInRefused)).await;
        return Err(ApiErrorCode::SignInFailed.into());
    };
    shared.tries.forgive(&keys, began);
    let token = shared
        .issue(TokenKind::Staff(account.id.clone()), SESSION_MS)
        .await?;
    shared
        .audit(device.entry(AuditKind::SignedIn).account(&account.id))
        .await;
    let hearings = hearings_of(&shared, &account.id).await?;
    Ok(Json(StaffSignedIn {
        token,
        name: account.name,
        hearings,
    }))
}

pub(crate) async fn hearings(
    State(shared): State<Arc<Shared>>,
    Extension(SignedIn(account)): Extension<SignedIn>,
) -> Result<Json<StaffHearings>, Failure> {
    Ok(Json(StaffHearings {
        hearings: hearings_of(&shared, &account).await?,
    }))
}

/// From the database, except for what only a hearing in memory knows: whether the seat is in use.
async fn hearings_of(shared: &Shared, account: &str) -> Result<Vec<StaffHearing>, Failure> {
    let own = shared
        .store
        .hearings_of_account(account)
        .await
        .map_err(|e| shared.internal("hearings", &e))?;
    let mut list = Vec::with_capacity(own.len());
    for (stored, seat) in own {
        let look = shared.docket.look_if_loaded(&stored.id, &seat).await;
        let role = stored.seats.iter().find(|s| s.id == seat).map(|s| s.role);
        let Some(role) = look.as_ref().map(|l| l.seat.role).or(role) else {
            continue;
        };
        list.push(StaffHearing {
            hearing: stored.id,
            case: stored.case,
            state: look.as_ref().map_or(stored.state, |l| l.state.clone()),
            seat,
            role,
            in_use: look.is_some_and(|l| l.in_use),
        });
    }
    Ok(list)
}

pub(crate) async fn seat(
    State(shared): State<Arc<Shared>>,
    Extension(SignedIn(account)): Extension<SignedIn>,
    device: Device,
    Body(request): Body<StaffTakeSeat>,
) -> Result<Json<SeatTaken>, Failure> {
    let own = shared
        .store
        .hearings_of_account(&account)
        .await
        .map_err(|e| shared.internal("hearings", &e))?;
    let Some((hearing, seat)) = own.into_iter().find(|(h, _)| h.id == request.hearing) else {
        // Not told apart from a hearing that does not exist.
        return Err(ApiErrorCode::NotFound.into());
    };
    let place = (hearing.id, seat);
    let token = take(&shared, &place, request.take_over).await?;
    shared
        .audit(device.entry(AuditKind::SeatTaken).at(&place).account(&account))
        .await;
    Ok(Json(SeatTaken {
        hearing: place.0,
        seat: place.1,
        token,
    }))
}
