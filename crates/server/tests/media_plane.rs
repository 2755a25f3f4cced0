//! The media plane's HTTP side over real sockets: signalling, the room service, what is refused and how.

#[path = "kit/signalling.rs"]
mod signalling;

use signalling::{Socket, next};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_response::Message;
use server::media::{
    Grants, MediaConfig, MediaEvent, MediaPlane, Permissions, RoomPolicy, Secret, Term, Webhook,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "a secret that is long enough for HS256";

struct Running {
    plane: Arc<MediaPlane>,
    http: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

async fn start(rooms: RoomPolicy) -> Running {
    start_with(rooms, None).await
}

async fn start_with(rooms: RoomPolicy, webhook: Option<Webhook>) -> Running {
    let stop = CancellationToken::new();
    let config = MediaConfig {
        api_key: "court".into(),
        api_secret: Secret::new(SECRET),
        rooms,
        webhook,
        shards: 2,
        ..MediaConfig::default()
    };
    let plane = MediaPlane::start(config, stop.clone())
        .await
        .expect("starts on loopback");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let http = listener.local_addr().expect("bound");
    let (router, stopping) = (plane.router(), stop.clone());
    #[expect(clippy::disallowed_methods, reason = "the test waits for it in `end`")]
    let serving = tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned());
        served.await.expect("serves");
    });
    Running {
        plane,
        http,
        stop,
        serving,
    }
}

impl Running {
    fn token(&self, room: &str, identity: &str, grants: &Grants) -> String {
        #[expect(
            clippy::disallowed_methods,
            reason = "tokens are checked against the real clock"
        )]
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let term = Term {
            from: now,
            length: Duration::from_secs(60),
            issued_ms: since.as_millis() as u64,
        };
        self.plane.token(room, identity, identity, grants, term)
    }

    fn seat(&self, identity: &str) -> String {
        self.token("room", identity, &Grants::join(Permissions::default()))
    }

    async fn connect(&self, token: &str) -> Socket {
        let url = format!("ws://{}/rtc/v1?access_token={token}", self.http);
        tokio_tungstenite::connect_async(url).await.expect("upgraded").0
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = reqwest::get(format!("http://{}{path}", self.http))
            .await
            .expect("answered");
        let cors = response.headers().contains_key("access-control-allow-origin");
        assert!(cors || response.status() == 101, "{path} carries CORS headers");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    async fn twirp<Q: prost::Message, R: prost::Message + Default>(
        &self,
        method: &str,
        token: &str,
        request: &Q,
    ) -> Result<R, String> {
        let response = reqwest::Client::new()
            .post(format!("http://{}/twirp/livekit.RoomService/{method}", self.http))
            .header("content-type", "application/protobuf")
            .bearer_auth(token)
            .body(request.encode_to_vec())
            .send()
            .await
            .expect("answered");
        if response.status().is_success() {
            let body = response.bytes().await.expect("a body");
            return Ok(R::decode(&body[..]).expect("a response of its kind"));
        }
        let error: serde_json::Value =
            serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
        Err(error["code"].as_str().expect("a code").to_owned())
    }

    async fn end(self) {
        self.stop.cancel();
        self.plane.drained().await;
        self.serving.await.expect("ended");
    }
}

#[tokio::test]
async fn who_may_not_join_is_told_why_and_older_clients_are_sent_elsewhere() {
    let running = start(RoomPolicy::OnJoin).await;
    let seat = running.seat("a");
    let admin_only = running.token(
        "room",
        "a",
        &Grants {
            room_admin: true,
            ..Grants::default()
        },
    );
    for (path, status) in [
        ("/rtc/v1/validate".to_owned(), 401),
        ("/rtc/v1/validate?access_token=nonsense".to_owned(), 401),
        (format!("/rtc/v1/validate?access_token={admin_only}"), 403),
        (
            format!("/rtc/v1/validate?access_token={seat}&join_request=!!!"),
            400,
        ),
        (format!("/rtc/v1/validate?access_token={seat}"), 200),
        (format!("/rtc?access_token={seat}"), 404),
        (format!("/rtc/validate?access_token={seat}"), 404),
    ] {
        assert_eq!(running.get(&path).await.0, status, "{path}");
    }
    running.end().await;
}

