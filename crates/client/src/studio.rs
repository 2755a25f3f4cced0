//! The devices of one participant: camera, microphone, loudspeaker, shared screen, and the encoders behind them.
//!
//! Devices are opened off the async threads and may fail or hang one by one; whatever works, works. The studio knows
//! nothing of rooms: encoded media goes into a queue, previews to the frame sink.

use crate::frames::{FrameSink, Numbering};
use crate::room::{OUTGOING_LIMIT, Outgoing, Sound, SoundTrack, Views};
use bytes::Bytes;
use media::audio::{
    AudioDeviceId, AudioEngine, AudioError, AudioEvent, AudioHandle, AudioSettings, CaptureChoice, Levels,
    PlaybackChoice, Processing, RtpAudio, TrackInput, TrackOptions, TrackStats,
};
use media::clock::{MediaClock, Timestamp};
use media::screen::{ScreenChoice, open_screen};
use media::video::{
    CameraChoice, CameraId, CaptureFormat, Content, EncodedFrame as Encoded, SimulcastConfig, SourceError,
    VideoControl, VideoEvent, VideoSender, open_camera,
};
use protocol::{DeviceFault, DeviceKind, DeviceList, DeviceState, TrackSource, TrackView};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// Slot of the own camera's preview.
pub const CAMERA_SLOT: u32 = 1;
/// Slot of the own screen's preview.
pub const SCREEN_SLOT: u32 = 2;
/// A camera that shows nothing for so long after opening counts as hung.
const OPEN_LIMIT: Duration = Duration::from_secs(6);
/// A microphone is made louder by so much at a time, …
const INPUT_STEP_DB: f32 = 6.0;
/// … and by so much in all: more raises mostly the noise.
const INPUT_MOST_DB: f32 = 18.0;
/// Frames a second of a shared screen.
const SCREEN_FPS: f32 = 10.0;

/// Receives 10 ms blocks of decoded sound of one remote track, 48 kHz mono.
pub type Tap = Box<dyn FnMut(&[f32]) + Send>;
/// Makes a tap for a remote track (slot, identity), for measuring.
pub type TapMaker = Arc<dyn Fn(u32, &str) -> Option<Tap> + Send + Sync>;

/// Which devices, and where their pictures go.
#[derive(Clone)]
pub struct MediaSetup {
    /// None: this participant has no camera at all.
    pub camera: Option<CameraChoice>,
    /// The wish for the camera's size and rate.
    pub format: CaptureFormat,
    /// None: this participant has no microphone at all.
    pub microphone: Option<CaptureChoice>,
    /// Where the others are heard.
    pub speaker: PlaybackChoice,
    /// Echo, noise and gain processing; off for measured tones.
    pub processing: bool,
    /// The camera begins switched on.
    pub camera_on: bool,
    /// The microphone begins switched on.
    pub microphone_on: bool,
    /// Takes all pictures.
    pub frames: Arc<dyn FrameSink>,
    /// Own pictures go there too.
    pub preview: bool,
    /// The camera's pictures are turned by 180°, for everybody.
    pub turned: bool,
    /// For measuring received sound.
    pub tap: Option<TapMaker>,
    /// The program's media clock.
    pub clock: MediaClock,
}

/// A microphone or loudspeaker that runs; it has no picture size.
pub(crate) fn sound_device_on(device: String) -> DeviceState {
    DeviceState::On {
        device,
        width: 0,
        height: 0,
        fps: 0,
    }
}

impl MediaSetup {
    /// A person at this machine: default devices, seen from the start and heard once they open the microphone themselves.
    pub fn devices(frames: Arc<dyn FrameSink>, clock: MediaClock) -> Self {
        Self {
            camera: Some(CameraChoice::Default),
            format: CaptureFormat {
                width: 1_280,
                height: 720,
                fps: 30.0,
            },
            microphone: Some(CaptureChoice::Default),
            speaker: PlaybackChoice::Default,
            processing: true,
            camera_on: true,
            microphone_on: false,
            frames,
            preview: true,
            turned: false,
            tap: None,
            clock,
        }
    }

