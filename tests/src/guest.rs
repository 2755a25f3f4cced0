//! A computer in a computer: Debian's kernel in qemu, with kernel devices that no test can have on the machine it runs on.
//!
//! Its disk is this machine's, read-only, so that every program is there at the same path with its libraries; only `/run` is
//! its own, empty and writable, and its home. It has no network but its own loopback. It does what [`Guest::run`] is told, one
//! line at a time.
//!
//! Always emulated: a `/dev/kvm` inside of a virtual machine may be there and not work, and a test is to mean the same
//! everywhere.

use crate::process::{Process, program};
use crate::within;
use anyhow::{Context, Result, bail, ensure};
use protocol::SelfTest;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command as Blocking,
    time::Duration,
};
use tempfile::TempDir;
use tokio::process::Command;

/// Emulated, it is there within ten seconds; on a busy machine within half a minute.
const BOOT: Duration = Duration::from_secs(120);
/// Nothing that is run takes longer: a self-test ends after 25 seconds of the guest's own clock.
const COMMAND: Duration = Duration::from_secs(90);
/// What it says when it waits for the first command.
const READY: &str = "guest: ready";
/// What it says after each command, before its exit status.
const ENDED: &str = "guest: ended ";

/// Needed before the disk can be read; everything else comes from it.
const EARLY: [&str; 3] = ["virtio_pci", "9pnet_virtio", "9p"];

