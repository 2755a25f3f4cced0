//! Windows and macOS. A page that dies is not noticed here yet: WebView2's `ProcessFailed` and WKWebView's
//! `webViewWebContentProcessDidTerminate` are not wired up. Sound and seat go on; its owner loads the page again.

use tauri::WebviewWindow;

/// Nothing to prepare.
pub(crate) fn prepare_environment() -> anyhow::Result<()> {
    Ok(())
}

/// No signal is wired up here yet: `died` is never called.
pub(crate) fn watch_web_process(
    _window: &WebviewWindow,
    _died: impl Fn() + Send + 'static,
) -> tauri::Result<()> {
    Ok(())
}
