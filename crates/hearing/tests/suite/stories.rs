//! Scenes from a day in court, each as its people would tell it.

use crate::kit::World;
use hearing::{Hearing, Input};
use protocol::*;

fn world() -> World {
    World::in_session(HearingSettings {
        recorder: true,
        broadcaster: true,
        ..HearingSettings::default()
    })
}

fn words(text: &str) -> Words {
    Words::new(text)
}

fn seen_by(world: &World, seat: &str) -> Vec<String> {
    let snapshot = world.hearing.snapshot(&seat.into(), world.now);
    snapshot.participants.into_iter().map(|p| p.seat.id.0).collect()
}

#[test]
fn a_party_comes_in_step_by_step() {
    let mut world = World::new(HearingSettings {
        identity_step: true,
        ..HearingSettings::default()
    });
    let seat = SeatId::from("plaintiff");
    world.input(Input::CodeAccepted { seat: seat.clone() });
    world.input(Input::Connected { seat, resumed: false });
    assert_eq!(world.state_of("plaintiff"), ParticipantState::Coded);
    world.refused("plaintiff", Command::StepAcknowledged, Refusal::NotInCourt);
    world.ok("plaintiff", Command::StepBegin);
    world.ok(
        "plaintiff",
        Command::StepTested {
            score: TestScore::Usable,
        },
    );
    assert_eq!(world.state_of("plaintiff"), ParticipantState::Identifying);
    world.ok("plaintiff", Command::StepIdentified { skipped: true });
    world.ok("plaintiff", Command::StepAcknowledged);
    assert_eq!(world.state_of("plaintiff"), ParticipantState::Waiting);
    // A new check leads straight back.
    world.ok("plaintiff", Command::StepRetest);
    world.ok(
        "plaintiff",
        Command::StepTested {
            score: TestScore::Good,
        },
    );
    assert_eq!(world.state_of("plaintiff"), ParticipantState::Waiting);
    assert!(world.hearing.media_rights(&"plaintiff".into()).enter);
    assert!(!world.hearing.media_rights(&"plaintiff".into()).subscribe);
}

#[test]
fn starting_lets_everybody_in_but_the_witnesses() {
    let world = world();
    for seat in [
        "judge",
        "clerk",
        "technician",
        "plaintiff",
        "agent",
        "interpreter",
        "observer",
    ] {
        assert_eq!(world.state_of(seat), ParticipantState::InCourt, "{seat}");
    }
    for seat in ["witness", "expert"] {
        assert_eq!(world.state_of(seat), ParticipantState::WitnessRoom, "{seat}");
    }
    assert!(!seen_by(&world, "plaintiff").contains(&"witness".to_owned()));
    assert!(seen_by(&world, "clerk").contains(&"witness".to_owned()));
    assert_eq!(
        seen_by(&world, "witness"),
        ["judge", "panel", "assistant", "clerk", "technician", "witness"]
    );
}

#[test]
fn who_dropped_while_the_session_started_comes_back_to_the_seat() {
    let mut world = World::new(HearingSettings::default());
    world.everybody_comes();
    world.ok("judge", Command::HearingOpen);
    world.drop_line("defendant", DropCause::Crash);
    world.ok("judge", Command::HearingStart);
    assert!(!world.hearing.media_rights(&"defendant".into()).subscribe);
    world.reconnect("defendant");
    assert_eq!(world.state_of("defendant"), ParticipantState::InCourt);
}

#[test]
fn a_late_party_waits_to_be_admitted() {
    let mut world = World::new(HearingSettings::default());
    for seat in ["judge", "plaintiff"] {
        world.come(&seat.into());
    }
    world.ok("judge", Command::HearingOpen);
    world.ok("judge", Command::HearingStart);
    world.come(&"defendant".into());
    assert_eq!(world.state_of("defendant"), ParticipantState::Waiting);
    world.ok(
        "judge",
        Command::SeatAdmit {
            seat: "defendant".into(),
        },
    );
    assert_eq!(world.state_of("defendant"), ParticipantState::InCourt);
}

