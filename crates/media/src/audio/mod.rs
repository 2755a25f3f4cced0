//! Sound: devices, Opus, echo cancellation, jitter buffers, mixing, measuring.
//!
//! Inside the crate sound is 48 kHz mono `f32` in blocks of 10 ms; devices and files of other formats are converted at
//! the edge. One engine owns both ends of the sound, so that the echo canceller hears exactly what the speaker plays.

pub mod device;
pub mod drift;
pub mod ear;
pub mod engine;
pub mod jitter;
pub mod loopback;
pub mod meter;
pub mod opus;
pub mod process;
pub mod red;
pub mod rehearse;
mod sound;
mod stream;
pub mod survey;
mod tape;
mod track;
mod watcher;
pub mod wav;

use std::time::Duration;

pub use device::{AudioDeviceId, AudioDeviceInfo, inputs, outputs};
pub use ear::{Ear, Heard};
pub use engine::{
    AudioEngine, AudioEvent, AudioHandle, AudioSettings, CaptureChoice, EncodedAudio, Levels, PlaybackChoice,
    Probe, Standing,
};
pub use jitter::{JitterBuffer, RtpAudio};
pub use loopback::{ChirpFinder, Echo, chirp};
pub use meter::{GapMeter, GapReport, Level, LevelMeter, ToneDetector};
pub use opus::{OpusDecoder, OpusEncoder, OpusSettings};
pub use process::{Duplex, Processing};
pub use red::{RedBlock, RedEncoder, RedError};
pub use rehearse::{Loop, Recording, listen, measure_loop, play_chirps, record};
pub use survey::listen_to;
pub use track::{Tap, TrackInput, TrackOptions, TrackStats};
pub use wav::{WavRecorder, read_wav};

/// Samples per second inside the crate.
pub const RATE: u32 = 48_000;
/// Samples in 10 ms, the unit of processing.
pub const BLOCK: usize = 480;
/// Samples in one Opus packet, 20 ms.
pub const PACKET: usize = 2 * BLOCK;
/// Ten milliseconds of sound.
pub type Block = [f32; BLOCK];

/// Why sound could not be captured or played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// No such device (any more), or no device at all.
    #[error("no such device")]
    Missing,
    /// Another program holds the device.
    #[error("the device is in use by another program")]
    Busy,
    /// The operating system or its user refused access.
    #[error("access to the device was refused")]
    Denied,
    /// The device did not answer within `after`.
    #[error("the device did not answer for {} ms", after.as_millis())]
    Hung {
        /// How long it was waited for.
        after: Duration,
    },
    /// The device or file has no format we can use.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// A file could not be read or written.
    #[error("file: {0}")]
    File(String),
    /// The device failed for another reason.
    #[error("device: {0}")]
    Device(String),
    /// A codec refused its settings or data.
    #[error("codec: {0}")]
    Codec(String),
}
