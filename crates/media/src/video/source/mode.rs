//! Choosing among the modes a camera lists. Pure.

use crate::video::source::CaptureFormat;

/// A camera below this many frames a second is only taken when nothing faster is there.
const LEAST_FPS: f32 = 15.0;
/// A rate further than this from the wanted one costs more than an awkward pixel format.
const RATE_SLACK: f32 = 5.0;

/// One way a camera can deliver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mode {
    /// How costly its pixel format is to convert, 0 the cheapest.
    pub(super) rank: usize,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) fps: f32,
}

/// The mode nearest to what is wanted: fast enough first, then near in size, then near in rate and cheap.
pub(super) fn best(modes: &[Mode], wanted: CaptureFormat) -> Option<Mode> {
    let distance = |mode: &Mode| {
        let too_slow = mode.fps < wanted.fps.min(LEAST_FPS) - 0.5;
        let pixels = u64::from(mode.width) * u64::from(mode.height);
        let off = pixels.abs_diff(u64::from(wanted.width) * u64::from(wanted.height));
        let rate_off = (mode.fps - wanted.fps).abs();
        (
            too_slow,
            off,
            rate_off > RATE_SLACK,
            mode.rank,
            (rate_off * 10.0) as u32,
        )
    };
    modes.iter().copied().min_by_key(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_mode_is_fast_enough_then_near_in_size_then_cheap() {
        let mode = |rank, width, height, fps| Mode {
            rank,
            width,
            height,
            fps,
        };
        let yuyv_slow = mode(2, 1280, 720, 10.0);
        let mjpeg = mode(3, 1280, 720, 30.0);
        let yuyv_small = mode(2, 640, 480, 30.0);
        let nv12 = mode(0, 1280, 720, 30.0);
        let choose = |modes: &[Mode]| best(modes, CaptureFormat::HD).expect("some");
        assert_eq!(choose(&[yuyv_slow, mjpeg, yuyv_small]), mjpeg);
        assert_eq!(choose(&[yuyv_slow, mjpeg, yuyv_small, nv12]), nv12);
        assert_eq!(choose(&[yuyv_slow, yuyv_small]), yuyv_small);
        assert_eq!(choose(&[yuyv_slow]), yuyv_slow);
        assert_eq!(best(&[], CaptureFormat::HD), None);
    }
}
