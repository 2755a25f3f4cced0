//! The self-test of the real participant with real devices of a kernel: the camera is `vivid`, the sound card `snd-aloop`, and
//! the line to the real server has `sch_netem` in it.
//!
//! An emulated computer is slow: what it says of the computer itself, and of how much the line carries, is not judged here.
#![cfg(target_os = "linux")]

use anyhow::{Context, Result, ensure};
use media::{
    audio::{AudioEngine, AudioSettings, CaptureChoice, PlaybackChoice, listen, measure_loop},
    clock::MediaClock,
};
use protocol::{
    CameraFacts, DeviceFault, NetworkFacts, SelfTest, TestFinding as Finding, TestPath, TestScore,
};
use scenarios::{
    guest::{Guest, logged},
    process::program,
    skip,
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// First picture after the step has opened.
const PREVIEW_MS: u32 = 700;

/// None where there is no kernel, which is said aloud.
async fn guest() -> Result<Option<Guest>> {
    let Some(kernel) = std::env::var_os("MINGTING_KERNEL").map(PathBuf::from) else {
        skip("no kernel; `cargo xtask test --lane kernel` fetches Debian's where it can");
        return Ok(None);
    };
    Guest::boot(&kernel).await.map(Some)
}

const CAMERA: &str = "--video device --audio none";

/// The camera that the tests know: one webcam, nothing else of what `vivid` can be.
const VIVID: &str = "vivid n_devs=1 node_types=0x1";

/// Brings the camera back to how it begins, and then sets `controls`.
async fn set(guest: &mut Guest, controls: &str) -> Result<()> {
    guest
        .run(&format!(
            "v4l2-ctl -c brightness=128,contrast=128,vertical_flip=0,osd_text_mode=0,percentage_of_dropped_buffers=0 && v4l2-ctl -c {controls}"
        ))
        .await
        .map(drop)
}

fn failed(report: &SelfTest) -> Result<DeviceFault> {
    match report.facts.camera.as_ref().context("the camera was tested")? {
        CameraFacts::Failed { fault, .. } => Ok(*fault),
        seen => anyhow::bail!("it works: {seen:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_of_the_kernel_is_seen_as_it_is() -> Result<()> {
    let Some(mut guest) = guest().await? else {
        return Ok(());
    };

    let report = guest.self_test(CAMERA).await?;
    ensure!(failed(&report)? == DeviceFault::Missing, "{report:?}");
    assert_eq!(
        report.camera.findings,
        [Finding::CameraMissing],
        "no driver is loaded"
    );

    guest.load(VIVID).await?;
    let report = guest.self_test(CAMERA).await?;
    let Some(CameraFacts::Seen {
        device,
        width,
        height,
        fps,
        first_ms,
        brightness,
        burnt,
        contrast,
        sharpness,
        frozen,
        flipped,
    }) = report.facts.camera.clone()
    else {
        anyhow::bail!("{report:?}");
    };
    assert_eq!(device, "vivid");
    // It lists 1280x720 with twelve pictures a second at most: too slow for a face, so the next smaller size is taken.
    assert_eq!((width, height), (640, 480), "{report:?}");
    // Counted: the emulated computer may lose some of the 25 that the camera makes.
    assert!((12.0..27.0).contains(&fps), "{report:?}");
    assert!(first_ms <= PREVIEW_MS, "{report:?}");
    // Colour bars of three quarters' brightness with running text over them.
    assert!((0.2..0.5).contains(&brightness) && burnt < 0.01, "{report:?}");
    assert!(contrast > 0.1 && sharpness > 100.0 && frozen < 0.1, "{report:?}");
    assert!(!flipped, "{report:?}");
    assert_eq!(report.camera.score, TestScore::Good, "{report:?}");

    set(&mut guest, "vertical_flip=1").await?;
    let report = guest.self_test(CAMERA).await?;
    assert_eq!(report.camera.findings, [Finding::CameraUpsideDown], "{report:?}");

    set(&mut guest, "brightness=0,contrast=0").await?;
    let report = guest.self_test(CAMERA).await?;
    assert_eq!(report.camera.findings, [Finding::CameraBlack], "{report:?}");

    // Without the running text every picture is the same, and the bars alone have few edges.
    set(&mut guest, "osd_text_mode=2").await?;
    let report = guest.self_test(CAMERA).await?;
    assert_eq!(
        report.camera.findings,
        [Finding::CameraFrozen, Finding::CameraBlurred],
        "{report:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_of_the_kernel_fails_as_cameras_fail() -> Result<()> {
    let Some(mut guest) = guest().await? else {
        return Ok(());
    };
    guest.load(VIVID).await?;

    // Another program shows its picture.
    guest
        .run("v4l2-ctl --stream-mmap > /run/held 2>&1 & holder=$!; until grep -q '<' /run/held; do sleep 0.1; done")
        .await?;
    let report = guest.self_test(CAMERA).await?;
    guest.run("kill $holder; wait $holder; true").await?;
    let Some(CameraFacts::Failed { fault, held_by, .. }) = &report.facts.camera else {
        anyhow::bail!("{report:?}");
    };
    assert_eq!(*fault, DeviceFault::Busy, "{report:?}");
    assert_eq!(held_by, &["v4l2-ctl"], "{report:?}");
    assert_eq!(report.camera.findings, [Finding::CameraBusy], "{report:?}");

    // It makes a picture now and then, with pauses longer than any wait for one.
    set(&mut guest, "percentage_of_dropped_buffers=90").await?;
    let report = guest.self_test(CAMERA).await?;
    let slow = matches!(&report.facts.camera, Some(CameraFacts::Seen { fps, .. }) if *fps < 10.0);
    assert!(slow, "a camera that pauses is slow and not broken: {report:?}");
    assert!(
        report.camera.findings.contains(&Finding::CameraSlow),
        "{report:?}"
    );

    // It opens, and never shows anything.
    set(&mut guest, "percentage_of_dropped_buffers=100").await?;
    let report = guest.self_test(CAMERA).await?;
    assert_eq!(failed(&report)?, DeviceFault::Hung, "{report:?}");
    assert_eq!(report.camera.findings, [Finding::CameraBroken], "{report:?}");

    set(&mut guest, "inject_vidioc_streamon_error=1").await?;
    let report = guest.self_test(CAMERA).await?;
    assert_eq!(failed(&report)?, DeviceFault::Broken, "{report:?}");

    // Some pictures are marked as torn; the others are shown.
    set(&mut guest, "brightness=128").await?;
    let tear = "for n in 1 2 3 4 5; do v4l2-ctl -c inject_v4l2_buf_flag_error=1; done";
    let during = format!("{}; {tear}", logged("camera opened"));
    let report = guest.self_test_during(&during, CAMERA).await?;
    assert!(report.camera.findings.is_empty(), "{report:?}");

    // Its plug is pulled while it is looked at.
    let during = format!("{}; v4l2-ctl -c disconnect=1", logged("camera opened"));
    let report = guest.self_test_during(&during, CAMERA).await?;
    assert_eq!(failed(&report)?, DeviceFault::Unplugged, "{report:?}");
    assert_eq!(report.camera.findings, [Finding::CameraUnplugged], "{report:?}");
    Ok(())
}

const LINE: &str = "--video none --audio none --server http://127.0.0.1:7000";

/// Starts the real server, and waits until it listens.
async fn court(guest: &mut Guest) -> Result<()> {
    let server = program("mingting-server").canonicalize()?;
    let lines = [
        "listen = \"127.0.0.1:7000\"",
        "data_dir = \"/run/court\"",
        "media_udp_port = 7001",
        "media_tcp_port = 7002",
    ];
    guest
        .run(&format!(
            "printf '%s\\n' '{}' > /run/server.toml",
            lines.join("' '")
        ))
        .await?;
    guest
        .run(&format!(
            "{} serve --config /run/server.toml > /run/listening 2> /run/server.log & \
             until grep -q listening /run/listening || ! kill -0 $!; do sleep 0.1; done; cat /run/server.log",
            server.display()
        ))
        .await
        .map(drop)
}

/// The line measured with `weather` in it, in words of netem. Every packet of the guest's loopback passes it once, so the way
/// there and back passes it twice.
async fn measured(guest: &mut Guest, weather: &str) -> Result<(NetworkFacts, SelfTest)> {
    guest
        .run(&format!(
            "tc qdisc replace dev lo root netem limit 10000 {weather}"
        ))
        .await?;
    let report = guest.self_test(LINE).await?;
    let facts = report.facts.network.clone().context("the line was measured")?;
    println!("{weather}: {facts:?}");
    // Not judged over TCP: with a slow line and a slow computer it may take longer than anybody is kept waiting.
    assert_eq!(facts.udp, TestPath::Open, "{facts:?}");
    Ok((facts, report))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_does_to_a_line_is_what_is_measured() -> Result<()> {
    let Some(mut guest) = guest().await? else {
        return Ok(());
    };
    guest.load("sch_netem").await?;
    court(&mut guest).await?;

    let (fair, report) = measured(&mut guest, "delay 0ms").await?;
    let fair_rtt = fair.rtt_ms.context("a round trip")?;
    assert!(fair_rtt < 100.0, "{fair:?}");
    assert!(fair.loss.context("packets were counted")? < 0.01, "{fair:?}");
    let computer = report.facts.computer.context("the computer was measured")?;
    assert_eq!(computer.cores, 2, "{computer:?}");
    assert!(
        computer
            .memory_mib
            .is_some_and(|memory| (850..1_024).contains(&memory)),
        "{computer:?}"
    );

    let (slow, _) = measured(&mut guest, "delay 100ms").await?;
    let rtt = slow.rtt_ms.context("a round trip")?;
    // The emulated computer itself takes some more, and not always the same.
    assert!(
        (200.0..200.0 + fair_rtt + 80.0).contains(&rtt),
        "{fair:?} {slow:?}"
    );

    let (lossy, report) = measured(&mut guest, "loss random 6%").await?;
    let loss = lossy.loss.context("packets were counted")?;
    // Twice 6 % is 0.116 of both ways; four deviations of some 450 packets.
    assert!((0.055..0.18).contains(&loss), "{lossy:?}");
    assert!(
        report.network.findings.contains(&Finding::NetworkLossy),
        "{report:?}"
    );
    Ok(())
}

/// Set for this program when it runs in the guest; says what it is to measure.
const INSIDE: &str = "MINGTING_INSIDE_GUEST";
/// Stands before the figures.
const MEASURED: &str = "measured: ";
const SOUND: &str = "--video none --audio device";

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_card_of_the_kernel_is_heard_and_missed() -> Result<()> {
    if let Some(what) = std::env::var_os(INSIDE) {
        return measures_sound(&what.to_string_lossy());
    }
    let Some(mut guest) = guest().await? else {
        return Ok(());
    };

    // The sound library's first look at its plug-ins, which come over a slow disk.
    guest.run("arecord -L > /dev/null 2>&1; true").await?;
    let report = guest.self_test(SOUND).await?;
    assert_eq!(
        report.microphone.findings,
        [Finding::MicrophoneMissing],
        "{report:?}"
    );
    assert_eq!(report.speaker.findings, [Finding::SpeakerMissing], "{report:?}");

    // What is played into its device 0 comes out of its device 1.
    guest.load("snd-aloop pcm_substreams=1").await?;
    let default = "pcm.!default { type asym playback.pcm \"plughw:0,0\" capture.pcm \"plughw:0,1\" }";
    guest.run(&format!("echo '{default}' > /run/.asoundrc")).await?;

    let other = "-q -f S16_LE -r 48000 -c 2";
    guest
        .run(&format!(
            "arecord {other} -D hw:0,1 /dev/null & hears=$!; aplay {other} -D hw:0,0 /dev/zero & plays=$!; \
             cd /proc/asound/card0; until grep -q RUNNING pcm1c/sub0/status && grep -q RUNNING pcm0p/sub0/status; \
             do sleep 0.1; done; cd /"
        ))
        .await?;
    let report = guest.self_test(SOUND).await?;
    guest.run("kill $hears $plays; wait; true").await?;
    assert_eq!(
        report.microphone.findings,
        [Finding::MicrophoneBusy],
        "{report:?}"
    );
    assert_eq!(report.speaker.findings, [Finding::SpeakerBusy], "{report:?}");

    let this = std::env::current_exe()?;
    let inside = format!(
        "{} --exact a_sound_card_of_the_kernel_is_heard_and_missed --nocapture",
        this.display()
    );
    let tones = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tones.wav");
    write_tones(&tones)?;
    let said = guest
        .run(&format!(
            "aplay -q -D plughw:0,0 {} & plays=$!; {INSIDE}=ear {inside}; kill $plays; wait; true",
            tones.display()
        ))
        .await?;
    let heard = figures(&said)?;
    // A sine at a fifth of full scale has its peak at -14 dBFS and its level 3 dB below. Sound that is torn is no louder.
    assert!((-14.5..-13.5).contains(&heard["peak"]), "{heard:?}");
    assert!((-19.0..-16.5).contains(&heard["speech"]), "{heard:?}");
    assert!(heard["noise"] < -80.0, "{heard:?}");

    // With two buffers of 10 ms each an emulated computer tears the sound: what is left of the chirps is enough to find them.
    let said = guest.run(&format!("{INSIDE}=loop {inside}; true")).await?;
    let looped = figures(&said)?;
    assert!((10.0..450.0).contains(&looped["delay"]), "{looped:?}");
    assert!((-25.0..1.0).contains(&looped["level"]), "{looped:?}");
    assert!(looped["confidence"] > 0.15, "{looped:?}");
    Ok(())
}

/// What [`measures_sound`] printed.
fn figures(said: &str) -> Result<BTreeMap<String, f32>> {
    let line = said
        .lines()
        .find_map(|line| line.split_once(MEASURED))
        .with_context(|| format!("nothing was measured:\n{said}"))?;
    println!("{}", line.1);
    serde_json::from_str(line.1).with_context(|| format!("not figures: {line:?}"))
}

/// Half seconds of a tone and of silence, as words and pauses are.
fn write_tones(file: &Path) -> Result<()> {
    const RATE: u32 = 48_000;
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec)?;
    for n in 0..20 * RATE {
        let phase = f64::from(n) * 1_000.0 / f64::from(RATE) * std::f64::consts::TAU;
        let loud = (n / (RATE / 2)).is_multiple_of(2);
        let sample = if loud { 0.2 * phase.sin() } else { 0.0 };
        for _ in 0..spec.channels {
            writer.write_sample((sample * f64::from(i16::MAX)) as i16)?;
        }
    }
    writer.finalize().context("cannot write tones")
}

/// In the guest: sound through the default devices, as the self-test listens and plays, but without the echo canceller, for
/// which an emulated computer is too slow.
fn measures_sound(what: &str) -> Result<()> {
    let engine = |playback| {
        let settings = AudioSettings {
            playback,
            ..AudioSettings::headless(CaptureChoice::Default)
        };
        AudioEngine::start(settings, MediaClock::start(), Box::new(|_| {}), Box::new(|_| {}))
    };
    match what {
        "ear" => {
            let heard = listen(&engine(PlaybackChoice::Null), Duration::from_secs(4))?;
            let heard = json!({
                "speech": heard.speech_db,
                "noise": heard.noise_db,
                "peak": heard.peak_db,
            });
            println!("{MEASURED}{heard}");
        }
        _ => {
            let looped = measure_loop(&engine(PlaybackChoice::Default))?.context("the chirps come back")?;
            let looped = json!({
                "delay": looped.delay_ms,
                "level": looped.level_db,
                "confidence": looped.confidence,
            });
            println!("{MEASURED}{looped}");
        }
    }
    Ok(())
}
