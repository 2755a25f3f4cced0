//! Media inside a WebSocket: who may open one, and what ends it.

use crate::kit::{Court, PATIENCE};
use futures_util::{SinkExt, StreamExt};
use protocol::Practice;
use tokio_tungstenite::tungstenite::{Error, Message};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn dial(court: &Court, token: &str) -> Result<Socket, u16> {
    let url = format!("ws://{}/rtc/v1/tunnel?access_token={token}", court.address);
    match tokio_tungstenite::connect_async(url).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("neither opened nor refused: {error}"),
    }
}

async fn practice(court: &Court) -> Practice {
    let (status, answer) = court
        .request("POST", "/api/v1/practice", "203.0.113.9", None, None)
        .await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_value(answer).expect("a Practice")
}

#[tokio::test]
async fn a_tunnel_opens_to_who_may_join_a_room_and_to_nobody_else() {
    let court = Court::with_media().await;
    let token = practice(&court).await.media.token;
    let (kept, last) = token.expose().split_at(token.expose().len() - 4);
    let changed = format!("{kept}{}", if last == "AAAA" { "BBBB" } else { "AAAA" });
    for (shown, status) in [("", 401), ("nonsense", 401), (changed.as_str(), 401)] {
        assert_eq!(dial(&court, shown).await.err(), Some(status), "{shown}");
    }
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(dial(&court, token.expose()).await.expect("opened"));
    }
    assert_eq!(
        dial(&court, token.expose()).await.err(),
        Some(503),
        "no more than a few"
    );
}

#[tokio::test]
async fn what_is_no_datagram_for_the_media_server_ends_it() {
    let court = Court::with_media().await;
    let token = practice(&court).await.media.token;
    for message in [
        Message::text("hello"),
        Message::binary(vec![0; 60_000]),
        // Its first datagram asks nobody anything.
        Message::binary(b"no STUN".to_vec()),
    ] {
        let mut socket = dial(&court, token.expose()).await.expect("opened");
        socket.send(message.clone()).await.expect("sent");
        let ended = async { while let Some(Ok(_)) = socket.next().await {} };
        tokio::time::timeout(PATIENCE, ended)
            .await
            .unwrap_or_else(|_| panic!("it goes on after {message:?}"));
    }
}
