//! What a camera's picture is like, in figures: how many came, how light, how sharp, whether they move.
//!
//! Pure arithmetic on pictures and their timestamps; it judges nothing: what is too dark is decided elsewhere.
//! Luma is limited range inside the crate and is stretched here, so that 0 is black and 1 is white.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::video::frame::{I420, VideoFrame};
use crate::video::scale::Scaler;

/// Pictures are measured at this width: what is sharp must not depend on the camera's size, nor on its noise.
const WIDTH: u32 = 320;
/// Highest picture measured, in lines; only pictures of absurd shapes are squeezed.
const MAX_LINES: u32 = 640;
/// Lines compared with the picture before: enough that a head that moves crosses some.
const COMPARED_LINES: usize = 90;
/// Exposure and focus settle for this long; what came before is replaced by what comes after.
const SETTLING: Duration = Duration::from_millis(700);
/// Without a picture for so long the camera has stopped, and the time counts against its rate.
const STALL: Duration = Duration::from_millis(500);
/// Black and white of limited-range luma (BT.601).
const BLACK: f64 = 16.0;
const WHITE: f64 = 235.0;
/// Luma from here on is burnt out, 98 % of white: sensors clip a little below it.
const BURNT: u8 = 231;

/// What was seen. Luma figures are means over the pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Width of the newest picture, in pixels.
    pub width: u32,
    /// Height of the newest picture, in pixels.
    pub height: u32,
    /// Pictures that came.
    pub pictures: u32,
    /// Pictures a second, counted; 0 while only one came.
    pub fps: f32,
    /// Mean luma, 0 black to 1 white.
    pub brightness: f32,
    /// Part of the pixels that are burnt out.
    pub burnt: f32,
    /// Standard deviation of luma, 0 to 0.5.
    pub contrast: f32,
    /// Variance of the four-neighbour Laplacian of luma at 320 pixels of width, in squared steps of 255 from black to
    /// white. A narrower picture is measured as it is.
    pub sharpness: f32,
    /// Part of the pictures that were the same as the one before.
    pub frozen: f32,
}

/// Sums of the luma figures of some pictures.
#[derive(Debug, Clone, Copy, Default)]
struct Light {
    pictures: u32,
    brightness: f64,
    burnt: f64,
    contrast: f64,
    sharpness: f64,
}

/// Looks at the pictures of one camera, one after another.
#[derive(Debug, Default)]
pub struct Look {
    scaler: Scaler,
    first: Option<Timestamp>,
    newest: Timestamp,
    size: (u32, u32),
    pictures: u32,
    same: u32,
    compared: Vec<u8>,
    settled: bool,
    light: Light,
}

impl Look {
    /// Has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next picture.
    pub fn take(&mut self, frame: &VideoFrame) {
        let picture = &*frame.picture;
        let first = *self.first.get_or_insert(frame.captured);
        self.newest = self.newest.max(frame.captured);
        self.pictures += 1;
        self.compare(picture);
        if !self.settled && frame.captured.saturating_since(first) >= SETTLING {
            self.settled = true;
            self.light = Light::default();
        }
        self.measure(picture);
    }

    /// What was seen up to `now`; none before the first picture.
    pub fn seen(&self, now: Timestamp) -> Option<Seen> {
        let first = self.first?;
        let stalled = now.saturating_since(self.newest) >= STALL;
        let end = if stalled { now } else { self.newest };
        let seconds = end.saturating_since(first).as_secs_f64();
        let later = f64::from(self.pictures - 1);
        let mean = |sum: f64| (sum / f64::from(self.light.pictures.max(1))) as f32;
        Some(Seen {
            width: self.size.0,
            height: self.size.1,
            pictures: self.pictures,
            fps: if seconds > 0.0 {
                (later / seconds) as f32
            } else {
                0.0
            },
            brightness: mean(self.light.brightness),
            burnt: mean(self.light.burnt),
            contrast: mean(self.light.contrast),
            sharpness: mean(self.light.sharpness),
            frozen: (f64::from(self.same) / later.max(1.0)) as f32,
        })
    }

