//! Random days in court: sequences of everything that people and the server can do, in a hearing with every role.

use crate::kit::{self, Step, World};
use hearing::Input;
use proptest::prelude::*;
use proptest::sample::select;
use protocol::*;

/// One thing that happens. Indices are resolved when it happens, so that sequences shrink well.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// All steps of joining.
    Comes(SeatId),
    CodeAccepted(SeatId),
    Connects(SeatId),
    Drops(SeatId, DropCause, u64),
    Explains(SeatId, DropCause),
    Replaced(SeatId),
    Net(SeatId, NetQuality),
    Recorder(bool),
    Time(u64),
    Tick,
    Command(SeatId, Expected, Command),
    /// The court decides one of the open requests.
    Decides(SeatId, usize, bool),
    /// Sends an earlier command id again, with whatever.
    Again(SeatId, usize, Command),
}

#[derive(Clone, Debug)]
pub(crate) enum Expected {
    Nothing,
    Behind(u64),
    Ahead,
}

fn seat() -> impl Strategy<Value = SeatId> {
    prop_oneof![
        4 => select(vec!["judge", "clerk"]),
        8 => select(vec![
            "panel", "assistant", "technician", "plaintiff", "defendant", "third", "agent", "witness", "expert",
            "interpreter", "observer",
        ]),
    ]
    .prop_map(SeatId::from)
}

/// Sometimes somebody who is not of this hearing.
fn any_seat() -> impl Strategy<Value = SeatId> {
    prop_oneof![40 => seat(), 1 => Just(SeatId::from("nobody"))]
}

fn words() -> impl Strategy<Value = Words> {
    prop_oneof![
        8 => select(vec!["请说明", "好的", "网络不稳"]).prop_map(Words::new),
        1 => Just(Words::default()),
        1 => Just(Words::new("长".repeat(MESSAGE_LIMIT + 1))),
        1 => Just(Words::new("a\u{0}b")),
    ]
}

fn phase() -> impl Strategy<Value = Phase> {
    select(vec![
        Phase::Opening,
        Phase::Evidence,
        Phase::Debate,
        Phase::Mediation,
    ])
}

fn cause() -> impl Strategy<Value = DropCause> {
    select(vec![
        DropCause::Silence,
        DropCause::WindowClosed,
        DropCause::Crash,
        DropCause::Sleep,
    ])
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Floor),
        Just(Request::Share),
        words().prop_map(|note| Request::Recess { note }),
        words().prop_map(|note| Request::Leave { note }),
        phase().prop_map(|phase| Request::Phase { phase }),
    ]
}

fn session_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => Just(Command::HearingOpen),
        6 => Just(Command::HearingStart),
        6 => Just(Command::HearingResume),
        2 => (words(), any::<bool>()).prop_map(|(reason, late)| Command::HearingRecess {
            reason,
            until: late.then_some(TimeMs(u64::MAX)),
        }),
        1 => words().prop_map(|note| Command::HearingSuspend { note }),
        1 => Just(Command::HearingSign),
        1 => prop_oneof![
            Just(Command::HearingClose),
            Just(Command::HearingArchive),
            words().prop_map(|reason| Command::HearingCancel { reason }),
            words().prop_map(|reason| Command::HearingAdjourn { reason }),
            words().prop_map(|reason| Command::HearingMoveOffline { reason }),
        ],
        1 => any_seat().prop_map(|to| Command::HearingHandOver { to }),
        4 => phase().prop_map(|phase| Command::PhaseSet { phase }),
    ]
}

