//! `cargo xtask bench NAME`: measures beside the peers.
use anyhow::{Result, bail};
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which.
    name: String,
}
pub(crate) fn run(args: &Args) -> Result<()> {
    bail!("there is no bench {:?}", args.name)
}
