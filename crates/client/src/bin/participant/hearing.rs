//! What the participant does by itself in a hearing: the steps before court, and a part in the demo. Pure: frames and
//! time in, commands out.

use crate::args::Script;
use protocol::{
    Command, Event, HearingState, Participant, ParticipantState, Phase, Role, SeatId, ServerFrame, Snapshot,
    TestScore, Words,
};
use std::collections::HashMap;

/// What is known of the hearing, followed from the frames.
#[derive(Default)]
pub(crate) struct View {
    own: Option<SeatId>,
    hearing: Option<HearingState>,
    people: HashMap<SeatId, Participant>,
}

impl View {
    fn snapshot(&mut self, snapshot: &Snapshot) {
        self.own = Some(snapshot.you.clone());
        self.hearing = Some(snapshot.state.clone());
        self.people = snapshot
            .participants
            .iter()
            .map(|person| (person.seat.id.clone(), person.clone()))
            .collect();
    }

    /// Follows a frame; true when a state changed.
    pub(crate) fn follow(&mut self, frame: &ServerFrame) -> bool {
        match frame {
            ServerFrame::Welcome { snapshot, .. } | ServerFrame::Snapshot { snapshot } => {
                self.snapshot(snapshot);
                true
            }
            ServerFrame::Event { envelope } => match &envelope.event {
                Event::HearingState { to, .. } => {
                    self.hearing = Some(to.clone());
                    true
                }
                Event::ParticipantState { seat, to, .. } => {
                    if let Some(person) = self.people.get_mut(seat) {
                        person.state = to.clone();
                    }
                    true
                }
                Event::ParticipantShown { participant } => {
                    self.people
                        .insert(participant.seat.id.clone(), (**participant).clone());
                    true
                }
                Event::ParticipantHidden { seat } => self.people.remove(seat).is_some(),
                _ => false,
            },
            _ => false,
        }
    }

    /// The own state.
    pub(crate) fn own_state(&self) -> Option<&ParticipantState> {
        self.people.get(self.own.as_ref()?).map(|person| &person.state)
    }

    /// The own role.
    pub(crate) fn own_role(&self) -> Option<Role> {
        self.people.get(self.own.as_ref()?).map(|person| person.seat.role)
    }

    /// In court in a running hearing: pictures and sound should come.
    pub(crate) fn in_court(&self) -> bool {
        self.own_state() == Some(&ParticipantState::InCourt)
            && matches!(
                self.hearing,
                Some(HearingState::Open | HearingState::InSession { .. } | HearingState::Signing { .. })
            )
    }

    fn with_role(&self, role: Role) -> Option<&Participant> {
        self.people.values().find(|person| person.seat.role == role)
    }
}

/// The steps from the code to the waiting room, each taken once each time it comes up.
#[derive(Default)]
pub(crate) struct Steps {
    taken: Option<ParticipantState>,
}

impl Steps {
    /// The command for the step that the person stands before.
    pub(crate) fn next(&mut self, view: &View) -> Option<Command> {
        let state = view.own_state()?;
        if self.taken.as_ref() == Some(state) {
            return None;
        }
        self.taken = Some(state.clone());
        match state {
            ParticipantState::Coded => Some(Command::StepBegin),
            ParticipantState::Testing => Some(Command::StepTested {
                score: TestScore::Good,
            }),
            ParticipantState::Identifying => Some(Command::StepIdentified { skipped: true }),
            ParticipantState::Acknowledging => Some(Command::StepAcknowledged),
            _ => None,
        }
    }
}

/// A part in the demo: what was done, and when the next thing is due.
pub(crate) struct Part {
    script: Script,
    done: Vec<&'static str>,
    since: HashMap<&'static str, u64>,
}

/// How long the newcomer has waited before the judge begins, in milliseconds.
const START_AFTER_MS: u64 = 2_500;
/// When things happen after the session began, in milliseconds.
const GREETING_MS: u64 = 1_500;
const REPLY_MS: u64 = 3_500;
const PHASE_MS: u64 = 5_000;
const ISOLATE_MS: u64 = 9_000;
const RECALL_MS: u64 = 13_000;
const FLOOR_MS: u64 = 15_500;

