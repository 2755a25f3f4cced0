//! Screens on Windows 10 (1903) and later, by Windows Graphics Capture (crate `windows-capture`).
//!
//! Not run anywhere yet: it is type-checked on Linux and waits for a Windows machine.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use windows_capture::capture::{CaptureControl, Context, GraphicsCaptureApiHandler};
use windows_capture::frame::Frame;
use windows_capture::graphics_capture_api::InternalCaptureControl;
use windows_capture::monitor::Monitor;
use windows_capture::settings::{
    ColorFormat, CursorCaptureSettings, DirtyRegionSettings, DrawBorderSettings,
    MinimumUpdateIntervalSettings, SecondaryWindowSettings, Settings,
};
use windows_capture::window::Window;

use crate::clock::MediaClock;
use crate::screen::pushed::{Pushed, PushedScreen};
use crate::screen::{ScreenId, ScreenInfo, ScreenKind, ScreenSource};
use crate::video::convert::{PixelFormat, RawPicture, to_i420};
use crate::video::frame::{I420, VideoFrame};
use crate::video::source::SourceError;

/// Longest wait for the first picture.
const FIRST: Duration = Duration::from_secs(3);

#[derive(Clone, Copy)]
enum Target {
    Monitor(Monitor),
    Window(Window),
}

fn unsupported(error: impl std::fmt::Display) -> SourceError {
    SourceError::Unsupported(error.to_string())
}

fn list() -> Result<Vec<(ScreenInfo, Target)>, SourceError> {
    let primary = Monitor::primary().ok().and_then(|m| m.device_name().ok());
    let mut found = Vec::new();
    for monitor in Monitor::enumerate().map_err(unsupported)? {
        let (Ok(device), Ok(width), Ok(height)) = (monitor.device_name(), monitor.width(), monitor.height())
        else {
            continue;
        };
        let title = monitor.name().unwrap_or_else(|_| device.clone());
        let is_primary = primary.as_ref() == Some(&device);
        let id = ScreenId(format!("windows:monitor:{device}"));
        let info = ScreenInfo {
            id,
            kind: ScreenKind::Monitor,
            title,
            width,
            height,
            is_primary,
        };
        found.push((info, Target::Monitor(monitor)));
    }
    found.sort_by_key(|(info, _)| !info.is_primary);
    for window in Window::enumerate().map_err(unsupported)? {
        let (Ok(title), Ok(width), Ok(height)) = (window.title(), window.width(), window.height()) else {
            continue;
        };
        if title.is_empty() || width < 64 || height < 64 {
            continue;
        }
        let id = ScreenId(format!("windows:window:{}", window.as_raw_hwnd() as usize));
        let (width, height) = (width as u32, height as u32);
        let info = ScreenInfo {
            id,
            kind: ScreenKind::Window,
            title,
            width,
            height,
            is_primary: false,
        };
        found.push((info, Target::Window(window)));
    }
    Ok(found)
}

pub(super) fn screens() -> Result<Vec<ScreenInfo>, SourceError> {
    Ok(list()?.into_iter().map(|(info, _)| info).collect())
}

/// Receives the pictures on the capture's own thread.
struct Receiver {
    pushed: Arc<Pushed>,
    clock: MediaClock,
}

impl GraphicsCaptureApiHandler for Receiver {
    type Flags = (Arc<Pushed>, MediaClock);
    type Error = SourceError;

    fn new(context: Context<Self::Flags>) -> Result<Self, Self::Error> {
        let (pushed, clock) = context.flags;
        Ok(Self { pushed, clock })
    }

    fn on_frame_arrived(
        &mut self,
        frame: &mut Frame<'_>,
        _: InternalCaptureControl,
    ) -> Result<(), Self::Error> {
        let mut buffer = frame.buffer().map_err(unsupported)?;
        let (width, height, stride) = (buffer.width(), buffer.height(), buffer.row_pitch() as usize);
        let raw = RawPicture {
            format: PixelFormat::Bgra,
            width,
            height,
            stride,
            data: buffer.as_raw_buffer(),
        };
        // An error would end the capture; a window that is too large for one moment must not.
        let picture = match to_i420(&raw) {
            Ok(picture) => picture,
            Err(error) => {
                tracing::debug!(%error, "a screen picture was passed over");
                return Ok(());
            }
        };
        self.pushed
            .mailbox
            .put(VideoFrame::new(picture, self.clock.now()));
        Ok(())
    }

    fn on_closed(&mut self) -> Result<(), Self::Error> {
        self.pushed.ended.store(true, Ordering::SeqCst);
        Ok(())
    }
}

impl Drop for Receiver {
    /// However the capture ended, it is said.
    fn drop(&mut self) {
        self.pushed.ended.store(true, Ordering::SeqCst);
    }
}

/// A running capture; stopped when dropped.
struct Running(Option<CaptureControl<Receiver, SourceError>>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(control) = self.0.take()
            && let Err(error) = control.stop()
        {
            tracing::warn!(%error, "a screen capture did not stop cleanly");
        }
    }
}

fn start(id: &ScreenId, fps: f32, clock: MediaClock) -> Result<PushedScreen<Running>, SourceError> {
    let (info, target) = list()?
        .into_iter()
        .find(|(info, _)| info.id == *id)
        .ok_or(SourceError::Missing)?;
    let pushed = Arc::new(Pushed::default());
    let flags = (pushed.clone(), clock);
    let interval = MinimumUpdateIntervalSettings::Custom(Duration::from_secs_f32(1.0 / fps.clamp(1.0, 60.0)));
    macro_rules! settings {
        ($item:expr) => {
            Settings::new(
                $item,
                CursorCaptureSettings::WithCursor,
                DrawBorderSettings::Default,
                SecondaryWindowSettings::Default,
                interval,
                DirtyRegionSettings::Default,
                ColorFormat::Bgra8,
                flags,
            )
        };
    }
    let control = match target {
        Target::Monitor(monitor) => Receiver::start_free_threaded(settings!(monitor)),
        Target::Window(window) => Receiver::start_free_threaded(settings!(window)),
    }
    .map_err(unsupported)?;
    Ok(PushedScreen::new(
        info,
        fps,
        clock,
        pushed,
        Running(Some(control)),
    ))
}

pub(super) fn still(id: &ScreenId) -> Result<I420, SourceError> {
    start(id, 30.0, MediaClock::start())?
        .first(FIRST)
        .map(Arc::unwrap_or_clone)
}

pub(super) fn open(id: &ScreenId, fps: f32, clock: MediaClock) -> Result<Box<dyn ScreenSource>, SourceError> {
    let screen = start(id, fps, clock)?;
    screen.first(FIRST)?;
    Ok(Box::new(screen))
}
