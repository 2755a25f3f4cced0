//! `cargo xtask setup`: what a fresh machine lacks. Idempotent and quick when nothing is missing; the demo and the tests
//! begin with it.
//!
//! Never upgrades or removes anything, and never asks for a password: without root it prints the command.

mod packages;

use crate::process::{self, npm, output, root, there_is};
use anyhow::{Context, Result, bail};
use packages::PACKAGES;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The livekit-server that the tests of interoperability run against; later tags do not `go install`.
const LIVEKIT_SERVER: &str = "github.com/livekit/livekit-server/cmd/server@v1.13.5";
/// The kernel whose devices are tested with.
const KERNEL: &str = "linux-image-amd64";
const NODE_MAJOR: u32 = 20;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// For what.
    #[arg(long = "for", value_enum, default_value = "cross")]
    need: Need,
    /// Print the packages and what each is for.
    #[arg(long)]
    list: bool,
}

/// For what the machine is set up; each includes those before it, but that the benches need neither another kernel nor
/// other compilers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Need {
    /// Compile for this machine.
    Build,
    /// Run the demo.
    Demo,
    /// Run the tests.
    Test,
    /// Also run the tests with devices of a kernel in qemu.
    Kernel,
    /// Also compile for Windows and macOS.
    Cross,
    /// Also run the benches beside their peers.
    Bench,
}

impl Need {
    fn includes(self, other: Self) -> bool {
        other <= self && (self != Self::Bench || !matches!(other, Self::Kernel | Self::Cross))
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for package in PACKAGES {
            println!("{:26} {}", package.name, package.why);
        }
        return Ok(());
    }
    ensure(args.need)?;
    if args.need >= Need::Test {
        livekit_server_if_possible();
    }
    if args.need.includes(Need::Kernel) {
        kernel_if_possible();
    }
    eprintln!("setup: everything is here");
    Ok(())
}

/// Makes the machine fit for `need`, or says what is missing.
pub(crate) fn ensure(need: Need) -> Result<()> {
    if cfg!(target_os = "linux") {
        system_packages(need)?;
    } else {
        elsewhere()?;
    }
    node()?;
    node_packages("ui")?;
    if need >= Need::Test {
        node_packages("tests/e2e")?;
        python_packages("peers")?;
    }
    if need == Need::Cross && cfg!(target_os = "linux") {
        python_packages("cross")?;
    }
    Ok(())
}

fn system_packages(need: Need) -> Result<()> {
    if !there_is("dpkg-query", "--version") {
        eprintln!(
            "setup: this is not Debian; install the like of these (`cargo xtask setup --list` says why):"
        );
        eprintln!(
            "  {}",
            names(PACKAGES.iter().filter(|p| need.includes(p.need)).map(|p| p.name))
        );
        return Ok(());
    }
    let mut missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|p| need.includes(p.need) && !installed(p.name))
        .map(|p| p.name)
        .collect();
    if need >= Need::Test && !there_is_venv() {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let install = format!(
        "apt-get install --yes --no-install-recommends {}",
        names(missing.iter().copied())
    );
    if output(Command::new("id").arg("-u")).is_none_or(|uid| uid.trim() != "0") {
        bail!("packages are missing; run this, then the same command again:\n\n  sudo {install}\n");
    }
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(args);
        command
    };
    let mut args = vec!["install", "--yes", "--no-install-recommends"];
    args.extend(&missing);
    // The lists on the machine may be missing or too old for the mirror: only then are they fetched.
    if process::run(&mut apt(&args)).is_ok() {
        return Ok(());
    }
    process::run(&mut apt(&["update"]))?;
    process::run(&mut apt(&args))
        .with_context(|| format!("cannot install packages; the command was\n  {install}"))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

fn installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]))
        .is_some_and(|status| status == "installed")
}

/// Debian's Python comes without `venv`; others have it.
fn there_is_venv() -> bool {
    output(Command::new(python()).args(["-c", "import ensurepip, venv"])).is_some()
}

/// Where nothing is installed for the person: names what is missing and how to get it. The compiler is not asked for, since
/// it has just built this program.
fn elsewhere() -> Result<()> {
    let nasm: &[(&str, &str, &str)] = match (cfg!(windows), cfg!(target_arch = "x86_64")) {
        (_, false) => &[],
        (true, true) => &[(
            "nasm",
            "-v",
            "NASM: `winget install NASM.NASM`, and put it on the PATH",
        )],
        (false, true) => &[("nasm", "-v", "NASM: `brew install nasm`")],
    };
    let others: &[(&str, &str, &str)] = if cfg!(windows) {
        &[
            ("cmake", "--version", "CMake: `winget install Kitware.CMake`"),
            (
                "espeak-ng",
                "--version",
                "espeak-ng, for the demo: `winget install eSpeak-NG.eSpeak-NG`, and put it on the PATH",
            ),
            (
                "python",
                "--version",
                "Python 3: `winget install Python.Python.3.12`",
            ),
        ]
    } else {
        &[
            ("cmake", "--version", "CMake: `brew install cmake`"),
            (
                "espeak-ng",
                "--version",
                "espeak-ng, for the demo: `brew install espeak-ng`",
            ),
            ("python3", "--version", "Python 3: `brew install python`"),
        ]
    };
    let missing: Vec<_> = nasm
        .iter()
        .chain(others)
        .filter(|(program, ask, _)| !there_is(program, ask))
        .collect();
    for (_, _, how) in &missing {
        eprintln!("setup: missing: {how}");
    }
    if missing.is_empty() {
        Ok(())
    } else {
        bail!("install what is missing, then run the same command again")
    }
}

