//! The H.264 simulcast encoder: one picture in, one access unit out per active layer.
//!
//! Constrained baseline, one slice, no B-frames, no reordering (RFC 6184 §8.1 `42e01f`-compatible streams), key frames
//! only when asked for. Each layer is its own encoder, so that a layer can change bitrate, rate or pause alone.
//! It never queues: a picture that comes too early for a layer's frame rate is left out of that layer.

use std::time::Duration;

use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile,
    RateControlMode, SpsPpsStrategy, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264::{OpenH264API, Timestamp as EncoderTimestamp};
use openh264_sys2::{
    ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_FRAME_RATE, ENCODER_OPTION_MAX_BITRATE,
    SBitrateInfo, SPATIAL_LAYER_0,
};

use crate::clock::Timestamp;
use crate::video::frame::{I420, VideoFrame};
use crate::video::scale::Scaler;
use crate::video::source::CaptureFormat;

/// Largest camera picture sent, in pixels; larger ones are scaled down.
const CAMERA_CAP: (u32, u32) = (1280, 720);
/// Largest shared screen sent, in pixels.
const SCREEN_CAP: (u32, u32) = (1920, 1080);
/// Fewest lines of the source for three and for two layers.
const LINES_FOR_LAYERS: (u32, u32) = (540, 270);
/// Frame rate of the lower layers: small tiles do not need more.
const LOWER_LAYER_FPS: f32 = 20.0;
/// Frame rate of a shared screen.
const SCREEN_FPS: f32 = 15.0;
/// Two key frames of one layer are at least this far apart, however many viewers ask.
const KEY_SPACING: Duration = Duration::from_millis(300);
/// Room above the target that the encoder's rate control may use for a moment, as a ratio.
const PEAK_TO_TARGET: (u32, u32) = (3, 2);
/// Lowest bitrate the encoder is set to, in bits per second.
const MIN_BITRATE: u32 = 30_000;
/// A picture this much early still counts as due: capture times jitter.
const EARLY: Duration = Duration::from_millis(4);

/// A simulcast layer, lowest first. A source too small for three layers has only the first one or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The lowest: a quarter of each side when there are three.
    Quarter,
    /// The middle one.
    Half,
    /// The highest of three.
    Full,
}

impl Layer {
    /// All layers, lowest first.
    pub const ALL: [Self; 3] = [Self::Quarter, Self::Half, Self::Full];

    /// The RTP stream id (RFC 8851) LiveKit clients use.
    pub const fn rid(self) -> &'static str {
        match self {
            Self::Quarter => "q",
            Self::Half => "h",
            Self::Full => "f",
        }
    }

    /// The layer of an RTP stream id.
    pub fn from_rid(rid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.rid() == rid)
    }

    /// 0 for the lowest.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What is in the picture; it decides how bits are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A person: motion first.
    Camera,
    /// A shared screen: text first.
    Screen,
}

/// One layer's settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerConfig {
    /// Which layer.
    pub layer: Layer,
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Highest frame rate.
    pub fps: f32,
    /// Target bitrate in bits per second.
    pub bitrate_bps: u32,
    /// Whether it is encoded at all.
    pub active: bool,
}

/// The layers of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulcastConfig {
    /// What is in the picture.
    pub content: Content,
    /// The layers, lowest first, at least one.
    pub layers: Vec<LayerConfig>,
}

