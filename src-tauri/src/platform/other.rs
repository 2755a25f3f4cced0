//! Windows and macOS. No signal of the system tells that a page died: the frame socket misses it (see `frames`), which
//! takes some seconds longer.

use crate::frames::Lost;
use tauri::WebviewWindow;

/// Nothing to prepare.
pub(crate) fn prepare_environment() -> anyhow::Result<()> {
    Ok(())
}

/// WebView2's `ProcessFailed` and WKWebView's `webViewWebContentProcessDidTerminate` are out of Tauri's reach; `died` is
/// never called.
pub(crate) fn watch_web_process(
    _window: &WebviewWindow,
    _died: impl Fn() + Send + 'static,
) -> tauri::Result<()> {
    Ok(())
}

/// Nothing to clear away: loading again starts a new web process where the old one is dead or does not answer.
pub(crate) fn clear_away(_window: &WebviewWindow, _lost: Lost, died: impl FnOnce()) -> tauri::Result<()> {
    died();
    Ok(())
}
