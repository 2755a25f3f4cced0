//! What the session does when the media room, the studio or the sound devices say something. Decides nothing about the
//! court: that comes from the hearing channel.

use super::*;
use crate::studio::sound_device_on;
use livekit_protocol::DisconnectReason;

impl Actor {
    pub(super) fn room_event(&mut self, event: Option<RoomEvent>) -> Flow {
        match event {
            Some(RoomEvent::Link(state)) => {
                self.media_link = state.clone();
                self.say(HostEvent::MediaLink { state });
                self.fix_link();
            }
            Some(RoomEvent::Tracks(tracks)) => {
                self.tracks = tracks;
                self.say_tracks();
            }
            Some(RoomEvent::Speakers(speakers)) => {
                self.speakers = speakers;
                self.say_speakers();
            }
            Some(RoomEvent::Stats(stats)) => self.stats = stats,
            Some(RoomEvent::Muted { source, muted }) => {
                // In a hearing the channel is the authority; in a plain room the server's word holds.
                if self.standing.is_none() && muted {
                    match source {
                        TrackSource::Microphone => self.microphone.on = false,
                        TrackSource::Camera => self.camera.on = false,
                        TrackSource::Screen => self.stop_share(),
                    }
                    self.apply();
                }
            }
            Some(RoomEvent::TokenRefused) => {
                // A fresh welcome brings a fresh token.
                if let Some(channel) = &self.channel {
                    channel.sever();
                } else {
                    return Flow::Stop;
                }
            }
            Some(RoomEvent::Over(reason)) => {
                tracing::info!(?reason, "the media room is over for us");
                if self.channel.is_none() {
                    return Flow::Stop;
                }
                // An access that came meanwhile may be for the room after this one: that is tried.
                if let Some(reason) = final_reason(reason)
                    && self.access_at.elapsed() >= ENTER_AGAIN
                {
                    self.end_media(reason);
                }
            }
            None => {
                self.room_gone(LinkState::Connecting);
                self.enter_at = Some(Instant::now() + ENTER_AGAIN);
            }
        }
        Flow::GoOn
    }

    // --- the devices ---

    pub(super) fn studio_event(&mut self, event: StudioEvent) {
        match event {
            StudioEvent::Opened { source, .. } => {
                if !self.studio.opened(event) {
                    return;
                }
                if source == TrackSource::Camera {
                    self.camera_opening = false;
                }
                match source {
                    TrackSource::Screen => match self.sharing.take() {
                        Some(waiting) => {
                            if let Some(answer) = waiting {
                                let _ = answer.send(Ok(()));
                            }
                            self.sharing = Some(None);
                            self.send(Command::ShareStart, Errand::Share);
                        }
                        // It was stopped while it was being opened.
                        None => self.studio.close(TrackSource::Screen),
                    },
                    _ => {
                        if let Some(running) = self.studio.running(source) {
                            let state = running_state(running);
                            self.device(DeviceKind::Camera, state);
                        }
                    }
                }
                if self.studio.running(source).is_some() {
                    self.publish(source);
                }
                self.say_tracks();
                // The wish may have changed meanwhile.
                self.apply();
            }
            StudioEvent::NotOpened {
                source, generation, ..
            } if !self.studio.is_newest(source, generation) => {}
            StudioEvent::NotOpened { source, error, .. } => {
                tracing::warn!(%error, ?source, "a picture source does not open");
                let fault = fault_of(&error);
                match source {
                    TrackSource::Screen => {
                        let error = match error {
                            SourceError::Denied => HostError::ShareDenied,
                            _ => HostError::Device { fault },
                        };
                        if let Some(Some(answer)) = self.sharing.take() {
                            let _ = answer.send(Err(error));
                        }
                    }
                    _ => {
                        self.camera_opening = false;
                        self.camera_failed(fault);
                    }
                }
            }
            StudioEvent::Video(source, VideoEvent::SourceFailed(error)) => {
                tracing::warn!(%error, ?source, "a picture source stopped");
                match (source, &error) {
                    (TrackSource::Screen, _) => {
                        self.stop_share();
                        self.say(HostEvent::ShareEnded);
                    }
                    // The thread keeps trying.
                    (_, SourceError::Hung { .. }) => {
                        self.device(
                            DeviceKind::Camera,
                            DeviceState::Failed {
                                fault: DeviceFault::Hung,
                            },
                        );
                    }
                    _ => {
                        self.studio.close(TrackSource::Camera);
                        self.camera_failed(fault_of(&error));
                        self.say_tracks();
                    }
                }
            }
            StudioEvent::Video(source, VideoEvent::Recovered) => {
                if let (TrackSource::Camera, Some(running)) = (source, self.studio.running(source)) {
                    let state = running_state(running);
                    self.device(DeviceKind::Camera, state);
                }
            }
            StudioEvent::Video(_, VideoEvent::EncoderFailed(reason)) => {
                tracing::warn!(reason, "the encoder restarted")
            }
            StudioEvent::Audio(event) => self.audio_event(event),
        }
    }

    /// In with what there is: the person is told, the hearing goes on without the picture.
    pub(super) fn camera_failed(&mut self, fault: DeviceFault) {
        self.camera.on = false;
        self.device(DeviceKind::Camera, DeviceState::Failed { fault });
        self.apply();
    }

    pub(super) fn audio_event(&mut self, event: AudioEvent) {
        match event {
            // The engine runs without a microphone too.
            AudioEvent::CaptureOpened(_) if !self.has_microphone => {}
            AudioEvent::CaptureOpened(device) => {
                self.device(DeviceKind::Microphone, sound_device_on(device.name));
            }
            AudioEvent::PlaybackOpened(device) => {
                self.device(DeviceKind::Speaker, sound_device_on(device.name));
            }
            AudioEvent::CaptureFailed(error) => {
                tracing::warn!(%error, "the microphone does not run");
                self.device(
                    DeviceKind::Microphone,
                    DeviceState::Failed {
                        fault: sound_fault_of(&error),
                    },
                );
                // The court must not believe in a microphone that is not there; its owner opens it again.
                self.microphone.on = false;
                self.apply();
            }
            AudioEvent::PlaybackFailed(error) => {
                tracing::warn!(%error, "the loudspeaker does not run");
                self.device(
                    DeviceKind::Speaker,
                    DeviceState::Failed {
                        fault: sound_fault_of(&error),
                    },
                );
            }
            AudioEvent::SpeakingWhileMuted => self.talking_until = Some(Instant::now() + TALKING_FOR),
            AudioEvent::DevicesChanged => self.look_for_devices(),
        }
    }
}

/// Why the room does not take us back; none when trying again is right.
fn final_reason(reason: DisconnectReason) -> Option<ByeReason> {
    match reason {
        DisconnectReason::RoomDeleted | DisconnectReason::RoomClosed => Some(ByeReason::HearingEnded),
        DisconnectReason::ParticipantRemoved => Some(ByeReason::Removed),
        DisconnectReason::DuplicateIdentity => Some(ByeReason::Replaced),
        _ => None,
    }
}
