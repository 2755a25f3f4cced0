//! Coming, going, being sent in and out.

use super::{seen_by, words, world};
use crate::kit::World;
use hearing::Input;
use protocol::*;

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
fn a_drop_explained_later_is_still_a_drop_and_what_was_seen_of_it_stands() {
    let mut world = world();
    world.drop_line("plaintiff", DropCause::Silence);
    // The first word stands, as what was seen does.
    for told in [DropCause::Sleep, DropCause::Crash] {
        world.input(Input::DropExplained {
            seat: "plaintiff".into(),
            told,
        });
        let ParticipantState::Disconnected {
            cause, told, resume, ..
        } = world.state_of("plaintiff")
        else {
            panic!("a drop is a drop");
        };
        assert_eq!(cause, DropCause::Silence);
        assert_eq!(told, Some(DropCause::Sleep));
        assert_eq!(*resume, ParticipantState::InCourt);
    }
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
