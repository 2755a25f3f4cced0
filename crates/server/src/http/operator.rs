//! For whoever runs the server: does it live, does it take people in, what does it count.

use crate::app::Shared;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The process answers. Nothing else is looked at, so that a slow disk does not get the server killed.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers and the server is not going down.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.soft.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n").into_response();
    }
    match shared.store.ping().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            shared.store_failed("readiness", &error);
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

/// The server's counters, and the media plane's.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let mut text = shared.metrics.prometheus();
    text.push_str(&(shared.media_metrics)().await);
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}