impl Part {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            script,
            done: Vec::new(),
            since: HashMap::new(),
        }
    }

    /// True the first time that `condition` has held for `after_ms`.
    fn once(&mut self, name: &'static str, condition: bool, after_ms: u64, now_ms: u64) -> bool {
        if !condition || self.done.contains(&name) {
            self.since.remove(name);
            return false;
        }
        let since = *self.since.entry(name).or_insert(now_ms);
        if now_ms < since + after_ms {
            return false;
        }
        self.done.push(name);
        true
    }

    /// What is due now. To be called on every change and a few times a second.
    pub(crate) fn due(&mut self, view: &View, now_ms: u64) -> Vec<Command> {
        let mut commands = Vec::new();
        let session = matches!(view.hearing, Some(HearingState::InSession { .. })) && view.in_court();
        match self.script {
            Script::Judge => {
                let newcomer = view
                    .with_role(Role::Plaintiff)
                    .map(|person| (person.seat.id.clone(), &person.state));
                let state = newcomer.as_ref().map(|(_, state)| (*state).clone());
                let seat = newcomer.map(|(seat, _)| seat);
                let scheduled = view.hearing == Some(HearingState::Scheduled);
                if self.once("open", scheduled, 0, now_ms) {
                    commands.push(Command::HearingOpen);
                }
                let ready = view.hearing == Some(HearingState::Open)
                    && matches!(state, Some(ParticipantState::Waiting | ParticipantState::InCourt));
                if self.once("start", ready, START_AFTER_MS, now_ms) {
                    commands.push(Command::HearingStart);
                }
                if self.once("greet", session, GREETING_MS, now_ms) {
                    let text = "现在开庭。请双方当事人核对身份，遵守法庭纪律。";
                    commands.push(Command::MessageSend {
                        text: Words::new(text),
                    });
                }
                if self.once("phase", session, PHASE_MS, now_ms) {
                    commands.push(Command::PhaseSet {
                        phase: Phase::Investigation,
                    });
                }
                let Some(seat) = seat else { return commands };
                let present = session && state == Some(ParticipantState::InCourt);
                if self.once("isolate", present, ISOLATE_MS, now_ms) {
                    let reason = Words::new("请稍候，合议庭评议");
                    commands.push(Command::SeatIsolate {
                        seat: seat.clone(),
                        reason,
                    });
                }
                let isolated = matches!(state, Some(ParticipantState::Isolated { .. }));
                if self.once("recall", isolated, RECALL_MS - ISOLATE_MS, now_ms) {
                    commands.push(Command::SeatRecall { seat: seat.clone() });
                }
                let back = self.done.contains(&"recall") && present;
                if self.once("floor", back, FLOOR_MS - RECALL_MS, now_ms) {
                    commands.push(Command::FloorGive { seat: Some(seat) });
                }
            }
            Script::Clerk => {
                if self.once("ready", session, REPLY_MS, now_ms) {
                    let text = "书记员已核对到庭人员，庭审笔录开始。";
                    commands.push(Command::MessageSend {
                        text: Words::new(text),
                    });
                }
            }
            Script::Defendant => {
                if self.once("hand", session, REPLY_MS * 2, now_ms) {
                    commands.push(Command::SelfHand { up: true });
                }
                if self.once("lower", session, REPLY_MS * 3, now_ms) {
                    commands.push(Command::SelfHand { up: false });
                }
            }
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{
        DeviceConditions, Envelope, HearingId, Identity, MediaSwitches, NetQuality, PersonName,
        RecordingState, Seat, Seq, Side, TimeMs,
    };

    fn person(id: &str, role: Role, state: ParticipantState) -> Participant {
        Participant {
            seat: Seat {
                id: id.into(),
                role,
                title: String::new(),
                name: PersonName::new(""),
                represents: None,
                side: Side::Bench,
            },
            state,
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

    fn view(own: &str, people: Vec<Participant>) -> View {
        View {
            own: Some(own.into()),
            hearing: Some(HearingState::Scheduled),
            people: people.into_iter().map(|p| (p.seat.id.clone(), p)).collect(),
        }
    }

    fn event(event: Event) -> ServerFrame {
        ServerFrame::Event {
            envelope: Envelope {
                hearing_id: HearingId::from("h"),
                seq: Seq(1),
                server_time: TimeMs(0),
                actor: None,
                event,
                caused_by: None,
            },
        }
    }

    #[test]
    fn each_step_is_taken_once() {
        let mut view = view("p", vec![person("p", Role::Plaintiff, ParticipantState::Coded)]);
        let mut steps = Steps::default();
        assert_eq!(steps.next(&view), Some(Command::StepBegin));
        assert_eq!(steps.next(&view), None);
        view.follow(&event(Event::ParticipantState {
            seat: "p".into(),
            from: ParticipantState::Coded,
            to: ParticipantState::Acknowledging,
        }));
        assert_eq!(steps.next(&view), Some(Command::StepAcknowledged));
    }

    #[test]
    fn the_judge_opens_starts_isolates_and_recalls_once() {
        let people = vec![
            person("j", Role::PresidingJudge, ParticipantState::InCourt),
            person("p", Role::Plaintiff, ParticipantState::Waiting),
        ];
        let mut view = view("j", people);
        let mut part = Part::new(Script::Judge);
        let mut given = Vec::new();
        for now in (0..60_000).step_by(100) {
            for command in part.due(&view, now) {
                match &command {
                    Command::HearingOpen => view.hearing = Some(HearingState::Open),
                    Command::HearingStart => {
                        view.hearing = Some(HearingState::InSession {
                            phase: Phase::Opening,
                        });
                        view.people.get_mut(&"p".into()).expect("the newcomer").state =
                            ParticipantState::InCourt;
                    }
                    Command::SeatIsolate { seat, reason } => {
                        let since = TimeMs(now);
                        view.people.get_mut(seat).expect("the newcomer").state = ParticipantState::Isolated {
                            reason: reason.clone(),
                            since,
                        };
                    }
                    Command::SeatRecall { seat } => {
                        view.people.get_mut(seat).expect("the newcomer").state = ParticipantState::InCourt;
                    }
                    _ => {}
                }
                given.push(command);
            }
        }
        let names: Vec<&str> = given
            .iter()
            .map(|command| match command {
                Command::HearingOpen => "open",
                Command::HearingStart => "start",
                Command::MessageSend { .. } => "message",
                Command::PhaseSet { .. } => "phase",
                Command::SeatIsolate { .. } => "isolate",
                Command::SeatRecall { .. } => "recall",
                Command::FloorGive { .. } => "floor",
                _ => "other",
            })
            .collect();
        assert_eq!(
            names,
            ["open", "start", "message", "phase", "isolate", "recall", "floor"]
        );
        // RecordingState is part of a snapshot; the script does not depend on it.
        assert_ne!(RecordingState::Off, RecordingState::Unavailable);
    }
}
