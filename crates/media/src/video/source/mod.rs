//! Where pictures come from: cameras, files, and a drawn participant. One façade, one file per operating system.
//!
//! A source never blocks for ever: opening has a deadline, and a device that stops delivering reports [`SourceError::Hung`].

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod device;
mod driver;
#[cfg(not(target_os = "macos"))]
mod mode;
pub mod synthetic;
pub mod y4m;

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::{MediaClock, Timestamp};
use crate::video::frame::VideoFrame;

/// What a capture was asked for or delivers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureFormat {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second.
    pub fps: f32,
}

impl CaptureFormat {
    /// 1280x720 at 30 frames per second: what a seat in court sends.
    pub const HD: Self = Self {
        width: 1280,
        height: 720,
        fps: 30.0,
    };
    /// 640x360 at 30 frames per second.
    pub const SD: Self = Self {
        width: 640,
        height: 360,
        fps: 30.0,
    };
}

/// Why a source could not be opened, or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No such device (any more).
    #[error("no such device")]
    Missing,
    /// Another program holds the device.
    #[error("the device is in use by another program")]
    Busy,
    /// The operating system or its user refused access.
    #[error("access to the device was refused")]
    Denied,
    /// The device did not answer or deliver within `after`.
    #[error("the device delivered nothing for {} ms", after.as_millis())]
    Hung {
        /// How long it was waited for.
        after: Duration,
    },
    /// The source came to its end (a window was closed).
    #[error("the source has ended")]
    Ended,
    /// The device or file has no format we can use, or this system has no such sources.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// A file could not be read.
    #[error("file: {0}")]
    File(String),
}

/// Anything that delivers pictures at its own pace.
pub trait FrameSource: Send {
    /// What it delivers. The size of later frames may differ (a window is resized).
    fn format(&self) -> CaptureFormat;

    /// Waits for the next picture, at most `timeout`; pictures nobody waited for are skipped, not queued.
    ///
    /// # Errors
    /// [`SourceError::Hung`] after `timeout` (the next call may succeed again); every other error is final.
    fn next_frame(&mut self, timeout: Duration) -> Result<VideoFrame, SourceError>;
}

/// A stable identifier of a camera, as the operating system names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CameraId(pub String);

/// A camera that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// Stable identifier, for settings.
    pub id: CameraId,
    /// The name its maker gave it, for people.
    pub name: String,
    /// Whether [`CameraChoice::Default`] opens this one.
    pub is_default: bool,
}

/// A source of pictures of a person.
pub trait CameraSource: FrameSource {
    /// Which camera this is.
    fn info(&self) -> &CameraInfo;

    /// Whether the camera says that it is set to turn its picture upside down; false where it does not tell.
    fn is_flipped(&self) -> bool {
        false
    }
}

/// Which camera to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraChoice {
    /// The system's first camera.
    Default,
    /// A certain camera.
    Device(CameraId),
    /// A drawn participant; each seed looks different.
    Synthetic {
        /// Chooses colours and movement.
        seed: u64,
    },
    /// A Y4M file, played in a loop at its own frame rate.
    Y4m(PathBuf),
}

/// The cameras of this machine, the default one first.
///
/// # Errors
/// [`SourceError::Denied`] or [`SourceError::Unsupported`] where the system says so. No camera is an empty list.
pub fn cameras() -> Result<Vec<CameraInfo>, SourceError> {
    device::cameras()
}

/// Opens a camera, waiting at most `deadline` for its first picture. Blocks: call it off the async threads.
///
/// `wanted` is a wish: the source delivers the nearest format it has, see [`FrameSource::format`].
///
/// # Errors
/// See [`SourceError`].
pub fn open_camera(
    choice: &CameraChoice,
    wanted: CaptureFormat,
    clock: MediaClock,
    deadline: Duration,
) -> Result<Box<dyn CameraSource>, SourceError> {
    match choice {
        CameraChoice::Default => device::open(None, wanted, clock, deadline),
        CameraChoice::Device(id) => device::open(Some(id), wanted, clock, deadline),
        CameraChoice::Synthetic { seed } => {
            Ok(Box::new(synthetic::SyntheticCamera::new(*seed, wanted, clock)))
        }
        CameraChoice::Y4m(path) => Ok(Box::new(y4m::Y4mCamera::open(path, clock)?)),
    }
}

/// Keeps a source without hardware to its frame rate.
#[derive(Debug)]
pub(crate) struct Pace {
    clock: MediaClock,
    period: Duration,
    next: Timestamp,
}

impl Pace {
    pub(crate) fn new(clock: MediaClock, fps: f32) -> Self {
        Self {
            clock,
            period: Duration::from_secs_f32(1.0 / fps.clamp(0.1, 240.0)),
            next: clock.now(),
        }
    }

    /// Sleeps until the next picture is due; a source that fell behind goes on from now instead of catching up.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<Timestamp, SourceError> {
        let wait = self.next.saturating_since(self.clock.now());
        if wait > timeout {
            std::thread::sleep(timeout);
            return Err(SourceError::Hung { after: timeout });
        }
        std::thread::sleep(wait);
        let now = self.clock.now();
        self.next = (self.next + self.period).max(now);
        Ok(now)
    }
}
