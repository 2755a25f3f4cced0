//! A PulseAudio daemon of a test's own, in a scratch folder: two null sinks as loudspeakers, their monitors as microphones.
//!
//! A test runs itself again inside that environment, because the sound system is found by environment variables.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use media::audio::AudioDeviceInfo;

const INSIDE: &str = "MEDIA_TEST_INSIDE_PULSE";
pub(crate) const LONG: Duration = Duration::from_secs(30);

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a daemon with two null sinks and two microphones; returns when its socket is there.
fn start(dir: &Path) -> Option<Daemon> {
    let socket = dir.join("native");
    let child = Command::new("pulseaudio")
        .args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--log-level=info",
            "--log-target=stderr",
        ])
        .arg("-L")
        .arg(format!(
            "module-native-protocol-unix auth-anonymous=1 socket={}",
            socket.display()
        ))
        .args([
            "-L",
            "module-null-sink sink_name=spk",
            "-L",
            "module-null-sink sink_name=mic",
        ])
        .args(["-L", "module-remap-source master=mic.monitor source_name=fakemic"])
        .args([
            "-L",
            "module-remap-source master=spk.monitor source_name=othermic",
        ])
        .env("XDG_RUNTIME_DIR", dir)
        .env("PULSE_RUNTIME_PATH", dir)
        .env("HOME", dir)
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .stderr(Stdio::piped())
        .spawn();
    let mut daemon = match child {
        Ok(child) => Daemon(child),
        Err(error) => {
            eprintln!("SKIPPED: pulseaudio cannot be started ({error}), sound devices are not tested");
            return None;
        }
    };
    let log = BufReader::new(daemon.0.stderr.take().expect("piped"));
    let (ready, is_ready) = mpsc::channel();
    // Reads the log to its end, so that the daemon never blocks on a full pipe.
    std::thread::Builder::new()
        .name("pulse-log".into())
        .spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("Daemon startup complete") {
                    let _ = ready.send(());
                }
            }
        })
        .expect("a thread");
    is_ready.recv_timeout(LONG).expect("PulseAudio starts");
    Some(daemon)
}

/// Runs `inside` with a daemon of its own, in another process that runs only the test `name`. Skipped, aloud, where
/// PulseAudio is missing. One at a time: sound that is measured wants the processors for itself.
pub(crate) fn with_daemon(name: &str, inside: fn()) {
    static ONE: Mutex<()> = Mutex::new(());
    if std::env::var_os(INSIDE).is_some() {
        inside();
        return;
    }
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().expect("a scratch folder");
    let Some(_daemon) = start(dir.path()) else { return };
    let status = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .env(
            "PULSE_SERVER",
            format!("unix:{}", dir.path().join("native").display()),
        )
        .env("XDG_RUNTIME_DIR", dir.path())
        .env("HOME", dir.path())
        .status()
        .expect("runs");
    assert!(status.success());
}

pub(crate) fn named(devices: Vec<AudioDeviceInfo>, part: &str) -> AudioDeviceInfo {
    let names: Vec<String> = devices
        .iter()
        .map(|d| format!("{} ({})", d.name, d.id.0))
        .collect();
    devices
        .into_iter()
        .find(|d| d.id.0.ends_with(part))
        .unwrap_or_else(|| panic!("no {part} in {names:?}"))
}

pub(crate) fn pactl(arguments: &[&str]) -> bool {
    Command::new("pactl")
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}
