//! The built page: files of `ui_dir`, and `index.html` for every address that the page itself routes.
//!
//! Addresses of the API never fall back to the page: a wrong address must not look like an answer.

use super::exchange::Failure;
use crate::app::Shared;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::ApiErrorCode;
use std::sync::Arc;
use tower::ServiceExt as _;
use tower_http::services::{ServeDir, ServeFile};

pub(super) async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path();
    let is_page = !["/api/", "/rtc", "/twirp/"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    let Some(dir) = shared.config.ui_dir.as_ref().filter(|_| is_page) else {
        return Failure::from(ApiErrorCode::NotFound).into_response();
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    // A missing file with an extension is missing; anything else is an address of the page.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    // The build puts a hash of the content into the names of what lies in `assets`.
    let for_ever = path.starts_with("/assets/");
    let index = ServeFile::new(dir.join("index.html"));
    let files = ServeDir::new(dir).precompressed_gzip();
    let served = if is_file {
        files.oneshot(request).await
    } else {
        files.fallback(index).oneshot(request).await
    };
    let mut response = served.into_response();
    let cache = if for_ever && response.status().is_success() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
