//! [`Hearing`]: the machine's one face to its driver.

use crate::command::{self, Asked};
use crate::eyes;
use crate::input::{DeadlineReason, HearingSetup, Input};
use crate::log::Log;
use crate::media::{self, MediaRights};
use crate::room::{Person, Room};
use crate::view::{self, View};
use protocol::{CommandId, Envelope, HearingState, Refusal, SeatId, Seq, ServerFrame, Snapshot, TimeMs};
use std::sync::Arc;

/// One hearing. Two that folded the same events are equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hearing {
    setup: Arc<HearingSetup>,
    room: Room,
    log: Log,
}

impl Hearing {
    /// As scheduled, before the first event. Seats with an id that came before are left out.
    pub fn scheduled(mut setup: HearingSetup) -> Self {
        let mut known = std::collections::HashSet::new();
        setup.seats.retain(|seat| known.insert(seat.id.clone()));
        let room = Room::scheduled(&setup);
        Self {
            setup: Arc::new(setup),
            room,
            log: Log::default(),
        }
    }

    /// What would follow from this input. Changes nothing.
    ///
    /// A command that was carried out before gives no events: its reply is [`Hearing::outcome_of`]. So does an
    /// input of the server's own that changes nothing. Every other accepted command gives at least one event, all
    /// of them caused by its id.
    pub fn decide(&self, input: &Input, now: TimeMs) -> Result<Vec<Envelope>, Refusal> {
        match input {
            Input::Command {
                seat,
                id,
                expected,
                command,
            } => {
                let asked = Asked {
                    seat,
                    id,
                    expected: *expected,
                    command,
                };
                command::decide(&self.setup, &self.room, &self.log, &asked, now)
            }
            other => eyes::decide(&self.setup, &self.room, other, now),
        }
    }

    /// Takes over one event. Events of another hearing, and those taken over before, change nothing.
    pub fn apply(&mut self, envelope: &Envelope) {
        if envelope.hearing_id != self.setup.id || envelope.seq <= self.room.seq {
            return;
        }
        self.room.fold(envelope);
        let room = &self.room;
        let readers = room
            .people
            .iter()
            .map(|viewer| view::sees(room, viewer, envelope));
        self.log.append(envelope, readers);
    }

    /// The last event of a command that was carried out. A refused command leaves no trace: the same id may be
    /// sent again and may then be carried out.
    pub fn outcome_of(&self, id: &CommandId) -> Option<Seq> {
        self.log.done(id).map(|(_, last)| last)
    }

    /// When to come with [`Input::Tick`], and why. Ask again after every `apply`.
    pub fn next_deadline(&self) -> Option<(TimeMs, DeadlineReason)> {
        eyes::next_deadline(&self.setup, &self.room)
    }

    /// What was fixed when it was scheduled. Roles and titles may have changed since: see [`Hearing::snapshot`].
    pub fn setup(&self) -> &HearingSetup {
        &self.setup
    }

    /// Where the hearing stands.
    pub fn state(&self) -> &HearingState {
        &self.room.state
    }

    /// Nothing but archiving happens any more.
    pub fn is_over(&self) -> bool {
        self.room.is_over()
    }

    /// The last event.
    pub fn seq(&self) -> Seq {
        self.room.seq
    }

    /// A person as the court sees them.
    pub fn participant(&self, seat: &SeatId) -> Option<&protocol::Participant> {
        self.room.person(seat).map(|person| &person.shown)
    }

    /// The hearing as `viewer` may see it.
    ///
    /// # Panics
    /// `viewer` is not a seat of this hearing. The server has it from a token that it made itself.
    pub fn snapshot(&self, viewer: &SeatId, now: TimeMs) -> Snapshot {
        let place = self.room.people.iter().position(|p| p.id() == viewer);
        let place = place.expect("the viewer of a snapshot has a seat");
        let person = &self.room.people[place];
        let inside = matches!(person.view(), View::Court | View::Courtroom);
        let room = &self.room;
        Snapshot {
            hearing: self.setup.id.clone(),
            seq: room.seq,
            server_time: now.max(room.time),
            you: viewer.clone(),
            case: self.setup.case.clone(),
            settings: self.setup.settings.clone(),
            state: room.state.clone(),
            state_since: room.state_since,
            started_at: room.started_at,
            participants: view::participants(room, person),
            floor: room.floor.clone().filter(|_| inside),
            requests: room
                .requests
                .iter()
                .filter(|r| view::reads_requests_of(person, &r.seat))
                .cloned()
                .collect(),
            recording: room.recording.state.clone(),
            broadcasting: room.broadcasting,
            // Whoever is outside now reads nothing of the inside, not even what was said while they were merely away
            // and before they were isolated.
            log: self
                .log
                .read_by(place, |envelope| inside || view::sees(room, person, envelope)),
        }
    }

    /// May `viewer` be sent this event? To be asked after the event was applied.
    pub fn visible(&self, viewer: &SeatId, envelope: &Envelope) -> bool {
        self.viewer(viewer)
            .is_some_and(|person| view::sees(&self.room, person, envelope))
    }

    /// This event changed what `viewer` may see: send a [`ServerFrame::Snapshot`] instead of it.
    pub fn needs_snapshot(&self, viewer: &SeatId, envelope: &Envelope) -> bool {
        self.viewer(viewer)
            .is_some_and(|person| view::needs_snapshot(&self.room, person, envelope))
    }

    /// What to send `viewer` after these events of one decision were applied: the ones they may see, or one
    /// snapshot in place of them all when their rights changed.
    pub fn frames(&self, viewer: &SeatId, events: &[Envelope], now: TimeMs) -> Vec<ServerFrame> {
        if self.viewer(viewer).is_none() {
            return Vec::new();
        }
        if events
            .iter()
            .any(|envelope| self.needs_snapshot(viewer, envelope))
        {
            return vec![ServerFrame::Snapshot {
                snapshot: Box::new(self.snapshot(viewer, now)),
            }];
        }
        let visible = events.iter().filter(|envelope| self.visible(viewer, envelope));
        visible
            .map(|envelope| ServerFrame::Event {
                envelope: envelope.clone(),
            })
            .collect()
    }

    /// What may pass for a seat in the media room; nothing for a seat that is not of this hearing.
    pub fn media_rights(&self, seat: &SeatId) -> MediaRights {
        self.viewer(seat)
            .map(|person| media::rights(&self.room, person))
            .unwrap_or_default()
    }

    /// The others can hear this seat now, if its device delivers.
    pub fn audible(&self, seat: &SeatId) -> bool {
        self.viewer(seat)
            .is_some_and(|person| media::audible(&self.room, person))
    }

    fn viewer(&self, seat: &SeatId) -> Option<&Person> {
        self.room.person(seat)
    }
}
