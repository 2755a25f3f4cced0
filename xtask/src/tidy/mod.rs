//! `cargo xtask tidy`: rules of this repository that no compiler checks. Each finding is one line with its file.
//!
//! Looks only at files that git knows or would add.

mod edges;
mod files;
mod wire;

use crate::process::{output, root};
use anyhow::{Context, Result, bail};
use std::{fs, process::Command};

/// A file of the repository that is text.
pub(crate) struct Source {
    /// Relative to the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn run() -> Result<()> {
    let sources = sources()?;
    let mut findings = Vec::new();
    findings.extend(edges::check(&sources)?);
    findings.extend(sources.iter().flat_map(files::check));
    findings.extend(wire::check(&sources));
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        Ok(())
    } else {
        bail!("tidy: {} findings", findings.len())
    }
}

fn sources() -> Result<Vec<Source>> {
    let listed = output(Command::new("git").current_dir(root()).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))
    .context("git cannot list the files")?;
    Ok(listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter_map(|path| {
            // Binary files are not UTF-8, deleted ones are not there.
            Some(Source {
                path: path.to_owned(),
                text: fs::read_to_string(root().join(path)).ok()?,
            })
        })
        .collect())
}