impl SimulcastConfig {
    /// The usual layers for a source of this format.
    pub fn for_source(format: CaptureFormat, content: Content) -> Self {
        let count = match content {
            Content::Screen => 1,
            Content::Camera if format.height.min(format.width) >= LINES_FOR_LAYERS.0 => 3,
            Content::Camera if format.height.min(format.width) >= LINES_FOR_LAYERS.1 => 2,
            Content::Camera => 1,
        };
        let layers = Layer::ALL[..count]
            .iter()
            .map(|&layer| {
                let (width, height) = layer_size((format.width, format.height), content, count, layer);
                let top = layer.index() + 1 == count;
                let fps = match content {
                    Content::Screen => format.fps.min(SCREEN_FPS),
                    Content::Camera if top => format.fps,
                    Content::Camera => format.fps.min(LOWER_LAYER_FPS),
                };
                LayerConfig {
                    layer,
                    width,
                    height,
                    fps,
                    bitrate_bps: usual_bitrate(width, height),
                    active: true,
                }
            })
            .collect();
        Self { content, layers }
    }

    /// Whether this layer is there and encoded.
    pub fn is_active(&self, layer: Layer) -> bool {
        self.layers.iter().any(|l| l.layer == layer && l.active)
    }

    /// The smallest layer that is at least `height` pixels high, else the largest.
    pub fn layer_for(&self, height: u32) -> Option<Layer> {
        self.layers
            .iter()
            .find(|l| l.height >= height)
            .or(self.layers.last())
            .map(|l| l.layer)
    }

    /// The sum of the target bitrates of the active layers.
    pub fn total_bps(&self) -> u32 {
        self.layers
            .iter()
            .filter(|l| l.active)
            .map(|l| l.bitrate_bps)
            .sum()
    }
}

/// Bits per second that look good at this size: 1.5 Mbit/s at 720p, 450 kbit/s at 360p, 135 kbit/s at 180p.
pub fn usual_bitrate(width: u32, height: u32) -> u32 {
    let pixels = f64::from(width) * f64::from(height);
    (1_500_000.0 * (pixels / 921_600.0).powf(0.868)) as u32
}

/// A frame rate to encode at: devices and callers say 0 and worse.
fn usable_fps(fps: f32) -> f32 {
    if fps.is_nan() { 1.0 } else { fps.clamp(1.0, 60.0) }
}

/// The size of one of `count` layers for a source of this size: capped, halved per step down, sides even.
fn layer_size((width, height): (u32, u32), content: Content, count: usize, layer: Layer) -> (u32, u32) {
    let cap = match content {
        Content::Camera => CAMERA_CAP,
        Content::Screen => SCREEN_CAP,
    };
    let (long, short) = if width >= height { cap } else { (cap.1, cap.0) };
    let ratio = (f64::from(long) / f64::from(width))
        .min(f64::from(short) / f64::from(height))
        .min(1.0);
    let divisor = f64::from(1_u32 << (count - 1 - layer.index()));
    let side = |n: u32| ((f64::from(n) * ratio / divisor / 2.0).round() as u32 * 2).max(16);
    (side(width), side(height))
}

/// One encoded picture of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// Which layer.
    pub layer: Layer,
    /// The access unit in Annex B form; parameter sets come before every IDR picture.
    pub data: Vec<u8>,
    /// Whether it is an IDR picture.
    pub key: bool,
    /// When the picture was captured.
    pub captured: Timestamp,
    /// RTP timestamp, 90 kHz, of the capture time: equal over the layers of one picture.
    pub rtp: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The encoder failed; [`SimulcastEncoder`] starts that layer afresh with the next picture.
#[derive(Debug, thiserror::Error)]
#[error("H.264 encoder, layer {layer}: {reason}", layer = layer.rid())]
pub struct EncodeError {
    /// Which layer.
    pub layer: Layer,
    /// What OpenH264 said.
    pub reason: String,
}

/// Encodes pictures into the layers of a [`SimulcastConfig`].
pub struct SimulcastEncoder {
    content: Content,
    layers: Vec<LayerEncoder>,
    scaler: Scaler,
    source_size: Option<(u32, u32)>,
}

impl SimulcastEncoder {
    /// An encoder; OpenH264 itself is started by the first picture of each active layer.
    pub fn new(config: SimulcastConfig) -> Self {
        let content = config.content;
        let layers = config
            .layers
            .into_iter()
            .map(|config| LayerEncoder::new(config, content))
            .collect();
        Self {
            content,
            layers,
            scaler: Scaler::new(),
            source_size: None,
        }
    }

