//! Self-tests: one where everything was measured, one where devices failed, one that was interrupted at once.

use super::every_variant;
use protocol::*;

fn part(score: TestScore) -> TestPart {
    TestPart {
        score,
        findings: Vec::new(),
        remedies: Vec::new(),
    }
}

/// With every finding and remedy there is, which no real test has.
fn every_code() -> TestPart {
    TestPart {
        score: TestScore::Bad,
        findings: every_variant!(vec![
            TestFinding::CameraMissing, TestFinding::CameraBusy, TestFinding::CameraDenied,
            TestFinding::CameraUnplugged, TestFinding::CameraBroken, TestFinding::CameraBlack,
            TestFinding::CameraFrozen, TestFinding::CameraDark, TestFinding::CameraBright,
            TestFinding::CameraBlurred, TestFinding::CameraSlow, TestFinding::CameraSmall,
            TestFinding::CameraUpsideDown, TestFinding::OnlyTunnel,
            TestFinding::MicrophoneMissing, TestFinding::MicrophoneBusy,
            TestFinding::MicrophoneDenied, TestFinding::MicrophoneUnplugged,
            TestFinding::MicrophoneBroken, TestFinding::MicrophoneDead,
            TestFinding::MicrophoneOther, TestFinding::MicrophoneNoSpeech,
            TestFinding::MicrophoneQuiet, TestFinding::MicrophoneClipped,
            TestFinding::MicrophoneNoisy, TestFinding::SpeakerMissing, TestFinding::SpeakerBusy,
            TestFinding::SpeakerBroken, TestFinding::SpeakerNotHeard, TestFinding::Echo,
            TestFinding::LoudspeakerHeard, TestFinding::NameUnknown,
            TestFinding::ServerUnreachable, TestFinding::TlsRefused, TestFinding::NotTheCourt,
            TestFinding::ChannelClosed, TestFinding::UdpClosed, TestFinding::MediaClosed,
            TestFinding::NetworkSlow, TestFinding::NetworkUneven, TestFinding::NetworkLossy,
            TestFinding::NetworkVeryLossy, TestFinding::UplinkNarrow, TestFinding::UplinkTooNarrow,
            TestFinding::DownlinkNarrow, TestFinding::DownlinkTooNarrow, TestFinding::ClockWrong,
            TestFinding::ComputerSlow, TestFinding::ComputerTooSlow, TestFinding::ComputerBusy,
            TestFinding::MemoryShort, TestFinding::DiskShort, TestFinding::BatteryLow,
            TestFinding::PowerSaving, TestFinding::PermissionCamera,
            TestFinding::PermissionMicrophone, TestFinding::Unfinished,
        ], TestFinding:
            CameraMissing CameraBusy CameraDenied CameraUnplugged CameraBroken CameraBlack
            CameraFrozen CameraDark CameraBright CameraBlurred CameraSlow CameraSmall CameraUpsideDown OnlyTunnel
            MicrophoneMissing MicrophoneBusy MicrophoneDenied MicrophoneUnplugged MicrophoneBroken
            MicrophoneDead MicrophoneOther MicrophoneNoSpeech MicrophoneQuiet MicrophoneClipped
            MicrophoneNoisy SpeakerMissing SpeakerBusy SpeakerBroken SpeakerNotHeard Echo
            LoudspeakerHeard NameUnknown ServerUnreachable TlsRefused NotTheCourt ChannelClosed
            UdpClosed MediaClosed NetworkSlow NetworkUneven NetworkLossy NetworkVeryLossy
            UplinkNarrow UplinkTooNarrow DownlinkNarrow DownlinkTooNarrow ClockWrong ComputerSlow
            ComputerTooSlow ComputerBusy MemoryShort DiskShort BatteryLow PowerSaving
            PermissionCamera PermissionMicrophone Unfinished
        ),
        remedies: every_variant!(vec![
            TestRemedy::ConnectCamera, TestRemedy::CloseCameraPrograms, TestRemedy::AllowCamera,
            TestRemedy::OpenCover, TestRemedy::CheckAntivirus, TestRemedy::Replug,
            TestRemedy::ChooseOther, TestRemedy::MoreLight, TestRemedy::LessLight,
            TestRemedy::WipeLens, TestRemedy::TurnPicture, TestRemedy::ConnectMicrophone,
            TestRemedy::CloseMicrophonePrograms, TestRemedy::AllowMicrophone,
            TestRemedy::HardwareSwitch, TestRemedy::TakeLiveMicrophone, TestRemedy::SpeakAgain,
            TestRemedy::RaiseLevel, TestRemedy::LowerLevel, TestRemedy::QuietRoom,
            TestRemedy::ConnectSpeaker, TestRemedy::TurnUp, TestRemedy::UseHeadset, TestRemedy::CheckInternet,
            TestRemedy::AskAddress, TestRemedy::LeaveProxy, TestRemedy::AskAdministratorUdp,
            TestRemedy::AskAdministrator, TestRemedy::UsePhoneNetwork, TestRemedy::UseCable,
            TestRemedy::StopDownloads, TestRemedy::SetClock, TestRemedy::ClosePrograms,
            TestRemedy::FreeDisk, TestRemedy::PlugIn, TestRemedy::LeavePowerSaving,
            TestRemedy::UseOtherComputer, TestRemedy::TestAgain, TestRemedy::CallClerk,
        ], TestRemedy:
            ConnectCamera CloseCameraPrograms AllowCamera OpenCover CheckAntivirus Replug
            ChooseOther MoreLight LessLight WipeLens TurnPicture ConnectMicrophone CloseMicrophonePrograms
            AllowMicrophone HardwareSwitch TakeLiveMicrophone SpeakAgain RaiseLevel LowerLevel
            QuietRoom ConnectSpeaker TurnUp UseHeadset CheckInternet AskAddress LeaveProxy AskAdministratorUdp
            AskAdministrator UsePhoneNetwork UseCable StopDownloads SetClock ClosePrograms FreeDisk
            PlugIn LeavePowerSaving UseOtherComputer TestAgain CallClerk
        ),
    }
}

