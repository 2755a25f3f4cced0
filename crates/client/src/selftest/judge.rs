//! What follows from the facts of a self-test: findings, a score for each part, and steps that help.
//!
//! Pure: figures in, codes out, one place for every threshold. The page has the same policy for browsers (`ui/src/model/judge.ts`);
//! both are held against `cases.json`. Never measures, and never keeps anybody out of court.

use protocol::{
    CameraFacts, CodecSpeed, ComputerFacts, DeviceFault, MicrophoneFacts, NetworkFacts, PermissionFacts,
    SpeakerFacts, TestFacts, TestFinding as Finding, TestGrant, TestPart, TestPath, TestPower,
    TestRemedy as Remedy, TestScore as Score,
};

/// Steps that a person is told of one part, at most: nobody follows more.
pub const MAX_REMEDIES: usize = 3;

/// A picture darker than this with less contrast than [`BLACK_CONTRAST`] shows nothing.
const BLACK: f32 = 0.08;
/// A dark room still has lamps and edges; a covered lens has noise.
const BLACK_CONTRAST: f32 = 0.03;
/// Below this mean luma a face is hard to make out.
const DARK: f32 = 0.2;
/// Above this, or with more than [`BURNT`] of it burnt out, a face is washed out.
const BRIGHT: f32 = 0.85;
/// See [`BRIGHT`]. A white wall or a window at the edge stays below.
const BURNT: f32 = 0.3;
/// Below this variance of the Laplacian there is hardly an edge in the picture.
const BLURRED: f32 = 20.0;
/// A camera's noise changes every picture; repeated ones are a frozen driver.
const FROZEN: f32 = 0.9;
/// Below this many pictures a second movement is seen in jerks.
const SLOW_FPS: f32 = 12.0;
/// Lines below which a face is hard to make out in a large tile.
const SMALL_LINES: u32 = 360;

/// Even a quiet microphone has noise above this; below it nothing is connected, or a switch is off. In dBFS.
const DEAD_PEAK_DB: f32 = -80.0;
/// Speech below this is heard with effort, in dBFS.
const QUIET_DB: f32 = -36.0;
/// Part of the samples at full scale from which words are distorted.
const CLIPPED: f32 = 0.001;
/// Background above this is heard all the time, in dBFS.
const NOISY_DB: f32 = -40.0;
/// Speech must stand out of the background by this much, in dB.
const OVER_NOISE_DB: f32 = 12.0;

/// What comes back above this after the canceller is heard by the others, in dB of what was played.
pub(super) const ECHO_DB: f32 = -30.0;

/// Round trip from which people begin to talk at the same time, in milliseconds (ITU-T G.114: 150 ms one way and more).
const SLOW_RTT_MS: f32 = 400.0;
/// Variation of the delay from which sound waits noticeably, in milliseconds.
const UNEVEN_MS: f32 = 50.0;
/// Part of packets lost from which pictures suffer.
const LOSSY: f32 = 0.03;
/// Part of packets lost from which sound suffers too.
const VERY_LOSSY: f32 = 0.2;
/// Sound with redundancy and the smallest picture, in bits a second.
const LEAST_UP_BPS: u64 = 300_000;
/// All three layers of the picture, sound and repairs, in bits a second.
const GOOD_UP_BPS: u64 = 2_500_000;
/// Everybody's voice and the smallest picture of who speaks, in bits a second.
const LEAST_DOWN_BPS: u64 = 300_000;
/// Five small pictures, a shared screen, sound and repairs, in bits a second.
const GOOD_DOWN_BPS: u64 = 2_500_000;
/// A clock further off than this spoils times on the record and signatures, in milliseconds.
const CLOCK_MS: u64 = 60_000;

/// Pictures a second that are sent of each layer.
const SENT_FPS: f32 = 30.0;
/// Part of one core that encoding may take: the rest is for the others' pictures and the page.
const ENCODING_SHARE: f32 = 0.8;
/// Lines of the largest layer that a slow computer is still to send.
const MODEST_LINES: u32 = 360;
/// More of the processors than this was busy before anything began.
const BUSY: f32 = 0.7;
/// Less than this and the system begins to swap, in MiB.
const MEMORY_MIB: u64 = 400;
/// Logs and files of a hearing, in MiB.
const DISK_MIB: u64 = 500;
/// Less than this does not last a hearing, in percent.
const BATTERY_PERCENT: u8 = 40;

