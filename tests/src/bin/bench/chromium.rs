//! Chromium with livekit-client in the measured seat: `tests/e2e/bench`, driven by lines.

use crate::hearing::{Hearing, on_the_measured_core};
use anyhow::{Context, Result, bail};
use scenarios::{SOON, court::Invited, process::Process, webdriver::Display, within};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tokio::process::Command;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/bench")
}

/// Lays out the peer's page where the court's server serves it: one origin, as the real page has.
pub(crate) fn page(folder: &Path) -> Result<()> {
    let copy = |from: PathBuf, to: &str| {
        std::fs::copy(&from, folder.join(to)).with_context(|| format!("cannot copy {}", from.display()))
    };
    copy(here().join("page.html"), "index.html")?;
    copy(here().join("page.css"), "page.css")?;
    copy(here().join("page.js"), "page.js")?;
    copy(
        here().join("../../../ui/node_modules/livekit-client/dist/livekit-client.umd.js"),
        "livekit-client.js",
    )?;
    Ok(())
}

/// Sums over everything that it receives, so far.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Received {
    /// Remote pictures on the page.
    pub(crate) videos: usize,
    /// Frames of them that were presented.
    pub(crate) frames: u64,
    /// Time in which pictures stood still, the one that lasts included.
    pub(crate) freeze_ms: f64,
    /// The longest such time.
    pub(crate) longest_freeze_ms: f64,
    /// Sound that was played, of the loudest track.
    pub(crate) audio_ms: f64,
    /// Of it, made up for what did not arrive.
    pub(crate) concealed_ms: f64,
}

/// A browser that runs.
pub(crate) struct Chromium {
    process: Process,
    /// The browser's own process; everything of it is below.
    pub(crate) pid: u32,
}

impl Chromium {
    /// Starts the browser and loads the page; in a window when there is a display.
    pub(crate) async fn start(url: &str, display: Option<&str>, folder: &Path) -> Result<Self> {
        let (first, rest) = on_the_measured_core(Path::new("/usr/bin/env"));
        let mut command = Command::new(first);
        command
            .args(rest)
            .args(["node"])
            .arg(here().join("chromium.mjs"))
            .args(["--url", url]);
        if let Some(display) = display {
            command.arg("--window").env("DISPLAY", display);
        }
        let process = Process::start("Chromium", &mut command, &folder.join("chromium.log"))?;
        let mut this = Self { process, pid: 0 };
        let ready = this.answer("the page is loaded").await?;
        this.pid = ready["pid"].as_u64().context("the browser has a process id")? as u32;
        Ok(this)
    }

    /// Calls a function of the page and gives what it gives.
    pub(crate) async fn call(&mut self, function: &str, with: &Value) -> Result<Value> {
        let line = json!({ "call": function, "with": with });
        self.process.tell(&line.to_string()).await?;
        self.answer(function).await
    }

    async fn answer(&mut self, what: &str) -> Result<Value> {
        let line = within(SOON * 2, &format!("Chromium: {what}"), self.process.line())
            .await
            .with_context(|| self.process.log_end())?;
        let said: Value = serde_json::from_str(&line).context("the browser's driver prints JSON")?;
        if let Some(error) = said["error"].as_str() {
            bail!("Chromium: {what}: {error}");
        }
        Ok(said["value"].clone())
    }

    /// A browser in a window of `display`, in court in the measured seat, sending its own picture and sound.
    pub(crate) async fn in_court(hearing: &mut Hearing, display: &Display) -> Result<Self> {
        let folder = hearing.court.folder();
        let mut browser = Self::start(&hearing.court.url(), Some(&display.name), folder).await?;
        browser.take_seat(&hearing.measured).await?;
        hearing.admit().await?;
        browser.call("publish", &Value::Null).await?;
        Ok(browser)
    }

    /// Takes the seat and goes to the waiting room.
    pub(crate) async fn take_seat(&mut self, invited: &Invited) -> Result<()> {
        let with = json!({ "code": invited.code, "name": invited.name });
        self.call("takeSeat", &with).await.map(|_| ())
    }

    /// What it receives so far.
    pub(crate) async fn received(&mut self) -> Result<Received> {
        let said = self.call("received", &Value::Null).await?;
        serde_json::from_value(said).context("the page counts what it receives")
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) -> Result<()> {
        // The end of its input is the sign.
        self.process.stdin = None;
        self.process.ended(SOON).await.map(|_| ())
    }
}
