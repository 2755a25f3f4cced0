//! The camera, opened as a hearing opens it, and its pictures looked at for two seconds. Never keeps a picture.

use crate::studio::fault_of;
use media::clock::MediaClock;
use media::permission::{self, Guarded};
use media::video::{CameraChoice, CameraId, CaptureFormat, Look, Seen, SourceError, cameras, open_camera};
use protocol::{CameraFacts, DeviceFault};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A camera that shows nothing for so long counts as hung.
const OPEN_LIMIT: Duration = Duration::from_secs(6);
/// Pictures are looked at for so long, the time in which a camera sets its exposure included.
const LOOKED_AT: Duration = Duration::from_millis(2_500);
/// One wait for a picture.
const WAIT: Duration = Duration::from_secs(1);

/// Opens the camera and looks. Blocks for some seconds, fewer once `stop` is set: call it off the async
/// threads. Never fails: what went wrong is a fact.
pub(super) fn measure(choice: &CameraChoice, clock: MediaClock, stop: &AtomicBool) -> CameraFacts {
    match look(choice, clock, stop) {
        Ok(facts) => facts,
        Err(error) => failed(fault_of(&error), name(choice)),
    }
}

/// A camera that gives no picture, and who else has it. Looks on the disk: call it off the async threads.
pub(crate) fn failed(fault: DeviceFault, device: Option<String>) -> CameraFacts {
    let held = matches!(fault, DeviceFault::Busy | DeviceFault::Hung | DeviceFault::Broken);
    CameraFacts::Failed {
        fault,
        device,
        held_by: if held {
            permission::holders(Guarded::Camera)
        } else {
            Vec::new()
        },
    }
}

/// A camera that gives pictures.
pub(crate) fn seen(device: String, seen: &Seen, first_ms: u32, flipped: bool) -> CameraFacts {
    CameraFacts::Seen {
        device,
        width: seen.width,
        height: seen.height,
        fps: seen.fps,
        first_ms,
        brightness: seen.brightness,
        burnt: seen.burnt,
        contrast: seen.contrast,
        sharpness: seen.sharpness,
        frozen: seen.frozen,
        flipped,
    }
}

fn look(choice: &CameraChoice, clock: MediaClock, stop: &AtomicBool) -> Result<CameraFacts, SourceError> {
    let begun = clock.now();
    let mut camera = open_camera(choice, CaptureFormat::HD, clock, OPEN_LIMIT)?;
    let device = camera.info().name.clone();
    let mut look = Look::new();
    look.take(&camera.next_frame(OPEN_LIMIT)?);
    let first = clock.now();
    while clock.now().saturating_since(first) < LOOKED_AT && !stop.load(Ordering::Relaxed) {
        match camera.next_frame(WAIT) {
            Ok(picture) => look.take(&picture),
            // A picture that stands still is a finding, not a failure.
            Err(SourceError::Hung { .. }) => {}
            // It was there a moment ago.
            Err(SourceError::Missing) => return Err(SourceError::Ended),
            Err(error) => return Err(error),
        }
    }
    let all = look.seen(clock.now()).expect("it has seen the first picture");
    let first_ms = first.saturating_since(begun).as_millis() as u32;
    Ok(seen(device, &all, first_ms, camera.is_flipped()))
}

/// What the chosen camera is called, where the system lists it.
fn name(choice: &CameraChoice) -> Option<String> {
    let is = |id: &CameraId, default: bool| match choice {
        CameraChoice::Default => default,
        CameraChoice::Device(chosen) => chosen == id,
        CameraChoice::Synthetic { .. } | CameraChoice::Y4m(_) => false,
    };
    let list = cameras().ok()?;
    list.into_iter()
        .find(|camera| is(&camera.id, camera.is_default))
        .map(|camera| camera.name)
}
