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
mod selftest;
mod settings;
mod shell;
mod window;

use clap::Parser;
use std::{
    io::IsTerminal,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// Set once the person has something to look at; until then only a box can tell them why there is nothing.
static THERE_IS_A_WINDOW: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let args = args::Args::try_parse();
    let level = args.as_ref().ok().and_then(|args| args.log.as_deref());
    let _until_the_end = journal::open(folders::logs().as_deref(), level);
    // Tauri panics where its own start fails.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        cannot_go_on(&panic.to_string());
    }));
    let ended = match args {
        Ok(args) => run(args).map_err(|error| format!("{error:#}")),
        // `--help` and `--version` come this way too.
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            cannot_go_on(&why);
            ExitCode::FAILURE
        }
    }
}

fn run(args: args::Args) -> anyhow::Result<()> {
    platform::prepare_environment()?;
    shell::run(args)
}

/// Says why in the log and, where somebody clicked and no window came, in a box of the system.
fn cannot_go_on(why: &str) {
    let why = why.trim();
    tracing::error!("{why}");
    if THERE_IS_A_WINDOW.load(Relaxed) || std::io::stderr().is_terminal() || !platform::can_show_a_box() {
        return;
    }
    let log = folders::logs().map_or_else(String::new, |folder| {
        format!("\n\n日志在：{}\n请把这段话告诉法院的技术人员。", folder.display())
    });
    rfd::MessageDialog::new()
        .set_level(rfd::MessageLevel::Error)
        .set_title("明庭无法启动")
        .set_description(format!("{why}{log}"))
        .show();
}
