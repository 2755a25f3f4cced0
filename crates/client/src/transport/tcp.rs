//! ICE over TCP (RFC 6544, the active side) beneath a stack that is shown UDP only.
//!
//! Where UDP is blocked, a passive TCP candidate of the server is shown to the ICE agent as a UDP candidate with a
//! stand-in address out of 192.0.2.0/24 (RFC 5737, never on a wire) and the low priority that the server gave it. What
//! the agent sends there leaves as RFC 4571 frames on a connection that the first packet opens, and what comes back
//! seems to come from the stand-in: checks, consent and media need no word of their own. The stack's own ICE-TCP is not
//! used: it wants a listening port on the person's computer, and its driver stands still while a send buffer is full.
//! Here a full queue loses packets, as a network does. It never listens.
//!
//! Where only web pages pass, the same packets go as messages of a WebSocket to the media server's own address ([`Web`]), which
//! has a stand-in too, of the lowest priority there is.

use super::udp::{Plain, received_too_much_is_transient};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use protocol::Secret;
use rtc::ice::tcp_type::TcpType;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async_tls_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::task::TaskTracker;
use url::Url;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// UDP has this long to connect by itself; then TCP is tried beside it.
pub const FALL_BACK_AFTER: Duration = Duration::from_millis(1_000);
/// UDP and TCP have this long together; then the tunnel of a [`Web`] is tried beside them.
pub const LAST_RESORT_AFTER: Duration = Duration::from_millis(3_000);
/// A connection that does not open in this time has failed.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// A connection that failed or ended is opened again after this pause.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
/// Packets that may wait in each direction.
const QUEUE: usize = 256;
/// More TCP addresses of one server than this are not tried.
const TARGETS: usize = 8;
/// Whatever else connects is better (RFC 8445 §5.1.2: from 1).
const LOWEST_PRIORITY: u32 = 1;
/// Nothing that media sends is larger, in bytes.
const MESSAGE_LIMIT: usize = 2_048;

/// The way through a WebSocket. Clones share the token.
#[derive(Clone, Debug)]
pub struct Web {
    /// Base address of the media server, with any of the four schemes.
    server: Url,
    token: Arc<Mutex<Secret>>,
}

/// There is one way through a WebSocket to a server, whatever token opens it.
impl PartialEq for Web {
    fn eq(&self, other: &Self) -> bool {
        self.server == other.server
    }
}

impl Web {
    /// To the media server at this base address, with what lets one into the room.
    pub fn new(server: Url, token: Secret) -> Self {
        Self {
            server,
            token: Arc::new(Mutex::new(token)),
        }
    }

    /// Opens with this token from now on.
    pub fn renew(&self, token: Secret) {
        *lock(&self.token) = token;
    }

    /// Carries the token, so it must never be logged.
    fn address(&self) -> Option<Url> {
        let mut url = self.server.clone();
        let scheme = match url.scheme() {
            "ws" | "http" => "ws",
            "wss" | "https" => "wss",
            _ => return None,
        };
        url.set_scheme(scheme).ok()?;
        let path = format!("{}/rtc/v1/tunnel", self.server.path().trim_end_matches('/'));
        url.set_path(&path);
        url.query_pairs_mut()
            .clear()
            .append_pair("access_token", lock(&self.token).expose());
        Some(url)
    }
}

/// A packet and the stand-in it belongs to.
type Inbox = mpsc::Sender<(SocketAddr, Bytes)>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a candidate line names a TCP address that waits for connections.
pub fn is_passive(candidate: &str) -> bool {
    passive(candidate).is_some()
}

/// Address and priority of a passive TCP candidate.
fn passive(candidate: &str) -> Option<(SocketAddr, u32)> {
    let line = candidate.strip_prefix("candidate:").unwrap_or(candidate);
    let parsed = rtc::ice::candidate::unmarshal_candidate(line).ok()?;
    if !parsed.network_type().is_tcp() || parsed.tcp_type() != TcpType::Passive {
        return None;
    }
    let ip: IpAddr = parsed.address().parse().ok()?;
    Some((SocketAddr::new(ip, parsed.port()), parsed.priority()))
}

/// The server's TCP addresses, and the connections to those that are in use.
#[derive(Debug)]
pub struct Tunnels {
    targets: Mutex<Vec<Target>>,
    tasks: TaskTracker,
    runtime: Handle,
}

