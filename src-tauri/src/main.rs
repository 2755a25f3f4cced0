//! 明庭 on the desktop: starts the window and hands every question of the page to the crate `client`.
//!
//! Invariant: the only crate that knows Tauri. It decides nothing about a hearing, holds no hearing state of its own
//! beyond the session it was told to join, and loads no remote page.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod folders;
mod frames;
mod host;
mod journal;
mod link;
mod platform;
mod rehearsal;
mod shell;
mod window;

use clap::Parser;
use std::{io::IsTerminal, process::ExitCode};

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        // `--help` and `--version` come this way too.
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => return cannot_start(&error.to_string()),
    };
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cannot_start(&format!("{error:#}")),
    }
}

fn run(args: args::Args) -> anyhow::Result<()> {
    platform::prepare_environment()?;
    let _until_the_end = journal::open(folders::logs().as_deref(), args.log.as_deref());
    shell::run(args)
}

/// Says why there is no window: where the program was started from, or, started by a click, in a box of the system.
fn cannot_start(why: &str) -> ExitCode {
    tracing::error!(why, "cannot start");
    eprintln!("明庭: {why}");
    if !std::io::stderr().is_terminal() {
        let log = folders::logs().map_or_else(String::new, |folder| {
            format!("\n\n日志在：{}\n请把这段话告诉法院的技术人员。", folder.display())
        });
        rfd::MessageDialog::new()
            .set_level(rfd::MessageLevel::Error)
            .set_title("明庭不能启动")
            .set_description(format!("{}{log}", why.trim()))
            .show();
    }
    ExitCode::FAILURE
}
