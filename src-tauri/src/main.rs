//! 明庭 on the desktop: starts the window and hands every question of the page to the crate `client`.
//!
//! Invariant: the only crate that knows Tauri. It decides nothing about a hearing, holds no hearing state of its own
//! beyond the session it was told to join, and loads no remote page.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod frames;
mod host;
mod link;
mod platform;
mod rehearsal;
mod shell;
mod window;

use clap::Parser;

fn main() -> anyhow::Result<()> {
    let args = args::Args::parse();
    platform::prepare_environment()?;
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MINGTING_LOG").unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    shell::run(args)
}
