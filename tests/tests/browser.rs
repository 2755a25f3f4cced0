//! The real page in Chromium beside a native participant, each judged by what the other receives.

use anyhow::Result;
use protocol::{Command, ParticipantState, Role};
use scenarios::{
    SOON,
    court::{Court, Plan},
    peer::{Peer, built_page},
    player::Cast,
    session::{JUDGE_HZ, PARTY_HZ},
};

async fn a_party_in_chromium(phone: bool) -> Result<()> {
    let court = Court::open(&Plan {
        ui: Some(built_page()),
        ..Plan::default()
    })
    .await?;
    let mut judge = court
        .player(
            Role::PresidingJudge,
            &Cast::tone(JUDGE_HZ).listening_for(PARTY_HZ),
        )
        .await?;
    judge.waits().await?;
    judge.does(&Command::HearingOpen).await?;

    let invited = court.seat(Role::Defendant)?.clone();
    let mut party = Peer::chromium(&court, &invited, PARTY_HZ, JUDGE_HZ, phone)?;
    party
        .wait(SOON * 2, "in the waiting room", |said| {
            (said["name"] == "waiting").then_some(())
        })
        .await?;
    judge
        .sees_standing(0, &invited.seat, "waiting", |state| {
            matches!(state, ParticipantState::Waiting)
        })
        .await?;
    judge.does(&Command::HearingStart).await?;

    let judges_name = court.seat(Role::PresidingJudge)?.name.clone();
    party
        .sees_and_hears(SOON, |said| {
            said["label"]
                .as_str()
                .is_some_and(|label| label.contains(&judges_name))
        })
        .await?;
    judge.sees_moving(0, &invited.seat).await?;
    judge.hears_tone(0, &invited.seat).await?;
    party.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_on_a_computer_sees_hears_and_is_seen_and_heard() -> Result<()> {
    a_party_in_chromium(false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_on_a_phone_sees_hears_and_is_seen_and_heard() -> Result<()> {
    a_party_in_chromium(true).await
}
