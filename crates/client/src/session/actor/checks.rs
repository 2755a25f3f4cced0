//! Checks on the devices that run: the camera is looked at, the microphone listened to, what was heard is played back, the way
//! from loudspeaker to microphone is measured. Opens nothing, and sends nothing of it to anybody; each check ends by itself, and
//! with the session.
//!
//! The sound of one check is kept, in memory and here alone, until the next one or the end.

use super::*;
use crate::selftest::{camera, sound};
use crate::session::{Answer, CheckOrder};
use media::audio::{AudioError, RATE, Recording, record};
use media::video::{Look, Seen, VideoControl};
use protocol::{CameraFacts, MicrophoneFacts, SpeakerFacts, Voice};
use std::sync::{Arc, Mutex, PoisonError};

/// Pictures are looked at for so long.
const LOOKED_AT: Duration = Duration::from_secs(2);
/// A look is answered by then: opening a camera takes six seconds at most.
const LOOK_LIMIT: Duration = Duration::from_secs(12);
/// A person reads one sentence in this time.
const SPOKEN: Duration = Duration::from_secs(5);
/// The loudspeaker is behind by this much at most when the last sample was handed to it.
const BUFFERED: Duration = Duration::from_millis(300);
/// Values of a voice's shape.
const SHAPE: usize = 32;
/// What is shown as nothing, in dBFS; full scale is shown as one.
const SHAPE_FLOOR_DB: f32 = -60.0;

/// What a check found.
pub(in crate::session) enum Checked {
    /// None: no picture came.
    Looked(Option<Seen>),
    /// And another microphone that hears speech while this one does not.
    Heard(Result<Recording, AudioError>, Option<String>),
    Replayed,
    Looped(Option<SpeakerFacts>),
}

/// The look at the camera.
struct Looking {
    answer: Answer<CameraFacts>,
    /// Or it waits until the camera is open, at most until then.
    begun: bool,
    until: Instant,
}

/// A check that uses the sound; one at a time.
enum Sounding {
    Hearing(Answer<Voice>),
    Replaying(Answer<()>),
    Looping(Answer<SpeakerFacts>),
}

/// The checks of a session.
pub(in crate::session) struct Checks {
    looking: Option<Looking>,
    sounding: Option<Sounding>,
    /// What was heard last, for playing it back.
    kept: Option<Arc<[f32]>>,
    found: mpsc::UnboundedSender<Checked>,
}

impl Checks {
    pub(in crate::session) fn new() -> (Self, mpsc::UnboundedReceiver<Checked>) {
        let (found, finds) = mpsc::unbounded_channel();
        let checks = Self {
            looking: None,
            sounding: None,
            kept: None,
            found,
        };
        (checks, finds)
    }

    /// Test sounds play: they must not go to the others.
    pub(in crate::session) fn is_loud(&self) -> bool {
        matches!(self.sounding, Some(Sounding::Replaying(_) | Sounding::Looping(_)))
    }
}

impl Actor {
    pub(super) fn check(&mut self, order: CheckOrder) {
        match order {
            CheckOrder::Look(answer) => self.look(answer),
            CheckOrder::Hear(answer) => self.hear(answer),
            CheckOrder::Replay(answer) => self.replay(answer),
            CheckOrder::Loop(answer) => self.measure_loop(answer),
        }
    }

    pub(super) fn checked(&mut self, checked: Checked) {
        match checked {
            Checked::Looked(seen) => self.looked(seen),
            Checked::Heard(recording, live) => {
                let Some(Sounding::Hearing(answer)) = self.checks.sounding.take() else {
                    return;
                };
                let _ = answer.send(Ok(self.heard(recording, live)));
            }
            Checked::Replayed => {
                if let Some(Sounding::Replaying(answer)) = self.checks.sounding.take() {
                    let _ = answer.send(Ok(()));
                }
                self.apply();
            }
            Checked::Looped(facts) => {
                self.studio.process_as_set();
                let facts = facts.ok_or(device_error(DeviceFault::Missing));
                if let Some(Sounding::Looping(answer)) = self.checks.sounding.take() {
                    let _ = answer.send(facts);
                }
                self.apply();
            }
        }
    }

    // --- the camera ---

    fn look(&mut self, answer: Answer<CameraFacts>) {
        if self.checks.looking.is_some() {
            let _ = answer.send(Err(device_error(DeviceFault::Busy)));
            return;
        }
        self.checks.looking = Some(Looking {
            answer,
            begun: false,
            until: Instant::now() + LOOK_LIMIT,
        });
        self.look_on();
    }

