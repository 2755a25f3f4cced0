//! Whether the operating system lets this program use camera and microphone, and which programs use them now: read, never
//! guessed, and never asked for. One face, one file per operating system.

#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(target_os = "linux", path = "linux.rs")]
mod system;

/// What a switch of the system is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarded {
    /// Pictures.
    Camera,
    /// Sound.
    Microphone,
}

/// How the switch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// This system has no such switch, or does not tell.
    Unknown,
    /// Allowed.
    Granted,
    /// Refused, by the person, an administrator or the system.
    Denied,
    /// Nobody was asked yet; opening the device asks.
    NotAsked,
}

/// How the system's switch stands now; it can change at any moment.
pub fn grant(of: Guarded) -> Grant {
    system::grant(of)
}

/// Where the person finds the switch: an address that the system's own settings open, where there is such a page.
pub fn settings_page(of: Guarded) -> Option<&'static str> {
    system::settings_page(of)
}

/// Programs that have such a device open, this one aside, by the names of their files; empty also where the system does not
/// tell.
pub fn holders(of: Guarded) -> Vec<String> {
    let mut names = system::holders(of);
    names.sort();
    names.dedup();
    names
}
