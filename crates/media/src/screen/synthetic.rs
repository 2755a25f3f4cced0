//! A drawn page as a shared screen, for tests: lines like text that scroll one line every two seconds, with a stamp.

use std::time::Duration;

use crate::clock::{MediaClock, WallMs};
use crate::screen::{ScreenId, ScreenInfo, ScreenKind, ScreenSource};
use crate::video::frame::{I420, VideoFrame};
use crate::video::source::{CaptureFormat, FrameSource, Pace, SourceError};
use crate::video::stamp::{Stamp, burn_stamp};

const SIZE: (u32, u32) = (1280, 720);
const LINE: usize = 24;
const MARGIN: usize = 160;

pub(super) struct SyntheticScreen {
    info: ScreenInfo,
    fps: f32,
    seed: u64,
    clock: MediaClock,
    pace: Pace,
    frame: u64,
}

impl SyntheticScreen {
    pub(super) fn new(seed: u64, fps: f32, clock: MediaClock) -> Self {
        let info = ScreenInfo {
            id: ScreenId(format!("synthetic:{seed}")),
            kind: ScreenKind::Window,
            title: format!("Synthetic page {seed}"),
            width: SIZE.0,
            height: SIZE.1,
            is_primary: false,
        };
        Self {
            info,
            fps,
            seed,
            clock,
            pace: Pace::new(clock, fps),
            frame: 0,
        }
    }
}

/// A white page with dark strokes where letters would be.
fn draw(seed: u64, frame: u64, wall: WallMs) -> I420 {
    let mut picture = I420::black(SIZE.0, SIZE.1);
    let stride = picture.stride_y();
    let scrolled = wall.0 / 2_000;
    let luma = picture.planes_mut().0;
    for (y, row) in luma.chunks_exact_mut(stride).enumerate() {
        row.fill(96);
        row[MARGIN..SIZE.0 as usize - MARGIN].fill(230);
        if (6..18).contains(&(y % LINE)) {
            let mut letters = (seed + 1)
                .wrapping_mul((y / LINE) as u64 + scrolled + 1)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15);
            for x in (MARGIN + 40..SIZE.0 as usize - MARGIN - 60).step_by(12) {
                letters = letters.rotate_left(7).wrapping_mul(0xD6E8_FEB8_6659_FD93);
                if letters >> 61 != 0 {
                    row[x..x + 2 + (letters >> 58 & 7) as usize].fill(40);
                }
            }
        }
    }
    burn_stamp(&mut picture, Stamp::new(frame, wall));
    picture
}

impl FrameSource for SyntheticScreen {
    fn format(&self) -> CaptureFormat {
        CaptureFormat {
            width: SIZE.0,
            height: SIZE.1,
            fps: self.fps,
        }
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<VideoFrame, SourceError> {
        let captured = self.pace.wait(timeout)?;
        let picture = draw(self.seed, self.frame, self.clock.wall());
        self.frame += 1;
        Ok(VideoFrame::new(picture, captured))
    }
}

impl ScreenSource for SyntheticScreen {
    fn info(&self) -> &ScreenInfo {
        &self.info
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::encode::{Content, SimulcastConfig, SimulcastEncoder};
    use crate::video::{VideoDecoder, read_stamp};

    #[test]
    fn a_page_goes_through_the_screen_encoder() {
        let mut screen = SyntheticScreen::new(1, 60.0, MediaClock::start());
        let mut encoder =
            SimulcastEncoder::new(SimulcastConfig::for_source(screen.format(), Content::Screen));
        let mut decoder = VideoDecoder::new().expect("a decoder");
        let frame = screen.next_frame(Duration::from_secs(20)).expect("drawn");
        let mut read = None;
        let decode = &mut |unit: crate::video::EncodedFrame| {
            read = decoder
                .decode(&unit.data)
                .expect("whole")
                .and_then(|p| read_stamp(&p));
        };
        encoder.encode(&frame, decode).expect("encodes");
        assert_eq!(read.map(|s| s.frame), Some(0));
    }
}