fn test(facts: TestFacts, overall: TestPart) -> SelfTest {
    SelfTest {
        taken_at: TimeMs(1_700_000_000_000),
        took_ms: 21_400,
        version: "0.1.0".into(),
        facts,
        camera: part(TestScore::Good),
        microphone: part(TestScore::Good),
        speaker: part(TestScore::Unknown),
        network: part(TestScore::Usable),
        computer: part(TestScore::Good),
        permissions: part(TestScore::Good),
        overall,
    }
}

fn measured() -> TestFacts {
    TestFacts {
        camera: Some(CameraFacts::Seen {
            device: "HD Camera".into(),
            width: 1280,
            height: 720,
            fps: 29.5,
            first_ms: 420,
            brightness: 0.5,
            burnt: 0.0,
            contrast: 0.25,
            sharpness: 180.0,
            frozen: 0.0,
            flipped: false,
        }),
        microphone: Some(MicrophoneFacts::Heard {
            device: "Headset".into(),
            speech_db: Some(-24.5),
            noise_db: -62.0,
            peak_db: -9.0,
            clipped: 0.0,
            live: None,
        }),
        speaker: Some(SpeakerFacts::Played {
            device: "Speakers".into(),
            heard: Some(true),
            headset: Some(false),
            echo: Some(EchoFacts {
                delay_ms: 62.5,
                level_db: -14.0,
                residual_db: -48.0,
            }),
        }),
        network: Some(NetworkFacts {
            name: TestPath::Open,
            reach: TestPath::Open,
            tls: TestPath::Open,
            answer: TestPath::Open,
            channel: TestPath::Open,
            udp: TestPath::Closed,
            tcp: TestPath::Open,
            tunnel: TestPath::Open,
            proxy: true,
            rtt_ms: Some(64.0),
            jitter_ms: Some(8.5),
            loss: Some(0.0625),
            up_bps: Some(3_200_000),
            down_bps: Some(9_600_000),
            skew_ms: Some(-40),
        }),
        computer: Some(ComputerFacts {
            system: "Windows 10".into(),
            webview: Some("109.0".into()),
            cores: 4,
            busy: Some(0.25),
            memory_mib: Some(8_192),
            free_memory_mib: Some(3_000),
            free_disk_mib: Some(40_000),
            power: Some(TestPower::Battery { percent: 80 }),
            saver: Some(false),
            codec: vec![CodecSpeed {
                height: 720,
                encode_fps: 120.0,
                decode_fps: 330.0,
            }],
        }),
        permissions: Some(PermissionFacts {
            camera: TestGrant::Granted,
            microphone: TestGrant::NotAsked,
        }),
    }
}

fn failed() -> TestFacts {
    TestFacts {
        camera: Some(CameraFacts::Failed {
            fault: DeviceFault::Busy,
            device: Some("HD Camera".into()),
            held_by: vec!["meeting.exe".into()],
        }),
        microphone: Some(MicrophoneFacts::Failed {
            fault: DeviceFault::Missing,
            device: None,
        }),
        speaker: Some(SpeakerFacts::Failed {
            fault: DeviceFault::Hung,
            device: None,
        }),
        network: Some(NetworkFacts::default()),
        computer: Some(ComputerFacts {
            power: Some(TestPower::Mains),
            ..ComputerFacts::default()
        }),
        permissions: Some(PermissionFacts {
            camera: TestGrant::Denied,
            microphone: TestGrant::Unknown,
        }),
    }
}

pub(crate) fn all() -> Vec<SelfTest> {
    vec![
        test(measured(), part(TestScore::Usable)),
        test(failed(), every_code()),
        test(TestFacts::default(), part(TestScore::Unknown)),
    ]
}

/// In the middle of it.
pub(crate) fn progress() -> SelfTestProgress {
    SelfTestProgress {
        over: vec![TestStep::Computer, TestStep::Camera],
        running: every_variant!(
            vec![TestStep::Computer, TestStep::Camera, TestStep::Sound, TestStep::Network],
            TestStep: Computer Camera Sound Network
        ),
        report: test(TestFacts::default(), part(TestScore::Unknown)),
        done: false,
    }
}
