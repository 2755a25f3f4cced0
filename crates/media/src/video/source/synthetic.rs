//! A drawn participant for tests and the demo: head and shoulders before a panelled wall, swaying and speaking, in
//! colours chosen by a seed, with a [`Stamp`] burned in.
//!
//! [`Scene::draw`] is pure: the same seed, size, frame number and clock give the same picture.

use std::time::Duration;

use crate::clock::{MediaClock, WallMs};
use crate::video::frame::{I420, VideoFrame};
use crate::video::source::{
    CameraId, CameraInfo, CameraSource, CaptureFormat, FrameSource, Pace, SourceError,
};
use crate::video::stamp::{Stamp, burn_stamp};

/// A colour as (Y, Cb, Cr).
type Colour = (u8, u8, u8);

const WALLS: [Colour; 6] = [
    (118, 132, 120),
    (104, 122, 138),
    (126, 120, 124),
    (96, 134, 118),
    (132, 116, 136),
    (110, 126, 130),
];
const COATS: [Colour; 6] = [
    (44, 138, 122),
    (58, 150, 112),
    (36, 126, 132),
    (62, 118, 150),
    (50, 132, 118),
    (72, 140, 110),
];
const SKINS: [Colour; 4] = [(176, 110, 148), (160, 108, 152), (188, 114, 144), (140, 110, 154)];
const HAIRS: [Colour; 4] = [(30, 128, 130), (44, 122, 138), (24, 130, 128), (120, 126, 130)];

/// What one participant looks like at one size. Cheap to draw: the wall is painted once.
#[derive(Debug, Clone)]
pub struct Scene {
    wall: I420,
    coat: Colour,
    skin: Colour,
    hair: Colour,
    phase: f32,
}

impl Scene {
    /// The participant of `seed` at this size.
    pub fn new(seed: u64, width: u32, height: u32) -> Self {
        // Splitting the seed by multiplication (SplitMix64's increment) spreads neighbouring seeds over the palettes.
        let mixed = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let pick = |shift: u32, len: usize| (mixed >> shift) as usize % len;
        let mut wall = I420::black(width, height);
        paint_wall(&mut wall, WALLS[(seed % WALLS.len() as u64) as usize]);
        Self {
            wall,
            coat: COATS[pick(20, COATS.len())],
            skin: SKINS[pick(30, SKINS.len())],
            hair: HAIRS[pick(40, HAIRS.len())],
            phase: (mixed >> 48) as f32 / 10_000.0,
        }
    }

    /// The picture of frame `frame` taken at `wall`.
    pub fn draw(&self, frame: u64, wall: WallMs) -> I420 {
        let mut picture = self.wall.clone();
        let (w, h) = (picture.width() as f32, picture.height() as f32);
        // Seconds, whole turns cut off so that a long hearing loses no precision.
        let t = (wall.0 % 3_600_000) as f32 / 1000.0 + self.phase;
        let unit = h.min(w * 0.75);
        let sway = (t * 0.9).sin() * unit * 0.03;
        let nod = (t * 1.7).sin() * unit * 0.012;
        let (cx, cy) = (w / 2.0 + sway, h * 0.43 + nod);

        // Shoulders, collar, neck.
        ellipse(
            &mut picture,
            w / 2.0 + sway * 0.4,
            h * 1.02,
            unit * 0.46,
            unit * 0.36,
            self.coat,
        );
        ellipse(
            &mut picture,
            w / 2.0 + sway * 0.5,
            h * 0.73,
            unit * 0.11,
            unit * 0.12,
            (224, 128, 128),
        );
        ellipse(
            &mut picture,
            cx,
            cy + unit * 0.20,
            unit * 0.075,
            unit * 0.12,
            shade(self.skin, -14),
        );
        // Head, hair, eyes.
        ellipse(
            &mut picture,
            cx,
            cy - unit * 0.035,
            unit * 0.165,
            unit * 0.205,
            self.hair,
        );
        ellipse(
            &mut picture,
            cx,
            cy + unit * 0.015,
            unit * 0.145,
            unit * 0.18,
            self.skin,
        );
        let blink = if (t * 0.31).fract() < 0.03 { 0.25 } else { 1.0 };
        for side in [-1.0, 1.0] {
            let eye = cx + side * unit * 0.055;
            ellipse(
                &mut picture,
                eye,
                cy - unit * 0.015,
                unit * 0.02,
                unit * 0.013 * blink,
                (40, 128, 128),
            );
        }
        // A mouth that opens in syllables for some seconds, then rests.
        let speaking = (t * 0.17).fract() < 0.6;
        let open = if speaking { (t * 9.0).sin().abs() } else { 0.1 };
        ellipse(
            &mut picture,
            cx,
            cy + unit * 0.10,
            unit * 0.045,
            unit * (0.006 + 0.022 * open),
            (84, 112, 160),
        );

        burn_stamp(&mut picture, Stamp::new(frame, wall));
        picture
    }
}

