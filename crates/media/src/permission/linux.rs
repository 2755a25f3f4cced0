//! Linux: who may open the device file or reach the sound server may use it, so there is no switch to read. Who has a camera
//! open stands in `/proc`, for the programs of the same user.

use std::fs;
use std::path::Path;

use super::{Grant, Guarded};

pub(super) fn grant(_of: Guarded) -> Grant {
    Grant::Unknown
}

pub(super) fn settings_page(_of: Guarded) -> Option<&'static str> {
    None
}

pub(super) fn holders(of: Guarded) -> Vec<String> {
    match of {
        Guarded::Camera => programs_with("/dev/video"),
        // The sound server has it open for everybody.
        Guarded::Microphone => Vec::new(),
    }
}

/// Other programs that have a file open whose path begins so.
fn programs_with(path: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let processes = processes.flatten().map(|process| process.path());
    processes
        .filter(|process| is_other(process, &own))
        .filter(|process| has_open(process, path))
        .filter_map(|process| {
            let name = fs::read_to_string(process.join("comm")).ok()?;
            Some(name.trim_end().to_owned())
        })
        .collect()
}

/// `/proc` names this program by its number and twice by a word (`self`, `thread-self`); much there is no process at all.
fn is_other(process: &Path, own: &str) -> bool {
    let name = process.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name != own && name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn has_open(process: &Path, path: &str) -> bool {
    // What is no process, or belongs to somebody else, cannot be read.
    let Ok(files) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| target.to_str().is_some_and(|target| target.starts_with(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_program_that_has_a_file_open_is_named_and_this_one_is_not() {
        let file = tempfile::NamedTempFile::new().expect("a scratch file");
        let path = file.path().to_str().expect("a path of ASCII");
        // A program that another test starts has everything of this one open until it becomes itself.
        let becomes = |names: &[&str]| {
            for _ in 0..1_000 {
                if programs_with(path) == names {
                    return;
                }
                std::thread::yield_now();
            }
            assert_eq!(programs_with(path), names);
        };
        becomes(&[]);
        let open = fs::File::open(file.path()).expect("the scratch file");
        let mut other = Command::new("cat")
            .arg("-")
            .stdin(Stdio::piped())
            .stderr(open)
            .stdout(Stdio::null())
            .spawn()
            .expect("cat runs");
        becomes(&["cat"]);
        drop(other.stdin.take());
        other.wait().expect("cat ends with its input");
        becomes(&[]);
    }
}
