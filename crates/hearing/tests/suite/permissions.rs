//! The program's table of who may do what, against the lawyers' one in `permissions.txt`, and both against what the
//! hearing really does.

use crate::kit::{self, World};
use hearing::table::{Kind, permits};
use protocol::*;

struct Line {
    command: String,
    cells: Vec<String>,
    when: Vec<&'static str>,
}

fn lawyers_table() -> Vec<Line> {
    let mut lines = Vec::new();
    for line in include_str!("../permissions.txt").lines() {
        if line.starts_with('#') || line.trim().is_empty() || line.starts_with("command ") {
            continue;
        }
        let mut fields: Vec<String> = line.split('|').map(|f| f.trim().to_owned()).collect();
        assert_eq!(fields.len(), 10, "{line}");
        let when = states(&fields.pop().expect("ten fields"));
        let command = fields.remove(0);
        lines.push(Line {
            command,
            cells: fields,
            when,
        });
    }
    lines
}

fn states(text: &str) -> Vec<&'static str> {
    const BEFORE_THE_END: [&str; 6] = [
        "scheduled",
        "open",
        "in session",
        "recess",
        "suspended",
        "signing",
    ];
    match text {
        "before the end" => BEFORE_THE_END.to_vec(),
        "from opening" => BEFORE_THE_END[1..].to_vec(),
        "from start" => BEFORE_THE_END[2..].to_vec(),
        "live" => vec!["open", "in session", "signing"],
        list => list
            .split(", ")
            .map(|name| {
                let known = BEFORE_THE_END.into_iter().chain(["closed"]).find(|s| *s == name);
                known.unwrap_or_else(|| panic!("{name} is no state"))
            })
            .collect(),
    }
}

fn lawyers_column(role: Role) -> usize {
    match role {
        Role::PresidingJudge => 0,
        Role::PanelMember => 1,
        Role::Clerk | Role::Assistant => 2,
        Role::Technician => 3,
        Role::Plaintiff | Role::Defendant | Role::ThirdParty | Role::Agent => 4,
        Role::Witness | Role::Expert => 5,
        Role::Interpreter => 6,
        Role::Observer => 7,
    }
}

fn all_states() -> Vec<(&'static str, HearingState)> {
    let (phase, reason) = (Phase::Debate, Words::new("x"));
    vec![
        ("scheduled", HearingState::Scheduled),
        ("open", HearingState::Open),
        ("in session", HearingState::InSession { phase }),
        (
            "recess",
            HearingState::Recess {
                phase,
                reason: reason.clone(),
                until: None,
            },
        ),
        (
            "suspended",
            HearingState::Suspended {
                phase,
                cause: SuspendCause::JudgeLost,
            },
        ),
        ("signing", HearingState::Signing { phase }),
        ("closed", HearingState::Closed),
        ("archived", HearingState::Archived),
        (
            "cancelled",
            HearingState::Cancelled {
                reason: reason.clone(),
            },
        ),
        (
            "adjourned",
            HearingState::Adjourned {
                reason: reason.clone(),
            },
        ),
        ("moved", HearingState::MovedOffline { reason }),
    ]
}

fn all_settings() -> Vec<HearingSettings> {
    (0..16u8)
        .map(|bits| HearingSettings {
            clerk_assists: bits & 1 != 0,
            technician_may_suspend: bits & 2 != 0,
            parties_share_freely: bits & 4 != 0,
            panel_may_share: bits & 8 != 0,
            recorder: true,
            broadcaster: true,
            ..HearingSettings::default()
        })
        .collect()
}

/// What the lawyers' table says.
fn expected(
    line: &Line,
    role: Role,
    state: &str,
    settings: &HearingSettings,
    granted: bool,
) -> Result<(), Refusal> {
    let configured = match role {
        Role::Clerk | Role::Assistant => settings.clerk_assists,
        Role::Technician => settings.technician_may_suspend,
        Role::PanelMember => settings.panel_may_share,
        _ => settings.parties_share_freely,
    };
    let party = lawyers_column(role) == 4;
    match line.cells[lawyers_column(role)].as_str() {
        "yes" | "s" | "court" | "over" | "let" => {}
        "c" if configured || (party && granted) => {}
        "c" if party => return Err(Refusal::AskFirst),
        "r" if granted => {}
        "r" => return Err(Refusal::AskFirst),
        "-" | "c" => return Err(Refusal::NotAllowed),
        other => panic!("{other} is no cell"),
    }
    if line.when.contains(&state) {
        Ok(())
    } else {
        Err(Refusal::WrongHearingState)
    }
}

