//! Windows and macOS. WebView2 and WKWebView restart a lost renderer by themselves when the page is loaded again;
//! the page's heartbeat (see `window`) is what notices it.

use tauri::WebviewWindow;

/// Nothing to prepare.
pub(crate) fn prepare_environment() -> anyhow::Result<()> {
    Ok(())
}

/// No signal is wired up here yet; the heartbeat alone watches.
pub(crate) fn watch_web_process(
    _window: &WebviewWindow,
    _died: impl Fn() + Send + 'static,
) -> tauri::Result<()> {
    Ok(())
}