#[derive(Debug)]
struct Target {
    way: Way,
    queue: Option<mpsc::Sender<Bytes>>,
}

#[derive(Clone, PartialEq, Debug)]
enum Way {
    Tcp(SocketAddr),
    Web(Web),
}

impl Tunnels {
    /// None yet. Must be made inside the tokio runtime that is to carry the connections.
    pub fn new(tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            targets: Mutex::default(),
            tasks,
            runtime: Handle::current(),
        })
    }

    /// The UDP candidate to show instead of a passive TCP candidate; none for any other, and none when there are too
    /// many already.
    pub fn stand_in(&self, candidate: &str) -> Option<String> {
        let (server, priority) = passive(candidate)?;
        self.shown(Way::Tcp(server), priority, server.port())
    }

    /// The candidate to show for the way through a WebSocket.
    pub fn last_resort(&self, web: Web) -> Option<String> {
        let port = web.server.port_or_known_default()?;
        self.shown(Way::Web(web), LOWEST_PRIORITY, port)
    }

    fn shown(&self, way: Way, priority: u32, port: u16) -> Option<String> {
        let mut targets = lock(&self.targets);
        let index = match targets.iter().position(|target| target.way == way) {
            Some(index) => index,
            // The last resort has a place of its own.
            None if targets.len() < TARGETS || matches!(way, Way::Web(_)) => {
                targets.push(Target { way, queue: None });
                targets.len() - 1
            }
            None => return None,
        };
        let ip = stand_in_ip(index);
        Some(format!(
            "candidate:tcp{index} 1 udp {priority} {ip} {port} typ host"
        ))
    }

    /// Sends one packet if `to` is a stand-in, opening its connection when there is none. False for other addresses.
    fn send(&self, to: SocketAddr, packet: &[u8], inbox: &Inbox) -> bool {
        let Some(index) = index_of(to) else { return false };
        let mut targets = lock(&self.targets);
        let Some(target) = targets.get_mut(index) else {
            return true;
        };
        let queue = match &target.queue {
            Some(queue) if !queue.is_closed() => queue,
            _ => {
                let (queue, queued) = mpsc::channel(QUEUE);
                let carried = carry(target.way.clone(), to, queued, inbox.clone());
                self.tasks.spawn_on(carried, &self.runtime);
                target.queue.insert(queue)
            }
        };
        // Full, or waiting for its pause to end: the packet is lost like any other.
        drop(queue.try_send(Bytes::copy_from_slice(packet)));
        true
    }
}

fn stand_in_ip(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, index as u8 + 1)
}

fn index_of(address: SocketAddr) -> Option<usize> {
    match address.ip() {
        IpAddr::V4(ip) => match ip.octets() {
            [192, 0, 2, host] => usize::from(host).checked_sub(1),
            _ => None,
        },
        IpAddr::V6(_) => None,
    }
}

/// One connection from its opening to the end of its pause. It ends at once when the socket that it works for is gone.
async fn carry(way: Way, stand_in: SocketAddr, mut queued: mpsc::Receiver<Bytes>, inbox: Inbox) {
    let gone = inbox.clone();
    tokio::select! {
        () = gone.closed() => {}
        () = async {
            let carried = match &way {
                Way::Tcp(server) => connection(*server, stand_in, &mut queued, &inbox).await,
                Way::Web(web) => tunnel(web, stand_in, &mut queued, &inbox).await,
            };
            match carried {
                Ok(()) => tracing::debug!("a media connection beneath UDP ended"),
                Err(error) => tracing::debug!(%error, "no media connection over TCP or a WebSocket"),
            }
            sleep(REOPEN_AFTER).await;
        } => {}
    }
}

