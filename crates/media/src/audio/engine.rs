//! The sound of one seat: microphone to Opus packets, packets to speaker, and the echo canceller between them.
//!
//! Two threads. The *sound thread* runs every 10 ms and never waits for a device: it mixes the remote tracks, gives the
//! mix to the speaker and to the echo canceller, cleans the microphone's sound and encodes it. The *device thread* opens
//! devices, notices when they fail or the system's default changes, and hands new ends to the sound thread.
//! A missing microphone or speaker never stops the rest: it is reported, and tried again.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::audio::device::{self, AudioDeviceId, AudioDeviceInfo, Direction, OpenDevice};
use crate::audio::meter::{Level, LevelMeter};
use crate::audio::opus::{OpusEncoder, OpusSettings};
use crate::audio::process::{Duplex, Processing};
use crate::audio::stream::{CaptureEnd, Looped, Nothing, PlaybackEnd, Tone};
use crate::audio::track::{TrackInput, TrackOptions, Tracks};
use crate::audio::{AudioError, BLOCK, PACKET, WavRecorder, read_wav};
use crate::clock::{MediaClock, Timestamp};

/// The period of the sound thread.
const TICK: Duration = Duration::from_millis(10);
/// A sound thread this late (the machine slept) skips what it missed instead of catching up.
const LATE: Duration = Duration::from_millis(200);
/// A failed or changed device settles for this long before it is opened again.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// The system's default device is looked at this often.
const POLL: Duration = Duration::from_secs(1);
/// A device that could not be opened is tried again after this.
const RETRY: Duration = Duration::from_secs(2);
/// Speaking this long while muted is worth a hint…
const SPEAKING: Duration = Duration::from_millis(1_000);
/// …but not more often than this.
const HINT_PAUSE: Duration = Duration::from_secs(10);

/// Which microphone.
#[derive(Debug, Clone, PartialEq)]
pub enum CaptureChoice {
    /// The system's default, followed when it changes.
    Default,
    /// A certain one.
    Device(AudioDeviceId),
    /// A WAV file, in a loop.
    Wav {
        /// The file.
        path: PathBuf,
    },
    /// A steady sine.
    Tone {
        /// Frequency.
        hz: f32,
        /// Root mean square level.
        dbfs: f32,
    },
    /// None.
    Silence,
}

/// Which speaker.
#[derive(Debug, Clone, PartialEq)]
pub enum PlaybackChoice {
    /// The system's default, followed when it changes.
    Default,
    /// A certain one.
    Device(AudioDeviceId),
    /// None; tracks are decoded and metered all the same.
    Null,
    /// A WAV file that records what would be heard.
    Wav {
        /// The file, replaced if it exists.
        path: PathBuf,
    },
}

/// How the engine starts.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioSettings {
    /// Which microphone.
    pub capture: CaptureChoice,
    /// Which speaker.
    pub playback: PlaybackChoice,
    /// What is done to the microphone's sound.
    pub processing: Processing,
    /// How it is encoded.
    pub opus: OpusSettings,
    /// Whether it begins muted.
    pub muted: bool,
}

impl Default for AudioSettings {
    /// A person at this machine: default devices, everything on, muted until they say otherwise.
    fn default() -> Self {
        Self {
            capture: CaptureChoice::Default,
            playback: PlaybackChoice::Default,
            processing: Processing::ON,
            opus: OpusSettings::default(),
            muted: true,
        }
    }
}

impl AudioSettings {
    /// A participant without hardware: sound as it is, nothing played, not muted.
    pub fn headless(capture: CaptureChoice) -> Self {
        Self {
            capture,
            playback: PlaybackChoice::Null,
            processing: Processing::OFF,
            opus: OpusSettings::default(),
            muted: false,
        }
    }
}

/// One Opus packet of 20 ms to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedAudio {
    /// The Opus packet.
    pub data: Vec<u8>,
    /// RTP timestamp, 48 kHz; it jumps over pauses, during which nothing is sent.
    pub rtp: u32,
    /// Samples it holds.
    pub samples: u32,
    /// Level for RFC 6464: 0 loudest to 127 silence.
    pub level_dbov: u8,
    /// Whether it sounds like a voice.
    pub voice: bool,
    /// When its first sample was captured.
    pub captured: Timestamp,
}

