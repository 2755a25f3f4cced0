//! Who may send and receive what, as the server (or a token) says. Pure; never decides by role or name.

use livekit_protocol as proto;

/// What a track shows or carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A camera picture.
    Camera,
    /// A microphone.
    Microphone,
    /// A shared screen.
    ScreenShare,
    /// The sound of a shared screen.
    ScreenShareAudio,
}

impl Source {
    /// Every source.
    pub const ALL: [Source; 4] = [
        Source::Camera,
        Source::Microphone,
        Source::ScreenShare,
        Source::ScreenShareAudio,
    ];

    /// The source of a LiveKit enum value.
    pub fn from_proto(value: i32) -> Option<Source> {
        match proto::TrackSource::try_from(value).ok()? {
            proto::TrackSource::Camera => Some(Source::Camera),
            proto::TrackSource::Microphone => Some(Source::Microphone),
            proto::TrackSource::ScreenShare => Some(Source::ScreenShare),
            proto::TrackSource::ScreenShareAudio => Some(Source::ScreenShareAudio),
            proto::TrackSource::Unknown => None,
        }
    }

    /// The source of a track of one kind, as its client calls it: one that is not said is the camera or the
    /// microphone. `None` when a client calls sound a camera or a picture a microphone: then what was forbidden of the
    /// one would pass as the other.
    pub fn of_track(value: i32, video: bool) -> Option<Source> {
        match (Source::from_proto(value), video) {
            (None, true) => Some(Source::Camera),
            (None, false) => Some(Source::Microphone),
            (Some(source), _) => (source.is_video() == video).then_some(source),
        }
    }

    /// Whether it is seen, not heard.
    pub fn is_video(self) -> bool {
        match self {
            Source::Camera | Source::ScreenShare => true,
            Source::Microphone | Source::ScreenShareAudio => false,
        }
    }

    /// The LiveKit enum value.
    pub fn to_proto(self) -> i32 {
        let source = match self {
            Source::Camera => proto::TrackSource::Camera,
            Source::Microphone => proto::TrackSource::Microphone,
            Source::ScreenShare => proto::TrackSource::ScreenShare,
            Source::ScreenShareAudio => proto::TrackSource::ScreenShareAudio,
        };
        source as i32
    }

    /// The name LiveKit tokens use in `canPublishSources`.
    pub fn token_name(self) -> &'static str {
        match self {
            Source::Camera => "camera",
            Source::Microphone => "microphone",
            Source::ScreenShare => "screen_share",
            Source::ScreenShareAudio => "screen_share_audio",
        }
    }

    /// The source with that token name.
    pub fn from_token_name(name: &str) -> Option<Source> {
        Source::ALL.into_iter().find(|source| source.token_name() == name)
    }

    /// Tracks with the same name are played in step.
    pub fn stream(self) -> &'static str {
        match self {
            Source::Camera | Source::Microphone => "camera",
            Source::ScreenShare | Source::ScreenShareAudio => "screen_share",
        }
    }
}

/// What one participant may do. Takes effect on RTP at the next packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// May receive the others' tracks.
    pub can_subscribe: bool,
    /// May send tracks at all.
    pub can_publish: bool,
    /// The sources it may send; empty means every source.
    pub can_publish_sources: Vec<Source>,
    /// May change its own name, metadata and attributes.
    pub can_update_metadata: bool,
    /// The others are not told of it, and its tracks are not forwarded.
    pub hidden: bool,
    /// A recorder: counted as nobody in `num_participants`.
    pub recorder: bool,
}

impl Default for Permissions {
    fn default() -> Self {
        Permissions {
            can_subscribe: true,
            can_publish: true,
            can_publish_sources: Vec::new(),
            can_update_metadata: false,
            hidden: false,
            recorder: false,
        }
    }
}

impl Permissions {
    /// Whether a track of this source may be sent.
    pub fn may_publish(&self, source: Source) -> bool {
        self.can_publish
            && (self.can_publish_sources.is_empty() || self.can_publish_sources.contains(&source))
    }

    /// From the wire form.
    pub fn from_proto(permission: &proto::ParticipantPermission) -> Permissions {
        Permissions {
            can_subscribe: permission.can_subscribe,
            can_publish: permission.can_publish,
            can_publish_sources: permission
                .can_publish_sources
                .iter()
                .filter_map(|value| Source::from_proto(*value))
                .collect(),
            can_update_metadata: permission.can_update_metadata,
            hidden: permission.hidden,
            #[expect(deprecated, reason = "clients and older tokens still write it")]
            recorder: permission.recorder,
        }
    }

    /// To the wire form.
    pub fn to_proto(&self) -> proto::ParticipantPermission {
        #[expect(deprecated, reason = "`recorder` is read by clients that predate `kind`")]
        proto::ParticipantPermission {
            can_subscribe: self.can_subscribe,
            can_publish: self.can_publish,
            // Nothing is carried over data channels here.
            can_publish_data: false,
            can_publish_sources: self
                .can_publish_sources
                .iter()
                .map(|source| source.to_proto())
                .collect(),
            hidden: self.hidden,
            recorder: self.recorder,
            can_update_metadata: self.can_update_metadata,
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_listed_source_means_every_source() {
        let all = Permissions::default();
        let only_sound = Permissions {
            can_publish_sources: vec![Source::Microphone],
            ..Permissions::default()
        };
        let nothing = Permissions {
            can_publish: false,
            ..only_sound.clone()
        };
        for source in Source::ALL {
            assert!(all.may_publish(source));
            assert_eq!(only_sound.may_publish(source), source == Source::Microphone);
            assert!(!nothing.may_publish(source));
            assert_eq!(Source::from_token_name(source.token_name()), Some(source));
            assert_eq!(Source::from_proto(source.to_proto()), Some(source));
        }
        assert_eq!(Permissions::from_proto(&only_sound.to_proto()), only_sound);
    }

    #[test]
    fn sound_never_passes_as_a_picture_nor_a_picture_as_sound() {
        for said in -1..8 {
            for video in [true, false] {
                let source = Source::of_track(said, video);
                assert!(source.is_none_or(|source| source.is_video() == video), "{said}");
            }
        }
        let camera = proto::TrackSource::Camera as i32;
        assert_eq!(Source::of_track(camera, true), Some(Source::Camera));
        assert_eq!(Source::of_track(camera, false), None);
        assert_eq!(Source::of_track(0, false), Some(Source::Microphone));
    }
}
