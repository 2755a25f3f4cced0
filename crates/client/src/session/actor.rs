//! The session's one task: what the court says, what the owner wishes and what the devices do, brought together.

mod checks;
mod fixes;
mod sources;
mod tells;

use super::condition::{Follower, Teller};
use super::standing::Standing;
use super::{Order, Probe, SessionConfig, SessionStats, kind_of};
use crate::channel::{ChannelEvent, ChannelHandle};
use crate::devices;
use crate::room::{
    self, OwnVideo, Publication, RemoteTrack, RoomAccess, RoomEvent, RoomHandle, RoomSetup, RoomStats,
};
use crate::studio::{CAMERA_SLOT, SCREEN_SLOT, Studio, StudioEvent, fault_of, running_state, sound_fault_of};
use media::audio::AudioEvent;
use media::screen::{ScreenChoice, ScreenId};
use media::video::{SourceError, VideoEvent};
use protocol::{
    ByeReason, Command, CommandId, DeviceFault, DeviceKind, DeviceList, DeviceState, DropCause, HostError,
    HostEvent, LinkState, MediaAccess, MediaKind, NetReport, Outcome, SeatId, SeatTaken, SendCommand,
    ServerFrame, TrackInfo, TrackSource, TrackView,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::task::TaskTracker;

/// Waits and changes of state are looked at this often.
const TICK: Duration = Duration::from_millis(100);
/// Levels are said thirty times a second: the eye takes that for a movement.
const METER: Duration = Duration::from_micros(33_333);
/// The network is reported this often.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// How long "talking while muted" is shown after the last word.
const TALKING_FOR: Duration = Duration::from_millis(1_500);
/// A room that ended although the seat is still held is entered again after this time.
const ENTER_AGAIN: Duration = Duration::from_secs(2);
/// Quieter than this is silence, in dB below full scale.
const SILENCE_DB: f32 = -90.0;

/// What an actor is made of.
pub(super) struct Parts {
    pub(super) config: SessionConfig,
    pub(super) seat: Option<SeatTaken>,
    pub(super) channel: Option<(ChannelHandle, mpsc::Receiver<ChannelEvent>)>,
    pub(super) access: Option<RoomAccess>,
    pub(super) studio: Studio,
    pub(super) studio_events: mpsc::UnboundedReceiver<StudioEvent>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) rng: ChaCha8Rng,
    pub(super) tasks: TaskTracker,
    pub(super) wants_camera: bool,
    pub(super) wants_microphone: bool,
    pub(super) has_microphone: bool,
    /// Chosen devices' ids.
    pub(super) chosen: DeviceList,
    /// How the microphone is before the sound engine says anything.
    pub(super) microphone_state: DeviceState,
}

/// The owner's wish for one device, and how many of our own switch commands are under way.
#[derive(Clone, Copy, Default)]
struct Wish {
    on: bool,
    under_way: u32,
}

/// What one of the session's own commands was for.
#[derive(Clone, Copy)]
enum Errand {
    /// Switch the device of this kind on or off.
    Switch(MediaKind, bool),
    Share,
    /// Tell how the own devices are.
    Devices,
}

pub(super) struct Actor {
    config: SessionConfig,
    own: SeatId,
    channel: Option<ChannelHandle>,
    channel_events: Option<mpsc::Receiver<ChannelEvent>>,
    access: Option<RoomAccess>,
    /// When the court last gave it.
    access_at: Instant,
    enter_at: Option<Instant>,
    room: Option<RoomHandle>,
    room_events: Option<mpsc::Receiver<RoomEvent>>,
    studio: Studio,
    studio_events: mpsc::UnboundedReceiver<StudioEvent>,
    orders: mpsc::UnboundedReceiver<Order>,
    found: mpsc::UnboundedReceiver<DeviceList>,
    finds: mpsc::UnboundedSender<DeviceList>,
    rng: ChaCha8Rng,
    tasks: TaskTracker,
    /// Commands of the session's own, and the page's switch commands, that have no reply yet.
    errands: HashMap<CommandId, Errand>,

    standing: Option<Standing>,
    microphone: Wish,
    camera: Wish,
    has_microphone: bool,
    microphone_state: DeviceState,
    camera_state: DeviceState,
    camera_opening: bool,
    /// None where nothing was said of it.
    speaker_state: Option<DeviceState>,
    checks: checks::Checks,
    checked: mpsc::UnboundedReceiver<checks::Checked>,
    repair: Option<fixes::Repair>,
    began: Instant,
    conditions: Follower,
    teller: Teller,
    sharing: Option<Option<oneshot::Sender<Result<(), HostError>>>>,
    device_list: DeviceList,
    device_askers: Vec<oneshot::Sender<DeviceList>>,

