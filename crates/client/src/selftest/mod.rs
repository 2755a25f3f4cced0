//! 设备自检: measures camera, sound, network and computer as a hearing would use them, and says what to do.
//!
//! Parts that do not disturb each other run side by side, each with deadlines of its own, so the test always ends and
//! always has a report: a part that hangs or was interrupted has no facts. Keeps no picture and no sound, and nothing leaves the
//! computer but what the network part sends to the court's server.

pub(crate) mod camera;
mod computer;
pub mod judge;
pub mod network;
pub(crate) mod sound;

use judge::judge;
use media::audio::{CaptureChoice, PlaybackChoice};
use media::clock::MediaClock;
use media::permission::{self, Grant, Guarded};
use media::video::CameraChoice;
use protocol::{
    DeviceKind, PermissionFacts, SelfTest, SelfTestProgress, TestFacts, TestGrant, TestStep, TimeMs,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;
use url::Url;

/// The whole test ends after this, with whatever is known.
pub const LIMIT: Duration = Duration::from_secs(25);

/// How long the end waits for the devices to be closed.
pub const CLOSE_LIMIT: Duration = Duration::from_secs(3);
/// The line is known so long before the end of the whole test.
const BEFORE_THE_END: Duration = Duration::from_secs(1);

/// What is tested.
#[derive(Clone, Debug)]
pub struct Plan {
    /// None leaves the camera out.
    pub camera: Option<CameraChoice>,
    /// None leaves the sound out, loudspeaker included.
    pub microphone: Option<CaptureChoice>,
    /// Where the test sound plays.
    pub speaker: PlaybackChoice,
    /// None leaves the network out.
    pub server: Option<Url>,
    /// The folder with the program's files: the disk under it must have room.
    pub data: PathBuf,
    /// Version of what shows the page.
    pub webview: Option<String>,
}

/// How far the test is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Progress {
    /// What is known so far.
    pub facts: TestFacts,
    /// What is over.
    pub over: Vec<TestStep>,
    /// What is being measured.
    pub running: Vec<TestStep>,
    /// Nothing more comes.
    pub done: bool,
}

/// A test under way. Dropping it ends it, and what it has open closes by itself; [`Run::end`] waits for that.
pub struct Run {
    progress: watch::Receiver<Progress>,
    task: tokio::task::JoinHandle<()>,
    stop: Arc<AtomicBool>,
    tasks: TaskTracker,
    begun: Instant,
    taken_at: TimeMs,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

impl Run {
    /// Begins at once. `taken_at` is the time of day.
    #[expect(
        clippy::disallowed_methods,
        reason = "the driver of the self-test; ends with the handle"
    )]
    pub fn start(plan: Plan, clock: MediaClock, taken_at: TimeMs) -> Self {
        let (tell, progress) = watch::channel(Progress::default());
        let (stop, tasks) = (Arc::<AtomicBool>::default(), TaskTracker::new());
        let work = Work {
            clock,
            end: Instant::now() + LIMIT,
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        let task = tokio::spawn(async move {
            if timeout_at(work.end, run(plan, &work, &tell)).await.is_err() {
                tracing::warn!("the self-test took too long");
                work.stop.store(true, Ordering::Relaxed);
            }
            tell.send_modify(|progress| (progress.running.clear(), progress.done = true).1);
        });
        Self {
            progress,
            task,
            stop,
            tasks,
            begun: Instant::now(),
            taken_at,
        }
    }

    /// How far it is, and every change of that.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Waits until nothing more comes; within [`LIMIT`].
    pub async fn done(&mut self) {
        // The sender is gone only when the task is.
        let _ = self.progress.wait_for(|progress| progress.done).await;
    }

    /// Ends it, and has closed everything when it returns, unless a device takes longer than [`CLOSE_LIMIT`].
    pub async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.abort();
        // Cancelled is what it is to be.
        let _ = (&mut self.task).await;
        self.tasks.close();
        if timeout(CLOSE_LIMIT, self.tasks.wait()).await.is_err() {
            tracing::warn!("a device takes long to close");
        }
    }

    /// What follows from all that is known so far; the report of a test that was interrupted, too.
    pub fn report(&self) -> SelfTest {
        let facts = self.progress.borrow().facts.clone();
        report(facts, self.taken_at, self.begun.elapsed())
    }

    /// How far it is, for the page.
    pub fn told(&self) -> SelfTestProgress {
        let progress = self.progress.borrow().clone();
        SelfTestProgress {
            over: progress.over,
            running: progress.running,
            report: self.report(),
            done: progress.done,
        }
    }
}

