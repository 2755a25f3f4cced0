//! Devices tried before there is a seat (设备自检): runs while the page has a device switched on, or plays the test sound.
//!
//! Holds no hearing. When it ends, every device is closed and the camera's light is off before anything else opens one.

use client::{MediaSetup, Session, SessionConfig, SessionHandle};
use protocol::{HostEvent, MediaKind, SwitchMedia};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// How long the end waits for the devices to be closed.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// The devices before a seat.
pub(crate) struct Rehearsal {
    session: SessionHandle,
    /// What the page wants on, whether or not it runs.
    camera: bool,
    microphone: bool,
    tasks: TaskTracker,
}

impl Rehearsal {
    /// Begins with everything switched off.
    pub(crate) fn start(
        config: SessionConfig,
        mut setup: MediaSetup,
        tell: impl Fn(HostEvent) + Send + 'static,
    ) -> Self {
        (setup.camera_on, setup.microphone_on) = (false, false);
        let tasks = TaskTracker::new();
        let session = Session::rehearse(config, setup, tasks.clone());
        let mut events = session.events();
        tasks.spawn(async move {
            while let Some(event) = events.recv().await {
                tell(event);
            }
        });
        Self {
            session,
            camera: false,
            microphone: false,
            tasks,
        }
    }

    /// The devices.
    pub(crate) fn session(&self) -> &SessionHandle {
        &self.session
    }

    /// Turns a device on or off. False: nothing is wanted any more.
    pub(crate) fn switch(&mut self, switch: SwitchMedia) -> bool {
        match switch.kind {
            MediaKind::Video => self.camera = switch.on,
            MediaKind::Audio => self.microphone = switch.on,
        }
        self.session.switch(switch);
        self.camera || self.microphone
    }

    /// Closes all devices, and has told the page so when it returns.
    pub(crate) async fn end(self) {
        self.session.end(protocol::DropCause::WindowClosed);
        self.tasks.close();
        if tokio::time::timeout(CLOSE_LIMIT, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("a device takes long to close");
        }
    }
}
