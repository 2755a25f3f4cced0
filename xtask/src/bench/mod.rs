//! `cargo xtask bench NAME`: measures 明庭 beside its peers in one run, prints the ratios, and writes them down.
//!
//! Figures go to `docs/performance.md` (one section per bench, with the command) and `target/bench/NAME.json`.
//! Nothing here is a gate: a slow machine fails no test.

mod report;
mod sfu;

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
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.name {
        Name::Sfu => sfu::run(args.rounds),
    }
}
