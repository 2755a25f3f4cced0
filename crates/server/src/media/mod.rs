//! The media plane: drives the SFU. One UDP and one TCP port, rooms spread over threads, signalling and the room
//! service over HTTP. Knows rooms and identities; knows no hearings, roles or seats.

mod events;
mod routes;
mod shard;
mod signalling;
pub mod standalone;
mod stats;
mod tcp;
mod token;
mod tunnel;
mod twirp;
mod webhook;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use axum::Router;
use livekit_protocol as proto;
pub use protocol::Secret;
use rand::RngCore;
use sfu::{Codec, Command};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use events::{LeaveCause, MediaEvent, Quality, Source};
pub use routes::{MediaEndpoint, MediaRow, Opens};
pub use sfu::{Permissions, RemoveReason, RoomPolicy};
pub use stats::MediaStats;
pub use token::{Grants, Term};
pub use webhook::Webhook;

use shard::{Query, Shard, ShardHandle, ToShard, Ufrags};
use token::{BadToken, Claims, Keys};

/// Events kept for a subscriber that is slow to take them; more are lost to it.
const EVENT_BACKLOG: usize = 4096;
/// A first guess that lets one full picture through; probing raises it within a second or two, bits per second.
const INITIAL_BANDWIDTH: u64 = 2_000_000;
/// Answers of a shard are waited for no longer than this.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// How the media plane is set up.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// Where the media sockets listen.
    pub bind: IpAddr,
    /// The addresses told to clients. Empty: `bind`, or what this machine reaches others with when that is
    /// unspecified.
    pub advertise: Vec<IpAddr>,
    /// UDP port, 0 for any.
    pub udp_port: u16,
    /// TCP port, 0 for any.
    pub tcp_port: u16,
    /// Issuer of tokens.
    pub api_key: String,
    /// Key of tokens.
    pub api_secret: Secret,
    /// Whether rooms come into being by joining.
    pub rooms: RoomPolicy,
    /// MIME types that may be published, most wanted first.
    pub publish_codecs: Vec<String>,
    /// Threads, 0 for one per core.
    pub shards: usize,
    /// Where to report what happens, besides [`MediaPlane::subscribe_events`].
    pub webhook: Option<Webhook>,
}

impl Default for MediaConfig {
    fn default() -> Self {
        MediaConfig {
            bind: Ipv4Addr::LOCALHOST.into(),
            advertise: Vec::new(),
            udp_port: 0,
            tcp_port: 0,
            api_key: String::new(),
            api_secret: Secret::default(),
            rooms: RoomPolicy::Created,
            publish_codecs: ["video/H264", "audio/red", "audio/opus"]
                .map(str::to_owned)
                .to_vec(),
            shards: 0,
            webhook: None,
        }
    }
}

