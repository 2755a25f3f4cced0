//! What a page makes of its snapshot and the events after it: the least a client must do, written from the events'
//! descriptions alone.

use protocol::*;

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Page {
    pub(crate) you: SeatId,
    pub(crate) seq: Seq,
    pub(crate) state: HearingState,
    pub(crate) participants: Vec<Participant>,
    pub(crate) floor: Option<Floor>,
    pub(crate) requests: Vec<PendingRequest>,
    pub(crate) recording: RecordingState,
    pub(crate) broadcasting: bool,
}

impl Page {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let mut participants = snapshot.participants.clone();
        participants.sort_by(|a, b| a.seat.id.cmp(&b.seat.id));
        Self {
            you: snapshot.you.clone(),
            seq: snapshot.seq,
            state: snapshot.state.clone(),
            participants,
            floor: snapshot.floor.clone(),
            requests: snapshot.requests.clone(),
            recording: snapshot.recording.clone(),
            broadcasting: snapshot.broadcasting,
        }
    }

    pub(crate) fn follow(&mut self, envelope: &Envelope) {
        assert!(
            envelope.seq > self.seq,
            "events come in order, after the snapshot"
        );
        self.seq = envelope.seq;
        match &envelope.event {
            Event::HearingState { to, .. } => self.state = to.clone(),
            Event::ParticipantState { seat, to, .. } => self.of(seat).state = to.clone(),
            Event::ParticipantShown { participant } => {
                assert!(
                    self.participants.iter().all(|p| p.seat.id != participant.seat.id),
                    "shown twice"
                );
                self.participants.push((**participant).clone());
                self.participants.sort_by(|a, b| a.seat.id.cmp(&b.seat.id));
            }
            Event::ParticipantHidden { seat } => {
                self.of(seat);
                self.participants.retain(|p| p.seat.id != *seat);
            }
            Event::ParticipantMedia { seat, media } => self.of(seat).media = *media,
            Event::ParticipantHand { seat, up } => self.of(seat).hand = *up,
            Event::ParticipantSeat { seat } => self.of(&seat.id).seat = seat.clone(),
            Event::ParticipantTest { seat, score } => self.of(seat).test = *score,
            Event::ParticipantDevices { seat, devices } => self.of(seat).devices = *devices,
            Event::ParticipantFix { seat, fix } => self.of(seat).fix = fix.clone(),
            Event::IdentityState { seat, identity } => self.of(seat).identity = *identity,
            Event::FloorState { floor } => self.floor = floor.clone(),
            Event::ShareState { seat, on } => self.of(seat).sharing = *on,
            Event::RequestMade { request } => self.requests.push(request.clone()),
            Event::RequestEnded { id, .. } => self.requests.retain(|r| r.id != *id),
            Event::RecordingState { state } => self.recording = state.clone(),
            Event::BroadcastState { on } => self.broadcasting = *on,
            Event::NetHealth { seat, net } => self.of(seat).net = *net,
            Event::FindingMade { seat, finding } => self.of(seat).findings.push(finding.clone()),
            Event::ParticipantReplaced { .. } | Event::Message { .. } | Event::Help { .. } => {}
        }
    }

    fn of(&mut self, seat: &SeatId) -> &mut Participant {
        let you = self.you.clone();
        self.participants
            .iter_mut()
            .find(|p| p.seat.id == *seat)
            .unwrap_or_else(|| panic!("{you} is told of {seat}, whom it was never shown"))
    }
}