/// Everything that follows from the facts, part by part and as a whole.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// 摄像头.
    pub camera: TestPart,
    /// 麦克风.
    pub microphone: TestPart,
    /// 扬声器.
    pub speaker: TestPart,
    /// 网络.
    pub network: TestPart,
    /// 电脑性能.
    pub computer: TestPart,
    /// 系统权限.
    pub permissions: TestPart,
    /// All of it.
    pub overall: TestPart,
}

/// Judges what was measured.
pub fn judge(facts: &TestFacts) -> Verdict {
    let camera = part(facts.camera.as_ref().map(camera));
    let microphone = part(facts.microphone.as_ref().map(microphone));
    let speaker = match &facts.speaker {
        // Played, and nobody said whether it was heard: nothing is known of it.
        Some(SpeakerFacts::Played {
            heard: None,
            echo: None,
            ..
        }) => part(None),
        facts => part(facts.as_ref().map(speaker)),
    };
    let network = part(facts.network.as_ref().and_then(network));
    let computer = part(facts.computer.as_ref().map(computer));
    let permissions = part(facts.permissions.as_ref().and_then(permissions));
    // The order in which somebody would put it right.
    let parts = [&permissions, &camera, &microphone, &speaker, &network, &computer];
    let mut findings: Vec<Finding> = parts
        .iter()
        .flat_map(|part| part.findings.iter().copied())
        .collect();
    let is_tested = |part: &TestPart| part.score != Score::Unknown;
    let tested = parts.into_iter().any(is_tested);
    // Whoever is neither seen nor heard takes no part.
    note(
        &mut findings,
        ![&camera, &microphone, &network].into_iter().all(is_tested),
        Finding::Unfinished,
    );
    let overall = part(tested.then_some(findings));
    Verdict {
        camera,
        microphone,
        speaker,
        network,
        computer,
        permissions,
        overall,
    }
}

/// Sums findings up; none is a part that was not tested.
fn part(findings: Option<Vec<Finding>>) -> TestPart {
    let Some(mut findings) = findings else {
        return TestPart {
            score: Score::Unknown,
            findings: Vec::new(),
            remedies: Vec::new(),
        };
    };
    // Stable: within one gravity the order of the part stays.
    findings.sort_by_key(|finding| match gravity(*finding) {
        Score::Bad => 0,
        Score::Usable => 1,
        Score::Good | Score::Unknown => 2,
    });
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in findings.iter().flat_map(|finding| steps(*finding)) {
        if !remedies.contains(remedy) && remedies.len() < MAX_REMEDIES {
            remedies.push(*remedy);
        }
    }
    TestPart {
        score: findings.first().map_or(Score::Good, |gravest| gravity(*gravest)),
        findings,
        remedies,
    }
}

fn camera(facts: &CameraFacts) -> Vec<Finding> {
    let CameraFacts::Seen {
        height,
        fps,
        brightness,
        burnt,
        contrast,
        sharpness,
        frozen,
        flipped,
        ..
    } = *facts
    else {
        let CameraFacts::Failed { fault, .. } = facts else {
            return Vec::new();
        };
        return vec![match fault {
            DeviceFault::Missing => Finding::CameraMissing,
            DeviceFault::Busy => Finding::CameraBusy,
            DeviceFault::Denied => Finding::CameraDenied,
            DeviceFault::Unplugged => Finding::CameraUnplugged,
            DeviceFault::Hung | DeviceFault::Broken | DeviceFault::NotSent => Finding::CameraBroken,
        }];
    };
    let mut found = Vec::new();
    let black = brightness < BLACK && contrast < BLACK_CONTRAST;
    let dark = !black && brightness < DARK;
    let bright = brightness > BRIGHT || burnt > BURNT;
    note(&mut found, black, Finding::CameraBlack);
    // Nothing changes in a black picture either.
    note(&mut found, !black && frozen > FROZEN, Finding::CameraFrozen);
    note(&mut found, dark, Finding::CameraDark);
    note(&mut found, bright, Finding::CameraBright);
    // Without light there are no edges.
    let lit = !black && !dark && !bright;
    note(&mut found, lit && sharpness < BLURRED, Finding::CameraBlurred);
    note(&mut found, fps < SLOW_FPS, Finding::CameraSlow);
    note(&mut found, height < SMALL_LINES, Finding::CameraSmall);
    note(&mut found, flipped, Finding::CameraUpsideDown);
    found
}

