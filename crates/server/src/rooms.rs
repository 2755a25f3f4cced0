//! The seam to the media plane: what the hearing says about rooms and rights, and nothing about packets.
//!
//! The hearing pushes rights here after every event, before anybody is told of it, so that court control holds at the
//! media server first. Names never go into the media plane; it knows seats by their ids.

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
}

/// Why a media connection is ended from here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RemovedBecause {
    /// The person may not be in the media room any more.
    NoRight,
    /// Another device took the seat.
    Replaced,
}