    page: Option<mpsc::Sender<HostEvent>>,
    page_missed: bool,
    link: LinkState,
    media_link: LinkState,
    tracks: Vec<RemoteTrack>,
    views: Option<Vec<TrackView>>,
    speakers: Vec<String>,
    stats: RoomStats,
    channel_rtt_ms: u32,
    reported_at: Instant,
    talking_until: Option<Instant>,
}

enum Flow {
    GoOn,
    Stop,
}

impl Actor {
    pub(super) fn new(parts: Parts) -> Self {
        let (channel, channel_events) = parts.channel.unzip();
        let (finds, found) = mpsc::unbounded_channel();
        let (checks, checked) = checks::Checks::new();
        let own = parts
            .seat
            .as_ref()
            .map_or_else(|| SeatId::from("own"), |seat| seat.seat.clone());
        let now = Instant::now();
        Self {
            standing: parts.seat.map(|seat| Standing::new(seat.seat)),
            config: parts.config,
            own,
            channel,
            channel_events,
            enter_at: parts.access.is_some().then_some(now),
            access: parts.access,
            access_at: now,
            room: None,
            room_events: None,
            studio: parts.studio,
            studio_events: parts.studio_events,
            orders: parts.orders,
            found,
            finds,
            rng: parts.rng,
            tasks: parts.tasks,
            errands: HashMap::new(),
            microphone: Wish {
                on: parts.wants_microphone,
                under_way: 0,
            },
            camera: Wish {
                on: parts.wants_camera,
                under_way: 0,
            },
            has_microphone: parts.has_microphone,
            microphone_state: parts.microphone_state,
            camera_state: DeviceState::Off,
            camera_opening: false,
            speaker_state: None,
            checks,
            checked,
            repair: None,
            began: now,
            conditions: Follower::default(),
            teller: Teller::default(),
            sharing: None,
            device_list: parts.chosen,
            device_askers: Vec::new(),
            page: None,
            page_missed: false,
            link: LinkState::Connecting,
            media_link: LinkState::Connecting,
            tracks: Vec::new(),
            views: None,
            speakers: Vec::new(),
            stats: RoomStats::default(),
            channel_rtt_ms: 0,
            reported_at: now,
            talking_until: None,
        }
    }

