//! Joins a Janus VideoRoom over its WebSocket transport, as publisher (we offer) or receiver (Janus offers).

use crate::livekit::Joined;
use crate::peer::{Counters, Peer, Stream};
use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use str0m::change::SdpOffer;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

struct Handle {
    socket: Socket,
    session: u64,
    handle: u64,
    transaction: u64,
}

impl Handle {
    async fn attach(url: &str) -> Result<Self> {
        let mut request = url.into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "janus-protocol".parse()?);
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        let mut this = Self {
            socket,
            session: 0,
            handle: 0,
            transaction: 0,
        };
        this.session = this.ask(json!({ "janus": "create" })).await?["data"]["id"]
            .as_u64()
            .context("a session id")?;
        this.handle = this
            .ask(json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" }))
            .await?["data"]["id"]
            .as_u64()
            .context("a handle id")?;
        Ok(this)
    }

    /// Sends a request and returns its answer; for plugin messages that is the event, not the acknowledgement.
    async fn ask(&mut self, mut request: Value) -> Result<Value> {
        self.transaction += 1;
        let transaction = self.transaction.to_string();
        request["transaction"] = json!(transaction);
        if self.session != 0 {
            request["session_id"] = json!(self.session);
        }
        if self.handle != 0 {
            request["handle_id"] = json!(self.handle);
        }
        self.socket.send(Message::text(request.to_string())).await?;
        loop {
            let message = tokio::time::timeout(Duration::from_secs(10), self.socket.next()).await?;
            let Message::Text(text) = message.context("Janus left")?? else {
                continue;
            };
            let said: Value = serde_json::from_str(&text)?;
            if said["transaction"] != json!(transaction) || said["janus"] == "ack" {
                continue;
            }
            if said["janus"] == "error" || said["plugindata"]["data"]["error"].is_string() {
                bail!("Janus refused: {said}");
            }
            return Ok(said);
        }
    }

    async fn message(&mut self, body: Value, jsep: Option<Value>) -> Result<Value> {
        let mut request = json!({ "janus": "message", "body": body });
        if let Some(jsep) = jsep {
            request["jsep"] = jsep;
        }
        self.ask(request).await
    }

    fn stay(mut self, running: crate::peer::Running) -> Joined {
        let mut signal = tokio::task::JoinSet::new();
        signal.spawn(async move {
            let mut keepalive = tokio::time::interval(Duration::from_secs(20));
            loop {
                tokio::select! {
                    _ = keepalive.tick() => {
                        let beat = json!({ "janus": "keepalive", "session_id": self.session, "transaction": "k" });
                        if self.socket.send(Message::text(beat.to_string())).await.is_err() { break }
                    }
                    said = self.socket.next() => if !matches!(said, Some(Ok(_))) { break },
                }
            }
        });
        Joined::new(running, signal)
    }
}

/// Makes the room.
pub(crate) async fn create_room(url: &str, room: u64, publishers: usize) -> Result<()> {
    let mut handle = Handle::attach(url).await?;
    let body = json!({ "request": "create", "room": room, "publishers": publishers, "videocodec": "h264", "bitrate": 0 });
    handle.message(body, None).await?;
    Ok(())
}

/// Joins with one video to send; returns the feed's id too.
pub(crate) async fn publish(
    url: &str,
    room: u64,
    local: IpAddr,
    stream: Stream,
    counters: Arc<Counters>,
) -> Result<(Joined, u64)> {
    let mut handle = Handle::attach(url).await?;
    let joined = handle
        .message(
            json!({ "request": "join", "ptype": "publisher", "room": room }),
            None,
        )
        .await?;
    let feed = joined["plugindata"]["data"]["id"].as_u64().context("a feed id")?;
    let mut peer = Peer::new(local)?;
    let (offer, pending, mid) = peer.offer_sending("cam")?;
    let answer = handle
        .message(
            json!({ "request": "publish" }),
            Some(json!({ "type": "offer", "sdp": offer.to_sdp_string() })),
        )
        .await?;
    peer.accept(
        pending,
        answer["jsep"]["sdp"].as_str().context("Janus answers with SDP")?,
    )?;
    let running = peer.run(Some((mid, stream)), counters)?;
    Ok((handle.stay(running), feed))
}

/// Joins to receive all `feeds` over one connection.
pub(crate) async fn receive(
    url: &str,
    room: u64,
    feeds: &[u64],
    local: IpAddr,
    counters: Arc<Counters>,
) -> Result<Joined> {
    let mut handle = Handle::attach(url).await?;
    let streams: Vec<_> = feeds.iter().map(|feed| json!({ "feed": feed })).collect();
    let body = json!({ "request": "join", "ptype": "subscriber", "room": room, "streams": streams });
    // A feed exists once its publisher's connection is up, a moment after the answer.
    let mut tries = 0;
    let offered = loop {
        match handle.message(body.clone(), None).await {
            Err(_) if tries < 50 => tries += 1,
            other => break other?,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let offer = SdpOffer::from_sdp_string(offered["jsep"]["sdp"].as_str().context("Janus offers SDP")?)?;
    let mut peer = Peer::new(local)?;
    let answer = peer.rtc.sdp_api().accept_offer(offer)?;
    handle
        .message(
            json!({ "request": "start" }),
            Some(json!({ "type": "answer", "sdp": answer.to_sdp_string() })),
        )
        .await?;
    let running = peer.run(None, counters)?;
    Ok(handle.stay(running))
}
