//! 设备自检 in the window: one test at a time, told to the page as it goes, and the last reports kept on this computer.
//!
//! Measures nothing itself. Reports hold figures and what devices call themselves, which can be a person's name; no
//! picture and no sound.

use anyhow::Context;
use client::{
    MediaClock,
    selftest::{Plan, Run},
};
use protocol::{HostEvent, SelfTest, SelfTestProgress, TimeMs};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Reports that are kept.
const KEPT: usize = 20;
const FILE: &str = "selftests.json";

/// How a test ends that was not over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// What is known so far is kept and told as the report.
    Told,
    /// Something else needs the devices: nobody asks for the report any more.
    Silent,
}

/// A test that runs.
pub(crate) struct SelfTestRun {
    stop: oneshot::Sender<Ending>,
    task: JoinHandle<()>,
}

impl SelfTestRun {
    /// Begins.
    pub(crate) fn start(
        plan: Plan,
        now: TimeMs,
        reports: Reports,
        tasks: &TaskTracker,
        tell: impl Fn(HostEvent) + Send + 'static,
    ) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tasks.spawn(async move {
            // The line alone is measured beside a check that keeps its own report.
            let is_whole = plan.camera.is_some() || plan.microphone.is_some();
            let run = Run::start(plan, MediaClock::start(), now);
            let mut progress = run.progress();
            let ending = loop {
                let told = run.told();
                if told.done {
                    break Ending::Told;
                }
                tell(event(told));
                tokio::select! {
                    changed = progress.changed() => if changed.is_err() { break Ending::Told },
                    asked = &mut stopped => break asked.unwrap_or(Ending::Silent),
                }
            };
            let last = SelfTestProgress {
                running: Vec::new(),
                done: true,
                ..run.told()
            };
            // Closes what it still has open before anything else may open it.
            run.end().await;
            if ending == Ending::Silent {
                return;
            }
            if is_whole {
                let report = last.report.clone();
                let kept = tokio::task::spawn_blocking(move || reports.keep(&report)).await;
                if let Err(error) = kept.map_err(anyhow::Error::from).flatten() {
                    tracing::warn!(%error, "the report of the self-test is not kept");
                }
            }
            tell(event(last));
        });
        Self { stop, task }
    }

    /// Ends it, and has closed what it had open when this returns.
    pub(crate) async fn end(self, ending: Ending) {
        // It may be over by itself.
        let _ = self.stop.send(ending);
        let _ = self.task.await;
    }
}

fn event(progress: SelfTestProgress) -> HostEvent {
    HostEvent::SelfTest {
        progress: Box::new(progress),
    }
}

/// The reports on this computer.
#[derive(Clone)]
pub(crate) struct Reports {
    folder: Option<PathBuf>,
    /// Reading, adding and writing are one act.
    writing: Arc<Mutex<()>>,
}

impl Reports {
    /// In this folder; without one none are kept.
    pub(crate) fn in_folder(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            writing: Arc::default(),
        }
    }

    /// The newest first. A file that cannot be read is no reason to keep anybody from testing.
    pub(crate) fn all(&self) -> Vec<SelfTest> {
        let Some(folder) = &self.folder else {
            return Vec::new();
        };
        match read(&folder.join(FILE)) {
            Ok(reports) => reports,
            Err(error) => {
                tracing::warn!(%error, "earlier self-tests cannot be read");
                Vec::new()
            }
        }
    }

    /// Keeps one more, and the oldest no longer.
    pub(crate) fn keep(&self, report: &SelfTest) -> anyhow::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let _whole = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reports = self.all();
        reports.insert(0, report.clone());
        reports.truncate(KEPT);
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        // Whole or not at all.
        let fresh = folder.join(format!("{FILE}.new"));
        fs::write(&fresh, serde_json::to_vec(&reports)?)?;
        fs::rename(fresh, folder.join(FILE))?;
        Ok(())
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<SelfTest>> {
    match fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(at: u64) -> SelfTest {
        let reports: Vec<SelfTest> =
            serde_json::from_str(include_str!("../../crates/protocol/tests/wire/self_test.json"))
                .expect("the wire's examples");
        SelfTest {
            taken_at: TimeMs(at),
            ..reports.into_iter().next().expect("there is one")
        }
    }

    #[test]
    fn the_last_reports_are_kept_the_newest_first() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let reports = Reports::in_folder(Some(folder.path().join("not there yet")));
        assert!(reports.all().is_empty());
        for at in 0..=KEPT as u64 {
            reports.keep(&report(at)).expect("it is written");
        }
        let kept: Vec<u64> = reports.all().iter().map(|report| report.taken_at.0).collect();
        let newest: Vec<u64> = (1..=KEPT as u64).rev().collect();
        assert_eq!(kept, newest);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_replaced() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::write(folder.path().join(FILE), "[{").expect("it is written");
        let reports = Reports::in_folder(Some(folder.path().to_owned()));
        assert!(reports.all().is_empty());
        reports.keep(&report(7)).expect("it is written");
        assert_eq!(reports.all(), [report(7)]);
    }
}
