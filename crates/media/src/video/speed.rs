//! How fast this computer is with pictures: the encoder and the decoder of the crate on the drawn participant, one size
//! after another, for a bounded time each.
//!
//! It blocks and keeps a processor busy: call it off the async threads, and while nothing else is measured.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{MediaClock, Timestamp, WallMs};
use crate::video::decode::{DecodeError, VideoDecoder};
use crate::video::encode::{
    Content, EncodeError, Layer, LayerConfig, SimulcastConfig, SimulcastEncoder, usual_bitrate,
};
use crate::video::frame::{I420, VideoFrame};
use crate::video::source::synthetic::Scene;

/// The sizes of the layers of a camera with 720 lines.
const SIZES: [(u32, u32); 3] = [(320, 180), (640, 360), (1_280, 720)];
/// Time for encoding one size, and again for decoding it.
const SHARE: Duration = Duration::from_millis(150);
/// Rate the encoder is told and the person moves at.
const FPS: f32 = 30.0;
/// Pictures drawn of each size; they are gone through forwards and backwards.
const DRAWN: u64 = 8;

/// Speed with pictures of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// Lines of the picture.
    pub height: u32,
    /// Pictures a second that are encoded.
    pub encode_fps: f32,
    /// Pictures a second that are decoded.
    pub decode_fps: f32,
}

/// Why the speed is not known.
#[derive(Debug, thiserror::Error)]
pub enum SpeedError {
    /// The encoder failed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The decoder failed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Measures 180, 360 and 720 lines; takes about a second. Each size is encoded alone, without scaling.
///
/// # Errors
/// [`SpeedError`] when a codec does not work at all.
pub fn codec_speeds(clock: MediaClock) -> Result<Vec<Speed>, SpeedError> {
    SIZES
        .iter()
        .map(|&size| {
            let (encode_fps, units) = encode(clock, size)?;
            let decode_fps = decode(clock, &units)?;
            Ok(Speed {
                height: size.1,
                encode_fps,
                decode_fps,
            })
        })
        .collect()
}

/// Encodes pictures of one size until its time is over; returns the rate and what came out.
fn encode(clock: MediaClock, (width, height): (u32, u32)) -> Result<(f32, Vec<Vec<u8>>), SpeedError> {
    let scene = Scene::new(1, width, height);
    let at = |n: u64| Duration::from_secs_f32(n as f32 / FPS);
    let pictures: Vec<Arc<I420>> = (0..DRAWN)
        .map(|n| Arc::new(scene.draw(n, WallMs(at(n).as_millis() as u64))))
        .collect();
    let mut there_and_back = (0..DRAWN as usize).chain((1..DRAWN as usize - 1).rev()).cycle();
    let mut encoder = SimulcastEncoder::new(SimulcastConfig {
        content: Content::Camera,
        layers: vec![LayerConfig {
            layer: Layer::Quarter,
            width,
            height,
            fps: FPS,
            bitrate_bps: usual_bitrate(width, height),
            active: true,
        }],
    });
    let mut units = Vec::new();
    let mut next = |n: u64| -> Result<bool, SpeedError> {
        let picture = there_and_back.next().map(|at| pictures[at].clone());
        let frame = VideoFrame {
            picture: picture.expect("a cycle of pictures never ends"),
            captured: Timestamp::ZERO + at(n),
        };
        let before = units.len();
        encoder.encode(&frame, &mut |unit| units.push(unit.data))?;
        // What rate control leaves out costs nothing and is not counted.
        Ok(units.len() > before)
    };
    // The first picture starts the encoder and is a key frame: neither is what goes on for hours.
    next(0)?;
    let fps = rate(clock, |n| next(n + 1))?;
    Ok((fps, units))
}

/// Decodes what [`encode`] made until its time is over, from the start again where it is used up.
fn decode(clock: MediaClock, units: &[Vec<u8>]) -> Result<f32, SpeedError> {
    let mut decoder = VideoDecoder::new()?;
    let mut again = units.iter().cycle();
    rate(clock, |_| {
        let Some(unit) = again.next() else {
            return Ok(false);
        };
        Ok(decoder.decode(unit)?.is_some())
    })
}

/// How often a second `work` gets something done, by doing it for [`SHARE`], once at least.
fn rate(clock: MediaClock, mut work: impl FnMut(u64) -> Result<bool, SpeedError>) -> Result<f32, SpeedError> {
    let start = clock.now();
    let mut done = 0_u32;
    for n in 0.. {
        done += u32::from(work(n)?);
        let took = clock.now().saturating_since(start);
        if took >= SHARE {
            return Ok((f64::from(done) / took.as_secs_f64()) as f32);
        }
    }
    unreachable!("time passes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_measured_and_small_pictures_are_faster() {
        let clock = MediaClock::start();
        let speeds = codec_speeds(clock).expect("the codecs work");
        let took = clock.now().as_millis();
        eprintln!("{speeds:?} in {took} ms");
        let heights: Vec<u32> = speeds.iter().map(|s| s.height).collect();
        assert_eq!(heights, [180, 360, 720]);
        let [small, _, large] = speeds[..] else {
            unreachable!("three sizes were measured")
        };
        assert!(large.encode_fps > 0.0 && large.decode_fps > 0.0);
        // Sixteen times the pixels: even on a machine busy with other things it is not the faster one.
        assert!(small.encode_fps > large.encode_fps && small.decode_fps > large.decode_fps);
    }

    #[test]
    fn only_what_came_out_of_the_encoder_is_decoded() {
        let (_, units) = encode(MediaClock::start(), SIZES[0]).expect("the encoder works");
        let mut decoder = VideoDecoder::new().expect("a decoder");
        for unit in units.iter().chain(&units) {
            let picture = decoder.decode(unit).expect("sound data").expect("a picture");
            assert_eq!((picture.width(), picture.height()), SIZES[0]);
        }
    }
}
