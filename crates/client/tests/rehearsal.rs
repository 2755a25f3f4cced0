//! Devices before a seat: synthetic ones are switched on, watched and closed again, with no court anywhere.

use client::{EncodedFrame, FrameSink, MediaClock, MediaSetup, Session, SessionConfig};
use media::audio::CaptureChoice;
use media::video::CameraChoice;
use protocol::{DeviceKind, DeviceState, HostEvent, MediaKind, SwitchMedia, TrackSource};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

const LIMIT: Duration = Duration::from_secs(10);

struct Pictures(mpsc::UnboundedSender<EncodedFrame>);

impl FrameSink for Pictures {
    fn frame(&self, frame: EncodedFrame) {
        let _ = self.0.send(frame);
    }
}

/// Waits for the event that `find` knows.
async fn hears<T>(
    events: &mut mpsc::Receiver<HostEvent>,
    what: &str,
    find: impl Fn(&HostEvent) -> Option<T>,
) -> T {
    let search = async {
        loop {
            let event = events.recv().await.expect("the rehearsal goes on");
            if let Some(found) = find(&event) {
                return found;
            }
        }
    };
    timeout(LIMIT, search).await.unwrap_or_else(|_| panic!("{what}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_work_before_a_seat_and_are_closed_with_the_rehearsal() {
    let (frames, mut pictures) = mpsc::unbounded_channel();
    let mut setup = MediaSetup::headless(
        Some(CameraChoice::Synthetic { seed: 3 }),
        Some(CaptureChoice::Tone {
            hz: 440.0,
            dbfs: -20.0,
        }),
        Arc::new(Pictures(frames)),
        MediaClock::start(),
    );
    (setup.camera_on, setup.microphone_on) = (false, false);
    setup.preview = true;
    let config = SessionConfig {
        // Nothing listens there: the check says so, and the devices work all the same.
        server: "http://127.0.0.1:9".parse().expect("an address"),
        client: "rehearsal".to_owned(),
        seed: 7,
    };
    let tasks = TaskTracker::new();
    let session = Session::rehearse(config, setup, tasks.clone());
    let mut events = session.events();
    assert_eq!(session.seat(), None);

    for kind in [MediaKind::Video, MediaKind::Audio] {
        session.switch(SwitchMedia { kind, on: true });
    }
    let preview = |event: &HostEvent| match event {
        HostEvent::Tracks { tracks } => tracks
            .iter()
            .find(|track| track.own && track.source == TrackSource::Camera)
            .map(|track| track.slot),
        _ => None,
    };
    let slot = hears(&mut events, "an own picture", preview).await;
    let picture = timeout(LIMIT, pictures.recv())
        .await
        .expect("a picture")
        .expect("a picture");
    assert_eq!((picture.slot, picture.key), (slot, true));
    hears(&mut events, "the microphone's level", |event| {
        matches!(event, HostEvent::Level { rms_db, .. } if *rms_db > -30.0).then_some(())
    })
    .await;

    let check = session.quick_check().await.expect("the rehearsal goes on");
    assert!(matches!(check.camera, DeviceState::On { .. }), "{check:?}");
    assert!(matches!(check.microphone, DeviceState::On { .. }), "{check:?}");
    assert!(check.loudest_db > -30.0, "{check:?}");
    assert_eq!((check.server_reachable, check.media_reachable), (false, None));

    session.switch(SwitchMedia {
        kind: MediaKind::Video,
        on: false,
    });
    hears(&mut events, "the camera is closed", |event| {
        let off = HostEvent::Device {
            kind: DeviceKind::Camera,
            state: DeviceState::Off,
        };
        (*event == off).then_some(())
    })
    .await;

    session.end(protocol::DropCause::WindowClosed);
    hears(&mut events, "the microphone is closed", |event| {
        let off = HostEvent::Device {
            kind: DeviceKind::Microphone,
            state: DeviceState::Off,
        };
        (*event == off).then_some(())
    })
    .await;
    tasks.close();
    timeout(LIMIT, tasks.wait())
        .await
        .expect("every device thread ends");
    assert!(session.is_over());
    assert!(session.quick_check().await.is_err(), "a rehearsal that ended");
}
