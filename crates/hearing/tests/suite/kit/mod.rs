//! A hearing with every role in it, a virtual clock, and a page for each seat that follows what it is sent.

pub(crate) mod page;

use hearing::{Hearing, HearingSetup, Input};
use page::Page;
use protocol::*;
use std::collections::BTreeMap;

/// All seats of the kit: id, role, side, title, whom they represent.
const SEATS: &[(&str, Role, Side, &str, Option<&str>)] = &[
    ("judge", Role::PresidingJudge, Side::Bench, "审判长", None),
    ("panel", Role::PanelMember, Side::Bench, "审判员", None),
    ("assistant", Role::Assistant, Side::Clerk, "法官助理", None),
    ("clerk", Role::Clerk, Side::Clerk, "书记员", None),
    ("technician", Role::Technician, Side::Clerk, "技术人员", None),
    ("plaintiff", Role::Plaintiff, Side::Plaintiff, "原告", None),
    ("defendant", Role::Defendant, Side::Defendant, "被告", None),
    ("third", Role::ThirdParty, Side::ThirdParty, "第三人", None),
    (
        "agent",
        Role::Agent,
        Side::Plaintiff,
        "原告代理人",
        Some("plaintiff"),
    ),
    ("witness", Role::Witness, Side::Witness, "证人", None),
    ("expert", Role::Expert, Side::Witness, "鉴定人", None),
    (
        "interpreter",
        Role::Interpreter,
        Side::Defendant,
        "翻译",
        Some("witness"),
    ),
    ("observer", Role::Observer, Side::Gallery, "旁听人员", None),
];

pub(crate) fn ids() -> Vec<SeatId> {
    SEATS.iter().map(|s| SeatId::from(s.0)).collect()
}

pub(crate) fn is_court(role: Role) -> bool {
    (role as u8) <= Role::Technician as u8
}

pub(crate) fn is_witness(role: Role) -> bool {
    matches!(role, Role::Witness | Role::Expert)
}

pub(crate) fn setup(settings: HearingSettings) -> HearingSetup {
    HearingSetup {
        id: HearingId::from("h1"),
        case: CaseInfo {
            number: "（2026）京0491民初1号".into(),
            cause: "买卖合同纠纷".into(),
            court: "示例法院".into(),
            courtroom: "第一法庭".into(),
            starts_at: TimeMs(1_000_000),
            public: true,
        },
        settings,
        seats: SEATS
            .iter()
            .map(|&(id, role, side, title, represents)| Seat {
                id: id.into(),
                role,
                title: title.into(),
                name: PersonName::new(format!("name-{id}")),
                represents: represents.map(SeatId::from),
                side,
            })
            .collect(),
    }
}

/// One step and what it did.
pub(crate) struct Step {
    pub(crate) before: Hearing,
    pub(crate) input: Input,
    pub(crate) result: Result<Vec<Envelope>, Refusal>,
    /// What each seat was sent.
    pub(crate) frames: BTreeMap<SeatId, Vec<ServerFrame>>,
}

/// A hearing, its clock, its log, and its pages.
pub(crate) struct World {
    pub(crate) hearing: Hearing,
    pub(crate) now: TimeMs,
    pub(crate) log: Vec<Envelope>,
    pub(crate) pages: BTreeMap<SeatId, Page>,
    pub(crate) with_pages: bool,
    commands: u32,
}

impl World {
    pub(crate) fn new(settings: HearingSettings) -> Self {
        Self {
            hearing: Hearing::scheduled(setup(settings)),
            now: TimeMs(900_000),
            log: Vec::new(),
            pages: BTreeMap::new(),
            with_pages: false,
            commands: 0,
        }
    }

    /// Everybody has come, and the hearing is in session; witnesses wait.
    pub(crate) fn in_session(settings: HearingSettings) -> Self {
        let mut world = Self::new(settings);
        world.everybody_comes();
        world.ok("judge", Command::HearingOpen);
        world.ok("judge", Command::HearingStart);
        world
    }

