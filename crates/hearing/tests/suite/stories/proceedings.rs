//! What happens in the courtroom.

use super::{words, world};
use crate::kit::World;
use hearing::{Hearing, Input};
use protocol::*;

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