    /// A camera that neither runs nor says why is not waited for without end.
    pub(super) fn look_overdue(&mut self, now: Instant) {
        if self
            .checks
            .looking
            .as_ref()
            .is_some_and(|looking| now >= looking.until)
        {
            self.look_failed(DeviceFault::Hung);
        }
    }

    /// Goes on with a look that waits for the camera; to be called when the camera's state has changed.
    pub(super) fn look_on(&mut self) {
        let Some(looking) = &mut self.checks.looking else {
            return;
        };
        if looking.begun {
            return;
        }
        match (&self.camera_state, self.studio.running(TrackSource::Camera)) {
            (DeviceState::On { .. }, Some(running)) => {
                looking.begun = true;
                let (control, clock) = (running.control(), self.studio.clock());
                let found = self.checks.found.clone();
                self.tasks.spawn(async move {
                    let seen = look_at(&control, clock).await;
                    drop(found.send(Checked::Looked(seen)));
                });
            }
            (DeviceState::Opening, _) | (DeviceState::On { .. }, None) => {}
            (DeviceState::Off, _) if self.studio.has_camera() => {
                // Switched off by its owner is no fault of the camera.
                self.answer_look(Err(device_error(DeviceFault::Missing)));
            }
            (DeviceState::Off, _) => self.look_failed(DeviceFault::Missing),
            (DeviceState::Failed { fault }, _) => {
                let fault = *fault;
                self.look_failed(fault);
            }
        }
    }

    fn answer_look(&mut self, facts: Result<CameraFacts, HostError>) {
        if let Some(looking) = self.checks.looking.take() {
            let _ = looking.answer.send(facts);
        }
    }

    fn look_failed(&mut self, fault: DeviceFault) {
        let Some(looking) = self.checks.looking.take() else {
            return;
        };
        // Who holds it is looked up on the disk.
        self.tasks
            .spawn_blocking(move || drop(looking.answer.send(Ok(camera::failed(fault, None)))));
    }

    fn looked(&mut self, seen: Option<Seen>) {
        let running = self.studio.running(TrackSource::Camera);
        match (&self.camera_state, running, seen) {
            (DeviceState::On { .. }, Some(running), Some(seen)) => {
                let first_ms = running.first_ms().unwrap_or_default();
                let facts = camera::seen(running.name.clone(), &seen, first_ms, running.flipped);
                self.answer_look(Ok(facts));
            }
            (DeviceState::Failed { fault }, ..) => {
                let fault = *fault;
                self.look_failed(fault);
            }
            (DeviceState::On { .. }, Some(_), None) => self.look_failed(DeviceFault::Hung),
            // It was switched off, or another one is opened.
            _ => self.answer_look(Err(device_error(DeviceFault::Missing))),
        }
    }

    // --- the sound ---

    /// Why no check of the sound can begin now. One whose sound plays does not begin while the others would hear it, and
    /// [`Actor::apply`] keeps the microphone closed for its time if it is opened meanwhile.
    fn sound_is_taken(&self, loud: bool) -> Option<HostError> {
        let heard = loud && self.room.is_some() && self.may_send(TrackSource::Microphone);
        (heard || self.checks.sounding.is_some()).then(|| device_error(DeviceFault::Busy))
    }

    fn hear(&mut self, answer: Answer<Voice>) {
        if let Some(error) = self.sound_is_taken(false) {
            let _ = answer.send(Err(error));
            return;
        }
        self.checks.kept = None;
        let audio = self.studio.audio().filter(|_| self.has_microphone);
        let Some(audio) = audio else {
            let _ = answer.send(Ok(self.heard(Err(AudioError::Missing), None)));
            return;
        };
        self.checks.sounding = Some(Sounding::Hearing(answer));
        let found = self.checks.found.clone();
        let recording = tokio::task::spawn_blocking(move || {
            let recording = record(&audio, SPOKEN);
            let silent = recording
                .as_ref()
                .is_ok_and(|recording| recording.heard.speech_db.is_none());
            let live = silent.then(|| sound::live_other(&audio)).flatten();
            (recording, live)
        });
        self.tasks.spawn(async move {
            // A panic in it was reported where it happened.
            let (recording, live) = recording.await.unwrap_or((Err(AudioError::Missing), None));
            drop(found.send(Checked::Heard(recording, live)));
        });
    }