    /// The settings now, live changes included.
    pub fn config(&self) -> SimulcastConfig {
        SimulcastConfig {
            content: self.content,
            layers: self.layers.iter().map(|l| l.config).collect(),
        }
    }

    /// Encodes one picture. `out` gets up to one access unit per active layer, lowest first.
    ///
    /// # Errors
    /// The first [`EncodeError`] of any layer; the other layers are encoded all the same.
    pub fn encode(
        &mut self,
        frame: &VideoFrame,
        out: &mut dyn FnMut(EncodedFrame),
    ) -> Result<(), EncodeError> {
        let size = (frame.picture.width(), frame.picture.height());
        if self.source_size != Some(size) {
            self.fit(size);
        }
        let due: Vec<bool> = self.layers.iter_mut().map(|l| l.due(frame.captured)).collect();
        // Scaled from the top down, each from the one above it: three small steps cost less than three large ones.
        let mut pictures: Vec<Option<I420>> = vec![None; self.layers.len()];
        for at in (0..self.layers.len()).rev() {
            if !due[at] {
                continue;
            }
            let (width, height) = (self.layers[at].config.width, self.layers[at].config.height);
            let above = pictures[at + 1..]
                .iter()
                .flatten()
                .next()
                .unwrap_or(&frame.picture);
            if (above.width(), above.height()) != (width, height) {
                pictures[at] = Some(self.scaler.scale(above, width, height));
            }
        }
        let mut first_error = None;
        for (at, layer) in self.layers.iter_mut().enumerate() {
            if !due[at] {
                continue;
            }
            let picture = pictures[at].as_ref().unwrap_or(&frame.picture);
            match layer.encode(picture, frame.captured) {
                Ok(Some(encoded)) => out(encoded),
                Ok(None) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Recomputes layer sizes for a source of another size, keeping rates and bitrates.
    fn fit(&mut self, size: (u32, u32)) {
        let count = self.layers.len();
        for layer in &mut self.layers {
            let (width, height) = layer_size(size, self.content, count, layer.config.layer);
            if (width, height) != (layer.config.width, layer.config.height) {
                (layer.config.width, layer.config.height) = (width, height);
                layer.encoder = None;
            }
        }
        self.source_size = Some(size);
    }

    /// Changes a layer's target bitrate from the next picture on, without a key frame.
    pub fn set_bitrate(&mut self, layer: Layer, bitrate_bps: u32) {
        self.with(layer, |l| {
            l.config.bitrate_bps = bitrate_bps.max(MIN_BITRATE);
            l.apply_bitrate();
        });
    }

    /// Changes a layer's highest frame rate.
    pub fn set_fps(&mut self, layer: Layer, fps: f32) {
        self.with(layer, |l| {
            l.config.fps = usable_fps(fps);
            let mut rate = l.config.fps;
            // SAFETY: ENCODER_OPTION_FRAME_RATE reads one C float, which `rate` is for the length of the call.
            unsafe { l.set_option(ENCODER_OPTION_FRAME_RATE, (&raw mut rate).cast()) };
        });
    }

    /// Switches a layer on or off; switched on again it begins with a key frame.
    pub fn set_active(&mut self, layer: Layer, active: bool) {
        self.with(layer, |l| {
            l.key_wanted |= active && !l.config.active;
            l.config.active = active;
        });
    }

    /// Asks for a key frame; several requests within 300 ms become one.
    pub fn force_key(&mut self, layer: Layer) {
        self.with(layer, |l| l.key_wanted = true);
    }

    /// Begins afresh after a pause: every layer's next picture is a key frame.
    pub fn resume(&mut self) {
        for layer in &mut self.layers {
            layer.key_wanted = true;
            layer.last_key = None;
        }
    }

    fn with(&mut self, layer: Layer, change: impl FnOnce(&mut LayerEncoder)) {
        if let Some(found) = self.layers.iter_mut().find(|l| l.config.layer == layer) {
            change(found);
        }
    }
}

struct LayerEncoder {
    config: LayerConfig,
    content: Content,
    encoder: Option<Encoder>,
    key_wanted: bool,
    last_key: Option<Timestamp>,
    next_due: Timestamp,
}

impl LayerEncoder {
    fn new(mut config: LayerConfig, content: Content) -> Self {
        config.fps = usable_fps(config.fps);
        Self {
            config,
            content,
            encoder: None,
            key_wanted: false,
            last_key: None,
            next_due: Timestamp::ZERO,
        }
    }

    /// Whether this layer wants the picture captured at `at`, by its frame rate.
    fn due(&mut self, at: Timestamp) -> bool {
        if !self.config.active || at + EARLY < self.next_due {
            return false;
        }
        let period = Duration::from_secs_f32(1.0 / self.config.fps);
        self.next_due = (self.next_due + period).max(at);
        true
    }

    fn encode(&mut self, picture: &I420, captured: Timestamp) -> Result<Option<EncodedFrame>, EncodeError> {
        let result = self.encode_with_openh264(picture, captured);
        if result.is_err() {
            // A fresh encoder is the only state that is surely sound; it begins with a key frame.
            self.encoder = None;
        }
        result.map_err(|e| EncodeError {
            layer: self.config.layer,
            reason: e.to_string(),
        })
    }

    fn encode_with_openh264(
        &mut self,
        picture: &I420,
        captured: Timestamp,
    ) -> Result<Option<EncodedFrame>, openh264::Error> {
        let fresh = self.encoder.is_none();
        if fresh {
            self.encoder = Some(Encoder::with_api_config(
                OpenH264API::from_source(),
                self.openh264_config(),
            )?);
        }
        let encoder = self.encoder.as_mut().expect("an encoder was made just above");
        let spaced = self
            .last_key
            .is_none_or(|last| captured.saturating_since(last) >= KEY_SPACING);
        if !fresh && self.key_wanted && spaced {
            encoder.force_intra_frame();
        }
        let (w, h) = (picture.width() as usize, picture.height() as usize);
        let (sy, suv) = (picture.stride_y(), picture.stride_uv());
        let slices = YUVSlices::new((picture.y(), picture.u(), picture.v()), (w, h), (sy, suv, suv));
        let stream = encoder.encode_at(&slices, EncoderTimestamp::from_millis(captured.as_millis()))?;
        let key = match stream.frame_type() {
            FrameType::IDR | FrameType::I => true,
            FrameType::P | FrameType::IPMixed => false,
            // Rate control left the picture out.
            FrameType::Skip | FrameType::Invalid => return Ok(None),
        };
        let mut data = Vec::new();
        stream.write_vec(&mut data);
        if key {
            self.key_wanted = false;
            self.last_key = Some(captured);
        }
        if fresh {
            self.apply_bitrate();
        }
        Ok((!data.is_empty()).then(|| EncodedFrame {
            layer: self.config.layer,
            data,
            key,
            captured,
            rtp: captured.rtp_video(),
            width: self.config.width,
            height: self.config.height,
        }))
    }

    fn openh264_config(&self) -> EncoderConfig {
        let screen = self.content == Content::Screen;
        EncoderConfig::new()
            .usage_type(if screen {
                UsageType::ScreenContentRealTime
            } else {
                UsageType::CameraVideoRealTime
            })
            .bitrate(BitRate::from_bps(self.config.bitrate_bps.max(MIN_BITRATE)))
            .max_frame_rate(FrameRate::from_hz(self.config.fps))
            .rate_control_mode(RateControlMode::Bitrate)
            .skip_frames(true)
            .profile(Profile::Baseline)
            .complexity(Complexity::Low)
            // Key frames come when a viewer needs one; a scene change must not make one of its own accord and burst.
            // (For screens OpenH264 insists on detecting changes, and does without the next two.)
            .scene_change_detect(screen)
            .adaptive_quantization(!screen)
            .background_detection(!screen)
            .intra_frame_period(IntraFramePeriod::auto())
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .num_threads(1)
            .vui(VuiConfig::bt601())
    }

    /// Hands the target and peak bitrate to a running encoder; a coming one gets them at its start.
    fn apply_bitrate(&mut self) {
        let target = self.config.bitrate_bps;
        let peak = target / PEAK_TO_TARGET.1 * PEAK_TO_TARGET.0;
        // The peak must never be below the target, whichever way the change goes: peak out of the way first. Both are said
        // of the one spatial layer: for all of them OpenH264 notes the peak where it does not look for it, and goes on with
        // the first one.
        for (option, bps) in [
            (ENCODER_OPTION_MAX_BITRATE, i32::MAX as u32 / 2),
            (ENCODER_OPTION_BITRATE, target),
            (ENCODER_OPTION_MAX_BITRATE, peak),
        ] {
            let mut info = SBitrateInfo {
                iLayer: SPATIAL_LAYER_0,
                iBitrate: bps as i32,
            };
            // SAFETY: both bitrate options read one SBitrateInfo, which `info` is for the length of the call.
            unsafe { self.set_option(option, (&raw mut info).cast()) };
        }
    }

    /// Sets an option of the running encoder; does nothing when there is none yet.
    ///
    /// # Safety
    /// `value` must point to what `option` reads, see `ENCODER_OPTION` in OpenH264's `codec_app_def.h`.
    unsafe fn set_option(&mut self, option: ENCODER_OPTION, value: *mut std::ffi::c_void) {
        let Some(encoder) = &mut self.encoder else { return };
        // SAFETY: the encoder lives, `value` is what the caller promised, and no option set here is one the wrapper
        // relies on (it only keeps the picture size and data format).
        let code = unsafe { encoder.raw_api().set_option(option, value) };
        if code != 0 {
            tracing::warn!(
                layer = self.config.layer.rid(),
                option,
                code,
                "the H.264 encoder refused an option"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::WallMs;
    use crate::video::decode::VideoDecoder;
    use crate::video::h264;
    use crate::video::source::synthetic::Scene;
    use crate::video::stamp::{Stamp, read_stamp};

    fn frame_at(scene: &Scene, number: u64) -> VideoFrame {
        let captured = Timestamp::from_micros(number * 33_333);
        VideoFrame::new(scene.draw(number, WallMs(captured.as_millis())), captured)
    }

    /// Encodes `count` pictures of a talking head and hands over every access unit.
    fn run(encoder: &mut SimulcastEncoder, scene: &Scene, range: std::ops::Range<u64>) -> Vec<EncodedFrame> {
        let mut units = Vec::new();
        for number in range {
            encoder
                .encode(&frame_at(scene, number), &mut |unit| units.push(unit))
                .expect("the encoder works");
        }
        units
    }

    #[test]
    fn a_frame_rate_that_is_none_becomes_one() {
        for (fps, expected) in [
            (0.0, 1.0),
            (-5.0, 1.0),
            (f32::NAN, 1.0),
            (f32::INFINITY, 60.0),
            (25.0, 25.0),
        ] {
            assert_eq!(usable_fps(fps), expected);
        }
    }

    #[test]
    fn a_preview_takes_the_layer_that_fills_it() {
        let config = SimulcastConfig::for_source(
            CaptureFormat {
                width: 1_280,
                height: 720,
                fps: 30.0,
            },
            Content::Camera,
        );
        for (height, expected) in [
            (90, Layer::Quarter),
            (180, Layer::Quarter),
            (181, Layer::Half),
            (720, Layer::Full),
            (2_000, Layer::Full),
        ] {
            assert_eq!(config.layer_for(height), Some(expected), "{height}");
        }
    }

    #[test]
    fn layers_follow_the_source() {
        let sizes = |width, height| {
            SimulcastConfig::for_source(
                CaptureFormat {
                    width,
                    height,
                    fps: 30.0,
                },
                Content::Camera,
            )
            .layers
            .iter()
            .map(|l| (l.layer.rid(), l.width, l.height))
            .collect::<Vec<_>>()
        };
        assert_eq!(
            sizes(1280, 720),
            [("q", 320, 180), ("h", 640, 360), ("f", 1280, 720)]
        );
        assert_eq!(
            sizes(1920, 1080),
            [("q", 320, 180), ("h", 640, 360), ("f", 1280, 720)]
        );
        assert_eq!(sizes(640, 480), [("q", 320, 240), ("h", 640, 480)]);
        assert_eq!(sizes(320, 180), [("q", 320, 180)]);
        assert_eq!(
            sizes(720, 1280),
            [("q", 180, 320), ("h", 360, 640), ("f", 720, 1280)]
        );
    }

    #[test]
    fn the_stamp_survives_h264_at_all_three_layers() {
        let scene = Scene::new(5, 1280, 720);
        let mut encoder =
            SimulcastEncoder::new(SimulcastConfig::for_source(CaptureFormat::HD, Content::Camera));
        let mut decoders = [(); 3].map(|()| VideoDecoder::new().expect("a decoder"));
        let mut read = [0_u64; 3];
        for number in 0..90 {
            let frame = frame_at(&scene, number);
            let mut units = Vec::new();
            encoder
                .encode(&frame, &mut |unit| units.push(unit))
                .expect("the encoder works");
            for unit in units {
                let at = unit.layer.index();
                let picture = decoders[at]
                    .decode(&unit.data)
                    .expect("no loss")
                    .expect("no delay");
                assert_eq!((picture.width(), picture.height()), (unit.width, unit.height));
                let expected = Stamp::new(number, WallMs(frame.captured.as_millis()));
                assert_eq!(read_stamp(&picture), Some(expected), "layer {}", unit.layer.rid());
                read[at] += 1;
            }
        }
        // 30 frames a second at the top, 20 below; the rate control may leave out a few.
        assert!(
            read[2] >= 85 && read[1] >= 55 && read[0] >= 55,
            "decoded per layer: {read:?}"
        );
    }

    #[test]
    fn streams_are_constrained_baseline_without_reordering() {
        let scene = Scene::new(1, 1280, 720);
        let mut encoder =
            SimulcastEncoder::new(SimulcastConfig::for_source(CaptureFormat::HD, Content::Camera));
        let units = run(&mut encoder, &scene, 0..3);
        for unit in units.iter().filter(|u| u.key) {
            assert_eq!(
                h264::nal_types(&unit.data),
                [h264::NAL_SPS, h264::NAL_PPS, h264::NAL_IDR]
            );
            let sps = h264::sequence(&unit.data).expect("a key frame brings its parameter sets");
            assert_eq!((sps.profile, sps.constraints & 0x40), (66, 0x40));
            assert_eq!((sps.width, sps.height), (unit.width, unit.height));
            assert_eq!(sps.max_reorder, Some(0));
        }
        assert_eq!(
            units.iter().filter(|u| u.key).count(),
            3,
            "one key frame per layer, at the start"
        );
    }

    #[test]
    fn a_bitrate_change_takes_effect_without_a_key_frame() {
        let scene = Scene::new(2, 1280, 720);
        let mut config = SimulcastConfig::for_source(CaptureFormat::HD, Content::Camera);
        config.layers[2].bitrate_bps = 500_000;
        let mut encoder = SimulcastEncoder::new(config);
        encoder.set_active(Layer::Quarter, false);
        encoder.set_active(Layer::Half, false);
        // Noise that cannot be predicted makes the encoder use all it may.
        let mut noisy = |range: std::ops::Range<u64>| -> (u64, usize) {
            let (mut bytes, mut keys) = (0_u64, 0);
            for number in range {
                let mut frame = frame_at(&scene, number);
                let picture = std::sync::Arc::make_mut(&mut frame.picture);
                let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
                for pixel in picture.planes_mut().0.iter_mut().step_by(3) {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    *pixel = pixel.wrapping_add((state & 31) as u8);
                }
                encoder
                    .encode(&frame, &mut |unit| {
                        bytes += unit.data.len() as u64;
                        keys += usize::from(unit.key);
                    })
                    .expect("the encoder works");
                for (last, bps) in [(149, 250_000), (269, 1_500_000)] {
                    if number == last {
                        encoder.set_bitrate(Layer::Full, bps);
                    }
                }
            }
            (bytes * 8 / 3 / 1_000, keys)
        };
        noisy(0..60);
        let (begun, _) = noisy(60..150);
        noisy(150..180);
        let (fell, no_key) = noisy(180..270);
        noisy(270..300);
        let (rose, nor_here) = noisy(300..390);
        assert!(
            (300..600).contains(&begun),
            "uses what it may: {begun} kbit/s of 500"
        );
        assert!(fell < begun * 2 / 3, "{begun} kbit/s fell only to {fell} of 250");
        // Far above what the encoder was started with.
        assert!(
            (1_350..1_650).contains(&rose),
            "{fell} kbit/s rose only to {rose} of 1500"
        );
        assert_eq!((no_key, nor_here), (0, 0));
    }

    #[test]
    fn a_key_frame_comes_when_asked_and_not_twice_in_a_row() {
        let scene = Scene::new(2, 640, 360);
        let mut encoder =
            SimulcastEncoder::new(SimulcastConfig::for_source(CaptureFormat::SD, Content::Camera));
        run(&mut encoder, &scene, 0..30);
        let mut keys = Vec::new();
        for number in 30..60 {
            encoder.force_key(Layer::Half);
            encoder
                .encode(&frame_at(&scene, number), &mut |u| {
                    if u.key {
                        keys.push((u.layer, number));
                    }
                })
                .expect("the encoder works");
        }
        assert_eq!(keys.first(), Some(&(Layer::Half, 30)));
        assert!(keys.len() <= 4, "a second of requests made {keys:?}");
        assert!(keys.iter().all(|(layer, _)| *layer == Layer::Half));
    }

    #[test]
    fn a_source_that_changes_its_size_goes_on() {
        let mut encoder =
            SimulcastEncoder::new(SimulcastConfig::for_source(CaptureFormat::HD, Content::Camera));
        run(&mut encoder, &Scene::new(2, 1280, 720), 0..5);
        let units = run(&mut encoder, &Scene::new(2, 640, 480), 5..12);
        let sizes: Vec<_> = units
            .iter()
            .filter(|u| u.key)
            .map(|u| (u.width, u.height))
            .collect();
        assert_eq!(sizes, [(160, 120), (320, 240), (640, 480)]);
    }

    #[test]
    fn a_layer_switched_on_again_begins_with_a_key_frame() {
        let scene = Scene::new(2, 640, 360);
        let mut encoder =
            SimulcastEncoder::new(SimulcastConfig::for_source(CaptureFormat::SD, Content::Camera));
        run(&mut encoder, &scene, 0..10);
        encoder.set_active(Layer::Half, false);
        assert!(
            run(&mut encoder, &scene, 10..40)
                .iter()
                .all(|u| u.layer == Layer::Quarter)
        );
        encoder.set_active(Layer::Half, true);
        let units = run(&mut encoder, &scene, 40..42);
        assert!(
            units
                .iter()
                .find(|u| u.layer == Layer::Half)
                .expect("it is on")
                .key
        );
    }
}