fn node() -> Result<()> {
    let version = output(Command::new("node").arg("--version")).unwrap_or_default();
    let major: u32 = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .unwrap_or(0);
    if major < NODE_MAJOR {
        bail!(
            "Node {NODE_MAJOR} or later is needed, found {:?}; see https://nodejs.org",
            version.trim()
        );
    }
    Ok(())
}

/// Installs from the lock file when it differs from the one that was installed last.
fn node_packages(folder: &str) -> Result<()> {
    let lock = root().join(folder).join("package-lock.json");
    if !lock.exists() {
        return Ok(());
    }
    let stamp = root().join(folder).join("node_modules/.installed-lock");
    once(&lock, &stamp, || {
        process::run(npm(folder).args(["ci", "--no-audit", "--no-fund"]))
    })
}

/// The Python with the peers and tools of the tests.
pub(crate) fn python_in_venv() -> PathBuf {
    let bin = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python3"
    };
    process::target().join("python").join(bin)
}

fn python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

fn python_packages(list: &str) -> Result<()> {
    let wanted = root().join(format!("tests/python/{list}.txt"));
    let venv = process::target().join("python");
    once(&wanted, &venv.join(format!("{list}.installed")), || {
        if !python_in_venv().exists() {
            process::run(Command::new(python()).args(["-m", "venv"]).arg(&venv))?;
        }
        process::run(
            Command::new(python_in_venv())
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(&wanted),
        )
    })
}

/// The real livekit-server, when it is here or Go can build it; `None` when there is no Go.
pub(crate) fn livekit_server() -> Result<Option<PathBuf>> {
    let tools = process::target().join("tools");
    // `go install` names a program after its folder.
    let program = tools.join(format!("server{}", std::env::consts::EXE_SUFFIX));
    if program.exists() {
        return Ok(Some(program));
    }
    if !there_is("go", "version") {
        eprintln!("setup: no Go here, so nothing is tested against the real livekit-server");
        return Ok(None);
    }
    process::run(
        Command::new("go")
            .env("GOBIN", &tools)
            .args(["install", LIVEKIT_SERVER]),
    )
    .context("this Go cannot build livekit-server; Debian's is too old")?;
    Ok(Some(program))
}

/// As [`livekit_server`], where the tests can do without.
pub(crate) fn livekit_server_if_possible() -> Option<PathBuf> {
    livekit_server().unwrap_or_else(|error| {
        eprintln!("setup: nothing is tested against the real livekit-server: {error:#}");
        None
    })
}

/// Debian's kernel with its modules, unpacked and not installed; `None` where apt cannot fetch it or qemu would not run it.
pub(crate) fn kernel_if_possible() -> Option<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) || !there_is("apt-get", "--version") {
        return None;
    }
    kernel()
        .inspect_err(|error| eprintln!("setup: nothing is tested with devices of a kernel: {error:#}"))
        .ok()
}

/// The package of the newest kernel: that of [`KERNEL`] itself has no files, and depends on it.
fn newest_kernel() -> Option<String> {
    let depends = output(Command::new("apt-cache").args(["depends", "--important", KERNEL]))?;
    let mut words = depends.split_whitespace().map(ToOwned::to_owned);
    words.find(|word| word.starts_with("linux-image-") && word != KERNEL)
}

fn kernel() -> Result<PathBuf> {
    let folder = process::target().join("kernel");
    let whole = folder.join("unpacked");
    if whole.exists() {
        return Ok(folder);
    }
    let update = || process::run(Command::new("apt-get").arg("update"));
    let newest = match newest_kernel() {
        Some(newest) => newest,
        None => {
            update()?;
            newest_kernel().with_context(|| format!("apt knows no {KERNEL}"))?
        }
    };
    let folder = process::fresh_folder("kernel")?;
    let download = || {
        process::run(
            Command::new("apt-get")
                .current_dir(&folder)
                .args(["download", &newest]),
        )
    };
    // As with other packages: lists that are too old for the mirror are fetched only when that shows.
    download().or_else(|_| update().and_then(|()| download()))?;
    let package = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get downloaded no package")?;
    process::run(Command::new("dpkg").arg("--extract").arg(&package).arg(&folder))?;
    fs::remove_file(&package)?;
    let version = newest.trim_start_matches("linux-image-");
    process::run(
        Command::new("/sbin/depmod")
            .arg("--basedir")
            .arg(&folder)
            .arg(version),
    )?;
    fs::write(whole, version).context("cannot note that the kernel was unpacked")?;
    Ok(folder)
}

/// Does `work` unless `stamp` says that it was done for this very `source`.
fn once(source: &Path, stamp: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
    if fs::read(stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    work()?;
    fs::write(stamp, wanted).context("cannot note that packages were installed")
}
