//! The signalling connection of LiveKit's protocol, version 1: a WebSocket whose address carries the join request.
//! Turns frames into requests and responses into frames; decides nothing.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_response::Message;
use protocol::TimeMs;
use serde::Deserialize;
use sfu::{Join, PING_TIMEOUT, ParticipantId};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::MediaPlane;
use super::shard::{ShardHandle, ToShard, ToSignal, clock};
use super::token::{BadToken, Claims};
use crate::channel::is_protocol_error;
use crate::pace::Pace;

/// Longest join request, packed or unpacked, in bytes.
const MAX_JOIN_REQUEST: usize = 1024 * 1024;
/// Longest signalling message, in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Responses waiting to be written; a client that lets more gather is cut off.
const QUEUE: usize = 1024;

/// Requests of one connection that wait for the shard; then reading waits.
const UNREAD: usize = 16;
/// A request costs as much as one more for each of these, in bytes: a session description of hundreds of kilobytes
/// takes long to read.
const BYTES_LIKE_A_REQUEST: usize = 8 * 1024;
/// A response that cannot be written within this time means that nobody reads.
const WRITE_LIMIT: Duration = PING_TIMEOUT;
/// A client that says nothing for this long is gone; it pings three times in [`PING_TIMEOUT`].
const IDLE_LIMIT: Duration = PING_TIMEOUT.saturating_mul(3);

/// What the address of the WebSocket says.
#[derive(Deserialize)]
pub(super) struct JoinQuery {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    join_request: String,
}

/// Why a connection is refused before it is opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Token(#[from] BadToken),
    #[error("the access token does not allow joining this room")]
    NotGranted,
    #[error("the join request cannot be read")]
    JoinRequest,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Refused::Token(_) => StatusCode::UNAUTHORIZED,
            Refused::NotGranted => StatusCode::FORBIDDEN,
            Refused::JoinRequest => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}

/// `/rtc/v1`
pub(super) async fn connect(
    State(plane): State<Arc<MediaPlane>>,
    Query(query): Query<JoinQuery>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    match join_of(&plane, &query, &headers) {
        Ok(join) => upgrade
            .max_message_size(MAX_MESSAGE)
            .max_frame_size(MAX_MESSAGE)
            .on_upgrade(move |socket| serve(plane, socket, join)),
        Err(refused) => refused.into_response(),
    }
}

