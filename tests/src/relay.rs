//! A bad network in one process: a UDP relay whose both directions go through `str0m-netem` (seeded, so a run can be
//! repeated), each client on a line of its own; a TCP relay that can be cut; and a port that never answers.
//!
//! The server is told to advertise [`RELAY_ADDRESS`] for media; the relay listens there on the server's own port numbers and
//! hands on to the server, so that no client knows of it.

use anyhow::{Context, Result};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use str0m_netem::{Input, Netem, NetemConfig, Output};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
    task::JoinSet,
};

/// Another address of the loopback network: on Linux all of 127.0.0.0/8 is there.
pub const RELAY_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Largest datagram that is handed on.
const DATAGRAM: usize = 2048;

/// How both directions of every client's line are.
#[derive(Clone)]
pub struct Weather {
    /// From the clients to the server.
    pub up: NetemConfig,
    /// From the server to the clients.
    pub down: NetemConfig,
}

impl Weather {
    /// Nothing is changed.
    pub fn fair() -> Self {
        Self {
            up: NetemConfig::new(),
            down: NetemConfig::new(),
        }
    }

    /// The same both ways, with different random numbers.
    pub fn both(seed: u64, change: impl Fn(NetemConfig) -> NetemConfig) -> Self {
        Self {
            up: change(NetemConfig::new()).seed(seed),
            down: change(NetemConfig::new()).seed(seed.wrapping_add(1)),
        }
    }
}

/// A client's line to the server.
struct Line {
    up: Netem<Vec<u8>>,
    down: Netem<Vec<u8>>,
    /// The server takes this socket's address for the client's.
    back: Arc<UdpSocket>,
    /// Fair weather, whatever the others have.
    sheltered: bool,
}

impl Line {
    fn change(&mut self, weather: &Weather) {
        self.up.set_config(weather.up);
        self.down.set_config(weather.down);
    }

    fn wake(&self) -> Instant {
        self.up.poll_timeout().min(self.down.poll_timeout())
    }
}

/// How many datagrams went each way.
#[derive(Default, Debug)]
pub struct Counts {
    /// Handed to the server.
    pub up: AtomicU64,
    /// Handed to clients.
    pub down: AtomicU64,
}

/// What a running relay is told.
enum Change {
    Weather(Box<Weather>),
    Shelter,
}

/// A UDP relay that runs until it is dropped.
pub struct UdpRelay {
    weather: mpsc::UnboundedSender<Change>,
    counts: Arc<Counts>,
    _tasks: JoinSet<()>,
}

impl UdpRelay {
    /// Listens on [`RELAY_ADDRESS`] with the port of `server`.
    pub async fn start(server: SocketAddr, weather: Weather) -> Result<Self> {
        let front = UdpSocket::bind((RELAY_ADDRESS, server.port()))
            .await
            .context("the relay cannot listen")?;
        let (change, changes) = mpsc::unbounded_channel();
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(relay(
            Arc::new(front),
            server,
            weather,
            changes,
            Arc::clone(&counts),
        ));
        Ok(Self {
            weather: change,
            counts,
            _tasks: tasks,
        })
    }

    /// Changes the network from the next datagram on.
    pub fn set(&self, weather: Weather) {
        // The relay ends only when this handle is dropped.
        let _ = self.weather.send(Change::Weather(Box::new(weather)));
    }

    /// The clients that are known now have fair weather from here on; only those who come later feel it.
    pub fn shelter(&self) {
        let _ = self.weather.send(Change::Shelter);
    }

