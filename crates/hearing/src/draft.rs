//! A decision in the making: a copy of the room on which events are tried out, so that each event follows from the
//! ones before it. Changes that drag others with them (floor, shares, requests, recording) are here, once.

use crate::place::{Place, is_court, is_witness};
use crate::room::{Person, Room, is_terminal};
use crate::view::{self, View};
use protocol::{
    Actor, CommandId, Envelope, Event, Floor, HearingId, HearingState, MediaSwitches, ParticipantState,
    PendingRequest, RecordingState, Request, RequestId, RequestOutcome, Role, SeatId, Seq, TimeMs,
};

pub(crate) struct Draft<'a> {
    hearing: &'a HearingId,
    pub(crate) room: Room,
    pub(crate) now: TimeMs,
    actor: Option<Actor>,
    caused_by: Option<CommandId>,
    events: Vec<Envelope>,
}

impl<'a> Draft<'a> {
    /// Something that the server itself noticed.
    pub(crate) fn noticed(hearing: &'a HearingId, room: &Room, now: TimeMs) -> Self {
        Self {
            hearing,
            room: room.clone(),
            now: now.max(room.time),
            actor: None,
            caused_by: None,
            events: Vec::new(),
        }
    }

    /// Something that a person asked for.
    pub(crate) fn by(hearing: &'a HearingId, room: &Room, now: TimeMs, who: &Person, id: &CommandId) -> Self {
        let seat = &who.shown.seat;
        Self {
            actor: Some(Actor {
                seat: seat.id.clone(),
                role: seat.role,
                title: seat.title.clone(),
                name: seat.name.clone(),
            }),
            caused_by: Some(id.clone()),
            ..Self::noticed(hearing, room, now)
        }
    }

    pub(crate) fn into_events(self) -> Vec<Envelope> {
        self.events
    }

