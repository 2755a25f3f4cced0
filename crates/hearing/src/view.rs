//! What a viewer may see. One classification of viewers ([`View`]); snapshots and single events both follow from it,
//! so that a page that follows the events shows what a new snapshot would show.

use crate::place::{Place, is_court, is_witness};
use crate::room::{Person, Room, about};
use protocol::{
    DeviceConditions, DropCause, Envelope, Event, Identity, MediaSwitches, NetQuality, Participant,
    ParticipantState, Role, SeatId, TestScore, Words,
};

/// How much a viewer sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum View {
    /// Court staff: everything.
    Court,
    /// In court: the courtroom. Witnesses only while they are in it; other people's requests, help, identity and
    /// device checks never.
    Courtroom,
    /// On the way in: who of the others is ready, and nothing of what is said or shown.
    Lobby,
    /// Isolated, in the witness room, or out: oneself, and who of the court is there to be asked for help.
    Apart,
}

/// By where a person stands or will return to: whoever is disconnected sees what they will see when back, so the
/// log then tells what was missed, and isolation outlasts any number of connections.
pub(crate) fn view_of(role: Role, state: &ParticipantState) -> View {
    if is_court(role) {
        return View::Court;
    }
    match state.place() {
        ParticipantState::InCourt => View::Courtroom,
        ParticipantState::Coded
        | ParticipantState::Testing
        | ParticipantState::Identifying
        | ParticipantState::Acknowledging
        | ParticipantState::Waiting
            if !is_witness(role) =>
        {
            View::Lobby
        }
        _ => View::Apart,
    }
}

impl Person {
    pub(crate) fn view(&self) -> View {
        view_of(self.role(), &self.shown.state)
    }
}

/// `viewer` knows that `person` is in this hearing.
pub(crate) fn knows(viewer: &Person, person: &Person) -> bool {
    viewer.id() == person.id()
        || match viewer.view() {
            View::Court => true,
            View::Courtroom => !is_witness(person.role()) || person.in_court(),
            View::Lobby => !is_witness(person.role()),
            View::Apart => is_court(person.role()),
        }
}

/// A person as `view` shows somebody else; with `viewer` given and equal to the person, as they see themselves.
pub(crate) fn participant(view: View, viewer: Option<&Person>, person: &Person) -> Participant {
    let full = &person.shown;
    if view == View::Court || viewer.is_some_and(|v| v.id() == person.id()) {
        return full.clone();
    }
    let mut seat = full.seat.clone();
    if seat.role == Role::Interpreter {
        // Whom an interpreter was called for may be a witness nobody may know of yet.
        seat.represents = None;
    }
    if view == View::Courtroom {
        return Participant {
            seat,
            identity: Identity::None,
            test: TestScore::Unknown,
            devices: DeviceConditions::default(),
            fix: None,
            ..full.clone()
        };
    }
    Participant {
        seat,
        state: from_outside(&full.state),
        media: MediaSwitches::default(),
        hand: false,
        sharing: false,
        identity: Identity::None,
        test: TestScore::Unknown,
        net: NetQuality::Unknown,
        devices: DeviceConditions::default(),
        fix: None,
        findings: Vec::new(),
    }
}

/// What those outside the courtroom may know of a person's state: not that somebody was isolated, nor why somebody
/// was sent out or dropped.
fn from_outside(state: &ParticipantState) -> ParticipantState {
    match state {
        ParticipantState::Isolated { .. } => ParticipantState::InCourt,
        ParticipantState::Removed { .. } => ParticipantState::Removed {
            reason: Words::default(),
        },
        ParticipantState::Disconnected { since, resume, .. } => ParticipantState::Disconnected {
            since: *since,
            cause: DropCause::Silence,
            told: None,
            resume: Box::new(from_outside(resume)),
        },
        other => other.clone(),
    }
}

/// May `viewer` be sent this event? `room` is the state after it.
pub(crate) fn sees(room: &Room, viewer: &Person, env: &Envelope) -> bool {
    let view = viewer.view();
    let own = about(&env.event) == Some(viewer.id());
    let in_court_of = matches!(view, View::Court | View::Courtroom);
    let other = about(&env.event).and_then(|seat| room.person(seat));
    let known = other.is_some_and(|person| knows(viewer, person));
    match &env.event {
        Event::HearingState { .. } | Event::RecordingState { .. } | Event::BroadcastState { .. } => true,
        // The pair for those who do not see witnesses' own states.
        Event::ParticipantShown { .. } => view == View::Courtroom && !own,
        Event::ParticipantHidden { .. } => view == View::Courtroom && !own,
        Event::FloorState { .. } | Event::Message { .. } => in_court_of,
        _ if own => true,
        Event::ParticipantState { from, to, .. } => match view {
            View::Court => true,
            View::Courtroom => known && !other.is_some_and(|p| is_witness(p.role())),
            View::Lobby | View::Apart => known && from_outside(from) == *from && from_outside(to) == *to,
        },
        Event::ParticipantSeat { .. } => known,
        Event::ParticipantMedia { .. }
        | Event::ParticipantHand { .. }
        | Event::ShareState { .. }
        | Event::NetHealth { .. }
        | Event::FindingMade { .. } => in_court_of && known,
        Event::ParticipantReplaced { .. }
        | Event::ParticipantTest { .. }
        | Event::ParticipantDevices { .. }
        | Event::ParticipantFix { .. }
        | Event::IdentityState { .. }
        | Event::RequestMade { .. }
        | Event::RequestEnded { .. }
        | Event::Help { .. } => view == View::Court,
    }
}

/// Has this event changed what `viewer` sees in a way that single events do not tell?
pub(crate) fn needs_snapshot(room: &Room, viewer: &Person, env: &Envelope) -> bool {
    match &env.event {
        Event::ParticipantState { seat, from, to } if seat == viewer.id() => {
            view_of(viewer.role(), from) != view_of(viewer.role(), to)
        }
        Event::ParticipantState { seat, from, to } => {
            matches!(viewer.view(), View::Lobby | View::Apart)
                && !sees(room, viewer, env)
                && room.person(seat).is_some_and(|person| knows(viewer, person))
                && from_outside(from) != from_outside(to)
        }
        _ => false,
    }
}

/// The seats of a snapshot, in the order of the setup.
pub(crate) fn participants(room: &Room, viewer: &Person) -> Vec<Participant> {
    room.people
        .iter()
        .filter(|person| knows(viewer, person))
        .map(|person| participant(viewer.view(), Some(viewer), person))
        .collect()
}

/// May `viewer` read this seat's requests?
pub(crate) fn reads_requests_of(viewer: &Person, seat: &SeatId) -> bool {
    viewer.view() == View::Court || viewer.id() == seat
}
