//! Every route of the server and who may use it, in one table. The router is built from it and from nothing else.

use super::exchange::{Device, Failure};
use super::{document, enter, operator, page, practice, selftest, staff};
use crate::app::Shared;
use crate::channel;
use crate::keyed_hash::Purpose;
use crate::storage::TokenKind;
use axum::Router;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use protocol::{ApiErrorCode, FRAME_LIMIT, HearingId, Secret};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tower_http::timeout::TimeoutLayer;

/// Largest request body, in bytes. No request has more than a few hundred.
const BODY_LIMIT: usize = 64 * 1024;
/// How long a request other than the hearing channel may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// Who may use a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// Everybody; the handler itself asks for a code, a ticket or a password, or limits how many come.
    Anyone,
    /// Whoever shows a seat token in the first frame.
    SeatToken,
    /// A signed-in account.
    Staff,
    /// Whoever shows the seat token of a member of the court's staff.
    CourtSeat,
    /// The machine itself, or the operator's token.
    Operator,
}

/// One route. A match over it fails to compile when a route has no row or no handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Endpoint {
    Enter,
    Seat,
    Channel,
    StaffSignIn,
    StaffHearings,
    StaffSeat,
    Practice,
    SendSelfTest,
    SelfTests,
    OpenApi,
    Alive,
    Ready,
    Metrics,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) who: Who,
    /// For the document.
    pub(crate) summary: &'static str,
}

impl Endpoint {
    pub(crate) const ALL: [Endpoint; 13] = [
        Endpoint::Enter,
        Endpoint::Seat,
        Endpoint::Channel,
        Endpoint::StaffSignIn,
        Endpoint::StaffHearings,
        Endpoint::StaffSeat,
        Endpoint::Practice,
        Endpoint::SendSelfTest,
        Endpoint::SelfTests,
        Endpoint::OpenApi,
        Endpoint::Alive,
        Endpoint::Ready,
        Endpoint::Metrics,
    ];

    /// The table.
    pub(crate) fn row(self) -> Row {
        let row = |method, path, who, summary| Row {
            method,
            path,
            who,
            summary,
        };
        match self {
            Endpoint::Enter => row(
                "POST",
                "/api/v1/enter",
                Who::Anyone,
                "Shows what a hearing code opens.",
            ),
            Endpoint::Seat => row(
                "POST",
                "/api/v1/seat",
                Who::Anyone,
                "Takes the seat of a hearing code.",
            ),
            Endpoint::Channel => row(
                "GET",
                "/api/v1/hearings/{id}/channel",
                Who::SeatToken,
                "The hearing channel, a WebSocket.",
            ),
            Endpoint::StaffSignIn => row(
                "POST",
                "/api/v1/staff/sign-in",
                Who::Anyone,
                "Signs court staff in.",
            ),
            Endpoint::StaffHearings => row(
                "GET",
                "/api/v1/staff/hearings",
                Who::Staff,
                "The hearings of the account.",
            ),
            Endpoint::StaffSeat => row(
                "POST",
                "/api/v1/staff/seat",
                Who::Staff,
                "Takes the account's seat in a hearing.",
            ),
            Endpoint::Practice => row(
                "POST",
                "/api/v1/practice",
                Who::Anyone,
                "Opens a practice room, in which one sees and hears oneself.",
            ),
            Endpoint::SendSelfTest => row(
                "POST",
                "/api/v1/self-tests",
                Who::Anyone,
                "Sends the report of a device check to the court, by code or seat.",
            ),
            Endpoint::SelfTests => row(
                "GET",
                "/api/v1/hearings/{id}/self-tests",
                Who::CourtSeat,
                "The reports that were sent in a hearing.",
            ),
            Endpoint::OpenApi => row("GET", "/api/v1/openapi.json", Who::Anyone, "This document."),
            Endpoint::Alive => row("GET", "/healthz", Who::Anyone, "The process runs."),
            Endpoint::Ready => row("GET", "/readyz", Who::Anyone, "The server takes people in."),
            Endpoint::Metrics => row(
                "GET",
                "/metrics",
                Who::Operator,
                "Counters in the Prometheus text format.",
            ),
        }
    }

