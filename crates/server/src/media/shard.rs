//! The thread that drives one [`Sfu`]: reads its UDP socket in rounds, feeds what came, sends what comes out with
//! segmentation offload, and keeps time. The only place in the media plane that reads the clock. Never decides
//! anything about rooms.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use livekit_protocol as proto;
use mio::{Events, Interest, Poll, Token, Waker};
use proto::signal_response::Message;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use sfu::{
    Command, Config, Datagram, Event, Input, Join, JoinRefusal, MAX_DATAGRAM, Output, ParticipantId,
    Protocol, Sfu, Stats, Transmit, stun_ufrag,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// What the signalling connection is to do.
pub(super) enum ToSignal {
    /// Send this.
    Message(Box<Message>),
    /// Send what is queued, then close.
    Close,
}

/// A question about rooms, answered as of when it is taken up.
pub(super) enum Query {
    /// All rooms.
    Rooms(oneshot::Sender<Vec<proto::Room>>),
    /// A room's participants.
    Participants(String, oneshot::Sender<Option<Vec<proto::ParticipantInfo>>>),
    /// One participant: room, identity.
    Participant(String, String, oneshot::Sender<Option<proto::ParticipantInfo>>),
    /// One track: room, identity, sid.
    Track(String, String, String, oneshot::Sender<Option<proto::TrackInfo>>),
    /// Totals.
    Stats(oneshot::Sender<Stats>),
}

/// One datagram handed from one shard to another, or from a TCP connection.
pub(super) struct Handed {
    pub(super) proto: Protocol,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) contents: Vec<u8>,
}

/// What a shard is told from outside.
pub(super) enum ToShard {
    Join {
        join: Box<Join>,
        /// The signalling connection; several serve one participant over its life.
        connection: u64,
        signal: mpsc::Sender<ToSignal>,
        reply: oneshot::Sender<Result<ParticipantId, JoinRefusal>>,
    },
    Signal(ParticipantId, u64, Box<proto::SignalRequest>, Waiting),
    SignalClosed(ParticipantId, u64),
    Command(Box<Command>),
    /// From another shard, or from a TCP connection, whose place in the queue comes with it.
    Datagrams(Vec<Handed>, Option<Waiting>),
    TcpOpened(SocketAddr, mpsc::Sender<Vec<u8>>),
    TcpClosed(SocketAddr),
    Query(Query),
    /// Everybody is told; then the thread ends.
    Shutdown,
}

/// One of the places that a connection has in the queue of a shard. It is free again once the shard has taken the
/// message up; until then a connection that has used all of its own waits, and so does its sender.
pub(super) type Waiting = OwnedSemaphorePermit;

/// A shard as the others see it.
#[derive(Clone)]
pub(super) struct ShardHandle {
    to: Sender<ToShard>,
    waker: Arc<Waker>,
}

impl ShardHandle {
    /// Tells the shard something. A shard that has ended ignores it.
    pub(super) fn tell(&self, message: ToShard) {
        if self.to.send(message).is_ok() {
            // A waker only fails when its poll is gone, and with it the shard.
            let _ = self.waker.wake();
        }
    }
}

/// Which shard a local ICE user fragment belongs to: STUN names it, and everything else follows its address.
pub(super) type Ufrags = Arc<RwLock<HashMap<String, usize>>>;

const UDP: Token = Token(0);
const WAKE: Token = Token(1);
/// Addresses whose packets arrive at the wrong shard; beyond this the table starts anew.
const MAX_FOREIGN: usize = 65_536;
/// Bytes of UDP segments given to the kernel at once.
const MAX_GSO_BYTES: usize = 62_000;
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
/// Rounds begin at least this far apart. What arrives meanwhile is forwarded together, so that several packets for one
/// receiver become one system call; who is the only one to speak does not wait.
const ROUND: Duration = Duration::from_millis(1);
/// Batches read in one round at most, so that a flood does not keep the shard from its timers.
const BATCHES_A_ROUND: usize = 32;

