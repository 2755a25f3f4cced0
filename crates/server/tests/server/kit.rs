//! A court for tests: the demo's hearing on a server of its own.

use futures_util::{SinkExt, StreamExt};
use hearing::MediaRights;
use protocol::{
    AgentAuthority, AgentKind, ByeReason, Capacity, ClientFrame, Command, CommandId, DropCause, Entered,
    Envelope, FRAME_LIMIT, HearingId, MediaAccess, Outcome, PROTOCOL_VERSION, PersonName, SeatId, SeatTaken,
    Secret, Seq, ServerFrame, Snapshot, TakeSeat, TestScore, TimeMs, Words,
};
use serde_json::{Value, json};
use server::MediaRooms;
use server::app::{App, MediaParts, Outside};
use server::clock::Clock;
use server::config::{Config, LogLevel};
use server::entropy::Entropy;
use server::keyed_hash::ServerKey;
use server::logging;
use server::media::{MediaConfig, MediaPlane};
use server::rooms::{PracticeRoom, PracticeTokens, RemovedBecause, Rooms};
use server::seed::Registry;
use server::storage::Store;
use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

/// 2026-03-02T09:00:00+08:00.
pub(crate) const START: TimeMs = TimeMs(1_772_413_200_000);
/// A test waits this long for what must come; nothing is asserted about how long it took.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Everything that this process logs, at the most talkative level that can be configured.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    tracing::subscriber::set_global_default(logging::subscriber(LogLevel::Trace, false, move || {
        writer.clone()
    }))
    .expect("nothing else sets the log up");
    log
});

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log is whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn logged() -> String {
    String::from_utf8_lossy(&LOG.0.lock().expect("the log is whole")).into_owned()
}

/// What the hearing told the media rooms.
#[derive(Default)]
pub(crate) struct RecordedRooms {
    pub allowed: Mutex<HashMap<SeatId, MediaRights>>,
    pub removed: Mutex<Vec<SeatId>>,
    pub closed: Mutex<bool>,
    pub tokens: Mutex<u32>,
    /// The practice rooms that are open.
    pub practice: Mutex<Vec<PracticeRoom>>,
}

impl Rooms for RecordedRooms {
    fn open(&self, _room: &HearingId, _now: TimeMs) {}

    fn close(&self, _room: &HearingId) {
        *self.closed.lock().expect("whole") = true;
    }

    fn allow(&self, _room: &HearingId, seat: &SeatId, rights: &MediaRights) {
        self.allowed.lock().expect("whole").insert(seat.clone(), *rights);
    }

    fn remove(&self, _room: &HearingId, seat: &SeatId, _why: RemovedBecause, _now: TimeMs) {
        // From a room that is not there, nobody can be removed.
        if !*self.closed.lock().expect("whole") {
            self.removed.lock().expect("whole").push(seat.clone());
        }
    }

    fn token(
        &self,
        _room: &HearingId,
        seat: &SeatId,
        _rights: &MediaRights,
        _ttl_ms: u64,
        _now: TimeMs,
        _stamp: TimeMs,
    ) -> Secret {
        let mut count = self.tokens.lock().expect("whole");
        *count += 1;
        Secret::new(format!("media-token-{seat}-{count}"))
    }

    fn open_practice(
        &self,
        room: &PracticeRoom,
        _ttl_ms: u64,
        _now: TimeMs,
        _stamp: TimeMs,
    ) -> PracticeTokens {
        self.practice.lock().expect("whole").push(room.clone());
        PracticeTokens {
            me: Secret::new(format!("media-token-{}-me", room.as_str())),
            mirror: Secret::new(format!("media-token-{}-mirror", room.as_str())),
        }
    }

    fn close_practice(&self, room: &PracticeRoom) {
        self.practice.lock().expect("whole").retain(|open| open != room);
    }
}

impl RecordedRooms {
    pub(crate) fn rights(&self, seat: &str) -> MediaRights {
        self.allowed
            .lock()
            .expect("whole")
            .get(&SeatId::from(seat))
            .copied()
            .unwrap_or_default()
    }
}

pub(crate) struct Court {
    pub app: Arc<App>,
    pub address: SocketAddr,
    pub clock: Clock,
    pub rooms: Arc<RecordedRooms>,
    pub hearing: HearingId,
    /// By seat.
    pub people: HashMap<String, Person>,
    pub passwords: HashMap<String, String>,
    /// Of a court with real media; ends when the court is dropped.
    _media: Option<tokio_util::sync::DropGuard>,
    dir: tempfile::TempDir,
    serving: JoinSet<std::io::Result<()>>,
    http: reqwest::Client,
}

