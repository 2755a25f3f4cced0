//! macOS: what TCC holds for this application, by AVFoundation. Not run anywhere yet: it is type-checked on Linux.

use objc2_av_foundation::{AVAuthorizationStatus, AVCaptureDevice, AVMediaTypeAudio, AVMediaTypeVideo};

use super::{Grant, Guarded};

pub(super) fn grant(of: Guarded) -> Grant {
    // SAFETY: constants of the framework, set before any code of ours runs.
    let media = unsafe {
        match of {
            Guarded::Camera => AVMediaTypeVideo,
            Guarded::Microphone => AVMediaTypeAudio,
        }
    };
    let Some(media) = media else { return Grant::Unknown };
    // SAFETY: a query without preconditions.
    match unsafe { AVCaptureDevice::authorizationStatusForMediaType(media) } {
        AVAuthorizationStatus::Authorized => Grant::Granted,
        AVAuthorizationStatus::NotDetermined => Grant::NotAsked,
        AVAuthorizationStatus::Denied | AVAuthorizationStatus::Restricted => Grant::Denied,
        _ => Grant::Unknown,
    }
}

pub(super) fn settings_page(of: Guarded) -> Option<&'static str> {
    Some(match of {
        Guarded::Camera => "x-apple.systempreferences:com.apple.preference.security?Privacy_Camera",
        Guarded::Microphone => "x-apple.systempreferences:com.apple.preference.security?Privacy_Microphone",
    })
}

/// The system does not tell.
pub(super) fn holders(_of: Guarded) -> Vec<String> {
    Vec::new()
}
