//! The network part of 设备自检 against the real server, through lines that are fair, blocked, lossy or narrow.

use anyhow::{Context, Result};
use client::selftest::network::{Limits, Step, measure};
use protocol::{NetworkFacts, TestPath};
use scenarios::{
    SOON,
    court::{Court, Plan},
    relay::{self, RELAY_ADDRESS, Silence, TcpRelay, UdpRelay, Weather},
    skip, within,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;
use str0m_netem::{Bitrate, DataSize, NetemConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use TestPath::{Closed, Open, Untested};

/// Shorter than in life, to spare the time of who runs the tests.
fn limits() -> Limits {
    Limits {
        quality: Duration::from_secs(3),
        ..Limits::default()
    }
}

/// How the media ports are reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tcp {
    Passes,
    Silent,
    Closed,
}

/// A court whose media passes relays, which end with this.
struct Line {
    court: Court,
    _udp: UdpRelay,
    _tcp: Option<TcpRelay>,
    _silence: Option<Silence>,
}

impl Line {
    async fn open(weather: Weather, tcp: Tcp) -> Result<Self> {
        let court = Court::open(&Plan {
            advertise: Some(RELAY_ADDRESS),
            ..Plan::default()
        })
        .await?;
        let front = SocketAddr::new(RELAY_ADDRESS, court.tcp().port());
        Ok(Self {
            _udp: UdpRelay::start(court.udp(), weather).await?,
            _tcp: match tcp {
                Tcp::Passes => Some(TcpRelay::start(front, court.tcp()).await?),
                _ => None,
            },
            _silence: match tcp {
                Tcp::Silent => Some(Silence::start(front).await?),
                _ => None,
            },
            court,
        })
    }

    async fn measured(&self, limits: Limits) -> Result<NetworkFacts> {
        Ok(shown(measure(&self.court.url().parse()?, &limits, |_| {}).await))
    }
}

/// For whoever looks at a test that failed.
fn shown(facts: NetworkFacts) -> NetworkFacts {
    println!("{facts:?}");
    facts
}

fn can_relay() -> bool {
    if !cfg!(target_os = "linux") {
        skip("only Linux has 127.0.0.2 without being asked");
    }
    cfg!(target_os = "linux")
}

/// Everything before media, on a server without TLS.
fn reached(facts: &NetworkFacts) -> [TestPath; 5] {
    [facts.name, facts.reach, facts.tls, facts.answer, facts.channel]
}

const ALL_WELL: [TestPath; 5] = [Open, Open, Untested, Open, Open];

/// Waits until nobody is left in the media rooms, and no room.
async fn rooms_are_empty(court: &Court) -> Result<()> {
    let url = format!("{}/metrics", court.url());
    within(SOON, "the practice rooms end", async {
        loop {
            let counters = reqwest::get(&url).await?.text().await?;
            let is_zero = |name: &str| counters.contains(&format!("\nmingting_sfu_{name} 0\n"));
            if is_zero("rooms") && is_zero("participants") {
                return Ok(());
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_fair_line_everything_is_open_and_nothing_is_left_behind() -> Result<()> {
    let court = Court::open(&Plan::default()).await?;
    let server: Url = court.url().parse()?;
    let steps = Mutex::new(Vec::new());
    let began = Instant::now();
    let facts = measure(&server, &limits(), |step| {
        steps.lock().expect("no panic happens in between").push(step);
    })
    .await;
    let facts = shown(facts);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(reached(&facts), ALL_WELL, "{facts:?}");
    assert_eq!(
        (facts.udp, facts.tcp, facts.tunnel),
        (Open, Open, Open),
        "{facts:?}"
    );
    assert_eq!(facts.loss, Some(0.0), "{facts:?}");
    assert!(facts.rtt_ms.context("a round trip")? < 50.0, "{facts:?}");
    assert!(facts.jitter_ms.context("jitter")? < 20.0, "{facts:?}");
    // This machine's load decides how much more it is.
    assert!(facts.up_bps.context("a rate")? > 1_500_000, "{facts:?}");
    assert!(facts.down_bps.context("a rate")? > 1_000_000, "{facts:?}");
    assert!(
        facts.skew_ms.context("both clocks are one")?.abs() < 500,
        "{facts:?}"
    );
    assert_eq!(
        *steps.lock().expect("no panic happens in between"),
        [
            Step::Name,
            Step::Reach,
            Step::Answer,
            Step::Paths,
            Step::Quality,
            Step::Rates
        ]
    );
    rooms_are_empty(&court).await?;

    // One that is given up in the middle leaves nothing either.
    let (begun, begins) = tokio::sync::watch::channel(false);
    let limits = limits();
    let measuring = measure(&server, &limits, |step| {
        begun.send_if_modified(|begun| {
            *begun = step == Step::Quality;
            *begun
        });
    });
    let mut begins = begins;
    tokio::select! {
        facts = measuring => anyhow::bail!("it was not given up: {facts:?}"),
        begun = begins.wait_for(|begun| *begun) => drop(begun?),
    }
    rooms_are_empty(&court).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_blocked_or_lost_or_not_the_court_is_seen() -> Result<()> {
    if !can_relay() {
        return Ok(());
    }
    let without_udp = async {
        let line = Line::open(relay::dead(), Tcp::Passes).await?;
        let facts = line.measured(limits()).await?;
        assert_eq!(reached(&facts), ALL_WELL, "{facts:?}");
        assert_eq!((facts.udp, facts.tcp), (Closed, Open), "{facts:?}");
        assert!(facts.loss.context("measured over TCP")? < 0.02, "{facts:?}");
        assert!(facts.up_bps.is_some() && facts.down_bps.is_some(), "{facts:?}");
        anyhow::Ok(())
    };
    let without_tcp = async {
        let line = Line::open(Weather::fair(), Tcp::Silent).await?;
        let facts = line.measured(limits()).await?;
        assert_eq!(reached(&facts), ALL_WELL, "{facts:?}");
        assert_eq!((facts.udp, facts.tcp), (Open, Closed), "{facts:?}");
        assert_eq!(facts.loss, Some(0.0), "{facts:?}");
        anyhow::Ok(())
    };
    let without_media = async {
        for tcp in [Tcp::Silent, Tcp::Closed] {
            let line = Line::open(relay::dead(), tcp).await?;
            let began = Instant::now();
            let facts = line.measured(limits()).await?;
            assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
            assert_eq!(reached(&facts), ALL_WELL, "{facts:?}");
            // Where web pages pass, media passes inside one.
            assert_eq!(
                (facts.udp, facts.tcp, facts.tunnel),
                (Closed, Closed, Open),
                "{facts:?}"
            );
            assert!(facts.loss.context("measured in the tunnel")? < 0.02, "{facts:?}");
            assert!(facts.up_bps.is_some() && facts.down_bps.is_some(), "{facts:?}");
        }
        anyhow::Ok(())
    };
    let lossy = async {
        let line = Line::open(relay::random_loss(5, 0.1), Tcp::Passes).await?;
        let long = Limits {
            quality: Duration::from_secs(6),
            ..limits()
        };
        let facts = line.measured(long).await?;
        assert_eq!((facts.udp, facts.tcp), (Open, Open), "{facts:?}");
        // A tenth each way is 0.19 of both; four deviations of 300 packets.
        let loss = facts.loss.context("measured")?;
        assert!((0.10..0.28).contains(&loss), "{facts:?}");
        anyhow::Ok(())
    };
    let (one, two, three, four) = tokio::join!(without_udp, without_tcp, without_media, lossy);
    one.context("UDP is blocked")?;
    two.context("TCP is blocked")?;
    three.context("media is blocked")?;
    four.context("a tenth is lost")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_line_is_measured_in_the_direction_in_which_it_is_narrow() -> Result<()> {
    if !can_relay() {
        return Ok(());
    }
    let wide = NetemConfig::new();
    let narrow = wide.link(Bitrate::mbps(1), DataSize::kbytes(60)).seed(3);
    let measured = async |up, down| {
        let line = Line::open(Weather { up, down }, Tcp::Passes).await?;
        let facts = line.measured(limits()).await?;
        assert_eq!(facts.udp, Open, "{facts:?}");
        let loss = facts.loss.context("measured")?;
        assert!(loss < 0.02, "it has room for what is sent at first: {facts:?}");
        anyhow::Ok((facts.up_bps.context("a rate")?, facts.down_bps.context("a rate")?))
    };
    let (upwards, _) = measured(narrow, wide).await?;
    assert!((800_000..1_100_000).contains(&upwards), "{upwards}");
    let (upwards, downwards) = measured(wide, narrow).await?;
    assert!((700_000..1_100_000).contains(&downwards), "{downwards}");
    assert!(upwards > 1_500_000, "{upwards}");
    Ok(())
}

/// A web server that knows nothing of courts: every request gets the same page.
async fn a_web_page() -> Result<(SocketAddr, JoinSet<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut request = [0; 2_048];
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\nconnection: close\r\n\r\n\
                          <html></html>";
            // Whoever comes and goes without asking gets no page.
            if client.read(&mut request).await.is_ok_and(|length| length > 0) {
                let _gone = client.write_all(answer.as_bytes()).await;
            }
        }
    });
    Ok((address, tasks))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_courts_server_is_told_apart_in_bounded_time() -> Result<()> {
    let ask = async |scheme: &str, address: SocketAddr| {
        let server: Url = format!("{scheme}://{address}").parse()?;
        let began = Instant::now();
        let facts = measure(&server, &limits(), |_| {}).await;
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        anyhow::Ok(shown(facts))
    };
    let (web, _page) = a_web_page().await?;
    let silence = Silence::start((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let nobody = {
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        gone.local_addr()?
    };
    let (page, without_tls, silent, silent_tls, closed) = tokio::join!(
        ask("http", web),
        ask("https", web),
        ask("http", silence.address()),
        ask("https", silence.address()),
        ask("http", nobody),
    );
    for (what, facts, expected) in [
        ("a web page", page?, [Open, Open, Untested, Closed, Untested]),
        (
            "a page without TLS",
            without_tls?,
            [Open, Open, Closed, Untested, Untested],
        ),
        ("silence", silent?, [Open, Open, Untested, Closed, Untested]),
        (
            "silence instead of TLS",
            silent_tls?,
            [Open, Open, Closed, Untested, Untested],
        ),
        ("nobody", closed?, [Open, Closed, Untested, Untested, Untested]),
    ] {
        assert_eq!(reached(&facts), expected, "{what}: {facts:?}");
        assert_eq!((facts.udp, facts.tcp), (Untested, Untested), "{what}: {facts:?}");
    }
    Ok(())
}