    /// A sensor has noise: a living picture differs from the one before in some byte of the compared lines.
    fn compare(&mut self, picture: &I420) {
        let size = (picture.width(), picture.height());
        let step = (picture.height() as usize / COMPARED_LINES).max(1);
        let width = picture.width() as usize;
        let lines = || {
            let whole = picture.y().chunks(picture.stride_y()).step_by(step);
            whole.map(|line| &line[..width])
        };
        let comparable = self.pictures > 1 && self.size == size;
        if comparable && lines().eq(self.compared.chunks(width)) {
            self.same += 1;
        } else {
            self.compared.clear();
            lines().for_each(|line| self.compared.extend_from_slice(line));
        }
        self.size = size;
    }

    fn measure(&mut self, picture: &I420) {
        let width = picture.width().min(WIDTH);
        let height =
            (u64::from(picture.height()) * u64::from(width)).div_ceil(u64::from(picture.width())) as u32;
        let height = height.clamp(1, MAX_LINES);
        let luma = self.scaler.luma(picture, width, height);
        let pixels = luma.len() as f64;
        let stretched = |y: u8| ((f64::from(y) - BLACK) / (WHITE - BLACK)).clamp(0.0, 1.0);
        let (mut sum, mut squares, mut burnt) = (0.0, 0.0, 0_u32);
        for &y in &luma {
            let light = stretched(y);
            sum += light;
            squares += light * light;
            burnt += u32::from(y >= BURNT);
        }
        let mean = sum / pixels;
        self.light.pictures += 1;
        self.light.brightness += mean;
        self.light.burnt += f64::from(burnt) / pixels;
        self.light.contrast += (squares / pixels - mean * mean).max(0.0).sqrt();
        self.light.sharpness += laplacian_variance(&luma, width as usize) * (255.0 / (WHITE - BLACK)).powi(2);
    }
}

