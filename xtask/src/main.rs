//! `cargo xtask`: everything that is done to this repository, from an empty machine to the closing line of the tests.
//!
//! Invariant: builds with a Rust toolchain alone, since it is what installs the rest; it never starts a hearing itself
//! (that is the package `scenarios`).

mod bench;
mod check;
mod codegen;
mod demo;
mod process;
mod setup;
mod test;
mod tidy;

use clap::Parser;
use std::process::ExitCode;

/// What can be done.
#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set up, run, test and check 明庭")]
enum Task {
    /// Install what is missing: system packages, npm packages, Python peers, livekit-server.
    Setup(setup::Args),
    /// Run a hearing with players beside you, or headless with a report.
    Demo(demo::Args),
    /// Run every check and test; the last line counts them.
    Test(test::Args),
    /// Write ui/src/wire/generated.ts from the crate protocol.
    Codegen {
        /// Only compare; fail when the file is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Check what compilers do not: edges between crates, module docs, lengths, imports, the wire's description.
    Tidy,
    /// Compile the client for another system.
    Check(check::Args),
    /// Measure, beside the peers, and write docs/performance.md.
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Setup(args) => setup::run(&args),
        Task::Demo(args) => demo::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Codegen { check } => codegen::run(check),
        Task::Tidy => tidy::run(),
        Task::Check(args) => check::run(&args),
        Task::Bench(args) => bench::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