/// A shard before its thread runs.
pub(super) struct Shard {
    index: usize,
    sfu: Sfu,
    poll: Poll,
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    /// The addresses clients know us by, UDP.
    advertised: Vec<SocketAddr>,
    from: Receiver<ToShard>,
    peers: Vec<ShardHandle>,
    ufrags: Ufrags,
    foreign: HashMap<SocketAddr, usize>,
    signals: HashMap<ParticipantId, (u64, mpsc::Sender<ToSignal>)>,
    tcp: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
    events: Box<dyn Fn(Event, Instant) + Send>,
    send_buffer: Vec<u8>,
    dropped: u64,
}

impl Shard {
    /// Sets up a shard on its socket. It runs when [`Shard::run`] is called on its own thread.
    pub(super) fn new(
        index: usize,
        shards: usize,
        config: Config,
        socket: std::net::UdpSocket,
        ufrags: Ufrags,
        events: Box<dyn Fn(Event, Instant) + Send>,
    ) -> anyhow::Result<(Self, ShardHandle)> {
        let poll = Poll::new().context("cannot wait for sockets")?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE).context("cannot wake the media thread")?);
        socket.set_nonblocking(true)?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, UDP, Interest::READABLE)?;
        let state =
            UdpSocketState::new(UdpSockRef::from(&socket)).context("cannot set up the media socket")?;
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
        let _ = state.set_send_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER);
        let (to, from) = channel();
        let advertised = config.udp.clone();
        let now = config.epoch.0;
        let shard = Shard {
            index,
            sfu: Sfu::new(config, now, index as u64, shards as u64),
            poll,
            socket,
            state,
            advertised,
            from,
            peers: Vec::new(),
            ufrags,
            foreign: HashMap::new(),
            signals: HashMap::new(),
            tcp: HashMap::new(),
            events,
            send_buffer: Vec::with_capacity(MAX_GSO_BYTES + MAX_DATAGRAM),
            dropped: 0,
        };
        Ok((shard, ShardHandle { to, waker }))
    }

    /// Lets the shard hand datagrams to the others; `peers[i]` is shard `i`.
    pub(super) fn set_peers(&mut self, peers: Vec<ShardHandle>) {
        self.peers = peers;
    }

    /// Runs until told to shut down. An error: the socket cannot be waited for any more.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(16);
        let segments = self.state.gro_segments().max(1);
        let mut buffers = vec![vec![0u8; MAX_DATAGRAM * segments]; BATCH_SIZE];
        let mut readable = true;
        let mut next_round = clock();
        loop {
            let wait = if readable {
                Some(Duration::ZERO)
            } else {
                self.sfu
                    .poll_timeout()
                    .map(|at| at.saturating_duration_since(clock()))
            };
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the media thread cannot wait for its socket any more");
                return Err(error);
            }
            readable |= events.iter().any(|event| event.token() == UDP);
            std::thread::sleep(next_round.saturating_duration_since(clock()));
            next_round = clock() + ROUND;
            while let Ok(message) = self.from.try_recv() {
                if matches!(message, ToShard::Shutdown) {
                    self.sfu.handle_input(clock(), Input::Command(Command::Shutdown));
                    self.pump();
                    return Ok(());
                }
                self.take(message);
            }
            for _ in 0..BATCHES_A_ROUND {
                readable = readable && self.read(&mut buffers);
            }
            let now = clock();
            if self.sfu.poll_timeout().is_some_and(|at| at <= now) {
                self.sfu.handle_input(now, Input::Timeout);
            }
            self.pump();
        }
    }

    /// Reads one batch; false when the socket is empty.
    fn read(&mut self, buffers: &mut [Vec<u8>]) -> bool {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let received = {
            let mut slices: Vec<IoSliceMut<'_>> =
                buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
            self.state
                .recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas)
        };
        let count = match received {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            // An ICMP error for something sent earlier; the socket itself is well.
            Err(_) => return true,
        };
        let now = clock();
        let mut handed: HashMap<usize, Vec<Handed>> = HashMap::new();
        for (meta, buffer) in metas.iter().zip(buffers.iter()).take(count) {
            let destination = self.local_address(meta.dst_ip);
            let stride = meta.stride.max(1);
            for contents in buffer[..meta.len].chunks(stride) {
                if self.peers.len() > 1
                    && let Some(shard) = self.owner(meta.addr, contents)
                {
                    let contents = contents.to_vec();
                    let datagram = Handed {
                        proto: Protocol::Udp,
                        source: meta.addr,
                        destination,
                        contents,
                    };
                    handed.entry(shard).or_default().push(datagram);
                    continue;
                }
                let datagram = Datagram {
                    proto: Protocol::Udp,
                    source: meta.addr,
                    destination,
                    contents,
                };
                self.sfu.handle_input(now, Input::Datagram(datagram));
            }
        }
        for (shard, datagrams) in handed {
            self.peers[shard].tell(ToShard::Datagrams(datagrams, None));
        }
        true
    }

    /// The other shard a datagram belongs to, if it does not belong here.
    fn owner(&mut self, source: SocketAddr, contents: &[u8]) -> Option<usize> {
        let Some(ufrag) = stun_ufrag(contents) else {
            if self.sfu.knows(Protocol::Udp, source) {
                return None;
            }
            return self.foreign.get(&source).copied();
        };
        let ufrags = self
            .ufrags
            .read()
            .expect("no holder of the table of user fragments panics");
        let shard = ufrags.get(ufrag).copied().filter(|shard| *shard != self.index);
        drop(ufrags);
        match shard {
            Some(shard) => {
                if self.foreign.len() >= MAX_FOREIGN {
                    self.foreign.clear();
                }
                self.foreign.insert(source, shard);
            }
            None => {
                self.foreign.remove(&source);
            }
        }
        shard
    }

    /// Our address as the peer knows it: the ICE candidate with this IP, else the first.
    fn local_address(&self, ip: Option<IpAddr>) -> SocketAddr {
        let same = self.advertised.iter().find(|addr| Some(addr.ip()) == ip);
        *same
            .or(self.advertised.first())
            .expect("a media plane advertises at least one address")
    }

    fn take(&mut self, message: ToShard) {
        let now = clock();
        match message {
            ToShard::Join {
                join,
                connection,
                signal,
                reply,
            } => {
                let joined = self.sfu.join(now, *join);
                if let Ok(id) = &joined
                    && let Some((_, older)) = self.signals.insert(*id, (connection, signal))
                {
                    let _ = older.try_send(ToSignal::Close);
                }
                let id = joined.as_ref().ok().copied();
                if reply.send(joined).is_err()
                    && let Some(id) = id
                {
                    self.sfu.handle_input(now, Input::SignalClosed(id));
                }
            }
            ToShard::Signal(id, connection, request, _waited) => {
                if self.is_current(id, connection) {
                    self.sfu.handle_input(now, Input::Signal(id, request));
                }
            }
            ToShard::SignalClosed(id, connection) => {
                if self.is_current(id, connection) {
                    self.signals.remove(&id);
                    self.sfu.handle_input(now, Input::SignalClosed(id));
                }
            }
            ToShard::Command(command) => self.sfu.handle_input(now, Input::Command(*command)),
            ToShard::Datagrams(datagrams, _waited) => {
                for handed in datagrams {
                    let Handed {
                        proto,
                        source,
                        destination,
                        ref contents,
                    } = handed;
                    let datagram = Datagram {
                        proto,
                        source,
                        destination,
                        contents,
                    };
                    self.sfu.handle_input(now, Input::Datagram(datagram));
                }
            }
            ToShard::TcpOpened(peer, writer) => {
                self.tcp.insert(peer, writer);
            }
            ToShard::TcpClosed(peer) => {
                self.tcp.remove(&peer);
            }
            ToShard::Query(query) => self.answer(query),
            ToShard::Shutdown => unreachable!("taken before"),
        }
        self.pump();
    }

    fn is_current(&self, id: ParticipantId, connection: u64) -> bool {
        self.signals
            .get(&id)
            .is_some_and(|(current, _)| *current == connection)
    }

    fn answer(&self, query: Query) {
        // Whoever asked may have gone away.
        match query {
            Query::Rooms(reply) => drop(reply.send(self.sfu.rooms())),
            Query::Participants(room, reply) => drop(reply.send(self.sfu.participants(&room))),
            Query::Participant(room, identity, reply) => {
                drop(reply.send(self.sfu.participant(&room, &identity)))
            }
            Query::Track(room, identity, sid, reply) => {
                drop(reply.send(self.sfu.track(&room, &identity, &sid)))
            }
            Query::Stats(reply) => drop(reply.send(self.sfu.stats())),
        }
    }

    /// Does everything the SFU wants done.
    fn pump(&mut self) {
        let mut run: Option<(SocketAddr, usize, usize)> = None; // destination, segment size, segments
        while let Some(output) = self.sfu.poll_output() {
            match output {
                Output::Transmit(transmit) if transmit.proto == Protocol::Udp => {
                    self.batch(&mut run, &transmit)
                }
                Output::Transmit(transmit) => self.send_tcp(&transmit),
                Output::Signal(id, message) => self.signal(id, message),
                Output::CloseSignal(id) => {
                    if let Some((_, signal)) = self.signals.remove(&id) {
                        let _ = signal.try_send(ToSignal::Close);
                    }
                }
                Output::UfragAdded(ufrag) => {
                    let mut ufrags = self
                        .ufrags
                        .write()
                        .expect("no holder of the table of user fragments panics");
                    ufrags.insert(ufrag, self.index);
                }
                Output::UfragRemoved(ufrag) => {
                    let mut ufrags = self
                        .ufrags
                        .write()
                        .expect("no holder of the table of user fragments panics");
                    ufrags.remove(&ufrag);
                }
                Output::Event(event) => (self.events)(event, clock()),
            }
        }
        self.send_run(run);
    }

    /// Adds a datagram to the run being collected, sending the run first when it does not fit: all segments of a
    /// run are of one size, save a shorter last one.
    fn batch(&mut self, run: &mut Option<(SocketAddr, usize, usize)>, transmit: &Transmit) {
        let contents: &[u8] = &transmit.contents;
        let max_segments = self.state.max_gso_segments().max(1);
        if let Some((destination, size, segments)) = run
            && *destination == transmit.destination
            && contents.len() <= *size
            && *segments < max_segments
            && self.send_buffer.len() == *size * *segments
            && self.send_buffer.len() + contents.len() <= MAX_GSO_BYTES
        {
            self.send_buffer.extend_from_slice(contents);
            *segments += 1;
            return;
        }
        self.send_run(run.take());
        self.send_buffer.clear();
        self.send_buffer.extend_from_slice(contents);
        *run = Some((transmit.destination, contents.len(), 1));
    }

    fn send_run(&mut self, run: Option<(SocketAddr, usize, usize)>) {
        let Some((destination, size, segments)) = run else {
            return;
        };
        let transmit = quinn_udp::Transmit {
            destination,
            ecn: None,
            contents: &self.send_buffer,
            segment_size: (segments > 1).then_some(size),
            src_ip: None,
        };
        if self
            .state
            .try_send(UdpSockRef::from(&self.socket), &transmit)
            .is_err()
        {
            // A full socket buffer or an unreachable peer: lost, as any datagram may be; NACK repairs it.
            self.dropped += segments as u64;
            tracing::trace!(dropped = self.dropped, "datagrams not sent");
        }
    }

    fn send_tcp(&mut self, transmit: &Transmit) {
        let Some(writer) = self.tcp.get(&transmit.destination) else {
            return;
        };
        // A full queue is a slow connection: lost, as on a full link.
        let _ = writer.try_send(transmit.contents.to_vec());
    }

    fn signal(&mut self, id: ParticipantId, message: Box<Message>) {
        let Some((_, signal)) = self.signals.get(&id) else {
            return;
        };
        if signal.try_send(ToSignal::Message(message)).is_err() {
            // It does not read what it is told, or is gone: what it missed cannot be made up but by a resume.
            tracing::debug!(%id, "the signalling connection does not keep up");
            self.signals.remove(&id);
            self.sfu.handle_input(clock(), Input::SignalClosed(id));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the media plane reads the clock"
)]
pub(super) fn clock() -> Instant {
    Instant::now()
}
