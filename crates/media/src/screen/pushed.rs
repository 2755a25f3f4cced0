//! Screens whose system pushes pictures, and only when something changed: the last one is repeated at an even pace, so
//! that a viewer who comes later gets a picture too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::MediaClock;
use crate::screen::{ScreenInfo, ScreenSource};
use crate::video::frame::{I420, LatestFrame, VideoFrame};
use crate::video::source::{CaptureFormat, FrameSource, Pace, SourceError};

/// What the system's callback fills.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    pub(super) mailbox: LatestFrame,
    pub(super) ended: AtomicBool,
}

/// A screen that is captured as long as `capture` lives.
pub(super) struct PushedScreen<C> {
    info: ScreenInfo,
    fps: f32,
    pace: Pace,
    pushed: Arc<Pushed>,
    _capture: C,
}

impl<C> PushedScreen<C> {
    pub(super) fn new(
        info: ScreenInfo,
        fps: f32,
        clock: MediaClock,
        pushed: Arc<Pushed>,
        capture: C,
    ) -> Self {
        Self {
            info,
            fps,
            pace: Pace::new(clock, fps),
            pushed,
            _capture: capture,
        }
    }

    /// The first picture, waiting at most `timeout`.
    pub(super) fn first(&self, timeout: Duration) -> Result<Arc<I420>, SourceError> {
        let frame = self
            .pushed
            .mailbox
            .wait(timeout)
            .ok_or(SourceError::Hung { after: timeout })?;
        self.pushed.mailbox.put(frame.clone());
        Ok(frame.picture)
    }
}

impl<C: Send> FrameSource for PushedScreen<C> {
    fn format(&self) -> CaptureFormat {
        CaptureFormat {
            width: self.info.width,
            height: self.info.height,
            fps: self.fps,
        }
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<VideoFrame, SourceError> {
        let captured = self.pace.wait(timeout)?;
        if self.pushed.ended.load(Ordering::SeqCst) {
            return Err(SourceError::Ended);
        }
        let frame = match self.pushed.mailbox.newest() {
            Some(frame) => frame,
            None => self
                .pushed
                .mailbox
                .wait(timeout)
                .ok_or(SourceError::Hung { after: timeout })?,
        };
        (self.info.width, self.info.height) = (frame.picture.width(), frame.picture.height());
        Ok(VideoFrame {
            picture: frame.picture,
            captured,
        })
    }
}

impl<C: Send> ScreenSource for PushedScreen<C> {
    fn info(&self) -> &ScreenInfo {
        &self.info
    }
}
