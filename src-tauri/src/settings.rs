//! Opens the operating system's own settings for a device. Starts nothing but the system's opener, and with no words but fixed ones.

use protocol::{DeviceFault, HostError};
use std::process::{Command, Stdio};

/// What opens an address of the system's settings.
#[cfg(windows)]
const OPENER: &str = "explorer.exe";
#[cfg(target_os = "macos")]
const OPENER: &str = "/usr/bin/open";
#[cfg(not(any(windows, target_os = "macos")))]
const OPENER: &str = "xdg-open";

/// Opens the page; a system without one says so.
pub(crate) fn open(page: Option<&'static str>) -> Result<(), HostError> {
    let Some(page) = page else {
        return Err(HostError::Device {
            fault: DeviceFault::Missing,
        });
    };
    let mut opener = Command::new(OPENER)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            tracing::warn!(%error, "the system's settings do not open");
            HostError::Internal
        })?;
    // It hands the page over and ends; what it answers differs between systems and says nothing.
    if let Err(error) = opener.wait() {
        tracing::warn!(%error, "the opener of the system's settings is lost");
    }
    Ok(())
}