/// First program of the guest: finds the disk, and hands over to a shell on the second serial line.
const INIT: &str = r#"#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t devtmpfs dev /dev
for module in /modules/*; do $busybox insmod $module; done
$busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 disk /disk
$busybox mount -t proc proc /disk/proc
$busybox mount -t sysfs sys /disk/sys
$busybox mount -t devtmpfs dev /disk/dev
$busybox mount -t tmpfs run /disk/run
exec $busybox switch_root /disk /bin/sh -c '
    exec < /dev/ttyS1 > /dev/ttyS1 2>&1
    stty -echo raw
    export HOME=/run PATH=/usr/sbin:/usr/bin:/sbin:/bin
    ip link set lo up
    echo "guest: ready"
    while read -r line; do eval "$line"; echo "guest: ended $?"; done
    poweroff -f'
"#;

/// A guest that runs. Dropping it switches it off.
pub struct Guest {
    qemu: Process,
    modules: PathBuf,
    folder: TempDir,
}

impl Guest {
    /// Boots the kernel whose package is unpacked in `kernel`.
    pub async fn boot(kernel: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let image = only_entry(&kernel.join("boot"), "vmlinuz-")?;
        let initramfs = initramfs(kernel, folder.path())?;
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args([
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                "max",
                "-smp",
                "2",
                "-m",
                "1024",
            ])
            .args(["-display", "none", "-nodefaults", "-no-reboot"])
            .arg("-kernel")
            .arg(image)
            .arg("-initrd")
            .arg(initramfs)
            .args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"])
            // What the kernel says, and what is told to the shell.
            .arg("-serial")
            .arg(format!("file:{}", folder.path().join("console.log").display()))
            .args(["-serial", "stdio"])
            .args([
                "-fsdev",
                "local,id=disk,path=/,readonly=on,security_model=none,multidevs=remap",
                "-device",
                "virtio-9p-pci,fsdev=disk,mount_tag=disk",
            ]);
        let qemu = Process::start("qemu", &mut command, &folder.path().join("qemu.log"))?;
        let mut guest = Self {
            qemu,
            modules: kernel.to_owned(),
            folder,
        };
        let ready = async {
            while guest.qemu.line().await?.trim_end() != READY {}
            Ok(())
        };
        if let Err(error) = within(BOOT, "the guest boots", ready).await {
            let console = fs::read_to_string(guest.folder.path().join("console.log")).unwrap_or_default();
            bail!("{error:#}\n{console}");
        }
        Ok(guest)
    }

    /// Runs one line of shell; what it prints. Fails when the line does.
    pub async fn run(&mut self, line: &str) -> Result<String> {
        let (status, said) = self.try_to(line).await?;
        ensure!(status == 0, "`{line}` ended with {status}:\n{said}");
        Ok(said)
    }

    /// As [`Guest::run`], with the exit status.
    async fn try_to(&mut self, line: &str) -> Result<(i32, String)> {
        ensure!(!line.contains('\n'), "a command is one line: {line:?}");
        let qemu = &mut self.qemu;
        within(COMMAND, line, async {
            qemu.tell(line).await?;
            let mut said = String::new();
            loop {
                let next = qemu.line().await?;
                if let Some((before, status)) = next.split_once(ENDED) {
                    said.push_str(before);
                    return Ok((status.trim().parse()?, said));
                }
                said.push_str(&next);
                said.push('\n');
            }
        })
        .await
    }

    /// Loads a module of the kernel, with options if there are any.
    pub async fn load(&mut self, module: &str) -> Result<()> {
        let modules = self.modules.display().to_string();
        self.run(&format!("modprobe -d {modules} {module}"))
            .await
            .map(drop)
    }

    /// Runs the self-test of the real participant; its report. What it logged is in `/run/selftest.log` of the guest.
    pub async fn self_test(&mut self, arguments: &str) -> Result<SelfTest> {
        self.self_test_during("", arguments).await
    }

    /// As [`Guest::self_test`], with a line of shell that begins at the same time.
    pub async fn self_test_during(&mut self, meanwhile: &str, arguments: &str) -> Result<SelfTest> {
        let participant = program("mingting-participant").canonicalize()?;
        let begun = match meanwhile {
            "" => String::new(),
            line => format!("({line}) & "),
        };
        let line = format!(
            ": > /run/selftest.log; {begun}RUST_LOG=error,client=warn,media=info {} selftest --json --data /run {arguments} 2> /run/selftest.log; \
             [ $? -le 2 ]",
            participant.display()
        );
        let (status, said) = self.try_to(&line).await?;
        let log = self.run("cat /run/selftest.log").await?;
        ensure!(
            status == 0,
            "the self-test ended with a status that it does not have:\n{log}"
        );
        // For whoever looks at a test that failed.
        println!("selftest {arguments}\n{log}");
        serde_json::from_str(&said).with_context(|| format!("the self-test printed {said:?}"))
    }
}

/// Line of shell that waits until the self-test has logged `words`.
pub fn logged(words: &str) -> String {
    format!("until grep -q '{words}' /run/selftest.log; do sleep 0.1; done")
}

/// The one file of a folder whose name begins so.
fn only_entry(folder: &Path, begin: &str) -> Result<PathBuf> {
    let mut found = fs::read_dir(folder)
        .with_context(|| format!("no kernel in {}", folder.display()))?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(begin));
    let first = found.next().with_context(|| format!("no {begin}* here"))?;
    ensure!(found.next().is_none(), "two kernels in {}", folder.display());
    Ok(first.path())
}

/// Writes the archive that the kernel begins with: busybox, [`INIT`] and the modules of [`EARLY`].
fn initramfs(kernel: &Path, folder: &Path) -> Result<PathBuf> {
    let tree = folder.join("initramfs");
    for inside in ["bin", "modules", "dev", "disk"] {
        fs::create_dir_all(tree.join(inside))?;
    }
    fs::copy("/bin/busybox", tree.join("bin/busybox")).context("busybox-static is not installed")?;
    fs::write(tree.join("init"), INIT)?;
    run(Blocking::new("chmod").arg("755").arg(tree.join("init")))?;
    let version = only_entry(&kernel.join("lib/modules"), "")?;
    let mut taken = Vec::new();
    for module in EARLY {
        let mut ask = Blocking::new("/sbin/modprobe");
        ask.args(["--show-depends", "--dirname"]).arg(kernel);
        ask.arg("--set-version")
            .arg(version.file_name().unwrap_or_default())
            .arg(module);
        for line in run(&mut ask)?.lines() {
            let Some(file) = line.trim().strip_prefix("insmod ") else {
                continue;
            };
            if !taken.iter().any(|other| other == file) {
                taken.push(file.to_owned());
            }
        }
    }
    for (number, file) in taken.iter().enumerate() {
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
        // The shell goes through them by name.
        fs::copy(file, tree.join(format!("modules/{number:02}-{name}")))?;
    }
    let archive = folder.join("initramfs.cpio");
    run(Blocking::new("sh")
        .current_dir(&tree)
        .args(["-c", "find . | busybox cpio -o -H newc > ../initramfs.cpio"]))?;
    Ok(archive)
}

fn run(command: &mut Blocking) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
