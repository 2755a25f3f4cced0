//! 练习: one sees and hears oneself as the court would, a second later, through the court's own media server.
//!
//! The own devices send into a practice room as into a hearing; what comes back is shown and played by the same sound engine, so
//! that the echo canceller works as it will there. No hearing knows of it, and nothing is kept.

mod delay;

use crate::http::{Court, CourtError};
use crate::room::{self, RemoteTrack, RoomAccess, RoomEvent, RoomHandle, RoomSetup};
use crate::session::{Session, SessionConfig, SessionHandle};
use crate::studio::MediaSetup;
use delay::{DelayedFrames, DelayedSound};
use protocol::{ByeReason, DropCause, HostEvent, LinkState, Secret, TrackInfo, TrackView};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// What comes back is late by this, so that one can look at oneself and listen after having spoken.
pub const DELAY: Duration = Duration::from_secs(1);
/// How long the end waits for the devices to be closed.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// One's own stay in a practice room. Dropping it without [`Practice::end`] ends it too, unwaited.
pub struct Practice {
    session: SessionHandle,
    mirror: RoomHandle,
    tasks: TaskTracker,
}

impl Practice {
    /// Asks for a room, opens camera and microphone, and sends.
    ///
    /// `tell` gets what a session says, with the tracks that came back beside one's own. The room ends by itself after some
    /// minutes: then the media link has ended.
    ///
    /// # Errors
    /// The court's, where it has no place or cannot be reached.
    pub async fn start(
        court: &Court,
        config: SessionConfig,
        mut setup: MediaSetup,
        tell: impl Fn(HostEvent) + Send + 'static,
    ) -> Result<Self, CourtError> {
        let room = court.practice().await?;
        let url = config
            .server
            .join(&room.media.url)
            .map_err(|_| CourtError::Unreachable("the media address is not an address".into()))?;
        let access = |token: Secret| RoomAccess {
            url: url.clone(),
            token,
        };
        (setup.camera_on, setup.microphone_on) = (setup.camera.is_some(), setup.microphone.is_some());
        let tasks = TaskTracker::new();
        let frames = setup.frames.clone();
        let rng = ChaCha8Rng::seed_from_u64(config.seed.wrapping_add(1));
        let client = config.client.clone();
        let session = Session::start_open(config, access(room.media.token), setup, tasks.clone());
        let sound = session
            .sound()
            .await
            .map_err(|_| CourtError::Unreachable("the devices closed at once".into()))?;
        let back = RoomSetup {
            client,
            frames: DelayedFrames::behind(frames, DELAY, &tasks),
            sound: DelayedSound::behind(sound, DELAY, &tasks),
            rng,
            tasks: tasks.clone(),
        };
        // Nothing is sent there: the queue of own media ends at once.
        let (_, nothing) = mpsc::channel(1);
        let (mirror, mirrored) = room::enter(access(room.mirror), back, nothing);
        tasks.spawn(together(session.events(), mirrored, tell));
        Ok(Self {
            session,
            mirror,
            tasks,
        })
    }

    /// The own devices.
    pub fn session(&self) -> &SessionHandle {
        &self.session
    }

    /// How large the pictures are shown; tracks left out are not shown.
    pub fn views(&self, views: Vec<TrackView>) {
        self.mirror.views(views.clone());
        self.session.views(views);
    }

    /// The decoder of a slot needs a key picture.
    pub fn request_key(&self, slot: u32) {
        self.mirror.request_key(slot);
        self.session.request_key(slot);
    }

    /// Leaves, and has closed all devices when it returns.
    pub async fn end(self) {
        self.mirror.leave();
        self.session.end(DropCause::WindowClosed);
        self.tasks.close();
        if tokio::time::timeout(CLOSE_LIMIT, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("a device takes long to close");
        }
    }
}

/// Tells what both connections say as one: the session's words, with the tracks that came back.
async fn together(
    mut session: mpsc::Receiver<HostEvent>,
    mut mirrored: mpsc::Receiver<RoomEvent>,
    tell: impl Fn(HostEvent),
) {
    let (mut own, mut back) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            event = session.recv() => match event {
                Some(HostEvent::Tracks { tracks }) => {
                    own = tracks;
                    tell(tracks_of(&own, &back));
                }
                Some(event) => tell(event),
                None => return,
            },
            Some(event) = mirrored.recv() => match event {
                RoomEvent::Tracks(tracks) => {
                    back = tracks;
                    tell(tracks_of(&own, &back));
                }
                // The room was open for its time.
                RoomEvent::Over(_) | RoomEvent::TokenRefused => tell(HostEvent::MediaLink {
                    state: LinkState::Ended { reason: ByeReason::HearingEnded },
                }),
                _ => {}
            },
        }
    }
}

fn tracks_of(own: &[TrackInfo], back: &[RemoteTrack]) -> HostEvent {
    let back = back.iter().map(RemoteTrack::told);
    HostEvent::Tracks {
        tracks: own.iter().cloned().chain(back).collect(),
    }
}
