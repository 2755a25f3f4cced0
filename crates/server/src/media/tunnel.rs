//! Media inside a WebSocket to the server's own address, for networks that let only web pages pass: each binary message is one
//! datagram, and goes the way of an ICE-TCP frame ([`super::tcp`]).
//!
//! It opens to who may join a room, and reaches nothing but the media plane: what is in a datagram is judged there, as
//! anybody's. A message that is no datagram ends it.

use super::MediaPlane;
use super::signalling::{Refused, admitted};
use super::tcp::{append_frame, frame};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use sfu::MAX_DATAGRAM;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt;

/// What waits between the WebSocket and the media plane, in each direction, in bytes: some ten milliseconds of pictures.
const BETWEEN: usize = 32 * 1024;

/// Tunnels that one participant may hold at once: the one in use, and the next one while the server has not missed it.
const EACH: usize = 3;

/// How many tunnels everybody holds, by room and identity.
#[derive(Default)]
pub(super) struct Tunnels(Mutex<HashMap<(String, String), usize>>);

/// One of them; dropping it gives it back.
struct Held {
    tunnels: Arc<Tunnels>,
    who: (String, String),
}

impl Tunnels {
    fn hold(self: &Arc<Self>, who: (String, String)) -> Option<Held> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(who.clone()).or_default();
        (*count < EACH).then(|| {
            *count += 1;
            Held {
                tunnels: self.clone(),
                who,
            }
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.tunnels.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.who);
            }
        }
    }
}

/// What the address of the WebSocket says.
#[derive(Deserialize)]
pub(super) struct TunnelQuery {
    #[serde(default)]
    access_token: String,
}

/// `/rtc/v1/tunnel`
pub(super) async fn open(
    State(plane): State<Arc<MediaPlane>>,
    Query(query): Query<TunnelQuery>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let claims = admitted(&plane, &query.access_token, &headers)?;
    let held = plane.tunnels.hold((claims.video.room, claims.sub));
    let (Some(slot), Some(held)) = (plane.passage.slot(), held) else {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    Ok(upgrade
        .max_message_size(MAX_DATAGRAM)
        .max_frame_size(MAX_DATAGRAM)
        .on_upgrade(async move |socket| {
            serve(&plane, socket).await;
            drop((slot, held));
        }))
}

async fn serve(plane: &MediaPlane, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let (here, there) = tokio::io::duplex(BETWEEN);
    let (mut from_plane, mut to_plane) = tokio::io::split(here);
    let inward = async {
        let mut framed = Vec::with_capacity(MAX_DATAGRAM + 2);
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Binary(contents) if !contents.is_empty() => {
                    framed.clear();
                    append_frame(&mut framed, &contents);
                    if to_plane.write_all(&framed).await.is_err() {
                        return;
                    }
                }
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Binary(_) | Message::Text(_) | Message::Close(_) => return,
            }
        }
    };
    let outward = async {
        while let Some(contents) = frame(&mut from_plane).await {
            if sink.send(Message::Binary(contents.into())).await.is_err() {
                return;
            }
        }
    };
    let peer = stand_in(plane.next_connection());
    tokio::select! {
        () = inward => {}
        () = outward => {}
        () = plane.passage.carry(tokio::io::split(there), peer, None, None) => {}
    }
}

/// An address for the peer of the `n`th connection that no other peer has: out of 240.0.0.0/4, which is on no wire (RFC 1112 §4).
fn stand_in(n: u64) -> SocketAddr {
    let host = (n >> 16) as u32 & 0x07ff_ffff;
    SocketAddr::from((Ipv4Addr::from(0xf000_0000 | host), n as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_holds_a_few_and_gives_them_back() {
        let tunnels = Arc::<Tunnels>::default();
        let who = |name: &str| ("room".to_owned(), name.to_owned());
        let held: Vec<Held> = (0..EACH).filter_map(|_| tunnels.hold(who("a"))).collect();
        assert_eq!(held.len(), EACH);
        assert!(tunnels.hold(who("a")).is_none());
        assert!(tunnels.hold(who("b")).is_some(), "another's are their own");
        drop(held);
        assert!(tunnels.hold(who("a")).is_some());
        assert!(
            tunnels.0.lock().expect("whole").is_empty(),
            "nothing is remembered"
        );
    }

    #[test]
    fn no_two_connections_share_an_address_and_none_is_on_a_wire() {
        let some = [0, 1, 65_535, 65_536, 1 << 40];
        let addresses: std::collections::HashSet<SocketAddr> = some.map(stand_in).into();
        assert_eq!(addresses.len(), some.len());
        for address in addresses {
            let SocketAddr::V4(address) = address else {
                panic!("{address}")
            };
            assert_eq!(address.ip().octets()[0] & 0xf0, 0xf0, "{address}");
            assert!(!address.ip().is_broadcast());
        }
    }
}
