//! The Windows participant under Wine in a hearing of the Linux server, for ten seconds, judged from both sides.

use anyhow::{Context, Result, ensure};
use protocol::{Command, ParticipantState, Role};
use scenarios::{
    SOON,
    court::{Court, Plan},
    player::{Cast, Player, Said, Seen},
    session::{JUDGE_HZ, PARTY_HZ},
    skip, within,
};
use std::{ffi::OsStr, path::Path, path::PathBuf, time::Duration};
use tokio::process;

/// How long the hearing is watched, by the clock in the pictures.
const WATCHED_MS: u32 = 10_000;
/// Fewer pictures in that time are not a moving picture. The source makes 25 a second; Wine on a busy machine keeps up
/// with most of them.
const LEAST_FRAMES: u64 = 100;
/// Wine makes the folder that stands for a Windows machine anew: a quarter of a minute of one core.
const WINE_SETS_UP: Duration = Duration::from_secs(180);

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
    let machine = tempfile::tempdir()?;
    within(WINE_SETS_UP, "Wine sets up", async {
        let ended = wine(machine.path(), "wineboot").arg("--init").status().await?;
        ensure!(ended.success(), "`wine wineboot --init` ended with {ended}");
        Ok(())
    })
    .await?;

    let court = Court::open(&Plan::default()).await?;
    let mut judge = court
        .player(
            Role::PresidingJudge,
            &Cast::tone(JUDGE_HZ).listening_for(PARTY_HZ),
        )
        .await?;
    judge.waits().await?;
    judge.does(&Command::HearingOpen).await?;
    let invited = court.seat(Role::Defendant)?;
    let cast = Cast::tone(PARTY_HZ).listening_for(JUDGE_HZ);
    let party = Player::enter_by(
        wine(machine.path(), exe),
        &court.url(),
        invited,
        &cast,
        court.folder(),
    )?;
    judge
        .sees_standing(0, &party.seat, "waiting", |state| {
            matches!(state, ParticipantState::Waiting)
        })
        .await?;
    judge.does(&Command::HearingStart).await?;

    // Two pictures of each other, then all those of the next ten seconds, then the sound that is there at their end.
    let (at_judge, at_party) = tokio::try_join!(
        judge.sees_moving(0, &party.seat),
        party.sees_moving(0, &judge.seat),
    )?;
    let (by_judge, by_party) = tokio::try_join!(watches(&judge, &at_judge), watches(&party, &at_party))?;
    for (who, frames) in [("the judge", by_judge), ("the Windows participant", by_party)] {
        ensure!(
            frames >= LEAST_FRAMES,
            "{who} got {frames} pictures in {WATCHED_MS} ms"
        );
    }
    let (judge_mark, party_mark) = (judge.mark(), party.mark());
    tokio::try_join!(
        judge.hears_tone(judge_mark, &party.seat),
        party.hears_tone(party_mark, &judge.seat),
    )?;
    let report = party.leave().await?;
    report["join_ms"]
        .as_u64()
        .context("the report says when it had joined")?;
    Ok(())
}

/// A Windows program in the machine kept in `folder`: without a display, and with nothing that reaches out of that folder.
fn wine(folder: &Path, program: impl AsRef<OsStr>) -> process::Command {
    let mut command = process::Command::new("wine");
    command
        .arg(program)
        .env("WINEPREFIX", folder)
        .env("WINEDEBUG", "-all")
        // Neither .NET, nor a browser engine, nor desktop entries.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml,winemenubuilder.exe=")
        .env_remove("DISPLAY");
    command
}

/// The pictures that come within [`WATCHED_MS`] after `first`, by the clock in them.
async fn watches(player: &Player, first: &Seen) -> Result<u64> {
    let begun = first.stamp.context("a moving picture has a clock")?;
    player
        .wait_from(0, SOON, "ten seconds of pictures", |said| match said {
            Said::Seen(seen) if seen.seat == first.seat && seen.frames > first.frames => {
                let passed = seen.stamp?.clock_ms.wrapping_sub(begun.clock_ms);
                (passed >= WATCHED_MS).then_some(seen.frames - first.frames)
            }
            _ => None,
        })
        .await
}
