//! A camera in a thread of its own: whatever its driver does, nobody else waits for it longer than they chose.
//!
//! The thread opens the device, reads it as fast as it delivers (so that its buffers are never stale) and leaves the
//! latest picture in a mailbox.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::clock::MediaClock;
use crate::video::frame::{I420, LatestFrame, VideoFrame};
use crate::video::source::{CameraInfo, CameraSource, CaptureFormat, FrameSource, SourceError};

/// How long closing waits for the driver to let go, so that the next opener does not find it busy.
const CLOSING: Duration = Duration::from_millis(500);

/// Reads one picture: `None` when the device had none in time.
pub(super) type Reader = Box<dyn FnMut() -> Result<Option<I420>, SourceError>>;

#[derive(Default)]
struct Shared {
    mailbox: LatestFrame,
    failure: Mutex<Option<SourceError>>,
    stop: AtomicBool,
}

/// A camera driven by its thread.
pub(super) struct DrivenCamera {
    info: CameraInfo,
    format: CaptureFormat,
    /// See [`CameraSource::is_flipped`].
    pub(super) is_flipped: bool,
    shared: Arc<Shared>,
    ended: mpsc::Receiver<()>,
}

impl DrivenCamera {
    /// Starts the thread, which calls `open` and then reads. Waits at most `deadline` for the first picture.
    pub(super) fn start(
        info: CameraInfo,
        clock: MediaClock,
        deadline: Duration,
        open: impl FnOnce() -> Result<(CaptureFormat, Reader), SourceError> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let shared = Arc::new(Shared::default());
        let (opened, open_result) = mpsc::sync_channel(1);
        let (alive, ended) = mpsc::channel();
        let thread = shared.clone();
        std::thread::Builder::new()
            .name("camera".into())
            .spawn(move || {
                let _alive = alive;
                match open() {
                    Ok((format, reader)) => {
                        let _ = opened.send(Ok(format));
                        run(&thread, reader, clock);
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            })
            .expect("the system can start a thread");
        let hung = SourceError::Hung { after: deadline };
        let format = open_result.recv_timeout(deadline).map_err(|_| {
            shared.stop.store(true, Ordering::SeqCst);
            hung.clone()
        })??;
        let camera = Self {
            info,
            format,
            is_flipped: false,
            shared,
            ended,
        };
        // A camera that opens but shows nothing is as good as hung; the picture stays in the mailbox for the owner.
        let Some(first) = camera.shared.mailbox.wait(deadline) else {
            return Err(camera.failure().unwrap_or(hung));
        };
        camera.shared.mailbox.put(first);
        Ok(camera)
    }

    fn failure(&self) -> Option<SourceError> {
        self.shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn run(shared: &Shared, mut reader: Reader, clock: MediaClock) {
    while !shared.stop.load(Ordering::SeqCst) {
        match reader() {
            Ok(Some(picture)) => shared.mailbox.put(VideoFrame::new(picture, clock.now())),
            Ok(None) => {}
            Err(error) => {
                *shared.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                shared.mailbox.end();
                return;
            }
        }
    }
}

impl FrameSource for DrivenCamera {
    fn format(&self) -> CaptureFormat {
        self.format
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<VideoFrame, SourceError> {
        if let Some(frame) = self.shared.mailbox.wait(timeout) {
            return Ok(frame);
        }
        Err(self.failure().unwrap_or(SourceError::Hung { after: timeout }))
    }
}

impl CameraSource for DrivenCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn is_flipped(&self) -> bool {
        self.is_flipped
    }
}

impl Drop for DrivenCamera {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Ends with a disconnect when the thread is gone; a thread stuck in its driver is left behind.
        let _ = self.ended.recv_timeout(CLOSING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::video::source::CameraId;

    fn info() -> CameraInfo {
        CameraInfo {
            id: CameraId("test".into()),
            name: "Test".into(),
            is_default: true,
        }
    }

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn errors_of_opening_and_silence_are_told_apart() {
        let clock = MediaClock::start();
        let busy = DrivenCamera::start(info(), clock, LONG, || Err(SourceError::Busy));
        assert_eq!(busy.err(), Some(SourceError::Busy));
        let (hold, held) = mpsc::channel::<()>();
        let stuck = DrivenCamera::start(info(), clock, SHORT, move || {
            let _ = held.recv();
            Err(SourceError::Missing)
        });
        assert_eq!(stuck.err(), Some(SourceError::Hung { after: SHORT }));
        drop(hold);
        let silent = DrivenCamera::start(info(), clock, SHORT, || {
            Ok((CaptureFormat::SD, Box::new(|| Ok(None)) as Reader))
        });
        assert_eq!(silent.err(), Some(SourceError::Hung { after: SHORT }));
    }

    #[test]
    fn a_camera_that_fails_before_its_first_picture_says_so_at_once() {
        let clock = MediaClock::start();
        let broken = SourceError::Unsupported("an error of the bus".into());
        let told = broken.clone();
        let opened = DrivenCamera::start(info(), clock, LONG, move || {
            let fails = move || Err(told.clone());
            Ok((CaptureFormat::SD, Box::new(fails) as Reader))
        });
        assert_eq!(opened.err(), Some(broken));
        assert!(clock.now() < Timestamp::ZERO + LONG, "it waited out the deadline");
    }

    #[test]
    fn a_camera_that_is_unplugged_says_so_after_its_last_picture() {
        let mut left = 3;
        let mut camera = DrivenCamera::start(info(), MediaClock::start(), LONG, move || {
            let reader = move || {
                left -= 1;
                if left >= 0 {
                    Ok(Some(I420::black(16, 16)))
                } else {
                    Err(SourceError::Missing)
                }
            };
            Ok((CaptureFormat::SD, Box::new(reader) as Reader))
        })
        .expect("it delivers");
        let mut last = camera.next_frame(LONG).map(|_| ());
        while last.is_ok() || matches!(last, Err(SourceError::Hung { .. })) {
            last = camera.next_frame(SHORT).map(|_| ());
        }
        assert_eq!(last, Err(SourceError::Missing));
    }
}
