//! Listening to several microphones at once, for a short time each: which of them has sound.
//!
//! It opens them beside whatever else uses them and plays nothing. One that hangs delays none of the others.

use std::sync::mpsc;
use std::time::Duration;

use crate::audio::device::{self, AudioDeviceId, AudioDeviceInfo};
use crate::audio::ear::{Ear, Heard};
use crate::audio::stream::CaptureEnd;
use crate::audio::{AudioError, BLOCK};
use crate::clock::MediaClock;

/// Time for a microphone to open, beyond the time it is listened to.
const OPENING: Duration = Duration::from_secs(3);
/// Sound is taken this often.
const TICK: Duration = Duration::from_millis(10);

/// Listens to these microphones (see [`inputs`](device::inputs)) all at the same time, for `span` each, and returns at
/// the latest three seconds after that. Opening the microphone of a wireless headset may change how it plays.
pub fn listen_to(
    devices: Vec<AudioDeviceInfo>,
    span: Duration,
) -> Vec<(AudioDeviceInfo, Result<Heard, AudioError>)> {
    let clock = MediaClock::start();
    each(devices, span + OPENING, clock, move |id| listen(id, span, clock))
}

/// Runs `listen` for every device on its own thread; those that are not done after `limit` hung.
fn each(
    devices: Vec<AudioDeviceInfo>,
    limit: Duration,
    clock: MediaClock,
    listen: impl Fn(AudioDeviceId) -> Result<Heard, AudioError> + Clone + Send + 'static,
) -> Vec<(AudioDeviceInfo, Result<Heard, AudioError>)> {
    let (done, results) = mpsc::channel();
    for (at, device) in devices.iter().enumerate() {
        let (done, listen, id) = (done.clone(), listen.clone(), device.id.clone());
        // Not joined: nothing can end a call that is stuck in a driver.
        std::thread::Builder::new()
            .name("audio-survey".into())
            .spawn(move || drop(done.send((at, listen(id)))))
            .expect("the system can start a thread");
    }
    drop(done);
    let mut all: Vec<_> = devices
        .into_iter()
        .map(|device| (device, Err(AudioError::Hung { after: limit })))
        .collect();
    let end = clock.now() + limit;
    while let Ok((at, result)) = results.recv_timeout(end.saturating_since(clock.now())) {
        all[at].1 = result;
    }
    all
}

/// Opens one microphone and listens to it.
fn listen(id: AudioDeviceId, span: Duration, clock: MediaClock) -> Result<Heard, AudioError> {
    let (open, mut capture) = device::open_capture(Some(id))?;
    let mut ear = Ear::new();
    let mut next = clock.now();
    let end = next + span;
    while next < end {
        let now = clock.now();
        if now < next {
            std::thread::sleep(next.saturating_since(now));
            continue;
        }
        next = next + TICK;
        let mut block = [0.0; BLOCK];
        capture.pull(&mut block);
        ear.listen(&block);
        if open.failed() {
            return Err(AudioError::Missing);
        }
    }
    Ok(ear.heard())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str) -> AudioDeviceInfo {
        AudioDeviceInfo {
            id: AudioDeviceId(name.to_owned()),
            name: name.to_owned(),
            is_default: false,
        }
    }

    #[test]
    fn one_that_hangs_does_not_hold_up_the_others() {
        let (hold, held) = mpsc::channel::<()>();
        let held = std::sync::Arc::new(std::sync::Mutex::new(held));
        let limit = Duration::from_millis(300);
        let found = each(
            vec![device("stuck"), device("live"), device("busy")],
            limit,
            MediaClock::start(),
            move |id| match id.0.as_str() {
                "live" => Ok(Ear::new().heard()),
                "busy" => Err(AudioError::Busy),
                _ => {
                    let _ = held.lock().map(|held| held.recv());
                    Err(AudioError::Missing)
                }
            },
        );
        drop(hold);
        let results: Vec<_> = found.into_iter().map(|(d, result)| (d.name, result)).collect();
        assert_eq!(
            results[0],
            ("stuck".to_owned(), Err(AudioError::Hung { after: limit }))
        );
        assert_eq!(results[1], ("live".to_owned(), Ok(Ear::new().heard())));
        assert_eq!(results[2], ("busy".to_owned(), Err(AudioError::Busy)));
    }

    #[test]
    fn a_microphone_that_is_not_there_is_missing_and_none_is_nothing() {
        let found = listen_to(vec![device("no such microphone")], Duration::from_millis(10));
        assert!(matches!(found[..], [(_, Err(AudioError::Missing))]), "{found:?}");
        assert_eq!(listen_to(Vec::new(), Duration::from_secs(60)), []);
    }
}
