//! `mingting-bench`: 明庭's client and Chromium with livekit-client, one after the other in the same kind of hearing, for
//! `cargo xtask bench`.
//!
//! Prints one JSON line for each measurement and never judges; a measurement in which no picture came is an error and
//! no figure.

mod chromium;
mod client;
mod cost;
mod glass;
mod hearing;
mod join;
mod latency;
mod loss;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use std::process::ExitCode;

/// Measures the client beside Chromium.
#[derive(Parser)]
struct Args {
    /// What is measured
    #[arg(value_enum)]
    name: Name,
    /// Rounds in which ours and the browser alternate
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// CPU and memory in a hearing of six
    Client,
    /// From the code to the first picture of somebody else
    Join,
    /// From the camera to the glass
    Latency,
    /// 20 % of all packets lost both ways
    Loss,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let measured = async {
        match args.name {
            Name::Client => client::run(args.rounds).await,
            Name::Join => join::run(args.rounds).await,
            Name::Latency => latency::run(args.rounds).await,
            Name::Loss => loss::run(args.rounds).await,
        }
    };
    // What was started is dropped, and so ended by its id, whichever way this ends.
    let ended: Result<()> = tokio::select! {
        ended = measured => ended,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints one measurement.
fn say(peer: &str, round: usize, mut figures: serde_json::Value) {
    figures["peer"] = peer.into();
    figures["round"] = round.into();
    println!("{figures}");
}

/// The name of our side in the output.
const OURS: &str = "mingting";
/// The name of the other side in the output.
const CHROMIUM: &str = "chromium";

/// The value below which `share` of the values lie.
fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share * last as f64).round() as usize).copied()
}
