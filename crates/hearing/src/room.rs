//! The state of a hearing and the fold that makes it from events. Total: no event, in no order, can make it fail.
//! It decides nothing; events already carry the new values.

use crate::input::HearingSetup;
use crate::place::Place;
use crate::recording::Recording;
use protocol::{
    DeviceConditions, Envelope, Event, Floor, HearingState, Identity, MediaSwitches, NetQuality, Participant,
    ParticipantState, PendingRequest, Request, RequestOutcome, Role, Seat, SeatId, Seq, TestScore, TimeMs,
};

/// A person as the hearing knows them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Person {
    /// What the court sees.
    pub(crate) shown: Participant,
    /// 法庭纪律 was acknowledged: a new device check leads straight back to the waiting place.
    pub(crate) acknowledged: bool,
    /// The court has let the person go.
    pub(crate) leave_granted: bool,
    /// The court has granted one share.
    pub(crate) share_granted: bool,
    /// The last event that moved the person.
    pub(crate) moved: Seq,
}

impl Person {
    fn invited(seat: Seat) -> Self {
        Self {
            shown: Participant {
                seat,
                state: ParticipantState::Invited,
                media: MediaSwitches::default(),
                hand: false,
                sharing: false,
                identity: Identity::default(),
                test: TestScore::default(),
                net: NetQuality::default(),
                devices: DeviceConditions::default(),
                fix: None,
                findings: Vec::new(),
            },
            acknowledged: false,
            leave_granted: false,
            share_granted: false,
            moved: Seq(0),
        }
    }

    pub(crate) fn id(&self) -> &SeatId {
        &self.shown.seat.id
    }

    pub(crate) fn role(&self) -> Role {
        self.shown.seat.role
    }

    pub(crate) fn place(&self) -> &ParticipantState {
        self.shown.state.place()
    }

    pub(crate) fn in_court(&self) -> bool {
        self.shown.state == ParticipantState::InCourt
    }
}

/// Everything that the decisions rest on. Small: it is copied for every decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    pub(crate) seq: Seq,
    /// Of the last event. The log never goes back in time, whatever the server's clock does.
    pub(crate) time: TimeMs,
    pub(crate) state: HearingState,
    pub(crate) state_since: TimeMs,
    /// The last event that changed the hearing's state.
    pub(crate) state_seq: Seq,
    pub(crate) started_at: Option<TimeMs>,
    pub(crate) people: Vec<Person>,
    pub(crate) floor: Option<Floor>,
    pub(crate) requests: Vec<PendingRequest>,
    pub(crate) recording: Recording,
    pub(crate) broadcasting: bool,
}

impl Room {
    pub(crate) fn scheduled(setup: &HearingSetup) -> Self {
        Self {
            seq: Seq(0),
            time: TimeMs(0),
            state: HearingState::Scheduled,
            state_since: TimeMs(0),
            state_seq: Seq(0),
            started_at: None,
            people: setup.seats.iter().cloned().map(Person::invited).collect(),
            floor: None,
            requests: Vec::new(),
            recording: Recording::new(setup.settings.recorder),
            broadcasting: false,
        }
    }

    pub(crate) fn person(&self, seat: &SeatId) -> Option<&Person> {
        self.people.iter().find(|p| p.id() == seat)
    }

    fn person_mut(&mut self, seat: &SeatId) -> Option<&mut Person> {
        self.people.iter_mut().find(|p| p.id() == seat)
    }

    /// Closed, archived, cancelled, adjourned or moved: nothing but archiving happens any more.
    pub(crate) fn is_over(&self) -> bool {
        is_terminal(&self.state)
    }

    /// It has started and is not over.
    pub(crate) fn is_under_way(&self) -> bool {
        matches!(
            self.state,
            HearingState::InSession { .. }
                | HearingState::Recess { .. }
                | HearingState::Suspended { .. }
                | HearingState::Signing { .. }
        )
    }