#[test]
fn a_witness_is_called_heard_and_gone_again() {
    let mut world = world();
    let called = world.ok(
        "judge",
        Command::SeatCallWitness {
            seat: "witness".into(),
        },
    );
    let plaintiff = SeatId::from("plaintiff");
    let told: Vec<_> = called
        .iter()
        .filter(|e| world.hearing.visible(&plaintiff, e))
        .collect();
    assert!(
        matches!(
            told[..],
            [Envelope {
                event: Event::ParticipantShown { .. },
                ..
            }]
        ),
        "{told:?}"
    );
    world.ok(
        "witness",
        Command::MessageSend {
            text: words("我看见了"),
        },
    );
    // A drop does not bring the witness back into court.
    world.drop_line("witness", DropCause::Crash);
    assert!(!seen_by(&world, "plaintiff").contains(&"witness".to_owned()));
    world.reconnect("witness");
    assert_eq!(world.state_of("witness"), ParticipantState::WitnessRoom);
    world.refused(
        "witness",
        Command::MessageSend {
            text: words("还有")
        },
        Refusal::NotInCourt,
    );
    // Neither does a second device.
    world.ok(
        "judge",
        Command::SeatCallWitness {
            seat: "witness".into(),
        },
    );
    world.input(Input::Replaced {
        seat: "witness".into(),
    });
    assert_eq!(world.state_of("witness"), ParticipantState::WitnessRoom);
    world.ok(
        "judge",
        Command::SeatCallWitness {
            seat: "witness".into(),
        },
    );
    world.ok(
        "clerk",
        Command::SeatDismiss {
            seat: "witness".into(),
        },
    );
    assert_eq!(world.state_of("witness"), ParticipantState::WitnessRoom);
}

#[test]
fn the_isolated_stay_isolated_and_read_nothing_of_it_later() {
    let mut world = world();
    world.ok("plaintiff", Command::SelfMic { on: true });
    assert!(world.hearing.audible(&"plaintiff".into()));
    let events = world.ok(
        "judge",
        Command::SeatIsolate {
            seat: "plaintiff".into(),
            reason: words("隔离质证"),
        },
    );
    assert!(world.hearing.needs_snapshot(&"plaintiff".into(), &events[0]));
    assert!(!world.hearing.audible(&"plaintiff".into()));
    world.drop_line("plaintiff", DropCause::WindowClosed);
    world.ok(
        "defendant",
        Command::MessageSend {
            text: words("这句话不给原告"),
        },
    );
    world.reconnect("plaintiff");
    assert!(matches!(
        world.state_of("plaintiff"),
        ParticipantState::Isolated { .. }
    ));
    world.refused(
        "plaintiff",
        Command::MessageSend { text: words("喂") },
        Refusal::NotInCourt,
    );
    world.ok(
        "plaintiff",
        Command::HelpAsk {
            text: words("还要多久"),
            to: None,
        },
    );
    world.ok(
        "clerk",
        Command::HelpAsk {
            text: words("请稍候"),
            to: Some("plaintiff".into()),
        },
    );
    let log = |world: &World| world.hearing.snapshot(&"plaintiff".into(), world.now).log;
    assert_eq!(
        log(&world)
            .iter()
            .filter(|e| matches!(e.event, Event::Help { .. }))
            .count(),
        2
    );
    world.ok(
        "judge",
        Command::SeatRecall {
            seat: "plaintiff".into(),
        },
    );
    assert_eq!(world.state_of("plaintiff"), ParticipantState::InCourt);
    assert!(
        log(&world)
            .iter()
            .all(|e| !matches!(e.event, Event::Message { .. })),
        "said while isolated"
    );
}

#[test]
fn who_dropped_reads_what_was_missed() {
    let mut world = world();
    world.drop_line("defendant", DropCause::Silence);
    world.ok(
        "plaintiff",
        Command::MessageSend {
            text: words("你方缺席时说的"),
        },
    );
    world.reconnect("defendant");
    let log = world.hearing.snapshot(&"defendant".into(), world.now).log;
    assert!(log.iter().any(|e| matches!(e.event, Event::Message { .. })));
}

