//! The Windows participant under Wine in a hearing of the Linux server, for ten seconds, judged from both sides.

use anyhow::Result;
use protocol::{Command, ParticipantState, Role};
use scenarios::{
    court::{Court, Plan},
    player::{Cast, Player},
    session::{JUDGE_HZ, PARTY_HZ},
    skip,
};
use std::path::PathBuf;

/// How long the hearing is watched.
const SECONDS: u64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn the_windows_participant_sees_hears_and_is_seen_and_heard() -> Result<()> {
    let built = std::env::var_os("MINGTING_WINDOWS_BIN").map(PathBuf::from);
    let Some(exe) = built
        .map(|folder| folder.join("mingting-participant.exe"))
        .filter(|exe| exe.exists())
    else {
        skip("no Windows programs; `cargo xtask check windows` builds them");
        return Ok(());
    };
    let court = Court::open(&Plan::default()).await?;
    let mut judge = court
        .player(
            Role::PresidingJudge,
            &Cast::tone(JUDGE_HZ).listening_for(PARTY_HZ),
        )
        .await?;
    judge.waits().await?;
    judge.does(&Command::HearingOpen).await?;

    let mut wine = tokio::process::Command::new("wine");
    wine.arg(exe)
        .env("WINEPREFIX", court.folder().join("wine"))
        .env("WINEDEBUG", "-all")
        // No display and no desktop entries are wanted.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml,winemenubuilder.exe=")
        .env_remove("DISPLAY");
    let invited = court.seat(Role::Defendant)?;
    let cast = Cast::tone(PARTY_HZ).listening_for(JUDGE_HZ);
    let party = Player::enter_by(wine, &court.url(), invited, &cast, court.folder())?;
    judge
        .sees_standing(0, &party.seat, "waiting", |state| {
            matches!(state, ParticipantState::Waiting)
        })
        .await?;
    judge.does(&Command::HearingStart).await?;

    let first = party.sees_moving(0, &judge.seat).await?;
    judge.sees_moving(0, &party.seat).await?;
    judge.hears_tone(0, &party.seat).await?;
    party.hears_tone(0, &judge.seat).await?;
    // The clock in the judge's picture says when ten seconds have passed.
    let limit = scenarios::SOON;
    let last = party
        .wait_from(
            party.mark(),
            limit,
            "ten seconds of pictures",
            |said| match said {
                scenarios::player::Said::Seen(seen) if seen.seat == judge.seat => {
                    let (now, then) = (seen.stamp?.clock_ms, first.stamp?.clock_ms);
                    (u64::from(now.wrapping_sub(then)) >= SECONDS * 1000).then_some(seen.frames)
                }
                _ => None,
            },
        )
        .await?;
    assert!(
        last >= first.frames + SECONDS * 5,
        "few pictures came: {} to {last}",
        first.frames
    );
    Ok(())
}