#[tokio::test]
async fn two_join_see_each_other_and_the_room_ends_with_them() {
    let running = start(RoomPolicy::OnJoin).await;
    let mut events = running.plane.subscribe_events();
    let mut first = running.connect(&running.seat("first")).await;
    assert!(matches!(next(&mut first).await, Some(Message::Join(_))));
    let mut second = running.connect(&running.seat("second")).await;
    let Some(Message::Join(join)) = next(&mut second).await else {
        panic!("joined")
    };
    assert_eq!(join.other_participants[0].identity, "first");
    assert!(
        matches!(next(&mut first).await, Some(Message::Update(update)) if update.participants[0].identity == "second")
    );
    let leave = proto::SignalRequest {
        message: Some(proto::signal_request::Message::Leave(Default::default())),
    };
    for socket in [&mut second, &mut first] {
        socket
            .send(Frame::Binary(leave.encode_to_vec().into()))
            .await
            .expect("sent");
        while next(socket).await.is_some() {}
    }
    let mut seen = Vec::new();
    loop {
        let event = tokio::time::timeout(Duration::from_secs(10), events.recv())
            .await
            .expect("in time")
            .expect("an event");
        let finished = matches!(event, MediaEvent::RoomFinished { .. });
        seen.push(event);
        if finished {
            break;
        }
    }
    assert_eq!(
        seen.iter()
            .filter(|event| matches!(event, MediaEvent::Left { .. }))
            .count(),
        2
    );
    assert!(running.plane.rooms().await.is_empty());
    running.end().await;
}

#[tokio::test]
async fn malformed_and_oversized_frames_end_only_their_connection() {
    let running = start(RoomPolicy::OnJoin).await;
    let mut good = running.connect(&running.seat("good")).await;
    assert!(matches!(next(&mut good).await, Some(Message::Join(_))));
    for frame in [
        Frame::Binary(vec![0xff; 40].into()),
        Frame::Text("{}".into()),
        Frame::Binary(vec![0; 2 << 20].into()),
    ] {
        let mut bad = running.connect(&running.seat("bad")).await;
        assert!(matches!(next(&mut bad).await, Some(Message::Join(_))));
        let _ = bad.send(frame).await;
        while next(&mut bad).await.is_some() {}
    }
    let ping = proto::signal_request::Message::PingReq(proto::Ping { timestamp: 7, rtt: 0 });
    let ping = proto::SignalRequest { message: Some(ping) };
    good.send(Frame::Binary(ping.encode_to_vec().into()))
        .await
        .expect("sent");
    loop {
        match next(&mut good).await.expect("the connection goes on") {
            Message::PongResp(pong) => break assert_eq!(pong.last_ping_timestamp, 7),
            _ => continue,
        }
    }
    running.end().await;
}

#[tokio::test]
async fn who_floods_the_room_with_changes_is_read_slowly_and_cuts_nobody_off() {
    let running = start(RoomPolicy::OnJoin).await;
    let permissions = Permissions {
        can_update_metadata: true,
        ..Permissions::default()
    };
    let mut quiet = running.connect(&running.seat("quiet")).await;
    assert!(matches!(next(&mut quiet).await, Some(Message::Join(_))));
    let token = running.token("room", "flooder", &Grants::join(permissions));
    let mut flooder = running.connect(&token).await;
    assert!(matches!(next(&mut flooder).await, Some(Message::Join(_))));
    // It reads what it is told itself; the other one reads nothing meanwhile, and this is far more than its queue and
    // all buffers on the way can hold.
    let (mut requests, mut responses) = flooder.split();
    let flood = async {
        for n in 0..4_000 {
            let update = proto::UpdateParticipantMetadata {
                metadata: format!("{n}{}", "x".repeat(16 * 1024)),
                ..Default::default()
            };
            let message = Some(proto::signal_request::Message::UpdateMetadata(update));
            let request = proto::SignalRequest { message }.encode_to_vec();
            requests.send(Frame::Binary(request.into())).await.expect("sent");
        }
    };
    let reading = async { while responses.next().await.is_some() {} };
    let flood = async {
        tokio::select! {
            () = flood => {}
            () = reading => panic!("the flooder is not cut off either"),
        }
    };
    let whole = tokio::time::timeout(Duration::from_secs(3), flood).await;
    let ping = proto::signal_request::Message::PingReq(proto::Ping { timestamp: 7, rtt: 0 });
    let ping = proto::SignalRequest { message: Some(ping) };
    quiet
        .send(Frame::Binary(ping.encode_to_vec().into()))
        .await
        .expect("sent");
    loop {
        match next(&mut quiet).await.expect("the quiet one stays") {
            Message::PongResp(pong) => break assert_eq!(pong.last_ping_timestamp, 7),
            _ => continue,
        }
    }
    assert!(
        whole.is_err(),
        "the flood is not taken in at the speed of the line"
    );
    drop((requests, responses));
    running.end().await;
}

