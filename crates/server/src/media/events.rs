//! What happened in the rooms, for the rest of the server. Plain data; identities are the seat ids of the tokens.

use std::time::SystemTime;

pub use sfu::{LeaveCause, Quality, Source};

/// See the module. Fields mean the same everywhere: `room` is the room's name, `identity` the participant's as in
/// its token, `sid` the participant's session (`PA_…`), `track_sid` a track's (`TR_…`).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are described once, above")]
pub enum MediaEvent {
    /// The room came to be.
    RoomStarted { room: String },
    /// The room is gone.
    RoomFinished { room: String },
    /// Somebody is in the room; media not yet.
    Joined {
        room: String,
        identity: String,
        sid: String,
    },
    /// Media can flow.
    Active {
        room: String,
        identity: String,
        sid: String,
    },
    /// Somebody is no longer in the room, why, and when its last packet came.
    Left {
        room: String,
        identity: String,
        sid: String,
        cause: LeaveCause,
        last_packet: Option<SystemTime>,
    },
    /// A track was published.
    TrackPublished {
        room: String,
        identity: String,
        track_sid: String,
        source: Source,
        video: bool,
    },
    /// A track is gone.
    TrackUnpublished {
        room: String,
        identity: String,
        track_sid: String,
    },
    /// A track's sender muted or unmuted it.
    TrackMuted {
        room: String,
        identity: String,
        track_sid: String,
        source: Source,
        muted: bool,
    },
    /// Those who began or ceased to speak, or grew louder or quieter: identity, level 0 (silent) to 1.
    Speakers {
        room: String,
        speakers: Vec<(String, f32)>,
    },
    /// A connection got better or worse.
    Quality {
        room: String,
        identity: String,
        quality: Quality,
    },
}

impl MediaEvent {
    /// From what the SFU put out; `wall` turns its time into the wall clock's.
    pub(super) fn from_sfu(event: sfu::Event, wall: impl Fn(std::time::Instant) -> SystemTime) -> MediaEvent {
        use sfu::Event as From;
        match event {
            From::RoomStarted { room } => MediaEvent::RoomStarted { room },
            From::RoomFinished { room } => MediaEvent::RoomFinished { room },
            From::Joined { room, identity, sid } => MediaEvent::Joined { room, identity, sid },
            From::Active { room, identity, sid } => MediaEvent::Active { room, identity, sid },
            From::Left {
                room,
                identity,
                sid,
                cause,
                last_packet,
            } => MediaEvent::Left {
                room,
                identity,
                sid,
                cause,
                last_packet: last_packet.map(wall),
            },
            From::TrackPublished {
                room,
                identity,
                track_sid,
                source,
                video,
            } => MediaEvent::TrackPublished {
                room,
                identity,
                track_sid,
                source,
                video,
            },
            From::TrackUnpublished {
                room,
                identity,
                track_sid,
            } => MediaEvent::TrackUnpublished {
                room,
                identity,
                track_sid,
            },
            From::TrackMuted {
                room,
                identity,
                track_sid,
                source,
                muted,
            } => MediaEvent::TrackMuted {
                room,
                identity,
                track_sid,
                source,
                muted,
            },
            From::Speakers { room, speakers } => MediaEvent::Speakers { room, speakers },
            From::Quality {
                room,
                identity,
                quality,
            } => MediaEvent::Quality {
                room,
                identity,
                quality,
            },
        }
    }
}