#[test]
fn a_drop_explained_later_is_still_a_drop() {
    let mut world = world();
    world.drop_line("plaintiff", DropCause::Silence);
    world.input(Input::DropExplained {
        seat: "plaintiff".into(),
        cause: DropCause::Sleep,
    });
    let ParticipantState::Disconnected { cause, resume, .. } = world.state_of("plaintiff") else {
        panic!("a drop is a drop");
    };
    assert_eq!((cause, *resume), (DropCause::Sleep, ParticipantState::InCourt));
}

#[test]
fn court_mute_wins_and_only_the_owner_opens() {
    let mut world = world();
    world.ok("plaintiff", Command::SelfMic { on: true });
    world.ok(
        "judge",
        Command::MediaLock {
            seat: None,
            kind: MediaKind::Audio,
        },
    );
    assert!(!world.hearing.audible(&"plaintiff".into()));
    assert!(!world.hearing.media_rights(&"plaintiff".into()).publish.mic);
    assert!(
        world.hearing.media_rights(&"clerk".into()).publish.mic,
        "not the court itself"
    );
    world.refused("plaintiff", Command::SelfMic { on: true }, Refusal::LockedByCourt);
    world.refused(
        "judge",
        Command::MediaAskUnmute {
            seat: "plaintiff".into(),
        },
        Refusal::LockedByCourt,
    );
    world.ok(
        "judge",
        Command::MediaUnlock {
            seat: None,
            kind: MediaKind::Audio,
        },
    );
    assert!(
        !world.hearing.audible(&"plaintiff".into()),
        "unlocked is not open"
    );
    world.ok(
        "judge",
        Command::MediaAskUnmute {
            seat: "plaintiff".into(),
        },
    );
    assert!(!world.hearing.audible(&"plaintiff".into()), "asked is not open");
    world.ok("plaintiff", Command::SelfMic { on: true });
    assert!(world.hearing.audible(&"plaintiff".into()));
    world.ok(
        "judge",
        Command::MediaBlock {
            seat: "plaintiff".into(),
            kind: MediaKind::Audio,
        },
    );
    assert!(!world.hearing.audible(&"plaintiff".into()));
    world.refused(
        "clerk",
        Command::MediaLock {
            seat: Some("judge".into()),
            kind: MediaKind::Audio,
        },
        Refusal::WrongTargetState,
    );
    world.refused(
        "clerk",
        Command::MediaLock {
            seat: Some("panel".into()),
            kind: MediaKind::Audio,
        },
        Refusal::WrongTargetState,
    );
    world.ok(
        "judge",
        Command::MediaLock {
            seat: Some("panel".into()),
            kind: MediaKind::Audio,
        },
    );
}

#[test]
fn leaving_in_session_needs_leave() {
    let mut world = world();
    world.refused("plaintiff", Command::Leave, Refusal::NeedsLeave);
    let made = world.ok(
        "plaintiff",
        Command::RequestMake {
            request: Request::Leave {
                note: words("身体不适"),
            },
        },
    );
    let Event::RequestMade { request } = &made[0].event else {
        panic!("{made:?}")
    };
    let request = request.id.clone();
    assert!(
        !world.hearing.visible(&"defendant".into(), &made[0]),
        "between the party and the court"
    );
    world.refused(
        "defendant",
        Command::RequestWithdraw {
            request: request.clone(),
        },
        Refusal::UnknownRequest,
    );
    world.ok(
        "judge",
        Command::RequestDecide {
            request: request.clone(),
            granted: true,
        },
    );
    world.refused(
        "judge",
        Command::RequestDecide {
            request,
            granted: true,
        },
        Refusal::UnknownRequest,
    );
    world.ok("plaintiff", Command::Leave);
    assert_eq!(world.state_of("plaintiff"), ParticipantState::Left);
    assert_eq!(
        world
            .input(Input::Connected {
                seat: "plaintiff".into(),
                resumed: true
            })
            .result,
        Err(Refusal::NotAllowed),
        "an old connection does not undo it"
    );
    // By code the person may come again, and waits.
    world.come(&"plaintiff".into());
    assert_eq!(world.state_of("plaintiff"), ParticipantState::Waiting);
    world.ok("observer", Command::Leave);
}

