//! The computer: how fast it encodes and decodes, what is free, where its power comes from.
//!
//! Reads and measures, changes nothing. Every question has a deadline of its own: a disk that is gone or a driver that hangs
//! leaves one figure out.

use media::clock::MediaClock;
use media::video::codec_speeds;
use protocol::{CodecSpeed, ComputerFacts, TestPower};
use std::path::{Path, PathBuf};
use std::time::Duration;
use sysinfo::{Disks, MINIMUM_CPU_UPDATE_INTERVAL, System};
use tokio::time::{sleep, timeout};

/// Longest wait for one answer of the system.
const ANSWER: Duration = Duration::from_secs(3);
/// Longest wait for the codecs: three layers, some hundred milliseconds each, on a computer ten times too slow.
const CODECS: Duration = Duration::from_secs(8);
const MIB: u64 = 1 << 20;

/// Asks the system off the async threads; none when it does not answer in time.
async fn ask<T: Send + 'static>(limit: Duration, question: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match timeout(limit, tokio::task::spawn_blocking(question)).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a question about the computer failed");
            None
        }
        Err(_) => None,
    }
}

/// Measures, within seconds. `data` is the folder with the program's files.
pub(super) async fn measure(data: &Path, webview: Option<String>, clock: MediaClock) -> ComputerFacts {
    // First, while nothing of the test itself keeps the processors busy.
    let (busy, memory) = match ask(ANSWER, begin).await.flatten() {
        Some(mut system) => {
            sleep(MINIMUM_CPU_UPDATE_INTERVAL).await;
            let busy = ask(ANSWER, move || {
                system.refresh_cpu_usage();
                let memory = (system.total_memory() / MIB, system.available_memory() / MIB);
                (system.global_cpu_usage() / 100.0, memory)
            });
            busy.await.unzip()
        }
        None => (None, None),
    };
    let (total, free) = memory.filter(|(total, _)| *total > 0).unzip();
    let data = data.to_owned();
    let free_disk = ask(ANSWER, move || free_disk(&data)).await.flatten();
    let (power, saver) = ask(ANSWER, power).await.unwrap_or_default();
    let codec = match ask(CODECS, move || codec_speeds(clock)).await {
        Some(Ok(speeds)) => speeds,
        Some(Err(error)) => {
            tracing::warn!(%error, "a codec does not work");
            Vec::new()
        }
        None => Vec::new(),
    };
    ComputerFacts {
        system: System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned()),
        webview,
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
        busy,
        memory_mib: total,
        free_memory_mib: free,
        free_disk_mib: free_disk.map(|bytes| bytes / MIB),
        power,
        saver,
        codec: codec
            .into_iter()
            .map(|speed| CodecSpeed {
                height: speed.height,
                encode_fps: speed.encode_fps,
                decode_fps: speed.decode_fps,
            })
            .collect(),
    }
}

/// A usage is the difference of two looks; this is the first.
fn begin() -> Option<System> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    system.refresh_cpu_usage();
    Some(system)
}

/// Free bytes where `data` lies, or will lie.
fn free_disk(data: &Path) -> Option<u64> {
    let there: PathBuf = data.ancestors().find_map(|folder| folder.canonicalize().ok())?;
    let disks = Disks::new_with_refreshed_list().ok()?;
    disks
        .iter()
        .filter(|disk| there.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len())
        .map(sysinfo::Disk::available_space)
}

/// Where the power comes from, and whether the system saves it, as far as it tells.
fn power() -> (Option<TestPower>, Option<bool>) {
    use starship_battery::{Manager, State, units::ratio::percent};
    let batteries = Manager::new().and_then(|manager| manager.batteries());
    let power = match batteries {
        Ok(batteries) => {
            let drained = batteries
                .flatten()
                .filter(|battery| battery.state() == State::Discharging)
                .map(|battery| battery.state_of_charge().get::<percent>())
                .reduce(f32::min);
            Some(drained.map_or(TestPower::Mains, |left| TestPower::Battery {
                percent: left.round().clamp(0.0, 100.0) as u8,
            }))
        }
        Err(error) => {
            tracing::debug!(%error, "the batteries cannot be asked");
            None
        }
    };
    (power, saver())
}

/// Linux: the platform profile that desktops switch (`power-profiles-daemon` and others write it).
#[cfg(target_os = "linux")]
fn saver() -> Option<bool> {
    let profile = std::fs::read_to_string("/sys/firmware/acpi/platform_profile").ok()?;
    Some(profile.trim() == "low-power")
}

/// Not asked: on Windows and macOS only calls that are `unsafe` tell.
#[cfg(not(target_os = "linux"))]
fn saver() -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_lies_on_a_disk_too() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let here = free_disk(folder.path());
        assert_eq!(
            here.is_some(),
            free_disk(&folder.path().join("not/there/yet")).is_some()
        );
    }

    #[tokio::test]
    async fn a_question_that_is_never_answered_ends() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        assert_eq!(
            ask(Duration::from_millis(1), move || held.recv().is_ok()).await,
            None
        );
        drop(hold);
    }
}
