//! LiveKit signalling, version 1: one WebSocket of protobuf messages beside one peer connection in which the server
//! always answers. This module carries messages; what they mean for tracks is in [`crate::room`].

pub mod join;

use futures_util::{SinkExt, StreamExt};
use join::Join;
use livekit_protocol::{self as proto, signal_request, signal_response};
use prost::Message as _;
use protocol::Secret;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use url::Url;

pub use signal_request::Message as Request;
pub use signal_response::Message as Response;

/// How long connecting and the first answer may take together.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(7);
/// Largest message that is accepted, in bytes.
const MESSAGE_LIMIT: usize = 4 * 1024 * 1024;

/// Why signalling did not come about or ended.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// The server cannot be reached, or the connection broke.
    #[error("signalling: the connection failed: {0}")]
    Broken(String),
    /// Nothing came in time.
    #[error("signalling: no answer in time")]
    Silent,
    /// The token is not valid here (HTTP 401 or 403).
    #[error("signalling: the token was refused")]
    Refused,
    /// The server does not speak version 1 (HTTP 404).
    #[error("signalling: this server does not speak version 1")]
    NotSpoken,
    /// The server closed the door in its first message.
    #[error("signalling: the server said leave ({0:?})")]
    Leave(Leave),
    /// Something that is not the protocol.
    #[error("signalling: not the protocol: {0}")]
    Protocol(&'static str),
    /// The address is unusable.
    #[error(transparent)]
    Address(#[from] join::AddressError),
}

/// What the server wants after a leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// Do not come back by yourself.
    Disconnect(proto::DisconnectReason),
    /// Resume the session.
    Resume,
    /// Join anew.
    Reconnect,
}

impl Leave {
    /// Reads the message as protocol 13 and later define it.
    pub fn of(leave: &proto::LeaveRequest) -> Self {
        match leave.action() {
            proto::leave_request::Action::Disconnect => Self::Disconnect(leave.reason()),
            proto::leave_request::Action::Resume => Self::Resume,
            proto::leave_request::Action::Reconnect => Self::Reconnect,
        }
    }
}

/// A message that does not leave in this time will not.
const SEND_LIMIT: Duration = Duration::from_secs(5);

/// The first message of a connection.
#[derive(Clone, PartialEq, Debug)]
pub enum Opening {
    /// A new session.
    Joined(Box<proto::JoinResponse>),
    /// The old session goes on.
    Resumed(Box<proto::ReconnectResponse>),
}

/// A connected signalling channel.
pub struct Signal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Signal {
    /// Connects and reads the first message. Messages that the server sends before it (an answer may overtake the
    /// join) are kept and come first from [`Signal::next`].
    pub async fn connect(
        base: &Url,
        token: &Secret,
        join: &Join,
    ) -> Result<(Self, Opening, Vec<Response>), SignalError> {
        match tokio::time::timeout(CONNECT_LIMIT, Self::open(base, token, join)).await {
            Ok(result) => result,
            Err(_) => Err(SignalError::Silent),
        }
    }

    async fn open(
        base: &Url,
        token: &Secret,
        join: &Join,
    ) -> Result<(Self, Opening, Vec<Response>), SignalError> {
        let url = join::address(base, token.expose(), join)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT))
            .max_frame_size(Some(MESSAGE_LIMIT));
        let (socket, _) =
            connect_async_tls_with_config(url.as_str(), Some(config), true, Some(crate::tls::connector()))
                .await
                .map_err(refusal)?;
        let mut signal = Self { socket };
        let mut early = Vec::new();
        loop {
            match signal.next().await? {
                Response::Join(join) => return Ok((signal, Opening::Joined(Box::new(join)), early)),
                Response::Reconnect(resumed) => {
                    return Ok((signal, Opening::Resumed(Box::new(resumed)), early));
                }
                Response::Leave(leave) => return Err(SignalError::Leave(Leave::of(&leave))),
                other => early.push(other),
            }
        }
    }

    /// The next message. Cancel-safe.
    pub async fn next(&mut self) -> Result<Response, SignalError> {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(SignalError::Broken(error.to_string())),
                None => return Err(SignalError::Broken("closed".into())),
            };
            match message {
                Message::Binary(bytes) => {
                    let response = proto::SignalResponse::decode(&bytes[..])
                        .map_err(|_| SignalError::Protocol("a message that is not a SignalResponse"))?;
                    if let Some(message) = response.message {
                        return Ok(message);
                    }
                }
                Message::Close(_) => return Err(SignalError::Broken("closed by the server".into())),
                // Pings are answered by the library; text belongs to an older version.
                _ => {}
            }
        }
    }

    /// Sends one message.
    pub async fn send(&mut self, request: Request) -> Result<(), SignalError> {
        let bytes = proto::SignalRequest {
            message: Some(request),
        }
        .encode_to_vec();
        let sending = self.socket.send(Message::Binary(bytes.into()));
        match tokio::time::timeout(SEND_LIMIT, sending).await {
            Ok(sent) => sent.map_err(|e| SignalError::Broken(e.to_string())),
            Err(_) => Err(SignalError::Broken("nothing more can be sent".into())),
        }
    }

    /// Closes without waiting for the other side.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_millis(300), self.socket.close(None)).await;
    }
}

fn refusal(error: WsError) -> SignalError {
    match error {
        WsError::Http(response) => match response.status().as_u16() {
            401 | 403 => SignalError::Refused,
            404 => SignalError::NotSpoken,
            status => SignalError::Broken(format!("HTTP status {status}")),
        },
        // The address carries the token, so nothing of the error's text that could hold it is kept.
        other => SignalError::Broken(match other {
            WsError::Io(io) => io.kind().to_string(),
            _ => "WebSocket handshake failed".into(),
        }),
    }
}