    /// Datagrams handed on so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

async fn relay(
    front: Arc<UdpSocket>,
    server: SocketAddr,
    mut weather: Weather,
    mut changes: mpsc::UnboundedReceiver<Change>,
    counts: Arc<Counts>,
) {
    let mut lines: HashMap<SocketAddr, Line> = HashMap::new();
    let mut readers = JoinSet::new();
    let (answer, mut answers) = mpsc::unbounded_channel::<(SocketAddr, Vec<u8>)>();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let wake = lines.values().map(Line::wake).min();
        let woken = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            received = front.recv_from(&mut buffer) => {
                // An ICMP error of an earlier datagram shows up here; the client it was for is gone.
                let Ok((length, client)) = received else { continue };
                if let std::collections::hash_map::Entry::Vacant(place) = lines.entry(client) {
                    let Ok(back) = back(server).await else { continue };
                    readers.spawn(read_back(Arc::clone(&back), client, answer.clone()));
                    place.insert(Line {
                        up: Netem::new(weather.up),
                        down: Netem::new(weather.down),
                        back,
                        sheltered: false,
                    });
                }
                let line = lines.get_mut(&client).expect("it was made when it was not there");
                line.up.handle_input(Input::Packet(now(), buffer[..length].to_vec()));
            }
            answered = answers.recv() => {
                let (client, bytes) = answered.expect("this task holds a sender");
                let line = lines.get_mut(&client).expect("a line is read from as long as it is there");
                line.down.handle_input(Input::Packet(now(), bytes));
            }
            change = changes.recv() => {
                let Some(change) = change else { return };
                match change {
                    Change::Weather(changed) => {
                        weather = *changed;
                        for line in lines.values_mut().filter(|line| !line.sheltered) {
                            line.change(&weather);
                        }
                    }
                    Change::Shelter => {
                        for line in lines.values_mut() {
                            line.sheltered = true;
                            line.change(&Weather::fair());
                        }
                    }
                }
            }
            () = woken => {
                let now = now();
                for line in lines.values_mut() {
                    line.up.handle_input(Input::Timeout(now));
                    line.down.handle_input(Input::Timeout(now));
                }
            }
        }
        for (client, line) in &mut lines {
            while let Some(output) = line.up.poll_output() {
                if let Output::Packet(bytes) = output {
                    // An error is ICMP's: the server is not there now. Waiting is for a socket so new that it is not
                    // known ready.
                    let _ = line.back.send(&bytes).await;
                    counts.up.fetch_add(1, Ordering::Relaxed);
                }
            }
            while let Some(output) = line.down.poll_output() {
                if let Output::Packet(bytes) = output {
                    let _ = front.send_to(&bytes, *client).await;
                    counts.down.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

async fn back(server: SocketAddr) -> Result<Arc<UdpSocket>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.connect(server).await?;
    Ok(Arc::new(socket))
}

async fn read_back(
    socket: Arc<UdpSocket>,
    client: SocketAddr,
    answers: mpsc::UnboundedSender<(SocketAddr, Vec<u8>)>,
) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        // Errors are ICMP's again: the server is not listening now.
        let Ok(length) = socket.recv(&mut buffer).await else {
            continue;
        };
        if answers.send((client, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the relay is a driver: packets are delayed by the real clock"
)]
fn now() -> Instant {
    Instant::now()
}

/// A TCP relay that runs until it is dropped.
pub struct TcpRelay {
    address: SocketAddr,
    cut: mpsc::UnboundedSender<()>,
    _tasks: JoinSet<()>,
}

impl TcpRelay {
    /// Listens on `address` (port 0 takes any) and connects to `server`.
    pub async fn start(address: SocketAddr, server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .context("the relay cannot listen")?;
        let address = listener.local_addr()?;
        let (cut, mut cuts) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((client, _)) = accepted else { continue };
                        connections.spawn(pass(client, server));
                    }
                    cut = cuts.recv() => match cut {
                        Some(()) => connections.abort_all(),
                        None => return,
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            address,
            cut,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection that is open now.
    pub fn cut(&self) {
        let _ = self.cut.send(());
    }
}

/// Takes every TCP connection and never says anything, as what stands before a blocked port may do. Runs until it is dropped.
pub struct Silence {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Silence {
    /// Listens on `address` (port 0 takes any).
    pub async fn start(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .context("the silence cannot listen")?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut taken = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                taken.push(client);
            }
        });
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr) {
    if let Ok(mut server) = TcpStream::connect(server).await {
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Loss in both directions, at random.
pub fn random_loss(seed: u64, share: f32) -> Weather {
    use str0m_netem::{Probability, RandomLoss};
    Weather::both(seed, |network| {
        network.loss(RandomLoss::new(Probability::new(share)))
    })
}

/// Delay with jitter in both directions; every `gap`th datagram overtakes the others.
pub fn delay_and_reordering(seed: u64, delay: Duration, jitter: Duration, gap: u32) -> Weather {
    Weather::both(seed, |network| {
        network.latency(delay).jitter(jitter).reorder_gap(gap)
    })
}

/// Nothing passes.
pub fn dead() -> Weather {
    random_loss(0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SOON, within};

    /// A server that sends every datagram back.
    async fn echo() -> (SocketAddr, JoinSet<()>) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut buffer = [0; 64];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(&buffer[..length], from).await;
            }
        });
        (address, task)
    }

    #[tokio::test]
    async fn datagrams_go_there_and_back_and_the_weather_can_change() {
        let (server, _echo) = echo().await;
        let relay = UdpRelay::start(server, Weather::fair())
            .await
            .expect("the port is free on the other address");
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        client
            .connect((RELAY_ADDRESS, server.port()))
            .await
            .expect("UDP connects at once");
        let mut buffer = [0; 64];
        client.send(b"fair").await.expect("loopback takes it");
        let answered = within(SOON, "the echo", async { Ok(client.recv(&mut buffer).await?) }).await;
        assert_eq!(&buffer[..answered.expect("nothing is lost")], b"fair");

        relay.set(dead());
        client.send(b"dead").await.expect("loopback takes it");
        relay.set(Weather::fair());
        client.send(b"fair again").await.expect("loopback takes it");
        let answered = within(SOON, "the echo", async { Ok(client.recv(&mut buffer).await?) }).await;
        // Which of the two came first is up to the scheduler; what was sent in fair weather arrives.
        let first = &buffer[..answered.expect("nothing is lost now")];
        assert!(first == b"fair again" || first == b"dead");
        assert!(relay.counts().up.load(Ordering::Relaxed) >= 2);
    }

    #[tokio::test]
    async fn a_cut_ends_open_connections() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let server = listener.local_addr().expect("a bound socket has an address");
        let relay = TcpRelay::start((Ipv4Addr::LOCALHOST, 0).into(), server)
            .await
            .expect("a free port");
        let mut client = TcpStream::connect(relay.address())
            .await
            .expect("the relay listens");
        client.write_all(b"x").await.expect("the relay reads");
        let (mut accepted, _) = listener.accept().await.expect("the relay connects");
        let mut byte = [0];
        accepted
            .read_exact(&mut byte)
            .await
            .expect("the byte is passed on");
        relay.cut();
        let end = within(SOON, "the end", async {
            Ok(client.read(&mut byte).await.unwrap_or(0))
        })
        .await;
        assert_eq!(end.expect("the connection ends"), 0);
    }
}
