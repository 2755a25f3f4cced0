//! 一键修复: carries out what a person agreed to, on their own devices. It asks nobody and tells nobody: the page does, or who
//! drives this program.
//!
//! One at a time. Each ends within a limit, with what became of it: a device that runs again, or why it does not.

use super::checks::device_error;
use super::*;
use crate::session::Answer;
use protocol::{DeviceFix, DeviceInfo};

/// A device has so long to open.
const DEVICE_LIMIT: Duration = Duration::from_secs(12);
/// Both connections have so long to be made anew.
const CONNECTION_LIMIT: Duration = Duration::from_secs(20);

/// A connection that is made anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Told to drop, and not yet lost.
    Dropped,
    /// Being made.
    Lost,
    /// There again, or never wanted.
    Well,
}

impl Way {
    fn follow(&mut self, link: &LinkState) {
        *self = match (*self, link) {
            (Self::Dropped, LinkState::Live) => Self::Dropped,
            (Self::Lost | Self::Well, LinkState::Live) => Self::Well,
            (Self::Well, _) => Self::Well,
            (_, _) => Self::Lost,
        };
    }
}

/// What is waited for.
enum Step {
    /// The list of devices, to take another one of this kind.
    Listing(DeviceKind),
    /// A device of this kind to run.
    Opening(DeviceKind),
    /// Channel and media room.
    Connecting(Way, Way),
}

/// A fix under way.
pub(in crate::session) struct Repair {
    step: Step,
    answer: Answer<()>,
    until: Instant,
}

impl Actor {
    pub(super) fn fix(&mut self, fix: DeviceFix, answer: Answer<()>) {
        if self.repair.is_some() {
            let _ = answer.send(Err(device_error(DeviceFault::Busy)));
            return;
        }
        match self.begin_fix(fix) {
            Ok(None) => _ = answer.send(Ok(())),
            Ok(Some(step)) => {
                let limit = match step {
                    Step::Connecting(..) => CONNECTION_LIMIT,
                    Step::Listing(_) | Step::Opening(_) => DEVICE_LIMIT,
                };
                self.repair = Some(Repair {
                    step,
                    answer,
                    until: Instant::now() + limit,
                });
                self.start_step();
            }
            Err(error) => _ = answer.send(Err(error)),
        }
    }

    /// What is to be waited for; none when it is done already.
    fn begin_fix(&mut self, fix: DeviceFix) -> Result<Option<Step>, HostError> {
        let step = match fix {
            DeviceFix::NextCamera => Step::Listing(DeviceKind::Camera),
            DeviceFix::NextMicrophone => Step::Listing(DeviceKind::Microphone),
            DeviceFix::NextSpeaker => Step::Listing(DeviceKind::Speaker),
            DeviceFix::RestartCamera => {
                self.camera_may_open()?;
                Step::Opening(DeviceKind::Camera)
            }
            DeviceFix::RestartMicrophone if self.has_microphone => Step::Opening(DeviceKind::Microphone),
            DeviceFix::RaiseInput if self.has_microphone => {
                let raised = self.studio.raise_input();
                // It is as loud as it gets.
                return if raised {
                    Ok(None)
                } else {
                    Err(device_error(DeviceFault::Broken))
                };
            }
            DeviceFix::RestartMicrophone | DeviceFix::RaiseInput => {
                return Err(device_error(DeviceFault::Missing));
            }
            DeviceFix::Reconnect => {
                let way = |there: bool| if there { Way::Dropped } else { Way::Well };
                // A room that is not there is entered by what the channel brings, and not waited for.
                let ways = (self.channel.is_some(), self.room.is_some());
                if ways == (false, false) {
                    return Err(HostError::NoSession);
                }
                Step::Connecting(way(ways.0), way(ways.1))
            }
        };
        Ok(Some(step))
    }

    fn camera_may_open(&self) -> Result<(), HostError> {
        let locked = self
            .standing
            .as_ref()
            .is_some_and(|standing| !standing.may_open(MediaKind::Video));
        match (self.studio.has_camera(), locked) {
            (false, _) => Err(device_error(DeviceFault::Missing)),
            (true, true) => Err(device_error(DeviceFault::Denied)),
            (true, false) => Ok(()),
        }
    }

    fn start_step(&mut self) {
        match self.repair.as_ref().map(|repair| &repair.step) {
            Some(Step::Listing(_)) => self.look_for_devices(),
            Some(Step::Opening(DeviceKind::Camera)) => self.restart_camera(),
            Some(Step::Opening(_)) => {
                self.device(DeviceKind::Microphone, DeviceState::Opening);
                self.studio.restart_microphone();
            }
            Some(Step::Connecting(..)) => self.sever(),
            None => {}
        }
    }

    /// Also one that its owner, or a fault, had closed: they agreed to have it opened.
    fn restart_camera(&mut self) {
        self.camera.on = true;
        self.camera_opening = true;
        self.studio.close(TrackSource::Camera);
        self.device(DeviceKind::Camera, DeviceState::Opening);
        self.studio.open_camera();
        self.say_tracks();
        self.apply();
    }

    fn end_fix(&mut self, result: Result<(), HostError>) {
        if let Some(repair) = self.repair.take() {
            let _ = repair.answer.send(result);
        }
    }