    /// A moving test picture and a quiet tone, heard on the default loudspeaker: a machine without devices.
    pub fn synthetic(frames: Arc<dyn FrameSink>, clock: MediaClock) -> Self {
        Self {
            camera: Some(CameraChoice::Synthetic { seed: 1 }),
            microphone: Some(CaptureChoice::Tone {
                hz: 440.0,
                dbfs: -40.0,
            }),
            processing: false,
            ..Self::devices(frames, clock)
        }
    }

    /// Synthetic sources, no loudspeaker and no preview.
    pub fn headless(
        camera: Option<CameraChoice>,
        microphone: Option<CaptureChoice>,
        frames: Arc<dyn FrameSink>,
        clock: MediaClock,
    ) -> Self {
        Self {
            camera_on: camera.is_some(),
            microphone_on: microphone.is_some(),
            camera,
            microphone,
            speaker: PlaybackChoice::Null,
            processing: false,
            preview: false,
            ..Self::devices(frames, clock)
        }
    }

    /// Takes another device; none follows the system's default.
    pub fn choose(&mut self, kind: DeviceKind, id: Option<&str>) {
        let sound = |id: &str| AudioDeviceId(id.to_owned());
        match kind {
            DeviceKind::Camera => {
                let device = |id: &str| CameraChoice::Device(CameraId(id.to_owned()));
                self.camera = Some(id.map_or(CameraChoice::Default, device));
            }
            DeviceKind::Microphone => {
                let device = |id| CaptureChoice::Device(sound(id));
                self.microphone = Some(id.map_or(CaptureChoice::Default, device));
            }
            DeviceKind::Speaker => {
                self.speaker = id.map_or(PlaybackChoice::Default, |id| PlaybackChoice::Device(sound(id)));
            }
        }
    }

    /// How the microphone is at the start. Drawn sound runs at once, and the engine says nothing of it unless it fails.
    pub fn microphone_state(&self) -> DeviceState {
        match &self.microphone {
            None => DeviceState::Off,
            Some(CaptureChoice::Default | CaptureChoice::Device(_)) => DeviceState::Opening,
            Some(CaptureChoice::Wav { .. } | CaptureChoice::Tone { .. } | CaptureChoice::Silence) => {
                sound_device_on("Synthetic microphone".to_owned())
            }
        }
    }

    /// The ids of the devices that were chosen by name; the list itself is empty.
    pub fn chosen(&self) -> DeviceList {
        DeviceList {
            devices: Vec::new(),
            camera: match &self.camera {
                Some(CameraChoice::Device(id)) => Some(id.0.clone()),
                _ => None,
            },
            microphone: match &self.microphone {
                Some(CaptureChoice::Device(id)) => Some(id.0.clone()),
                _ => None,
            },
            speaker: match &self.speaker {
                PlaybackChoice::Device(id) => Some(id.0.clone()),
                _ => None,
            },
        }
    }
}

/// What the studio says.
pub enum StudioEvent {
    /// A picture source runs and can be published.
    Opened {
        /// Camera or screen.
        source: TrackSource,
        /// Its encoder thread.
        sender: VideoSender,
        /// Its layers.
        config: SimulcastConfig,
        /// What it delivers.
        format: CaptureFormat,
        /// As the system calls it.
        name: String,
        /// It says that it is set to turn its picture upside down.
        flipped: bool,
        /// When it began to be opened.
        begun: Timestamp,
        /// Which attempt to open; older ones are dropped.
        generation: u64,
    },
    /// A picture source could not be opened.
    NotOpened {
        /// Camera or screen.
        source: TrackSource,
        /// Why.
        error: SourceError,
        /// Which attempt to open.
        generation: u64,
    },
    /// From a running encoder thread.
    Video(TrackSource, VideoEvent),
    /// From the sound engine.
    Audio(AudioEvent),
}

/// The way of own media to whichever room there is now; without one it goes nowhere.
#[derive(Clone, Default)]
pub struct Queue(Arc<Mutex<Option<mpsc::Sender<Outgoing>>>>);