#[test]
fn the_judge_hands_over_before_leaving() {
    let mut world = world();
    world.refused("judge", Command::Leave, Refusal::NeedsHandOver);
    world.refused(
        "judge",
        Command::HearingHandOver { to: "clerk".into() },
        Refusal::WrongTargetState,
    );
    world.ok("judge", Command::HearingHandOver { to: "panel".into() });
    let panel = world
        .hearing
        .participant(&"panel".into())
        .expect("a seat")
        .seat
        .clone();
    assert_eq!(
        (panel.role, panel.title.as_str()),
        (Role::PresidingJudge, "审判长")
    );
    world.ok("judge", Command::Leave);
    world.ok("panel", Command::PhaseSet { phase: Phase::Debate });
    world.ok("clerk", Command::Leave);
    world.refused("assistant", Command::Leave, Refusal::NeedsHandOver);
}

#[test]
fn a_raised_hand_becomes_the_floor() {
    let mut world = world();
    world.ok("plaintiff", Command::SelfHand { up: true });
    world.refused("plaintiff", Command::SelfHand { up: true }, Refusal::NothingToDo);
    world.ok(
        "judge",
        Command::FloorGive {
            seat: Some("plaintiff".into()),
        },
    );
    let snapshot = world.hearing.snapshot(&"judge".into(), world.now);
    assert_eq!(snapshot.floor.expect("given").seat.0, "plaintiff");
    assert!(snapshot.requests.is_empty());
    assert!(
        !world
            .hearing
            .participant(&"plaintiff".into())
            .expect("a seat")
            .hand
    );
    world.ok(
        "judge",
        Command::SeatIsolate {
            seat: "plaintiff".into(),
            reason: words(""),
        },
    );
    assert_eq!(world.hearing.snapshot(&"judge".into(), world.now).floor, None);
    world.refused("observer", Command::SelfHand { up: true }, Refusal::NotAllowed);
}

#[test]
fn granting_a_recess_begins_it_and_pauses_the_record() {
    let mut world = world();
    world.refused(
        "plaintiff",
        Command::HearingRecess {
            reason: words(""),
            until: None,
        },
        Refusal::AskFirst,
    );
    world.ok("plaintiff", Command::ShareStart);
    let made = world.ok(
        "plaintiff",
        Command::RequestMake {
            request: Request::Recess {
                note: words("与当事人商量"),
            },
        },
    );
    let Event::RequestMade { request } = &made[0].event else {
        panic!("{made:?}")
    };
    world.ok(
        "judge",
        Command::RequestDecide {
            request: request.id.clone(),
            granted: true,
        },
    );
    let snapshot = world.hearing.snapshot(&"plaintiff".into(), world.now);
    assert!(matches!(snapshot.state, HearingState::Recess { .. }));
    let RecordingState::Paused { reason, by, .. } = snapshot.recording else {
        panic!("the record goes on")
    };
    assert_eq!((reason, by), (PauseReason::Recess, Some("judge".into())));
    assert!(snapshot.participants.iter().all(|p| !p.sharing));
    assert!(!world.hearing.media_rights(&"plaintiff".into()).subscribe);
    world.ok("judge", Command::HearingResume);
    assert!(matches!(
        world.hearing.snapshot(&"judge".into(), world.now).recording,
        RecordingState::On { .. }
    ));
}

