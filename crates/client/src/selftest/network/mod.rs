//! The line to the court's server, measured: from the name to a stream of media that comes back.
//!
//! What is sent into a practice room of the server ([`practice`]) comes back out of it, so that the figures are of the way
//! that a hearing's media takes, there and back:
//!
//! - `rtt_ms`: from sending a sound packet to its coming back, the median; the server's forwarding is in it.
//! - `jitter_ms`: RFC 3550 §6.4.1 of the sound that came back, the mean over the time; both directions together.
//! - `loss`: the part of the sound packets that did not come back; both directions together, and nothing is repaired.
//! - `up_bps`: the most picture data that arrived at the server in one step of the ramp, as it reports ([`ramp`]).
//! - `down_bps`: the most picture data that came back within half a second, with what the server repeated to look for more. It
//!   sends no faster than it thinks the line carries, and only has a few seconds to find out: there may be more.
//! - `skew_ms`: against the middle of a request on an open connection.
//!
//! It never fails and never takes longer than its limits; what was not reached stays untested. Dropping the future closes
//! everything.

mod practice;
mod ramp;
mod reach;
mod stream;
mod tally;

use crate::http::{Court, CourtError};
use crate::transport::Paths;
use practice::{Access, PracticeError, Room};
use protocol::{NetworkFacts, Practice, TestPath};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tally::Tally;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;
use url::Url;

/// The whole of it. The self-test has five seconds more for everything else.
pub const WHOLE: Duration = Duration::from_secs(20);
/// Each of name, connection, TLS, answer and channel.
pub const STEP: Duration = Duration::from_secs(3);
/// Until the first packet is back, on each way. Signalling, ICE and DTLS take ten round trips together. Six seconds more
/// where ICE has found a path.
pub const MEDIA: Duration = Duration::from_secs(4);
/// How long sound and pictures go there and back for round trip, jitter and loss.
pub const QUALITY: Duration = Duration::from_secs(10);
/// Closing connections at the end; what is not closed by then closes by itself.
const FAREWELL: Duration = Duration::from_millis(300);
/// The rates are known so long before the end, so that a busy computer does not lose them.
const CLOSING: Duration = Duration::from_millis(200);
/// With less time left the quality is not worth measuring: a hundred sound packets say little of loss.
const QUALITY_AT_LEAST: Duration = Duration::from_secs(2);

/// How long it may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// See [`WHOLE`].
    pub whole: Duration,
    /// See [`STEP`].
    pub step: Duration,
    /// See [`MEDIA`].
    pub media: Duration,
    /// See [`QUALITY`]. Where the time left is shorter, that.
    pub quality: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            whole: WHOLE,
            step: STEP,
            media: MEDIA,
            quality: QUALITY,
        }
    }
}

/// What begins now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// The server's name.
    Name,
    /// A connection to it.
    Reach,
    /// TLS.
    Tls,
    /// Whether it is a court's server.
    Answer,
    /// The hearing channel and media on all ways, side by side.
    Paths,
    /// Round trip, jitter and loss.
    Quality,
    /// How much comes through.
    Rates,
}

/// Measures the line to `server`, telling `progress` of each step as it begins.
pub async fn measure(server: &Url, limits: &Limits, progress: impl Fn(Step) + Sync) -> NetworkFacts {
    let line = Line {
        server,
        limits,
        end: Instant::now() + limits.whole - FAREWELL,
        facts: Mutex::default(),
        tasks: TaskTracker::new(),
    };
    // What is not known by then is not known.
    let _ = timeout_at(line.end, line.measure(&progress)).await;
    line.tasks.close();
    let _ = timeout(FAREWELL, line.tasks.wait()).await;
    line.facts.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn path(is_open: bool) -> TestPath {
    if is_open { TestPath::Open } else { TestPath::Closed }
}

/// What came of entering a practice room on one way.
enum Entered {
    /// Media comes back.
    Open(Box<Room>),
    /// Packets go there and back, and too few for a connection in the time there is: a bad way, but not a blocked one.
    Slow,
    /// Nothing comes back.
    Blocked,
}

impl Entered {
    fn open(self) -> Option<Room> {
        match self {
            Self::Open(room) => Some(*room),
            Self::Slow | Self::Blocked => None,
        }
    }
}

struct Line<'a> {
    server: &'a Url,
    limits: &'a Limits,
    end: Instant,
    facts: Mutex<NetworkFacts>,
    tasks: TaskTracker,
}