impl Queue {
    /// The receiving end for a new room.
    pub fn connect(&self) -> mpsc::Receiver<Outgoing> {
        let (sender, receiver) = mpsc::channel(OUTGOING_LIMIT);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    /// A full queue means that the room does not keep up; late media is worth nothing.
    fn offer(&self, media: Outgoing) {
        if let Some(sender) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            drop(sender.try_send(media));
        }
    }
}

/// See the module.
pub struct Studio {
    setup: MediaSetup,
    audio: Option<AudioEngine>,
    inputs: Inputs,
    camera: Option<Running>,
    screen: Option<Running>,
    /// Number of the last attempt to open: camera, screen.
    generations: [u64; 2],
    /// How large the own previews are shown.
    views: Views,
    /// What [`Studio::raise_input`] has added.
    input_gain_db: f32,
    outgoing: Queue,
    events: mpsc::UnboundedSender<StudioEvent>,
    tasks: TaskTracker,
}

/// A picture source that delivers.
pub struct Running {
    sender: VideoSender,
    /// Its layers.
    pub config: SimulcastConfig,
    /// What it delivers.
    pub format: CaptureFormat,
    /// As the system calls it.
    pub name: String,
    /// It says that it is set to turn its picture upside down.
    pub flipped: bool,
    /// When it began to be opened.
    begun: Timestamp,
}

impl Running {
    /// From opening to the first picture, in milliseconds; none before it.
    pub fn first_ms(&self) -> Option<u32> {
        let first = self.control().stats().first?;
        Some(first.saturating_since(self.begun).as_millis() as u32)
    }

    /// How it is steered.
    pub fn control(&self) -> VideoControl {
        self.sender.control()
    }

    /// The preview in the size that the page asks for; the smallest while the page does not show it, so that it is
    /// there at once.
    fn fit_preview(&self, views: &Views, slot: u32) {
        let (_, height) = views.asked(slot);
        self.control().show(self.config.layer_for(height));
    }
}

type Inputs = Arc<Mutex<HashMap<u32, (String, TrackInput)>>>;

impl Studio {
    /// Starts the sound engine, muted; it opens its devices by itself and says how that went.
    pub fn new(setup: MediaSetup, events: mpsc::UnboundedSender<StudioEvent>, tasks: TaskTracker) -> Self {
        let outgoing = Queue::default();
        let settings = AudioSettings {
            capture: setup.microphone.clone().unwrap_or(CaptureChoice::Silence),
            playback: setup.speaker.clone(),
            muted: true,
            ..if setup.processing {
                AudioSettings::default()
            } else {
                AudioSettings::headless(CaptureChoice::Silence)
            }
        };
        let (queue, said) = (outgoing.clone(), events.clone());
        let audio = AudioEngine::start(
            settings,
            setup.clock,
            Box::new(move |audio| queue.offer(Outgoing::Audio(audio))),
            Box::new(move |event| drop(said.send(StudioEvent::Audio(event)))),
        );
        Self {
            setup,
            audio: Some(audio),
            inputs: Arc::default(),
            camera: None,
            screen: None,
            generations: [0; 2],
            views: Views::default(),
            input_gain_db: 0.0,
            outgoing,
            events,
            tasks,
        }
    }

    /// Own media for a room that is entered now.
    pub fn outgoing(&self) -> mpsc::Receiver<Outgoing> {
        self.outgoing.connect()
    }

    /// The running sound engine; none after the end.
    pub(crate) fn audio(&self) -> Option<AudioHandle> {
        self.audio.as_ref().map(AudioEngine::handle)
    }

    /// Where pictures go.
    pub fn frames(&self) -> Arc<dyn FrameSink> {
        Arc::clone(&self.setup.frames)
    }

    /// Where the room's sound goes.
    pub fn sound(&self) -> Arc<dyn Sound> {
        match self.audio() {
            Some(engine) => Arc::new(Loudspeaker {
                engine,
                inputs: Arc::clone(&self.inputs),
                tap: self.setup.tap.clone(),
            }),
            None => Arc::new(crate::room::NoSound),
        }
    }