/// Variance of the four-neighbour Laplacian over the inner pixels; 0 where there are none.
fn laplacian_variance(luma: &[u8], width: usize) -> f64 {
    let (mut sum, mut squares, mut count) = (0_i64, 0_i64, 0_i64);
    let lines: Vec<&[u8]> = luma.chunks_exact(width).collect();
    for window in lines.windows(3) {
        let [above, line, below] = [window[0], window[1], window[2]];
        for x in 1..width.saturating_sub(1) {
            let around = [above[x], below[x], line[x - 1], line[x + 1]];
            let edge = around.map(i64::from).iter().sum::<i64>() - 4 * i64::from(line[x]);
            sum += edge;
            squares += edge * edge;
            count += 1;
        }
    }
    let count = count.max(1) as f64;
    let mean = sum as f64 / count;
    (squares as f64 / count - mean * mean).max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::WallMs;
    use crate::video::source::synthetic::Scene;

    /// A picture whose luma is drawn from (x, y) and a random byte.
    fn drawn(width: u32, height: u32, noise: &mut u32, luma: impl Fn(u32, u32, u8) -> u8) -> I420 {
        let mut picture = I420::black(width, height);
        let stride = picture.stride_y();
        for (line, bytes) in picture.planes_mut().0.chunks_mut(stride).enumerate() {
            for (x, byte) in bytes.iter_mut().enumerate() {
                *noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = luma(x as u32, line as u32, (*noise >> 24) as u8);
            }
        }
        picture
    }

    /// Two seconds of pictures at 25 a second.
    fn watch(mut next: impl FnMut(u64) -> I420) -> Seen {
        let mut look = Look::new();
        for n in 0..=50 {
            look.take(&VideoFrame::new(next(n), Timestamp::from_millis(n * 40)));
        }
        look.seen(Timestamp::from_millis(2_040)).expect("pictures came")
    }

    /// 720 lines of noise of `spread` steps on top of `luma`.
    fn noisy(luma: u8, spread: u8) -> Seen {
        let mut noise = 1;
        watch(|_| drawn(1_280, 720, &mut noise, |_, _, byte| luma + byte % (spread + 1)))
    }

    /// The drawn participant, each pixel the mean of a square of this side.
    fn person(blur: u32) -> Seen {
        let scene = Scene::new(3, 640, 360);
        watch(|n| {
            let sharp = scene.draw(n, WallMs(n * 40));
            let small = crate::video::scale(&sharp, 640 / blur, 360 / blur);
            crate::video::scale(&small, 640, 360)
        })
    }

    #[test]
    fn a_black_picture_is_black_and_stands_still() {
        let seen = watch(|_| I420::black(1_280, 720));
        assert_eq!((seen.width, seen.height, seen.pictures), (1_280, 720, 51));
        assert_eq!(
            (seen.brightness, seen.burnt, seen.contrast, seen.sharpness),
            (0.0, 0.0, 0.0, 0.0)
        );
        assert_eq!(seen.frozen, 1.0);
        assert!((seen.fps - 25.0).abs() < 0.01, "{seen:?}");
    }

    #[test]
    fn a_covered_lens_is_dark_without_contrast_but_lives() {
        let seen = noisy(17, 3);
        assert!(seen.brightness < 0.02 && seen.contrast < 0.01, "{seen:?}");
        assert_eq!(seen.frozen, 0.0);
    }

    #[test]
    fn a_dark_room_and_a_window_behind_are_told_apart() {
        let dark = noisy(30, 20);
        assert!(
            (0.05..0.15).contains(&dark.brightness) && dark.burnt == 0.0,
            "{dark:?}"
        );
        let burnt = noisy(230, 5);
        assert!(burnt.brightness > 0.95 && burnt.burnt > 0.8, "{burnt:?}");
    }

    #[test]
    fn half_black_and_half_white_has_the_highest_contrast() {
        let seen = watch(|_| drawn(640, 480, &mut 1, |x, _, _| if x < 320 { 16 } else { 235 }));
        assert!((seen.contrast - 0.5).abs() < 0.01, "{seen:?}");
        assert!(
            (seen.brightness - 0.5).abs() < 0.01 && (seen.burnt - 0.5).abs() < 0.01,
            "{seen:?}"
        );
    }

    #[test]
    fn a_blurred_person_is_less_sharp_and_as_light() {
        let (sharp, soft, blurred) = (person(1), person(4), person(12));
        assert!(sharp.sharpness > 4.0 * soft.sharpness, "{sharp:?} {soft:?}");
        assert!(soft.sharpness > 4.0 * blurred.sharpness, "{soft:?} {blurred:?}");
        assert!(
            (sharp.brightness - blurred.brightness).abs() < 0.02,
            "{sharp:?} {blurred:?}"
        );
        assert_eq!(sharp.frozen, 0.0);
    }

    #[test]
    fn every_second_picture_doubled_is_half_frozen() {
        let scene = Scene::new(3, 640, 360);
        let seen = watch(|n| scene.draw(n / 2, WallMs(n / 2 * 80)));
        assert!((seen.frozen - 0.5).abs() < 0.02, "{seen:?}");
    }

    #[test]
    fn a_camera_that_stops_loses_its_rate() {
        let mut look = Look::new();
        assert_eq!(look.seen(Timestamp::from_millis(5_000)), None);
        for n in 0..11 {
            look.take(&VideoFrame::new(
                I420::black(320, 180),
                Timestamp::from_millis(n * 100),
            ));
        }
        let rate = |now| look.seen(Timestamp::from_millis(now)).expect("pictures came").fps;
        assert!((rate(1_050) - 10.0).abs() < 0.01, "{}", rate(1_050));
        assert!((rate(5_000) - 2.0).abs() < 0.01, "{}", rate(5_000));
    }

    #[test]
    fn what_came_before_the_exposure_settled_is_not_counted() {
        let seen = watch(|n| {
            drawn(
                320,
                180,
                &mut (n as u32),
                |_, _, _| if n < 17 { 235 } else { 126 },
            )
        });
        assert!(
            (seen.brightness - 0.5).abs() < 0.01 && seen.burnt == 0.0,
            "{seen:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn any_pictures_give_figures_in_range(
            pictures in proptest::collection::vec((1_u32..70, 1_u32..70, any::<u32>(), any::<u32>()), 1..6)
        ) {
            let mut look = Look::new();
            let mut now = Timestamp::ZERO;
            for (width, height, mut noise, at) in pictures {
                now = Timestamp::from_micros(at.into());
                let picture = drawn(width, height, &mut noise, |_, _, byte| byte);
                look.take(&VideoFrame::new(picture, now));
            }
            let seen = look.seen(now).expect("pictures came");
            for part in [seen.brightness, seen.burnt, seen.frozen] {
                prop_assert!((0.0..=1.0).contains(&part), "{seen:?}");
            }
            prop_assert!((0.0..=0.5001).contains(&seen.contrast), "{seen:?}");
            prop_assert!(seen.fps.is_finite() && seen.fps >= 0.0, "{seen:?}");
            prop_assert!(seen.sharpness.is_finite() && seen.sharpness >= 0.0, "{seen:?}");
        }
    }
}
