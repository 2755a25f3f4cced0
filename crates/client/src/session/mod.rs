//! One participant's presence: the hearing channel, the media room and the devices, held together.
//!
//! The session is one task. It goes on whether or not anybody reads its events; the court's control over microphone,
//! camera and share is applied in it. A session in a plain LiveKit room (no hearing) works the same without a channel,
//! and a rehearsal, before any seat, without a room.

mod actor;
pub mod condition;
pub mod standing;

use crate::channel::{self, ChannelSetup};
use crate::http::Court;
use crate::room::{RoomAccess, RoomStats, Sound};
use crate::studio::{MediaSetup, Studio};
use media::audio::TrackStats;
use protocol::{
    CameraFacts, ChooseDevice, DeviceFix, DeviceKind, DeviceList, DeviceState, DropCause, HostError,
    HostEvent, Outcome, QuickCheck, SeatTaken, SendCommand, SpeakerFacts, SwitchMedia, TrackView, Voice,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;
use url::Url;

/// How long the quick check watches.
pub const QUICK_CHECK: Duration = Duration::from_secs(3);
/// How many events a reader may be behind before it gets a fresh state instead.
const EVENT_LIMIT: usize = 1_024;

/// Where and as what.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The court's server.
    pub server: Url,
    /// For the technician: program, version, system, webview.
    pub client: String,
    /// Of jitter and ids; taken from the system once per start.
    pub seed: u64,
}

/// Counters for the technician and the headless participant.
#[derive(Clone, Debug, Default)]
pub struct SessionStats {
    /// The media room.
    pub room: RoomStats,
    /// Received sound: slot, identity, counters.
    pub heard: Vec<(u32, String, TrackStats)>,
}

enum Order {
    Events(mpsc::Sender<HostEvent>),
    Command(SendCommand, oneshot::Sender<Outcome>),
    Views(Vec<TrackView>),
    RequestKey(u32),
    Switch(SwitchMedia),
    Choose(ChooseDevice, oneshot::Sender<DeviceList>),
    Check(CheckOrder),
    Turn(bool),
    Fix(DeviceFix, Answer<()>),
    Devices(oneshot::Sender<DeviceList>),
    Probe(oneshot::Sender<Probe>),
    Chime,
    Sound(oneshot::Sender<Arc<dyn Sound>>),
    ShareStart(String, oneshot::Sender<Result<(), HostError>>),
    ShareStop,
    Stats(oneshot::Sender<SessionStats>),
    Retry,
    Sever,
    End(DropCause),
}

/// Where the result of an order goes.
type Answer<T> = oneshot::Sender<Result<T, HostError>>;

/// A check on the devices that run.
enum CheckOrder {
    Look(Answer<CameraFacts>),
    Hear(Answer<Voice>),
    Replay(Answer<()>),
    Loop(Answer<SpeakerFacts>),
}

/// What the quick check looks at.
struct Probe {
    camera: DeviceState,
    microphone: DeviceState,
    peak_db: f32,
    media_up: Option<bool>,
}

/// Starts sessions.
pub struct Session;

impl Session {
    /// Takes up a seat: opens the channel and the devices at once, and the media room when the court gives access.
    pub fn start(
        config: SessionConfig,
        seat: SeatTaken,
        setup: MediaSetup,
        tasks: TaskTracker,
    ) -> SessionHandle {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let channel = ChannelSetup {
            server: config.server.clone(),
            seat: seat.clone(),
            client: config.client.clone(),
            rng: ChaCha8Rng::from_rng(&mut rng),
        };
        let channel = channel::open(channel, &tasks);
        Self::run(config, Some(seat), Some(channel), None, setup, rng, tasks)
    }

    /// Enters a plain LiveKit room; nobody's rules but the room's apply.
    pub fn start_open(
        config: SessionConfig,
        access: RoomAccess,
        setup: MediaSetup,
        tasks: TaskTracker,
    ) -> SessionHandle {
        let rng = ChaCha8Rng::seed_from_u64(config.seed);
        Self::run(config, None, None, Some(access), setup, rng, tasks)
    }

    /// Devices and network can be tried, and nobody sees or hears it: no seat, no hearing, no room.
    pub fn rehearse(config: SessionConfig, setup: MediaSetup, tasks: TaskTracker) -> SessionHandle {
        let rng = ChaCha8Rng::seed_from_u64(config.seed);
        Self::run(config, None, None, None, setup, rng, tasks)
    }

