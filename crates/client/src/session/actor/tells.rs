//! What the session says over and over: the microphone's level to the page, how the devices are to the court. It decides nothing:
//! when the court is told is [`condition`](crate::session::condition)'s.

use super::*;
use crate::session::condition::Moment;

impl Actor {
    pub(super) fn is_metered(&self) -> bool {
        self.page.is_some() && self.has_microphone
    }

    pub(super) fn say_level(&mut self) {
        // A page that is behind is told what matters; a level that comes late is worth nothing.
        let keeps_up = |page: &mpsc::Sender<HostEvent>| page.capacity() > page.max_capacity() / 2;
        if !self.page.as_ref().is_some_and(keeps_up) {
            return;
        }
        let level = self.studio.levels().capture;
        let talking_while_muted = self.talking_until.is_some_and(|until| Instant::now() < until)
            && !self.may_send(TrackSource::Microphone);
        self.say(HostEvent::Level {
            rms_db: level.rms_dbfs.max(SILENCE_DB),
            peak_db: level.peak_dbfs.max(SILENCE_DB),
            talking_while_muted,
        });
    }

    /// Tells the court how the own devices are, when that changed.
    pub(super) fn tell_devices(&mut self, now: Instant) {
        let now = now.saturating_duration_since(self.began);
        let moment = Moment {
            camera: self.studio.has_camera().then_some(&self.camera_state),
            microphone: self.has_microphone.then_some(&self.microphone_state),
            speaker: self.speaker_state.as_ref(),
            microphone_on: self.microphone.on,
            levels: self.studio.levels(),
        };
        let devices = self.conditions.look(now, &moment);
        let on_record = self
            .standing
            .as_ref()
            .filter(|standing| !standing.over())
            .and_then(Standing::devices);
        if on_record.is_some_and(|on_record| self.teller.is_due(now, devices, on_record)) {
            self.teller.told(now, devices);
            self.send(Command::SelfDevices { devices }, Errand::Devices);
        }
    }
}