#[tokio::test]
async fn silent_tcp_connections_of_one_address_leave_room_for_others() {
    use tokio::io::AsyncReadExt;
    let running = start(RoomPolicy::OnJoin).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(running.plane.tcp_addr()).await.expect("taken"));
    }
    let mut one_more = TcpStream::connect(running.plane.tcp_addr()).await.expect("taken");
    let ended = tokio::time::timeout(Duration::from_secs(5), one_more.read_u8()).await;
    assert!(
        matches!(ended, Ok(Err(_))),
        "closed at once, long before the first ones: {ended:?}"
    );
    drop(silent);
    running.end().await;
}

/// One delivery as the receiver got it.
struct Delivered {
    authorization: String,
    kind: String,
    body: String,
}

#[tokio::test]
async fn webhooks_are_signed_over_their_body_in_order_and_tried_again() {
    let (deliver, mut deliveries) = tokio::sync::mpsc::unbounded_channel();
    let receiver = axum::Router::new().route(
        "/hook",
        axum::routing::post(async move |headers: axum::http::HeaderMap, body: String| {
            let text = |name: &str| {
                let value = headers.get(name).and_then(|value| value.to_str().ok());
                value.unwrap_or_default().to_owned()
            };
            let delivered = Delivered {
                authorization: text("authorization"),
                kind: text("content-type"),
                body,
            };
            // The first delivery fails at the receiver; the same is to come again before anything else does.
            static SEEN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
            let first = SEEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            deliver.send(delivered).expect("the test reads to its end");
            if first {
                axum::http::StatusCode::INTERNAL_SERVER_ERROR
            } else {
                axum::http::StatusCode::OK
            }
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, receiver).await });

    let running = start_with(RoomPolicy::OnJoin, Some(Webhook { urls: vec![url] })).await;
    let mut socket = running.connect(&running.seat("a")).await;
    assert!(matches!(next(&mut socket).await, Some(Message::Join(_))));
    let leave = proto::signal_request::Message::Leave(proto::LeaveRequest::default());
    let leave = proto::SignalRequest { message: Some(leave) };
    socket
        .send(Frame::Binary(leave.encode_to_vec().into()))
        .await
        .expect("sent");

    let mut events = Vec::new();
    for expected in [
        "room_started",
        "room_started",
        "participant_left",
        "room_finished",
    ] {
        let delivered: Delivered = tokio::time::timeout(Duration::from_secs(10), deliveries.recv())
            .await
            .expect("a webhook in ten seconds")
            .expect("the receiver runs");
        assert_eq!(delivered.kind, "application/webhook+json");
        assert_signed(&delivered);
        let event: proto::WebhookEvent = serde_json::from_str(&delivered.body).expect("a webhook event");
        assert_eq!(event.event, expected);
        assert_eq!(event.room.as_ref().expect("a room").name, "room");
        events.push((event, delivered.body));
    }
    assert_eq!(events[0].1, events[1].1, "tried again unchanged");
    assert_eq!(events[2].0.participant.as_ref().expect("who left").identity, "a");
    running.end().await;
}

/// The token is the court's, and says the hash of the very bytes that came.
fn assert_signed(delivered: &Delivered) {
    use base64::Engine as _;
    use sha2::Digest as _;
    #[derive(serde::Deserialize)]
    struct Claims {
        iss: String,
        sha256: String,
    }
    let key = jsonwebtoken::DecodingKey::from_secret(SECRET.as_bytes());
    let rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    let claims = jsonwebtoken::decode::<Claims>(&delivered.authorization, &key, &rules)
        .expect("signed with the court's secret")
        .claims;
    let hash = sha2::Sha256::digest(delivered.body.as_bytes());
    assert_eq!(claims.iss, "court");
    assert_eq!(
        claims.sha256,
        base64::engine::general_purpose::STANDARD.encode(hash)
    );
}

#[tokio::test]
async fn a_bad_offer_is_refused_with_a_leave() {
    let running = start(RoomPolicy::OnJoin).await;
    let mut socket = running.connect(&running.seat("a")).await;
    assert!(matches!(next(&mut socket).await, Some(Message::Join(_))));
    let offer = proto::SessionDescription {
        r#type: "offer".into(),
        sdp: "v=0\r\nnonsense".into(),
        ..Default::default()
    };
    let offer = proto::SignalRequest {
        message: Some(proto::signal_request::Message::Offer(offer)),
    };
    socket
        .send(Frame::Binary(offer.encode_to_vec().into()))
        .await
        .expect("sent");
    loop {
        match next(&mut socket).await.expect("a leave before the end") {
            Message::Leave(leave) => break assert_eq!(leave.reason(), proto::DisconnectReason::JoinFailure),
            _ => continue,
        }
    }
    running.end().await;
}

