//! The server's log: to stderr, one line an event, without personal data.
//!
//! Our own crates log at the configured level. Libraries are held to warnings whatever is configured, because some of
//! them print what people send when they are asked to say more.

use crate::config::LogLevel;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The crates whose log follows the configuration.
const OURS: [&str; 4] = ["server", "hearing", "sfu", "mingting_server"];

/// The filter for a level.
pub fn filter(level: LogLevel) -> EnvFilter {
    let level = level.name();
    let floor = if level == "error" { "error" } else { "warn" };
    let ours = OURS.iter().map(|name| format!("{name}={level}"));
    let directives: Vec<String> = std::iter::once(floor.to_owned()).chain(ours).collect();
    EnvFilter::new(directives.join(","))
}

/// A subscriber that writes to `writer`, for the binary and for the test that reads the log.
pub fn subscriber<W>(level: LogLevel, json: bool, writer: W) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(writer)
        .with_ansi(false);
    if json {
        Box::new(lines.json().finish())
    } else {
        Box::new(lines.finish())
    }
}