impl Line<'_> {
    fn note(&self, fact: impl FnOnce(&mut NetworkFacts)) {
        fact(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The outcome of one step; too late is a failure.
    async fn step<T>(&self, work: impl Future<Output = Option<T>>) -> Option<T> {
        timeout(self.limits.step, work).await.ok().flatten()
    }

    async fn measure(&self, progress: &(impl Fn(Step) + Sync)) {
        let proxied = reach::is_proxied(self.server);
        self.note(|facts| facts.proxy = proxied);
        let reached = self.reach(progress).await;
        // A proxy may reach what this computer does not.
        if !reached && !proxied {
            return;
        }
        progress(Step::Answer);
        let (answered, rooms) = self.answer().await;
        if answered != TestPath::Open {
            return;
        }
        progress(Step::Paths);
        let channel = async {
            let answered = self.step(reach::channel(self.server)).await;
            self.note(|facts| facts.channel = path(answered.is_some()));
        };
        let [udp, tcp, tunnel] = rooms;
        let udp = async {
            let room = self.room(udp?, Paths::UdpOnly).await;
            self.note(|facts| facts.udp = path(!matches!(room, Entered::Blocked)));
            room.open()
        };
        let tcp = async {
            let room = self.room(tcp?, Paths::TcpOnly).await;
            self.note(|facts| facts.tcp = path(!matches!(room, Entered::Blocked)));
            room.open()
        };
        let tunnel = async {
            let room = self.room(tunnel?, Paths::WebOnly).await;
            self.note(|facts| facts.tunnel = path(!matches!(room, Entered::Blocked)));
            room.open()
        };
        let ((), udp, tcp, tunnel) = tokio::join!(channel, udp, tcp, tunnel);
        // A hearing takes the first that works. The other rooms end here.
        let Some(mut room) = udp.or(tcp).or(tunnel) else {
            return;
        };
        let left = self.end.saturating_duration_since(Instant::now());
        let quality = self.limits.quality.min(left.saturating_sub(ramp::LIMIT));
        if quality >= QUALITY_AT_LEAST {
            progress(Step::Quality);
            self.quality(&mut room, quality).await;
        }
        progress(Step::Rates);
        self.rates(&mut room).await;
    }

    /// Whether a connection to the server can be had, with TLS where it wants that.
    async fn reach(&self, progress: &(impl Fn(Step) + Sync)) -> bool {
        progress(Step::Name);
        let addresses = self.step(reach::resolve(self.server)).await;
        self.note(|facts| facts.name = path(addresses.is_some()));
        let Some(addresses) = addresses else { return false };
        progress(Step::Reach);
        let stream = self.step(reach::connect(&addresses)).await;
        self.note(|facts| facts.reach = path(stream.is_some()));
        let Some(stream) = stream else { return false };
        if self.server.scheme() != "https" {
            return true;
        }
        progress(Step::Tls);
        let trusted = self.step(reach::tls(self.server, stream)).await.is_some();
        self.note(|facts| facts.tls = path(trusted));
        trusted
    }

    /// Asks for three practice rooms, one for each way of media.
    async fn answer(&self) -> (TestPath, [Option<Access>; 3]) {
        let Ok(court) = Court::new(self.server) else {
            return (TestPath::Untested, [None, None, None]);
        };
        let first = self.practice(&court).await;
        let answered = match &first {
            Some(Ok(_) | Err(CourtError::Api(_))) => TestPath::Open,
            Some(Err(CourtError::Unreachable(_))) | None => TestPath::Closed,
        };
        self.note(|facts| {
            facts.answer = answered;
            // Through a proxy, where it was not tried by itself.
            if answered == TestPath::Open
                && self.server.scheme() == "https"
                && facts.tls == TestPath::Untested
            {
                facts.tls = TestPath::Open;
            }
        });
        let Some(Ok(first)) = first else {
            return (answered, [None, None, None]);
        };
        // The connection is open now: the way there is as long as the way back.
        let asked_ms = now_ms();
        let second = self.practice(&court).await;
        let middle_ms = asked_ms.midpoint(now_ms());
        let Some(Ok(second)) = second else {
            return (answered, [self.access(&first), None, None]);
        };
        let server_ms = i64::try_from(second.server_time.0).unwrap_or(i64::MAX);
        self.note(|facts| facts.skew_ms = Some(middle_ms.saturating_sub(server_ms)));
        let third = match self.practice(&court).await {
            Some(Ok(third)) => self.access(&third),
            _ => None,
        };
        (answered, [self.access(&first), self.access(&second), third])
    }

    async fn practice(&self, court: &Court) -> Option<Result<Practice, CourtError>> {
        self.step(async { Some(court.practice().await) }).await
    }

    fn access(&self, practice: &Practice) -> Option<Access> {
        let url = match practice.media.url.as_str() {
            "" => self.server.clone(),
            url => self.server.join(url).ok()?,
        };
        Some(Access {
            url,
            me: practice.media.token.clone(),
            mirror: practice.mirror.clone(),
        })
    }

    /// A practice room in which a packet has come back.
    async fn room(&self, access: Access, paths: Paths) -> Entered {
        match Room::open(&access, paths, self.limits.media, &self.tasks).await {
            Ok(room) => Entered::Open(Box::new(room)),
            Err(error) => {
                tracing::info!(%error, ?paths, "no media comes back");
                match error {
                    PracticeError::Late { has_path: true } => Entered::Slow,
                    _ => Entered::Blocked,
                }
            }
        }
    }

    async fn quality(&self, room: &mut Room, length: Duration) {
        let mut tally = Tally::default();
        if let Err(error) = room.mirror_sound(length, &mut tally).await {
            tracing::info!(%error, "media ended while its quality was measured");
        }
        self.note(|facts| {
            facts.rtt_ms = tally.round_trip_ms();
            facts.jitter_ms = tally.jitter_ms();
            facts.loss = tally.loss();
        });
    }

    async fn rates(&self, room: &mut Room) {
        let usual_loss = {
            let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
            facts.loss.unwrap_or(0.0)
        };
        let rates = room.ramp(usual_loss, self.end - CLOSING).await;
        self.note(|facts| {
            facts.up_bps = rates.up_bps;
            facts.down_bps = rates.down_bps;
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the self-test reads the wall clock, which is what it tests"
)]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
