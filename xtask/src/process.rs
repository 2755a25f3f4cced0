//! Running other programs: echoed, timed, and with their output in a log where a lane wants it.
//!
//! Never runs a shell: every argument is one argument.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The repository.
pub(crate) fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask
        .parent()
        .map(Path::to_path_buf)
        .expect("xtask lies in the repository")
}

/// What builds and tests leave behind. Absolute, since the programs started here have folders of their own.
pub(crate) fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    std::path::absolute(&chosen).unwrap_or(chosen)
}

/// A program that cargo has built in the default profile.
pub(crate) fn built(name: &str) -> PathBuf {
    target()
        .join("debug")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Cargo, as it was called.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // Set by `cargo run` for this program alone; a build that sees them would differ from one that does not.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    // An error's backtrace names the harness and pushes its sentence out of what a lane prints of its log.
    command.env("RUST_LIB_BACKTRACE", "0");
    command
}

/// Builds every program. Always the whole workspace: cargo chooses the features of dependencies by the packages that are
/// selected, so that building packages one by one would compile much of the same code again.
pub(crate) fn build_programs() -> Command {
    let mut command = cargo();
    command.args(["build", "--workspace", "--bins"]);
    command
}

/// npm in a folder of the repository.
pub(crate) fn npm(folder: &str) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(root().join(folder));
    command
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let mut words = vec![
        Path::new(command.get_program())
            .file_name()
            .unwrap_or_default()
            .to_string_lossy(),
    ];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy()));
    words.join(" ")
}

/// Runs a command in the foreground.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command with everything it prints appended to `log`.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    use std::io::Write;
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .context("cannot write the log")?;
    writeln!(file, "$ {}", shown(command))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// What a command prints, if it can be run and succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True when a program can be found and answers.
pub(crate) fn there_is(program: &str, ask: &str) -> bool {
    output(Command::new(program).arg(ask)).is_some()
}

/// Time that has passed since it was made.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the one clock of this program")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "the one clock of this program")]
    pub(crate) fn read(self) -> Duration {
        Instant::now() - self.0
    }
}

/// An empty folder for a lane's or a demo's files, under the target folder.
pub(crate) fn fresh_folder(name: &str) -> Result<PathBuf> {
    let folder = target().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {name}"))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {name}"))?;
    Ok(folder)
}