fn court_command() -> impl Strategy<Value = Command> {
    let kind = || select(vec![MediaKind::Audio, MediaKind::Video]);
    let witness = || select(vec!["witness", "expert"]).prop_map(SeatId::from);
    prop_oneof![
        1 => any_seat().prop_map(|seat| Command::SeatAdmit { seat }),
        // Witnesses come and go often, since most rules are about them.
        4 => witness().prop_map(|seat| Command::SeatCallWitness { seat }),
        2 => witness().prop_map(|seat| Command::SeatDismiss { seat }),
        1 => witness().prop_map(|seat| Command::SeatIsolate { seat, reason: Words::default() }),
        1 => witness().prop_map(|seat| Command::SeatRecall { seat }),
        1 => any_seat().prop_map(|seat| Command::SeatDismiss { seat }),
        1 => (any_seat(), words()).prop_map(|(seat, reason)| Command::SeatIsolate { seat, reason }),
        1 => any_seat().prop_map(|seat| Command::SeatRecall { seat }),
        1 => (any_seat(), words()).prop_map(|(seat, reason)| Command::SeatRemove { seat, reason }),
        1 => (proptest::option::of(any_seat()), kind()).prop_map(|(seat, kind)| Command::MediaLock { seat, kind }),
        1 => (proptest::option::of(any_seat()), kind())
            .prop_map(|(seat, kind)| Command::MediaUnlock { seat, kind }),
        1 => (any_seat(), kind()).prop_map(|(seat, kind)| Command::MediaBlock { seat, kind }),
        1 => (any_seat(), kind()).prop_map(|(seat, kind)| Command::MediaUnblock { seat, kind }),
        1 => any_seat().prop_map(|seat| Command::MediaAskUnmute { seat }),
        2 => (any_seat(), proptest::option::of(Just(DeviceFix::RaiseInput)))
            .prop_map(|(seat, fix)| Command::FixOffer { seat, fix }),
        1 => proptest::option::of(any_seat()).prop_map(|seat| Command::FloorGive { seat }),
        1 => Just(Command::HandLowerAll),
        1 => any_seat().prop_map(|seat| Command::IdentityRequest { seat }),
        1 => (any_seat(), any::<bool>()).prop_map(|(seat, passed)| Command::IdentityConfirm { seat, passed }),
        1 => any_seat().prop_map(|seat| Command::IdentityWaive { seat }),
        1 => any_seat().prop_map(|seat| Command::ShareStop { seat: Some(seat) }),
        3 => select(vec![
            PauseReason::Mediation,
            PauseReason::ClosedEvidence,
            PauseReason::Recess
        ])
        .prop_map(|reason| Command::RecordPause { reason }),
        1 => Just(Command::RecordResume),
        1 => Just(Command::BroadcastStart),
        1 => Just(Command::BroadcastStop),
        1 => (any_seat(), words()).prop_map(|(seat, note)| Command::FindingMake {
            seat,
            kind: FindingKind::Absent,
            note,
        }),
    ]
}

fn conditions(on: bool) -> DeviceConditions {
    DeviceConditions {
        microphone: if on {
            DeviceCondition::Fine
        } else {
            DeviceCondition::Off
        },
        ..DeviceConditions::default()
    }
}

fn own_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => any::<bool>().prop_map(|on| Command::SelfMic { on }),
        2 => any::<bool>().prop_map(|on| Command::SelfCamera { on }),
        3 => any::<bool>().prop_map(|up| Command::SelfHand { up }),
        1 => any::<bool>().prop_map(|on| Command::SelfDevices { devices: conditions(on) }),
        1 => any::<bool>().prop_map(|agreed| Command::FixAnswer { agreed }),
        1 => any::<bool>().prop_map(|worked| Command::FixDone { worked }),
        1 => Just(Command::StepBegin),
        1 => Just(Command::StepTested { score: TestScore::Usable }),
        1 => any::<bool>().prop_map(|skipped| Command::StepIdentified { skipped }),
        1 => Just(Command::StepAcknowledged),
        1 => Just(Command::StepRetest),
        1 => Just(Command::IdentitySubmit),
        2 => Just(Command::ShareStart),
        1 => Just(Command::ShareStop { seat: None }),
        4 => request().prop_map(|request| Command::RequestMake { request }),
        1 => (1u64..200).prop_map(|n| Command::RequestWithdraw { request: RequestId(format!("r{n}")) }),
        3 => words().prop_map(|text| Command::MessageSend { text }),
        2 => (words(), proptest::option::of(any_seat())).prop_map(|(text, to)| Command::HelpAsk { text, to }),
        1 => Just(Command::Leave),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![2 => session_command(), 4 => court_command(), 5 => own_command()]
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![
        6 => Just(Expected::Nothing),
        4 => (0u64..12).prop_map(Expected::Behind),
        1 => Just(Expected::Ahead),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        3 => seat().prop_map(Comes),
        1 => any_seat().prop_map(CodeAccepted),
        4 => any_seat().prop_map(Connects),
        3 => (any_seat(), cause(), 0u64..20_000).prop_map(|(s, c, ago)| Drops(s, c, ago)),
        1 => (any_seat(), cause()).prop_map(|(s, c)| Explains(s, c)),
        1 => any_seat().prop_map(Replaced),
        1 => (any_seat(), select(vec![NetQuality::Good, NetQuality::Bad])).prop_map(|(s, q)| Net(s, q)),
        1 => any::<bool>().prop_map(Recorder),
        3 => (0u64..12_000).prop_map(Time),
        2 => Just(Tick),
        // The court's commands mostly by the court, so that much is carried out.
        12 => (select(vec!["judge", "judge", "clerk"]), expected(), prop_oneof![session_command(), court_command()])
            .prop_map(|(s, e, c)| Command(s.into(), e, c)),
        10 => (seat(), expected(), own_command()).prop_map(|(s, e, c)| Command(s, e, c)),
        4 => (any_seat(), expected(), command()).prop_map(|(s, e, c)| Command(s, e, c)),
        4 => (select(vec!["judge", "clerk"]), 0usize..8, any::<bool>())
            .prop_map(|(s, n, granted)| Decides(s.into(), n, granted)),
        1 => (seat(), 0usize..50, command()).prop_map(|(s, n, c)| Again(s, n, c)),
    ]
}

