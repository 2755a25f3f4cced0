//! Answers the page: one function per host command, each a line to the crate `client`.
//!
//! Holds the one session of this program. The session lives here, not in the page: a reload joins it again. Before there is
//! one, devices and network are tried in a rehearsal.

use crate::folders;
use crate::frames::FrameHub;
use crate::rehearsal::Rehearsal;
use crate::selftest::{Ending, Reports, SelfTestRun};
use crate::settings;
use client::{
    Court, EncodedFrame, FrameSink, MediaClock, MediaSetup, NativeDecoder, Session, SessionConfig,
    SessionHandle, practice::Practice, selftest::Plan,
};
use protocol::{
    ChooseDevice, DeviceFault, DeviceFix, DeviceKind, DeviceList, DeviceState, DropCause, Enter,
    FrameRequest, HostError, HostEvent, QuickCheck, SeatTaken, Secret, SelfTest, SendCommand, SendSelfTest,
    StaffSignIn, StaffTakeSeat, StartInfo, SwitchMedia, TakeSeat, TestPlan, TimeMs, TrackView,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::task::TaskTracker;

/// How long closing the window waits for the court to be told and the devices to be closed.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);
/// How loud a microphone is that is not open, in dB below full scale.
const SILENCE_DB: f32 = -90.0;

/// Every host command with its arguments; the wire names are [`protocol::HOST_COMMANDS`].
#[derive(Deserialize)]
#[serde(tag = "name", content = "args")]
enum Call {
    #[serde(rename = "app.start")]
    AppStart,
    #[serde(rename = "court.enter")]
    CourtEnter(Enter),
    #[serde(rename = "court.takeSeat")]
    CourtTakeSeat(TakeSeat),
    #[serde(rename = "court.signIn")]
    CourtSignIn(StaffSignIn),
    #[serde(rename = "court.staffSeat")]
    CourtStaffSeat(StaffTakeSeat),
    #[serde(rename = "hearing.join")]
    HearingJoin(SeatTaken),
    #[serde(rename = "hearing.command")]
    HearingCommand(SendCommand),
    #[serde(rename = "hearing.retryNow")]
    HearingRetryNow,
    #[serde(rename = "hearing.end")]
    HearingEnd,
    #[serde(rename = "devices.list")]
    DevicesList,
    #[serde(rename = "devices.choose")]
    DevicesChoose(ChooseDevice),
    #[serde(rename = "media.switch")]
    MediaSwitch(SwitchMedia),
    #[serde(rename = "media.views")]
    MediaViews(Vec<TrackView>),
    #[serde(rename = "check.playSound")]
    CheckPlaySound,
    #[serde(rename = "check.quick")]
    CheckQuick,
    #[serde(rename = "check.start")]
    CheckStart(TestPlan),
    #[serde(rename = "check.stop")]
    CheckStop,
    #[serde(rename = "check.history")]
    CheckHistory,
    #[serde(rename = "check.keep")]
    CheckKeep(Box<SelfTest>),
    #[serde(rename = "check.send")]
    CheckSend(Box<SendSelfTest>),
    #[serde(rename = "check.look")]
    CheckLook,
    #[serde(rename = "check.hear")]
    CheckHear,
    #[serde(rename = "check.replay")]
    CheckReplay,
    #[serde(rename = "check.loop")]
    CheckLoop,
    #[serde(rename = "check.permissions")]
    CheckPermissions,
    #[serde(rename = "check.settings")]
    CheckSettings(DeviceKind),
    #[serde(rename = "camera.turn")]
    CameraTurn(bool),
    #[serde(rename = "court.selfTests")]
    CourtSelfTests,
    #[serde(rename = "fix.apply")]
    FixApply(DeviceFix),
    #[serde(rename = "practice.start")]
    PracticeStart,
    #[serde(rename = "practice.stop")]
    PracticeStop,
    #[serde(rename = "share.sources")]
    ShareSources,
    #[serde(rename = "share.start")]
    ShareStart(String),
    #[serde(rename = "share.stop")]
    ShareStop,
}

impl Call {
    fn read(name: &str, args: Value) -> serde_json::Result<Self> {
        serde_json::from_value(serde_json::json!({ "name": name, "args": args }))
    }
}

/// The shell's side of the page. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Host(Arc<Inner>);

struct Inner {
    server: tauri::Url,
    synthetic: bool,
    court: Court,
    /// A code from a link or the command line, until one is sent in: a page that is loaded again still offers it.
    offered: Mutex<Option<Secret>>,
    session: Mutex<Option<SessionHandle>>,
    rehearsal: Mutex<Option<Rehearsal>>,
    /// Held while it begins and ends, so that leaving waits for a beginning that is under way.
    practice: tokio::sync::Mutex<Option<Practice>>,
    self_test: Mutex<Option<SelfTestRun>>,
    reports: Reports,
    /// Devices chosen since the program started, for whatever session comes next.
    chosen: Mutex<Vec<ChooseDevice>>,
    /// The own picture is upside down without it, likewise.
    turned: AtomicBool,
    hub: FrameHub,
    port: u16,
    native: Mutex<Option<NativeDecoder>>,
    tell: Box<dyn Fn(HostEvent) + Send + Sync>,
    tasks: TaskTracker,
}

impl Host {
    pub(crate) fn new(
        server: tauri::Url,
        code: Option<Secret>,
        synthetic: bool,
        hub: FrameHub,
        port: u16,
        tell: impl Fn(HostEvent) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Inner {
            court: Court::new(&server)?,
            server,
            synthetic,
            offered: Mutex::new(code),
            session: Mutex::new(None),
            rehearsal: Mutex::new(None),
            practice: tokio::sync::Mutex::new(None),
            self_test: Mutex::new(None),
            reports: Reports::in_folder(folders::data()),
            chosen: Mutex::default(),
            turned: AtomicBool::new(false),
            hub,
            port,
            native: Mutex::new(None),
            tell: Box::new(tell),
            tasks: TaskTracker::new(),
        })))
    }

    /// Carries out one host command.
    pub(crate) async fn call(&self, name: &str, args: Value) -> Result<Value, HostError> {
        let call = Call::read(name, args).map_err(|error| {
            tracing::error!(name, %error, "the page called what the shell does not know");
            HostError::Internal
        })?;
        match call {
            Call::AppStart => {
                // A page that was loaded again has left the device check.
                self.end_rehearsal().await;
                reply(self.start_info())
            }
            Call::CourtEnter(enter) => {
                *self.offered() = None;
                reply(self.0.court.enter(&enter).await?)
            }
            Call::CourtTakeSeat(take) => reply(self.0.court.take_seat(&take).await?),
            Call::CourtSignIn(sign_in) => reply(self.0.court.sign_in(&sign_in).await?),
            Call::CourtStaffSeat(take) => reply(self.0.court.staff_seat(&take).await?),
            Call::HearingJoin(seat) => {
                self.end_rehearsal().await;
                done(|| self.join(seat))
            }
            Call::HearingCommand(command) => reply(self.session()?.command(command).await?),
            Call::HearingRetryNow => self.session().and_then(|session| done(|| session.retry_now())),
            Call::HearingEnd => done(|| self.end(DropCause::WindowClosed)),
            Call::DevicesList => reply(self.devices().await?),
            Call::DevicesChoose(choose) => {
                self.chosen().push(choose.clone());
                match self.devices_in_use() {
                    Some(session) => reply(session.choose(choose).await?),
                    None => reply(self.devices().await?),
                }
            }
            Call::MediaSwitch(switch) => match self.session().ok().or_else(|| self.practised()) {
                Some(session) => done(|| session.switch(switch)),
                None => {
                    if !self
                        .rehearsal()
                        .get_or_insert_with(|| self.rehearse())
                        .switch(switch)
                    {
                        self.end_rehearsal().await;
                    }
                    Ok(Value::Null)
                }
            },
            Call::MediaViews(views) => match self.0.practice.try_lock().as_deref() {
                Ok(Some(practice)) => done(|| practice.views(views)),
                _ => self
                    .devices_held()
                    .and_then(|session| done(|| session.views(views))),
            },
            Call::CheckPlaySound => match self.session().ok().or_else(|| self.practised()) {
                Some(session) => done(|| session.play_test_sound()),
                None => done(|| {
                    let mut rehearsal = self.rehearsal();
                    rehearsal
                        .get_or_insert_with(|| self.rehearse())
                        .session()
                        .play_test_sound();
                }),
            },
            Call::CheckQuick => match self.devices_in_use() {
                Some(session) => reply(session.quick_check().await?),
                None => reply(self.reach().await),
            },
            Call::CheckStart(plan) => {
                if plan.camera || plan.sound {
                    self.no_seat()?;
                    self.end_rehearsal().await;
                } else {
                    // What the person tries goes on beside it; only an earlier test ends.
                    self.end_test(Ending::Silent).await;
                }
                done(|| self.test(plan))
            }
            Call::CheckStop => {
                self.end_test(Ending::Told).await;
                Ok(Value::Null)
            }
            Call::CheckHistory => {
                let reports = self.0.reports.clone();
                reply(blocking(move || reports.all()).await?)
            }
            Call::CheckKeep(report) => {
                let reports = self.0.reports.clone();
                let kept = blocking(move || reports.keep(&report)).await?;
                kept.map_err(|error| {
                    tracing::error!(%error, "a report is not kept");
                    HostError::Internal
                })?;
                Ok(Value::Null)
            }
            Call::CheckSend(send) => reply(self.0.court.send_self_test(&send).await?),
            Call::CheckLook => reply(self.devices_held()?.look().await?),
            Call::CheckHear => reply(self.devices_held()?.hear().await?),
            Call::CheckReplay => reply(self.devices_held()?.replay().await?),
            Call::CheckLoop => reply(self.devices_held()?.measure_loop().await?),
            Call::CheckPermissions => reply(blocking(client::selftest::permissions).await?),
            Call::CheckSettings(kind) => {
                let page = client::selftest::settings_page(kind);
                blocking(move || settings::open(page)).await??;
                Ok(Value::Null)
            }
            Call::CameraTurn(turned) => done(|| {
                self.0.turned.store(turned, Ordering::SeqCst);
                if let Some(session) = self.devices_in_use() {
                    session.turn_picture(turned);
                }
            }),
            Call::CourtSelfTests => {
                let session = self.session()?;
                let seat = session.seat().ok_or(HostError::NoSession)?;
                reply(self.0.court.self_tests(seat).await?.tests)
            }
            Call::FixApply(fix) => reply(self.devices_held()?.fix(fix).await?),
            Call::PracticeStart => {
                self.no_seat()?;
                self.end_rehearsal().await;
                self.practise().await?;
                Ok(Value::Null)
            }
            Call::PracticeStop => {
                self.end_practice().await;
                Ok(Value::Null)
            }
            Call::ShareSources => reply(blocking(client::devices::shareable).await?),
            Call::ShareStart(id) => reply(self.session()?.share_start(id).await?),
            Call::ShareStop => self.session().and_then(|session| done(|| session.share_stop())),
        }
    }

    /// A link was followed: its code is told to the page, and kept for one that does not listen yet.
    pub(crate) fn offer(&self, code: Secret) {
        *self.offered() = Some(code.clone());
        (self.0.tell)(HostEvent::OpenCode { code });
    }

    /// A page asks for another kind of picture, or for a key frame.
    pub(crate) fn frame_request(&self, request: FrameRequest) {
        match request {
            FrameRequest::Alive => {}
            FrameRequest::Key { slot } => self.request_key(slot),
            FrameRequest::NativeDecode { on } => {
                tracing::info!(on, "the page chose where pictures are decoded");
                let host = Arc::downgrade(&self.0);
                *self.native() = on.then(|| {
                    NativeDecoder::start(
                        {
                            let host = host.clone();
                            move |frame| with(&host, |host| host.show(frame.into()))
                        },
                        move |slot| with(&host, |host| host.request_key(slot)),
                    )
                });
            }
        }
    }

    /// True while the court keeps a place for this program.
    pub(crate) fn holds_a_seat(&self) -> bool {
        self.session().is_ok()
    }

    /// The program ends: the court is told why the line goes silent.
    pub(crate) fn window_closed(&self) {
        tauri::async_runtime::block_on(async {
            let closing = async {
                self.end_rehearsal().await;
                self.end(DropCause::WindowClosed);
                self.0.tasks.close();
                self.0.tasks.wait().await;
            };
            if tokio::time::timeout(GOODBYE_LIMIT, closing).await.is_err() {
                tracing::warn!("closing took too long; leaving the rest to the system");
            }
        });
    }

    fn start_info(&self) -> StartInfo {
        StartInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            server: self.0.server.to_string(),
            code: self.offered().clone(),
            frames: self.0.hub.issue(one_time_token(), self.0.port),
            session: self.session().ok().and_then(|session| session.seat().cloned()),
        }
    }

    fn join(&self, seat: SeatTaken) {
        let running = self
            .session()
            .ok()
            .filter(|session| session.seat() == Some(&seat));
        let session = match running {
            Some(session) => session,
            None => {
                self.end(DropCause::WindowClosed);
                let session = self.open(seat);
                *self.session_slot() = Some(session.clone());
                session
            }
        };
        let mut events = session.events();
        let host = Arc::downgrade(&self.0);
        self.0.tasks.spawn(async move {
            while let Some(event) = events.recv().await {
                with(&host, |host| (host.0.tell)(event));
            }
        });
    }

    fn open(&self, seat: SeatTaken) -> SessionHandle {
        Session::start(self.config(), seat, self.setup(), self.0.tasks.clone())
    }

    fn config(&self) -> SessionConfig {
        SessionConfig {
            server: self.0.server.clone(),
            client: format!("明庭 {}; {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS),
            seed: seed(),
        }
    }

    fn setup(&self) -> MediaSetup {
        let sink = Arc::new(PageSink(Arc::downgrade(&self.0)));
        let clock = MediaClock::start();
        let mut setup = if self.0.synthetic {
            MediaSetup::synthetic(sink, clock)
        } else {
            MediaSetup::devices(sink, clock)
        };
        for ChooseDevice { kind, id } in self.chosen().iter() {
            setup.choose(*kind, id.as_deref());
        }
        setup.turned = self.0.turned.load(Ordering::SeqCst);
        setup
    }

    // --- before a seat ---

    fn rehearse(&self) -> Rehearsal {
        let host = Arc::downgrade(&self.0);
        Rehearsal::start(self.config(), self.setup(), move |event| {
            with(&host, |host| (host.0.tell)(event));
        })
    }

    /// 练习: the devices send into a room of the court's server, and come back from it.
    async fn practise(&self) -> Result<(), HostError> {
        let mut practice = self.0.practice.lock().await;
        if let Some(earlier) = practice.take() {
            earlier.end().await;
        }
        let host = Arc::downgrade(&self.0);
        let tell = move |event| with(&host, |host| (host.0.tell)(event));
        let begun = Practice::start(&self.0.court, self.config(), self.setup(), tell).await?;
        *practice = Some(begun);
        Ok(())
    }

    async fn end_practice(&self) {
        let mut practice = self.0.practice.lock().await;
        if let Some(practice) = practice.take() {
            practice.end().await;
        }
    }

    /// Opens what it tests by itself, so nothing else may hold that; a test that runs is stopped by the new one.
    fn test(&self, wanted: TestPlan) {
        let setup = self.setup();
        let plan = Plan {
            camera: setup.camera.filter(|_| wanted.camera),
            microphone: setup.microphone.filter(|_| wanted.sound),
            speaker: setup.speaker,
            server: wanted.network.then(|| self.0.server.clone()),
            data: folders::data().unwrap_or_default(),
            webview: tauri::webview_version().ok(),
        };
        let host = Arc::downgrade(&self.0);
        let run = SelfTestRun::start(plan, now(), self.0.reports.clone(), &self.0.tasks, move |event| {
            with(&host, |host| (host.0.tell)(event));
        });
        *self.self_test() = Some(run);
    }

    async fn end_test(&self, ending: Ending) {
        let test = self.self_test().take();
        if let Some(test) = test {
            test.end(ending).await;
        }
    }

    /// Devices that a hearing uses are not taken from it, and nothing plays into it.
    fn no_seat(&self) -> Result<(), HostError> {
        match self.session() {
            Ok(_) => Err(HostError::Device {
                fault: DeviceFault::Busy,
            }),
            Err(_) => Ok(()),
        }
    }

    async fn end_rehearsal(&self) {
        self.end_test(Ending::Silent).await;
        self.end_practice().await;
        let rehearsal = self.rehearsal().take();
        if let Some(rehearsal) = rehearsal {
            rehearsal.end().await;
        }
    }

    /// The session that holds the devices now: the seat's, the practice's, or the rehearsal's.
    fn devices_in_use(&self) -> Option<SessionHandle> {
        let rehearsed = || {
            self.rehearsal()
                .as_ref()
                .map(|rehearsal| rehearsal.session().clone())
        };
        self.session()
            .ok()
            .or_else(|| self.practised())
            .or_else(rehearsed)
    }

    fn practised(&self) -> Option<SessionHandle> {
        let practice = self.0.practice.try_lock().ok()?;
        practice.as_ref().map(|practice| practice.session().clone())
    }

    fn devices_held(&self) -> Result<SessionHandle, HostError> {
        self.devices_in_use().ok_or(HostError::NoSession)
    }

    async fn devices(&self) -> Result<DeviceList, HostError> {
        match self.devices_in_use() {
            Some(session) => session.devices().await,
            None => Ok(DeviceList {
                devices: blocking(client::devices::list).await?.devices,
                ..self.setup().chosen()
            }),
        }
    }

    /// The quick check while no device is open: only the way to the court.
    async fn reach(&self) -> QuickCheck {
        let round_trip = self.0.court.reach().await;
        QuickCheck {
            camera: DeviceState::Off,
            microphone: DeviceState::Off,
            loudest_db: SILENCE_DB,
            server_reachable: round_trip.is_some(),
            rtt_ms: round_trip.map(|rtt| rtt.as_millis() as u32),
            media_reachable: None,
        }
    }

    fn end(&self, cause: DropCause) {
        if let Some(session) = self.session_slot().take() {
            session.end(cause);
        }
    }

    fn session(&self) -> Result<SessionHandle, HostError> {
        // A session that ended by itself holds no seat any more; a page that is loaded again starts with a code.
        let held = self.session_slot().clone().filter(|session| !session.is_over());
        held.ok_or(HostError::NoSession)
    }

    fn offered(&self) -> MutexGuard<'_, Option<Secret>> {
        self.0.offered.lock().expect("no holder of the code panics")
    }

    fn session_slot(&self) -> MutexGuard<'_, Option<SessionHandle>> {
        self.0.session.lock().expect("no holder of the session panics")
    }

    fn rehearsal(&self) -> MutexGuard<'_, Option<Rehearsal>> {
        self.0
            .rehearsal
            .lock()
            .expect("no holder of the rehearsal panics")
    }

    fn self_test(&self) -> MutexGuard<'_, Option<SelfTestRun>> {
        self.0
            .self_test
            .lock()
            .expect("no holder of the self-test panics")
    }

    fn chosen(&self) -> MutexGuard<'_, Vec<ChooseDevice>> {
        self.0.chosen.lock().expect("no holder of the choices panics")
    }

    fn native(&self) -> MutexGuard<'_, Option<NativeDecoder>> {
        self.0.native.lock().expect("no holder of the decoder panics")
    }

    fn request_key(&self, slot: u32) {
        match self.0.practice.try_lock().as_deref() {
            Ok(Some(practice)) => practice.request_key(slot),
            _ => {
                if let Some(session) = self.devices_in_use() {
                    session.request_key(slot);
                }
            }
        }
    }

    fn show(&self, frame: crate::frames::Picture) {
        if !self.0.hub.push(&frame) {
            self.request_key(frame.slot);
        }
    }
}

