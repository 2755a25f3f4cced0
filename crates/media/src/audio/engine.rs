//! The sound of one seat: microphone to Opus packets, packets to speaker, and the echo canceller between them.
//!
//! Two threads: [`sound`](super::sound) runs every 10 ms and never waits for a device, [`watcher`](super::watcher) opens
//! devices and hands them to it. This file is what their owner sees.
//! A missing microphone or speaker never stops the rest: it is reported, and tried again.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::audio::device::{AudioDeviceId, AudioDeviceInfo, Direction};
use crate::audio::meter::Level;
use crate::audio::opus::OpusSettings;
use crate::audio::process::Processing;
use crate::audio::sound::SoundThread;
use crate::audio::stream::{CaptureEnd, PlaybackEnd};
use crate::audio::track::{TrackInput, TrackOptions, Tracks};
use crate::audio::watcher::DeviceThread;
use crate::audio::{AudioError, Block};
use crate::clock::{MediaClock, Timestamp};

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
    /// A microphone is open; a WAV file, a tone and silence are microphones too.
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
    /// The microphone as it gave its sound, before processing and without its constant offset.
    pub input: Level,
    /// How likely it is that what is sent holds what is played, 0 to 1; none where no echo canceller runs. It says
    /// something only while something is played.
    pub echo: Option<f32>,
}

/// How one direction's device is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Standing {
    /// It is being opened.
    #[default]
    Opening,
    /// It is open.
    Open {
        /// What it is; none for a speaker that is no device.
        device: Option<AudioDeviceInfo>,
        /// The how manieth opening of this direction it is: another number means that there was a break.
        opening: u64,
    },
    /// It could not be opened, or failed; it is tried again.
    Failed(AudioError),
}

/// Hears every 10 ms on one time base: what is played, what the microphone gave, and that after processing.
pub type Probe = Box<dyn FnMut(&Block, &Block, &Block) + Send>;

pub(super) type Sink = Box<dyn FnMut(EncodedAudio) + Send>;
pub(super) type Events = Arc<Mutex<Box<dyn FnMut(AudioEvent) + Send>>>;

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is wished for, and how often a wish changed.
pub(super) struct Wish {
    pub(super) capture: (u64, CaptureChoice),
    pub(super) playback: (u64, PlaybackChoice),
}

/// Everything the handles and both threads share.
pub(super) struct Shared {
    pub(super) tracks: Tracks,
    pub(super) levels: Mutex<Levels>,
    pub(super) probe: Mutex<Option<Probe>>,
    /// Of each [`Direction`].
    standing: [Mutex<Standing>; 2],
    pub(super) muted: AtomicBool,
    /// The microphone's gain: the bits of a linear factor.
    pub(super) gain: AtomicU32,
    pub(super) stop: AtomicBool,
    pub(super) opus: Mutex<Option<OpusSettings>>,
    pub(super) processing: Mutex<Option<Processing>>,
    pub(super) new_capture: Mutex<Option<Box<dyn CaptureEnd>>>,
    pub(super) new_playback: Mutex<Option<Box<dyn PlaybackEnd>>>,
    pub(super) wish: Mutex<Wish>,
    pub(super) wished: Condvar,
}

impl Shared {
    pub(super) fn standing(&self, direction: Direction) -> MutexGuard<'_, Standing> {
        lock(&self.standing[direction as usize])
    }
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
        *self.0.standing(Direction::Capture) = Standing::Opening;
        self.0.wished.notify_all();
    }

    /// Makes the microphone louder by so many dB, before everything else, whatever microphone it is.
    pub fn set_gain_db(&self, db: f32) {
        let factor = 10.0_f32.powf(db.clamp(-40.0, 40.0) / 20.0);
        self.0.gain.store(factor.to_bits(), Ordering::SeqCst);
    }

    /// Changes the speaker.
    pub fn set_playback(&self, choice: PlaybackChoice) {
        let mut wish = lock(&self.0.wish);
        wish.playback = (wish.playback.0 + 1, choice);
        *self.0.standing(Direction::Playback) = Standing::Opening;
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

    /// How the microphone is doing.
    pub fn capture_standing(&self) -> Standing {
        self.0.standing(Direction::Capture).clone()
    }

    /// How the speaker is doing.
    pub fn playback_standing(&self) -> Standing {
        self.0.standing(Direction::Playback).clone()
    }

    /// Sets or removes what listens in. It runs on the sound thread and must not block; once this returns, the one before
    /// is not called any more.
    pub fn set_probe(&self, probe: Option<Probe>) {
        let before = std::mem::replace(&mut *lock(&self.0.probe), probe);
        drop(before);
    }

    /// Plays 48 kHz samples once, as they are, together with the tracks. What was played before in this way ends.
    pub fn play(&self, samples: Arc<[f32]>) {
        self.0.tracks.play(samples);
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
            probe: Mutex::default(),
            standing: Default::default(),
            muted: AtomicBool::new(settings.muted),
            gain: AtomicU32::new(1.0_f32.to_bits()),
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