#[test]
fn a_closed_mediation_stays_unrecorded_over_a_recess_and_a_recorder_failure() {
    let mut world = world();
    world.refused(
        "judge",
        Command::RecordPause {
            reason: PauseReason::Recess,
        },
        Refusal::Invalid,
    );
    world.ok(
        "judge",
        Command::RecordPause {
            reason: PauseReason::Mediation,
        },
    );
    world.ok(
        "judge",
        Command::HearingRecess {
            reason: words("休息"),
            until: None,
        },
    );
    world.ok("judge", Command::HearingResume);
    world.input(Input::RecorderDown);
    world.input(Input::RecorderUp);
    let recording = |world: &World| world.hearing.snapshot(&"judge".into(), world.now).recording;
    assert!(matches!(
        recording(&world),
        RecordingState::Paused {
            reason: PauseReason::Mediation,
            ..
        }
    ));
    world.ok("judge", Command::RecordResume);
    assert!(matches!(recording(&world), RecordingState::On { .. }));
}

#[test]
fn nothing_is_claimed_that_this_server_cannot_do() {
    let mut world = World::in_session(HearingSettings::default());
    assert_eq!(
        world.hearing.snapshot(&"judge".into(), world.now).recording,
        RecordingState::Unavailable
    );
    world.refused(
        "judge",
        Command::RecordPause {
            reason: PauseReason::Mediation,
        },
        Refusal::Unavailable,
    );
    world.refused("judge", Command::BroadcastStart, Refusal::Unavailable);
}

#[test]
fn a_share_is_asked_for_granted_once_and_stopped_by_the_court() {
    let settings = HearingSettings {
        parties_share_freely: false,
        ..HearingSettings::default()
    };
    let mut world = World::in_session(settings);
    world.refused("plaintiff", Command::ShareStart, Refusal::AskFirst);
    let made = world.ok(
        "plaintiff",
        Command::RequestMake {
            request: Request::Share,
        },
    );
    let Event::RequestMade { request } = &made[0].event else {
        panic!("{made:?}")
    };
    world.ok(
        "clerk",
        Command::RequestDecide {
            request: request.id.clone(),
            granted: true,
        },
    );
    world.ok("plaintiff", Command::ShareStart);
    assert!(world.hearing.media_rights(&"plaintiff".into()).publish.screen);
    world.ok(
        "clerk",
        Command::ShareStop {
            seat: Some("plaintiff".into()),
        },
    );
    assert!(!world.hearing.media_rights(&"plaintiff".into()).publish.screen);
    world.refused("plaintiff", Command::ShareStart, Refusal::AskFirst);
    // The court's share takes the place of another.
    world.ok("clerk", Command::ShareStart);
    world.ok("judge", Command::ShareStart);
    assert!(
        !world
            .hearing
            .participant(&"clerk".into())
            .expect("a seat")
            .sharing
    );
}

#[test]
fn a_decision_on_old_news_is_refused_as_stale() {
    let mut world = world();
    let seen = world.hearing.seq();
    let isolate = |world: &mut World, expected| {
        let (id, seat) = (world.fresh_id(), SeatId::from("judge"));
        let command = Command::SeatIsolate {
            seat: "plaintiff".into(),
            reason: words(""),
        };
        world
            .input(Input::Command {
                seat,
                id,
                expected: Some(expected),
                command,
            })
            .result
            .map(drop)
    };
    world.ok("defendant", Command::SelfHand { up: true });
    world.drop_line("defendant", DropCause::Silence);
    world.drop_line("plaintiff", DropCause::Silence);
    assert_eq!(isolate(&mut world, seen), Err(Refusal::Stale), "the person moved");
    let seen = world.hearing.seq();
    world.ok(
        "clerk",
        Command::MessageSend {
            text: words("请稍候"),
        },
    );
    assert_eq!(
        isolate(&mut world, seen),
        Ok(()),
        "others' business does not overturn it"
    );
    let seen = world.hearing.seq();
    world.ok("judge", Command::PhaseSet { phase: Phase::Debate });
    assert_eq!(
        isolate(&mut world, seen),
        Err(Refusal::Stale),
        "the hearing moved"
    );
    assert_eq!(isolate(&mut world, Seq(u64::MAX)), Err(Refusal::Invalid));
}