    /// Opens or stops the microphone; the device itself stays open, so that it answers at once.
    pub fn set_microphone(&self, on: bool) {
        if let Some(audio) = self.audio() {
            audio.set_muted(!on);
        }
    }

    /// How loud both directions are.
    pub fn levels(&self) -> Levels {
        self.audio().map(|audio| audio.levels()).unwrap_or_default()
    }

    /// The microphone that is wished for.
    pub(crate) fn microphone(&self) -> Option<&CaptureChoice> {
        self.setup.microphone.as_ref()
    }

    /// The loudspeaker that is wished for.
    pub(crate) fn speaker(&self) -> &PlaybackChoice {
        &self.setup.speaker
    }

    /// The program's media clock.
    pub(crate) fn clock(&self) -> MediaClock {
        self.setup.clock
    }

    /// Closes the microphone and opens it again; the engine says how that went.
    pub(crate) fn restart_microphone(&self) {
        if let (Some(audio), Some(choice)) = (self.audio(), &self.setup.microphone) {
            audio.set_capture(choice.clone());
        }
    }

    /// Makes the microphone louder by a step. False when it is as loud as it gets.
    pub(crate) fn raise_input(&mut self) -> bool {
        let raised = self.input_gain_db + INPUT_STEP_DB;
        let Some(audio) = self.audio().filter(|_| raised <= INPUT_MOST_DB) else {
            return false;
        };
        audio.set_gain_db(raised);
        self.input_gain_db = raised;
        true
    }

    /// Leaves the gain control out: it would raise an echo together with the voice.
    pub(crate) fn process_for_measuring(&self) {
        if let (Some(audio), true) = (self.audio(), self.setup.processing) {
            audio.set_processing(Processing::REHEARSAL);
        }
    }

    /// As the setup wishes, again.
    pub(crate) fn process_as_set(&self) {
        if let (Some(audio), true) = (self.audio(), self.setup.processing) {
            audio.set_processing(Processing::ON);
        }
    }

    /// Turns the camera's pictures by 180°, or back; also those of a camera that is opened later.
    pub(crate) fn turn(&mut self, turned: bool) {
        self.setup.turned = turned;
        if let Some(camera) = &self.camera {
            camera.control().set_turned(turned);
        }
    }

    /// Counters of received sound: slot, identity.
    pub fn heard(&self) -> Vec<(u32, String, TrackStats)> {
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs
            .iter()
            .map(|(slot, (identity, input))| (*slot, identity.clone(), input.stats()))
            .collect()
    }

    /// Another device; none follows the system's default. A camera is taken by the next [`Studio::open_camera`].
    pub fn choose(&mut self, kind: DeviceKind, id: Option<&str>) {
        self.setup.choose(kind, id);
        let Some(audio) = self.audio() else { return };
        match (kind, &self.setup.microphone) {
            (DeviceKind::Microphone, Some(choice)) => audio.set_capture(choice.clone()),
            (DeviceKind::Speaker, _) => audio.set_playback(self.setup.speaker.clone()),
            (DeviceKind::Microphone | DeviceKind::Camera, _) => {}
        }
    }

    /// The running camera or screen.
    pub fn running(&self, source: TrackSource) -> Option<&Running> {
        match source {
            TrackSource::Camera => self.camera.as_ref(),
            TrackSource::Screen => self.screen.as_ref(),
            TrackSource::Microphone => None,
        }
    }

    /// How large everything is shown; of it only the own previews concern the studio.
    pub fn views(&mut self, views: Vec<TrackView>) {
        self.views = Views::of(views);
        self.fit_previews();
    }

    fn fit_previews(&self) {
        if !self.setup.preview {
            return;
        }
        for (running, slot) in [(&self.camera, CAMERA_SLOT), (&self.screen, SCREEN_SLOT)] {
            if let Some(running) = running {
                running.fit_preview(&self.views, slot);
            }
        }
    }