/// See the module.
pub struct MediaPlane {
    keys: Keys,
    shards: Vec<ShardHandle>,
    udp: SocketAddr,
    tcp: SocketAddr,
    passage: Arc<tcp::Passage>,
    tunnels: Arc<tunnel::Tunnels>,
    /// Only the shards hold it for good: when they have ended, so have the events, and with them who delivers them.
    events: broadcast::WeakSender<MediaEvent>,
    connections: AtomicU64,
    tasks: TaskTracker,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl MediaPlane {
    /// Opens the ports and starts the threads. Everything ends when `shutdown` is cancelled; see
    /// [`MediaPlane::drained`].
    pub async fn start(config: MediaConfig, shutdown: CancellationToken) -> anyhow::Result<Arc<MediaPlane>> {
        anyhow::ensure!(!config.api_key.is_empty(), "the media plane needs an API key");
        anyhow::ensure!(
            !config.api_secret.is_empty(),
            "the media plane needs an API secret"
        );
        let publish_codecs = codecs(&config.publish_codecs)?;
        let count = match config.shards {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        };
        let sockets = udp_sockets(SocketAddr::new(config.bind, config.udp_port), count)
            .with_context(|| format!("cannot listen for media on UDP port {}", config.udp_port))?;
        let udp = sockets[0].local_addr()?;
        let listener = TcpListener::bind(SocketAddr::new(config.bind, config.tcp_port))
            .await
            .with_context(|| format!("cannot listen for media on TCP port {}", config.tcp_port))?;
        let tcp = listener.local_addr()?;
        let addresses = advertised(&config);
        let at_port = |port: u16| {
            addresses
                .iter()
                .map(|ip| SocketAddr::new(*ip, port))
                .collect::<Vec<_>>()
        };

        let ufrags = Ufrags::default();
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let (epoch, wall) = epoch();
        let mut shards = Vec::with_capacity(count);
        let mut handles = Vec::with_capacity(count);
        for (index, socket) in sockets.into_iter().enumerate() {
            let shard_config = sfu::Config {
                udp: at_port(udp.port()),
                tcp: at_port(tcp.port()),
                publish_codecs: publish_codecs.clone(),
                rooms: config.rooms,
                epoch: (epoch, wall),
                seed: seed(),
                initial_bandwidth: INITIAL_BANDWIDTH,
            };
            let sender = events.clone();
            let on_event = Box::new(move |event, _at: Instant| {
                let event = MediaEvent::from_sfu(event, |at| wall + at.saturating_duration_since(epoch));
                // Nobody listening is fine.
                let _ = sender.send(event);
            });
            let (shard, handle) = Shard::new(index, count, shard_config, socket, ufrags.clone(), on_event)?;
            shards.push(shard);
            handles.push(handle);
        }
        let mut threads = Vec::with_capacity(count);
        for (index, mut shard) in shards.into_iter().enumerate() {
            shard.set_peers(handles.clone());
            let thread = std::thread::Builder::new()
                .name(format!("media-{index}"))
                .spawn(move || run_or_abort(shard));
            threads.push(thread.context("cannot start a media thread")?);
        }
        let tasks = TaskTracker::new();
        let (accepting, accepting_tasks) = (shutdown.clone(), tasks.clone());
        let passage = tcp::Passage::new(handles.clone(), ufrags, at_port(tcp.port()));
        tasks.spawn(tcp::accept(listener, passage.clone(), accepting_tasks, accepting));
        let ending = handles.clone();
        tasks.spawn(async move {
            shutdown.cancelled().await;
            ending.iter().for_each(|shard| shard.tell(ToShard::Shutdown));
        });
        let keys = Keys {
            key: config.api_key,
            secret: config.api_secret,
        };
        let plane = Arc::new(MediaPlane {
            keys: keys.clone(),
            shards: handles,
            udp,
            tcp,
            passage,
            tunnels: Arc::default(),
            events: events.downgrade(),
            connections: AtomicU64::new(0),
            tasks,
            threads: Mutex::new(threads),
        });
        if let Some(webhook) = config.webhook {
            plane.tasks.spawn(webhook::deliver(
                webhook,
                keys,
                Arc::downgrade(&plane),
                plane.subscribe_events(),
            ));
        }
        Ok(plane)
    }

    /// The HTTP side: signalling, the room service, and 404 where older clients look.
    pub fn router(self: &Arc<Self>) -> Router {
        routes::router(self.clone())
    }

    /// Where media comes in over UDP.
    pub fn udp_addr(&self) -> SocketAddr {
        self.udp
    }

    /// Where media comes in over TCP.
    pub fn tcp_addr(&self) -> SocketAddr {
        self.tcp
    }

    /// A token to join a room with.
    pub fn token(&self, room: &str, identity: &str, name: &str, grants: &Grants, term: Term) -> String {
        self.keys.mint(room, identity, name, grants, term)
    }

    /// Makes a room that stays until it is closed, for tokens issued at `tokens_since_ms` or later. Harmless when it
    /// is there.
    pub fn create_room(&self, room: &str, tokens_since_ms: u64) {
        self.command(Command::CreateRoom {
            room: room.to_owned(),
            metadata: String::new(),
            tokens_since_ms,
        });
    }

    /// Sends everybody out and forgets the room.
    pub fn close_room(&self, room: &str) {
        self.command(Command::CloseRoom {
            room: room.to_owned(),
        });
    }

    /// Sets what an identity may do, from its next packet on and for whoever joins with it later.
    pub fn set_permissions(&self, room: &str, identity: &str, permissions: Permissions) {
        let (room, identity) = (room.to_owned(), identity.to_owned());
        self.command(Command::SetPermissions {
            room,
            identity,
            permissions,
        });
    }

    /// Drops a source as it comes in, from its next packet on, or lets it in again.
    pub fn block(&self, room: &str, identity: &str, source: Source, blocked: bool) {
        let (room, identity) = (room.to_owned(), identity.to_owned());
        self.command(Command::Block {
            room,
            identity,
            source,
            blocked,
        });
    }

    /// Sends somebody out. Tokens issued before `tokens_since_ms` do not let the identity in again.
    pub fn remove(&self, room: &str, identity: &str, reason: RemoveReason, tokens_since_ms: u64) {
        let (room, identity) = (room.to_owned(), identity.to_owned());
        self.command(Command::Remove {
            room,
            identity,
            reason,
            tokens_since_ms,
        });
    }

    /// What happens from now on.
    pub fn subscribe_events(&self) -> broadcast::Receiver<MediaEvent> {
        match self.events.upgrade() {
            Some(events) => events.subscribe(),
            // The plane has shut down: a receiver that is told so at once.
            None => broadcast::channel(1).1,
        }
    }

    /// Totals over all shards.
    pub async fn stats(&self) -> MediaStats {
        let mut total = sfu::Stats::default();
        for shard in &self.shards {
            total += ask(shard, Query::Stats).await.unwrap_or_default();
        }
        MediaStats(total)
    }

    /// Waits until everything has ended, after `shutdown` was cancelled.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        let threads = std::mem::take(
            &mut *self
                .threads
                .lock()
                .expect("no holder of the list of threads panics"),
        );
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a media thread ended in a panic");
                }
            }
        });
        if let Err(error) = joined.await {
            tracing::error!(%error, "the media threads were not waited for");
        }
    }

    /// The rooms there are.
    pub async fn rooms(&self) -> Vec<proto::Room> {
        let mut rooms = Vec::new();
        for shard in &self.shards {
            rooms.extend(ask(shard, Query::Rooms).await.unwrap_or_default());
        }
        rooms
    }

    /// A room's participants, `None` when there is no such room.
    pub async fn participants(&self, room: &str) -> Option<Vec<proto::ParticipantInfo>> {
        ask(self.shard_of(room), |reply| {
            Query::Participants(room.to_owned(), reply)
        })
        .await?
    }

    /// One participant.
    pub async fn participant(&self, room: &str, identity: &str) -> Option<proto::ParticipantInfo> {
        ask(self.shard_of(room), |reply| {
            Query::Participant(room.to_owned(), identity.to_owned(), reply)
        })
        .await?
    }

    /// One track.
    pub async fn track(&self, room: &str, identity: &str, track_sid: &str) -> Option<proto::TrackInfo> {
        let query = |reply| Query::Track(room.to_owned(), identity.to_owned(), track_sid.to_owned(), reply);
        ask(self.shard_of(room), query).await?
    }

    /// Gives a command to the shard of its room.
    pub(crate) fn command(&self, command: Command) {
        let room = match &command {
            Command::CreateRoom { room, .. }
            | Command::CloseRoom { room }
            | Command::SetPermissions { room, .. }
            | Command::Block { room, .. }
            | Command::Remove { room, .. }
            | Command::MuteTrack { room, .. }
            | Command::UpdateParticipant { room, .. }
            | Command::UpdateSubscriptions { room, .. }
            | Command::UpdateRoomMetadata { room, .. } => room,
            Command::Shutdown => return self.shards.iter().for_each(|shard| shard.tell(ToShard::Shutdown)),
        };
        self.shard_of(room).tell(ToShard::Command(Box::new(command)));
    }

    fn check(&self, token: &str) -> Result<Claims, BadToken> {
        self.keys.check(token, wall_clock())
    }

    /// A room always lives on the same shard.
    fn shard_of(&self, room: &str) -> &ShardHandle {
        let mut hasher = DefaultHasher::new();
        room.hash(&mut hasher);
        &self.shards[(hasher.finish() % self.shards.len() as u64) as usize]
    }

    fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }
}

