//! Remote tracks: each with its own jitter buffer, gain and meters; and the mixing of all, with a sample of our own, into
//! one speaker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::audio::jitter::{JitterBuffer, RtpAudio};
use crate::audio::meter::{GapReport, Level, LevelMeter};
use crate::audio::red::RedError;
use crate::audio::{AudioError, BLOCK, Block};

/// Sound above this is bent instead of clipped.
const KNEE: f32 = 0.8;

/// Called with every 10 ms of decoded sound of a track, before gain.
pub type Tap = Box<dyn FnMut(&[f32]) + Send>;

/// How a track is played.
pub struct TrackOptions {
    /// Linear gain, 1 leaves it as it is.
    pub gain: f32,
    /// Hears every 10 ms of decoded sound; it runs on the sound thread and must not block.
    pub tap: Option<Tap>,
}

impl Default for TrackOptions {
    fn default() -> Self {
        Self { gain: 1.0, tap: None }
    }
}

/// What is known of a track.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TrackStats {
    /// Received, concealed and missing sound.
    pub gaps: GapReport,
    /// How loud it is now.
    pub level: Level,
    /// Milliseconds of sound waiting in the jitter buffer.
    pub buffer_ms: u32,
    /// Milliseconds the jitter buffer aims at.
    pub target_ms: u32,
    /// Packets taken in.
    pub packets: u64,
    /// Packets found lost for good.
    pub lost: u64,
    /// Milliseconds since sound last came from a packet: a pause of the speaker, or an interruption still open.
    pub open_ms: u64,
}

pub(crate) struct Track {
    jitter: Mutex<JitterBuffer>,
    gain: AtomicU32,
    muted: AtomicBool,
    meter: Mutex<LevelMeter>,
    tap: Mutex<Option<Tap>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where received packets of one track are handed in. Clones feed the same track.
#[derive(Clone)]
pub struct TrackInput(Arc<Track>);

impl TrackInput {
    pub(crate) fn new(options: TrackOptions) -> Result<Self, AudioError> {
        Ok(Self(Arc::new(Track {
            jitter: Mutex::new(JitterBuffer::new()?),
            gain: AtomicU32::new(options.gain.to_bits()),
            muted: AtomicBool::new(false),
            meter: Mutex::new(LevelMeter::new()),
            tap: Mutex::new(options.tap),
        })))
    }

    /// Hands in an Opus packet.
    pub fn push(&self, packet: RtpAudio<'_>) {
        lock(&self.0.jitter).push(packet);
    }

    /// Hands in a redundant packet (RFC 2198).
    ///
    /// # Errors
    /// [`RedError`] when the payload is not RFC 2198; nothing was taken in.
    pub fn push_red(&self, packet: RtpAudio<'_>) -> Result<(), RedError> {
        lock(&self.0.jitter).push_red(packet)
    }

    /// Sets the linear gain.
    pub fn set_gain(&self, gain: f32) {
        self.0
            .gain
            .store(gain.clamp(0.0, 8.0).to_bits(), Ordering::Relaxed);
    }

    /// Silences the track here (a court order applied locally); it is still decoded and metered.
    pub fn set_muted(&self, muted: bool) {
        self.0.muted.store(muted, Ordering::SeqCst);
    }

    /// What is known of it.
    pub fn stats(&self) -> TrackStats {
        let jitter = lock(&self.0.jitter);
        let (packets, lost) = jitter.counts();
        TrackStats {
            gaps: jitter.gaps(),
            level: lock(&self.0.meter).level(),
            buffer_ms: jitter.buffer_ms(),
            target_ms: jitter.target_ms(),
            packets,
            lost,
            open_ms: jitter.open_ms(),
        }
    }

    /// Takes the next 10 ms and adds them to `mix`.
    fn mix_into(&self, mix: &mut Block) {
        let mut block = [0.0; BLOCK];
        lock(&self.0.jitter).pull(&mut block);
        lock(&self.0.meter).push(&block);
        if let Some(tap) = lock(&self.0.tap).as_mut() {
            tap(&block);
        }
        if self.0.muted.load(Ordering::SeqCst) {
            return;
        }
        let gain = f32::from_bits(self.0.gain.load(Ordering::Relaxed));
        for (sum, sample) in mix.iter_mut().zip(block) {
            *sum += sample * gain;
        }
    }
}

/// Samples played as they are, once.
#[derive(Default)]
struct Sample {
    samples: Arc<[f32]>,
    at: usize,
}

/// All that is heard: the remote tracks, and a sample of our own.
#[derive(Default)]
pub(crate) struct Tracks {
    tracks: Mutex<HashMap<u64, TrackInput>>,
    sample: Mutex<Sample>,
}

impl Tracks {
    pub(crate) fn insert(&self, key: u64, track: TrackInput) {
        lock(&self.tracks).insert(key, track);
    }

    pub(crate) fn remove(&self, key: u64) {
        lock(&self.tracks).remove(&key);
    }

    pub(crate) fn play(&self, samples: Arc<[f32]>) {
        *lock(&self.sample) = Sample { samples, at: 0 };
    }

    /// The next 10 ms of all tracks together.
    pub(crate) fn mix(&self) -> Block {
        // The list is copied so that decoding does not hold up the network thread that adds a track.
        let tracks: Vec<TrackInput> = lock(&self.tracks).values().cloned().collect();
        let mut mix = [0.0; BLOCK];
        for track in tracks {
            track.mix_into(&mut mix);
        }
        let mut sample = lock(&self.sample);
        let left = &sample.samples[sample.at..];
        let played = left.len().min(BLOCK);
        for (sum, sample) in mix.iter_mut().zip(left) {
            *sum += sample;
        }
        sample.at += played;
        mix.iter_mut().for_each(|s| *s = soft_limit(*s));
        mix
    }
}

/// Leaves quiet sound as it is and bends loud sound towards full scale.
fn soft_limit(sample: f32) -> f32 {
    let over = sample.abs() - KNEE;
    if over <= 0.0 {
        sample
    } else {
        (KNEE + (1.0 - KNEE) * (over / (1.0 - KNEE)).tanh()).copysign(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limiter_is_transparent_below_the_knee_and_bounded_above() {
        assert_eq!(soft_limit(0.5), 0.5);
        assert_eq!(soft_limit(-0.79), -0.79);
        assert!(soft_limit(5.0) <= 1.0 && soft_limit(-5.0) >= -1.0);
        assert!(soft_limit(1.0) > soft_limit(0.9));
    }

    #[test]
    fn a_sample_is_played_once_as_it_is_and_the_next_one_replaces_it() {
        let tracks = Tracks::default();
        let samples: Vec<f32> = (0..700).map(|n| n as f32 / 1_000.0).collect();
        tracks.play(samples.clone().into());
        assert_eq!(tracks.mix()[..], samples[..480]);
        let second = tracks.mix();
        assert_eq!(second[..220], samples[480..]);
        assert!(second[220..].iter().chain(&tracks.mix()).all(|s| *s == 0.0));
        tracks.play(samples.clone().into());
        tracks.mix();
        tracks.play([0.5; 1].into());
        assert_eq!(tracks.mix()[..2], [0.5, 0.0]);
    }
}
