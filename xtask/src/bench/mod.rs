//! `cargo xtask bench NAME`: measures 明庭 beside its peers in one run, prints the ratios, and writes them down.
//!
//! Figures go to `docs/performance.md` (one section per bench, with the command) and `target/bench/NAME.json`.
//! Nothing here is a gate: a slow machine fails no test.

mod client;
mod report;
mod sfu;

use crate::{
    demo::build_page,
    process::{self, cargo},
    setup::{self, Need},
};
use anyhow::Result;
use clap::ValueEnum;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What is measured.
    #[arg(value_enum)]
    name: Name,
    /// Rounds in which ours and the peers alternate; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Packets that the SFU forwards per second of CPU, beside livekit-server and Janus.
    Sfu,
    /// CPU and memory of the desktop client in a hearing of six, beside Chromium with livekit-client.
    Client,
    /// From the code to the first picture of somebody else.
    Join,
    /// From the camera to the glass.
    Latency,
    /// Frozen pictures and concealed sound when 20 % of all packets are lost both ways.
    Loss,
    /// All of them, one after the other.
    All,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Need::Bench)?;
    build_page()?;
    // The whole workspace, as everywhere: features of dependencies follow from the packages that are selected.
    process::run(cargo().args(["build", "--release", "--workspace", "--bins"]))?;
    let rounds = args.rounds;
    match args.name {
        Name::Sfu => sfu::run(rounds),
        Name::Client => client::run(&client::CLIENT, rounds),
        Name::Join => client::run(&client::JOIN, rounds),
        Name::Latency => client::run(&client::LATENCY, rounds),
        Name::Loss => client::run(&client::LOSS, rounds),
        Name::All => {
            sfu::run(rounds)?;
            client::ALL
                .iter()
                .try_for_each(|bench| client::run(bench, rounds))
        }
    }
}