    /// The list is there: the next device is taken.
    pub(super) fn fix_listed(&mut self) {
        let Some(Repair {
            step: step @ Step::Listing(_),
            ..
        }) = &mut self.repair
        else {
            return;
        };
        let Step::Listing(kind) = *step else { return };
        *step = Step::Opening(kind);
        let (chosen, state) = match kind {
            DeviceKind::Camera => (&self.device_list.camera, Some(&self.camera_state)),
            DeviceKind::Microphone => (&self.device_list.microphone, Some(&self.microphone_state)),
            DeviceKind::Speaker => (&self.device_list.speaker, self.speaker_state.as_ref()),
        };
        let running = match state {
            Some(DeviceState::On { device, .. }) => Some(device.as_str()),
            _ => None,
        };
        let was_off = matches!(state, Some(DeviceState::Off));
        let Some(next) = next(&self.device_list.devices, kind, chosen.as_deref(), running) else {
            self.end_fix(Err(device_error(DeviceFault::Missing)));
            return;
        };
        self.choose(kind, Some(next));
        let list = self.device_list.clone();
        self.say(HostEvent::Devices { list });
        match kind {
            // A camera that is off stays off, and the other one is taken when it is switched on.
            DeviceKind::Camera if was_off => self.end_fix(Ok(())),
            DeviceKind::Camera => match self.camera_may_open() {
                Ok(()) => self.restart_camera(),
                Err(error) => self.end_fix(Err(error)),
            },
            // Two of the same name would not be told apart when the other one runs.
            DeviceKind::Microphone | DeviceKind::Speaker => self.device(kind, DeviceState::Opening),
        }
    }

    /// A device has said how it is.
    pub(super) fn fix_device(&mut self, kind: DeviceKind, state: &DeviceState) {
        let waits = |repair: &Repair| matches!(repair.step, Step::Opening(waited) if waited == kind);
        if !self.repair.as_ref().is_some_and(waits) {
            return;
        }
        match state {
            DeviceState::Opening => {}
            DeviceState::On { .. } => self.end_fix(Ok(())),
            DeviceState::Failed { fault } => {
                let error = device_error(*fault);
                self.end_fix(Err(error));
            }
            // Switched off meanwhile, by its owner or the court.
            DeviceState::Off => self.end_fix(Err(device_error(DeviceFault::Denied))),
        }
    }

    /// A connection has said how it is.
    pub(super) fn fix_link(&mut self) {
        let (link, media_link) = (&self.link, &self.media_link);
        let Some(Repair {
            step: Step::Connecting(channel, room),
            ..
        }) = &mut self.repair
        else {
            return;
        };
        channel.follow(link);
        room.follow(media_link);
        if (*channel, *room) == (Way::Well, Way::Well) {
            self.end_fix(Ok(()));
        }
    }

    pub(super) fn fix_overdue(&mut self, now: Instant) {
        let Some(repair) = &self.repair else { return };
        if now >= repair.until {
            let error = match repair.step {
                Step::Connecting(..) => HostError::Unreachable,
                Step::Listing(_) | Step::Opening(_) => device_error(DeviceFault::Hung),
            };
            self.end_fix(Err(error));
        }
    }
}

/// The device after the one in use, the first after the last; none when there is no other. In use is the one that was chosen,
/// else the one that runs by its name, else the system's default.
fn next(
    devices: &[DeviceInfo],
    kind: DeviceKind,
    chosen: Option<&str>,
    running: Option<&str>,
) -> Option<String> {
    let of_kind: Vec<&DeviceInfo> = devices.iter().filter(|device| device.kind == kind).collect();
    let at = |is: &dyn Fn(&DeviceInfo) -> bool| of_kind.iter().position(|device| is(device));
    let in_use = match (chosen, running) {
        (Some(id), _) => at(&|device| device.id == id),
        (None, Some(name)) => at(&|device| device.name == name && device.default)
            .or_else(|| at(&|device| device.name == name))
            .or_else(|| at(&|device| device.default)),
        // What does not run by default is not in use: the first is tried.
        (None, None) => at(&|device| device.default),
    };
    let next = match in_use {
        // The one in use was unplugged.
        None => of_kind.first()?,
        Some(_) if of_kind.len() < 2 => return None,
        Some(at) => of_kind.get((at + 1) % of_kind.len())?,
    };
    Some(next.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: DeviceKind, id: &str, default: bool) -> DeviceInfo {
        DeviceInfo {
            id: id.to_owned(),
            kind,
            name: format!("the {id}"),
            default,
        }
    }

    #[test]
    fn the_next_device_is_the_one_after_and_never_the_same() {
        let camera = |id, default| device(DeviceKind::Camera, id, default);
        let list = [
            camera("a", false),
            device(DeviceKind::Microphone, "m", true),
            camera("b", true),
            camera("c", false),
        ];
        let next = |chosen, running| next(&list, DeviceKind::Camera, chosen, running);
        for (chosen, running, expected) in [
            (Some("a"), None, "b"),
            (Some("c"), Some("the c"), "a"),
            (None, Some("the a"), "b"),
            (None, Some("the b"), "c"),
            (None, None, "c"),
            (None, Some("not in the list"), "c"),
            (Some("unplugged"), None, "a"),
        ] {
            assert_eq!(
                next(chosen, running).as_deref(),
                Some(expected),
                "{chosen:?} {running:?}"
            );
        }
        assert_eq!(super::next(&list, DeviceKind::Microphone, Some("m"), None), None);
        assert_eq!(
            super::next(&list, DeviceKind::Microphone, None, Some("the m")),
            None
        );
        assert_eq!(super::next(&list, DeviceKind::Speaker, None, None), None);
    }

    #[test]
    fn a_connection_is_there_again_only_after_it_was_lost() {
        let retrying = LinkState::Retrying {
            attempt: 1,
            retry_in_ms: 0,
            lost_for_ms: 0,
        };
        let mut way = Way::Dropped;
        for (link, expected) in [
            (LinkState::Live, Way::Dropped),
            (retrying, Way::Lost),
            (LinkState::Connecting, Way::Lost),
            (LinkState::Live, Way::Well),
        ] {
            way.follow(&link);
            assert!(way == expected, "{link:?}");
        }
    }
}
