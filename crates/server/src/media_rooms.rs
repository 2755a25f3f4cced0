//! [`Rooms`] on the embedded media plane: translates rights into what the SFU enforces, and nothing else.

use crate::media::{Grants, MediaPlane, Permissions, RemoveReason, Source, Term};
use crate::rooms::{MIRROR, PRACTISES, PracticeRoom, PracticeTokens, RemovedBecause, Rooms};
use hearing::MediaRights;
use protocol::{HearingId, SeatId, Secret, TimeMs};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The media plane in this process.
pub struct MediaRooms(pub Arc<MediaPlane>);

impl Rooms for MediaRooms {
    fn open(&self, room: &HearingId, now: TimeMs) {
        self.0.create_room(room.as_str(), now.0);
    }

    fn close(&self, room: &HearingId) {
        self.0.close_room(room.as_str());
    }

    fn allow(&self, room: &HearingId, seat: &SeatId, rights: &MediaRights) {
        let (room, seat) = (room.as_str(), seat.as_str());
        self.0.block(room, seat, Source::Microphone, rights.blocked.mic);
        self.0.block(room, seat, Source::Camera, rights.blocked.camera);
        self.0
            .block(room, seat, Source::ScreenShare, rights.blocked.screen);
        self.0.set_permissions(room, seat, permissions(rights));
    }

    fn remove(&self, room: &HearingId, seat: &SeatId, why: RemovedBecause, now: TimeMs) {
        let reason = match why {
            RemovedBecause::NoRight => RemoveReason::ParticipantRemoved,
            RemovedBecause::Replaced => RemoveReason::DuplicateIdentity,
        };
        self.0.remove(room.as_str(), seat.as_str(), reason, now.0);
    }

    fn token(
        &self,
        room: &HearingId,
        seat: &SeatId,
        rights: &MediaRights,
        ttl_ms: u64,
        now: TimeMs,
        stamp: TimeMs,
    ) -> Secret {
        // The media plane knows seats, not names.
        let grants = Grants::join(permissions(rights));
        let term = term(ttl_ms, now, stamp);
        Secret::new(self.0.token(room.as_str(), seat.as_str(), "", &grants, term))
    }

    fn open_practice(&self, room: &PracticeRoom, ttl_ms: u64, now: TimeMs, stamp: TimeMs) -> PracticeTokens {
        self.0.create_room(room.as_str(), stamp.0);
        let token = |identity, permissions| {
            let (grants, term) = (Grants::join(permissions), term(ttl_ms, now, stamp));
            Secret::new(self.0.token(room.as_str(), identity, "", &grants, term))
        };
        PracticeTokens {
            me: token(PRACTISES, practising()),
            mirror: token(MIRROR, mirroring()),
        }
    }

    fn close_practice(&self, room: &PracticeRoom) {
        self.0.close_room(room.as_str());
    }
}

fn term(ttl_ms: u64, now: TimeMs, stamp: TimeMs) -> Term {
    Term {
        from: UNIX_EPOCH + Duration::from_millis(now.0),
        length: Duration::from_millis(ttl_ms),
        issued_ms: stamp.0,
    }
}

/// Sends what a party in court sends, and receives nothing.
fn practising() -> Permissions {
    Permissions {
        can_subscribe: false,
        can_publish: true,
        can_publish_sources: vec![Source::Microphone, Source::Camera, Source::ScreenShare],
        hidden: false,
        recorder: false,
        can_update_metadata: false,
    }
}

/// Receives, and sends nothing.
fn mirroring() -> Permissions {
    Permissions {
        can_subscribe: true,
        can_publish: false,
        can_publish_sources: Vec::new(),
        hidden: true,
        recorder: false,
        can_update_metadata: false,
    }
}

/// Who receives nothing is not shown to the others either: nobody learns from the media room who waits outside.
fn permissions(rights: &MediaRights) -> Permissions {
    let publish = &rights.publish;
    let sources = [
        (publish.mic, Source::Microphone),
        (publish.camera, Source::Camera),
        (publish.screen, Source::ScreenShare),
    ];
    let granted: Vec<Source> = sources
        .into_iter()
        .filter(|(granted, _)| *granted)
        .map(|(_, source)| source)
        .collect();
    Permissions {
        can_subscribe: rights.subscribe,
        can_publish: !granted.is_empty(),
        can_publish_sources: granted,
        hidden: !rights.subscribe,
        recorder: false,
        can_update_metadata: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearing::Sources;

    #[test]
    fn who_may_nothing_gets_nothing_and_an_empty_list_is_never_read_as_everything() {
        let nothing = permissions(&MediaRights {
            enter: true,
            ..MediaRights::default()
        });
        assert!(!nothing.can_publish && !nothing.can_subscribe && nothing.hidden);
        let camera = permissions(&MediaRights {
            enter: true,
            subscribe: true,
            publish: Sources {
                camera: true,
                ..Sources::default()
            },
            blocked: Sources::default(),
        });
        assert!(camera.can_publish && camera.can_subscribe && !camera.hidden);
        assert_eq!(camera.can_publish_sources, [Source::Camera]);
    }
}