/// What the engine tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioEvent {
    /// A microphone is open.
    CaptureOpened(AudioDeviceInfo),
    /// A speaker is open.
    PlaybackOpened(AudioDeviceInfo),
    /// There is no sound from the microphone; it is tried again. Said once per cause.
    CaptureFailed(AudioError),
    /// Nothing is heard; it is tried again. Said once per cause.
    PlaybackFailed(AudioError),
    /// The microphone hears a voice while muted.
    SpeakingWhileMuted,
    /// Devices came or went: list them again.
    DevicesChanged,
}

/// How loud both directions are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Levels {
    /// The microphone, after processing, also while muted.
    pub capture: Level,
    /// What is played.
    pub playback: Level,
}

type Sink = Box<dyn FnMut(EncodedAudio) + Send>;
type Events = Arc<Mutex<Box<dyn FnMut(AudioEvent) + Send>>>;

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is wished for, and how often a wish changed.
struct Wish {
    capture: (u64, CaptureChoice),
    playback: (u64, PlaybackChoice),
}

/// Everything the handles and both threads share.
struct Shared {
    tracks: Tracks,
    levels: Mutex<Levels>,
    muted: AtomicBool,
    stop: AtomicBool,
    opus: Mutex<Option<OpusSettings>>,
    processing: Mutex<Option<Processing>>,
    new_capture: Mutex<Option<Box<dyn CaptureEnd>>>,
    new_playback: Mutex<Option<Box<dyn PlaybackEnd>>>,
    wish: Mutex<Wish>,
    wished: Condvar,
}

/// Steers a running [`AudioEngine`]; clones steer the same one.
#[derive(Clone)]
pub struct AudioHandle(Arc<Shared>);

impl AudioHandle {
    /// Mutes or unmutes: while muted nothing is encoded or sent, from the very next packet on.
    pub fn set_muted(&self, muted: bool) {
        self.0.muted.store(muted, Ordering::SeqCst);
    }

    /// Whether it is muted.
    pub fn is_muted(&self) -> bool {
        self.0.muted.load(Ordering::SeqCst)
    }

    /// Changes the microphone.
    pub fn set_capture(&self, choice: CaptureChoice) {
        let mut wish = lock(&self.0.wish);
        wish.capture = (wish.capture.0 + 1, choice);
        self.0.wished.notify_all();
    }

    /// Changes the speaker.
    pub fn set_playback(&self, choice: PlaybackChoice) {
        let mut wish = lock(&self.0.wish);
        wish.playback = (wish.playback.0 + 1, choice);
        self.0.wished.notify_all();
    }

    /// Changes bitrate, error correction and the like.
    pub fn set_opus(&self, settings: OpusSettings) {
        *lock(&self.0.opus) = Some(settings);
    }

    /// Changes what is done to the microphone's sound.
    pub fn set_processing(&self, processing: Processing) {
        *lock(&self.0.processing) = Some(processing);
    }

    /// How loud both directions are now.
    pub fn levels(&self) -> Levels {
        *lock(&self.0.levels)
    }

    /// Adds (or replaces) the remote track `key`.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when a decoder cannot be made.
    pub fn add_track(&self, key: u64, options: TrackOptions) -> Result<TrackInput, AudioError> {
        let input = TrackInput::new(options)?;
        self.0.tracks.insert(key, input.clone());
        Ok(input)
    }

    /// Stops hearing the track `key`.
    pub fn remove_track(&self, key: u64) {
        self.0.tracks.remove(key);
    }
}

/// A running engine. Dropping it stops and joins both threads and closes the devices.
pub struct AudioEngine {
    handle: AudioHandle,
    threads: Vec<JoinHandle<()>>,
}

