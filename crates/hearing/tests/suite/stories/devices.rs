//! What is told of people's devices, and 一键修复.

use super::world;
use crate::kit::World;
use hearing::Input;
use protocol::*;

const SILENT: DeviceConditions = DeviceConditions {
    camera: DeviceCondition::Fine,
    microphone: DeviceCondition::Silent,
    speaker: DeviceCondition::Fine,
};

fn shown(world: &World, of: &str, to: &str) -> Participant {
    let snapshot = world.hearing.snapshot(&to.into(), world.now);
    let found = snapshot.participants.into_iter().find(|p| p.seat.id.0 == of);
    found.unwrap_or_else(|| panic!("{to} sees {of}"))
}

fn offer(seat: &str, fix: DeviceFix) -> Command {
    Command::FixOffer {
        seat: seat.into(),
        fix: Some(fix),
    }
}

fn fix_of(world: &World, seat: &str) -> Option<(DeviceFix, FixState)> {
    shown(world, seat, seat).fix.map(|offer| (offer.fix, offer.state))
}

#[test]
fn the_court_sees_how_a_partys_devices_are_and_the_other_party_does_not() {
    let mut world = world();
    world.ok("plaintiff", Command::SelfDevices { devices: SILENT });
    world.refused(
        "plaintiff",
        Command::SelfDevices { devices: SILENT },
        Refusal::NothingToDo,
    );
    for (viewer, sees) in [
        ("clerk", SILENT),
        ("judge", SILENT),
        ("technician", SILENT),
        ("plaintiff", SILENT),
        ("defendant", DeviceConditions::default()),
        ("observer", DeviceConditions::default()),
    ] {
        assert_eq!(shown(&world, "plaintiff", viewer).devices, sees, "{viewer}");
    }
    let told = world.hearing.snapshot(&"clerk".into(), world.now).log;
    assert!(
        !told
            .iter()
            .any(|entry| matches!(entry.event, Event::ParticipantDevices { .. }))
    );
}

#[test]
fn nothing_is_put_right_before_the_person_agrees() {
    let mut world = world();
    world.refused(
        "plaintiff",
        Command::FixAnswer { agreed: true },
        Refusal::NothingToDo,
    );
    world.ok("clerk", offer("plaintiff", DeviceFix::RaiseInput));
    assert_eq!(shown(&world, "plaintiff", "defendant").fix, None);
    world.refused(
        "plaintiff",
        Command::FixDone { worked: true },
        Refusal::NothingToDo,
    );
    world.ok("plaintiff", Command::FixAnswer { agreed: true });
    // It is being done: another offer would leave its outcome without a question.
    world.refused(
        "clerk",
        offer("plaintiff", DeviceFix::Reconnect),
        Refusal::WrongTargetState,
    );
    world.ok("plaintiff", Command::FixDone { worked: true });
    assert_eq!(
        fix_of(&world, "plaintiff"),
        Some((DeviceFix::RaiseInput, FixState::Done))
    );
    world.ok("clerk", offer("plaintiff", DeviceFix::NextMicrophone));
    world.ok("plaintiff", Command::FixAnswer { agreed: false });
    world.refused(
        "plaintiff",
        Command::FixDone { worked: true },
        Refusal::NothingToDo,
    );
    assert_eq!(
        fix_of(&world, "plaintiff"),
        Some((DeviceFix::NextMicrophone, FixState::Declined))
    );
}

#[test]
fn an_offer_can_be_changed_and_taken_back_until_it_is_answered() {
    let mut world = world();
    let back = || Command::FixOffer {
        seat: "plaintiff".into(),
        fix: None,
    };
    world.refused("clerk", back(), Refusal::NothingToDo);
    world.ok("clerk", offer("plaintiff", DeviceFix::RestartCamera));
    world.ok("judge", offer("plaintiff", DeviceFix::NextCamera));
    assert_eq!(
        fix_of(&world, "plaintiff"),
        Some((DeviceFix::NextCamera, FixState::Offered))
    );
    world.ok("clerk", back());
    assert_eq!(fix_of(&world, "plaintiff"), None);
    world.refused(
        "clerk",
        offer("clerk", DeviceFix::NextCamera),
        Refusal::WrongTargetState,
    );
    world.refused(
        "plaintiff",
        offer("defendant", DeviceFix::NextCamera),
        Refusal::NotAllowed,
    );
}

/// To connect again is one of the things that can be agreed to.
#[test]
fn what_was_agreed_to_outlasts_a_drop() {
    let mut world = world();
    world.ok("clerk", offer("plaintiff", DeviceFix::Reconnect));
    world.ok("plaintiff", Command::FixAnswer { agreed: true });
    world.drop_line("plaintiff", DropCause::ConnectionReset);
    world.refused(
        "clerk",
        offer("plaintiff", DeviceFix::Reconnect),
        Refusal::WrongTargetState,
    );
    world.reconnect("plaintiff");
    world.ok("plaintiff", Command::FixDone { worked: true });
    assert_eq!(
        fix_of(&world, "plaintiff"),
        Some((DeviceFix::Reconnect, FixState::Done))
    );
}

/// A program that crashed never says how it went.
#[test]
fn what_was_agreed_to_and_never_done_does_not_stand_in_the_way_for_ever() {
    let mut world = world();
    world.ok("clerk", offer("plaintiff", DeviceFix::RestartCamera));
    world.ok("plaintiff", Command::FixAnswer { agreed: true });
    world.wait(59_999);
    world.refused(
        "clerk",
        offer("plaintiff", DeviceFix::NextCamera),
        Refusal::WrongTargetState,
    );
    world.wait(1);
    world.ok("clerk", offer("plaintiff", DeviceFix::NextCamera));
    world.refused(
        "plaintiff",
        Command::FixDone { worked: true },
        Refusal::NothingToDo,
    );
}

#[test]
fn a_report_that_came_changes_the_score_and_nothing_else() {
    let mut world = world();
    let before = world.state_of("plaintiff");
    world.input(Input::Tested {
        seat: "plaintiff".into(),
        score: TestScore::Usable,
    });
    assert_eq!(shown(&world, "plaintiff", "clerk").test, TestScore::Usable);
    assert_eq!(shown(&world, "plaintiff", "defendant").test, TestScore::Unknown);
    assert_eq!(world.state_of("plaintiff"), before);
}
