//! The seam to the media plane: what the hearing says about rooms and rights, and nothing about packets.
//!
//! The hearing pushes rights here after every event, before anybody is told of it, so that court control holds at the
//! media server first. Names never go into the media plane; it knows seats by their ids.

use crate::entropy::Entropy;
use hearing::MediaRights;
use protocol::{HearingId, SeatId, Secret, TimeMs};

/// The media rooms. All calls are cheap and safe for rooms and seats that are not there.
pub trait Rooms: Send + Sync {
    /// Makes the room of a hearing, before anybody can join it. Tokens from before `now` let nobody in.
    fn open(&self, room: &HearingId, now: TimeMs);
    /// Ends the room; everybody in it is told.
    fn close(&self, room: &HearingId);
    /// Sets what may pass for a seat, now and when it joins later.
    fn allow(&self, room: &HearingId, seat: &SeatId, rights: &MediaRights);
    /// Ends the media connection of a seat. Its tokens from before `now` do not let it in again.
    fn remove(&self, room: &HearingId, seat: &SeatId, why: RemovedBecause, now: TimeMs);
    /// An access token for the room's signalling, valid from `now` on. `stamp` says which of two tokens is the older: no two
    /// calls of this trait have the same. It may lie ahead of the time.
    fn token(
        &self,
        room: &HearingId,
        seat: &SeatId,
        rights: &MediaRights,
        ttl_ms: u64,
        now: TimeMs,
        stamp: TimeMs,
    ) -> Secret;
    /// Makes a practice room, and tokens for it that are valid from `now` on.
    fn open_practice(&self, room: &PracticeRoom, ttl_ms: u64, now: TimeMs, stamp: TimeMs) -> PracticeTokens;
    /// Ends a practice room.
    fn close_practice(&self, room: &PracticeRoom);
}

/// A room in which one person practises, alone. It is no hearing's, and no hearing has its name: ids of hearings begin with
/// another word.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PracticeRoom(String);

/// Who sends in a practice room.
pub(crate) const PRACTISES: &str = "me";
/// Who receives it there.
pub(crate) const MIRROR: &str = "mirror";

impl PracticeRoom {
    const WORD: &str = "practice";

    /// One that nobody can guess.
    pub(crate) fn new(entropy: &Entropy) -> Self {
        Self(entropy.id(Self::WORD))
    }

    /// The room of this name, if it is one for practising.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(Self::WORD)?;
        rest.starts_with('-').then(|| Self(name.to_owned()))
    }

    /// Its name among the media rooms.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The two ways into a practice room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PracticeTokens {
    /// Sends sound and picture, receives nothing.
    pub me: Secret,
    /// Receives, sends nothing.
    pub mirror: Secret,
}

/// Why a media connection is ended from here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RemovedBecause {
    /// The person may not be in the media room any more.
    NoRight,
    /// Another device took the seat.
    Replaced,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hearing_is_taken_for_a_practice_room_nor_the_other_way_round() {
        let entropy = Entropy::from_seed(1);
        let room = PracticeRoom::new(&entropy);
        assert_eq!(PracticeRoom::named(room.as_str()), Some(room.clone()));
        assert_ne!(PracticeRoom::new(&entropy), room);
        for hearing in [
            entropy.id("h").as_str(),
            "h-practice-1",
            "practice",
            "practices-1",
            "",
        ] {
            assert_eq!(PracticeRoom::named(hearing), None, "{hearing}");
        }
    }
}