    pub(crate) fn everybody_comes(&mut self) {
        for seat in ids() {
            self.come(&seat);
        }
    }

    /// Through all steps to the waiting place.
    pub(crate) fn come(&mut self, seat: &SeatId) {
        self.input(Input::CodeAccepted { seat: seat.clone() });
        self.input(Input::Connected {
            seat: seat.clone(),
            resumed: false,
        });
        for command in [
            Command::StepBegin,
            Command::StepTested {
                score: TestScore::Good,
            },
            Command::StepIdentified { skipped: false },
            Command::StepAcknowledged,
        ] {
            // The court has no steps, and not every hearing has all of them.
            let _refused = self.command(seat.as_str(), command);
        }
    }

    pub(crate) fn fresh_id(&mut self) -> CommandId {
        self.commands += 1;
        CommandId(format!("c{}", self.commands))
    }

    pub(crate) fn command(&mut self, seat: &str, command: Command) -> Result<Vec<Envelope>, Refusal> {
        let id = self.fresh_id();
        self.input(Input::Command {
            seat: seat.into(),
            id,
            expected: None,
            command,
        })
        .result
    }

    #[track_caller]
    pub(crate) fn ok(&mut self, seat: &str, command: Command) -> Vec<Envelope> {
        let shown = format!("{seat}: {command:?}");
        self.command(seat, command)
            .unwrap_or_else(|refusal| panic!("{shown} was refused: {refusal:?}"))
    }

    #[track_caller]
    pub(crate) fn refused(&mut self, seat: &str, command: Command, why: Refusal) {
        let shown = format!("{seat}: {command:?}");
        assert_eq!(self.command(seat, command).map(drop), Err(why), "{shown}");
    }

    pub(crate) fn drop_line(&mut self, seat: &str, cause: DropCause) {
        let since = self.now;
        self.input(Input::Dropped {
            seat: seat.into(),
            since,
            cause,
            told: None,
        });
    }

    pub(crate) fn reconnect(&mut self, seat: &str) {
        self.input(Input::Connected {
            seat: seat.into(),
            resumed: true,
        });
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
    }

    pub(crate) fn state_of(&self, seat: &str) -> ParticipantState {
        self.hearing
            .participant(&seat.into())
            .expect("a seat of the kit")
            .state
            .clone()
    }

    /// Decides, applies, and sends every seat what it may see, in the server's order.
    pub(crate) fn input(&mut self, input: Input) -> Step {
        let before = self.hearing.clone();
        let result = self.hearing.decide(&input, self.now);
        let mut frames = BTreeMap::new();
        if let Ok(events) = &result {
            for envelope in events {
                self.hearing.apply(envelope);
                self.log.push(envelope.clone());
            }
            if self.with_pages {
                self.deliver(&input, events, &mut frames);
            }
        }
        Step {
            before,
            input,
            result,
            frames,
        }
    }

    fn deliver(
        &mut self,
        input: &Input,
        events: &[Envelope],
        frames: &mut BTreeMap<SeatId, Vec<ServerFrame>>,
    ) {
        for seat in ids() {
            let opens =
                matches!(input, Input::Connected { seat: s, .. } | Input::Replaced { seat: s } if *s == seat);
            let sent = if opens || !self.pages.contains_key(&seat) {
                // The welcome of a new connection; an old one sees the same, so the page never lags.
                vec![ServerFrame::Snapshot {
                    snapshot: Box::new(self.hearing.snapshot(&seat, self.now)),
                }]
            } else {
                self.hearing.frames(&seat, events, self.now)
            };
            for frame in &sent {
                match (frame, self.pages.get_mut(&seat)) {
                    (ServerFrame::Snapshot { snapshot }, _) => {
                        self.pages.insert(seat.clone(), Page::new(snapshot));
                    }
                    (ServerFrame::Event { envelope }, Some(page)) => page.follow(envelope),
                    _ => {}
                }
            }
            frames.insert(seat, sent);
        }
    }
}
