//! The client's end of media signalling, for the two test programs that knock at it. Reads; judges nothing.

use futures_util::StreamExt;
use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_response::Message;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the server says next; nothing when it has closed.
pub(crate) async fn next(socket: &mut Socket) -> Option<Message> {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(10), socket.next())
            .await
            .expect("something in ten seconds");
        match frame? {
            Ok(Frame::Binary(bytes)) => {
                return proto::SignalResponse::decode(&bytes[..])
                    .expect("a response")
                    .message;
            }
            Ok(Frame::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
