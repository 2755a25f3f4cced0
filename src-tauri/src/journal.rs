//! The program's log: on stderr, and in a file for each day beside the program's own data, since a program with a window has
//! no stderr on Windows.
//!
//! Nothing personal: names, codes and tokens have types that redact themselves, and libraries, some of which print what
//! people send when they are asked to say more, are held to warnings whatever is configured.

use anyhow::Context;
use std::{io::IsTerminal, path::Path};
use tracing_appender::{
    non_blocking::WorkerGuard,
    rolling::{RollingFileAppender, Rotation},
};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The crates that say what `MINGTING_LOG` asks for: error, warn, info, debug or trace.
const OURS: [&str; 3] = ["mingting", "client", "media"];
/// How many files are kept, one for each day (UTC) on which the program ran: a court asks after the hearing.
const DAYS: usize = 14;
/// What is logged when nothing, or nothing that is a level, was asked for.
const USUAL: &str = "info";

/// Starts the log. What is dropped with the returned guard is what was not yet written.
pub(crate) fn open(folder: Option<&Path>, level: Option<&str>) -> Option<WorkerGuard> {
    let file = folder.and_then(|folder| match daily(folder) {
        Ok(file) => Some(file),
        Err(error) => {
            eprintln!("no log file is written: {error:#}");
            None
        }
    });
    let (writer, guard) = file.map(tracing_appender::non_blocking).unzip();
    tracing_subscriber::registry()
        .with(filter(level.unwrap_or(USUAL)))
        .with(
            fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(std::io::stderr().is_terminal()),
        )
        .with(writer.map(|writer| fmt::layer().with_writer(writer).with_ansi(false)))
        .init();
    guard
}

fn daily(folder: &Path) -> anyhow::Result<RollingFileAppender> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    Ok(RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("mingting")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(folder)?)
}

fn filter(level: &str) -> EnvFilter {
    let known = level.parse::<tracing::Level>().is_ok();
    let level = if known { level } else { USUAL };
    let ours = OURS.iter().map(|name| format!("{name}={level}"));
    let directives: Vec<String> = std::iter::once("warn".to_owned()).chain(ours).collect();
    EnvFilter::new(directives.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_never_say_more_than_warnings() {
        for (asked, level) in [
            ("debug", "debug"),
            ("trace", "trace"),
            ("info,hyper=debug", USUAL),
        ] {
            let filter = filter(asked).to_string();
            assert!(filter.split(',').any(|directive| directive == "warn"), "{filter}");
            for ours in OURS {
                assert!(filter.contains(&format!("{ours}={level}")), "{filter}");
            }
        }
    }

    #[test]
    fn what_is_logged_is_in_the_days_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = daily(&folder.path().join("logs")).expect("it is made, with its folder");
        std::io::Write::write_all(&mut file, b"a line\n").expect("it is written");
        let files: Vec<_> = std::fs::read_dir(folder.path().join("logs"))
            .expect("the folder is there")
            .flatten()
            .collect();
        assert_eq!(files.len(), 1);
        let name = files[0].file_name().to_string_lossy().into_owned();
        assert!(name.starts_with("mingting.") && name.ends_with(".log"), "{name}");
        assert_eq!(
            std::fs::read_to_string(files[0].path()).expect("it can be read"),
            "a line\n"
        );
    }
}