impl AudioEngine {
    /// Starts. `sink` gets every packet to send, `events` what happens; both run on the engine's threads and must not
    /// block. Never fails for want of a device: that is an event.
    pub fn start(
        settings: AudioSettings,
        clock: MediaClock,
        sink: Box<dyn FnMut(EncodedAudio) + Send>,
        events: Box<dyn FnMut(AudioEvent) + Send>,
    ) -> Self {
        let shared = Arc::new(Shared {
            tracks: Tracks::default(),
            levels: Mutex::default(),
            muted: AtomicBool::new(settings.muted),
            stop: AtomicBool::new(false),
            opus: Mutex::new(None),
            processing: Mutex::new(None),
            new_capture: Mutex::new(None),
            new_playback: Mutex::new(None),
            wish: Mutex::new(Wish {
                capture: (1, settings.capture),
                playback: (1, settings.playback),
            }),
            wished: Condvar::new(),
        });
        let events: Events = Arc::new(Mutex::new(events));
        let sound = SoundThread::new(
            shared.clone(),
            settings.processing,
            settings.opus,
            clock,
            sink,
            events.clone(),
        );
        let devices = DeviceThread::new(shared.clone(), clock, events);
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.into())
                .spawn(run)
                .expect("the system can start a thread")
        };
        let threads = vec![
            spawn("sound", Box::new(move || sound.run())),
            spawn("sound-devices", Box::new(move || devices.run())),
        ];
        Self {
            handle: AudioHandle(shared),
            threads,
        }
    }

    /// A handle to steer it by.
    pub fn handle(&self) -> AudioHandle {
        self.handle.clone()
    }
}

impl Deref for AudioEngine {
    type Target = AudioHandle;

    fn deref(&self) -> &AudioHandle {
        &self.handle
    }
}

impl Drop for AudioEngine {
    fn drop(&mut self) {
        let shared = &self.handle.0;
        shared.stop.store(true, Ordering::SeqCst);
        // Under the lock, so that the device thread cannot miss it between its check and its wait.
        drop(lock(&shared.wish));
        shared.wished.notify_all();
        for thread in self.threads.drain(..) {
            // A panic in a thread was already reported where it happened.
            let _ = thread.join();
        }
    }
}

/// The thread that runs every 10 ms.
struct SoundThread {
    shared: Arc<Shared>,
    clock: MediaClock,
    capture: Box<dyn CaptureEnd>,
    playback: Box<dyn PlaybackEnd>,
    duplex: Duplex,
    encoder: Option<OpusEncoder>,
    opus: OpusSettings,
    packet: Vec<f32>,
    packet_captured: Timestamp,
    rtp: u32,
    near_meter: LevelMeter,
    far_meter: LevelMeter,
    spoke_muted: Duration,
    hint_after: Timestamp,
    sink: Sink,
    events: Events,
}

impl SoundThread {
    fn new(
        shared: Arc<Shared>,
        processing: Processing,
        opus: OpusSettings,
        clock: MediaClock,
        sink: Sink,
        events: Events,
    ) -> Self {
        Self {
            shared,
            clock,
            capture: Box::new(Nothing),
            playback: Box::new(Nothing),
            duplex: Duplex::new(processing),
            encoder: None,
            opus,
            packet: Vec::with_capacity(PACKET),
            packet_captured: Timestamp::ZERO,
            rtp: clock.now().rtp_audio(),
            near_meter: LevelMeter::new(),
            far_meter: LevelMeter::new(),
            spoke_muted: Duration::ZERO,
            hint_after: Timestamp::ZERO,
            sink,
            events,
        }
    }

    fn run(mut self) {
        let mut next = self.clock.now();
        while !self.shared.stop.load(Ordering::SeqCst) {
            let now = self.clock.now();
            if now < next {
                std::thread::sleep(next.saturating_since(now));
                continue;
            }
            let late = now.saturating_since(next);
            if late > LATE {
                self.skip(late);
                next = now;
            }
            self.tick(now);
            next = next + TICK;
        }
    }

    /// Time passed in which no sound was made: timestamps go on as if it had been silence.
    fn skip(&mut self, late: Duration) {
        let packets = (late.as_millis() / 20) as u32;
        self.rtp = self.rtp.wrapping_add(packets * PACKET as u32);
    }