fn note(found: &mut Vec<Finding>, is: bool, finding: Finding) {
    if is {
        found.push(finding);
    }
}

fn microphone(facts: &MicrophoneFacts) -> Vec<Finding> {
    let (speech_db, noise_db, peak_db, clipped, live) = match facts {
        MicrophoneFacts::Failed { fault, .. } => {
            return vec![match fault {
                DeviceFault::Missing => Finding::MicrophoneMissing,
                DeviceFault::Busy => Finding::MicrophoneBusy,
                DeviceFault::Denied => Finding::MicrophoneDenied,
                DeviceFault::Unplugged => Finding::MicrophoneUnplugged,
                DeviceFault::Hung | DeviceFault::Broken | DeviceFault::NotSent => Finding::MicrophoneBroken,
            }];
        }
        MicrophoneFacts::Heard {
            speech_db,
            noise_db,
            peak_db,
            clipped,
            live,
            ..
        } => (*speech_db, *noise_db, *peak_db, *clipped, live.is_some()),
    };
    let mut found = Vec::new();
    let dead = peak_db < DEAD_PEAK_DB;
    note(&mut found, live && speech_db.is_none(), Finding::MicrophoneOther);
    note(&mut found, dead, Finding::MicrophoneDead);
    note(
        &mut found,
        !dead && !live && speech_db.is_none(),
        Finding::MicrophoneNoSpeech,
    );
    note(&mut found, clipped > CLIPPED, Finding::MicrophoneClipped);
    note(
        &mut found,
        speech_db.is_some_and(|speech| speech < QUIET_DB),
        Finding::MicrophoneQuiet,
    );
    let drowned = speech_db.is_some_and(|speech| speech - noise_db < OVER_NOISE_DB);
    note(
        &mut found,
        noise_db > NOISY_DB || drowned,
        Finding::MicrophoneNoisy,
    );
    found
}

fn speaker(facts: &SpeakerFacts) -> Vec<Finding> {
    let (heard, headset, echo) = match facts {
        SpeakerFacts::Failed { fault, .. } => {
            return vec![match fault {
                DeviceFault::Missing => Finding::SpeakerMissing,
                DeviceFault::Busy => Finding::SpeakerBusy,
                DeviceFault::Denied
                | DeviceFault::Unplugged
                | DeviceFault::Hung
                | DeviceFault::Broken
                | DeviceFault::NotSent => Finding::SpeakerBroken,
            }];
        }
        SpeakerFacts::Played {
            heard, headset, echo, ..
        } => (*heard, *headset == Some(true), *echo),
    };
    let mut found = Vec::new();
    note(&mut found, heard == Some(false), Finding::SpeakerNotHeard);
    match echo {
        Some(echo) if echo.residual_db > ECHO_DB => found.push(Finding::Echo),
        Some(_) if !headset => found.push(Finding::LoudspeakerHeard),
        Some(_) | None => {}
    }
    found
}

