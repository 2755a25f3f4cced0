//! Every route of the media plane and what opens it, in one table. Its router is built from it and from nothing else.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, any, get, post};
use tower_http::cors::{Any, CorsLayer};

use super::{MediaPlane, signalling, tunnel, twirp};

/// What opens a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opens {
    /// A token that grants joining its room, in the query or as a bearer.
    RoomToken,
    /// A token that grants what the method does, as a bearer. The server gives none to any seat.
    ServiceToken,
    /// Nothing: it is there to say no.
    Nothing,
}

/// One route. A match over it fails to compile when a route has no row or no handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaEndpoint {
    /// Signalling.
    Signalling,
    /// Why signalling was refused.
    Validate,
    /// Media where only web pages pass.
    Tunnel,
    /// Where older clients look for signalling.
    OlderSignalling,
    /// Where older clients ask why.
    OlderValidate,
    /// Managing rooms from outside.
    RoomService,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct MediaRow {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As axum writes it.
    pub path: &'static str,
    /// What opens it.
    pub opens: Opens,
    /// For the document.
    pub summary: &'static str,
}

impl MediaEndpoint {
    /// All of them.
    pub const ALL: [MediaEndpoint; 6] = [
        MediaEndpoint::Signalling,
        MediaEndpoint::Validate,
        MediaEndpoint::Tunnel,
        MediaEndpoint::OlderSignalling,
        MediaEndpoint::OlderValidate,
        MediaEndpoint::RoomService,
    ];

    /// The table.
    pub fn row(self) -> MediaRow {
        let row = |method, path, opens, summary| MediaRow {
            method,
            path,
            opens,
            summary,
        };
        match self {
            MediaEndpoint::Signalling => row(
                "GET",
                "/rtc/v1",
                Opens::RoomToken,
                "Media signalling as LiveKit speaks it, a WebSocket.",
            ),
            MediaEndpoint::Validate => row(
                "GET",
                "/rtc/v1/validate",
                Opens::RoomToken,
                "The same checks without a WebSocket.",
            ),
            MediaEndpoint::Tunnel => row(
                "GET",
                "/rtc/v1/tunnel",
                Opens::RoomToken,
                "Media datagrams in a WebSocket, for networks that let only web pages pass.",
            ),
            MediaEndpoint::OlderSignalling => row(
                "GET",
                "/rtc",
                Opens::Nothing,
                "Not spoken: an older version of media signalling.",
            ),
            MediaEndpoint::OlderValidate => row(
                "GET",
                "/rtc/validate",
                Opens::Nothing,
                "Not spoken: an older version of media signalling.",
            ),
            MediaEndpoint::RoomService => row(
                "POST",
                "/twirp/livekit.RoomService/{method}",
                Opens::ServiceToken,
                "LiveKit's room service, in protobuf or JSON.",
            ),
        }
    }

    fn handler(self) -> MethodRouter<Arc<MediaPlane>> {
        match self {
            MediaEndpoint::Signalling => get(signalling::connect),
            MediaEndpoint::Validate => get(signalling::validate),
            MediaEndpoint::Tunnel => get(tunnel::open),
            // A client takes 404 on the first as "speaks the older version", and on the second as "speaks neither".
            MediaEndpoint::OlderSignalling | MediaEndpoint::OlderValidate => {
                any(async || (StatusCode::NOT_FOUND, "only /rtc/v1 is spoken here"))
            }
            MediaEndpoint::RoomService => post(twirp::call).layer(DefaultBodyLimit::max(twirp::MAX_BODY)),
        }
    }
}

/// The table as a router. What protects a room is the token, not the origin.
pub(super) fn router(plane: Arc<MediaPlane>) -> Router {
    let mut routes = Router::new();
    for endpoint in MediaEndpoint::ALL {
        routes = routes.route(endpoint.row().path, endpoint.handler());
    }
    let anywhere = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(Any)
        .allow_headers(Any);
    routes.layer(anywhere).with_state(plane)
}