    /// There is a camera to be opened.
    pub fn has_camera(&self) -> bool {
        self.setup.camera.is_some()
    }

    /// Begins to open the chosen camera; [`StudioEvent::Opened`] or [`StudioEvent::NotOpened`] follows.
    pub fn open_camera(&mut self) {
        let Some(choice) = self.setup.camera.clone() else {
            return;
        };
        self.close(TrackSource::Camera);
        let (format, clock) = (self.setup.format, self.setup.clock);
        self.open(TrackSource::Camera, Content::Camera, CAMERA_SLOT, move || {
            let camera = open_camera(&choice, format, clock, OPEN_LIMIT)?;
            let (name, flipped) = (camera.info().name.clone(), camera.is_flipped());
            Ok((camera as Box<dyn media::video::FrameSource>, name, flipped))
        });
    }

    /// Begins to capture a screen or window.
    pub fn open_screen(&mut self, choice: ScreenChoice) {
        self.close(TrackSource::Screen);
        let clock = self.setup.clock;
        self.open(TrackSource::Screen, Content::Screen, SCREEN_SLOT, move || {
            let screen = open_screen(&choice, SCREEN_FPS, clock)?;
            Ok((
                screen as Box<dyn media::video::FrameSource>,
                "screen".to_owned(),
                false,
            ))
        });
    }

    fn open(
        &mut self,
        source: TrackSource,
        content: Content,
        slot: u32,
        opening: impl FnOnce() -> Result<(Box<dyn media::video::FrameSource>, String, bool), SourceError>
        + Send
        + 'static,
    ) {
        let attempt = &mut self.generations[usize::from(source == TrackSource::Screen)];
        *attempt += 1;
        let generation = *attempt;
        let (events, outgoing) = (self.events.clone(), self.outgoing.clone());
        let frames = Arc::clone(&self.setup.frames);
        let turned = source == TrackSource::Camera && self.setup.turned;
        let begun = self.setup.clock.now();
        self.tasks.spawn_blocking(move || match opening() {
            Ok((device, name, flipped)) => {
                let format = device.format();
                let mut config = SimulcastConfig::for_source(format, content);
                // Nobody watches yet: the room switches on what is wanted.
                config.layers.iter_mut().for_each(|layer| layer.active = false);
                let mut numbering = Numbering::default();
                let said = events.clone();
                let sender = VideoSender::start(
                    device,
                    config.clone(),
                    Box::new(move |frame: Encoded| outgoing.offer(Outgoing::Video { source, frame })),
                    Box::new(move |frame: &Encoded| {
                        let data = Bytes::copy_from_slice(&frame.data);
                        frames.frame(numbering.frame(slot, frame.key, frame.rtp, data));
                    }),
                    Box::new(move |event| drop(said.send(StudioEvent::Video(source, event)))),
                );
                // No layer is active yet, so that no picture leaves as it was.
                sender.control().set_turned(turned);
                drop(events.send(StudioEvent::Opened {
                    source,
                    sender,
                    config,
                    format,
                    name,
                    flipped,
                    begun,
                    generation,
                }));
            }
            Err(error) => drop(events.send(StudioEvent::NotOpened {
                source,
                error,
                generation,
            })),
        });
    }

    /// Whether nothing else of this kind was opened since.
    pub fn is_newest(&self, source: TrackSource, generation: u64) -> bool {
        generation == self.generations[usize::from(source == TrackSource::Screen)]
    }

    /// Takes what was opened. False when it is out of date: something else was opened since.
    pub fn opened(&mut self, event: StudioEvent) -> bool {
        let StudioEvent::Opened {
            source,
            sender,
            config,
            format,
            name,
            flipped,
            begun,
            generation,
        } = event
        else {
            return false;
        };
        if !self.is_newest(source, generation) {
            self.discard(sender);
            return false;
        }
        let running = Some(Running {
            sender,
            config,
            format,
            name,
            flipped,
            begun,
        });
        // It may have been wished for meanwhile.
        if let (TrackSource::Camera, Some(running)) = (source, &running) {
            running.control().set_turned(self.setup.turned);
        }
        let old = match source {
            TrackSource::Camera => std::mem::replace(&mut self.camera, running),
            TrackSource::Screen => std::mem::replace(&mut self.screen, running),
            TrackSource::Microphone => None,
        };
        if let Some(old) = old {
            self.discard(old.sender);
        }
        self.fit_previews();
        true
    }