    /// Ten milliseconds of both directions.
    fn tick(&mut self, now: Timestamp) {
        self.take_changes();
        let far = self.shared.tracks.mix();
        self.playback.push(&far);
        self.far_meter.push(&far);

        let mut near = [0.0; BLOCK];
        let age = self.capture.age();
        self.capture.pull(&mut near);
        let delay_ms = (self.playback.delay() + age).as_millis() as u32;
        self.duplex.process(&far, &mut near, delay_ms);
        self.near_meter.push(&near);
        let level = self.near_meter.level();
        *lock(&self.shared.levels) = Levels {
            capture: level,
            playback: self.far_meter.level(),
        };

        if self.packet.is_empty() {
            let captured = now.as_micros().saturating_sub(age.as_micros() as u64);
            self.packet_captured = Timestamp::from_micros(captured);
        }
        self.packet.extend_from_slice(&near);
        if self.packet.len() == PACKET {
            self.send(level);
        }
        self.notice_muted_speech(level, now);
    }

    fn take_changes(&mut self) {
        if let Some(capture) = lock(&self.shared.new_capture).take() {
            self.capture = capture;
        }
        if let Some(playback) = lock(&self.shared.new_playback).take() {
            self.playback = playback;
        }
        if let Some(processing) = lock(&self.shared.processing).take() {
            self.duplex.set(processing);
        }
        if let Some(opus) = lock(&self.shared.opus).take() {
            self.opus = opus;
            if let Some(Err(error)) = self.encoder.as_mut().map(|e| e.set(opus)) {
                tracing::warn!(%error, "the sound encoder refused new settings");
            }
        }
    }

    /// Encodes the 20 ms collected and hands them on, unless muted or silent.
    fn send(&mut self, level: Level) {
        let samples: [f32; PACKET] = self.packet[..]
            .try_into()
            .expect("a packet is full when it is sent");
        self.packet.clear();
        let rtp = self.rtp;
        self.rtp = rtp.wrapping_add(PACKET as u32);
        if self.shared.muted.load(Ordering::SeqCst) {
            // A later unmute begins with a fresh encoder: nothing said while muted may colour its first packet.
            self.encoder = None;
            return;
        }
        if self.encoder.is_none() {
            self.encoder = OpusEncoder::new(self.opus)
                .inspect_err(|error| tracing::error!(%error, "no sound encoder"))
                .ok();
        }
        let Some(encoder) = &mut self.encoder else { return };
        match encoder.encode(&samples) {
            Ok(Some(data)) => (self.sink)(EncodedAudio {
                data,
                rtp,
                samples: PACKET as u32,
                level_dbov: level.dbov(),
                voice: level.voice,
                captured: self.packet_captured,
            }),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "20 ms of sound could not be encoded");
                self.encoder = None;
            }
        }
    }

    fn notice_muted_speech(&mut self, level: Level, now: Timestamp) {
        if !self.shared.muted.load(Ordering::SeqCst) || !level.voice {
            self.spoke_muted = Duration::ZERO;
            return;
        }
        self.spoke_muted += TICK;
        if self.spoke_muted >= SPEAKING && now >= self.hint_after {
            self.hint_after = now + HINT_PAUSE;
            (lock(&self.events))(AudioEvent::SpeakingWhileMuted);
        }
    }
}

/// One direction's device, as the device thread sees it.
struct Slot {
    /// The wish that was last acted on.
    generation: u64,
    open: Option<OpenDevice>,
    failure: Option<AudioError>,
    /// When to open (again): a wish at once, a failure after its pause.
    due: Option<Timestamp>,
    follows_default: bool,
}

impl Slot {
    fn new() -> Self {
        Self {
            generation: 0,
            open: None,
            failure: None,
            due: None,
            follows_default: false,
        }
    }
}

/// The thread that opens and watches devices.
struct DeviceThread {
    shared: Arc<Shared>,
    clock: MediaClock,
    events: Events,
    capture: Slot,
    playback: Slot,
    /// Made when a real device is first wanted; a headless engine never talks to the sound system.
    host: Option<cpal::Host>,
    known: HashMap<AudioDeviceId, bool>,
    polled: Timestamp,
}