/// Judges facts and puts everything together.
fn report(facts: TestFacts, taken_at: TimeMs, took: Duration) -> SelfTest {
    let verdict = judge(&facts);
    SelfTest {
        taken_at,
        took_ms: took.as_millis() as u32,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        facts,
        camera: verdict.camera,
        microphone: verdict.microphone,
        speaker: verdict.speaker,
        network: verdict.network,
        computer: verdict.computer,
        permissions: verdict.permissions,
        overall: verdict.overall,
    }
}

/// What the parts share.
struct Work {
    clock: MediaClock,
    /// The whole test ends then.
    end: Instant,
    /// Nobody waits for the result any more.
    stop: Arc<AtomicBool>,
    /// What blocks, or still closes.
    tasks: TaskTracker,
}

async fn run(plan: Plan, work: &Work, tell: &watch::Sender<Progress>) {
    let clock = work.clock;
    tell.send_modify(|progress| progress.facts.permissions = Some(permissions()));
    begin(tell, TestStep::Computer);
    let computer = computer::measure(&plan.data, plan.webview, clock).await;
    end(tell, TestStep::Computer, |facts| facts.computer = Some(computer));
    let camera = async {
        let Some(choice) = plan.camera else { return };
        begin(tell, TestStep::Camera);
        let stop = work.stop.clone();
        let measuring = work
            .tasks
            .spawn_blocking(move || camera::measure(&choice, clock, &stop));
        let measured = measuring.await;
        end(tell, TestStep::Camera, |facts| facts.camera = measured.ok());
    };
    let sound = async {
        let Some(microphone) = plan.microphone else { return };
        begin(tell, TestStep::Sound);
        let (microphone, speaker) = sound::measure(microphone, plan.speaker, clock, &work.tasks).await;
        end(tell, TestStep::Sound, |facts| {
            facts.microphone = microphone;
            facts.speaker = speaker;
        });
    };
    let network = async {
        let Some(server) = plan.server else { return };
        begin(tell, TestStep::Network);
        let left = work.end.saturating_duration_since(Instant::now());
        let limits = network::Limits {
            whole: network::WHOLE.min(left.saturating_sub(BEFORE_THE_END)),
            ..network::Limits::default()
        };
        let measured = network::measure(&server, &limits, |_| ()).await;
        end(tell, TestStep::Network, |facts| facts.network = Some(measured));
    };
    tokio::join!(camera, sound, network);
}

fn begin(tell: &watch::Sender<Progress>, step: TestStep) {
    tell.send_modify(|progress| progress.running.push(step));
}

fn end(tell: &watch::Sender<Progress>, step: TestStep, note: impl FnOnce(&mut TestFacts)) {
    tell.send_modify(|progress| {
        progress.running.retain(|running| *running != step);
        progress.over.push(step);
        note(&mut progress.facts);
    });
}

/// Reads the system's switches.
pub fn permissions() -> PermissionFacts {
    let of = |guarded| match permission::grant(guarded) {
        Grant::Unknown => TestGrant::Unknown,
        Grant::Granted => TestGrant::Granted,
        Grant::Denied => TestGrant::Denied,
        Grant::NotAsked => TestGrant::NotAsked,
    };
    PermissionFacts {
        camera: of(Guarded::Camera),
        microphone: of(Guarded::Microphone),
    }
}

/// Where the person finds the system's switch for a device, where the system has such a page: an address that its own settings
/// open.
pub fn settings_page(kind: DeviceKind) -> Option<&'static str> {
    match kind {
        DeviceKind::Camera => permission::settings_page(Guarded::Camera),
        DeviceKind::Microphone => permission::settings_page(Guarded::Microphone),
        // Nobody keeps a program from being heard.
        DeviceKind::Speaker => None,
    }
}