    pub(super) async fn run(mut self) {
        self.look_for_devices();
        self.apply();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut meter = interval(METER);
        meter.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let flow = tokio::select! {
                event = next(&mut self.channel_events) => self.channel_event(event),
                event = next(&mut self.room_events) => self.room_event(event),
                Some(event) = self.studio_events.recv() => { self.studio_event(event); Flow::GoOn }
                Some(list) = self.found.recv() => { self.devices_found(list); Flow::GoOn }
                order = self.orders.recv() => match order {
                    Some(order) => self.order(order),
                    None => { self.goodbye(DropCause::WindowClosed); Flow::Stop }
                },
                Some(checked) = self.checked.recv() => { self.checked(checked); Flow::GoOn }
                _ = meter.tick(), if self.is_metered() => { self.say_level(); Flow::GoOn }
                _ = tick.tick() => { self.tick(); Flow::GoOn }
            };
            if let Flow::Stop = flow {
                break;
            }
        }
        if let Some(room) = self.room.take() {
            room.leave();
        }
        self.studio.shut();
        self.say_tracks();
        self.device(DeviceKind::Camera, DeviceState::Off);
        self.device(DeviceKind::Microphone, DeviceState::Off);
    }

    fn goodbye(&self, cause: DropCause) {
        if let Some(channel) = &self.channel {
            channel.goodbye(cause);
        }
    }

    // --- the page ---

    /// Tells the page. A page that does not read is not waited for; it gets a fresh state when it reads again.
    fn say(&mut self, event: HostEvent) {
        if let Some(page) = &self.page {
            match page.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => self.page_missed = true,
                Err(mpsc::error::TrySendError::Closed(_)) => self.page = None,
            }
        }
    }

    /// Says the whole state, and asks the court for a snapshot.
    fn say_everything(&mut self) {
        if let Some(channel) = &self.channel {
            channel.refresh();
        }
        self.say(HostEvent::Link {
            state: self.link.clone(),
        });
        self.say(HostEvent::MediaLink {
            state: self.media_link.clone(),
        });
        self.say(HostEvent::Devices {
            list: self.device_list.clone(),
        });
        self.say(HostEvent::Device {
            kind: DeviceKind::Camera,
            state: self.camera_state.clone(),
        });
        self.say(HostEvent::Device {
            kind: DeviceKind::Microphone,
            state: self.microphone_state.clone(),
        });
        self.say_tracks();
        self.say_speakers();
    }

    fn say_tracks(&mut self) {
        let mut tracks = Vec::new();
        for (source, slot) in [
            (TrackSource::Camera, CAMERA_SLOT),
            (TrackSource::Screen, SCREEN_SLOT),
        ] {
            if let Some(running) = self.studio.running(source) {
                tracks.push(TrackInfo {
                    slot,
                    seat: self.own.clone(),
                    source,
                    own: true,
                    muted: false,
                    width: running.format.width,
                    height: running.format.height,
                });
            }
        }
        tracks.extend(self.tracks.iter().map(RemoteTrack::told));
        self.say(HostEvent::Tracks { tracks });
    }

    fn say_speakers(&mut self) {
        let seats = self
            .speakers
            .iter()
            .map(|identity| SeatId(identity.clone()))
            .collect();
        self.say(HostEvent::Speakers { seats });
    }

    fn device(&mut self, kind: DeviceKind, state: DeviceState) {
        let known = match kind {
            DeviceKind::Camera => &mut self.camera_state,
            DeviceKind::Microphone => &mut self.microphone_state,
            DeviceKind::Speaker => {
                self.speaker_state = Some(state.clone());
                self.say(HostEvent::Device {
                    kind,
                    state: state.clone(),
                });
                self.fix_device(kind, &state);
                return;
            }
        };
        if *known != state {
            *known = state.clone();
            self.say(HostEvent::Device {
                kind,
                state: state.clone(),
            });
            self.fix_device(kind, &state);
            self.look_on();
        }
    }

    // --- the court ---

    fn channel_event(&mut self, event: Option<ChannelEvent>) -> Flow {
        match event {
            Some(ChannelEvent::Link(state)) => {
                self.link = state.clone();
                self.say(HostEvent::Link { state });
                self.fix_link();
            }
            Some(ChannelEvent::RoundTrip(ms)) => self.channel_rtt_ms = ms,
            Some(ChannelEvent::Frame(frame)) => {
                self.court_says(&frame);
                self.say(HostEvent::Channel { frame });
            }
            // Over for good: the page was told by the last link state.
            None => return Flow::Stop,
        }
        Flow::GoOn
    }

    fn court_says(&mut self, frame: &ServerFrame) {
        if let ServerFrame::Welcome {
            media: Some(access), ..
        }
        | ServerFrame::Media { media: access } = frame
        {
            self.media_access(access);
        }
        let Some(standing) = &mut self.standing else {
            return;
        };
        if matches!(frame, ServerFrame::Welcome { .. } | ServerFrame::Snapshot { .. }) {
            self.teller.refreshed();
        }
        let verdict = standing.follow(frame);
        let over = standing.over();
        // Our own switch commands come back as events; only what the court did by itself voids the wish.
        if verdict.mic_closed && (self.microphone.under_way == 0 || verdict.mic_locked) {
            self.microphone.on = false;
        }
        if verdict.camera_closed && (self.camera.under_way == 0 || verdict.camera_locked) {
            self.camera.on = false;
        }
        if verdict.share_stopped && self.studio.running(TrackSource::Screen).is_some() {
            self.stop_share();
            self.say(HostEvent::ShareEnded);
        }
        if let ServerFrame::Reply { command_id, outcome } = frame {
            self.replied(command_id, *outcome);
        }
        if over && !matches!(self.media_link, LinkState::Ended { .. }) {
            self.end_media(ByeReason::HearingEnded);
        }
        self.apply();
    }

    /// The media room is over for good; only a new access from the court opens another.
    fn end_media(&mut self, reason: ByeReason) {
        if let Some(room) = self.room.take() {
            room.leave();
        }
        self.access = None;
        self.enter_at = None;
        self.room_gone(LinkState::Ended { reason });
    }

    /// What there was of the room is forgotten.
    fn room_gone(&mut self, state: LinkState) {
        self.room = None;
        self.room_events = None;
        self.tracks.clear();
        self.speakers.clear();
        self.say_tracks();
        self.say_speakers();
        self.media_link = state.clone();
        self.say(HostEvent::MediaLink { state });
        self.fix_link();
    }

    fn media_access(&mut self, access: &MediaAccess) {
        let url = if access.url.is_empty() {
            Ok(self.config.server.clone())
        } else {
            self.config.server.join(&access.url)
        };
        let Ok(url) = url else {
            tracing::warn!("the media address is not an address");
            return;
        };
        let access = RoomAccess {
            url,
            token: access.token.clone(),
        };
        self.access = Some(access.clone());
        self.access_at = Instant::now();
        match &self.room {
            Some(room) => room.access(access),
            None => self.enter_room(),
        }
    }

    fn enter_room(&mut self) {
        self.enter_at = None;
        let Some(access) = self.access.clone() else { return };
        let setup = RoomSetup {
            client: self.config.client.clone(),
            frames: self.studio.frames(),
            sound: self.studio.sound(),
            rng: ChaCha8Rng::from_rng(&mut self.rng),
            tasks: self.tasks.clone(),
        };
        let (room, events) = room::enter(access, setup, self.studio.outgoing());
        if let Some(views) = &self.views {
            room.views(views.clone());
        }
        self.room = Some(room);
        self.room_events = Some(events);
        if self.has_microphone {
            self.publish(TrackSource::Microphone);
        }
        for source in [TrackSource::Camera, TrackSource::Screen] {
            if self.studio.running(source).is_some() {
                self.publish(source);
            }
        }
    }

    fn may_send(&self, source: TrackSource) -> bool {
        let wished = match source {
            TrackSource::Microphone => self.microphone.on,
            TrackSource::Camera => self.camera.on,
            TrackSource::Screen => true,
        };
        wished
            && self
                .standing
                .as_ref()
                .is_none_or(|standing| standing.may_send(source))
    }

    fn publish(&self, source: TrackSource) {
        let Some(room) = &self.room else { return };
        let video = self.studio.running(source).map(|running| OwnVideo {
            config: running.config.clone(),
            control: running.control(),
        });
        room.publish(Publication {
            source,
            muted: !self.may_send(source),
            video,
        });
    }

    /// Makes devices and room agree with the wishes and with what the court allows.
    fn apply(&mut self) {
        let speaks = self.has_microphone && self.may_send(TrackSource::Microphone) && !self.checks.is_loud();
        self.studio.set_microphone(speaks);
        let may_open = self
            .standing
            .as_ref()
            .is_none_or(|standing| standing.may_open(MediaKind::Video));
        let camera_open = self.camera.on && may_open && self.studio.has_camera();
        let running = self.studio.running(TrackSource::Camera).is_some();
        if camera_open && !running && !self.camera_opening {
            self.camera_opening = true;
            self.device(DeviceKind::Camera, DeviceState::Opening);
            self.studio.open_camera();
        } else if !camera_open && running {
            self.studio.close(TrackSource::Camera);
            self.device(DeviceKind::Camera, DeviceState::Off);
            self.say_tracks();
        }
        if let Some(room) = &self.room {
            room.mute(TrackSource::Microphone, !speaks);
            room.mute(TrackSource::Camera, !self.may_send(TrackSource::Camera));
            room.mute(TrackSource::Screen, !self.may_send(TrackSource::Screen));
        }
        self.tell_switches();
    }

    /// Tells the court how the own switches stand, once in court.
    fn tell_switches(&mut self) {
        let Some(standing) = self.standing.clone().filter(Standing::in_court) else {
            return;
        };
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let wish = match kind {
                MediaKind::Audio => &mut self.microphone,
                MediaKind::Video => &mut self.camera,
            };
            if wish.under_way > 0
                || wish.on == standing.on_record(kind)
                || (wish.on && !standing.may_open(kind))
            {
                continue;
            }
            wish.under_way += 1;
            let on = wish.on;
            let command = match kind {
                MediaKind::Audio => Command::SelfMic { on },
                MediaKind::Video => Command::SelfCamera { on },
            };
            self.send(command, Errand::Switch(kind, on));
        }
    }

    /// Sends a command of the session's own.
    fn send(&mut self, command: Command, errand: Errand) {
        let Some(channel) = &self.channel else { return };
        let command_id = CommandId(format!("s{:016x}", self.rng.random::<u64>()));
        self.errands.insert(command_id.clone(), errand);
        // The reply is taken from the channel's frames, where it comes after the events that it caused.
        drop(channel.command(SendCommand {
            command_id,
            expected_seq: None,
            command,
        }));
    }

    fn devices_found(&mut self, mut list: DeviceList) {
        list.camera = self.device_list.camera.take();
        list.microphone = self.device_list.microphone.take();
        list.speaker = self.device_list.speaker.take();
        self.device_list = list.clone();
        for asker in self.device_askers.drain(..) {
            let _ = asker.send(list.clone());
        }
        self.say(HostEvent::Devices { list });
        self.fix_listed();
    }

    fn replied(&mut self, id: &CommandId, outcome: Outcome) {
        match (self.errands.remove(id), outcome) {
            (Some(Errand::Switch(kind, on)), outcome) => {
                let on_record = self
                    .standing
                    .as_ref()
                    .is_some_and(|standing| standing.on_record(kind));
                let wish = self.wish(kind);
                wish.under_way = wish.under_way.saturating_sub(1);
                if let Outcome::Rejected { code } = outcome {
                    tracing::info!(?code, ?kind, "the court did not take the switch");
                    // Asking again and again would not help; what the court has on record holds.
                    wish.on = on_record;
                } else if wish.on == on && wish.under_way == 0 {
                    // The events come before the reply: where the record differs, the court has acted since.
                    wish.on = on_record;
                }
            }
            (Some(Errand::Devices), outcome) => {
                if let Outcome::Rejected { code } = outcome {
                    tracing::info!(?code, "the court did not take how the devices are");
                }
                self.teller.answered(!matches!(outcome, Outcome::Rejected { .. }));
            }
            (Some(Errand::Share), Outcome::Rejected { code }) if self.sharing.is_some() => {
                tracing::info!(?code, "the court did not allow the share");
                self.stop_share();
                self.say(HostEvent::ShareEnded);
            }
            _ => {}
        }
    }

    fn wish(&mut self, kind: MediaKind) -> &mut Wish {
        match kind {
            MediaKind::Audio => &mut self.microphone,
            MediaKind::Video => &mut self.camera,
        }
    }

    // --- the media room ---

    fn look_for_devices(&self) {
        let finds = self.finds.clone();
        self.tasks
            .spawn_blocking(move || drop(finds.send(devices::list())));
    }

    fn stop_share(&mut self) {
        self.sharing = None;
        self.studio.close(TrackSource::Screen);
        if let Some(room) = &self.room {
            room.unpublish(TrackSource::Screen);
        }
        self.say_tracks();
    }

    // --- orders ---

    fn order(&mut self, order: Order) -> Flow {
        match order {
            Order::Events(page) => {
                self.page = Some(page);
                self.page_missed = false;
                self.say_everything();
            }
            Order::Command(command, answer) => self.command(command, answer),
            Order::Views(views) => {
                self.studio.views(views.clone());
                if let Some(room) = &self.room {
                    room.views(views.clone());
                }
                self.views = Some(views);
            }
            Order::RequestKey(slot) => self.request_key(slot),
            Order::Switch(switch) => {
                let wish = match switch.kind {
                    MediaKind::Audio => &mut self.microphone,
                    MediaKind::Video => &mut self.camera,
                };
                wish.on = switch.on;
                if !switch.on && kind_of(switch.kind) == DeviceKind::Camera {
                    self.device(DeviceKind::Camera, DeviceState::Off);
                }
                self.apply();
            }
            Order::Choose(choice, answer) => {
                self.choose(choice.kind, choice.id);
                self.device_askers.push(answer);
                self.look_for_devices();
            }
            Order::Check(order) => self.check(order),
            Order::Turn(turned) => self.studio.turn(turned),
            Order::Fix(fix, answer) => self.fix(fix, answer),
            Order::Devices(answer) => {
                self.device_askers.push(answer);
                self.look_for_devices();
            }
            Order::Probe(answer) => {
                let probe = Probe {
                    camera: self.camera_state.clone(),
                    microphone: self.microphone_state.clone(),
                    peak_db: self.studio.levels().capture.peak_dbfs,
                    media_up: self.room.is_some().then_some(self.media_link == LinkState::Live),
                };
                let _ = answer.send(probe);
            }
            Order::Chime => self.studio.play_chime(),
            Order::Sound(answer) => drop(answer.send(self.studio.sound())),
            Order::ShareStart(id, answer) => {
                let choice = if id == "synthetic" {
                    ScreenChoice::Synthetic { seed: 1 }
                } else {
                    ScreenChoice::Device(ScreenId(id))
                };
                self.sharing = Some(Some(answer));
                self.studio.open_screen(choice);
            }
            Order::ShareStop => {
                if self.sharing.is_some() {
                    self.stop_share();
                    self.send(Command::ShareStop { seat: None }, Errand::Share);
                }
            }
            Order::Stats(answer) => {
                let _ = answer.send(SessionStats {
                    room: self.stats.clone(),
                    heard: self.studio.heard(),
                });
            }
            Order::Retry => {
                if let Some(channel) = &self.channel {
                    channel.retry_now();
                }
                if let Some(room) = &self.room {
                    room.retry_now();
                }
            }
            Order::Sever => self.sever(),
            Order::End(cause) => {
                self.goodbye(cause);
                return Flow::Stop;
            }
        }
        Flow::GoOn
    }

    /// Drops both connections without a word; they are made anew at once.
    fn sever(&self) {
        if let Some(channel) = &self.channel {
            channel.sever();
        }
        if let Some(room) = &self.room {
            room.sever();
        }
    }

    fn command(&mut self, command: SendCommand, answer: oneshot::Sender<Outcome>) {
        let Some(channel) = &self.channel else { return };
        let answered = channel.command(command.clone());
        // A switch command of the page is the owner's wish like any other.
        let kind = match command.command {
            Command::SelfMic { on } => Some((MediaKind::Audio, on)),
            Command::SelfCamera { on } => Some((MediaKind::Video, on)),
            _ => None,
        };
        if let Some((kind, on)) = kind
            && self
                .errands
                .insert(command.command_id, Errand::Switch(kind, on))
                .is_none()
        {
            let wish = self.wish(kind);
            wish.on = on;
            wish.under_way += 1;
            self.apply();
        }
        self.tasks.spawn(async move {
            if let Ok(outcome) = answered.await {
                let _ = answer.send(outcome);
            }
        });
    }

    fn request_key(&self, slot: u32) {
        let own = match slot {
            CAMERA_SLOT => Some(TrackSource::Camera),
            SCREEN_SLOT => Some(TrackSource::Screen),
            _ => None,
        };
        match own.map(|source| self.studio.running(source)) {
            Some(Some(running)) => running.control().force_preview_key(),
            Some(None) => {}
            None => {
                if let Some(room) = &self.room {
                    room.request_key(slot);
                }
            }
        }
    }

    fn choose(&mut self, kind: DeviceKind, id: Option<String>) {
        self.studio.choose(kind, id.as_deref());
        match kind {
            DeviceKind::Microphone => {
                self.device_list.microphone = id;
                // The first one of somebody who had none: the room does not know it yet.
                if !std::mem::replace(&mut self.has_microphone, true) {
                    self.publish(TrackSource::Microphone);
                }
            }
            DeviceKind::Speaker => self.device_list.speaker = id,
            DeviceKind::Camera => {
                self.device_list.camera = id;
                if self.studio.running(TrackSource::Camera).is_some() || self.camera_opening {
                    // Opened anew at once; the old one is closed by it.
                    self.camera_opening = true;
                    self.device(DeviceKind::Camera, DeviceState::Opening);
                    self.studio.open_camera();
                }
            }
        }
        self.apply();
    }

    // --- time ---

    fn tick(&mut self) {
        let now = Instant::now();
        if self.page_missed
            && self
                .page
                .as_ref()
                .is_some_and(|page| page.capacity() > page.max_capacity() / 2)
        {
            self.page_missed = false;
            self.say_everything();
        }
        if let Some(at) = self.enter_at
            && now >= at
            && self.room.is_none()
        {
            self.enter_room();
        }
        self.fix_overdue(now);
        self.look_overdue(now);
        self.tell_devices(now);
        if now >= self.reported_at + REPORT_EVERY {
            self.reported_at = now;
            self.report();
        }
    }

    fn report(&mut self) {
        if self.room.is_none() || self.media_link != LinkState::Live {
            return;
        }
        let report = NetReport {
            rtt_ms: self.channel_rtt_ms.max(self.stats.rtt_ms),
            loss: self.stats.loss,
            jitter_ms: self.stats.jitter_ms,
        };
        if let Some(channel) = &self.channel {
            channel.report(report);
        }
        self.say(HostEvent::Network {
            quality: report.quality(),
            rtt_ms: report.rtt_ms,
            loss: report.loss,
            sending_kbps: self.stats.sending_kbps,
            receiving_kbps: self.stats.receiving_kbps,
        });
    }
}

/// The next event; never comes when there is no source of events.
async fn next<T>(events: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}
