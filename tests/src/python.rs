//! Other people's client: a Python program over the package `livekit` (libwebrtc), as one more program that says JSON lines.

use crate::{process::Process, skip};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// The Python that has the package, if it was set up.
pub fn interpreter() -> Option<PathBuf> {
    let found = std::env::var_os("MINGTING_PYTHON")
        .map(PathBuf::from)
        .filter(|path| path.exists());
    if found.is_none() {
        skip("no Python with the package livekit; `cargo xtask setup` makes one");
    }
    found
}

/// A libwebrtc participant that sends a picture with a burned-in clock and a tone, and reports what it receives.
pub struct Peer {
    process: Process,
}

impl Peer {
    /// Joins a room; sends `send_hz` and looks for `listen_hz`.
    pub fn join(
        python: &Path,
        url: &str,
        token: &str,
        send_hz: u32,
        listen_hz: u32,
        folder: &Path,
    ) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/peer.py");
        let mut command = Command::new(python);
        command.arg(script).args(["--url", url, "--token", token]);
        command.args([
            "--send-hz",
            &send_hz.to_string(),
            "--listen-hz",
            &listen_hz.to_string(),
        ]);
        let process = Process::start("the Python peer", &mut command, &folder.join("python-peer.log"))?;
        Ok(Self { process })
    }

    /// The next thing it says for which `find` has an answer.
    pub async fn wait<T>(
        &mut self,
        limit: Duration,
        what: &str,
        mut find: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T> {
        let search = async {
            loop {
                let line = self.process.line().await?;
                let value: Value =
                    serde_json::from_str(&line).context("the Python peer printed what is not JSON")?;
                if let Some(found) = find(&value) {
                    return Ok(found);
                }
            }
        };
        match tokio::time::timeout(limit, search).await {
            Ok(result) => result,
            Err(_) => bail!("the Python peer did not see within {} s: {what}", limit.as_secs()),
        }
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        self.process.stop().await.map(|_| ())
    }
}
