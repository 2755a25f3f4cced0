//! `cargo xtask check windows|macos`: the client for the other systems, compiled on Linux.
//!
//! Debian's rustc and cargo are used, since the source of the standard library beside them has their version; that source is
//! compiled along (`-Zbuild-std`). Linking for macOS needs a Mac, so macOS is type-checked only.

use crate::{
    demo,
    process::{self, root, run_logged, target},
    setup::{self, Need},
};
use anyhow::{Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MACOS: &str = "aarch64-apple-darwin";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which.
    #[arg(value_enum)]
    platform: Platform,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Platform {
    Windows,
    Macos,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("this check cross-compiles on Linux; here, `cargo check --workspace` does it");
    }
    setup::ensure(Need::Cross)?;
    match args.platform {
        Platform::Windows => windows_for_wine(None),
        Platform::Macos => macos(None),
    }
}

/// Builds the desktop client and the participant for Windows into [`windows_folder`]. Building both costs less than to
/// type-check the one and build the other: what they share is read once.
pub(crate) fn windows(log: Option<&Path>) -> Result<()> {
    demo::build_page()?;
    let mut build = debian_cargo("build", WINDOWS);
    // The camera crate is also made into a DLL. Binutils export every symbol of a DLL that names none, and no DLL can export
    // the more than 65,535 symbols that are in this one.
    build.arg("--bins").env(
        "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS",
        "-Clink-arg=-Wl,--exclude-all-symbols",
    );
    go(&mut build, log)
}

/// Does what [`windows`] does, and puts beside the programs what Wine needs to run the participant.
pub(crate) fn windows_for_wine(log: Option<&Path>) -> Result<()> {
    windows(log)?;
    for stand_in in ["bcryptprimitives", "coremessaging"] {
        let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
        compiler
            .args(["-shared", "-O1", "-o"])
            .arg(windows_folder().join(stand_in).with_extension("dll"))
            .arg(root().join("xtask/cross").join(stand_in).with_extension("c"))
            .arg("-ladvapi32");
        go(&mut compiler, log)?;
    }
    // The C++ runtime that OpenH264 links lies with the compiler.
    let output = Command::new("x86_64-w64-mingw32-g++")
        .arg("-print-file-name=libstdc++-6.dll")
        .output()?;
    let runtime = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    for library in ["libstdc++-6.dll", "libgcc_s_seh-1.dll", "libssp-0.dll"] {
        let found = runtime.with_file_name(library);
        if found.exists() {
            fs::copy(&found, windows_folder().join(library))?;
        }
    }
    Ok(())
}

/// Where the Windows programs are.
pub(crate) fn windows_folder() -> PathBuf {
    cross_target().join(WINDOWS).join("debug")
}

/// Type-checks the desktop client and the participant for macOS.
pub(crate) fn macos(log: Option<&Path>) -> Result<()> {
    demo::build_page()?;
    let tool = |name: &str| root().join("xtask/cross").join(name);
    let sdk = cross_target().join("no-sdk");
    fs::create_dir_all(&sdk)?;
    let mut check = debian_cargo("check", MACOS);
    check
        .arg("--bins")
        .env("MINGTING_PYTHON", setup::python_in_venv())
        .env("CC_aarch64_apple_darwin", tool("zig-cc"))
        .env("CXX_aarch64_apple_darwin", tool("zig-c++"))
        .env("AR_aarch64_apple_darwin", tool("zig-ar"))
        // Build scripts ask for Apple's SDK only to pass its folder on; zig has the headers that matter.
        .env("SDKROOT", sdk)
        .env("MACOSX_DEPLOYMENT_TARGET", "11.0");
    go(&mut check, log)
}

fn cross_target() -> PathBuf {
    target().join("cross")
}

fn debian_cargo(verb: &str, triple: &str) -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    command
        .current_dir(root())
        .args([
            verb,
            "-Zbuild-std=std,panic_unwind",
            "--target",
            triple,
            "--target-dir",
        ])
        .arg(cross_target())
        // Always both packages: the features of what they share, and so what has to be compiled, depend on it.
        .args(["-p", "client", "-p", "mingting"])
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        // What must keep time is optimised all the same: Cargo.toml names those packages.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .env("CARGO_INCREMENTAL", "0");
    for name in [
        "CARGO",
        "RUSTUP_TOOLCHAIN",
        "RUSTUP_HOME",
        "CARGO_MANIFEST_DIR",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        command.env_remove(name);
    }
    command
}

fn go(command: &mut Command, log: Option<&Path>) -> Result<()> {
    match log {
        Some(log) => run_logged(command, log),
        None => process::run(command),
    }
}