#[test]
fn a_command_sent_twice_is_carried_out_once() {
    let mut world = world();
    let input = |seat: &str, text: &str| Input::Command {
        seat: seat.into(),
        id: "once".into(),
        expected: None,
        command: Command::MessageSend { text: words(text) },
    };
    let first = world
        .input(input("plaintiff", "一次"))
        .result
        .expect("carried out");
    assert_eq!(world.hearing.outcome_of(&"once".into()), Some(first[0].seq));
    assert_eq!(world.input(input("plaintiff", "一次")).result, Ok(Vec::new()));
    assert_eq!(
        world.input(input("defendant", "一次")).result,
        Err(Refusal::CommandIdReused)
    );
    // The table of ids comes back with the log.
    let mut again = Hearing::scheduled(world.hearing.setup().clone());
    world.log.iter().for_each(|e| again.apply(e));
    assert_eq!(
        again.decide(&input("plaintiff", "一次"), world.now),
        Ok(Vec::new())
    );
}

#[test]
fn who_was_removed_stays_out() {
    let mut world = world();
    world.ok(
        "judge",
        Command::SeatRemove {
            seat: "observer".into(),
            reason: words("扰乱法庭秩序"),
        },
    );
    for input in [
        Input::Connected {
            seat: "observer".into(),
            resumed: true,
        },
        Input::CodeAccepted {
            seat: "observer".into(),
        },
    ] {
        assert_eq!(world.input(input).result, Err(Refusal::NotAllowed));
    }
    assert_eq!(
        world.hearing.media_rights(&"observer".into()),
        hearing::MediaRights::default()
    );
    world.refused(
        "judge",
        Command::SeatRemove {
            seat: "clerk".into(),
            reason: words(""),
        },
        Refusal::WrongTargetState,
    );
}

#[test]
fn the_waiting_room_shows_who_is_ready_and_no_more() {
    let mut world = World::new(HearingSettings::default());
    world.come(&"plaintiff".into());
    world.input(Input::CodeAccepted {
        seat: "defendant".into(),
    });
    world.come(&"witness".into());
    let seen = world.hearing.snapshot(&"plaintiff".into(), world.now);
    let state = |id: &str| {
        seen.participants
            .iter()
            .find(|p| p.seat.id.0 == id)
            .map(|p| p.state.clone())
    };
    assert_eq!(state("defendant"), Some(ParticipantState::Coded));
    assert_eq!(state("agent"), Some(ParticipantState::Invited));
    assert_eq!(state("witness"), None);
}

#[test]
fn closing_ends_everything_that_runs() {
    let mut world = world();
    world.ok("judge", Command::BroadcastStart);
    world.ok("plaintiff", Command::SelfHand { up: true });
    world.ok("defendant", Command::ShareStart);
    world.ok(
        "judge",
        Command::FloorGive {
            seat: Some("defendant".into()),
        },
    );
    world.ok("judge", Command::HearingClose);
    let end = world.hearing.snapshot(&"judge".into(), world.now);
    assert_eq!(
        (end.floor, end.requests.len(), end.broadcasting),
        (None, 0, false)
    );
    assert_eq!(end.recording, RecordingState::Off);
    assert!(end.participants.iter().all(|p| !p.hand && !p.sharing));
    world.refused("judge", Command::HearingResume, Refusal::WrongHearingState);
    world.ok("clerk", Command::HearingArchive);
}

#[test]
fn words_have_limits() {
    let mut world = world();
    for text in ["", "  \n", "a\u{0}", &"字".repeat(MESSAGE_LIMIT + 1)] {
        world.refused(
            "plaintiff",
            Command::MessageSend { text: words(text) },
            Refusal::Invalid,
        );
    }
    world.ok(
        "plaintiff",
        Command::MessageSend {
            text: words(&"字".repeat(MESSAGE_LIMIT)),
        },
    );
    let reason = words(&"字".repeat(REASON_LIMIT + 1));
    world.refused("judge", Command::HearingAdjourn { reason }, Refusal::Invalid);
}
