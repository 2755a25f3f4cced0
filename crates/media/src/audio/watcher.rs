//! The device thread: opens microphone and speaker, notices when they fail or the system's default changes, and hands new
//! ends to the sound thread. It never touches sound.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::audio::device::{self, AudioDeviceId, AudioDeviceInfo, Direction, OpenDevice};
use crate::audio::engine::{AudioEvent, CaptureChoice, Events, PlaybackChoice, Shared, Standing, lock};
use crate::audio::stream::{CaptureEnd, Looped, Nothing, PlaybackEnd, Tone};
use crate::audio::{AudioError, WavRecorder, read_wav};
use crate::clock::{MediaClock, Timestamp};

/// A failed or changed device settles for this long before it is opened again.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// The system's default device is looked at this often.
const POLL: Duration = Duration::from_secs(1);
/// A device that could not be opened is tried again after this.
const RETRY: Duration = Duration::from_secs(2);

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

/// The thread and what it holds.
pub(super) struct DeviceThread {
    shared: Arc<Shared>,
    clock: MediaClock,
    events: Events,
    capture: Slot,
    playback: Slot,
    /// Made when a real device is first wanted; a headless engine never talks to the sound system.
    host: Option<cpal::Host>,
    known: HashMap<AudioDeviceId, bool>,
    polled: Timestamp,
    openings: u64,
}

impl DeviceThread {
    pub(super) fn new(shared: Arc<Shared>, clock: MediaClock, events: Events) -> Self {
        Self {
            shared,
            clock,
            events,
            capture: Slot::new(),
            playback: Slot::new(),
            host: None,
            known: HashMap::new(),
            polled: Timestamp::ZERO,
            openings: 0,
        }
    }

    fn stands(&self, direction: Direction, standing: Standing) {
        *self.shared.standing(direction) = standing;
    }

    fn opened(&mut self, direction: Direction, device: Option<AudioDeviceInfo>) {
        self.openings += 1;
        let opening = self.openings;
        self.stands(direction, Standing::Open { device, opening });
    }

    fn tell(&self, event: AudioEvent) {
        (lock(&self.events))(event);
    }

    pub(super) fn run(mut self) {
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
                self.stands(Direction::Capture, Standing::Opening);
            }
            if playback.0 != self.playback.generation {
                self.playback = Slot {
                    generation: playback.0,
                    due: Some(now),
                    ..Slot::new()
                };
                self.stands(Direction::Playback, Standing::Opening);
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
        for (slot, direction) in [
            (&mut self.capture, Direction::Capture),
            (&mut self.playback, Direction::Playback),
        ] {
            let failed = slot.open.as_ref().is_some_and(OpenDevice::failed);
            if failed && slot.due.is_none() {
                slot.due = Some(now + DEBOUNCE);
                *self.shared.standing(direction) = Standing::Failed(AudioError::Missing);
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
            let mut found = HashMap::new();
            for (slot, direction) in [
                (&mut self.capture, Direction::Capture),
                (&mut self.playback, Direction::Playback),
            ] {
                let Ok(devices) = device::list(host, direction) else {
                    continue;
                };
                // A sound server may go on with another device as if nothing had happened: a person who pulled out the
                // chosen one is to be told.
                let gone = slot
                    .open
                    .as_ref()
                    .is_some_and(|open| devices.iter().all(|d| d.id != open.info.id));
                if gone && slot.due.is_none() {
                    slot.due = Some(now + DEBOUNCE);
                    *self.shared.standing(direction) = Standing::Failed(AudioError::Missing);
                }
                found.extend(devices.into_iter().map(|d| (d.id, d.is_default)));
            }
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
                let info = open
                    .as_ref()
                    .map_or_else(|| without_hardware(choice), |open| open.info.clone());
                self.opened(Direction::Capture, Some(info.clone()));
                self.tell(AudioEvent::CaptureOpened(info));
                self.capture.open = open;
            }
            Err(error) => {
                *lock(&self.shared.new_capture) = Some(Box::new(Nothing));
                self.capture.due = Some(self.clock.now() + RETRY);
                self.stands(Direction::Capture, Standing::Failed(error.clone()));
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
                self.opened(Direction::Playback, open.as_ref().map(|open| open.info.clone()));
                if let Some(open) = &open {
                    self.tell(AudioEvent::PlaybackOpened(open.info.clone()));
                }
                self.playback.open = open;
            }
            Err(error) => {
                *lock(&self.shared.new_playback) = Some(Box::new(Nothing));
                self.playback.due = Some(self.clock.now() + RETRY);
                self.stands(Direction::Playback, Standing::Failed(error.clone()));
                if self.playback.failure.as_ref() != Some(&error) {
                    self.playback.failure = Some(error.clone());
                    self.tell(AudioEvent::PlaybackFailed(error));
                }
            }
        }
    }
}

/// What is said of a microphone that is no device. The path of a file says nothing to anybody.
fn without_hardware(choice: &CaptureChoice) -> AudioDeviceInfo {
    let name = match choice {
        CaptureChoice::Wav { .. } => "wav",
        CaptureChoice::Tone { .. } => "tone",
        CaptureChoice::Silence => "silence",
        CaptureChoice::Default | CaptureChoice::Device(_) => {
            unreachable!("a real microphone that opened is an open device")
        }
    };
    AudioDeviceInfo {
        id: AudioDeviceId(name.to_owned()),
        name: name.to_owned(),
        is_default: false,
    }
}
