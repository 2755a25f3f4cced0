//! CPU and memory of a program with everything below it (proc(5)).

use anyhow::{Result, bail};
use std::{collections::HashMap, fs};

/// Ticks of the kernel's accounting in a second (`sysconf(_SC_CLK_TCK)`, 100 on every Linux of today).
const TICKS: f64 = 100.0;

/// What `/proc/PID/stat` says of one process.
struct Stat {
    parent: u32,
    /// User and system time, its own and that of children that have ended.
    ticks: u64,
}

fn stat(id: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name is in parentheses and may itself hold spaces and parentheses.
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: number(1)? as u32,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
    })
}

/// A process and everything below it.
fn tree(root: u32) -> Vec<(u32, Stat)> {
    let mut all: HashMap<u32, Stat> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((id, stat(id)?))
        })
        .collect();
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        open.extend(
            all.iter()
                .filter(|(_, stat)| stat.parent == id)
                .map(|(id, _)| *id),
        );
        found.extend(all.remove(&id).map(|stat| (id, stat)));
    }
    found
}

/// CPU seconds of the whole tree so far.
pub(crate) fn cpu_seconds(root: u32) -> Result<f64> {
    let tree = tree(root);
    if tree.is_empty() {
        bail!("the measured program has ended");
    }
    Ok(tree.iter().map(|(_, stat)| stat.ticks).sum::<u64>() as f64 / TICKS)
}

/// Memory of the whole tree: its own pages and its share of those that it has in common with others, in MiB.
pub(crate) fn pss_mib(root: u32) -> Result<f64> {
    let mut kib = 0;
    for (id, _) in tree(root) {
        // One that has ended in between has no memory.
        let Ok(rollup) = fs::read_to_string(format!("/proc/{id}/smaps_rollup")) else {
            continue;
        };
        kib += rollup
            .lines()
            .find_map(|line| {
                line.strip_prefix("Pss:")?
                    .trim()
                    .strip_suffix(" kB")?
                    .trim()
                    .parse::<u64>()
                    .ok()
            })
            .unwrap_or(0);
    }
    if kib == 0 {
        bail!("the kernel does not say how much memory the measured program has");
    }
    Ok(kib as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_costs_something() {
        let me = std::process::id();
        assert!(pss_mib(me).expect("a running process has memory") > 0.1);
        assert!(cpu_seconds(me).expect("a running process has a stat") >= 0.0);
        assert!(tree(me).iter().any(|(id, _)| *id == me));
    }
}