/// None where nothing was found because no media went anywhere: nothing is known of the line then.
fn network(facts: &NetworkFacts) -> Option<Vec<Finding>> {
    let closed = |path: TestPath| path == TestPath::Closed;
    // The first step that fails explains all that follow.
    let first = [
        (facts.name, Finding::NameUnknown),
        (facts.reach, Finding::ServerUnreachable),
        (facts.tls, Finding::TlsRefused),
        (facts.answer, Finding::NotTheCourt),
        (facts.channel, Finding::ChannelClosed),
    ]
    .into_iter()
    .find(|(path, _)| closed(*path));
    let mut found: Vec<Finding> = first.map(|(_, finding)| finding).into_iter().collect();
    let reached = first.is_none_or(|(_, finding)| finding == Finding::ChannelClosed);
    note(
        &mut found,
        reached && closed(facts.udp) && facts.tcp == TestPath::Open,
        Finding::UdpClosed,
    );
    note(
        &mut found,
        reached && closed(facts.udp) && closed(facts.tcp) && facts.tunnel == TestPath::Open,
        Finding::OnlyTunnel,
    );
    note(
        &mut found,
        reached && closed(facts.udp) && closed(facts.tcp) && facts.tunnel != TestPath::Open,
        Finding::MediaClosed,
    );
    let above = |value: Option<f32>, limit: f32| value.is_some_and(|value| value > limit);
    let below = |value: Option<u64>, limit: u64| value.is_some_and(|value| value < limit);
    let (lost, hardly) = (above(facts.loss, LOSSY), above(facts.loss, VERY_LOSSY));
    note(&mut found, hardly, Finding::NetworkVeryLossy);
    note(&mut found, lost && !hardly, Finding::NetworkLossy);
    note(&mut found, above(facts.rtt_ms, SLOW_RTT_MS), Finding::NetworkSlow);
    note(
        &mut found,
        above(facts.jitter_ms, UNEVEN_MS),
        Finding::NetworkUneven,
    );
    for (rate, least, good, too_narrow, narrow) in [
        (
            facts.up_bps,
            LEAST_UP_BPS,
            GOOD_UP_BPS,
            Finding::UplinkTooNarrow,
            Finding::UplinkNarrow,
        ),
        (
            facts.down_bps,
            LEAST_DOWN_BPS,
            GOOD_DOWN_BPS,
            Finding::DownlinkTooNarrow,
            Finding::DownlinkNarrow,
        ),
    ] {
        let too = below(rate, least);
        note(&mut found, too, too_narrow);
        note(&mut found, !too && below(rate, good), narrow);
    }
    let wrong = facts.skew_ms.is_some_and(|skew| skew.unsigned_abs() > CLOCK_MS);
    note(&mut found, wrong, Finding::ClockWrong);
    let tried = [facts.udp, facts.tcp, facts.tunnel]
        .into_iter()
        .any(|path| path != TestPath::Untested);
    (tried || !found.is_empty()).then_some(found)
}

/// Part of one core that encoding all layers up to `lines` takes; none where a layer was not measured.
fn encoding(codec: &[CodecSpeed], lines: u32) -> Option<f32> {
    let layers: Vec<_> = codec.iter().filter(|speed| speed.height <= lines).collect();
    (!layers.is_empty()).then(|| {
        layers
            .iter()
            .map(|speed| SENT_FPS / speed.encode_fps.max(0.1))
            .sum()
    })
}

fn computer(facts: &ComputerFacts) -> Vec<Finding> {
    let too_much = |lines| encoding(&facts.codec, lines).is_some_and(|share| share > ENCODING_SHARE);
    let too_slow = too_much(MODEST_LINES);
    let mut found = Vec::new();
    note(&mut found, too_slow, Finding::ComputerTooSlow);
    note(&mut found, !too_slow && too_much(u32::MAX), Finding::ComputerSlow);
    note(
        &mut found,
        facts.busy.is_some_and(|busy| busy > BUSY),
        Finding::ComputerBusy,
    );
    note(
        &mut found,
        facts.free_memory_mib.is_some_and(|free| free < MEMORY_MIB),
        Finding::MemoryShort,
    );
    note(
        &mut found,
        facts.free_disk_mib.is_some_and(|free| free < DISK_MIB),
        Finding::DiskShort,
    );
    let low = matches!(facts.power, Some(TestPower::Battery { percent }) if percent < BATTERY_PERCENT);
    note(&mut found, low, Finding::BatteryLow);
    note(&mut found, facts.saver == Some(true), Finding::PowerSaving);
    found
}

/// None where the system has no switches, or tells nothing of them.
fn permissions(facts: &PermissionFacts) -> Option<Vec<Finding>> {
    let mut found = Vec::new();
    let denied = |grant| grant == TestGrant::Denied;
    note(&mut found, denied(facts.camera), Finding::PermissionCamera);
    note(
        &mut found,
        denied(facts.microphone),
        Finding::PermissionMicrophone,
    );
    let told = [facts.camera, facts.microphone]
        .into_iter()
        .any(|grant| grant != TestGrant::Unknown);
    told.then_some(found)
}

