//! `POST /practice`: a practice room for anybody, before any code is known. Only how many is limited.

use super::exchange::{Device, Failure};
use crate::app::Shared;
use crate::practice::{self, BUSY_WAIT_MS};
use crate::tries::{Desk, TryKey};
use axum::Json;
use axum::extract::State;
use protocol::{MediaAccess, Practice};
use std::sync::Arc;

pub(crate) async fn open(
    State(shared): State<Arc<Shared>>,
    device: Device,
) -> Result<Json<Practice>, Failure> {
    let now = shared.clock.now();
    shared
        .begin_try(&[TryKey::address(Desk::Practice, device.address)], now)
        .inspect_err(|_| shared.metrics.practice_refused.up())?;
    let Some(opened) = practice::open(&shared, device.address) else {
        shared.metrics.practice_refused.up();
        return Err(Failure::busy(BUSY_WAIT_MS));
    };
    shared.metrics.practice_rooms.up();
    Ok(Json(Practice {
        media: MediaAccess {
            url: shared.config.media_url.clone(),
            token: opened.tokens.me,
            expires_at: opened.until,
        },
        mirror: opened.tokens.mirror,
        server_time: shared.clock.now(),
    }))
}