#[test]
fn the_programs_table_is_the_lawyers_table() {
    let lines = lawyers_table();
    assert_eq!(lines.len(), Kind::ALL.len());
    let mut compared = 0;
    for &kind in Kind::ALL {
        let line = lines.iter().find(|l| l.command == kind.name());
        let line = line.unwrap_or_else(|| panic!("the lawyers' table lacks {}", kind.name()));
        for role in Role::ALL {
            for (name, state) in all_states() {
                for settings in all_settings() {
                    for granted in [false, true] {
                        assert_eq!(
                            permits(kind, role, &state, &settings, granted),
                            expected(line, role, name, &settings, granted),
                            "{} by {role:?} in {name}, {settings:?}",
                            kind.name()
                        );
                        compared += 1;
                    }
                }
            }
        }
    }
    assert_eq!(compared, Kind::ALL.len() * 13 * 11 * 16 * 2);
}

#[test]
fn what_may_be_requested_has_a_request_of_its_own() {
    for line in lawyers_table() {
        let request = match line.command.as_str() {
            "hearing.recess" => Kind::RequestRecess,
            "phase.set" => Kind::RequestPhase,
            "floor.give" => Kind::RequestFloor,
            "share.start" => Kind::RequestShare,
            "leave" => Kind::RequestLeave,
            _ => {
                assert!(
                    !line.cells.iter().any(|c| c == "r" || c == "let"),
                    "{} has no request",
                    line.command
                );
                continue;
            }
        };
        for role in Role::ALL {
            let cell = line.cells[lawyers_column(role)].as_str();
            if cell == "r" || cell == "let" {
                let state = HearingState::InSession { phase: Phase::Debate };
                let may = permits(request, role, &state, &HearingSettings::default(), false);
                assert_eq!(may, Ok(()), "{role:?} may ask for {}", line.command);
            }
        }
    }
}

/// One command for each row, about a person to whom it makes sense.
fn sample(kind: Kind) -> Command {
    let words = Words::new("说明");
    let seat = SeatId::from("defendant");
    let own = |request| Command::RequestMake { request };
    match kind {
        Kind::HearingOpen => Command::HearingOpen,
        Kind::HearingStart => Command::HearingStart,
        Kind::HearingRecess => Command::HearingRecess {
            reason: words,
            until: None,
        },
        Kind::HearingResume => Command::HearingResume,
        Kind::HearingSuspend => Command::HearingSuspend { note: words },
        Kind::HearingSign => Command::HearingSign,
        Kind::HearingClose => Command::HearingClose,
        Kind::HearingArchive => Command::HearingArchive,
        Kind::HearingCancel => Command::HearingCancel { reason: words },
        Kind::HearingAdjourn => Command::HearingAdjourn { reason: words },
        Kind::HearingMove => Command::HearingMoveOffline { reason: words },
        Kind::HearingHandOver => Command::HearingHandOver { to: "panel".into() },
        Kind::PhaseSet => Command::PhaseSet {
            phase: Phase::Mediation,
        },
        Kind::FloorGive => Command::FloorGive { seat: Some(seat) },
        Kind::SeatAdmit => Command::SeatAdmit { seat },
        Kind::SeatCallWitness => Command::SeatCallWitness {
            seat: "witness".into(),
        },
        Kind::SeatDismiss => Command::SeatDismiss { seat },
        Kind::SeatIsolate => Command::SeatIsolate { seat, reason: words },
        Kind::SeatRecall => Command::SeatRecall { seat },
        Kind::SeatRemove => Command::SeatRemove { seat, reason: words },
        Kind::MediaLock => Command::MediaLock {
            seat: Some(seat),
            kind: MediaKind::Audio,
        },
        Kind::MediaUnlock => Command::MediaUnlock {
            seat: Some(seat),
            kind: MediaKind::Audio,
        },
        Kind::MediaBlock => Command::MediaBlock {
            seat,
            kind: MediaKind::Video,
        },
        Kind::MediaUnblock => Command::MediaUnblock {
            seat,
            kind: MediaKind::Video,
        },
        Kind::MediaAskUnmute => Command::MediaAskUnmute { seat },
        Kind::SelfMic => Command::SelfMic { on: true },
        Kind::SelfCamera => Command::SelfCamera { on: true },
        Kind::SelfDevices => Command::SelfDevices {
            devices: DeviceConditions {
                camera: DeviceCondition::Fine,
                ..DeviceConditions::default()
            },
        },
        Kind::FixOffer => Command::FixOffer {
            seat,
            fix: Some(DeviceFix::RaiseInput),
        },
        Kind::FixAnswer => Command::FixAnswer { agreed: true },
        Kind::FixDone => Command::FixDone { worked: true },
        Kind::SelfHand => Command::SelfHand { up: true },
        Kind::HandLowerAll => Command::HandLowerAll,
        Kind::StepBegin => Command::StepBegin,
        Kind::StepTested => Command::StepTested {
            score: TestScore::Good,
        },
        Kind::StepIdentified => Command::StepIdentified { skipped: true },
        Kind::StepAcknowledged => Command::StepAcknowledged,
        Kind::StepRetest => Command::StepRetest,
        Kind::IdentityRequest => Command::IdentityRequest { seat },
        Kind::IdentitySubmit => Command::IdentitySubmit,
        Kind::IdentityConfirm => Command::IdentityConfirm { seat, passed: true },
        Kind::IdentityWaive => Command::IdentityWaive { seat },
        Kind::ShareStart => Command::ShareStart,
        Kind::ShareStop => Command::ShareStop { seat: None },
        Kind::ShareStopOther => Command::ShareStop { seat: Some(seat) },
        Kind::RequestFloor => own(Request::Floor),
        Kind::RequestRecess => own(Request::Recess { note: words }),
        Kind::RequestPhase => own(Request::Phase {
            phase: Phase::Mediation,
        }),
        Kind::RequestShare => own(Request::Share),
        Kind::RequestLeave => own(Request::Leave { note: words }),
        Kind::RequestWithdraw => Command::RequestWithdraw { request: "r1".into() },
        Kind::RequestDecide => Command::RequestDecide {
            request: "r1".into(),
            granted: true,
        },
        Kind::MessageSend => Command::MessageSend { text: words },
        Kind::HelpAsk => Command::HelpAsk {
            text: words,
            to: None,
        },
        Kind::HelpAnswer => Command::HelpAsk {
            text: words,
            to: Some(seat),
        },
        Kind::RecordPause => Command::RecordPause {
            reason: PauseReason::Mediation,
        },
        Kind::RecordResume => Command::RecordResume,
        Kind::BroadcastStart => Command::BroadcastStart,
        Kind::BroadcastStop => Command::BroadcastStop,
        Kind::FindingMake => Command::FindingMake {
            seat,
            kind: FindingKind::Absent,
            note: words,
        },
        Kind::Leave => Command::Leave,
    }
}

