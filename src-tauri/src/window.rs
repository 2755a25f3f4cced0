//! The hearing window: made once, shows only our own page, and is loaded again when that page dies or hangs.
//!
//! Sound and the seat do not live here. A reload asks `app.start` and goes straight back to the seat.

use crate::frames::Lost;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tauri::utils::config::BackgroundThrottlingPolicy;
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

/// The only window; capabilities name it.
pub(crate) const LABEL: &str = "hearing";
/// Design size of the interface.
const SIZE: (f64, f64) = (1366.0, 768.0);
/// Below this the courtroom does not fit and the phone layout is used.
const MINIMUM: (f64, f64) = (380.0, 560.0);

/// Deaths of the web process that are followed by an immediate reload, within [`DEATH_WINDOW`].
const QUICK_RELOADS: usize = 3;
/// How far back deaths are counted.
const DEATH_WINDOW: Duration = Duration::from_secs(60);
/// Pause before a reload once the web process dies again and again, so that sound keeps its CPU.
const SLOW_RELOAD: Duration = Duration::from_secs(5);

/// Makes the window.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("明庭")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(MINIMUM.0, MINIMUM.1)
        .on_navigation(is_own_page)
        // A minimised window goes on: a suspended page could not answer, and would be taken for one that hangs.
        .background_throttling(BackgroundThrottlingPolicy::Disabled)
        .build()?;
    let reloads = Reloads::of(app);
    app.manage(reloads.clone());
    crate::platform::watch_web_process(&window, move || reloads.one_more())?;
    Ok(window)
}

/// The page is missed: it is loaded again.
pub(crate) fn page_lost(app: &AppHandle, lost: Lost) {
    tracing::warn!(?lost, "the page is missed");
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let reloads = app.state::<Reloads>();
    if let Err(error) = crate::platform::clear_away(&window, lost, || reloads.one_more()) {
        tracing::error!(%error, "a page that was lost cannot be cleared away");
    }
}

/// The system says that the page's web process ended.
#[cfg(target_os = "macos")]
pub(crate) fn page_died(app: &AppHandle) {
    if let Some(reloads) = app.try_state::<Reloads>() {
        reloads.one_more();
    }
}

/// Loads the page again, each time after the pause that its deaths so far call for. Cheap to clone.
#[derive(Clone)]
struct Reloads {
    app: AppHandle,
    deaths: Arc<Mutex<VecDeque<Instant>>>,
}

impl Reloads {
    fn of(app: &AppHandle) -> Self {
        Self {
            app: app.clone(),
            deaths: Arc::default(),
        }
    }

    fn one_more(&self) {
        let pause = {
            let mut deaths = self.deaths.lock().expect("no holder of the list panics");
            reload_after(&mut deaths, now())
        };
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(pause).await;
            reload(&app);
        });
    }
}

/// Brings the window to the front, for a second start of the program.
pub(crate) fn raise(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        // A window manager may refuse any of these; the window is there all the same.
        let _ = window.unminimize();
        let _ = window.show();
        let _ = window.set_focus();
    }
}

/// Closing the window is leaving the hearing, which may cost a party the case: it is asked first, by the system and not by the
/// page, which may be the reason for closing.
pub(crate) fn ask_before_closing(app: &AppHandle) {
    static ASKING: AtomicBool = AtomicBool::new(false);
    if ASKING.swap(true, Relaxed) {
        return;
    }
    let (leave, stay) = ("关闭".to_owned(), "留在庭审".to_owned());
    let question = rfd::AsyncMessageDialog::new()
        .set_level(rfd::MessageLevel::Warning)
        .set_title("确定要关闭明庭吗？")
        .set_description(
            "您正在参加庭审。关闭后，法庭会看到您已断开；未经许可退出，可能影响您的诉讼权利。\n\
             席位仍为您保留：重新打开明庭，输入庭审码即可返回。",
        )
        .set_buttons(rfd::MessageButtons::OkCancelCustom(leave.clone(), stay));
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let answer = question.show().await;
        ASKING.store(false, Relaxed);
        // GTK says which button it was, Windows and macOS what was written on it.
        use rfd::MessageDialogResult::{Custom, Ok};
        if answer == Ok || answer == Custom(leave) {
            app.exit(0);
        }
    });
}

fn reload(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    match window.reload() {
        Ok(()) => tracing::info!("the page is loaded again"),
        Err(error) => tracing::error!(%error, "the page cannot be loaded again"),
    }
}

/// No remote page ever shows in the window that holds the court's pictures.
fn is_own_page(url: &tauri::Url) -> bool {
    match url.scheme() {
        "tauri" => true,
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

/// Policy: at once for the first deaths, then slowly, for ever; a hearing is never left without a page.
fn reload_after(deaths: &mut VecDeque<Instant>, now: Instant) -> Duration {
    while deaths
        .front()
        .is_some_and(|&death| now.duration_since(death) > DEATH_WINDOW)
    {
        deaths.pop_front();
    }
    deaths.push_back(now);
    if deaths.len() <= QUICK_RELOADS {
        Duration::ZERO
    } else {
        SLOW_RELOAD
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell's one reading of the clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_process_that_keeps_dying_is_reloaded_slowly_and_never_given_up() {
        let mut deaths = VecDeque::new();
        let start = now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let pauses: Vec<_> = (0..6).map(|i| reload_after(&mut deaths, at(i))).collect();
        assert_eq!(pauses[..3], [Duration::ZERO; 3]);
        assert_eq!(pauses[3..], [SLOW_RELOAD; 3]);
        assert_eq!(reload_after(&mut deaths, at(200)), Duration::ZERO);
    }

    #[test]
    fn only_our_own_page_may_be_shown() {
        for (url, own) in [
            ("tauri://localhost/index.html", true),
            ("http://tauri.localhost/#/login", true),
            ("https://court.example/", false),
            ("http://127.0.0.1:8443/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(
                is_own_page(&tauri::Url::parse(url).expect("a test address")),
                own,
                "{url}"
            );
        }
    }
}
