//! What one viewer is sent: frames that fit, and after a drop only what could be seen both then and now.

use super::connection::text;
use axum::extract::ws::Utf8Bytes;
use hearing::{Hearing, HearingSetup};
use protocol::{Envelope, FRAME_LIMIT, SeatId, Seq, ServerFrame, Snapshot};

/// Frames with a snapshot give up the oldest part of its log rather than exceed the limit of the wire.
pub(crate) fn fitting(mut snapshot: Snapshot, frame: impl Fn(Box<Snapshot>) -> ServerFrame) -> Utf8Bytes {
    loop {
        let whole = text(&frame(Box::new(snapshot.clone())));
        if whole.len() <= FRAME_LIMIT || snapshot.log.is_empty() {
            return whole;
        }
        let too_old = snapshot.log.len().div_ceil(4);
        snapshot.log.drain(..too_old);
    }
}

/// How much of what was missed is sent, in bytes; a snapshot goes before it, so nothing depends on all of it. It leaves
/// room in the budget of a connection, which would otherwise be cut off again and again by its own past.
const MISSED_LIMIT: usize = 1024 * 1024;

/// What a viewer missed after `after`, oldest first, at most the newest [`MISSED_LIMIT`] bytes. Each event is judged by
/// the state right after it, so that what was said while a person was isolated stays unknown to them; and by the state
/// of today, so that a person who is isolated now is told nothing by coming back.
pub(crate) fn missed(
    setup: &HearingSetup,
    now: &Hearing,
    log: &[Envelope],
    viewer: &SeatId,
    after: Seq,
) -> Vec<Utf8Bytes> {
    let mut then = Hearing::scheduled(setup.clone());
    let mut seen = Vec::new();
    for envelope in log {
        then.apply(envelope);
        if envelope.seq > after && then.visible(viewer, envelope) && now.visible(viewer, envelope) {
            seen.push(envelope);
        }
    }
    let mut room = MISSED_LIMIT;
    let newest = seen.into_iter().rev().map(|envelope| {
        text(&ServerFrame::Event {
            envelope: envelope.clone(),
        })
    });
    let mut frames: Vec<Utf8Bytes> = newest
        .take_while(|frame| {
            let fits = frame.len() <= room;
            room = room.saturating_sub(frame.len());
            fits
        })
        .collect();
    frames.reverse();
    frames
}
