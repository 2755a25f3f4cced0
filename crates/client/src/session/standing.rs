//! What the court allows this seat's microphone and camera, followed from the frames of the hearing channel. Pure.
//!
//! The court can close a device and hold it closed; it never opens one. What was closed by the court stays closed
//! after the lock is lifted, until its owner opens it.

use protocol::{
    DeviceConditions, Event, HearingState, MediaKind, MediaSwitches, Participant, ParticipantState, SeatId,
    Seq, ServerFrame, TrackSource,
};

/// Where the own seat stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    seat: SeatId,
    hearing: HearingState,
    state: ParticipantState,
    switches: MediaSwitches,
    sharing: bool,
    /// Up to here the last snapshot has it all: older events come after it when a connection is resumed.
    snapshot: Seq,
    /// How the own devices are by the court's record; none before the first snapshot.
    devices: Option<DeviceConditions>,
}

/// What changed for the owner's wishes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// The court has closed the microphone: the wish to have it open is void.
    pub mic_closed: bool,
    /// The same for the camera.
    pub camera_closed: bool,
    /// It was closed by a lock, which no command of our own can have done.
    pub mic_locked: bool,
    /// The same for the camera.
    pub camera_locked: bool,
    /// The court has stopped the share.
    pub share_stopped: bool,
}

impl Standing {
    /// Before the first snapshot: outside.
    pub fn new(seat: SeatId) -> Self {
        Self {
            seat,
            hearing: HearingState::Scheduled,
            state: ParticipantState::Invited,
            switches: MediaSwitches::default(),
            sharing: false,
            snapshot: Seq(0),
            devices: None,
        }
    }

    /// Follows a frame.
    pub fn follow(&mut self, frame: &ServerFrame) -> Verdict {
        let before = self.clone();
        match frame {
            ServerFrame::Welcome { snapshot, .. } | ServerFrame::Snapshot { snapshot } => {
                self.snapshot = snapshot.seq;
                self.hearing = snapshot.state.clone();
                self.devices = Some(DeviceConditions::default());
                match snapshot
                    .participants
                    .iter()
                    .find(|participant| participant.seat.id == self.seat)
                {
                    Some(own) => self.take(own),
                    None => self.state = ParticipantState::Invited,
                }
            }
            ServerFrame::Event { envelope } if envelope.seq <= self.snapshot => {}
            ServerFrame::Event { envelope } => match &envelope.event {
                Event::HearingState { to, .. } => self.hearing = to.clone(),
                Event::ParticipantState { seat, to, .. } if *seat == self.seat => self.state = to.clone(),
                Event::ParticipantMedia { seat, media } if *seat == self.seat => self.switches = *media,
                Event::ParticipantShown { participant } if participant.seat.id == self.seat => {
                    self.take(participant)
                }
                Event::ParticipantDevices { seat, devices } if *seat == self.seat => {
                    self.devices = Some(*devices);
                }
                Event::ShareState { seat, on } if *seat == self.seat => self.sharing = *on,
                _ => {}
            },
            _ => {}
        }
        let mic_locked = self.switches.mic_locked && !before.switches.mic_locked;
        let camera_locked = self.switches.camera_locked && !before.switches.camera_locked;
        Verdict {
            mic_locked,
            camera_locked,
            mic_closed: mic_locked || (before.switches.mic && !self.switches.mic),
            camera_closed: camera_locked || (before.switches.camera && !self.switches.camera),
            share_stopped: before.sharing && !self.sharing,
        }
    }

    fn take(&mut self, own: &Participant) {
        self.state = own.state.clone();
        self.switches = own.media;
        self.sharing = own.sharing;
        self.devices = Some(own.devices);
    }

    /// How the own devices are by the court's record; none before the first snapshot.
    pub fn devices(&self) -> Option<DeviceConditions> {
        self.devices
    }

    /// The hearing has ended and will not go on.
    pub fn over(&self) -> bool {
        matches!(
            self.hearing,
            HearingState::Closed
                | HearingState::Archived
                | HearingState::Cancelled { .. }
                | HearingState::Adjourned { .. }
                | HearingState::MovedOffline { .. }
        )
    }

    /// In court, in a hearing that runs: media may pass.
    pub fn in_court(&self) -> bool {
        self.state == ParticipantState::InCourt
            && matches!(
                self.hearing,
                HearingState::Open | HearingState::InSession { .. } | HearingState::Signing { .. }
            )
    }

    /// Whether the own source may be sent now.
    pub fn may_send(&self, source: TrackSource) -> bool {
        self.in_court()
            && match source {
                TrackSource::Microphone => !self.switches.mic_locked,
                TrackSource::Camera => !self.switches.camera_locked,
                TrackSource::Screen => true,
            }
    }