impl DeviceThread {
    fn new(shared: Arc<Shared>, clock: MediaClock, events: Events) -> Self {
        Self {
            shared,
            clock,
            events,
            capture: Slot::new(),
            playback: Slot::new(),
            host: None,
            known: HashMap::new(),
            polled: Timestamp::ZERO,
        }
    }

    fn tell(&self, event: AudioEvent) {
        (lock(&self.events))(event);
    }

    fn run(mut self) {
        loop {
            let (capture, playback) = {
                let wish = lock(&self.shared.wish);
                (wish.capture.clone(), wish.playback.clone())
            };
            if self.shared.stop.load(Ordering::SeqCst) {
                return;
            }
            let now = self.clock.now();
            if capture.0 != self.capture.generation {
                self.capture = Slot {
                    generation: capture.0,
                    due: Some(now),
                    ..Slot::new()
                };
            }
            if playback.0 != self.playback.generation {
                self.playback = Slot {
                    generation: playback.0,
                    due: Some(now),
                    ..Slot::new()
                };
            }
            self.poll(now);
            if self.capture.due.is_some_and(|due| due <= now) {
                self.open_capture(&capture.1);
            }
            if self.playback.due.is_some_and(|due| due <= now) {
                self.open_playback(&playback.1);
            }
            let wish = lock(&self.shared.wish);
            let unchanged = wish.capture.0 == capture.0 && wish.playback.0 == playback.0;
            if unchanged && !self.shared.stop.load(Ordering::SeqCst) {
                drop(self.shared.wished.wait_timeout(wish, Duration::from_millis(100)));
            }
        }
    }

    /// Looks for failed streams, and every [`POLL`] for a changed default and for devices that came or went.
    fn poll(&mut self, now: Timestamp) {
        for slot in [&mut self.capture, &mut self.playback] {
            let failed = slot
                .open
                .as_ref()
                .is_some_and(|open| open.failed.load(Ordering::SeqCst));
            if failed && slot.due.is_none() {
                slot.due = Some(now + DEBOUNCE);
            }
        }
        let devices = self.capture.open.is_some() || self.playback.open.is_some() || self.host.is_some();
        if !devices || now.saturating_since(self.polled) < POLL {
            return;
        }
        self.polled = now;
        let host = self.host.get_or_insert_with(cpal::default_host);
        let mut answered = false;
        for (slot, direction) in [
            (&mut self.capture, Direction::Capture),
            (&mut self.playback, Direction::Playback),
        ] {
            let default = device::default_id(host, direction);
            answered |= default.is_some();
            let open = slot.open.as_ref().map(|open| &open.info.id);
            if slot.follows_default
                && slot.due.is_none()
                && default.is_some()
                && open.is_some()
                && open != default.as_ref()
            {
                slot.due = Some(now + DEBOUNCE);
            }
        }
        // Listing is cheap where a sound server answers; ALSA itself would probe every card each time.
        if host.id().name() != "ALSA" {
            let list = |direction| device::list(host, direction).unwrap_or_default();
            let found: HashMap<AudioDeviceId, bool> = list(Direction::Capture)
                .into_iter()
                .chain(list(Direction::Playback))
                .map(|d| (d.id, d.is_default))
                .collect();
            let changed = !self.known.is_empty() && found != self.known;
            self.known = found;
            if changed {
                self.tell(AudioEvent::DevicesChanged);
            }
        }
        if !answered {
            // The sound server may have been restarted: connect anew next time.
            self.host = None;
        }
    }

