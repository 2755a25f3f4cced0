//! Kit of the scenarios and the demo: starts the real programs, talks to them as a person or a test would, and puts a bad
//! network between them.
//!
//! Nothing here waits for time to pass: every wait is for something that a program said, with a limit. What is judged is
//! content (the clock burned into a picture, a tone in the sound), never a claim that a track exists.

pub mod court;
pub mod demo;
pub mod desk;
#[cfg(target_os = "linux")]
pub mod guest;
pub mod livekit;
pub mod peer;
pub mod player;
pub mod process;
pub mod relay;
#[cfg(unix)]
pub mod screen;
pub mod session;
pub mod speech;
pub mod webdriver;

use std::{future::Future, io::Write, time::Duration};

/// How long a test waits for something that should happen soon, on a machine that may be busy.
pub const SOON: Duration = Duration::from_secs(30);

/// Waits for `work`, at most `limit`; the error says what did not happen.
pub async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => anyhow::bail!("did not happen within {} s: {what}", limit.as_secs()),
    }
}

/// Says that a test cannot run here. Goes past the harness's capture, so that nobody takes the test for passed.
pub fn skip(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}
