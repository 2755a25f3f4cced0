//! Joins a room over LiveKit signalling v1 with the offer in the request, and stays in it. Written apart from the
//! crate `client`, so that the bench does not share a client's mistakes with it.

use crate::peer::{Counters, Peer, Running, Stream, Word};
use anyhow::{Context, Result, bail};
use base64::Engine;
use futures_util::{SinkExt, StreamExt};
use livekit_protocol as proto;
use prost::Message as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Where to join.
pub(crate) struct Place<'a> {
    pub(crate) url: &'a str,
    pub(crate) room: &'a str,
    pub(crate) key: &'a str,
    pub(crate) secret: &'a str,
}

/// A peer and the signalling that keeps it in the room.
pub(crate) struct Joined {
    _running: Running,
    _signal: tokio::task::JoinSet<()>,
}

impl Joined {
    pub(crate) fn new(running: Running, signal: tokio::task::JoinSet<()>) -> Self {
        Self {
            _running: running,
            _signal: signal,
        }
    }
}

/// Joins with one video to send.
pub(crate) async fn publish(
    place: &Place<'_>,
    number: usize,
    local: IpAddr,
    stream: Stream,
    counters: Arc<Counters>,
) -> Result<Joined> {
    let mut peer = Peer::new(local)?;
    let track = format!("cam-{number}");
    let (offer, pending, mid) = peer.offer_sending(&track)?;
    let add = proto::AddTrackRequest {
        cid: track.clone(),
        name: "camera".into(),
        r#type: proto::TrackType::Video as i32,
        source: proto::TrackSource::Camera as i32,
        width: 1280,
        height: 720,
        ..Default::default()
    };
    let socket = join(
        place,
        &format!("p{number}"),
        false,
        offer.to_sdp_string(),
        vec![add],
    )
    .await?;
    settle(socket, peer, pending, Some((mid, stream)), counters).await
}

/// Joins to receive `videos`.
pub(crate) async fn receive(
    place: &Place<'_>,
    number: usize,
    videos: usize,
    local: IpAddr,
    counters: Arc<Counters>,
) -> Result<Joined> {
    let mut peer = Peer::new(local)?;
    let (offer, pending) = peer.offer_receiving(videos)?;
    let socket = join(place, &format!("r{number}"), true, offer.to_sdp_string(), vec![]).await?;
    settle(socket, peer, pending, None, counters).await
}

/// A publisher does not subscribe: what it received would be work that the wanted streams do not count.
async fn join(
    place: &Place<'_>,
    identity: &str,
    subscribes: bool,
    sdp: String,
    tracks: Vec<proto::AddTrackRequest>,
) -> Result<Socket> {
    let claims = serde_json::json!({
        "iss": place.key, "sub": identity, "nbf": 0, "exp": 4_102_444_800_u64,
        "video": { "roomJoin": true, "room": place.room, "canPublish": true, "canSubscribe": subscribes },
    });
    let token = jsonwebtoken::encode(
        &jsonwebtoken::Header::default(),
        &claims,
        &jsonwebtoken::EncodingKey::from_secret(place.secret.as_bytes()),
    )?;
    let request = proto::JoinRequest {
        client_info: Some(proto::ClientInfo {
            sdk: proto::client_info::Sdk::Rust as i32,
            version: "0.1.0".into(),
            protocol: 16,
            ..Default::default()
        }),
        connection_settings: Some(proto::ConnectionSettings {
            auto_subscribe: subscribes,
            ..Default::default()
        }),
        add_track_requests: tracks,
        publisher_offer: Some(proto::SessionDescription {
            r#type: "offer".into(),
            sdp,
            id: 1,
            ..Default::default()
        }),
        ..Default::default()
    };
    let wrapped = proto::WrappedJoinRequest {
        compression: 0,
        join_request: request.encode_to_vec(),
    };
    let encoded = base64::engine::general_purpose::URL_SAFE.encode(wrapped.encode_to_vec());
    let url = format!("{}/rtc/v1?access_token={token}&join_request={encoded}", place.url);
    let (socket, _) = tokio_tungstenite::connect_async(url).await.context("joining")?;
    Ok(socket)
}

async fn settle(
    mut socket: Socket,
    mut peer: Peer,
    pending: str0m::change::SdpPendingOffer,
    sending: Option<(str0m::media::Mid, Stream)>,
    counters: Arc<Counters>,
) -> Result<Joined> {
    use proto::signal_response::Message as Said;
    let mut candidates = Vec::new();
    let answer = loop {
        let message = tokio::time::timeout(Duration::from_secs(10), socket.next())
            .await
            .context("waiting for the answer")?;
        let Message::Binary(bytes) = message.context("the server left")?? else {
            continue;
        };
        match proto::SignalResponse::decode(bytes)?.message {
            Some(Said::Answer(answer)) => break answer.sdp,
            Some(Said::Trickle(trickle)) => candidates.push(trickle.candidate_init),
            Some(Said::Leave(leave)) => bail!("refused: {:?}", leave.reason()),
            _ => {}
        }
    };
    peer.accept(pending, &answer)?;
    let mut trickled = |text: &str| {
        if let Ok(init) = serde_json::from_str::<serde_json::Value>(text)
            && let Some(candidate) = init["candidate"].as_str()
        {
            peer.add_candidate(candidate);
        }
    };
    candidates.iter().for_each(|text| trickled(text));
    // Both servers also list their candidates in the answer or trickle them at once; a short look is enough.
    while let Ok(Some(Ok(message))) = tokio::time::timeout(Duration::from_millis(100), socket.next()).await {
        if let Message::Binary(bytes) = message
            && let Some(Said::Trickle(trickle)) = proto::SignalResponse::decode(bytes)?.message
        {
            trickled(&trickle.candidate_init);
        }
    }
    let running = peer.run(sending, counters)?;
    let mut signal = tokio::task::JoinSet::new();
    signal.spawn(stay(socket, running.words.clone()));
    Ok(Joined::new(running, signal))
}

/// Keeps the signalling alive and offers more lines when the server says that it needs them.
async fn stay(mut socket: Socket, words: std::sync::mpsc::Sender<Word>) {
    use proto::{signal_request::Message as Say, signal_response::Message as Said};
    let (offers, mut offered) = tokio::sync::mpsc::unbounded_channel();
    let mut pings = tokio::time::interval(Duration::from_secs(5));
    let mut offer_id = 1;
    loop {
        let say = tokio::select! {
            _ = pings.tick() => Say::PingReq(proto::Ping { timestamp: 1, rtt: 0 }),
            Some(sdp) = offered.recv() => {
                offer_id += 1;
                Say::Offer(proto::SessionDescription { r#type: "offer".into(), sdp, id: offer_id, ..Default::default() })
            }
            said = socket.next() => {
                let Some(Ok(message)) = said else { return };
                let Message::Binary(bytes) = message else { continue };
                let word = match proto::SignalResponse::decode(bytes).ok().and_then(|said| said.message) {
                    // None more may be needed and an offer all the same: livekit-server then fills those there are.
                    Some(Said::MediaSectionsRequirement(need)) => {
                        Word::MoreVideos((need.num_videos as usize).max(1), offers.clone())
                    }
                    Some(Said::Answer(answer)) => Word::Answer(answer.sdp),
                    _ => continue,
                };
                if words.send(word).is_err() { return }
                continue;
            }
        };
        let request = proto::SignalRequest { message: Some(say) };
        if socket
            .send(Message::Binary(request.encode_to_vec().into()))
            .await
            .is_err()
        {
            return;
        }
    }
}