    /// Takes over one event of this hearing.
    pub(crate) fn fold(&mut self, env: &Envelope) {
        self.seq = env.seq;
        self.time = env.server_time;
        match &env.event {
            Event::HearingState { to, .. } => {
                if !same_state(&self.state, to) {
                    self.state_since = env.server_time;
                }
                if matches!(to, HearingState::InSession { .. }) {
                    self.started_at.get_or_insert(env.server_time);
                }
                self.state = to.clone();
                self.state_seq = env.seq;
            }
            Event::FloorState { floor } => self.floor = floor.clone(),
            Event::RequestMade { request } => self.requests.push(request.clone()),
            Event::RequestEnded { id, outcome, .. } => {
                if let Some(at) = self.requests.iter().position(|r| r.id == *id) {
                    let ended = self.requests.remove(at);
                    if *outcome == RequestOutcome::Granted {
                        self.grant(&ended);
                    }
                }
            }
            Event::RecordingState { state } => self.recording.fold(state),
            Event::BroadcastState { on } => self.broadcasting = *on,
            // These tell viewers what the participant.state beside them already says, or are only words.
            Event::ParticipantShown { .. }
            | Event::ParticipantHidden { .. }
            | Event::ParticipantReplaced { .. }
            | Event::Message { .. }
            | Event::Help { .. } => {}
            about_one => self.fold_person(env.seq, about_one),
        }
    }

    fn grant(&mut self, ended: &PendingRequest) {
        if let Some(person) = self.person_mut(&ended.seat) {
            match ended.request {
                Request::Leave { .. } => person.leave_granted = true,
                Request::Share => person.share_granted = true,
                // Carried out by the event that follows.
                Request::Floor | Request::Recess { .. } | Request::Phase { .. } => {}
            }
        }
    }

    fn fold_person(&mut self, seq: Seq, event: &Event) {
        let Some(person) = about(event).and_then(|seat| self.person_mut(seat)) else {
            return;
        };
        let shown = &mut person.shown;
        match event {
            Event::ParticipantState { to, .. } => {
                shown.state = to.clone();
                person.moved = seq;
                match to.place() {
                    ParticipantState::Waiting | ParticipantState::WitnessRoom => person.acknowledged = true,
                    ParticipantState::Coded | ParticipantState::Left => {
                        person.acknowledged = false;
                        person.leave_granted = false;
                    }
                    _ => {}
                }
                if *to.place() != ParticipantState::InCourt {
                    person.share_granted = false;
                }
            }
            Event::ParticipantMedia { media, .. } => shown.media = *media,
            Event::ParticipantHand { up, .. } => shown.hand = *up,
            Event::ParticipantSeat { seat } => {
                shown.seat = seat.clone();
                person.moved = seq;
            }
            Event::ParticipantTest { score, .. } => shown.test = *score,
            Event::IdentityState { identity, .. } => shown.identity = *identity,
            Event::ShareState { on, .. } => {
                shown.sharing = *on;
                // A grant is good for one share.
                person.share_granted &= *on;
            }
            Event::NetHealth { net, .. } => shown.net = *net,
            Event::ParticipantDevices { devices, .. } => shown.devices = *devices,
            Event::ParticipantFix { fix, .. } => shown.fix = fix.clone(),
            Event::FindingMade { finding, .. } => shown.findings.push(finding.clone()),
            _ => {}
        }
    }
}

/// The one person an event is about, where there is one.
pub(crate) fn about(event: &Event) -> Option<&SeatId> {
    match event {
        Event::ParticipantState { seat, .. }
        | Event::ParticipantHidden { seat }
        | Event::ParticipantMedia { seat, .. }
        | Event::ParticipantHand { seat, .. }
        | Event::ParticipantReplaced { seat }
        | Event::ParticipantTest { seat, .. }
        | Event::ParticipantDevices { seat, .. }
        | Event::ParticipantFix { seat, .. }
        | Event::IdentityState { seat, .. }
        | Event::ShareState { seat, .. }
        | Event::RequestEnded { seat, .. }
        | Event::Help { seat, .. }
        | Event::NetHealth { seat, .. }
        | Event::FindingMade { seat, .. } => Some(seat),
        Event::ParticipantSeat { seat } => Some(&seat.id),
        Event::ParticipantShown { participant } => Some(&participant.seat.id),
        Event::RequestMade { request } => Some(&request.seat),
        Event::HearingState { .. }
        | Event::FloorState { .. }
        | Event::Message { .. }
        | Event::RecordingState { .. }
        | Event::BroadcastState { .. } => None,
    }
}

/// The hearing is over and stays so.
pub(crate) fn is_terminal(state: &HearingState) -> bool {
    matches!(
        state,
        HearingState::Closed
            | HearingState::Archived
            | HearingState::Cancelled { .. }
            | HearingState::Adjourned { .. }
            | HearingState::MovedOffline { .. }
    )
}

/// A phase change is not a new state: the clock of the session goes on.
fn same_state(a: &HearingState, b: &HearingState) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}
