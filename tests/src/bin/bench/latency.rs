//! `latency`: from the judge's camera to the glass of the measured one. The clock is burned in when the picture is
//! captured, and read from the screen's frame buffer. Both sides show the picture at 640x360 and send their own.

use crate::{
    CHROMIUM, OURS, chromium,
    chromium::Chromium,
    client,
    glass::Glass,
    hearing::{Hearing, Others, SETTLE},
    percentile, say,
};
use anyhow::{Context, Result};
use protocol::Role;
use scenarios::{SOON, desk, webdriver::Display, within};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

/// Length of the measured window.
const WINDOW: Duration = Duration::from_secs(8);
/// How large the picture is on the glass.
const SIZE: (usize, usize) = (640, 360);

/// Puts the one remote picture into the corner of the window, with nothing over it.
const ALONE: &str = "
    const box = document.querySelector('.video:not(.mirrored)');
    if (!box?.querySelector('.picture')) return false;
    document.body.append(box);
    box.style.cssText = 'position: fixed; left: 0; top: 0; width: 640px; height: 360px; z-index: 99999; overflow: hidden';
    box.querySelector('.picture').style.cssText = 'display: block; width: 640px; height: 360px; object-fit: fill';
    return true;";

pub(crate) async fn run(rounds: usize) -> Result<()> {
    for round in 1..=rounds {
        say(OURS, round, ours().await?);
        say(CHROMIUM, round, chromium().await?);
    }
    Ok(())
}

async fn hearing(folder: &Path) -> Result<Hearing> {
    chromium::page(folder)?;
    let court = Hearing::court(None, folder).await?;
    Hearing::assemble(court, Others::Judge, Role::Defendant, "silence").await
}

async fn ours() -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut hearing = hearing(folder.path()).await?;
    let (display, window) = client::window(&hearing).await?;
    desk::walk_to_waiting(&window, &hearing.measured).await?;
    hearing.admit().await?;
    window.run_until("the judge's picture", ALONE).await?;
    hearing.warm_up().await?;
    let mut figures = measure(&display).await?;
    let size = "const one = document.querySelector('body > .video > .picture'); return `${one.width}x${one.height}`;";
    figures["picture"] = window.run(size).await?;
    window.close().await?;
    Ok(figures)
}

async fn chromium() -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut hearing = hearing(folder.path()).await?;
    let display = Display::open(hearing.court.folder()).await?;
    let mut browser = Chromium::in_court(&mut hearing, &display).await?;
    within(SOON, "the judge's picture", async {
        while browser.received().await?.frames == 0 {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await?;
    browser.call("alone", &Value::Null).await?;
    hearing.warm_up().await?;
    let mut figures = measure(&display).await?;
    figures["picture"] = browser.call("sizes", &Value::Null).await?;
    browser.stop().await?;
    Ok(figures)
}

async fn measure(display: &Display) -> Result<Value> {
    tokio::time::sleep(SETTLE).await;
    let frame_buffer = display.frame_buffer.clone();
    let ages = tokio::task::spawn_blocking(move || {
        let mut glass = Glass::open(&frame_buffer, SIZE)?;
        for _ in 0..20 {
            if glass.find()? {
                return glass.watch(WINDOW);
            }
        }
        anyhow::bail!("no clock is on the glass")
    })
    .await
    .context("the watcher of the glass runs to its end")??;
    Ok(json!({
        "p50Ms": percentile(&ages, 0.5),
        "p95Ms": percentile(&ages, 0.95),
        "frames": ages.len(),
    }))
}
