//! Shared screens and windows: listing them with thumbnails, and capturing them. One façade, one file per system.
//!
//! A capture shows what a person at this machine sees of the chosen monitor or window, pointer included, and nothing else.

#[cfg(not(target_os = "linux"))]
mod pushed;
mod synthetic;
#[cfg_attr(target_os = "linux", path = "x11.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

use crate::clock::MediaClock;
use crate::video::convert::to_rgba;
use crate::video::frame::I420;
use crate::video::scale::scale;
use crate::video::source::{FrameSource, SourceError};

/// An identifier of a monitor or window, stable while it exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScreenId(pub String);

/// What can be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenKind {
    /// A whole monitor.
    Monitor,
    /// One window.
    Window,
}

/// A monitor or window that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenInfo {
    /// Its identifier.
    pub id: ScreenId,
    /// Monitor or window.
    pub kind: ScreenKind,
    /// The window's title or the monitor's name.
    pub title: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Whether it is the main monitor.
    pub is_primary: bool,
}

/// What to share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScreenChoice {
    /// A certain monitor or window.
    Device(ScreenId),
    /// A drawn page that changes, for tests.
    Synthetic {
        /// Chooses its content.
        seed: u64,
    },
}

/// A source of pictures of a screen.
pub trait ScreenSource: FrameSource {
    /// Which monitor or window this is.
    fn info(&self) -> &ScreenInfo;
}

/// The monitors, the main one first, then the windows.
///
/// # Errors
/// [`SourceError::Unsupported`] where the system cannot be asked, [`SourceError::Denied`] where its user refused.
pub fn screens() -> Result<Vec<ScreenInfo>, SourceError> {
    system::screens()
}

/// A picture of it now, scaled to fit `max_width` x `max_height`, sides even.
///
/// # Errors
/// [`SourceError::Missing`] when it is gone.
pub fn thumbnail(id: &ScreenId, max_width: u32, max_height: u32) -> Result<I420, SourceError> {
    let picture = system::still(id)?;
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let ratio = (f64::from(max_width) / width)
        .min(f64::from(max_height) / height)
        .min(1.0);
    let side = |n: f64| ((n * ratio / 2.0).round() as u32 * 2).max(2);
    Ok(scale(&picture, side(width), side(height)))
}

/// [`thumbnail`] as packed RGBA with its width and height, for a picker.
///
/// # Errors
/// As [`thumbnail`].
pub fn thumbnail_rgba(
    id: &ScreenId,
    max_width: u32,
    max_height: u32,
) -> Result<(u32, u32, Vec<u8>), SourceError> {
    let picture = thumbnail(id, max_width, max_height)?;
    let mut rgba = Vec::new();
    to_rgba(&picture, &mut rgba);
    Ok((picture.width(), picture.height(), rgba))
}

/// Begins capturing at up to `fps` pictures a second.
///
/// # Errors
/// See [`SourceError`].
pub fn open_screen(
    choice: &ScreenChoice,
    fps: f32,
    clock: MediaClock,
) -> Result<Box<dyn ScreenSource>, SourceError> {
    match choice {
        ScreenChoice::Device(id) => system::open(id, fps, clock),
        ScreenChoice::Synthetic { seed } => Ok(Box::new(synthetic::SyntheticScreen::new(*seed, fps, clock))),
    }
}
