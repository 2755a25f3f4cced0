//! Linux: WebKitGTK without a GPU, and the watch over its web process.

use crate::frames::Lost;
use std::os::unix::process::CommandExt;
use tauri::WebviewWindow;
use webkit2gtk::WebViewExt;

const RENDERER_VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Where there is no render node, WebKitGTK's default renderer draws with software GL and takes five times the CPU.
/// The variable that turns it off must stand before GTK starts, so the program starts itself again with it.
pub(crate) fn prepare_environment() -> anyhow::Result<()> {
    if std::env::var_os(RENDERER_VARIABLE).is_some() || has_render_node() {
        return Ok(());
    }
    let error = std::process::Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(RENDERER_VARIABLE, "1")
        .exec();
    Err(anyhow::Error::new(error).context("starting again with the renderer variable"))
}

fn has_render_node() -> bool {
    std::fs::read_dir("/dev/dri")
        .map(|nodes| {
            nodes
                .flatten()
                .any(|node| node.file_name().to_string_lossy().starts_with("renderD"))
        })
        .unwrap_or(false)
}

/// Without a display GTK never answers.
pub(crate) fn can_show_a_box() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|display| !display.is_empty()))
}

/// Calls `died` whenever the web process behind the window ends, for whatever reason.
pub(crate) fn watch_web_process(
    window: &WebviewWindow,
    died: impl Fn() + Send + 'static,
) -> tauri::Result<()> {
    window.with_webview(move |webview| {
        webview.inner().connect_web_process_terminated(move |_, reason| {
            tracing::warn!(?reason, "the web process ended");
            died();
        });
    })
}

/// Ends the web process of a page that hangs: only then does WebKit load into a new one. That it ended, WebKit's signal says.
/// A page that is gone all the same did not load.
pub(crate) fn clear_away(window: &WebviewWindow, lost: Lost, died: impl FnOnce()) -> tauri::Result<()> {
    match lost {
        Lost::Hung => window.with_webview(|webview| webview.inner().terminate_web_process()),
        Lost::Gone => {
            died();
            Ok(())
        }
    }
}