    fn open_capture(&mut self, choice: &CaptureChoice) {
        // The old device is closed first: some can be open only once.
        self.capture.open = None;
        self.capture.due = None;
        self.capture.follows_default = *choice == CaptureChoice::Default;
        let opened: Result<(Option<OpenDevice>, Box<dyn CaptureEnd>), AudioError> = match choice {
            CaptureChoice::Default => {
                device::open_capture(None).map(|(d, end)| (Some(d), Box::new(end) as _))
            }
            CaptureChoice::Device(id) => {
                device::open_capture(Some(id.clone())).map(|(d, end)| (Some(d), Box::new(end) as _))
            }
            CaptureChoice::Wav { path } => {
                read_wav(path).map(|sound| (None, Box::new(Looped::new(sound)) as _))
            }
            CaptureChoice::Tone { hz, dbfs } => Ok((None, Box::new(Tone::new(*hz, *dbfs)))),
            CaptureChoice::Silence => Ok((None, Box::new(Nothing))),
        };
        match opened {
            Ok((open, end)) => {
                *lock(&self.shared.new_capture) = Some(end);
                self.capture.failure = None;
                if let Some(open) = &open {
                    self.tell(AudioEvent::CaptureOpened(open.info.clone()));
                }
                self.capture.open = open;
            }
            Err(error) => {
                *lock(&self.shared.new_capture) = Some(Box::new(Nothing));
                self.capture.due = Some(self.clock.now() + RETRY);
                if self.capture.failure.as_ref() != Some(&error) {
                    self.capture.failure = Some(error.clone());
                    self.tell(AudioEvent::CaptureFailed(error));
                }
            }
        }
    }