fn shade((y, u, v): Colour, by: i16) -> Colour {
    ((i16::from(y) + by).clamp(16, 235) as u8, u, v)
}

/// A wall lit from above with upright panels.
fn paint_wall(picture: &mut I420, wall: Colour) {
    let (width, height, stride) = (
        picture.width() as usize,
        picture.height() as usize,
        picture.stride_y(),
    );
    let (luma, cb, cr) = picture.planes_mut();
    for (line, row) in luma.chunks_exact_mut(stride).enumerate() {
        let light = 18 - (line * 44 / height) as i16;
        for (col, pixel) in row.iter_mut().enumerate() {
            let panel = (col * 64 / width) % 8;
            let groove = if panel == 0 { -16 } else { 0 };
            *pixel = shade(wall, light + groove).0;
        }
    }
    cb.fill(wall.1);
    cr.fill(wall.2);
}

/// Fills an axis-aligned ellipse row by row, clipped to the picture.
fn ellipse(picture: &mut I420, cx: f32, cy: f32, rx: f32, ry: f32, (y, u, v): Colour) {
    let (luma_size, chroma_size) = (
        (picture.width() as usize, picture.height() as usize),
        picture.chroma_size(),
    );
    let (stride_y, stride_uv) = (picture.stride_y(), picture.stride_uv());
    let (luma, cb, cr) = picture.planes_mut();
    fill(luma, stride_y, luma_size, (cx, cy, rx, ry), y);
    let half = (cx / 2.0, cy / 2.0, rx / 2.0, ry / 2.0);
    fill(cb, stride_uv, chroma_size, half, u);
    fill(cr, stride_uv, chroma_size, half, v);
}

fn fill(
    plane: &mut [u8],
    stride: usize,
    (width, height): (usize, usize),
    (cx, cy, rx, ry): (f32, f32, f32, f32),
    value: u8,
) {
    let first = (cy - ry).ceil().max(0.0) as usize;
    let last = ((cy + ry).floor().max(-1.0) + 1.0).min(height as f32) as usize;
    for line in first..last {
        let dy = (line as f32 - cy) / ry.max(0.5);
        let half = rx * (1.0 - dy * dy).max(0.0).sqrt();
        let from = ((cx - half).round().max(0.0) as usize).min(width);
        let to = ((cx + half).round().max(0.0) as usize).min(width);
        if from < to {
            plane[line * stride + from..line * stride + to].fill(value);
        }
    }
}

/// The camera that delivers a [`Scene`] in real time.
#[derive(Debug)]
pub struct SyntheticCamera {
    info: CameraInfo,
    format: CaptureFormat,
    scene: Scene,
    clock: MediaClock,
    pace: Pace,
    frame: u64,
}

impl SyntheticCamera {
    /// A camera that shows the participant of `seed`; sides are made even and kept within what the encoder takes.
    pub fn new(seed: u64, wanted: CaptureFormat, clock: MediaClock) -> Self {
        let even = |side: u32, max: u32| side.clamp(16, max) & !1;
        let format = CaptureFormat {
            width: even(wanted.width, 3840),
            height: even(wanted.height, 2160),
            fps: wanted.fps,
        };
        Self {
            info: CameraInfo {
                id: CameraId(format!("synthetic:{seed}")),
                name: format!("Synthetic camera {seed}"),
                is_default: false,
            },
            format,
            scene: Scene::new(seed, format.width, format.height),
            clock,
            pace: Pace::new(clock, format.fps),
            frame: 0,
        }
    }
}

impl FrameSource for SyntheticCamera {
    fn format(&self) -> CaptureFormat {
        self.format
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<VideoFrame, SourceError> {
        let captured = self.pace.wait(timeout)?;
        let picture = self.scene.draw(self.frame, self.clock.wall());
        self.frame += 1;
        Ok(VideoFrame::new(picture, captured))
    }
}

impl CameraSource for SyntheticCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::stamp::read_stamp;

    #[test]
    fn the_same_arguments_give_the_same_picture_and_seeds_differ() {
        let at = WallMs(1_700_000_000_123);
        assert_eq!(
            Scene::new(3, 320, 180).draw(9, at),
            Scene::new(3, 320, 180).draw(9, at)
        );
        assert_ne!(
            Scene::new(3, 320, 180).draw(9, at),
            Scene::new(4, 320, 180).draw(9, at)
        );
        assert_ne!(
            Scene::new(3, 320, 180).draw(9, at),
            Scene::new(3, 320, 180).draw(10, WallMs(at.0 + 33))
        );
    }

    #[test]
    fn every_size_draws_and_carries_its_stamp() {
        for (w, h) in [(160, 90), (320, 180), (640, 480), (720, 1280), (1280, 720)] {
            let picture = Scene::new(1, w, h).draw(77, WallMs(123_456));
            assert_eq!(
                read_stamp(&picture),
                Some(Stamp {
                    frame: 77,
                    clock_ms: 123_456
                }),
                "{w}x{h}"
            );
        }
        Scene::new(0, 16, 16).draw(0, WallMs(0));
    }
}
