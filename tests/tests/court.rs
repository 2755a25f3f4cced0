//! Seats, codes and the server's own life: what is refused, who replaces whom, and what a restart loses.

use anyhow::Result;
use protocol::{
    ByeReason, Command, DeviceCondition, DeviceConditions, DeviceFault, DeviceFix, Event, FixState,
    HostEvent, LinkState, ParticipantState, Role, SeatId,
};
use scenarios::{
    SOON,
    court::{Court, Plan},
    player::{Cast, Player, Said},
    session::Session,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_refused_without_a_hint() -> Result<()> {
    let court = Court::open(&Plan::default()).await?;
    let http = reqwest::Client::new();
    let mut answers = Vec::new();
    // Too short, a wrong check digit, and well formed but nobody's.
    for code in ["1234", "12345678", &unused(&court)] {
        let answer = http
            .post(format!("{}/api/v1/enter", court.url()))
            .json(&serde_json::json!({ "code": code }))
            .send()
            .await?;
        answers.push((answer.status().as_u16(), answer.text().await?));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(answers[0].1.contains("codeNotAccepted"), "{answers:?}");
    Ok(())
}

/// A code with a right check digit that no seat has.
fn unused(court: &Court) -> String {
    (0..)
        .map(|number| protocol::JoinCode::from_number(number).expose())
        .find(|code| court.invited.iter().all(|invited| invited.code != *code))
        .expect("a hearing has fewer seats than there are codes")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_takes_the_seat_and_the_first_is_told() -> Result<()> {
    let session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let elsewhere = tempfile::tempdir()?;
    let invited = session.court.seat(Role::Defendant)?;
    let mut cast = Cast::tone(scenarios::session::PARTY_HZ);
    cast.more.push("--take-over".to_owned());
    let second = Player::enter(&session.court.url(), invited, &cast, elsewhere.path()).await?;
    second.in_court().await?;
    session
        .party
        .wait("told that the seat was taken over", |said| match said {
            Said::Host(event) => match event.as_ref() {
                HostEvent::Link {
                    state:
                        LinkState::Ended {
                            reason: ByeReason::Replaced,
                        },
                } => Some(()),
                _ => None,
            },
            _ => None,
        })
        .await?;
    // What comes from now on can only be the second's.
    let mark = session.judge.mark();
    session.judge.sees_moving(mark, &second.seat).await?;
    session.judge.hears_tone(mark, &second.seat).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_with_everything_it_acknowledged() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    session
        .judge
        .does(&Command::PhaseSet {
            phase: protocol::Phase::Debate,
        })
        .await?;

    let (lost, party_lost) = (session.judge.mark(), session.party.mark());
    session.court.server().kill().await?;
    session
        .judge
        .wait_from(
            lost,
            SOON,
            "the judge is told that the court cannot be reached",
            |said| match said {
                Said::Host(event) => matches!(
                    event.as_ref(),
                    HostEvent::Link {
                        state: LinkState::Retrying { .. }
                    }
                )
                .then_some(()),
                _ => None,
            },
        )
        .await?;
    session.court.serve_again().await?;

    for (player, lost) in [(&session.judge, lost), (&session.party, party_lost)] {
        player
            .wait_from(
                lost,
                SOON,
                "back in the seat, in session, in the same phase",
                |said| {
                    let snapshot = said.snapshot()?;
                    let stands = snapshot
                        .participants
                        .iter()
                        .find(|person| person.seat.id == player.seat)?;
                    let phase = protocol::HearingState::InSession {
                        phase: protocol::Phase::Debate,
                    };
                    // A judge who was gone for longer than the grace time finds the hearing suspended, in the same phase.
                    let held = match &snapshot.state {
                        protocol::HearingState::Suspended { phase, .. } => *phase == protocol::Phase::Debate,
                        state => *state == phase,
                    };
                    (held && matches!(stands.state, ParticipantState::InCourt)).then_some(())
                },
            )
            .await?;
    }
    // Only a suspended hearing takes it; otherwise it is refused and changes nothing.
    session.judge.command(&Command::HearingResume).await?;
    session.media_flows().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_says_goodbye() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    let status = session.court.server().stop().await?;
    assert!(status.success(), "{status}");
    session
        .party
        .wait("told that the server restarts", |said| {
            matches!(
                said.frame()?,
                protocol::ServerFrame::Bye {
                    reason: ByeReason::Restarting
                }
            )
            .then_some(())
        })
        .await
}

/// How somebody's devices are, wherever a participant was told of it.
fn devices(said: &Said, seat: &SeatId) -> Option<DeviceConditions> {
    if let Some(snapshot) = said.snapshot() {
        let mut people = snapshot.participants.iter();
        return people
            .find(|person| person.seat.id == *seat)
            .map(|person| person.devices);
    }
    match said.event()? {
        Event::ParticipantDevices { seat: who, devices } if who == seat => Some(*devices),
        Event::ParticipantShown { participant } if participant.seat.id == *seat => Some(participant.devices),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clerk_sees_that_a_party_has_no_microphone_and_the_other_party_does_not() -> Result<()> {
    let court = Court::open(&Plan::default()).await?;
    let mut judge = court.player(Role::PresidingJudge, &Cast::default()).await?;
    judge.waits().await?;
    judge.does(&Command::HearingOpen).await?;
    let clerk = court.player(Role::Clerk, &Cast::default()).await?;
    let mut other = court.player(Role::Defendant, &Cast::tone(440)).await?;
    let without = Cast {
        audio: "none".into(),
        ..Cast::default()
    };
    let party = court.player(Role::Plaintiff, &without).await?;
    let as_it_is = DeviceConditions {
        camera: DeviceCondition::Fine,
        microphone: DeviceCondition::Failed {
            fault: DeviceFault::Missing,
        },
        speaker: DeviceCondition::Unknown,
    };
    for sees in [&clerk, &party] {
        sees.wait("the party has no microphone", |said| {
            (devices(said, &party.seat)? == as_it_is).then_some(())
        })
        .await?;
    }
    // What the other party was told of it would be there before the answer to this.
    other.waits().await?;
    other.command(&Command::SelfCamera { on: true }).await?;
    let told = other.all_from(0, |said| devices(said, &party.seat));
    assert!(
        told.iter().all(|told| *told == DeviceConditions::default()),
        "{told:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_that_the_clerk_offers_is_agreed_to_and_done() -> Result<()> {
    let court = Court::open(&Plan::default()).await?;
    let mut judge = court.player(Role::PresidingJudge, &Cast::default()).await?;
    judge.waits().await?;
    judge.does(&Command::HearingOpen).await?;
    let mut clerk = court.player(Role::Clerk, &Cast::default()).await?;
    clerk.in_court().await?;
    let mut cast = Cast::tone(440);
    cast.more.push("--agree-fixes".to_owned());
    let mut party = court.player(Role::Defendant, &cast).await?;
    party.waits().await?;

    // Two that open a device again, and one that takes the line down.
    for (fix, end) in [
        (DeviceFix::RestartMicrophone, FixState::Done),
        (DeviceFix::RestartCamera, FixState::Done),
        (DeviceFix::Reconnect, FixState::Done),
    ] {
        let mark = clerk.mark();
        let offer = Command::FixOffer {
            seat: party.seat.clone(),
            fix: Some(fix),
        };
        clerk.does(&offer).await?;
        let mut states = Vec::new();
        clerk
            .wait_from(mark, SOON, &format!("{fix:?} ends"), |said| {
                if let Some(Event::ParticipantFix {
                    seat,
                    fix: Some(offer),
                }) = said.event()
                    && *seat == party.seat
                {
                    states.push(offer.state);
                }
                (states.last() == Some(&end)).then_some(())
            })
            .await?;
        assert_eq!(states, [FixState::Offered, FixState::Agreed, end], "{fix:?}");
    }

    let mark = party.mark();
    party
        .tell(serde_json::json!({ "do": "check", "what": "look" }))
        .await?;
    let found = party
        .wait_from(
            mark,
            SOON,
            "what the camera's pictures are like",
            |said| match said {
                Said::Devices(line) if line["what"] == "look" => Some(line.clone()),
                _ => None,
            },
        )
        .await?;
    assert_eq!(found["found"]["name"], "seen", "{found}");
    Ok(())
}
