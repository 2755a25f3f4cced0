//! Eyes and ears: decodes every received picture, reads the clock that is burned into it, and listens for a tone.
//!
//! One thread decodes for all tracks; what it cannot keep up with it drops to the next key picture.

use client::studio::{Tap, TapMaker};
use client::{EncodedFrame, FrameSink, SessionHandle};
use media::audio::{ToneDetector, WavRecorder};
use media::clock::MediaClock;
use media::video::{Stamp, VideoDecoder, read_stamp};
use protocol::TrackSource;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Pictures that may wait for the decoder.
const QUEUE: usize = 64;
/// A picture counts as late when it comes this much after the usual distance (the W3C definition of a freeze).
const FREEZE_SLACK_MS: f64 = 150.0;
/// Slots below this are one's own previews.
const FIRST_REMOTE_SLOT: u32 = 16;

/// What was seen on one track.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) first_ms: Option<u64>,
    pub(crate) frames: u64,
    pub(crate) freeze_ms: f64,
    pub(crate) longest_freeze_ms: f64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) stamp: Option<(u32, u32)>,
    pub(crate) latency_ms: Option<u32>,
    last_ms: Option<f64>,
    usual_ms: f64,
    dropping: bool,
}

/// Latencies of all tracks together and each by itself, as read from the burned-in clock.
#[derive(Default)]
pub(crate) struct Eyes {
    pub(crate) tracks: BTreeMap<u32, Seen>,
    pub(crate) latencies: Vec<u32>,
    pub(crate) by_slot: HashMap<u32, Vec<u32>>,
}

/// What was heard on one track beyond the engine's own counters.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Heard {
    pub(crate) tone: f32,
    /// Likewise, since it was last taken.
    recent: f32,
}

/// Shared by the media threads and the report.
#[derive(Clone)]
pub(crate) struct Watch {
    queue: SyncSender<EncodedFrame>,
    eyes: Arc<Mutex<Eyes>>,
    ears: Arc<Mutex<HashMap<u32, Heard>>>,
    broken: Arc<Mutex<HashMap<u32, ()>>>,
    session: Arc<Mutex<Option<SessionHandle>>>,
    clock: MediaClock,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Starts the decoding thread; it ends with the last clone.
    pub(crate) fn start(clock: MediaClock) -> std::io::Result<Self> {
        let (queue, frames) = sync_channel(QUEUE);
        let watch = Self {
            queue,
            eyes: Arc::default(),
            ears: Arc::default(),
            broken: Arc::default(),
            session: Arc::default(),
            clock,
        };
        let (eyes, session) = (Arc::clone(&watch.eyes), Arc::clone(&watch.session));
        std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || look(&frames, &eyes, &session, clock))?;
        Ok(watch)
    }

    /// Where key pictures are asked for.
    pub(crate) fn attach(&self, session: SessionHandle) {
        *locked(&self.session) = Some(session);
    }

    /// Pictures stop for a good reason (recess, isolation): the pause that follows is no freeze.
    pub(crate) fn pause(&self) {
        for seen in locked(&self.eyes).tracks.values_mut() {
            seen.last_ms = None;
        }
    }

    /// What was seen so far.
    pub(crate) fn eyes(&self) -> MutexGuard<'_, Eyes> {
        locked(&self.eyes)
    }

    /// Strength of the tone on a slot.
    pub(crate) fn heard(&self, slot: u32) -> Heard {
        locked(&self.ears).get(&slot).copied().unwrap_or_default()
    }

    /// Strength of the tone on a slot since the last call.
    pub(crate) fn take_recent_tone(&self, slot: u32) -> f32 {
        locked(&self.ears)
            .get_mut(&slot)
            .map_or(0.0, |heard| std::mem::take(&mut heard.recent))
    }

    /// Milliseconds since the program started.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now().as_millis()
    }

    /// Listens on every received track.
    pub(crate) fn ears(&self, tone_hz: Option<f32>, record: Option<PathBuf>) -> TapMaker {
        let ears = Arc::clone(&self.ears);
        Arc::new(move |slot, identity| {
            let mut detector = tone_hz.map(ToneDetector::new);
            let mut recorder = record.as_ref().and_then(|directory| {
                let safe: String = identity.chars().filter(char::is_ascii_alphanumeric).collect();
                WavRecorder::create(&directory.join(format!("{safe}-{slot}.wav")))
                    .inspect_err(|error| tracing::warn!(%error, "received sound is not recorded"))
                    .ok()
            });
            if detector.is_none() && recorder.is_none() {
                return None;
            }
            let ears = Arc::clone(&ears);
            let tap: Tap = Box::new(move |samples| {
                if let Some(detector) = &mut detector {
                    detector.push(samples);
                    let mut ears = locked(&ears);
                    let heard = ears.entry(slot).or_default();
                    heard.tone = heard.tone.max(detector.strength());
                    heard.recent = heard.recent.max(detector.strength());
                }
                if let Some(Err(_)) = recorder.as_mut().map(|recorder| recorder.write(samples)) {
                    recorder = None;
                }
            });
            Some(tap)
        })
    }
}

