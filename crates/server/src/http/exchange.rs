//! What requests and answers have in common: bodies, failures, and what is known of the device that asks.

use crate::app::Shared;
use crate::storage::{AuditEntry, AuditKind};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::{ApiError, ApiErrorCode, HearingId, NetAddress, SeatId, TimeMs};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// A JSON body. What does not fit is answered with `BadRequest` and never repeated.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Failure::from(ApiErrorCode::BadRequest))?;
        serde_json::from_slice(&bytes)
            .map(Body)
            .map_err(|_| Failure::from(ApiErrorCode::BadRequest))
    }
}

/// Why a request failed, as the page will read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(ApiError);

impl From<ApiErrorCode> for Failure {
    fn from(code: ApiErrorCode) -> Self {
        Self(ApiError {
            code,
            retry_after_ms: None,
            valid_from: None,
        })
    }
}

impl Failure {
    pub(crate) fn too_many_tries(wait_ms: u64) -> Self {
        let retry_after_ms = Some(u32::try_from(wait_ms).unwrap_or(u32::MAX));
        Self(ApiError {
            code: ApiErrorCode::TooManyTries,
            retry_after_ms,
            valid_from: None,
        })
    }

    pub(crate) fn busy(wait_ms: u32) -> Self {
        Self(ApiError {
            code: ApiErrorCode::Busy,
            retry_after_ms: Some(wait_ms),
            valid_from: None,
        })
    }

    pub(crate) fn not_yet_valid(valid_from: TimeMs) -> Self {
        Self(ApiError {
            code: ApiErrorCode::CodeNotYetValid,
            retry_after_ms: None,
            valid_from: Some(valid_from),
        })
    }
}

/// The HTTP status that fits a failure.
pub(crate) fn status(code: ApiErrorCode) -> StatusCode {
    match code {
        ApiErrorCode::CodeNotAccepted | ApiErrorCode::NotFound => StatusCode::NOT_FOUND,
        ApiErrorCode::CodeNotYetValid | ApiErrorCode::NotAllowed => StatusCode::FORBIDDEN,
        ApiErrorCode::CodeExpired => StatusCode::GONE,
        ApiErrorCode::SeatInUse => StatusCode::CONFLICT,
        ApiErrorCode::NameMismatch | ApiErrorCode::CapacityMismatch => StatusCode::UNPROCESSABLE_ENTITY,
        ApiErrorCode::TicketExpired | ApiErrorCode::SignInFailed | ApiErrorCode::NotSignedIn => {
            StatusCode::UNAUTHORIZED
        }
        ApiErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ApiErrorCode::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
        ApiErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ApiErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (status(self.0.code), axum::Json(&self.0)).into_response();
        if let Some(ms) = self.0.retry_after_ms {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, ms.div_ceil(1_000).into());
        }
        response
    }
}

/// Where a request came from and what it says it is.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) address: IpAddr,
    /// A proxy passed the request on, and the server was not told that there is one: the address is the proxy's.
    is_passed_on: bool,
    /// The `User-Agent`, cut to a sensible length.
    program: Option<String>,
}

const PROGRAM_LIMIT: usize = 300;
/// What proxies write.
const PASSED_ON: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

impl Device {
    /// The client's address is that of the connection, or behind a proxy the last entry of `X-Forwarded-For`: the one
    /// that the proxy itself wrote.
    pub(crate) fn of(parts: &Parts, behind_proxy: bool) -> Self {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip());
        let forwarded = || {
            let all = parts.headers.get_all("x-forwarded-for");
            all.iter()
                .next_back()?
                .to_str()
                .ok()?
                .rsplit(',')
                .next()?
                .trim()
                .parse()
                .ok()
        };
        let address = if behind_proxy { forwarded().or(peer) } else { peer };
        let says_so = |name| parts.headers.contains_key(name);
        let program = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|v| v.to_str().ok());
        Self {
            address: address
                .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
                .to_canonical(),
            is_passed_on: !behind_proxy && PASSED_ON.into_iter().any(says_so),
            program: program.map(|text| text.chars().take(PROGRAM_LIMIT).collect()),
        }
    }

    /// The request was made on the server's own machine. A proxy there that the server does not know of would make
    /// everybody look so.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.address.is_loopback() && !self.is_passed_on
    }

    /// A line of the court's trail about this device.
    pub(crate) fn entry(&self, kind: AuditKind) -> AuditEntry {
        AuditEntry {
            address: Some(NetAddress::new(self.address.to_string())),
            device: self.program.clone(),
            ..AuditEntry::new(kind)
        }
    }
}

impl AuditEntry {
    pub(crate) fn at(mut self, (hearing, seat): &(HearingId, SeatId)) -> Self {
        self.place = Some((hearing.clone(), seat.clone()));
        self
    }

    pub(crate) fn detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    pub(crate) fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }
}

impl FromRequestParts<Arc<Shared>> for Device {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Infallible> {
        Ok(Self::of(parts, shared.config.behind_proxy))
    }
}