/// Where the session's pictures go: to the page, by way of the native decoder when the page cannot decode.
struct PageSink(Weak<Inner>);

impl FrameSink for PageSink {
    fn frame(&self, frame: EncodedFrame) {
        with(&self.0, |host| match host.native().as_ref() {
            Some(decoder) => decoder.push(frame),
            None => host.show(frame.into()),
        });
    }
}

fn with(host: &Weak<Inner>, act: impl FnOnce(Host)) {
    if let Some(inner) = host.upgrade() {
        act(Host(inner));
    }
}

/// Does what has no answer of its own.
fn done(act: impl FnOnce()) -> Result<Value, HostError> {
    act();
    Ok(Value::Null)
}

fn reply(value: impl Serialize) -> Result<Value, HostError> {
    serde_json::to_value(value).map_err(|error| {
        tracing::error!(%error, "a reply could not be written");
        HostError::Internal
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, HostError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "looking at the devices failed");
        HostError::Internal
    })
}

/// 128 bits from the system.
fn one_time_token() -> Secret {
    Secret::new(format!("{:016x}{:016x}", seed(), seed()))
}

#[expect(clippy::disallowed_methods, reason = "a report says when it was made")]
fn now() -> TimeMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    TimeMs(since.map_or(0, |since| since.as_millis() as u64))
}

#[expect(clippy::disallowed_methods, reason = "the shell's one source of randomness")]
fn seed() -> u64 {
    rand::random()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_command_has_its_handler() {
        for name in protocol::HOST_COMMANDS {
            // Wrong arguments are fine here; an unknown name is not.
            if let Err(error) = Call::read(name, Value::Null) {
                assert!(!error.to_string().contains("unknown variant"), "{name}: {error}");
            }
        }
        let error = Call::read("no.such", Value::Null)
            .err()
            .expect("an unknown name is refused");
        assert!(error.to_string().contains("unknown variant"));
    }

    #[test]
    fn a_command_without_arguments_takes_none() {
        assert!(matches!(Call::read("app.start", Value::Null), Ok(Call::AppStart)));
    }
}
