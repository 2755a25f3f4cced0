//! Where the program keeps what is its own on this computer, known before there is a window. The same folders as Tauri's.

use std::path::PathBuf;

/// As in `tauri.conf.json`, where a test looks.
const IDENTIFIER: &str = "cn.mingting.client";

/// Settings: the court's file, the window's size.
pub(crate) fn settings() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join(IDENTIFIER))
}

/// What the program keeps: reports of self-tests.
pub(crate) fn data() -> Option<PathBuf> {
    dirs::data_local_dir().map(|folder| folder.join(IDENTIFIER))
}

/// Logs.
pub(crate) fn logs() -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        dirs::home_dir().map(|home| home.join("Library/Logs").join(IDENTIFIER))
    } else {
        data().map(|folder| folder.join("logs"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_identifier_is_the_programs() {
        let settings: serde_json::Value =
            serde_json::from_str(include_str!("../tauri.conf.json")).expect("it is JSON");
        assert_eq!(settings["identifier"], super::IDENTIFIER);
    }
}