impl FrameSink for Watch {
    fn frame(&self, frame: EncodedFrame) {
        if frame.slot < FIRST_REMOTE_SLOT {
            return;
        }
        let (slot, key) = (frame.slot, frame.key);
        let mut broken = locked(&self.broken);
        if broken.contains_key(&slot) && !key {
            return;
        }
        match self.queue.try_send(frame) {
            Ok(()) => drop(broken.remove(&slot)),
            Err(TrySendError::Full(_)) => {
                broken.insert(slot, ());
                if let Some(session) = &*locked(&self.session) {
                    session.request_key(slot);
                }
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }
}

fn look(
    frames: &Receiver<EncodedFrame>,
    eyes: &Mutex<Eyes>,
    session: &Mutex<Option<SessionHandle>>,
    clock: MediaClock,
) {
    let mut decoders: HashMap<u32, VideoDecoder> = HashMap::new();
    while let Ok(frame) = frames.recv() {
        if let std::collections::hash_map::Entry::Vacant(vacant) = decoders.entry(frame.slot) {
            match VideoDecoder::new() {
                Ok(decoder) => drop(vacant.insert(decoder)),
                Err(error) => {
                    tracing::error!(%error, "no decoder");
                    return;
                }
            }
        }
        let decoder = decoders.get_mut(&frame.slot).expect("it was inserted above");
        let picture = match decoder.decode(&frame.data) {
            Ok(Some(picture)) => picture,
            Ok(None) => continue,
            Err(error) => {
                tracing::debug!(%error, "a picture could not be decoded");
                if decoder.needs_key()
                    && let Some(session) = &*locked(session)
                {
                    session.request_key(frame.slot);
                }
                continue;
            }
        };
        let stamp = read_stamp(&picture);
        let latency = stamp
            .map(|stamp: Stamp| stamp.age_ms(clock.wall()))
            .filter(|age| *age < 60_000);
        let mut eyes = locked(eyes);
        if let Some(latency) = latency {
            eyes.latencies.push(latency);
            eyes.by_slot.entry(frame.slot).or_default().push(latency);
        }
        let now = clock.now().as_micros() as f64 / 1_000.0;
        let seen = eyes.tracks.entry(frame.slot).or_default();
        seen.first_ms.get_or_insert(now as u64);
        seen.frames += 1;
        (seen.width, seen.height) = (picture.width(), picture.height());
        seen.stamp = stamp.map(|stamp| (stamp.frame, stamp.clock_ms));
        seen.latency_ms = latency;
        if let Some(last) = seen.last_ms {
            seen.distance(now - last);
        }
        seen.last_ms = Some(now);
    }
}

impl Seen {
    /// How long the newest picture has been the newest.
    pub(crate) fn still_ms(&self, now_ms: u64) -> u64 {
        self.last_ms.map_or(0, |last| now_ms.saturating_sub(last as u64))
    }

    /// Counts a distance between two pictures; much longer than usual is a freeze.
    fn distance(&mut self, ms: f64) {
        if self.usual_ms == 0.0 {
            self.usual_ms = ms;
        }
        if ms > (3.0 * self.usual_ms).max(self.usual_ms + FREEZE_SLACK_MS) {
            let frozen = ms - self.usual_ms;
            self.freeze_ms += frozen;
            self.longest_freeze_ms = self.longest_freeze_ms.max(frozen);
            self.dropping = true;
        } else {
            self.usual_ms = self.usual_ms * 0.9 + ms * 0.1;
            self.dropping = false;
        }
    }
}

/// The value below which `part` of the values lie.
pub(crate) fn percentile(values: &[u32], part: f64) -> Option<u32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * part).round() as usize).copied()
}

/// The name of a source in JSON.
pub(crate) fn source_name(source: TrackSource) -> &'static str {
    match source {
        TrackSource::Microphone => "microphone",
        TrackSource::Camera => "camera",
        TrackSource::Screen => "screen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_is_what_the_w3c_calls_one() {
        let mut seen = Seen::default();
        for _ in 0..50 {
            seen.distance(40.0);
        }
        assert_eq!(seen.freeze_ms, 0.0);
        seen.distance(180.0);
        assert_eq!(seen.freeze_ms, 0.0);
        seen.distance(540.0);
        assert!((480.0..=490.0).contains(&seen.freeze_ms), "{}", seen.freeze_ms);
    }

    #[test]
    fn percentiles() {
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(percentile(&[5], 0.95), Some(5));
        let values: Vec<u32> = (1..=100).collect();
        assert_eq!(
            (percentile(&values, 0.5), percentile(&values, 0.95)),
            (Some(51), Some(95))
        );
    }
}
