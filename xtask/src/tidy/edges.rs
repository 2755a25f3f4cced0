//! Which package may use which: the table under "Allowed edges" in ARCHITECTURE.md against `cargo metadata`.

use super::Source;
use crate::process::{cargo, output};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = "ARCHITECTURE.md";
const HEADING: &str = "## Allowed edges";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Set for packages of this workspace.
    path: Option<String>,
}

/// One row: what a package may use of ours, and what it must never use of others.
#[derive(Debug, PartialEq, Eq, Default)]
struct Row {
    may: Vec<String>,
    never: Vec<String>,
}

pub(super) fn check(sources: &[Source]) -> Result<Vec<String>> {
    let text = sources
        .iter()
        .find(|source| source.path == FILE)
        .context("ARCHITECTURE.md is missing")?;
    let metadata = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))
        .context("`cargo metadata` fails")?;
    let metadata: Metadata = serde_json::from_str(&metadata).context("`cargo metadata` is not understood")?;
    Ok(compare(&table(&text.text), &metadata.packages))
}

/// The rows of the first table after the heading, by package.
fn table(text: &str) -> BTreeMap<String, Row> {
    let words = |cell: &str| -> Vec<String> {
        cell.split(',')
            .map(|word| word.trim().trim_matches('`').to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    };
    text.lines()
        .skip_while(|line| *line != HEADING)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|');
            let package = words(cells.next()?).pop()?;
            Some((
                package,
                Row {
                    may: words(cells.next()?),
                    never: words(cells.next()?),
                },
            ))
        })
        .collect()
}

fn compare(table: &BTreeMap<String, Row>, packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let Some(row) = table.get(&package.name) else {
            findings.push(format!("{FILE}: no row for the package `{}`", package.name));
            continue;
        };
        for used in &package.dependencies {
            let ours = used.path.is_some();
            if ours && !row.may.contains(&used.name) {
                findings.push(format!("`{}` may not use `{}` ({FILE})", package.name, used.name));
            }
            // `tauri*` forbids every package of that family.
            let forbidden = row.never.iter().any(|never| match never.strip_suffix('*') {
                Some(family) => used.name.starts_with(family),
                None => used.name == *never,
            });
            if forbidden {
                findings.push(format!(
                    "`{}` must never use `{}` ({FILE})",
                    package.name, used.name
                ));
            }
        }
    }
    for name in table
        .keys()
        .filter(|name| packages.iter().all(|package| package.name != **name))
    {
        findings.push(format!("{FILE}: there is no package `{name}`"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
# Map
| not | this | one |

## Allowed edges
Words.

| package | may use | must never use |
|---|---|---|
| `a` | | `tauri*`, `tokio` |
| `b` | `a` | |

| package | may use | must never use |
|---|---|---|
| `c` | `b` | |
";

    fn package(name: &str, ours: &[&str], others: &[&str]) -> Package {
        let dependency = |name: &&str, path: Option<&str>| Dependency {
            name: (*name).to_owned(),
            path: path.map(ToOwned::to_owned),
        };
        Package {
            name: name.to_owned(),
            dependencies: ours
                .iter()
                .map(|name| dependency(name, Some("somewhere")))
                .chain(others.iter().map(|name| dependency(name, None)))
                .collect(),
        }
    }

    #[test]
    fn what_the_table_allows_passes() {
        let packages = [package("a", &[], &["serde"]), package("b", &["a"], &["tokio"])];
        assert_eq!(compare(&table(TABLE), &packages), Vec::<String>::new());
    }

    #[test]
    fn everything_else_is_found() {
        let packages = [
            package("a", &["b"], &["tauri-build", "tokio"]),
            package("c", &[], &[]),
        ];
        assert_eq!(
            compare(&table(TABLE), &packages),
            [
                "`a` may not use `b` (ARCHITECTURE.md)",
                "`a` must never use `tauri-build` (ARCHITECTURE.md)",
                "`a` must never use `tokio` (ARCHITECTURE.md)",
                "ARCHITECTURE.md: no row for the package `c`",
                "ARCHITECTURE.md: there is no package `b`",
            ]
        );
    }
}