/// A day: settings, whether it begins in session, and what happens.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    pub(crate) settings: HearingSettings,
    pub(crate) begun: bool,
    pub(crate) happenings: Vec<Happening>,
}

pub(crate) fn day() -> impl Strategy<Value = Day> {
    let settings = (any::<[bool; 7]>()).prop_map(|bits| HearingSettings {
        identity_step: bits[0],
        clerk_assists: bits[1],
        technician_may_suspend: bits[2],
        parties_share_freely: bits[3],
        panel_may_share: bits[4],
        // Mostly there, since the rules about it need a day to unfold.
        recorder: bits[5] || bits[6],
        broadcaster: bits[6],
        ..HearingSettings::default()
    });
    (
        settings,
        proptest::bool::weighted(0.75),
        proptest::collection::vec(happening(), 1..90),
    )
        .prop_map(|(settings, begun, happenings)| Day {
            settings,
            begun,
            happenings,
        })
}

impl Day {
    /// Lets the day happen; `watch` sees the world after each step.
    pub(crate) fn run(&self, with_pages: bool, mut watch: impl FnMut(&World, &Step)) -> World {
        let mut world = World::new(self.settings.clone());
        world.with_pages = with_pages;
        if self.begun {
            world.everybody_comes();
            world.ok("judge", Command::HearingOpen);
            world.ok("judge", Command::HearingStart);
        }
        for happening in &self.happenings {
            for input in inputs(&mut world, happening) {
                let step = world.input(input);
                watch(&world, &step);
            }
        }
        world
    }
}

fn inputs(world: &mut World, happening: &Happening) -> Vec<Input> {
    let command = |world: &mut World, seat: &SeatId, expected, command| Input::Command {
        seat: seat.clone(),
        id: world.fresh_id(),
        expected,
        command,
    };
    match happening.clone() {
        Happening::Comes(seat) => {
            let mut inputs = vec![
                Input::CodeAccepted { seat: seat.clone() },
                Input::Connected {
                    seat: seat.clone(),
                    resumed: false,
                },
            ];
            for step in [
                Command::StepBegin,
                Command::StepTested {
                    score: TestScore::Good,
                },
                Command::StepIdentified { skipped: true },
                Command::StepAcknowledged,
            ] {
                inputs.push(command(world, &seat, None, step));
            }
            inputs
        }
        Happening::CodeAccepted(seat) => vec![Input::CodeAccepted { seat }],
        Happening::Connects(seat) => vec![Input::Connected { seat, resumed: true }],
        Happening::Drops(seat, cause, ago) => {
            vec![Input::Dropped {
                seat,
                since: TimeMs(world.now.0.saturating_sub(ago)),
                cause,
                told: None,
            }]
        }
        Happening::Explains(seat, told) => vec![Input::DropExplained { seat, told }],
        Happening::Replaced(seat) => vec![Input::Replaced { seat }],
        Happening::Net(seat, quality) => vec![Input::Net { seat, quality }],
        Happening::Recorder(true) => vec![Input::RecorderUp],
        Happening::Recorder(false) => vec![Input::RecorderDown],
        Happening::Time(ms) => {
            world.wait(ms);
            Vec::new()
        }
        Happening::Tick => vec![Input::Tick],
        Happening::Command(seat, expected, asked) => {
            let expected = match expected {
                Expected::Nothing => None,
                Expected::Behind(n) => Some(Seq(world.hearing.seq().0.saturating_sub(n))),
                Expected::Ahead => Some(Seq(world.hearing.seq().0 + 1)),
            };
            vec![command(world, &seat, expected, asked)]
        }
        Happening::Decides(seat, n, granted) => {
            let open = world.hearing.snapshot(&"judge".into(), world.now).requests;
            let Some(request) = open.get(n % open.len().max(1)).map(|r| r.id.clone()) else {
                return Vec::new();
            };
            vec![command(
                world,
                &seat,
                None,
                Command::RequestDecide { request, granted },
            )]
        }
        Happening::Again(seat, n, asked) => {
            vec![Input::Command {
                seat,
                id: CommandId(format!("c{n}")),
                expected: None,
                command: asked,
            }]
        }
    }
}

/// The seats and roles as they are now (a hand-over changes roles).
pub(crate) fn people(world: &World) -> Vec<Participant> {
    kit::ids()
        .iter()
        .map(|id| world.hearing.participant(id).expect("a seat of the kit").clone())
        .collect()
}