async fn connection(
    server: SocketAddr,
    stand_in: SocketAddr,
    queued: &mut mpsc::Receiver<Bytes>,
    inbox: &Inbox,
) -> io::Result<()> {
    let stream = timeout(CONNECT_LIMIT, TcpStream::connect(server)).await??;
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let receive = async {
        let mut reader = BufReader::new(reader);
        loop {
            let mut frame = vec![0; usize::from(reader.read_u16().await?)];
            reader.read_exact(&mut frame).await?;
            if inbox.send((stand_in, frame.into())).await.is_err() {
                return Ok(());
            }
        }
    };
    let send = async {
        while let Some(packet) = queued.recv().await {
            let Ok(length) = u16::try_from(packet.len()) else {
                continue;
            };
            let mut frame = BytesMut::with_capacity(2 + packet.len());
            frame.put_u16(length);
            frame.put_slice(&packet);
            writer.write_all(&frame).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = receive => ended,
        ended = send => ended,
    }
}

async fn tunnel(
    web: &Web,
    stand_in: SocketAddr,
    queued: &mut mpsc::Receiver<Bytes>,
    inbox: &Inbox,
) -> io::Result<()> {
    let Some(url) = web.address() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT));
    // The library's errors can hold the address, and with it the token.
    let broken = |_| io::Error::other("the WebSocket broke");
    let connector = Some(crate::tls::connector());
    let opening = connect_async_tls_with_config(url.as_str(), Some(config), true, connector);
    let (socket, _) = timeout(CONNECT_LIMIT, opening).await?.map_err(broken)?;
    let (mut sink, mut stream) = socket.split();
    let receive = async {
        while let Some(message) = stream.next().await {
            if let Message::Binary(packet) = message.map_err(broken)?
                && inbox.send((stand_in, packet)).await.is_err()
            {
                return Ok(());
            }
        }
        Ok(())
    };
    let send = async {
        while let Some(packet) = queued.recv().await {
            sink.send(Message::Binary(packet)).await.map_err(broken)?;
        }
        Ok(())
    };
    tokio::select! {
        ended = receive => ended,
        ended = send => ended,
    }
}

/// A UDP socket whose packets to stand-ins go over TCP.
#[derive(Debug)]
struct Socket {
    udp: Arc<dyn AsyncUdpSocket>,
    tunnels: Arc<Tunnels>,
    inbox: Inbox,
    arrived: Mutex<mpsc::Receiver<(SocketAddr, Bytes)>>,
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if index_of(transmit.destination).is_none() {
            return self.udp.poll_send(cx, transmit);
        }
        let size = transmit.segment_size.unwrap_or(transmit.contents.len());
        for packet in transmit.contents.chunks(size.max(1)) {
            self.tunnels.send(transmit.destination, packet, &self.inbox);
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) {
            let mut arrived = lock(&self.arrived);
            while let Poll::Ready(Some((from, packet))) = arrived.poll_recv(cx) {
                // Nothing that media needs is larger than the buffer.
                if let Some(place) = buf.get_mut(..packet.len()) {
                    place.copy_from_slice(&packet);
                    meta.addr = from;
                    meta.len = packet.len();
                    meta.stride = packet.len().max(1);
                    meta.ecn = None;
                    meta.dst_ip = None;
                    return Poll::Ready(Ok(1));
                }
            }
        }
        self.udp
            .poll_recv(cx, bufs, meta)
            .map_err(received_too_much_is_transient)
    }

    fn max_gso_segments(&self) -> usize {
        self.udp.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.udp.max_gro_segments()
    }
}

/// Until the connection is up, the stack looks at itself this often. It puts its first DTLS message into a queue that it
/// only sends with its next timer, and that one is ICE's of [`IDLE_PAUSE`]: each join would wait for it.
const EAGER_PAUSE: Duration = Duration::from_millis(10);
/// What the stack sleeps at most between two looks at itself while ICE is at work; a longer sleep is for something else.
const IDLE_PAUSE: Duration = Duration::from_millis(200);

/// The tokio runtime of the stack, with [`Socket`]s for UDP sockets.
#[derive(Debug)]
pub struct WithTunnels {
    /// Where packets to stand-ins go.
    pub tunnels: Arc<Tunnels>,
    /// The connection is not up yet.
    pub connecting: Arc<AtomicBool>,
}

