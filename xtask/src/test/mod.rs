//! `cargo xtask test`: every check and test in lanes, quick ones first. A lane that fails does not stop the next; its log's
//! end is printed. The last line counts tests, a lane without countable tests as one.

mod lanes;
mod tally;

use crate::{
    process::{Stopwatch, fresh_folder, root},
    setup,
};
use anyhow::{Result, bail};
use lanes::{LANES, Lane};
use std::{fs, path::Path, time::Duration};
use tally::Tally;

/// Lines of a failed lane's log that are printed.
const TAIL: usize = 200;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only what needs no window, no browser and no other system: under five minutes once compiled.
    #[arg(long)]
    fast: bool,
    /// Only the lanes that use devices of this machine: sound, camera, screen.
    #[arg(long)]
    devices: bool,
    /// Only these lanes; may be given more than once.
    #[arg(long = "lane", value_name = "NAME")]
    lanes: Vec<String>,
    /// Print the lanes and what each does.
    #[arg(long)]
    list: bool,
}

/// How a lane ended when it did not fail.
pub(crate) enum Ran {
    /// Its commands succeeded.
    Whole,
    /// It cannot run on this machine.
    Skipped(&'static str),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for lane in LANES {
            println!("{:10} {}", lane.name, lane.about);
        }
        return Ok(());
    }
    let chosen = choose(args)?;
    let need = chosen
        .iter()
        .map(|lane| lane.need)
        .max()
        .unwrap_or(setup::Need::Build);
    setup::ensure(need)?;
    let logs = fresh_folder("test-logs")?;
    let total = Stopwatch::start();
    let mut sum = Tally::default();
    let mut failed = Vec::new();
    for lane in chosen {
        let tally = run_lane(lane, &logs);
        if tally.failed > 0 {
            failed.push(lane.name);
        }
        sum += tally;
    }
    println!("total {}", shown(total.read()));
    println!("{sum}");
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("failed: {}", failed.join(", "))
    }
}

fn choose(args: &Args) -> Result<Vec<&'static Lane>> {
    if let Some(unknown) = args
        .lanes
        .iter()
        .find(|name| LANES.iter().all(|lane| lane.name != **name))
    {
        bail!("there is no lane {unknown:?}; `cargo xtask test --list` names them");
    }
    let chosen = LANES.iter().filter(|lane| {
        if !args.lanes.is_empty() {
            args.lanes.iter().any(|name| name == lane.name)
        } else if args.devices {
            lane.devices
        } else {
            if args.fast { lane.fast } else { !lane.in_unit }
        }
    });
    Ok(chosen.collect())
}

fn run_lane(lane: &Lane, logs: &Path) -> Tally {
    println!("{:10} …", lane.name);
    let log = logs.join(format!("{}.log", lane.name));
    let watch = Stopwatch::start();
    let ended = (lane.work)(&log);
    let text = fs::read_to_string(&log).unwrap_or_default();
    let mut tally = tally::read(&text);
    let word = match &ended {
        Ok(Ran::Skipped(reason)) => {
            tally = Tally {
                skipped: 1,
                ..Tally::default()
            };
            format!("SKIPPED: {reason}")
        }
        Ok(Ran::Whole) if tally == Tally::default() && tally::a_harness_ran(&text) => {
            tally.failed = 1;
            "FAILED: there was not one test to run".to_owned()
        }
        Ok(Ran::Whole) => {
            if tally == Tally::default() {
                tally.passed = 1;
            }
            format!("ok, {tally}")
        }
        Err(error) => {
            tally.failed = tally.failed.max(1);
            print_tail(&text);
            let log = log.strip_prefix(root()).unwrap_or(&log);
            format!("FAILED, {tally}: {error:#} (whole log: {})", log.display())
        }
    };
    for line in text.lines().filter(|line| tally::did_not_run(line)) {
        println!("{:10} {}", "", line.trim());
    }
    println!("{:10} {} {word}", lane.name, shown(watch.read()));
    tally
}

fn print_tail(log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    for line in &lines[lines.len().saturating_sub(TAIL)..] {
        println!("    {line}");
    }
}

fn shown(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}
