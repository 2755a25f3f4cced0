//! `cargo xtask demo`: builds what the demo needs and starts it. The hearing and its players are the program
//! `mingting-demo` of the package `scenarios`.

use crate::{
    process::{self, built, npm, root},
    setup::{self, Need},
};
use anyhow::{Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Without a window: the newcomer is a player too.
    #[arg(long)]
    headless: bool,
    /// End after so many seconds; without it the demo runs until the window is closed or Ctrl-C.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u32>,
    /// Where the JSON report goes (headless).
    #[arg(long, value_name = "FILE", requires = "headless")]
    report: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if !args.headless && !there_is_a_display() {
        bail!("there is no display here: `cargo xtask demo --headless`, or `xvfb-run -a cargo xtask demo`");
    }
    setup::ensure(Need::Demo)?;
    build_page()?;
    process::run(&mut process::build_programs())?;
    let mut demo = Command::new(built("mingting-demo"));
    demo.env("MINGTING_BIN", process::target().join("debug"))
        .arg("--ui")
        .arg(root().join("ui/dist"));
    if args.headless {
        demo.arg("--headless");
    }
    if let Some(seconds) = args.seconds {
        demo.args(["--for", &seconds.to_string()]);
    }
    if let Some(report) = &args.report {
        demo.arg("--report").arg(report);
    }
    process::run(&mut demo)
}

fn there_is_a_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|display| !display.is_empty()))
}

/// Builds the page when any of its sources is newer than what was built.
pub(crate) fn build_page() -> Result<()> {
    let built = modified(&root().join("ui/dist/index.html"));
    let newest = [
        "src",
        "public",
        "index.html",
        "package-lock.json",
        "vite.config.ts",
    ]
    .iter()
    .filter_map(|part| newest(&root().join("ui").join(part)))
    .max();
    if built.is_none() || newest > built {
        process::run(npm("ui").args(["run", "build"]))?;
    }
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn newest(path: &Path) -> Option<SystemTime> {
    let inside = fs::read_dir(path)
        .ok()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| newest(&entry.path()));
    inside.chain(modified(path)).max()
}
