//! Practice rooms: for as long as one is open it takes a place, and it ends by itself.
//!
//! For the self-test, and for a person who wants to see and hear himself as the others will. No hearing knows of them, and
//! nothing about them is stored.

use crate::app::Shared;
use crate::doorway::{Doorway, Standing};
use crate::rooms::{PracticeRoom, PracticeTokens};
use protocol::TimeMs;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

/// Practice rooms at once: from one address, and in all. A self-test takes three and sends ten megabits a second for a moment;
/// a courthouse is one address.
const ROOMS: (usize, usize) = (48, 192);
/// A room ends after so long, and with it its tokens, in milliseconds: time to look at oneself, not to hold a meeting.
pub(crate) const ROOM_MS: u64 = 3 * 60_000;
/// When to ask again where all places are taken, in milliseconds: self-tests end all the time.
pub(crate) const BUSY_WAIT_MS: u32 = 10_000;

/// The rooms that are open.
pub(crate) struct PracticeRooms {
    door: Arc<Doorway>,
    open: Mutex<HashMap<PracticeRoom, CancellationToken>>,
}

/// A room that was opened.
pub(crate) struct Opened {
    pub(crate) tokens: PracticeTokens,
    pub(crate) until: TimeMs,
}

impl PracticeRooms {
    pub(crate) fn new() -> Self {
        Self {
            door: Doorway::new(ROOMS.0, ROOMS.1),
            open: Mutex::default(),
        }
    }

    /// Who practised has left by his own word: nobody needs the room any more.
    pub(crate) fn left(&self, room: &PracticeRoom) {
        if let Some(ended) = self.rooms().get(room) {
            ended.cancel();
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<PracticeRoom, CancellationToken>> {
        self.open
            .lock()
            .expect("no panic happens while the rooms are held")
    }
}

/// Opens a room for somebody at this address, if there is a place.
pub(crate) fn open(shared: &Arc<Shared>, address: IpAddr) -> Option<Opened> {
    let place = shared.practice.door.stand(address)?;
    let (now, stamp) = (shared.clock.now(), shared.clock.stamp());
    let room = PracticeRoom::new(&shared.entropy);
    let tokens = shared.rooms.open_practice(&room, ROOM_MS, now, stamp);
    let (ended, until) = (CancellationToken::new(), now.plus(ROOM_MS));
    shared.practice.rooms().insert(room.clone(), ended.clone());
    shared
        .tracker
        .spawn(keep(shared.clone(), room, place, ended, until));
    Some(Opened { tokens, until })
}

/// Ends the room in time.
async fn keep(
    shared: Arc<Shared>,
    room: PracticeRoom,
    place: Standing,
    ended: CancellationToken,
    until: TimeMs,
) {
    tokio::select! {
        () = shared.clock.sleep_until(until) => {}
        () = ended.cancelled() => {}
        () = shared.soft.cancelled() => {}
    }
    shared.rooms.close_practice(&room);
    shared.practice.rooms().remove(&room);
    drop(place);
}
