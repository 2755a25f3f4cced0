//! `mingting-load`: synthetic publishers and receivers for `cargo xtask bench sfu`.
//!
//! Makes rooms of P publishers and R receivers on one media server (LiveKit signalling v1, or Janus VideoRoom), sends
//! the same H.264-shaped packets through each, and prints one JSON line: packets sent, packets received and the
//! CPU seconds of the server process in the measured window. It never judges; it counts what arrived.

mod janus;
mod livekit;
mod peer;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use peer::{Counters, Stream};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Which protocol the server speaks.
#[derive(Clone, Copy, ValueEnum)]
enum Target {
    /// LiveKit signalling v1: our SFU and livekit-server.
    Livekit,
    /// Janus VideoRoom over its WebSocket transport.
    Janus,
}

/// Drives synthetic publishers and receivers through a media server and counts packets.
#[derive(Parser)]
struct Args {
    /// What speaks at the other end
    #[arg(long)]
    target: Target,
    /// WebSocket address of the server
    #[arg(long)]
    url: String,
    /// Local address to send media from
    #[arg(long, default_value = "127.0.0.1")]
    local: IpAddr,
    /// LiveKit API key
    #[arg(long, default_value = "bench")]
    key: String,
    /// LiveKit API secret
    #[arg(long, default_value = "bench-secret-bench-secret-bench-secret")]
    secret: String,
    /// Rooms
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// Publishers in each room
    #[arg(long, default_value_t = 6)]
    publishers: usize,
    /// Receivers in each room
    #[arg(long, default_value_t = 6)]
    receivers: usize,
    /// Packets a second of each publisher
    #[arg(long, default_value_t = 300)]
    pps: u32,
    /// RTP payload bytes in each packet
    #[arg(long, default_value_t = 1100)]
    payload: usize,
    /// Length of the measured window
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Process whose CPU is measured
    #[arg(long)]
    server_pid: Option<u32>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let counters = Arc::new(Counters::default());
    let stream = Stream {
        packets_per_second: args.pps,
        payload: args.payload,
    };
    let mut joined = Vec::new();
    for room in 0..args.rooms {
        let name = format!("bench-{room}");
        match args.target {
            Target::Livekit => {
                let place = livekit::Place {
                    url: &args.url,
                    room: &name,
                    key: &args.key,
                    secret: &args.secret,
                };
                for i in 0..args.publishers {
                    joined.push(livekit::publish(&place, i, args.local, stream, counters.clone()).await?);
                }
                for i in 0..args.receivers {
                    joined.push(
                        livekit::receive(&place, i, args.publishers, args.local, counters.clone()).await?,
                    );
                }
            }
            Target::Janus => {
                let id = 1_000 + room as u64;
                janus::create_room(&args.url, id, args.publishers).await?;
                let mut feeds = Vec::new();
                for _ in 0..args.publishers {
                    let (peer, feed) =
                        janus::publish(&args.url, id, args.local, stream, counters.clone()).await?;
                    joined.push(peer);
                    feeds.push(feed);
                }
                for _ in 0..args.receivers {
                    joined.push(janus::receive(&args.url, id, &feeds, args.local, counters.clone()).await?);
                }
            }
        }
    }
    let expected = (args.rooms * args.publishers * args.receivers) as u64;
    wait_for_flow(&counters, expected).await?;

    let cpu_before = args.server_pid.map(cpu_seconds).transpose()?;
    let (sent_before, received_before) = (counters.sent.load(Relaxed), counters.received.load(Relaxed));
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    let (sent, received) = (
        counters.sent.load(Relaxed) - sent_before,
        counters.received.load(Relaxed) - received_before,
    );
    let cpu = match (args.server_pid, cpu_before) {
        (Some(pid), Some(before)) => Some(cpu_seconds(pid)? - before),
        _ => None,
    };
    let flows = counters.flows.load(Relaxed);
    ensure!(
        flows == expected,
        "{flows} streams arrived where {expected} were wanted"
    );
    let wanted = args.rooms as u64
        * args.publishers as u64
        * u64::from(args.pps)
        * args.receivers as u64
        * args.seconds;
    println!(
        "{}",
        serde_json::json!({
            "sent": sent, "received": received, "wanted": wanted, "seconds": args.seconds,
            "server_cpu_seconds": cpu,
            "received_per_cpu_second": cpu.filter(|c| *c > 0.0).map(|c| (received as f64 / c).round()),
        })
    );
    drop(joined);
    Ok(())
}

/// The window begins when every receiver has heard every publisher.
async fn wait_for_flow(counters: &Counters, expected: u64) -> Result<()> {
    tokio::time::timeout(Duration::from_secs(30), async {
        while counters.flows.load(Relaxed) < expected {
            counters.flow.notified().await;
        }
    })
    .await
    .with_context(|| format!("{} of {expected} streams arrived", counters.flows.load(Relaxed)))
}

/// User and system time of a process so far (proc(5), `stat` fields 14 and 15, in ticks of 1/100 s).
fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the server process is gone")?;
    let after_name = stat
        .rsplit_once(") ")
        .context("proc stat has a name in brackets")?
        .1;
    let field = |i: usize| -> Result<f64> {
        Ok(after_name
            .split(' ')
            .nth(i)
            .context("proc stat has 52 fields")?
            .parse::<f64>()?)
    };
    Ok((field(11)? + field(12)?) / 100.0)
}