    /// Closes a camera or ends a screen capture.
    pub fn close(&mut self, source: TrackSource) {
        let old = match source {
            TrackSource::Camera => self.camera.take(),
            TrackSource::Screen => self.screen.take(),
            TrackSource::Microphone => None,
        };
        if let Some(old) = old {
            self.discard(old.sender);
        }
    }

    /// Dropping an encoder thread waits for its device, so not here.
    fn discard(&self, sender: VideoSender) {
        // At once: a picture of what was closed, after the first of what is opened next, would break that one's stream.
        sender.control().set_muted(true);
        self.tasks.spawn_blocking(move || drop(sender));
    }

    /// Plays a short chime; it needs no room.
    pub fn play_chime(&self) {
        let Some(audio) = self.audio() else { return };
        self.tasks.spawn(crate::chime::play(audio));
    }

    /// Closes everything.
    pub fn shut(&mut self) {
        self.close(TrackSource::Camera);
        self.close(TrackSource::Screen);
        if let Some(audio) = self.audio.take() {
            // Whoever listens in is told at once, and not by a silence.
            audio.set_probe(None);
            self.tasks.spawn_blocking(move || drop(audio));
        }
    }
}

/// Why a picture source does not run, in the page's words.
pub fn fault_of(error: &SourceError) -> DeviceFault {
    match error {
        SourceError::Missing => DeviceFault::Missing,
        SourceError::Busy => DeviceFault::Busy,
        SourceError::Denied => DeviceFault::Denied,
        SourceError::Hung { .. } => DeviceFault::Hung,
        SourceError::Ended => DeviceFault::Unplugged,
        _ => DeviceFault::Broken,
    }
}

/// Why a sound device does not run, in the page's words.
pub fn sound_fault_of(error: &AudioError) -> DeviceFault {
    match error {
        AudioError::Missing => DeviceFault::Missing,
        AudioError::Busy => DeviceFault::Busy,
        AudioError::Denied => DeviceFault::Denied,
        AudioError::Hung { .. } => DeviceFault::Hung,
        _ => DeviceFault::Broken,
    }
}

/// The state of a running picture source.
pub fn running_state(running: &Running) -> DeviceState {
    DeviceState::On {
        device: running.name.clone(),
        width: running.format.width,
        height: running.format.height,
        fps: running.format.fps.round() as u32,
    }
}

struct Loudspeaker {
    engine: AudioHandle,
    inputs: Inputs,
    tap: Option<TapMaker>,
}

struct Voice(TrackInput);

impl SoundTrack for Voice {
    fn push(&mut self, red: bool, sequence: u16, timestamp: u32, payload: &[u8]) {
        let packet = RtpAudio {
            sequence,
            timestamp,
            payload,
        };
        if !red {
            self.0.push(packet);
        } else if let Err(error) = self.0.push_red(packet) {
            tracing::debug!(%error, "a redundancy packet was malformed");
        }
    }
}

impl Sound for Loudspeaker {
    fn open(&self, slot: u32, identity: &str) -> Box<dyn SoundTrack> {
        let tap = self.tap.as_ref().and_then(|make| make(slot, identity));
        match self
            .engine
            .add_track(slot.into(), TrackOptions { gain: 1.0, tap })
        {
            Ok(input) => {
                let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
                inputs.insert(slot, (identity.to_owned(), input.clone()));
                Box::new(Voice(input))
            }
            Err(error) => {
                tracing::warn!(%error, "a remote voice cannot be played");
                crate::room::NoSound.open(slot, identity)
            }
        }
    }

    fn close(&self, slot: u32) {
        self.engine.remove_track(slot.into());
        // The counters stay for the report; a new track of the slot replaces them.
    }
}
