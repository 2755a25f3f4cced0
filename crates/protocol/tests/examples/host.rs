//! What the page and its host say to each other.

use super::every_variant;
use protocol::*;

pub(crate) fn events() -> Vec<HostEvent> {
    let mut events = every_variant!(vec![
        HostEvent::Link { state: LinkState::Live },
        HostEvent::MediaLink { state: LinkState::Connecting },
        HostEvent::Channel { frame: ServerFrame::Bye { reason: ByeReason::Restarting } },
        HostEvent::Tracks {
            tracks: vec![TrackInfo {
                slot: 1,
                seat: "s2".into(),
                source: TrackSource::Camera,
                own: false,
                muted: false,
                width: 1280,
                height: 720,
            }],
        },
        HostEvent::Speakers { seats: vec!["s2".into()] },
        HostEvent::Level { rms_db: -32.5, peak_db: -20.0, talking_while_muted: true },
        HostEvent::Devices {
            list: DeviceList {
                devices: vec![DeviceInfo {
                    id: "cam-1".into(),
                    kind: DeviceKind::Camera,
                    name: "USB Camera".into(),
                    default: true,
                }],
                camera: Some("cam-1".into()),
                microphone: None,
                speaker: None,
            },
        },
        HostEvent::Device { kind: DeviceKind::Microphone, state: DeviceState::Off },
        HostEvent::Network {
            quality: NetQuality::Good,
            rtt_ms: 30,
            loss: 0.5,
            sending_kbps: 1500,
            receiving_kbps: 3000,
        },
        HostEvent::Playback { blocked: true },
        HostEvent::SelfTest { progress: Box::new(super::selftest::progress()) },
        HostEvent::ShareEnded,
        HostEvent::OpenCode { code: Secret::new("12345674") },
    ], HostEvent: Link MediaLink Channel Tracks Speakers Level Devices Device Network Playback SelfTest ShareEnded OpenCode);
    let links = every_variant!(vec![
        LinkState::Connecting,
        LinkState::Live,
        LinkState::Retrying { attempt: 2, retry_in_ms: 1500, lost_for_ms: 4000 },
        LinkState::Ended { reason: ByeReason::Replaced },
    ], LinkState: Connecting Live Retrying Ended);
    events.extend(links.into_iter().map(|state| HostEvent::Link { state }));
    let devices = every_variant!(vec![
        DeviceState::Off,
        DeviceState::Opening,
        DeviceState::On { device: "cam-1".into(), width: 1280, height: 720, fps: 30 },
        DeviceState::Failed { fault: DeviceFault::Busy },
    ], DeviceState: Off Opening On Failed);
    let camera = |state| HostEvent::Device {
        kind: DeviceKind::Camera,
        state,
    };
    events.extend(devices.into_iter().map(camera));
    events.extend(
        faults()
            .into_iter()
            .map(|fault| camera(DeviceState::Failed { fault })),
    );
    events
}

fn faults() -> Vec<DeviceFault> {
    every_variant!(vec![
        DeviceFault::Missing, DeviceFault::Busy, DeviceFault::Denied, DeviceFault::Hung, DeviceFault::Unplugged,
        DeviceFault::Broken, DeviceFault::NotSent,
    ], DeviceFault: Missing Busy Denied Hung Unplugged Broken NotSent)
}

pub(crate) fn errors() -> Vec<HostError> {
    every_variant!(vec![
        HostError::Api {
            error: ApiError { code: ApiErrorCode::CodeNotAccepted, retry_after_ms: None, valid_from: None },
        },
        HostError::Unreachable,
        HostError::Device { fault: DeviceFault::Denied },
        HostError::NoSession,
        HostError::ShareDenied,
        HostError::Internal,
    ], HostError: Api Unreachable Device NoSession ShareDenied Internal)
}

pub(crate) fn frame_requests() -> Vec<FrameRequest> {
    every_variant!(vec![
        FrameRequest::Key { slot: 3 },
        FrameRequest::Alive,
        FrameRequest::NativeDecode { on: true },
    ], FrameRequest: Key Alive NativeDecode)
}

pub(crate) fn start_info() -> Vec<StartInfo> {
    vec![StartInfo {
        version: "0.1.0".into(),
        server: "http://127.0.0.1:8443".into(),
        code: Some(Secret::new("12345674")),
        frames: FrameSocket {
            url: "ws://127.0.0.1:40000".into(),
            token: Secret::new("frame-token"),
        },
        session: super::api::seat_taken().pop(),
    }]
}

pub(crate) fn quick_check() -> Vec<QuickCheck> {
    vec![QuickCheck {
        camera: DeviceState::On {
            device: "cam-1".into(),
            width: 1280,
            height: 720,
            fps: 30,
        },
        microphone: DeviceState::Failed {
            fault: DeviceFault::Missing,
        },
        loudest_db: -90.0,
        server_reachable: true,
        rtt_ms: Some(12),
        media_reachable: None,
    }]
}
