//! The lanes of `cargo xtask test`, as one table.

use super::Ran;
use crate::{
    check, codegen, demo,
    process::{build_programs, cargo, npm, run_logged, target},
    setup::{self, Need},
    tidy,
};
use anyhow::Result;
use std::path::Path;

/// One lane.
pub(crate) struct Lane {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) need: Need,
    /// Part of `--fast`.
    pub(crate) fast: bool,
    /// Part of `--devices`.
    pub(crate) devices: bool,
    /// `unit` runs the same tests.
    pub(crate) in_unit: bool,
    pub(crate) work: fn(&Path) -> Result<Ran>,
}

/// Tests of the package `scenarios` that need the real programs and nothing to look at.
const SCENARIOS: &[&str] = &[
    "hearing", "court", "hostile", "trouble", "selftest", "practice", "interop", "logs",
];

/// In the order in which they run. Whatever compiles the desktop shell, which embeds the page, sees to it that the page is
/// built, so that each lane also runs alone and after another has failed.
pub(crate) const LANES: &[Lane] = &[
    lane("fmt", "Rust is formatted", Need::Build, true, fmt),
    lane("tidy", "rules that no compiler checks", Need::Build, true, |_| {
        tidy::run().map(|()| Ran::Whole)
    }),
    lane(
        "codegen",
        "the page's wire types are up to date",
        Need::Build,
        true,
        |_| codegen::run(true).map(|()| Ran::Whole),
    ),
    lane("ui", "the page: lint, types, tests, build", Need::Build, true, ui),
    lane("clippy", "lints of all packages", Need::Build, true, clippy),
    lane("unit", "tests inside the packages", Need::Build, true, unit),
    lane(
        "scenarios",
        "real server, real participants, other people's clients",
        Need::Test,
        false,
        scenarios,
    ),
    lane(
        "browser",
        "the page in Chromium beside native participants",
        Need::Test,
        false,
        browser,
    ),
    lane("window", "the desktop window", Need::Test, false, window),
    Lane {
        name: "sound",
        about: "capture and playback through PulseAudio null sinks",
        need: Need::Test,
        fast: false,
        devices: true,
        in_unit: true,
        work: sound,
    },
    Lane {
        name: "kernel",
        about: "the self-test with camera, sound card and line of a kernel in qemu",
        need: Need::Kernel,
        fast: false,
        devices: true,
        in_unit: false,
        work: kernel,
    },
    lane(
        "windows",
        "the client builds for Windows",
        Need::Cross,
        false,
        windows,
    ),
    lane(
        "wine",
        "the Windows participant in a hearing under Wine",
        Need::Cross,
        false,
        wine,
    ),
    lane(
        "macos",
        "the client type-checks for macOS",
        Need::Cross,
        false,
        macos,
    ),
    lane("fuzz", "the fuzz targets compile", Need::Build, false, fuzz),
];

const fn lane(
    name: &'static str,
    about: &'static str,
    need: Need,
    fast: bool,
    work: fn(&Path) -> Result<Ran>,
) -> Lane {
    Lane {
        name,
        about,
        need,
        fast,
        devices: false,
        in_unit: false,
        work,
    }
}

fn fmt(log: &Path) -> Result<Ran> {
    run_logged(cargo().args(["fmt", "--all", "--check"]), log)?;
    Ok(Ran::Whole)
}

fn ui(log: &Path) -> Result<Ran> {
    for script in ["lint", "check", "test", "build"] {
        run_logged(npm("ui").args(["run", script]), log)?;
    }
    Ok(Ran::Whole)
}

fn clippy(log: &Path) -> Result<Ran> {
    demo::build_page()?;
    let mut command = cargo();
    command.args(["clippy", "--workspace", "--all-targets"]);
    // `--all-targets` leaves out tests that `cargo test` alone does not run (`test = false`).
    for test in SCENARIOS.iter().chain(&["browser", "window", "wine", "kernel"]) {
        command.args(["--test", test]);
    }
    run_logged(command.args(["--", "-D", "warnings"]), log)?;
    Ok(Ran::Whole)
}