/// How long to sleep in place of `asked`.
fn pause(asked: Duration, connecting: bool) -> Duration {
    if connecting && asked <= IDLE_PAUSE {
        asked.min(EAGER_PAUSE)
    } else {
        asked
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for WithTunnels {
    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let (inbox, arrived) = mpsc::channel(QUEUE);
        let same = socket.try_clone()?;
        let udp = match TokioRuntime.wrap_udp_socket(socket) {
            Ok(udp) => udp,
            Err(error) => {
                tracing::info!(%error, "UDP without batches: the system lacks what they need");
                Arc::new(Plain::new(same)?)
            }
        };
        Ok(Arc::new(Socket {
            udp,
            tunnels: Arc::clone(&self.tunnels),
            inbox,
            arrived: Mutex::new(arrived),
        }))
    }

    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn spawn_reactor(&self, pool: usize, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn_reactor(pool, future)
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, remote: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        TokioRuntime.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        TokioRuntime.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        let connecting = self.connecting.load(Ordering::Relaxed);
        TokioRuntime.sleep(pause(duration, connecting))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        "tokio"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const PASSIVE: &str = "candidate:1 1 tcp 1671430143 127.0.0.1 7881 typ host tcptype passive";

    fn with_port(port: u16) -> String {
        PASSIVE.replace("7881", &port.to_string())
    }

    #[tokio::test]
    async fn only_a_passive_tcp_candidate_has_a_stand_in_and_keeps_it() {
        let tunnels = Tunnels::new(TaskTracker::new());
        for other in [
            "candidate:1 1 udp 2130706431 127.0.0.1 7881 typ host",
            "candidate:1 1 tcp 1671430143 127.0.0.1 9 typ host tcptype active",
            "candidate:1 1 tcp 1671430143 somewhere.local 7881 typ host tcptype passive",
            "",
        ] {
            assert_eq!(tunnels.stand_in(other), None, "{other}");
        }
        let shown = "candidate:tcp0 1 udp 1671430143 192.0.2.1 7881 typ host";
        assert_eq!(tunnels.stand_in(PASSIVE).as_deref(), Some(shown));
        assert_eq!(tunnels.stand_in(PASSIVE).as_deref(), Some(shown));
        let others: Vec<_> = (1..20)
            .filter_map(|port| tunnels.stand_in(&with_port(port)))
            .collect();
        assert_eq!(others.len(), TARGETS - 1);
        assert!(others[0].contains(" 192.0.2.2 1 "), "{}", others[0]);
    }

    #[tokio::test]
    async fn packets_to_a_stand_in_travel_as_frames_and_come_back_from_it() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = server.local_addr().expect("bound").port();
        let tunnels = Tunnels::new(TaskTracker::new());
        tunnels.stand_in(&with_port(port)).expect("a stand-in");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let runtime = WithTunnels {
            tunnels,
            connecting: Arc::default(),
        };
        let socket = runtime.wrap_udp_socket(udp).expect("a socket");
        let to = SocketAddr::new(stand_in_ip(0).into(), port);

        // Two segments of one batch are two frames.
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents: &[1, 2, 3, 4, 5],
            segment_size: Some(3),
            src_ip: None,
        };
        let sent = poll_fn(|cx| socket.poll_send(cx, &transmit)).await;
        assert_eq!(sent.expect("accepted"), 5);
        let (mut stream, _) = server.accept().await.expect("a connection");
        let mut frames = [0; 9];
        stream.read_exact(&mut frames).await.expect("two frames");
        assert_eq!(frames, [0, 3, 1, 2, 3, 0, 2, 4, 5]);

        // A frame in two pieces is one packet.
        stream.write_all(&[0, 4, 9]).await.expect("open");
        stream.write_all(&[8, 7, 6]).await.expect("open");
        let mut buf = [0; 1_500];
        let (len, from) = socket.recv_from(&mut buf).await.expect("a packet");
        assert_eq!((&buf[..len], from), (&[9, 8, 7, 6][..], to));
    }

    #[tokio::test]
    async fn a_connection_that_ended_is_opened_again() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = server.local_addr().expect("bound").port();
        let tunnels = Tunnels::new(TaskTracker::new());
        tunnels.stand_in(&with_port(port)).expect("a stand-in");
        let (inbox, _arrived) = mpsc::channel(1);
        let to = SocketAddr::new(stand_in_ip(0).into(), port);
        for _ in 0..2 {
            assert!(tunnels.send(to, &[1], &inbox));
            let (stream, _) = server.accept().await.expect("a connection");
            drop(stream);
            let queue = lock(&tunnels.targets)[0].queue.clone().expect("it was opened");
            queue.closed().await;
        }
        assert!(!tunnels.send(SocketAddr::from(([127, 0, 0, 1], port)), &[1], &inbox));
    }

    #[test]
    fn only_the_stacks_own_pauses_are_cut_short_and_only_while_it_connects() {
        let ms = Duration::from_millis;
        for (asked, connecting, slept) in [
            (200, true, 10),
            (3, true, 3),
            (1_000, true, 1_000),
            (200, false, 200),
        ] {
            assert_eq!(pause(ms(asked), connecting), ms(slept), "{asked} {connecting}");
        }
    }
}