/// A hearing in each state, with everybody as far in as that state lets them.
fn world_in(state: &str, settings: HearingSettings) -> World {
    let mut world = World::new(settings);
    world.everybody_comes();
    let reason = || Words::new("说明");
    let path: &[&str] = match state {
        "scheduled" => &[],
        "open" => &["open"],
        "in session" => &["open", "start"],
        "recess" => &["open", "start", "recess"],
        "suspended" => &["open", "start", "suspend"],
        "signing" => &["open", "start", "sign"],
        "closed" => &["open", "start", "close"],
        "archived" => &["open", "start", "close", "archive"],
        "cancelled" => &["open", "cancel"],
        "adjourned" => &["open", "start", "adjourn"],
        "moved" => &["open", "start", "move"],
        other => panic!("{other} is no state"),
    };
    for step in path {
        let command = match *step {
            "open" => Command::HearingOpen,
            "start" => Command::HearingStart,
            "recess" => Command::HearingRecess {
                reason: reason(),
                until: None,
            },
            "suspend" => Command::HearingSuspend { note: reason() },
            "sign" => Command::HearingSign,
            "close" => Command::HearingClose,
            "archive" => Command::HearingArchive,
            "cancel" => Command::HearingCancel { reason: reason() },
            "adjourn" => Command::HearingAdjourn { reason: reason() },
            _ => Command::HearingMoveOffline { reason: reason() },
        };
        world.ok("judge", command);
        if *step == "start" {
            world.ok(
                "judge",
                Command::SeatCallWitness {
                    seat: "witness".into(),
                },
            );
            world.ok(
                "judge",
                Command::SeatCallWitness {
                    seat: "expert".into(),
                },
            );
        }
        if *step == "open" {
            for party in [
                "plaintiff",
                "defendant",
                "third",
                "agent",
                "interpreter",
                "observer",
            ] {
                world.ok("judge", Command::SeatAdmit { seat: party.into() });
            }
        }
    }
    world
}

/// What the table forbids, the hearing refuses with the table's reason; what it permits is refused, if at all, for
/// a reason that the table does not know: the people and things it is about.
#[test]
fn the_hearing_keeps_to_the_table() {
    let lines = lawyers_table();
    for (name, _) in all_states() {
        for settings in [all_settings().remove(0), all_settings().remove(15)] {
            let world = world_in(name, settings.clone());
            for &kind in Kind::ALL {
                let line = lines
                    .iter()
                    .find(|l| l.command == kind.name())
                    .expect("compared above");
                for seat in kit::ids() {
                    let role = world
                        .hearing
                        .participant(&seat)
                        .expect("a seat of the kit")
                        .seat
                        .role;
                    let input = hearing::Input::Command {
                        seat: seat.clone(),
                        id: "probe".into(),
                        expected: None,
                        command: sample(kind),
                    };
                    let got = world.hearing.decide(&input, world.now).map(drop);
                    let what = format!("{} by {seat} in {name}", kind.name());
                    match expected(line, role, name, &settings, false) {
                        Err(why) => assert_eq!(got, Err(why), "{what}"),
                        Ok(()) => assert!(
                            !matches!(
                                got,
                                Err(Refusal::NotAllowed | Refusal::AskFirst | Refusal::WrongHearingState)
                            ),
                            "{what}: {got:?}"
                        ),
                    }
                }
            }
        }
    }
}
