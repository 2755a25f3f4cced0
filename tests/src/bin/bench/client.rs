//! `client`: what taking part costs in a hearing of six: the client sends 720 lines at 30 a second in three sizes and
//! shows five pictures of 640x360 at 25 a second.

use crate::{
    CHROMIUM, OURS, chromium,
    chromium::Chromium,
    cost,
    hearing::{Hearing, Others, SETTLE, on_the_measured_core},
    say,
};
use anyhow::{Context, Result, bail};
use protocol::Role;
use scenarios::{
    SOON, desk,
    process::Process,
    webdriver::{self, Display, Window},
    within,
};
use serde_json::{Value, json};
use std::{path::Path, path::PathBuf, time::Duration};

/// Length of the measured window.
const WINDOW: Duration = Duration::from_secs(8);

pub(crate) async fn run(rounds: usize) -> Result<()> {
    for round in 1..=rounds {
        say(OURS, round, ours().await?);
        say(CHROMIUM, round, chromium().await?);
        if let Some(empty) = empty_webview().await? {
            say("emptyWebview", round, empty);
        }
    }
    Ok(())
}

async fn hearing(folder: &Path) -> Result<Hearing> {
    chromium::page(folder)?;
    let court = Hearing::court(None, folder).await?;
    Hearing::assemble(court, Others::Five, Role::Defendant, "silence").await
}

/// CPU and memory of a program and everything below it while `shown` counts the frames it shows.
async fn cost_of<F>(pid: u32, mut shown: impl FnMut() -> F) -> Result<Value>
where
    F: Future<Output = Result<u64>>,
{
    tokio::time::sleep(SETTLE).await;
    let (frames, cpu) = (shown().await?, cost::cpu_seconds(pid)?);
    tokio::time::sleep(WINDOW).await;
    let cpu = cost::cpu_seconds(pid)? - cpu;
    let pss_mib = cost::pss_mib(pid)?;
    let frames = shown().await? - frames;
    if frames == 0 {
        bail!("no frame was shown in the measured window");
    }
    Ok(json!({
        "cores": cpu / WINDOW.as_secs_f64(),
        "pssMib": pss_mib,
        "shownPerSecond": frames as f64 / WINDOW.as_secs_f64(),
    }))
}

async fn ours() -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut hearing = hearing(folder.path()).await?;
    let (display, window) = window(&hearing).await?;
    desk::walk_to_waiting(&window, &hearing.measured).await?;
    hearing.admit().await?;
    // A person enters with the microphone closed; the peer sends sound as well.
    window
        .click("//button[starts-with(@aria-label, '麦克风：已静音')]")
        .await?;
    let others = format!("document.querySelectorAll('{OTHERS}')");
    let count = Others::Five.count();
    window
        .run_until(
            "the pictures of five others",
            &format!(
                "{} return [...{others}].filter((one) => readStamp(one)).length === {count};",
                desk::stamp_reader()
            ),
        )
        .await?;
    hearing.warm_up().await?;
    window.run(COUNT_FRAMES).await?;
    let shown = || async {
        let frames = window.run("return window.framesShown;").await?;
        frames.as_u64().context("the page counts frames")
    };
    let mut figures = cost_of(window.program()?, shown).await?;
    let sizes =
        format!("return [...{others}].map((one) => `${{one.width}}x${{one.height}}`).sort().join(' ');");
    figures["linesSent"] = hearing.lines_sent()?.into();
    figures["pictures"] = window.run(&sizes).await?;
    window.close().await?;
    drop(display);
    Ok(figures)
}

/// The pictures of the others on the real page.
const OTHERS: &str = ".video:not(.mirrored) > .picture";

/// Counts every frame that the page draws of somebody else.
const COUNT_FRAMES: &str = "
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    window.framesShown = 0;
    CanvasRenderingContext2D.prototype.drawImage = function (...all) {
        const box = this.canvas.parentElement;
        if (box && !box.classList.contains('mirrored')) window.framesShown += 1;
        return draw.apply(this, all);
    };";

/// The desktop client in a window on a display of its own, at the first screen.
pub(crate) async fn window(hearing: &Hearing) -> Result<(Display, Window)> {
    if !webdriver::available() {
        bail!("the window cannot be driven here");
    }
    let display = Display::open(hearing.court.folder()).await?;
    let (program, mut args) = on_the_measured_core(&webdriver::desktop_client());
    args.extend(["--synthetic".into(), "--server".into(), hearing.court.url()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let window = Window::open(&display, &program, &args, hearing.court.folder()).await?;
    Ok((display, window))
}

async fn chromium() -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut hearing = hearing(folder.path()).await?;
    let display = Display::open(hearing.court.folder()).await?;
    let mut browser = Chromium::in_court(&mut hearing, &display).await?;
    hearing.warm_up().await?;
    let count = Others::Five.count();
    within(SOON, "the pictures of five others", async {
        while browser.received().await?.videos < count {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await?;
    let pid = browser.pid;
    let browser = tokio::sync::Mutex::new(browser);
    let shared = &browser;
    let mut figures = cost_of(
        pid,
        || async move { Ok(shared.lock().await.received().await?.frames) },
    )
    .await?;
    let mut browser = browser.into_inner();
    figures["linesSent"] = hearing.lines_sent()?.into();
    figures["pictures"] = browser.call("sizes", &Value::Null).await?;
    browser.stop().await?;
    Ok(figures)
}

/// The memory of WebKit's own smallest program with an empty page in a window of the same size: the floor under ours.
async fn empty_webview() -> Result<Option<Value>> {
    let program = PathBuf::from(format!(
        "/usr/lib/{}-linux-gnu/webkit2gtk-4.1/MiniBrowser",
        std::env::consts::ARCH
    ));
    if !program.exists() {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let display = Display::open(folder.path()).await?;
    let mut command = tokio::process::Command::new(program);
    command
        .args(["--geometry=1366x768", "about:blank"])
        .env("DISPLAY", &display.name)
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("GDK_BACKEND", "x11")
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        // As our own program does where there is no graphics card.
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
        .env_remove("WAYLAND_DISPLAY");
    let browser = Process::start("MiniBrowser", &mut command, &folder.path().join("empty.log"))?;
    let pid = browser.id().context("it runs")?;
    within(SOON, "the empty page has a process", async {
        while webdriver::web_process(pid).is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    })
    .await
    .with_context(|| browser.log_end())?;
    tokio::time::sleep(SETTLE).await;
    Ok(Some(json!({ "pssMib": cost::pss_mib(pid)? })))
}
