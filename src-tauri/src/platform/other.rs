//! Windows and macOS. That a page died, on macOS the system says (see `shell`); on Windows the frame socket misses it (see
//! `frames`), which takes some seconds longer. Neither was seen on a real machine of theirs.

use crate::frames::Lost;
use tauri::WebviewWindow;

/// Nothing to prepare.
pub(crate) fn prepare_environment() -> anyhow::Result<()> {
    Ok(())
}

/// The system always can.
pub(crate) fn can_show_a_box() -> bool {
    true
}

/// Nothing here: WebView2's `ProcessFailed` would need `unsafe`, and WKWebView's signal goes to the whole program. `died` is
/// never called.
pub(crate) fn watch_web_process(
    _window: &WebviewWindow,
    _died: impl Fn() + Send + 'static,
) -> tauri::Result<()> {
    Ok(())
}

/// The page is loaded again, whatever is left of it.
pub(crate) fn clear_away(_window: &WebviewWindow, _lost: Lost, died: impl FnOnce()) -> tauri::Result<()> {
    died();
    Ok(())
}