    /// Whether its owner may open a device now; outside court they may, for the device check.
    pub fn may_open(&self, kind: MediaKind) -> bool {
        !match kind {
            MediaKind::Audio => self.switches.mic_locked,
            MediaKind::Video => self.switches.camera_locked,
        }
    }

    /// What the server has on record about the own switch.
    pub fn on_record(&self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Audio => self.switches.mic,
            MediaKind::Video => self.switches.camera,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Envelope, HearingId, Phase, TimeMs, Words};

    fn event(event: Event) -> ServerFrame {
        ServerFrame::Event {
            envelope: Envelope {
                hearing_id: HearingId::from("h"),
                seq: Seq(1),
                server_time: TimeMs(0),
                actor: None,
                event,
                caused_by: None,
            },
        }
    }

    fn state(to: ParticipantState) -> ServerFrame {
        event(Event::ParticipantState {
            seat: "p".into(),
            from: ParticipantState::Waiting,
            to,
        })
    }

    fn hearing(to: HearingState) -> ServerFrame {
        event(Event::HearingState {
            from: HearingState::Scheduled,
            to,
        })
    }

    fn media(change: impl FnOnce(&mut MediaSwitches)) -> ServerFrame {
        let mut media = MediaSwitches {
            mic: true,
            camera: true,
            ..Default::default()
        };
        change(&mut media);
        event(Event::ParticipantMedia {
            seat: "p".into(),
            media,
        })
    }

    fn in_session() -> Standing {
        let mut standing = Standing::new("p".into());
        standing.follow(&hearing(HearingState::InSession {
            phase: Phase::Opening,
        }));
        standing.follow(&state(ParticipantState::InCourt));
        standing.follow(&media(|_| {}));
        standing
    }

    #[test]
    fn nothing_is_sent_outside_a_running_hearing() {
        let isolated = ParticipantState::Isolated {
            reason: Words::new(""),
            since: TimeMs(0),
        };
        let recess = HearingState::Recess {
            phase: Phase::Debate,
            reason: Words::new(""),
            until: None,
        };
        for frame in [
            state(isolated),
            state(ParticipantState::Waiting),
            hearing(recess),
            hearing(HearingState::Closed),
        ] {
            let mut standing = in_session();
            assert!(standing.may_send(TrackSource::Microphone));
            standing.follow(&frame);
            for source in [TrackSource::Microphone, TrackSource::Camera, TrackSource::Screen] {
                assert!(!standing.may_send(source), "{frame:?}");
            }
        }
    }

    #[test]
    fn a_lock_closes_and_lifting_it_opens_nothing() {
        let mut standing = in_session();
        let verdict = standing.follow(&media(|m| {
            m.mic = false;
            m.mic_locked = true;
        }));
        assert!(verdict.mic_closed && verdict.mic_locked && !verdict.camera_closed);
        assert!(!standing.may_send(TrackSource::Microphone) && standing.may_send(TrackSource::Camera));
        assert!(!standing.may_open(MediaKind::Audio));
        let verdict = standing.follow(&media(|m| m.mic = false));
        assert_eq!(verdict, Verdict::default());
        assert!(!standing.on_record(MediaKind::Audio));
    }

    #[test]
    fn a_hearing_is_over_when_it_will_not_go_on() {
        let mut standing = in_session();
        standing.follow(&hearing(HearingState::Signing { phase: Phase::Debate }));
        assert!(!standing.over());
        standing.follow(&hearing(HearingState::Closed));
        assert!(standing.over());
    }

    #[test]
    fn events_older_than_the_snapshot_do_not_lead_through_the_past() {
        let mut standing = in_session();
        standing.snapshot = Seq(5);
        let before = standing.clone();
        let lock = media(|m| m.mic_locked = true);
        assert_eq!(standing.follow(&lock), Verdict::default());
        assert_eq!(standing, before);
    }

    #[test]
    fn the_record_of_the_own_devices_is_followed() {
        let mut standing = Standing::new("p".into());
        assert_eq!(standing.devices(), None);
        let devices = DeviceConditions {
            camera: protocol::DeviceCondition::Fine,
            ..DeviceConditions::default()
        };
        let told = |seat: &str| {
            event(Event::ParticipantDevices {
                seat: seat.into(),
                devices,
            })
        };
        standing.follow(&told("q"));
        assert_eq!(standing.devices(), None);
        standing.follow(&told("p"));
        assert_eq!(standing.devices(), Some(devices));
    }

    #[test]
    fn what_concerns_others_changes_nothing() {
        let mut standing = in_session();
        let before = standing.clone();
        let other = event(Event::ParticipantMedia {
            seat: "q".into(),
            media: MediaSwitches {
                mic_locked: true,
                ..Default::default()
            },
        });
        assert_eq!(standing.follow(&other), Verdict::default());
        assert_eq!(standing, before);
    }
}
