//! Windows 10 and later: the privacy switches, as the system keeps them in its registry. A desktop program stands under
//! three of them: for the whole computer, for this user, and for this user's desktop programs. Beside them the system notes
//! when each program used a device. Windows 7 has none of it.

use windows_registry::{CURRENT_USER, Key, LOCAL_MACHINE};

use super::{Grant, Guarded};

const STORE: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore";

pub(super) fn grant(of: Guarded) -> Grant {
    together([
        switch(LOCAL_MACHINE, &store(of)),
        switch(CURRENT_USER, &store(of)),
        switch(CURRENT_USER, &desktop_programs(of)),
    ])
}

fn store(of: Guarded) -> String {
    let device = match of {
        Guarded::Camera => "webcam",
        Guarded::Microphone => "microphone",
    };
    format!(r"{STORE}\{device}")
}

fn desktop_programs(of: Guarded) -> String {
    format!(r"{}\NonPackaged", store(of))
}

/// A program that uses a device has begun and has not stopped.
pub(super) fn holders(of: Guarded) -> Vec<String> {
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(|path| path.file_name()?.to_str());
    let Ok(programs) = CURRENT_USER.open(desktop_programs(of)) else {
        return Vec::new();
    };
    let Ok(names) = programs.keys() else {
        return Vec::new();
    };
    names
        .filter(|name| {
            let noted = programs
                .open(name)
                .and_then(|program| program.get_u64("LastUsedTimeStop"));
            noted.is_ok_and(|stopped| stopped == 0)
        })
        .map(|name| file_name(&name).to_owned())
        .filter(|name| Some(name.as_str()) != own)
        .collect()
}

/// A key's name is the program's path with `#` for each separator.
fn file_name(key: &str) -> &str {
    key.rsplit('#').next().unwrap_or(key)
}

fn switch(root: &Key, path: &str) -> Option<String> {
    root.open(path).ok()?.get_string("Value").ok()
}

/// One refusal is enough; a switch that was never touched is not there.
fn together(switches: [Option<String>; 3]) -> Grant {
    let is =
        |value: &Option<String>, word: &str| value.as_deref().is_some_and(|v| v.eq_ignore_ascii_case(word));
    if switches.iter().any(|value| is(value, "Deny")) {
        Grant::Denied
    } else if switches.iter().any(|value| is(value, "Allow")) {
        Grant::Granted
    } else {
        Grant::Unknown
    }
}

pub(super) fn settings_page(of: Guarded) -> Option<&'static str> {
    Some(match of {
        Guarded::Camera => "ms-settings:privacy-webcam",
        Guarded::Microphone => "ms-settings:privacy-microphone",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_a_key_is_the_program() {
        assert_eq!(file_name("C:#Program Files#Some#meeting.exe"), "meeting.exe");
        assert_eq!(file_name("meeting.exe"), "meeting.exe");
    }

    #[test]
    fn one_refusal_is_enough() {
        let of = |values: [&str; 3]| together(values.map(|v| (!v.is_empty()).then(|| v.to_owned())));
        for (values, grant) in [
            (["Allow", "Allow", "Allow"], Grant::Granted),
            (["Allow", "Allow", "Deny"], Grant::Denied),
            (["deny", "", ""], Grant::Denied),
            (["", "Allow", ""], Grant::Granted),
            (["", "", ""], Grant::Unknown),
            (["Prompt", "", ""], Grant::Unknown),
        ] {
            assert_eq!(of(values), grant, "{values:?}");
        }
    }
}
