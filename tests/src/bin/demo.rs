//! `mingting-demo`: the demo's hearing with its players, and the newcomer's window. Started by `cargo xtask demo`.

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use scenarios::{
    demo::{Demo, NEWCOMER, Part},
    process::{Process, program},
};
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Everything the demo is told.
#[derive(Parser)]
struct Args {
    /// The newcomer is a player too.
    #[arg(long)]
    headless: bool,
    /// End after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Where the JSON report goes.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The built page.
    #[arg(long, value_name = "FOLDER")]
    ui: Option<PathBuf>,
}

/// How long a headless demo runs without `--for`, in seconds.
const HEADLESS_SECONDS: u64 = 30;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let played = async {
        if args.headless {
            headless(&args).await
        } else {
            with_window(&args).await
        }
    };
    // Everything that was started is dropped, and so killed by its id, whichever way this ends. With a window, Ctrl-C is one
    // of the two ways to end it; a headless play that is cut short has no report.
    let stopped = || {
        if args.headless {
            Err(anyhow!("stopped"))
        } else {
            Ok(())
        }
    };
    let ended = tokio::select! {
        ended = played => ended,
        _ = tokio::signal::ctrl_c() => stopped(),
        () = terminated() => stopped(),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

async fn headless(args: &Args) -> Result<()> {
    let seconds = args.seconds.unwrap_or(HEADLESS_SECONDS);
    let mut demo = Demo::open(args.ui.clone()).await?;
    print_codes(&demo, true);
    demo.play_newcomer().await?;
    // A third before the isolation, a sixth isolated, the rest after the recall.
    let whole = Duration::from_secs(seconds);
    let run = async {
        demo.act(whole / 3, whole / 6).await?;
        std::future::pending::<Result<()>>().await
    };
    if let Ok(ended) = tokio::time::timeout(whole, run).await {
        ended?;
    }
    let report = demo.close().await?;
    let text = serde_json::to_string_pretty(&report)?;
    match &args.report {
        Some(file) => {
            std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
            println!("What everybody saw and heard is in {}.", file.display());
        }
        None => println!("{text}"),
    }
    if report["ok"] != true {
        bail!("somebody saw or heard nothing");
    }
    Ok(())
}

async fn with_window(args: &Args) -> Result<()> {
    let mut demo = Demo::open(args.ui.clone()).await?;
    print_codes(&demo, false);
    let newcomer = demo.court.seat(NEWCOMER)?.clone();
    let mut command = tokio::process::Command::new(program("mingting"));
    command.args(["--server", &demo.court.url(), "--code", &newcomer.code]);
    let mut window = Process::start(
        "the desktop client",
        &mut command,
        &demo.court.folder().join("window.log"),
    )?;
    println!(
        "Your code is in the window already; the name that it asks for is {}. Close the window or press Ctrl-C to end.",
        newcomer.name
    );
    let limit = Duration::from_secs(args.seconds.unwrap_or(24 * 3600));
    let play = async {
        // The window is the newcomer's, whatever becomes of the play.
        if let Err(error) = demo.act(Duration::from_secs(40), Duration::from_secs(12)).await {
            eprintln!("The play is over: {error:#}");
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = play => {}
        status = window.ended(limit) => {
            // Running out of time is the end that was asked for.
            if let Ok(status) = status && !status.success() {
                bail!("the desktop client ended with {status}:\n{}", window.log_end());
            }
            println!("The window is closed; the hearing ends.");
        }
    }
    window.stop().await?;
    demo.court.server().stop().await?;
    Ok(())
}

/// Who is who, and which code may be typed where.
fn print_codes(demo: &Demo, headless: bool) {
    let url = demo.court.url();
    println!("The court is at {url}");
    for invited in &demo.court.invited {
        let use_of_it = match demo.part_of(invited) {
            Part::Played => "played; this code would take the seat over",
            Part::Newcomer if headless => "the newcomer, played too",
            Part::Newcomer => "yours",
            Part::Free => "free: for a browser or a phone's page at the address above",
        };
        println!(
            "  {}  {} {}  ({use_of_it})",
            invited.code, invited.title, invited.name
        );
    }
}