    fn open_playback(&mut self, choice: &PlaybackChoice) {
        self.playback.open = None;
        self.playback.due = None;
        self.playback.follows_default = *choice == PlaybackChoice::Default;
        let opened: Result<(Option<OpenDevice>, Box<dyn PlaybackEnd>), AudioError> = match choice {
            PlaybackChoice::Default => {
                device::open_playback(None).map(|(d, end)| (Some(d), Box::new(end) as _))
            }
            PlaybackChoice::Device(id) => {
                device::open_playback(Some(id.clone())).map(|(d, end)| (Some(d), Box::new(end) as _))
            }
            PlaybackChoice::Null => Ok((None, Box::new(Nothing))),
            PlaybackChoice::Wav { path } => WavRecorder::create(path).map(|file| (None, Box::new(file) as _)),
        };
        match opened {
            Ok((open, end)) => {
                *lock(&self.shared.new_playback) = Some(end);
                self.playback.failure = None;
                if let Some(open) = &open {
                    self.tell(AudioEvent::PlaybackOpened(open.info.clone()));
                }
                self.playback.open = open;
            }
            Err(error) => {
                *lock(&self.shared.new_playback) = Some(Box::new(Nothing));
                self.playback.due = Some(self.clock.now() + RETRY);
                if self.playback.failure.as_ref() != Some(&error) {
                    self.playback.failure = Some(error.clone());
                    self.tell(AudioEvent::PlaybackFailed(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::audio::jitter::RtpAudio;
    use crate::audio::meter::ToneDetector;

    const LONG: Duration = Duration::from_secs(20);

    /// Two engines back to back: the tone one captures is heard in the other, packet by packet.
    #[test]
    fn a_tone_goes_from_one_engine_to_another() {
        let clock = MediaClock::start();
        let (strong, heard) = mpsc::channel();
        let receiver = AudioEngine::start(
            AudioSettings::headless(CaptureChoice::Silence),
            clock,
            Box::new(|_| {}),
            Box::new(|_| {}),
        );
        let mut tone = ToneDetector::new(440.0);
        let tap = Box::new(move |samples: &[f32]| {
            tone.push(samples);
            let _ = strong.send(tone.strength());
        });
        let input = receiver
            .add_track(
                1,
                TrackOptions {
                    gain: 1.0,
                    tap: Some(tap),
                },
            )
            .expect("a decoder");
        let (mut sequence, to) = (0_u16, input.clone());
        let sender = AudioEngine::start(
            AudioSettings::headless(CaptureChoice::Tone {
                hz: 440.0,
                dbfs: -20.0,
            }),
            clock,
            Box::new(move |packet| {
                to.push(RtpAudio {
                    sequence,
                    timestamp: packet.rtp,
                    payload: &packet.data,
                });
                sequence = sequence.wrapping_add(1);
            }),
            Box::new(|_| {}),
        );
        while heard.recv_timeout(LONG).expect("sound comes") < 0.8 {}
        assert!(
            (sender.levels().capture.rms_dbfs + 20.0).abs() < 1.0,
            "{:?}",
            sender.levels().capture
        );
        assert!(input.stats().packets > 5);
        assert!(receiver.levels().playback.rms_dbfs > -30.0);
        receiver.remove_track(1);
    }

    #[test]
    fn muted_nothing_leaves_and_speech_is_noticed() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let path = dir.path().join("speech.wav");
        let mut recorder = WavRecorder::create(&path).expect("writable");
        // Half a second of sound, half a second of silence: it stands out of its background.
        let sound: Vec<f32> = (0..48_000)
            .map(|n| {
                if n < 24_000 {
                    0.3 * (n as f32 * 0.09).sin()
                } else {
                    0.0
                }
            })
            .map(|s| s.clamp(-1.0, 1.0))
            .collect();
        recorder.write(&sound).expect("room on disk");
        drop(recorder);
        let (packets, sent) = mpsc::channel();
        let (events, happened) = mpsc::channel();
        let settings = AudioSettings {
            muted: true,
            ..AudioSettings::headless(CaptureChoice::Wav { path })
        };
        let engine = AudioEngine::start(
            settings,
            MediaClock::start(),
            Box::new(move |packet| drop(packets.send(packet))),
            Box::new(move |event| drop(events.send(event))),
        );
        // The voice holds on over the pauses only for 300 ms, so a second of it needs longer speech: play it gaplessly.
        let long = dir.path().join("long.wav");
        let mut recorder = WavRecorder::create(&long).expect("writable");
        let louder: Vec<f32> = (0..96_000).map(|n| 0.3 * (n as f32 * 0.09).sin()).collect();
        recorder.write(&louder).expect("room on disk");
        drop(recorder);
        engine.set_capture(CaptureChoice::Wav { path: long });
        assert_eq!(happened.recv_timeout(LONG), Ok(AudioEvent::SpeakingWhileMuted));
        assert!(sent.try_recv().is_err(), "nothing leaves while muted");
        engine.set_muted(false);
        assert!(sent.recv_timeout(LONG).expect("it goes on").voice);
    }

    #[test]
    fn a_missing_file_is_reported_once_and_another_choice_cures_it() {
        let (events, happened) = mpsc::channel();
        let (packets, sent) = mpsc::channel();
        let engine = AudioEngine::start(
            AudioSettings::headless(CaptureChoice::Wav {
                path: "no such file.wav".into(),
            }),
            MediaClock::start(),
            Box::new(move |packet: EncodedAudio| {
                let _ = packets.send(packet.level_dbov);
            }),
            Box::new(move |event| drop(events.send(event))),
        );
        assert_eq!(
            happened.recv_timeout(LONG),
            Ok(AudioEvent::CaptureFailed(AudioError::Missing))
        );
        engine.set_capture(CaptureChoice::Tone {
            hz: 300.0,
            dbfs: -10.0,
        });
        while sent.recv_timeout(LONG).expect("packets") > 15 {}
    }

    #[test]
    fn what_is_played_is_recorded() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let path = dir.path().join("heard.wav");
        let settings = AudioSettings {
            playback: PlaybackChoice::Wav { path: path.clone() },
            ..AudioSettings::headless(CaptureChoice::Tone {
                hz: 500.0,
                dbfs: -20.0,
            })
        };
        // Its own packets come back to it, like an echo from the server.
        let slot: Arc<Mutex<Option<TrackInput>>> = Arc::default();
        let (ticks, ticked) = mpsc::channel();
        let (mut sequence, to) = (0_u16, slot.clone());
        let engine = AudioEngine::start(
            settings,
            MediaClock::start(),
            Box::new(move |packet| {
                if let Some(input) = lock(&to).as_ref() {
                    input.push(RtpAudio {
                        sequence,
                        timestamp: packet.rtp,
                        payload: &packet.data,
                    });
                }
                sequence = sequence.wrapping_add(1);
                let _ = ticks.send(());
            }),
            Box::new(|_| {}),
        );
        *lock(&slot) = Some(engine.add_track(9, TrackOptions::default()).expect("a decoder"));
        for _ in 0..75 {
            ticked.recv_timeout(LONG).expect("packets");
        }
        drop(engine);
        let heard = read_wav(&path).expect("a record");
        let mut tone = ToneDetector::new(500.0);
        tone.push(&heard[heard.len() / 2..]);
        assert!(tone.strength() > 0.8, "{}", tone.strength());
    }
}