#[tokio::test]
async fn the_room_service_does_what_its_tokens_grant() {
    let running = start(RoomPolicy::Created).await;
    let admin = Grants {
        room_admin: true,
        room_create: true,
        room_list: true,
        ..Grants::default()
    };
    let admin = running.token("room", "", &admin);
    let seat = running.seat("a");
    let create = proto::CreateRoomRequest {
        name: "room".into(),
        metadata: "m".into(),
        ..Default::default()
    };

    let mut early = running.connect(&seat).await;
    assert!(
        matches!(next(&mut early).await, Some(Message::Leave(_))),
        "no such room yet"
    );
    assert_eq!(
        running
            .twirp::<_, proto::Room>("CreateRoom", &seat, &create)
            .await,
        Err("permission_denied".into())
    );
    assert_eq!(
        running.twirp::<_, proto::Room>("CreateRoom", "", &create).await,
        Err("unauthenticated".into())
    );
    let room: proto::Room = running.twirp("CreateRoom", &admin, &create).await.expect("made");
    assert_eq!((room.name.as_str(), room.metadata.as_str()), ("room", "m"));

    let mut socket = running.connect(&seat).await;
    assert!(matches!(next(&mut socket).await, Some(Message::Join(_))));
    let of_room = proto::ListParticipantsRequest { room: "room".into() };
    let listed: proto::ListParticipantsResponse = running
        .twirp("ListParticipants", &admin, &of_room)
        .await
        .expect("listed");
    assert_eq!(listed.participants[0].identity, "a");
    let other = proto::ListParticipantsRequest { room: "other".into() };
    let denied = running
        .twirp::<_, proto::ListParticipantsResponse>("ListParticipants", &admin, &other)
        .await;
    assert_eq!(
        denied,
        Err("permission_denied".into()),
        "an admin of one room only"
    );

    let permission = proto::ParticipantPermission {
        can_subscribe: true,
        ..Default::default()
    };
    let update = proto::UpdateParticipantRequest {
        room: "room".into(),
        identity: "a".into(),
        permission: Some(permission),
        name: "new".into(),
        ..Default::default()
    };
    let updated: proto::ParticipantInfo = running
        .twirp("UpdateParticipant", &admin, &update)
        .await
        .expect("updated");
    assert_eq!(updated.name, "new");
    assert!(!updated.permission.expect("told").can_publish);

    let unmute = proto::MuteRoomTrackRequest {
        room: "room".into(),
        identity: "a".into(),
        ..Default::default()
    };
    let refused = running
        .twirp::<_, proto::MuteRoomTrackResponse>("MutePublishedTrack", &admin, &unmute)
        .await;
    assert_eq!(
        refused,
        Err("invalid_argument".into()),
        "a microphone is never opened from here"
    );
    let data = running
        .twirp::<_, proto::SendDataResponse>("SendData", &admin, &proto::SendDataRequest::default())
        .await;
    assert_eq!(data, Err("unimplemented".into()));

    let whom = proto::RoomParticipantIdentity {
        room: "room".into(),
        identity: "a".into(),
        ..Default::default()
    };
    let _: proto::RemoveParticipantResponse = running
        .twirp("RemoveParticipant", &admin, &whom)
        .await
        .expect("removed");
    loop {
        match next(&mut socket).await.expect("a leave before the end") {
            Message::Leave(leave) => {
                break assert_eq!(leave.reason(), proto::DisconnectReason::ParticipantRemoved);
            }
            _ => continue,
        }
    }
    let json = reqwest::Client::new()
        .post(format!(
            "http://{}/twirp/livekit.RoomService/ListRooms",
            running.http
        ))
        .header("content-type", "application/json")
        .bearer_auth(&admin)
        .body("{}")
        .send()
        .await
        .expect("answered");
    let json: serde_json::Value = serde_json::from_slice(&json.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(json["rooms"][0]["name"], "room");
    running.end().await;
}

#[tokio::test]
async fn shutting_down_tells_everybody() {
    let running = start(RoomPolicy::OnJoin).await;
    let mut socket = running.connect(&running.seat("a")).await;
    assert!(matches!(next(&mut socket).await, Some(Message::Join(_))));
    running.stop.cancel();
    loop {
        match next(&mut socket).await.expect("a leave before the end") {
            Message::Leave(leave) => {
                break assert_eq!(leave.action(), proto::leave_request::Action::Reconnect);
            }
            _ => continue,
        }
    }
    running.plane.drained().await;
}
