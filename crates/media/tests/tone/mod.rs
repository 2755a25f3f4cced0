//! Sound engines put together for measuring a tone: one that hears, and one whose packets go to a track of another.

use std::sync::mpsc::{self, Receiver};

use media::audio::{
    AudioEngine, AudioEvent, AudioSettings, CaptureChoice, RtpAudio, ToneDetector, TrackInput, TrackOptions,
};
use media::clock::MediaClock;

/// An engine without devices that hears one track.
pub(crate) struct Listener {
    /// The engine.
    pub(crate) engine: AudioEngine,
    /// The way into its track.
    pub(crate) input: TrackInput,
    /// How much of every 10 ms heard is the tone.
    pub(crate) strengths: Receiver<f32>,
}

/// A listener for a tone of `hz`.
pub(crate) fn listener(clock: MediaClock, hz: f32) -> Listener {
    let engine = AudioEngine::start(
        AudioSettings::headless(CaptureChoice::Silence),
        clock,
        Box::new(|_| {}),
        Box::new(|_| {}),
    );
    let (strong, strengths) = mpsc::channel();
    let mut tone = ToneDetector::new(hz);
    let tap = Box::new(move |samples: &[f32]| {
        tone.push(samples);
        let _ = strong.send(tone.strength());
    });
    let options = TrackOptions {
        gain: 1.0,
        tap: Some(tap),
    };
    let input = engine.add_track(1, options).expect("a decoder");
    Listener {
        engine,
        input,
        strengths,
    }
}

/// An engine whose packets go into the track `to`.
pub(crate) fn feeding(
    capture: CaptureChoice,
    clock: MediaClock,
    to: TrackInput,
    events: impl FnMut(AudioEvent) + Send + 'static,
) -> AudioEngine {
    let mut sequence = 0_u16;
    AudioEngine::start(
        AudioSettings::headless(capture),
        clock,
        Box::new(move |packet| {
            to.push(RtpAudio {
                sequence,
                timestamp: packet.rtp,
                payload: &packet.data,
            });
            sequence = sequence.wrapping_add(1);
        }),
        Box::new(events),
    )
}
