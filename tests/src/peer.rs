//! Other people's programs as participants: libwebrtc by the Python package `livekit`, and Chromium with the real page. Each
//! says JSON lines, as our own participant does.

use crate::{
    SOON,
    court::{Court, Invited},
    process::Process,
    skip,
};
use anyhow::{Context, Result, bail};
use protocol::Role;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// The Python that has the package `livekit`, if it was set up.
pub fn python() -> Option<PathBuf> {
    let found = std::env::var_os("MINGTING_PYTHON")
        .map(PathBuf::from)
        .filter(|path| path.exists());
    if found.is_none() {
        skip("no Python with the package livekit; `cargo xtask setup` makes one");
    }
    found
}

/// The folder of this package.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The built page, for a server that serves it.
pub fn built_page() -> PathBuf {
    here().join("../ui/dist")
}

/// A foreign participant that runs.
pub struct Peer {
    name: &'static str,
    process: Process,
}

impl Peer {
    /// libwebrtc joins a room; sends a clock and `send_hz`, and looks for `listen_hz`.
    pub fn libwebrtc(
        python: &Path,
        url: &str,
        token: &str,
        send_hz: u32,
        listen_hz: u32,
        folder: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(python);
        command
            .arg(here().join("python/peer.py"))
            .args(["--url", url, "--token", token]);
        command.args([
            "--send-hz",
            &send_hz.to_string(),
            "--listen-hz",
            &listen_hz.to_string(),
        ]);
        let process = Process::start("libwebrtc", &mut command, &folder.join("libwebrtc.log"))?;
        Ok(Self {
            name: "libwebrtc",
            process,
        })
    }

    /// Chromium walks through the page into a seat; sends a clock and `send_hz`, and looks for `listen_hz`.
    pub fn chromium(
        court: &Court,
        invited: &Invited,
        send_hz: u32,
        listen_hz: u32,
        phone: bool,
    ) -> Result<Self> {
        let mut command = Command::new("node");
        command
            .arg(here().join("e2e/party.mjs"))
            .args(["--url", &court.url()]);
        command.args(["--code", &invited.code, "--name", &invited.name]);
        command.arg("--folder").arg(court.folder().join("chromium"));
        command.args([
            "--send-hz",
            &send_hz.to_string(),
            "--listen-hz",
            &listen_hz.to_string(),
        ]);
        if phone {
            command.arg("--phone");
        }
        let process = Process::start("chromium", &mut command, &court.folder().join("chromium.log"))?;
        Ok(Self {
            name: "chromium",
            process,
        })
    }

    /// The judge's page in Chromium, seated; [`Peer::does`] tells it what to do.
    pub async fn judge(court: &Court) -> Result<Self> {
        let invited = court.seat(Role::PresidingJudge)?;
        let mut command = Command::new("node");
        command
            .arg(here().join("e2e/judge.mjs"))
            .args(["--url", &court.url()])
            .args(["--code", &invited.code, "--name", &invited.name])
            .arg("--folder")
            .arg(court.folder().join("judge"));
        let mut judge = Self {
            name: "the judge's page",
            process: Process::start("chromium", &mut command, &court.folder().join("chromium.log"))?,
        };
        judge.did("takes the seat").await?;
        Ok(judge)
    }

    /// Has the judge's page do one thing, as `e2e/judge.mjs` lists them.
    pub async fn does(&mut self, act: Value) -> Result<()> {
        self.process.tell(&act.to_string()).await?;
        self.did(&act.to_string()).await
    }

    async fn did(&mut self, what: &str) -> Result<()> {
        self.wait(SOON * 2, what, |said| (said["type"] == "did").then_some(()))
            .await
    }

    /// Walks a hearing in Chromium and looks at every screen on the way; `people` are judge, clerk and party.
    pub fn inspector(court: &Court, people: [&Invited; 3]) -> Result<Self> {
        let [judge, clerk, party] = people.map(|one| json!({ "code": one.code, "name": one.name }));
        let people = json!({ "judge": judge, "clerk": clerk, "party": party });
        let mut command = Command::new("node");
        command
            .arg(here().join("e2e/screens.mjs"))
            .args(["--url", &court.url(), "--people", &people.to_string()])
            .arg("--folder")
            .arg(court.folder().join("screens"));
        Ok(Self {
            name: "the inspector",
            process: Process::start("chromium", &mut command, &court.folder().join("chromium.log"))?,
        })
    }

    /// Presses 设备自检 in Chromium with its own fake devices, which the person refuses if `denied`; says one report.
    pub fn self_test(court: &Court, denied: bool) -> Result<Self> {
        let mut command = Command::new("node");
        command
            .arg(here().join("e2e/selftest.mjs"))
            .args(["--url", &court.url()])
            .arg("--folder")
            .arg(court.folder().join("self-test"));
        if denied {
            command.arg("--denied");
        }
        Ok(Self {
            name: "the self-test",
            process: Process::start("chromium", &mut command, &court.folder().join("chromium.log"))?,
        })
    }

    /// The next thing it says for which `find` has an answer.
    pub async fn wait<T>(
        &mut self,
        limit: Duration,
        what: &str,
        mut find: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T> {
        let mut last = String::new();
        let search = async {
            loop {
                let line = self
                    .process
                    .line()
                    .await
                    .with_context(|| format!("it last said {last:?}"))?;
                let value: Value = serde_json::from_str(&line).context("a peer printed what is not JSON")?;
                // `pageError` is an error that nothing in the page caught.
                if value["type"] == "failed" || value["type"] == "pageError" {
                    bail!("{}: {}", self.name, value["message"]);
                }
                if let Some(found) = find(&value) {
                    return Ok(found);
                }
                last = line;
            }
        };
        match tokio::time::timeout(limit, search).await {
            Ok(result) => result,
            Err(_) => bail!(
                "{} did not see within {} s: {what}; it last said {last:?}",
                self.name,
                limit.as_secs()
            ),
        }
    }

    /// Waits for two pictures whose clocks move, from whoever `of` accepts, and then for the tone.
    pub async fn sees_and_hears(&mut self, limit: Duration, of: impl Fn(&Value) -> bool) -> Result<()> {
        let mut first = None;
        self.wait(limit, "a picture with a clock that moves", |said| {
            let frame = said["stamp"]["frame"]
                .as_u64()
                .filter(|_| said["type"] == "seen" && of(said))?;
            let before = *first.get_or_insert(frame);
            (frame > before).then_some(())
        })
        .await?;
        self.wait(limit, "the tone", |said| {
            let tone = said["tone"].as_f64().filter(|_| said["type"] == "heard")?;
            (tone >= f64::from(crate::player::TONE_FOUND)).then_some(())
        })
        .await
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        self.process.stop().await.map(|_| ())
    }
}