#[derive(Clone)]
pub(crate) struct Person {
    pub name: String,
    pub role: String,
    pub code: String,
}

pub(crate) fn config(dir: &std::path::Path, more: &[(&str, &str)]) -> Config {
    let values: HashMap<String, String> = [
        ("LISTEN", "127.0.0.1:0"),
        ("DATA_DIR", dir.to_str().expect("a plain path")),
        ("SECRET", "a secret of the tests, long enough to pass"),
        ("BEHIND_PROXY", "true"),
        ("DRAIN_MS", "20000"),
    ]
    .iter()
    .chain(more)
    .map(|(key, value)| (format!("MINGTING_{key}"), (*value).to_owned()))
    .collect();
    Config::load(None, |name| values.get(name).cloned()).expect("a valid configuration")
}

impl Court {
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        Self::over(more, Clock::manual(START), false).await
    }

    /// With the real media plane in place of [`RecordedRooms`]. It checks tokens by the system's clock, so that this
    /// court goes by it too.
    pub(crate) async fn with_media() -> Self {
        Self::over(&[], Clock::system(), true).await
    }

    async fn over(more: &[(&str, &str)], clock: Clock, with_media: bool) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let config = config(dir.path(), more);
        let entropy = Entropy::from_seed(7);
        let store = Store::open(&config.database()).await.expect("opened");
        store.migrate().await.expect("migrated");
        let key = ServerKey::from_secret(config.secret.as_ref().expect("set").expose());
        let registry = Registry {
            store: &store,
            clock: &clock,
            entropy: &entropy,
            key: &key,
        };
        let invitations = registry.schedule_demo().await.expect("scheduled");
        store.close().await;
        let text = |v: &Value| v.as_str().expect("a text").to_owned();
        let people = invitations["seats"].as_array().expect("seats").iter().map(|s| {
            (
                text(&s["seat"]),
                Person {
                    name: text(&s["name"]),
                    role: text(&s["role"]),
                    code: text(&s["code"]),
                },
            )
        });
        let passwords = invitations["accounts"].as_array().expect("accounts").iter();
        let mut court = Self {
            people: people.collect(),
            passwords: passwords
                .map(|a| (text(&a["login"]), text(&a["password"])))
                .collect(),
            hearing: HearingId(text(&invitations["hearing"])),
            ..Self::start(dir, config, clock, with_media).await
        };
        court.people.shrink_to_fit();
        court
    }

    async fn start(dir: tempfile::TempDir, config: Config, clock: Clock, with_media: bool) -> Self {
        LazyLock::force(&LOG);
        let store = Store::open(&config.database()).await.expect("opened");
        store.migrate().await.expect("migrated");
        let key = ServerKey::from_secret(config.secret.as_ref().expect("set").expose());
        let rooms = Arc::new(RecordedRooms::default());
        let mut media = MediaParts {
            rooms: rooms.clone(),
            router: axum::Router::new(),
            metrics: Arc::new(|| Box::pin(async { "mingting_sfu_packets 0\n".to_owned() })),
        };
        let stop = with_media.then(|| CancellationToken::new().drop_guard());
        let mut media_events = None;
        if let Some(stop) = &stop {
            let config = MediaConfig {
                api_key: "court".into(),
                api_secret: Secret::new("a secret that is long enough for HS256"),
                shards: 1,
                ..MediaConfig::default()
            };
            let token = stop.token().clone();
            let plane = MediaPlane::start(config, token).await.expect("on loopback");
            media.router = plane.router();
            media_events = Some(plane.subscribe_events());
            media.rooms = Arc::new(MediaRooms(plane));
        }
        let entropy = Entropy::from_os();
        let outside = Outside {
            clock: clock.clone(),
            entropy,
            store,
            key,
            media,
        };
        let app = Arc::new(App::build(config, outside).await.expect("built"));
        if let Some(events) = media_events {
            app.watch_media(events);
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        let mut serving = JoinSet::new();
        let server = app.clone();
        serving.spawn(async move { server.serve(listener).await });
        Self {
            app,
            address,
            clock,
            rooms,
            hearing: HearingId(String::new()),
            people: HashMap::new(),
            passwords: HashMap::new(),
            _media: stop,
            dir,
            serving,
            http: reqwest::Client::new(),
        }
    }

    /// Shuts the server down in order and starts another on the same database.
    pub(crate) async fn restart(mut self) -> Self {
        assert!(self.app.shut_down().await, "the shutdown was complete");
        self.serving
            .join_next()
            .await
            .expect("it served")
            .expect("it did not panic")
            .expect("it ended well");
        let config = config(self.dir.path(), &[]);
        let (hearing, people, passwords) = (self.hearing, self.people, self.passwords);
        Self {
            hearing,
            people,
            passwords,
            ..Self::start(self.dir, config, self.clock, self._media.is_some()).await
        }
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        from: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, format!("http://{}{path}", self.address));
        request = request.header("x-forwarded-for", from);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.request("POST", path, "203.0.113.9", None, Some(body)).await
    }

    pub(crate) async fn enter(&self, seat: &str) -> Entered {
        let (status, answer) = self
            .post("/api/v1/enter", &json!({ "code": self.people[seat].code }))
            .await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer).expect("an Entered")
    }

    pub(crate) fn claim(&self, seat: &str, ticket: Secret, take_over: bool) -> Value {
        let person = &self.people[seat];
        let capacity = match person.role.as_str() {
            "plaintiff" | "defendant" | "thirdParty" => Capacity::Party { id_number: None },
            "agent" => Capacity::Agent {
                represents: "plaintiff".into(),
                kind: AgentKind::Lawyer,
                licence: None,
                authority: AgentAuthority::General,
            },
            _ => Capacity::Other,
        };
        let name = PersonName::new(person.name.clone());
        serde_json::to_value(TakeSeat {
            ticket,
            name,
            capacity,
            take_over,
        })
        .expect("JSON")
    }

    pub(crate) async fn take(&self, seat: &str) -> SeatTaken {
        let entered = self.enter(seat).await;
        let (status, answer) = self
            .post("/api/v1/seat", &self.claim(seat, entered.ticket, true))
            .await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer).expect("a SeatTaken")
    }

    pub(crate) async fn connect(&self, seat: &str) -> Client {
        let taken = self.take(seat).await;
        Client::hello(self.address, &taken, None, None)
            .await
            .expect("welcome")
    }

    /// A party or agent all the way to the waiting room.
    pub(crate) async fn waiting(&self, seat: &str) -> Client {
        let mut client = self.connect(seat).await;
        client.steps().await;
        client
    }

    /// Judge, plaintiff and defendant in a hearing that is in session.
    pub(crate) async fn in_session(&self) -> (Client, Client, Client) {
        let mut judge = self.connect("judge").await;
        judge.done(Command::HearingOpen).await;
        let plaintiff = self.waiting("plaintiff").await;
        let defendant = self.waiting("defendant").await;
        judge.done(Command::HearingStart).await;
        (judge, plaintiff, defendant)
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One connection of one seat.
pub(crate) struct Client {
    pub socket: Socket,
    pub seat: SeatTaken,
    pub address: SocketAddr,
    pub snapshot: Snapshot,
    pub media: Option<MediaAccess>,
    /// All events since the welcome.
    pub events: Vec<Envelope>,
    /// The last snapshot after the welcome, if one came.
    pub renewed: Option<Snapshot>,
    commands: u32,
}

pub(crate) async fn socket(address: SocketAddr, hearing: &str) -> Socket {
    let config = WebSocketConfig::default()
        .max_frame_size(Some(FRAME_LIMIT))
        .max_message_size(Some(FRAME_LIMIT));
    let url = format!("ws://{address}/api/v1/hearings/{hearing}/channel");
    let connect = tokio_tungstenite::connect_async_with_config(url, Some(config), false);
    tokio::time::timeout(PATIENCE, connect)
        .await
        .expect("in time")
        .expect("a WebSocket")
        .0
}

/// The next frame; none when the connection ended.
pub(crate) async fn next_frame(socket: &mut Socket) -> Option<ServerFrame> {
    loop {
        match tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("the server says something in time")?
        {
            Ok(Message::Text(text)) => {
                assert!(text.len() <= FRAME_LIMIT, "a frame of {} bytes", text.len());
                return Some(serde_json::from_str(&text).expect("a server frame"));
            }
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

pub(crate) async fn send_frame(socket: &mut Socket, frame: &ClientFrame) {
    let text = serde_json::to_string(frame).expect("JSON");
    socket.send(Message::text(text)).await.expect("sent");
}

impl Client {
    pub(crate) async fn hello(
        address: SocketAddr,
        seat: &SeatTaken,
        resume_after: Option<Seq>,
        drop_cause: Option<DropCause>,
    ) -> Result<Self, ByeReason> {
        let mut socket = socket(address, seat.hearing.as_str()).await;
        let hello = ClientFrame::Hello {
            protocol: PROTOCOL_VERSION,
            token: seat.token.clone(),
            resume_after,
            drop_cause,
            client: "test".into(),
        };
        send_frame(&mut socket, &hello).await;
        match next_frame(&mut socket).await.expect("an answer to the hello") {
            ServerFrame::Welcome { snapshot, media, .. } => Ok(Self {
                socket,
                seat: seat.clone(),
                address,
                snapshot: *snapshot,
                media,
                events: Vec::new(),
                renewed: None,
                commands: 0,
            }),
            ServerFrame::Bye { reason } => Err(reason),
            other => panic!("a hello was answered by {other:?}"),
        }
    }

    /// Takes in one frame.
    pub(crate) async fn next(&mut self) -> Option<ServerFrame> {
        let frame = next_frame(&mut self.socket).await?;
        match &frame {
            ServerFrame::Event { envelope } => self.events.push(envelope.clone()),
            ServerFrame::Snapshot { snapshot } => self.renewed = Some((**snapshot).clone()),
            ServerFrame::Media { media } => self.media = Some(media.clone()),
            _ => {}
        }
        Some(frame)
    }

    pub(crate) async fn send(&mut self, frame: &ClientFrame) {
        send_frame(&mut self.socket, frame).await;
    }

    pub(crate) async fn command(&mut self, command: Command) -> Outcome {
        self.commands += 1;
        let id = CommandId(format!(
            "{}-{}-{}",
            self.seat.seat, self.snapshot.seq.0, self.commands
        ));
        self.command_as(id, command).await
    }

    pub(crate) async fn command_as(&mut self, command_id: CommandId, command: Command) -> Outcome {
        self.send(&ClientFrame::Command {
            command_id: command_id.clone(),
            expected_seq: None,
            command,
        })
        .await;
        loop {
            match self.next().await.expect("the connection stays until the reply") {
                ServerFrame::Reply {
                    command_id: of,
                    outcome,
                } if of == command_id => return outcome,
                ServerFrame::Bye { reason } => panic!("{reason:?} instead of a reply"),
                _ => {}
            }
        }
    }

    /// A command that must be carried out.
    pub(crate) async fn done(&mut self, command: Command) -> Seq {
        let shown = format!("{command:?}");
        match self.command(command).await {
            Outcome::Accepted { seq } => seq,
            Outcome::Rejected { code } => panic!("{shown}: {code:?}"),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) -> Seq {
        self.done(Command::MessageSend {
            text: Words::new(text),
        })
        .await
    }

    /// From the case check to the waiting room.
    pub(crate) async fn steps(&mut self) {
        self.done(Command::StepBegin).await;
        self.done(Command::StepTested {
            score: TestScore::Good,
        })
        .await;
        self.done(Command::StepAcknowledged).await;
    }

    /// Waits until an event fits, looking at those that came already first.
    pub(crate) async fn until(&mut self, fits: impl Fn(&Envelope) -> bool) -> Envelope {
        let mut looked_at = 0;
        loop {
            if let Some(found) = self.events[looked_at..].iter().find(|e| fits(e)) {
                return found.clone();
            }
            looked_at = self.events.len();
            self.next().await.expect("the connection stays until the event");
        }
    }

    /// Everything that the server had for this client when the ping came in has arrived after this.
    pub(crate) async fn settle(&mut self) {
        self.send(&ClientFrame::Ping { sent_at: TimeMs(1) }).await;
        loop {
            match self.next().await.expect("the connection stays until the pong") {
                ServerFrame::Pong { .. } => return,
                ServerFrame::Bye { reason } => panic!("{reason:?} instead of a pong"),
                _ => {}
            }
        }
    }

    /// The reason of the goodbye; none when the connection just ended.
    pub(crate) async fn bye(&mut self) -> Option<ByeReason> {
        loop {
            match self.next().await {
                Some(ServerFrame::Bye { reason }) => return Some(reason),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// The last event this client knows of.
    pub(crate) fn last_seq(&self) -> Seq {
        let events = self.events.last().map_or(Seq(0), |e| e.seq);
        let renewed = self.renewed.as_ref().map_or(Seq(0), |s| s.seq);
        self.snapshot.seq.max(events).max(renewed)
    }

    /// Comes back with the same token.
    pub(crate) async fn resume(self, cause: Option<DropCause>) -> Result<Self, ByeReason> {
        let (address, seat, last) = (self.address, self.seat.clone(), self.last_seq());
        drop(self);
        Self::hello(address, &seat, Some(last), cause).await
    }
}