    fn run(
        config: SessionConfig,
        seat: Option<SeatTaken>,
        channel: Option<(channel::ChannelHandle, mpsc::Receiver<channel::ChannelEvent>)>,
        access: Option<RoomAccess>,
        setup: MediaSetup,
        rng: ChaCha8Rng,
        tasks: TaskTracker,
    ) -> SessionHandle {
        let (orders, orders_in) = mpsc::unbounded_channel();
        let court = Court::new(&config.server).ok();
        let (wants_camera, wants_microphone) = (
            setup.camera_on && setup.camera.is_some(),
            setup.microphone_on && setup.microphone.is_some(),
        );
        let has_microphone = setup.microphone.is_some();
        let chosen = setup.chosen();
        let microphone_state = setup.microphone_state();
        let (studio_events, studio_events_in) = mpsc::unbounded_channel();
        let studio = Studio::new(setup, studio_events, tasks.clone());
        let actor = actor::Actor::new(actor::Parts {
            config,
            seat: seat.clone(),
            channel,
            access,
            studio,
            studio_events: studio_events_in,
            orders: orders_in,
            rng,
            tasks: tasks.clone(),
            wants_camera,
            wants_microphone,
            has_microphone,
            chosen,
            microphone_state,
        });
        tasks.spawn(actor.run());
        SessionHandle { orders, seat, court }
    }
}

/// The way to a running session. Clones are the same session.
#[derive(Clone)]
pub struct SessionHandle {
    orders: mpsc::UnboundedSender<Order>,
    seat: Option<SeatTaken>,
    court: Option<Court>,
}