/// `/rtc/v1/validate`: what a client asks after a WebSocket failed, to learn why.
pub(super) async fn validate(
    State(plane): State<Arc<MediaPlane>>,
    Query(query): Query<JoinQuery>,
    headers: HeaderMap,
) -> Response {
    match join_of(&plane, &query, &headers) {
        Ok(_) => "success".into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// Whom a token lets into its room, shown in the query or as a bearer.
pub(super) fn admitted(plane: &MediaPlane, in_query: &str, headers: &HeaderMap) -> Result<Claims, Refused> {
    let token = if in_query.is_empty() {
        bearer(headers)
    } else {
        in_query
    };
    let claims: Claims = plane.check(token)?;
    if !claims.video.room_join || claims.video.room.is_empty() || claims.sub.is_empty() {
        return Err(Refused::NotGranted);
    }
    Ok(claims)
}

fn join_of(plane: &MediaPlane, query: &JoinQuery, headers: &HeaderMap) -> Result<Join, Refused> {
    let claims = admitted(plane, &query.access_token, headers)?;
    let request = join_request(&query.join_request).ok_or(Refused::JoinRequest)?;
    let permissions = claims.permissions();
    let own_metadata = permissions.can_update_metadata;
    let request = proto::JoinRequest {
        // Only who may change its metadata may bring its own.
        metadata: if own_metadata {
            request.metadata
        } else {
            String::new()
        },
        participant_attributes: if own_metadata {
            request.participant_attributes
        } else {
            Default::default()
        },
        ..request
    };
    Ok(Join {
        room: claims.video.room,
        identity: claims.sub,
        name: claims.name,
        metadata: claims.metadata,
        attributes: claims.attributes,
        permissions,
        issued_ms: claims.issued_ms.max(claims.nbf.saturating_mul(1000)),
        request,
    })
}

/// The token of an `Authorization: Bearer` header, or nothing.
pub(super) fn bearer(headers: &HeaderMap) -> &str {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
}

/// Unpacks `join_request`: base64url of a `WrappedJoinRequest`. Absent means an empty one.
fn join_request(text: &str) -> Option<proto::JoinRequest> {
    if text.len() > MAX_JOIN_REQUEST * 2 {
        return None;
    }
    let packed = URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .or_else(|_| STANDARD.decode(text))
        .ok()?;
    let wrapped = proto::WrappedJoinRequest::decode(&packed[..]).ok()?;
    let bytes = match wrapped.compression() {
        proto::wrapped_join_request::Compression::None => wrapped.join_request,
        proto::wrapped_join_request::Compression::Gzip => {
            let mut unpacked = Vec::new();
            let limit = MAX_JOIN_REQUEST as u64 + 1;
            flate2::read::GzDecoder::new(&wrapped.join_request[..])
                .take(limit)
                .read_to_end(&mut unpacked)
                .ok()?;
            unpacked
        }
    };
    if bytes.len() > MAX_JOIN_REQUEST {
        return None;
    }
    proto::JoinRequest::decode(&bytes[..]).ok()
}

async fn serve(plane: Arc<MediaPlane>, mut socket: WebSocket, join: Join) {
    let shard = plane.shard_of(&join.room).clone();
    let connection = plane.next_connection();
    let (signal, mut responses) = mpsc::channel(QUEUE);
    let (reply, joined) = oneshot::channel();
    shard.tell(ToShard::Join {
        join: Box::new(join),
        connection,
        signal,
        reply,
    });
    let id = match joined.await {
        Ok(Ok(id)) => id,
        Ok(Err(refusal)) => {
            let leave = Message::Leave(refusal.leave());
            let _ = socket.send(frame_of(leave)).await;
            return close(socket, close_code::NORMAL, "refused").await;
        }
        Err(_) => return close(socket, close_code::AWAY, "shutting down").await,
    };
    let asking = Asking {
        shard: &shard,
        id,
        connection,
        unread: Arc::new(Semaphore::new(UNREAD)),
    };
    let ended = exchange(&mut socket, &mut responses, &asking).await;
    tracing::debug!(%id, ?ended, "signalling connection ended");
    match ended {
        Ended::ByServer => close(socket, close_code::NORMAL, "left").await,
        Ended::ByClient => gone(&shard, id, connection),
        Ended::Malformed(code, why) => {
            gone(&shard, id, connection);
            close(socket, code, why).await;
        }
    }
}

fn gone(shard: &ShardHandle, id: ParticipantId, connection: u64) {
    shard.tell(ToShard::SignalClosed(id, connection));
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    ByServer,
    ByClient,
    /// The close code and the reason.
    Malformed(u16, &'static str),
}

/// How a connection asks its shard.
struct Asking<'a> {
    shard: &'a ShardHandle,
    id: ParticipantId,
    connection: u64,
    unread: Arc<Semaphore>,
}

impl Asking<'_> {
    /// Waits while too much of this connection waits already.
    async fn ask(&self, request: proto::SignalRequest) {
        let place = self.unread.clone().acquire_owned().await;
        let place = place.expect("nobody closes the places of this connection");
        self.shard.tell(ToShard::Signal(
            self.id,
            self.connection,
            Box::new(request),
            place,
        ));
    }
}

async fn exchange(
    socket: &mut WebSocket,
    responses: &mut mpsc::Receiver<ToSignal>,
    asking: &Asking<'_>,
) -> Ended {
    let began = clock();
    let mut pace = Pace::signalling(TimeMs(0));
    // Who asks faster than the pace is read later, so that nobody else is told more than can be written.
    let (mut read_from, mut heard) = (began, began);
    loop {
        let may_read = read_from <= clock();
        tokio::select! {
            response = responses.recv() => match response {
                Some(ToSignal::Message(message)) => {
                    let sent = tokio::time::timeout(WRITE_LIMIT, socket.send(frame_of(*message))).await;
                    if !matches!(sent, Ok(Ok(()))) {
                        return Ended::ByClient;
                    }
                }
                Some(ToSignal::Close) | None => return Ended::ByServer,
            },
            () = at(read_from), if !may_read => heard = clock(),
            () = at(heard + IDLE_LIMIT), if may_read => return Ended::ByClient,
            frame = socket.recv(), if may_read => match frame {
                Some(Ok(Frame::Binary(bytes))) => {
                    heard = clock();
                    let now = TimeMs(u64::try_from((heard - began).as_millis()).unwrap_or(u64::MAX));
                    let cost = 1 + bytes.len() / BYTES_LIKE_A_REQUEST;
                    read_from = heard + Duration::from_millis(pace.borrow(cost as u64, now));
                    match proto::SignalRequest::decode(&bytes[..]) {
                        Ok(request) => asking.ask(request).await,
                        Err(_) => return Ended::Malformed(close_code::INVALID, "not a signal request"),
                    }
                }
                Some(Ok(Frame::Text(_))) => {
                    return Ended::Malformed(close_code::INVALID, "text frames are not spoken here");
                }
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => heard = clock(),
                Some(Err(error)) if is_protocol_error(&error) => {
                    return Ended::Malformed(close_code::SIZE, "not a frame that is taken here");
                }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return Ended::ByClient,
            },
        }
    }
}

async fn at(instant: Instant) {
    tokio::time::sleep_until(instant.into()).await;
}

fn frame_of(message: Message) -> Frame {
    Frame::Binary(
        proto::SignalResponse {
            message: Some(message),
        }
        .encode_to_vec()
        .into(),
    )
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let close = Frame::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }));
    // The peer may be gone already, or not read.
    let _ = tokio::time::timeout(WRITE_LIMIT, socket.send(close)).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn wrapped(compression: proto::wrapped_join_request::Compression, bytes: Vec<u8>) -> String {
        let wrapped = proto::WrappedJoinRequest {
            compression: compression as i32,
            join_request: bytes,
        };
        URL_SAFE_NO_PAD.encode(wrapped.encode_to_vec())
    }

    #[test]
    fn join_requests_are_unpacked_and_bombs_are_not() {
        use proto::wrapped_join_request::Compression::{Gzip, None as Plain};
        let request = proto::JoinRequest {
            participant_sid: "PA_x".into(),
            ..Default::default()
        };
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).expect("to memory");
            encoder.finish().expect("to memory")
        };
        assert_eq!(
            join_request(&wrapped(Plain, request.encode_to_vec())),
            Some(request.clone())
        );
        assert_eq!(
            join_request(&wrapped(Gzip, gzip(&request.encode_to_vec()))),
            Some(request)
        );
        assert_eq!(join_request(""), Some(proto::JoinRequest::default()));
        assert_eq!(
            join_request(&wrapped(Gzip, gzip(&vec![0; 64 << 20]))),
            None,
            "unpacks to 64 MiB"
        );
        assert_eq!(join_request(&wrapped(Gzip, b"not gzip".to_vec())), None);
        assert_eq!(join_request("!!!"), None);
        assert_eq!(join_request(&wrapped(Plain, vec![0xff; 9])), None);
    }
}