    /// Nothing has followed so far.
    pub(crate) fn is_untouched(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn actor_seat(&self) -> Option<SeatId> {
        self.actor.as_ref().map(|a| a.seat.clone())
    }

    pub(crate) fn person(&self, seat: &SeatId) -> &Person {
        self.room
            .person(seat)
            .expect("a draft is about seats that were looked up before")
    }

    pub(crate) fn emit(&mut self, event: Event) {
        let envelope = Envelope {
            hearing_id: self.hearing.clone(),
            seq: Seq(self.room.seq.0 + 1),
            server_time: self.now,
            actor: self.actor.clone(),
            event,
            caused_by: self.caused_by.clone(),
        };
        self.room.fold(&envelope);
        self.events.push(envelope);
    }

    /// The one way in which the hearing changes state.
    pub(crate) fn enter(&mut self, to: HearingState) {
        let from = self.room.state.clone();
        let starts = from == HearingState::Open && matches!(to, HearingState::InSession { .. });
        self.emit(Event::HearingState { from, to: to.clone() });
        match to {
            HearingState::Scheduled | HearingState::Open => {}
            HearingState::InSession { phase } => {
                self.end_requests(RequestOutcome::Granted, |r| r.request == Request::Phase { phase });
            }
            HearingState::Recess { .. } => {
                self.fall_silent();
                self.end_requests(RequestOutcome::Granted, |r| {
                    matches!(r.request, Request::Recess { .. })
                });
            }
            HearingState::Suspended { .. } => self.fall_silent(),
            HearingState::Signing { .. } => {
                self.end_requests(RequestOutcome::Lapsed, |r| {
                    matches!(r.request, Request::Recess { .. } | Request::Phase { .. })
                });
            }
            HearingState::Closed
            | HearingState::Archived
            | HearingState::Cancelled { .. }
            | HearingState::Adjourned { .. }
            | HearingState::MovedOffline { .. } => {
                self.fall_silent();
                self.end_requests(RequestOutcome::Lapsed, |_| true);
                self.stop_broadcast();
            }
        }
        self.let_in(starts);
        self.follow_recording();
    }

    /// Nothing passes any more: nobody speaks, nothing is shown.
    fn fall_silent(&mut self) {
        self.set_floor(None);
        let sharing: Vec<SeatId> = self
            .room
            .people
            .iter()
            .filter(|p| p.shown.sharing)
            .map(|p| p.id().clone())
            .collect();
        for seat in sharing {
            self.emit(Event::ShareState { seat, on: false });
        }
    }

    /// The court goes in when the doors open; everybody who waits goes in when the session starts, also those whose
    /// connection is away at that moment.
    fn let_in(&mut self, starts: bool) {
        let open = !matches!(self.room.state, HearingState::Scheduled) && !is_terminal(&self.room.state);
        let moved: Vec<(SeatId, ParticipantState)> = self
            .room
            .people
            .iter()
            .filter(|p| *p.place() == ParticipantState::Waiting)
            .filter(|p| {
                if is_court(p.role()) {
                    open
                } else {
                    starts && !is_witness(p.role())
                }
            })
            .map(|p| (p.id().clone(), p.shown.state.moved_to(ParticipantState::InCourt)))
            .collect();
        for (seat, to) in moved {
            self.move_to(&seat, to);
        }
    }

    fn follow_recording(&mut self) {
        if !self.room.recording.is_available() {
            return;
        }
        let by = self.actor_seat();
        let due = self.room.recording.due(&self.room.state, by.as_ref(), self.now);
        self.set_recording(due);
    }

    pub(crate) fn set_recording(&mut self, state: RecordingState) {
        if self.room.recording.state != state {
            self.emit(Event::RecordingState { state });
        }
    }

    /// The one way in which a person changes state.
    pub(crate) fn move_to(&mut self, seat: &SeatId, to: ParticipantState) {
        let person = self.person(seat);
        let from = person.shown.state.clone();
        let hides = is_witness(person.role());
        if from == to {
            return;
        }
        let was_in = from == ParticipantState::InCourt;
        let is_in = to == ParticipantState::InCourt;
        let place_in_court = *to.place() == ParticipantState::InCourt;
        let gone = matches!(to, ParticipantState::Left | ParticipantState::Removed { .. });
        self.emit(Event::ParticipantState {
            seat: seat.clone(),
            from,
            to,
        });
        if hides && is_in {
            let participant = Box::new(view::participant(View::Courtroom, None, self.person(seat)));
            self.emit(Event::ParticipantShown { participant });
        }
        if hides && was_in {
            self.emit(Event::ParticipantHidden { seat: seat.clone() });
        }
        if !is_in {
            if self.room.floor.as_ref().is_some_and(|f| f.seat == *seat) {
                self.set_floor(None);
            }
            self.stop_share(seat);
        }
        if !place_in_court {
            self.end_requests(RequestOutcome::Lapsed, |r| {
                r.seat == *seat && (gone || !matches!(r.request, Request::Leave { .. }))
            });
        }
    }

    pub(crate) fn set_floor(&mut self, seat: Option<SeatId>) {
        if self.room.floor.as_ref().map(|f| &f.seat) != seat.as_ref() {
            let floor = seat.map(|seat| Floor {
                seat,
                since: self.now,
            });
            self.emit(Event::FloorState { floor });
        }
    }

    pub(crate) fn stop_share(&mut self, seat: &SeatId) {
        if self.person(seat).shown.sharing {
            self.emit(Event::ShareState {
                seat: seat.clone(),
                on: false,
            });
        }
    }

    pub(crate) fn stop_broadcast(&mut self) {
        if self.room.broadcasting {
            self.emit(Event::BroadcastState { on: false });
        }
    }

    pub(crate) fn set_media(&mut self, seat: &SeatId, change: impl FnOnce(&mut MediaSwitches)) {
        let mut media = self.person(seat).shown.media;
        change(&mut media);
        if media != self.person(seat).shown.media {
            self.emit(Event::ParticipantMedia {
                seat: seat.clone(),
                media,
            });
        }
    }

    /// Numbered by the event that says it, so that no randomness is needed.
    pub(crate) fn make_request(&mut self, seat: &SeatId, request: Request) {
        if request == Request::Floor {
            self.emit(Event::ParticipantHand {
                seat: seat.clone(),
                up: true,
            });
        }
        let id = RequestId(format!("r{}", self.room.seq.0 + 1));
        self.emit(Event::RequestMade {
            request: PendingRequest {
                id,
                seat: seat.clone(),
                request,
                at: self.now,
            },
        });
    }

    /// Ends the requests that `which` picks; a hand goes down with its request.
    pub(crate) fn end_requests(&mut self, outcome: RequestOutcome, which: impl Fn(&PendingRequest) -> bool) {
        let ended: Vec<PendingRequest> = self.room.requests.iter().filter(|r| which(r)).cloned().collect();
        for PendingRequest {
            id, seat, request, ..
        } in ended
        {
            self.emit(Event::RequestEnded {
                id,
                seat: seat.clone(),
                outcome,
            });
            if request == Request::Floor {
                self.emit(Event::ParticipantHand { seat, up: false });
            }
        }
    }

    /// The presiding judge, where there is one.
    pub(crate) fn is_judge(&self, seat: &SeatId) -> bool {
        self.person(seat).role() == Role::PresidingJudge
    }
}