    fn handler(self) -> MethodRouter<Arc<Shared>> {
        match self {
            Endpoint::Enter => post(enter::enter),
            Endpoint::Seat => post(enter::seat),
            Endpoint::Channel => get(open_channel),
            Endpoint::StaffSignIn => post(staff::sign_in),
            Endpoint::StaffHearings => get(staff::hearings),
            Endpoint::StaffSeat => post(staff::seat),
            Endpoint::Practice => post(practice::open),
            Endpoint::SendSelfTest => post(selftest::send),
            Endpoint::SelfTests => get(selftest::read),
            Endpoint::OpenApi => get(document::serve),
            Endpoint::Alive => get(operator::alive),
            Endpoint::Ready => get(operator::ready),
            Endpoint::Metrics => get(operator::metrics),
        }
    }
}

/// The account that showed a staff token; put into the request by the guard.
#[derive(Clone, Debug)]
pub(super) struct SignedIn(pub(super) String);

/// The hearing in which a member of court staff showed the token of their seat; put into the request by the guard.
#[derive(Clone, Debug)]
pub(super) struct Seated(pub(super) HearingId);

/// The whole router: the table, the media plane's own routes, and the page for everything else.
pub(crate) fn router(shared: &Arc<Shared>, media: Router) -> Router {
    let mut routes = Router::new();
    for endpoint in Endpoint::ALL {
        let row = endpoint.row();
        let mut handler = endpoint.handler();
        if endpoint != Endpoint::Channel {
            handler = handler.layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                REQUEST_LIMIT,
            ));
        }
        let guard = Guard {
            shared: shared.clone(),
            who: row.who,
        };
        routes = routes.route(
            row.path,
            handler.layer(middleware::from_fn_with_state(guard, guarded)),
        );
    }
    routes
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .fallback(page::serve)
        .with_state(shared.clone())
        .merge(media)
        .layer(middleware::from_fn_with_state(shared.clone(), answered))
}

#[derive(Clone)]
struct Guard {
    shared: Arc<Shared>,
    who: Who,
}

/// Lets a request pass only if its sender may use the route.
async fn guarded(State(guard): State<Guard>, mut request: Request, next: Next) -> Result<Response, Failure> {
    let bearer = bearer(&request);
    match guard.who {
        Who::Anyone | Who::SeatToken => {}
        Who::Staff => {
            let account = staff_account(&guard.shared, bearer).await?;
            request.extensions_mut().insert(SignedIn(account));
        }
        Who::CourtSeat => {
            let seated = court_seat(&guard.shared, bearer).await?;
            request.extensions_mut().insert(seated);
        }
        Who::Operator => {
            let (parts, body) = request.into_parts();
            let device = Device::of(&parts, guard.shared.config.behind_proxy);
            request = Request::from_parts(parts, body);
            if !device.is_this_machine() && !is_operator(&guard.shared, bearer.as_ref()) {
                return Err(ApiErrorCode::NotAllowed.into());
            }
        }
    }
    Ok(next.run(request).await)
}

fn bearer(request: &Request) -> Option<Secret> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(token.trim()))
}

/// What a token opens, unless it is unknown or has expired.
pub(super) async fn opened_by(shared: &Shared, token: &Secret) -> Result<Option<TokenKind>, Failure> {
    let hash = shared.key.hash(Purpose::Token, token.expose());
    let found = shared.store.token(&hash, shared.clock.now()).await;
    let found = found.map_err(|e| shared.internal("token", &e))?;
    Ok(found.map(|token| token.kind))
}

