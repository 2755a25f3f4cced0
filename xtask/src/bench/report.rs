//! Where figures are written: a section of `docs/performance.md` and a JSON file under `target/bench`.

use crate::process::{root, target};
use anyhow::{Context, Result};
use std::fs;

/// The middle of some measurements, and how far they lie apart.
#[derive(Clone, Copy, serde::Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: *sorted.get(sorted.len() / 2)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

/// Replaces the section of `name` in `docs/performance.md`, prints it, and writes the figures as JSON.
pub(crate) fn write(name: &str, markdown: &str, figures: &serde_json::Value) -> Result<()> {
    let folder = target().join("bench");
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join(format!("{name}.json")),
        serde_json::to_string_pretty(figures)?,
    )?;
    let path = root().join("docs/performance.md");
    let page = fs::read_to_string(&path).context("docs/performance.md is part of the repository")?;
    fs::write(&path, with_section(&page, name, markdown)?)?;
    println!("{markdown}");
    Ok(())
}

fn with_section(page: &str, name: &str, markdown: &str) -> Result<String> {
    let (begin, end) = (
        format!("<!-- bench {name} -->\n"),
        format!("<!-- end {name} -->\n"),
    );
    let (before, rest) = page
        .split_once(&begin)
        .with_context(|| format!("no section for {name}"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("the section of {name} has no end"))?;
    Ok(format!("{before}{begin}{}\n{end}{after}", markdown.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_the_rest_stays() {
        let page = "a\n<!-- bench x -->\nold\n<!-- end x -->\nb\n";
        assert_eq!(
            with_section(page, "x", "new\n").expect("the section is there"),
            "a\n<!-- bench x -->\nnew\n<!-- end x -->\nb\n"
        );
        assert!(with_section(page, "y", "new").is_err());
    }

    #[test]
    fn the_spread_has_the_middle_and_both_ends() {
        let spread = Spread::of(&[3.0, 1.0, 2.0]).expect("there are values");
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.0, 3.0));
        assert!(Spread::of(&[]).is_none());
    }
}
