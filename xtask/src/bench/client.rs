//! `bench client`, `join`, `latency` and `loss`: runs `mingting-bench`, which measures our client and Chromium in turn, and
//! makes a table of what it prints.

use super::report::{self, Spread};
use crate::process::{shown, target};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// One bench: what it is called, how it was measured, and what its lines are.
pub(super) struct Bench {
    name: &'static str,
    /// A sentence on the set-up, below the command.
    how: &'static str,
    rows: &'static [Row],
}

/// One figure.
struct Row {
    /// As `mingting-bench` prints it.
    key: &'static str,
    label: &'static str,
    unit: Unit,
}

/// How a figure is written.
#[derive(Clone, Copy)]
enum Unit {
    /// With two decimals.
    Cores,
    Mebibytes,
    Milliseconds,
    /// A share of one.
    Percent,
    /// A rate or a count.
    Number,
    /// Words, without a ratio.
    Words,
}

const fn row(key: &'static str, label: &'static str, unit: Unit) -> Row {
    Row { key, label, unit }
}

pub(super) const CLIENT: Bench = Bench {
    name: "client",
    how: "The desktop client in a window, and Chromium in a window on the same display, each in the sixth seat of a hearing \
          of its own with five players. Both send 720 lines at 30 a second in three sizes and sound, and show five pictures; ours \
          also shows its own picture and the whole interface, the browser nothing else. CPU and memory (PSS) are of all \
          processes of the measured side; it has one core, everything else the other. The floor is an empty page in \
          WebKit's MiniBrowser.",
    rows: &[
        row("cores", "CPU, cores", Unit::Cores),
        row("pssMib", "memory, MiB", Unit::Mebibytes),
        row("shownPerSecond", "frames of others shown a second", Unit::Number),
        row("pictures", "pictures of the others as they arrive", Unit::Words),
        row("linesSent", "lines of the picture sent", Unit::Number),
    ],
};

pub(super) const JOIN: Bench = Bench {
    name: "join",
    how: "Ten joins a round, over loopback: code, seat, hearing channel, media room, first picture. Ours is the client without \
          its window and counts when the picture is decoded; Chromium is warm, has loaded its page, and counts when the picture \
          is presented.",
    rows: &[
        row(
            "p50Ms",
            "code posted to first remote picture, p50, ms",
            Unit::Milliseconds,
        ),
        row("p95Ms", "the same, p95, ms", Unit::Milliseconds),
    ],
};

pub(super) const LATENCY: Bench = Bench {
    name: "latency",
    how: "The age of the clock in the judge's picture (640x360 at 25 a second, shown at its size) when it is first in the frame \
          buffer of the display; both sides send their own picture and sound meanwhile.",
    rows: &[
        row("p50Ms", "glass to glass, p50, ms", Unit::Milliseconds),
        row("p95Ms", "glass to glass, p95, ms", Unit::Milliseconds),
        row("picture", "the picture as it arrives", Unit::Words),
    ],
};

pub(super) const LOSS: Bench = Bench {
    name: "loss",
    how: "20 s in a hearing of six in which a fifth of the measured side's datagrams is lost each way, at random with the same \
          seeds; the five others have a good network. Ours is the client without its window, Chromium has none either. A \
          freeze is a distance between frames of more than three times the usual one and of 150 ms over it, counted by the \
          same rule from decoded (ours) and presented (Chromium) frames. Sound is that of the judge; concealed is what the \
          jitter buffer made up, silence included. Its own picture is looked at by the judge, our client in both cases.",
    rows: &[
        row("frozenShare", "pictures frozen, % of the time", Unit::Percent),
        row("longestFreezeMs", "longest freeze, ms", Unit::Milliseconds),
        row(
            "ownFrozenShare",
            "its own picture frozen at the judge, % of the time",
            Unit::Percent,
        ),
        row("concealedShare", "sound concealed, %", Unit::Percent),
        row("framesPerSecond", "frames of five others a second", Unit::Number),
    ],
};

pub(super) const ALL: [&Bench; 4] = [&CLIENT, &JOIN, &LATENCY, &LOSS];

/// Who is measured, as `mingting-bench` and as the table call them.
const OURS: &str = "mingting";
const PEERS: [(&str, &str); 3] = [
    (OURS, "明庭"),
    ("chromium", "Chromium"),
    ("emptyWebview", "empty webview"),
];

