//! `mingting-participant`: a participant without a window. It takes a seat by code, or enters any LiveKit room, with
//! synthetic or real devices, watches and measures what it gets, and reports as JSON.
//!
//! `selftest` measures this machine and its line to the court instead.
//!
//! Logs go to stderr and hold no names, codes or words; stdout is for JSON lines (`--drive`).

mod args;
mod drive;
mod hearing;
mod report;
mod selftest;
mod watch;

use args::{Args, Instead};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = Args::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "error,client=info,mingting_participant=info,media=warn".into()),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    let status = match args.instead.take() {
        Some(Instead::Selftest(selftest)) => runtime.block_on(selftest::run(selftest)),
        None => runtime.block_on(drive::run(args)),
    };
    // A blocked device thread must not keep the program alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ExitCode::from(status)
}