async fn staff_account(shared: &Shared, bearer: Option<Secret>) -> Result<String, Failure> {
    let token = bearer.ok_or(ApiErrorCode::NotSignedIn)?;
    match opened_by(shared, &token).await? {
        Some(TokenKind::Staff(account)) => Ok(account),
        // A ticket or a seat token is a right token for another thing.
        Some(TokenKind::Ticket(..) | TokenKind::Seat(..)) => Err(ApiErrorCode::NotAllowed.into()),
        None => Err(ApiErrorCode::NotSignedIn.into()),
    }
}

async fn court_seat(shared: &Shared, bearer: Option<Secret>) -> Result<Seated, Failure> {
    let token = bearer.ok_or(ApiErrorCode::NotSignedIn)?;
    let place = match opened_by(shared, &token).await? {
        Some(TokenKind::Seat(hearing, seat)) => (hearing, seat),
        Some(TokenKind::Ticket(..) | TokenKind::Staff(_)) => return Err(ApiErrorCode::NotAllowed.into()),
        None => return Err(ApiErrorCode::NotSignedIn.into()),
    };
    let role = enter::look(shared, &place).await?.seat.role;
    if hearing::is_court(role) {
        Ok(Seated(place.0))
    } else {
        Err(ApiErrorCode::NotAllowed.into())
    }
}

fn is_operator(shared: &Shared, bearer: Option<&Secret>) -> bool {
    match (&shared.config.operator_token, bearer) {
        (Some(token), Some(shown)) => token.expose().as_bytes().ct_eq(shown.expose().as_bytes()).into(),
        _ => false,
    }
}

async fn open_channel(
    State(shared): State<Arc<Shared>>,
    Path(hearing): Path<String>,
    device: Device,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return Failure::from(ApiErrorCode::BadRequest).into_response();
    };
    let Some(stranger) = shared.hall.stand(device.address) else {
        return Failure::too_many_tries(channel::HELLO_LIMIT_MS).into_response();
    };
    upgrade
        .max_message_size(FRAME_LIMIT)
        .max_frame_size(FRAME_LIMIT)
        .on_upgrade(move |socket| {
            let tracker = shared.tracker.clone();
            tracker.track_future(channel::run(socket, shared, HearingId(hearing), device, stranger))
        })
}

/// What the browser may load and ask for: the page's own files, its own server, the media server it is sent to and the
/// devices it was given.
pub(crate) fn content_security_policy(media_url: &str) -> HeaderValue {
    // The library asks the same address over HTTP why a WebSocket was refused.
    let media = origin(media_url).map_or_else(String::new, |(scheme, host)| {
        let http = scheme.replace("ws", "http");
        format!(" {scheme}://{host} {http}://{host}")
    });
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
         media-src 'self' blob: mediastream:; connect-src 'self'{media}; worker-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("an origin is of letters that a header may have")
}

/// Scheme and host with port of a WebSocket address; of an address with anything in it that a policy would read as
/// more than an origin, nothing.
fn origin(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    (!host.is_empty() && host.chars().all(is_plain)).then_some((scheme, host))
}

/// Adds the security headers to every answer, and counts it.
async fn answered(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let is_api = request.method() != Method::GET || request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    shared.metrics.requests.up();
    if response.status().is_server_error() {
        shared.metrics.requests_failed.up();
    }
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        shared.content_security_policy.clone(),
    );
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_may_reach_its_own_server_and_the_media_server_it_is_sent_to() {
        for (media_url, allowed) in [
            ("", "connect-src 'self';"),
            (
                "wss://media.example.cn:7443/sfu",
                "connect-src 'self' wss://media.example.cn:7443 https://media.example.cn:7443;",
            ),
            (
                "ws://[2001:db8::1]:7880",
                "connect-src 'self' ws://[2001:db8::1]:7880 http://[2001:db8::1]:7880;",
            ),
            ("wss://a.example; script-src *", "connect-src 'self';"),
        ] {
            let policy = content_security_policy(media_url);
            let policy = policy.to_str().expect("text");
            assert!(policy.contains(allowed), "{media_url}: {policy}");
            assert!(policy.contains("; script-src 'self';"), "{policy}");
        }
    }
}