impl SessionHandle {
    fn tell(&self, order: Order) {
        // After the end there is nobody to tell.
        let _ = self.orders.send(order);
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, HostError> {
        let (answer, answered) = oneshot::channel();
        self.orders
            .send(order(answer))
            .map_err(|_| HostError::NoSession)?;
        answered.await.map_err(|_| HostError::NoSession)
    }

    /// The seat that is held; none in a plain room and in a rehearsal.
    pub fn seat(&self) -> Option<&SeatTaken> {
        self.seat.as_ref()
    }

    /// The session has ended: left, replaced, removed, or the hearing is closed. Nothing brings it back.
    pub fn is_over(&self) -> bool {
        self.orders.is_closed()
    }

    /// Everything that happens, from the whole state on. A later call ends the earlier reader (the page was reloaded).
    pub fn events(&self) -> mpsc::Receiver<HostEvent> {
        let (sender, receiver) = mpsc::channel(EVENT_LIMIT);
        self.tell(Order::Events(sender));
        receiver
    }

    /// Sends a command and waits for its reply, over reconnects too.
    pub async fn command(&self, command: SendCommand) -> Result<Outcome, HostError> {
        self.ask(|answer| Order::Command(command, answer)).await
    }

    /// How large each track is shown; tracks left out are not shown.
    pub fn views(&self, views: Vec<TrackView>) {
        self.tell(Order::Views(views));
    }

    /// The decoder of a slot needs a key picture.
    pub fn request_key(&self, slot: u32) {
        self.tell(Order::RequestKey(slot));
    }

    /// Own microphone or camera; in a hearing the court is told.
    pub fn switch(&self, switch: SwitchMedia) {
        self.tell(Order::Switch(switch));
    }

    /// Another device, also while running.
    pub async fn choose(&self, choice: ChooseDevice) -> Result<DeviceList, HostError> {
        self.ask(|answer| Order::Choose(choice, answer)).await
    }

    /// All devices, and which are in use.
    pub async fn devices(&self) -> Result<DeviceList, HostError> {
        self.ask(Order::Devices).await
    }

    /// Watches camera, microphone and network for three seconds.
    pub async fn quick_check(&self) -> Result<QuickCheck, HostError> {
        let round_trip = async {
            match &self.court {
                Some(court) => court.reach().await,
                None => None,
            }
        };
        let watch = async {
            let mut loudest = -90.0f32;
            for _ in 0..(QUICK_CHECK.as_millis() / 100) {
                tokio::time::sleep(Duration::from_millis(100)).await;
                loudest = loudest.max(self.ask(Order::Probe).await?.peak_db);
            }
            Ok::<_, HostError>((self.ask(Order::Probe).await?, loudest))
        };
        let (round_trip, watched) = tokio::join!(round_trip, watch);
        let (probe, loudest_db) = watched?;
        Ok(QuickCheck {
            camera: probe.camera,
            microphone: probe.microphone,
            loudest_db,
            server_reachable: round_trip.is_some(),
            rtt_ms: round_trip.map(|rtt| rtt.as_millis() as u32),
            media_reachable: probe.media_up,
        })
    }

    /// Looks at the running camera's pictures for two seconds; waits for one that is being opened.
    ///
    /// # Errors
    /// [`HostError::Device`] with [`DeviceFault::Missing`](protocol::DeviceFault::Missing) while its owner has it switched
    /// off, and [`DeviceFault::Busy`](protocol::DeviceFault::Busy) while another look is under way. A camera that does not
    /// run is no error but what was found.
    pub async fn look(&self) -> Result<CameraFacts, HostError> {
        self.ask(|answer| Order::Check(CheckOrder::Look(answer))).await?
    }

    /// Listens to the microphone for five seconds, whether or not it is muted, and changes nothing of that. What was heard is
    /// kept for [`SessionHandle::replay`] until the next time, or until the session ends.
    ///
    /// # Errors
    /// [`HostError::Device`], busy, while another check uses the sound.
    pub async fn hear(&self) -> Result<Voice, HostError> {
        self.ask(|answer| Order::Check(CheckOrder::Hear(answer))).await?
    }

    /// Plays on the loudspeaker what was heard; returns when it is over.
    ///
    /// # Errors
    /// [`HostError::Device`]: busy while another check uses the sound or the others in the room hear this microphone,
    /// missing when nothing was heard before, else the loudspeaker's fault.
    pub async fn replay(&self) -> Result<(), HostError> {
        self.ask(|answer| Order::Check(CheckOrder::Replay(answer)))
            .await?
    }

    /// Plays chirps on the loudspeaker and listens for them with the microphone, for four to nine seconds. The microphone is
    /// kept closed to the others meanwhile, also when its owner opens it.
    ///
    /// # Errors
    /// [`HostError::Device`]: busy while another check uses the sound or the others in the room hear this microphone,
    /// missing where there is no loudspeaker.
    pub async fn measure_loop(&self) -> Result<SpeakerFacts, HostError> {
        self.ask(|answer| Order::Check(CheckOrder::Loop(answer))).await?
    }

    /// Turns the camera's pictures by 180° for everybody, or back; it stays so when a camera is opened again.
    pub fn turn_picture(&self, turned: bool) {
        self.tell(Order::Turn(turned));
    }

    /// 一键修复: carries out what the person agreed to, and returns when it is done.
    ///
    /// # Errors
    /// Why it did not help: [`HostError::Device`] with the device's fault (missing: there is no other; broken: the microphone
    /// is as loud as it gets; denied: the court holds it closed; hung: nothing within the limit; busy: another fix is under
    /// way), [`HostError::Unreachable`] when no connection came back.
    pub async fn fix(&self, fix: DeviceFix) -> Result<(), HostError> {
        self.ask(|answer| Order::Fix(fix, answer)).await?
    }

    /// Plays the test sound.
    pub fn play_test_sound(&self) {
        self.tell(Order::Chime);
    }

    /// Where sound from elsewhere is played, beside that of the session's own room.
    pub(crate) async fn sound(&self) -> Result<Arc<dyn Sound>, HostError> {
        self.ask(Order::Sound).await
    }

    /// Shares a screen or window by its id from [`crate::devices::shareable`]; `synthetic` shares a drawn one.
    pub async fn share_start(&self, id: String) -> Result<(), HostError> {
        self.ask(|answer| Order::ShareStart(id, answer)).await?
    }

    /// Stops sharing.
    pub fn share_stop(&self) {
        self.tell(Order::ShareStop);
    }

    /// Counters.
    pub async fn stats(&self) -> Result<SessionStats, HostError> {
        self.ask(Order::Stats).await
    }

    /// Tries the lost way to the court now; nothing while it is not lost.
    pub fn retry_now(&self) {
        self.tell(Order::Retry);
    }

    /// Drops all connections without a word, as a dead network would; for tests.
    pub fn sever(&self) {
        self.tell(Order::Sever);
    }

    /// Ends this program's part, says why, and closes all devices.
    pub fn end(&self, cause: DropCause) {
        self.tell(Order::End(cause));
    }
}

/// The device kind of an own switch.
fn kind_of(kind: protocol::MediaKind) -> DeviceKind {
    match kind {
        protocol::MediaKind::Audio => DeviceKind::Microphone,
        protocol::MediaKind::Video => DeviceKind::Camera,
    }
}