/// How grave a finding is.
pub fn gravity(finding: Finding) -> Score {
    use Finding as F;
    match finding {
        F::CameraMissing
        | F::CameraBusy
        | F::CameraDenied
        | F::CameraUnplugged
        | F::CameraBroken
        | F::CameraBlack
        | F::CameraFrozen
        | F::MicrophoneMissing
        | F::MicrophoneBusy
        | F::MicrophoneDenied
        | F::MicrophoneUnplugged
        | F::MicrophoneBroken
        | F::MicrophoneDead
        | F::MicrophoneOther
        | F::SpeakerMissing
        | F::SpeakerBusy
        | F::SpeakerBroken
        | F::SpeakerNotHeard
        | F::NameUnknown
        | F::ServerUnreachable
        | F::TlsRefused
        | F::NotTheCourt
        | F::ChannelClosed
        | F::MediaClosed
        | F::NetworkVeryLossy
        | F::UplinkTooNarrow
        | F::DownlinkTooNarrow
        | F::ComputerTooSlow
        | F::PermissionCamera
        | F::PermissionMicrophone => Score::Bad,
        F::CameraDark
        | F::CameraBright
        | F::CameraBlurred
        | F::CameraSlow
        | F::CameraSmall
        | F::CameraUpsideDown
        | F::MicrophoneNoSpeech
        | F::MicrophoneQuiet
        | F::MicrophoneClipped
        | F::MicrophoneNoisy
        | F::Echo
        | F::UdpClosed
        | F::OnlyTunnel
        | F::NetworkSlow
        | F::NetworkUneven
        | F::NetworkLossy
        | F::UplinkNarrow
        | F::DownlinkNarrow
        | F::ClockWrong
        | F::ComputerSlow
        | F::ComputerBusy
        | F::MemoryShort
        | F::DiskShort
        | F::BatteryLow
        | F::PowerSaving
        | F::Unfinished => Score::Usable,
        F::LoudspeakerHeard => Score::Good,
    }
}

