//! `join`: from the code to the first picture of somebody else. Both sides take the same way: code, seat, hearing channel,
//! media room. Ours is the crate `client` without a window, so that no person's clicks are in it; its picture counts when
//! it is decoded, the browser's when it is presented.

use crate::{
    CHROMIUM, OURS, chromium,
    chromium::Chromium,
    hearing::{Hearing, Others, participant},
    percentile, say,
};
use anyhow::{Context, Result};
use protocol::{Role, ServerFrame};
use scenarios::player::{Cast, Player, Said};
use serde_json::{Value, json};

/// Joins of each side in a round.
const JOINS: usize = 10;

pub(crate) async fn run(rounds: usize) -> Result<()> {
    for round in 1..=rounds {
        let folder = tempfile::tempdir()?;
        chromium::page(folder.path())?;
        let court = Hearing::court(None, folder.path()).await?;
        // A clerk needs nobody to be let in.
        let hearing = Hearing::assemble(court, Others::Judge, Role::Clerk, "silence").await?;
        say(OURS, round, ours(&hearing).await?);
        say(CHROMIUM, round, chromium(&hearing).await?);
    }
    Ok(())
}

fn figures(joins: &[f64]) -> Value {
    json!({ "p50Ms": percentile(joins, 0.5), "p95Ms": percentile(joins, 0.95), "joins": joins })
}

async fn ours(hearing: &Hearing) -> Result<Value> {
    let mut joins = Vec::new();
    for _ in 0..JOINS {
        let cast = Cast {
            more: vec!["--take-over".into()],
            ..Cast::default()
        };
        let (url, folder) = (hearing.court.url(), hearing.court.folder());
        let clerk = Player::enter_by(participant(), &url, &hearing.measured, &cast, folder)?;
        clerk
            .wait("a picture of the judge", |said| match said {
                Said::Seen(seen) => (seen.seat == hearing.judge.seat && seen.frames > 0).then_some(()),
                _ => None,
            })
            .await?;
        let welcomed = clerk.all_from(0, |said| {
            matches!(said.frame()?, ServerFrame::Welcome { .. }).then_some(())
        });
        anyhow::ensure!(
            welcomed.len() == 1,
            "the participant lost its way while it joined"
        );
        let report = clerk.leave().await?;
        joins.push(
            report["first_video_ms"]
                .as_f64()
                .context("the report has the first picture")?,
        );
    }
    Ok(figures(&joins))
}

async fn chromium(hearing: &Hearing) -> Result<Value> {
    let mut browser = Chromium::start(&hearing.court.url(), None, hearing.court.folder()).await?;
    let invited = json!({ "code": hearing.measured.code, "name": hearing.measured.name });
    let mut joins = Vec::new();
    // The first is not counted: a browser that has just been started has never opened a connection.
    for at in 0..=JOINS {
        let took = browser.call("join", &invited).await?.as_f64();
        if at > 0 {
            joins.push(took.context("the page measures")?);
        }
        browser.call("leave", &Value::Null).await?;
        browser.call("reload", &Value::Null).await?;
    }
    browser.stop().await?;
    Ok(figures(&joins))
}