fn unit(log: &Path) -> Result<Ran> {
    demo::build_page()?;
    run_logged(cargo().args(["test", "--workspace"]), log)?;
    Ok(Ran::Whole)
}

/// Runs tests of the package `scenarios` against the programs that they start.
fn scenario_tests(tests: &[&str], log: &Path) -> Result<()> {
    demo::build_page()?;
    run_logged(&mut build_programs(), log)?;
    let mut command = cargo();
    command.args(["test", "--workspace"]);
    for test in tests {
        command.args(["--test", test]);
    }
    // One at a time: each scenario is several programs that keep time.
    command.args(["--", "--test-threads=1"]);
    command
        .env("MINGTING_BIN", target().join("debug"))
        .env("MINGTING_SHOW_LOGS", "1")
        .env("MINGTING_PYTHON", setup::python_in_venv())
        .env("MINGTING_WINDOWS_BIN", check::windows_folder());
    if tests.contains(&"kernel")
        && let Some(kernel) = setup::kernel_if_possible()
    {
        command.env("MINGTING_KERNEL", kernel);
    }
    if tests.contains(&"interop")
        && let Some(server) = setup::livekit_server_if_possible()
    {
        command.env("MINGTING_LIVEKIT_SERVER", server);
    }
    run_logged(&mut command, log)
}

fn scenarios(log: &Path) -> Result<Ran> {
    scenario_tests(SCENARIOS, log)?;
    Ok(Ran::Whole)
}

fn browser(log: &Path) -> Result<Ran> {
    scenario_tests(&["browser"], log)?;
    Ok(Ran::Whole)
}

fn window(log: &Path) -> Result<Ran> {
    if !cfg!(target_os = "linux") {
        return Ok(Ran::Skipped("the window is driven under Xvfb, on Linux"));
    }
    scenario_tests(&["window"], log)?;
    Ok(Ran::Whole)
}

fn sound(log: &Path) -> Result<Ran> {
    if !cfg!(target_os = "linux") {
        return Ok(Ran::Skipped("null sinks are PulseAudio's"));
    }
    demo::build_page()?;
    run_logged(cargo().args(["test", "--workspace", "--test", "pulse"]), log)?;
    Ok(Ran::Whole)
}

fn kernel(log: &Path) -> Result<Ran> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Ran::Skipped("the kernel is Debian's for x86-64"));
    }
    scenario_tests(&["kernel"], log)?;
    Ok(Ran::Whole)
}

fn windows(log: &Path) -> Result<Ran> {
    if !cfg!(target_os = "linux") {
        return Ok(Ran::Skipped("this check cross-compiles on Linux"));
    }
    check::windows(Some(log))?;
    Ok(Ran::Whole)
}

fn wine(log: &Path) -> Result<Ran> {
    if !cfg!(target_os = "linux") {
        return Ok(Ran::Skipped("Wine runs it on Linux; here, the scenarios do"));
    }
    check::windows_for_wine(Some(log))?;
    scenario_tests(&["wine"], log)?;
    Ok(Ran::Whole)
}

fn macos(log: &Path) -> Result<Ran> {
    if !cfg!(target_os = "linux") {
        return Ok(Ran::Skipped("this check cross-compiles on Linux"));
    }
    check::macos(Some(log))?;
    Ok(Ran::Whole)
}

/// Fuzzing wants a nightly compiler and hours; that its targets still fit what they feed, any compiler can say.
fn fuzz(log: &Path) -> Result<Ran> {
    let mut check = cargo();
    check.args([
        "check",
        "--locked",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target-dir",
    ]);
    run_logged(check.arg(target().join("fuzz")), log)?;
    Ok(Ran::Whole)
}