async fn ask<T>(shard: &ShardHandle, query: impl FnOnce(oneshot::Sender<T>) -> Query) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    shard.tell(ToShard::Query(query(reply)));
    tokio::time::timeout(QUERY_TIMEOUT, answer).await.ok()?.ok()
}

/// Without one of its threads the process would go on and tell court control to nobody. What was acknowledged is
/// stored, so whoever supervises the process starts it again and everybody comes back.
fn run_or_abort(shard: Shard) {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| shard.run()));
    if !matches!(ended, Ok(Ok(()))) {
        tracing::error!("a media thread cannot go on; the process ends");
        std::process::abort();
    }
}

fn codecs(mimes: &[String]) -> anyhow::Result<Vec<Codec>> {
    let read = mimes
        .iter()
        .map(|mime| Codec::from_mime(mime).with_context(|| format!("publish_codecs: {mime} is not known")));
    let codecs: Vec<Codec> = read.collect::<anyhow::Result<_>>()?;
    anyhow::ensure!(
        codecs.iter().any(|codec| codec.is_video()),
        "publish_codecs: no video codec"
    );
    anyhow::ensure!(
        codecs.contains(&Codec::Opus),
        "publish_codecs: audio/opus is missing"
    );
    Ok(codecs)
}

/// One socket per shard on the same port. The kernel spreads peers over them; a shard hands on what is not its own.
fn udp_sockets(address: SocketAddr, count: usize) -> std::io::Result<Vec<UdpSocket>> {
    let open = |address: SocketAddr| -> std::io::Result<UdpSocket> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        #[cfg(all(unix, not(target_os = "solaris"), not(target_os = "illumos")))]
        if count > 1 {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&address.into())?;
        Ok(socket.into())
    };
    let first = open(address)?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..count {
        // Where a port cannot be shared, the shards share one socket.
        let next = if cfg!(unix) {
            open(address)?
        } else {
            sockets[0].try_clone()?
        };
        sockets.push(next);
    }
    Ok(sockets)
}

fn advertised(config: &MediaConfig) -> Vec<IpAddr> {
    if !config.advertise.is_empty() {
        return config.advertise.clone();
    }
    if !config.bind.is_unspecified() {
        return vec![config.bind];
    }
    // Connecting a UDP socket sends nothing; it only makes the system choose the address it would send from. The
    // target is an address reserved for documentation (RFC 5737).
    let outward = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    let mut addresses: Vec<IpAddr> = outward.ok().map(|addr| addr.ip()).into_iter().collect();
    addresses.retain(|ip| !ip.is_unspecified() && !ip.is_loopback());
    addresses.push(Ipv4Addr::LOCALHOST.into());
    addresses
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the media plane ties its clock to the wall clock, once"
)]
fn epoch() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens are checked against the wall clock, here only"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[expect(clippy::disallowed_methods, reason = "the seed of each shard's names")]
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    seed
}