    fn heard(&mut self, recording: Result<Recording, AudioError>, live: Option<String>) -> Voice {
        let (heard, sound) = match recording {
            Ok(recording) => (Ok(recording.heard), recording.sound),
            Err(error) => (Err(error), Vec::new()),
        };
        let facts = match self.studio.audio() {
            Some(audio) => sound::microphone_facts(self.studio.microphone(), &audio, heard, live),
            None => MicrophoneFacts::Failed {
                fault: DeviceFault::Missing,
                device: None,
            },
        };
        let shape = shape(&sound);
        self.checks.kept = (!sound.is_empty()).then(|| sound.into());
        Voice { facts, shape }
    }

    fn replay(&mut self, answer: Answer<()>) {
        let speaker_fault = match &self.speaker_state {
            Some(DeviceState::Failed { fault }) => Some(device_error(*fault)),
            _ => None,
        };
        if let Some(error) = self.sound_is_taken(true).or(speaker_fault) {
            let _ = answer.send(Err(error));
            return;
        }
        let (Some(audio), Some(kept)) = (self.studio.audio(), self.checks.kept.clone()) else {
            let _ = answer.send(Err(device_error(DeviceFault::Missing)));
            return;
        };
        self.checks.sounding = Some(Sounding::Replaying(answer));
        self.apply();
        let found = self.checks.found.clone();
        self.tasks.spawn(async move {
            let lasts = Duration::from_secs_f64(kept.len() as f64 / f64::from(RATE));
            audio.play(kept);
            tokio::time::sleep(lasts + BUFFERED).await;
            drop(found.send(Checked::Replayed));
        });
    }

    fn measure_loop(&mut self, answer: Answer<SpeakerFacts>) {
        if let Some(error) = self.sound_is_taken(true) {
            let _ = answer.send(Err(error));
            return;
        }
        let Some(audio) = self.studio.audio() else {
            let _ = answer.send(Err(device_error(DeviceFault::Missing)));
            return;
        };
        self.checks.sounding = Some(Sounding::Looping(answer));
        self.apply();
        self.studio.process_for_measuring();
        let (found, speaker) = (self.checks.found.clone(), self.studio.speaker().clone());
        let facts = tokio::task::spawn_blocking(move || sound::loop_facts(&speaker, &audio));
        self.tasks.spawn(async move {
            drop(found.send(Checked::Looped(facts.await.unwrap_or_default())));
        });
    }
}

pub(super) fn device_error(fault: DeviceFault) -> HostError {
    HostError::Device { fault }
}

/// Watches a running camera's pictures.
async fn look_at(control: &VideoControl, clock: media::clock::MediaClock) -> Option<Seen> {
    let look = Arc::new(Mutex::new(Look::new()));
    let taking = Arc::clone(&look);
    control.set_onlooker(Some(Box::new(move |frame| {
        let mut look = taking.lock().unwrap_or_else(PoisonError::into_inner);
        look.take(frame);
    })));
    tokio::time::sleep(LOOKED_AT).await;
    control.set_onlooker(None);
    let look = look.lock().unwrap_or_else(PoisonError::into_inner);
    look.seen(clock.now())
}

/// Loudness over time, 0 to 1.
fn shape(sound: &[f32]) -> Vec<f32> {
    if sound.is_empty() {
        return Vec::new();
    }
    let part = sound.len().div_ceil(SHAPE);
    (0..SHAPE)
        .map(|n| {
            let part = sound.iter().skip(n * part).take(part);
            let (sum, count) = part.fold((0.0, 0), |(sum, count), s| (sum + s * s, count + 1));
            let db = media::audio::meter::power_dbfs(sum / (count.max(1) as f32));
            (1.0 - db / SHAPE_FLOOR_DB).clamp(0.0, 1.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_32_values_and_follows_the_sound() {
        assert!(shape(&[]).is_empty());
        let mut sound = vec![0.0; 48_000];
        sound[24_000..].fill(0.1);
        let shape = shape(&sound);
        assert_eq!(shape.len(), SHAPE);
        assert!(shape[..16].iter().all(|value| *value == 0.0), "{shape:?}");
        // -20 dBFS is two thirds of the way up from -60.
        assert!(
            shape[16..].iter().all(|value| (value - 2.0 / 3.0).abs() < 0.01),
            "{shape:?}"
        );
        assert_eq!(super::shape(&[1.0; 40]).len(), SHAPE);
    }
}