/// What helps, the likeliest first.
pub fn steps(finding: Finding) -> &'static [Remedy] {
    use Finding as F;
    use Remedy as R;
    match finding {
        F::CameraMissing => &[R::ConnectCamera, R::CallClerk],
        F::CameraBusy => &[R::CloseCameraPrograms, R::ChooseOther],
        F::CameraDenied | F::PermissionCamera => &[R::AllowCamera, R::CheckAntivirus],
        F::CameraUnplugged => &[R::Replug, R::ChooseOther],
        F::CameraBroken => &[R::Replug, R::ChooseOther, R::CallClerk],
        F::CameraBlack => &[R::OpenCover, R::CheckAntivirus, R::ChooseOther],
        F::CameraFrozen => &[R::CloseCameraPrograms, R::Replug, R::ChooseOther],
        F::CameraDark => &[R::MoreLight],
        F::CameraBright => &[R::LessLight],
        F::CameraBlurred => &[R::WipeLens],
        F::CameraSlow => &[R::MoreLight, R::ClosePrograms],
        F::CameraSmall => &[R::ChooseOther],
        F::CameraUpsideDown => &[R::TurnPicture],
        F::MicrophoneMissing => &[R::ConnectMicrophone, R::CallClerk],
        F::MicrophoneBusy => &[R::CloseMicrophonePrograms, R::ChooseOther],
        F::MicrophoneDenied | F::PermissionMicrophone => &[R::AllowMicrophone, R::CheckAntivirus],
        F::MicrophoneUnplugged => &[R::Replug, R::ChooseOther],
        F::MicrophoneBroken => &[R::Replug, R::ChooseOther, R::CallClerk],
        F::MicrophoneDead => &[R::HardwareSwitch, R::ChooseOther, R::Replug],
        F::MicrophoneOther => &[R::TakeLiveMicrophone],
        F::MicrophoneNoSpeech => &[R::SpeakAgain, R::HardwareSwitch],
        F::MicrophoneQuiet => &[R::RaiseLevel],
        F::MicrophoneClipped => &[R::LowerLevel],
        F::MicrophoneNoisy => &[R::QuietRoom, R::UseHeadset],
        F::SpeakerMissing => &[R::ConnectSpeaker, R::CallClerk],
        F::SpeakerBusy => &[R::ClosePrograms, R::ChooseOther],
        F::SpeakerBroken => &[R::Replug, R::ChooseOther, R::CallClerk],
        F::SpeakerNotHeard => &[R::TurnUp, R::ChooseOther],
        F::Echo | F::LoudspeakerHeard => &[R::UseHeadset],
        F::NameUnknown => &[R::CheckInternet, R::AskAddress],
        F::ServerUnreachable => &[R::CheckInternet, R::LeaveProxy, R::AskAdministrator],
        F::TlsRefused => &[R::SetClock, R::LeaveProxy, R::AskAddress],
        F::NotTheCourt => &[R::CheckInternet, R::AskAddress],
        F::ChannelClosed => &[R::LeaveProxy, R::AskAdministrator, R::UsePhoneNetwork],
        F::UdpClosed => &[R::AskAdministratorUdp, R::UsePhoneNetwork],
        F::OnlyTunnel => &[R::AskAdministrator, R::UsePhoneNetwork],
        F::MediaClosed => &[R::AskAdministratorUdp, R::UsePhoneNetwork, R::CallClerk],
        F::NetworkSlow => &[R::LeaveProxy, R::UseCable],
        F::NetworkUneven | F::NetworkLossy => &[R::UseCable, R::StopDownloads, R::UsePhoneNetwork],
        F::NetworkVeryLossy => &[R::UseCable, R::UsePhoneNetwork, R::CallClerk],
        F::UplinkNarrow | F::UplinkTooNarrow | F::DownlinkNarrow | F::DownlinkTooNarrow => {
            &[R::StopDownloads, R::UseCable, R::UsePhoneNetwork]
        }
        F::ClockWrong => &[R::SetClock],
        F::ComputerSlow => &[R::ClosePrograms, R::PlugIn],
        F::ComputerTooSlow => &[R::ClosePrograms, R::PlugIn, R::UseOtherComputer],
        F::ComputerBusy | F::MemoryShort => &[R::ClosePrograms],
        F::DiskShort => &[R::FreeDisk],
        F::BatteryLow => &[R::PlugIn],
        F::PowerSaving => &[R::PlugIn, R::LeavePowerSaving],
        F::Unfinished => &[R::TestAgain],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    /// One line of the policy. The page's tests read the same file.
    #[derive(Deserialize)]
    struct Case {
        what: String,
        part: String,
        facts: TestFacts,
        #[serde(flatten)]
        follows: TestPart,
    }

    fn cases() -> Vec<Case> {
        serde_json::from_str(include_str!("cases.json")).expect("the cases are JSON of the wire's types")
    }

    fn named(verdict: &Verdict, part: &str) -> TestPart {
        match part {
            "camera" => &verdict.camera,
            "microphone" => &verdict.microphone,
            "speaker" => &verdict.speaker,
            "network" => &verdict.network,
            "computer" => &verdict.computer,
            "permissions" => &verdict.permissions,
            "overall" => &verdict.overall,
            other => panic!("{other} is no part"),
        }
        .clone()
    }

    #[test]
    fn what_follows_from_the_facts() {
        for case in cases() {
            let follows = named(&judge(&case.facts), &case.part);
            assert_eq!(follows, case.follows, "{}: {}", case.part, case.what);
        }
    }

    /// Complete, or it does not compile.
    fn every_finding() -> Vec<Finding> {
        macro_rules! every {
            ($($name:ident)*) => {{
                let _complete = |finding| match finding { $(Finding::$name => {})* };
                vec![$(Finding::$name),*]
            }};
        }
        every! {
            CameraMissing CameraBusy CameraDenied CameraUnplugged CameraBroken CameraBlack
            CameraFrozen CameraDark CameraBright CameraBlurred CameraSlow CameraSmall
            CameraUpsideDown OnlyTunnel MicrophoneMissing MicrophoneBusy MicrophoneDenied MicrophoneUnplugged MicrophoneBroken
            MicrophoneDead MicrophoneOther MicrophoneNoSpeech MicrophoneQuiet MicrophoneClipped
            MicrophoneNoisy SpeakerMissing SpeakerBusy SpeakerBroken SpeakerNotHeard Echo
            LoudspeakerHeard NameUnknown ServerUnreachable TlsRefused NotTheCourt ChannelClosed
            UdpClosed MediaClosed NetworkSlow NetworkUneven NetworkLossy NetworkVeryLossy
            UplinkNarrow UplinkTooNarrow DownlinkNarrow DownlinkTooNarrow ClockWrong ComputerSlow
            ComputerTooSlow ComputerBusy MemoryShort DiskShort BatteryLow PowerSaving
            PermissionCamera PermissionMicrophone Unfinished
        }
    }

    #[test]
    fn every_finding_has_a_case_and_one_to_three_steps() {
        let found: Vec<Finding> = cases()
            .into_iter()
            .flat_map(|case| case.follows.findings)
            .collect();
        for finding in every_finding() {
            assert!(found.contains(&finding), "no case finds {finding:?}");
            assert!((1..=MAX_REMEDIES).contains(&steps(finding).len()), "{finding:?}");
        }
    }

    fn facts() -> impl Strategy<Value = TestFacts> {
        let number = prop_oneof![
            any::<f32>(),
            -130.0_f32..130.0,
            0.0_f32..1.0,
            Just(f32::NAN),
            Just(f32::INFINITY)
        ];
        let path = prop_oneof![
            Just(TestPath::Untested),
            Just(TestPath::Open),
            Just(TestPath::Closed)
        ];
        let numbers = proptest::collection::vec(number, 16);
        let paths = proptest::collection::vec(path, 8);
        let parts = proptest::collection::vec(any::<bool>(), 5);
        (numbers, paths, parts, any::<u64>(), any::<i64>()).prop_map(|(n, p, part, whole, signed)| {
            TestFacts {
                camera: part[0].then(|| CameraFacts::Seen {
                    device: String::new(),
                    width: whole as u32,
                    height: (whole >> 32) as u32,
                    fps: n[0],
                    first_ms: 0,
                    brightness: n[1],
                    burnt: n[2],
                    contrast: n[3],
                    sharpness: n[4],
                    frozen: n[5],
                    flipped: part[4],
                }),
                microphone: part[1].then(|| MicrophoneFacts::Heard {
                    device: String::new(),
                    speech_db: part[4].then_some(n[6]),
                    noise_db: n[7],
                    peak_db: n[8],
                    clipped: n[9],
                    live: part[3].then(String::new),
                }),
                speaker: None,
                network: part[2].then(|| NetworkFacts {
                    name: p[0],
                    reach: p[1],
                    tls: p[2],
                    answer: p[3],
                    channel: p[4],
                    udp: p[5],
                    tcp: p[6],
                    tunnel: p[7],
                    proxy: part[0],
                    rtt_ms: Some(n[10]),
                    jitter_ms: Some(n[11]),
                    loss: Some(n[12]),
                    up_bps: Some(whole),
                    down_bps: part[1].then_some(whole),
                    skew_ms: Some(signed),
                }),
                computer: part[3].then(|| ComputerFacts {
                    busy: Some(n[13]),
                    codec: vec![CodecSpeed {
                        height: 180,
                        encode_fps: n[14],
                        decode_fps: n[15],
                    }],
                    ..ComputerFacts::default()
                }),
                permissions: None,
            }
        })
    }

    fn rank(score: Score) -> u8 {
        match score {
            Score::Unknown => 0,
            Score::Good => 1,
            Score::Usable => 2,
            Score::Bad => 3,
        }
    }

    proptest! {
        #[test]
        fn the_whole_is_as_bad_as_its_worst_part_and_asks_for_no_more_than_three_steps(facts in facts()) {
            let verdict = judge(&facts);
            let parts = ["camera", "microphone", "speaker", "network", "computer", "permissions"]
                .map(|part| named(&verdict, part));
            let worst = parts.iter().map(|part| rank(part.score)).max().unwrap_or(0);
            // Nothing good is said of what was not tested to the end.
            let untested = [&verdict.camera, &verdict.microphone, &verdict.network]
                .iter()
                .any(|part| part.score == Score::Unknown);
            let at_least = if worst > 0 && untested { rank(Score::Usable) } else { 0 };
            prop_assert_eq!(rank(verdict.overall.score), worst.max(at_least));
            for part in parts.iter().chain([&verdict.overall]) {
                prop_assert!(part.remedies.len() <= MAX_REMEDIES);
                prop_assert_eq!(
                    rank(part.score) > rank(Score::Good),
                    part.findings.iter().any(|finding| gravity(*finding) != Score::Good)
                );
                let gravities: Vec<u8> = part.findings.iter().map(|f| rank(gravity(*f))).collect();
                prop_assert!(gravities.is_sorted_by(|a, b| a >= b), "the gravest first");
            }
        }
    }
}
