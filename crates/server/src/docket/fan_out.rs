//! What one viewer is sent in one frame: as much as fits.

use super::connection::text;
use axum::extract::ws::Utf8Bytes;
use protocol::{FRAME_LIMIT, ServerFrame, Snapshot};

/// Frames with a snapshot give up the oldest part of its log rather than exceed the limit of the wire.
pub(crate) fn fitting(mut snapshot: Snapshot, frame: impl Fn(Box<Snapshot>) -> ServerFrame) -> Utf8Bytes {
    let whole = text(&frame(Box::new(snapshot.clone())));
    if whole.len() <= FRAME_LIMIT {
        return whole;
    }
    let mut log = std::mem::take(&mut snapshot.log);
    let rest = text(&frame(Box::new(snapshot.clone())));
    let room = FRAME_LIMIT.saturating_sub(rest.len());
    snapshot.log = log.split_off(too_old(&log, room));
    text(&frame(Box::new(snapshot)))
}

/// How many of the oldest entries must go so that the others fit into `room` bytes, each with its comma.
fn too_old(log: &[protocol::Envelope], mut room: usize) -> usize {
    let fits = log.iter().rev().take_while(|entry| {
        let entry = serde_json::to_string(entry).expect("envelopes always serialise");
        let fits = entry.len() < room;
        room = room.saturating_sub(entry.len() + 1);
        fits
    });
    log.len() - fits.count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{
        CaseInfo, Event, HearingId, HearingSettings, HearingState, RecordingState, SeatId, Seq, TimeMs, Words,
    };

    fn snapshot(entries: usize, words: usize) -> Snapshot {
        let said = |n: usize| protocol::Envelope {
            hearing_id: HearingId("h".into()),
            seq: Seq(n as u64),
            server_time: TimeMs(0),
            actor: None,
            caused_by: None,
            event: Event::Message {
                text: Words::new("长\"".repeat(words)),
            },
        };
        Snapshot {
            hearing: HearingId("h".into()),
            seq: Seq(entries as u64),
            server_time: TimeMs(0),
            you: SeatId::from("s"),
            case: CaseInfo {
                number: "1".into(),
                cause: String::new(),
                court: String::new(),
                courtroom: String::new(),
                starts_at: TimeMs(0),
                public: true,
            },
            settings: HearingSettings::default(),
            state: HearingState::Open,
            state_since: TimeMs(0),
            started_at: None,
            participants: Vec::new(),
            floor: None,
            requests: Vec::new(),
            recording: RecordingState::Off,
            broadcasting: false,
            log: (0..entries).map(said).collect(),
        }
    }

    #[test]
    fn of_a_log_that_does_not_fit_the_newest_part_is_sent_and_no_less() {
        for (entries, words) in [(0, 0), (10, 10), (200, 1_000), (2_000, 100), (1, 200_000)] {
            let frame = |snapshot| ServerFrame::Snapshot { snapshot };
            let sent = fitting(snapshot(entries, words), frame);
            assert!(sent.len() <= FRAME_LIMIT);
            let ServerFrame::Snapshot { snapshot } = serde_json::from_str(&sent).expect("a frame") else {
                panic!("of the same kind");
            };
            let kept: Vec<u64> = snapshot.log.iter().map(|e| e.seq.0).collect();
            let newest: Vec<u64> = ((entries - kept.len()) as u64..entries as u64).collect();
            assert_eq!(kept, newest, "{entries} of {words}");
            let one = words * 5 + 200;
            assert!(
                kept.len() == entries || sent.len() + one > FRAME_LIMIT,
                "one more would fit"
            );
        }
    }
}