pub(super) fn run(bench: &Bench, rounds: usize) -> Result<()> {
    let lines = measure(bench.name, rounds)?;
    let (markdown, rows) = table(bench, &lines, rounds)?;
    let figures = json!({ "bench": bench.name, "rounds": rounds, "rows": rows, "measurements": lines });
    report::write(bench.name, &markdown, &figures)
}

/// Runs the program and gives its lines.
fn measure(name: &str, rounds: usize) -> Result<Vec<Value>> {
    let release = target().join("release");
    let program = release.join(format!("mingting-bench{}", std::env::consts::EXE_SUFFIX));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut command = if cores > 1 {
        // Core 0 is for what is measured; everything that the program starts otherwise stays where it is.
        let mut command = Command::new("taskset");
        command
            .args(["-c", &format!("1-{}", cores - 1)])
            .arg(program)
            .env("MINGTING_BENCH_CORE", "0");
        command
    } else {
        Command::new(program)
    };
    command
        .args([name, "--rounds", &rounds.to_string()])
        .env("MINGTING_BIN", &release)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    eprintln!("$ {}", shown(&command));
    let mut child = command.spawn().context("cannot start mingting-bench")?;
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().context("its output is ours")?).lines() {
        let line = line?;
        eprintln!("bench:   {line}");
        lines.push(serde_json::from_str(&line).context("mingting-bench prints JSON")?);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("mingting-bench {name} ended with {status}");
    }
    Ok(lines)
}

fn table(bench: &Bench, lines: &[Value], rounds: usize) -> Result<(String, Vec<Value>)> {
    let spread = |peer: &str, row: &Row| {
        let values: Vec<f64> = lines
            .iter()
            .filter(|line| line["peer"] == peer)
            .filter_map(|line| line[row.key].as_f64())
            .collect();
        Spread::of(&values)
    };
    let plural = if rounds == 1 { "round" } else { "rounds" };
    let mut markdown = format!(
        "`cargo xtask bench {}` ({rounds} {plural}, alternating).\n{}\n\n| what | who | median [min-max] | ours ÷ theirs |\n|---|---|---|---|\n",
        bench.name, bench.how
    );
    let mut rows = Vec::new();
    for row in bench.rows {
        if let Unit::Words = row.unit {
            for (peer, called) in PEERS {
                let said = words(lines, peer, row.key);
                if !said.is_empty() {
                    markdown.push_str(&format!("| {} | {called} | {said} |  |\n", row.label));
                }
            }
            continue;
        }
        let ours = spread(OURS, row).with_context(|| format!("{} was not measured", row.key))?;
        for (peer, called) in PEERS {
            let Some(figure) = spread(peer, row) else { continue };
            let ratio = (peer != OURS && figure.median > 0.0).then(|| ours.median / figure.median);
            markdown.push_str(&format!(
                "| {} | {called} | {} [{}-{}] | {} |\n",
                row.label,
                row.unit.write(figure.median),
                row.unit.write(figure.min),
                row.unit.write(figure.max),
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            ));
            rows.push(json!({ "figure": row.key, "peer": peer, "value": figure, "oursOverTheirs": ratio }));
        }
    }
    Ok((markdown, rows))
}

/// The different words of one side, in the order in which they came.
fn words(lines: &[Value], peer: &str, key: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    for line in lines.iter().filter(|line| line["peer"] == peer) {
        if let Some(said) = line[key].as_str()
            && !all.contains(&said)
        {
            all.push(said);
        }
    }
    all.join("; ")
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Cores => format!("{value:.2}"),
            Self::Mebibytes | Self::Milliseconds | Self::Number | Self::Words => format!("{value:.0}"),
            Self::Percent => format!("{:.1}", 100.0 * value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_medians_and_ratios_and_misses_no_figure() {
        let line = |peer: &str, p50: u32, p95: u32| json!({ "peer": peer, "p50Ms": p50, "p95Ms": p95 });
        let lines = [
            line(OURS, 10, 20),
            line("chromium", 40, 80),
            line(OURS, 12, 22),
            line("chromium", 44, 88),
            line(OURS, 11, 21),
            line("chromium", 48, 90),
        ];
        let (markdown, rows) = table(&JOIN, &lines, 3).expect("everything was measured");
        assert!(markdown.contains("| 明庭 | 11 [10-12] |  |"), "{markdown}");
        assert!(
            markdown.contains("| Chromium | 44 [40-48] | 0.25 |"),
            "{markdown}"
        );
        assert_eq!(rows.len(), 4);
        assert!(table(&JOIN, &lines[1..2], 1).is_err());
    }
}
