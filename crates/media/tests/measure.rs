//! Microphones and the way from loudspeaker to microphone, measured on devices: PulseAudio null sinks and their monitors.
//!
//! Where PulseAudio or its programs are missing it is skipped, aloud.

#![cfg(target_os = "linux")]

mod daemon;

use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use daemon::{LONG, named, pactl, with_daemon};
use media::audio::{
    AudioEngine, AudioSettings, CaptureChoice, Loop, PlaybackChoice, Processing, TrackOptions, WavRecorder,
    inputs, listen, listen_to, measure_loop, outputs,
};
use media::clock::MediaClock;

/// An engine on the speaker `spk` and the microphone whose name ends so.
fn engine(microphone: &str, processing: Processing) -> AudioEngine {
    let speaker = named(outputs().expect("PulseAudio answers"), "spk");
    let microphone = named(inputs().expect("PulseAudio answers"), microphone);
    AudioEngine::start(
        AudioSettings {
            playback: PlaybackChoice::Device(speaker.id),
            processing,
            ..AudioSettings::headless(CaptureChoice::Device(microphone.id))
        },
        MediaClock::start(),
        Box::new(|_| {}),
        Box::new(|event| eprintln!("engine: {event:?}")),
    )
}

/// The loop as measured while the machine had time for its sound: a chirp that a dry buffer tore is no whole chirp, and its
/// confidence says so.
fn untorn(engine: &AudioEngine) -> Loop {
    let mut runs = std::iter::repeat_with(|| {
        let found = measure_loop(engine).expect("both devices run");
        eprintln!("{found:?}");
        found.expect("the chirp comes back")
    });
    let whole = runs.by_ref().take(8).find(|found| found.confidence > 0.95);
    whole.expect("sound is whole some of the time")
}

#[test]
fn the_way_from_speaker_to_microphone_is_measured() {
    with_daemon("the_way_from_speaker_to_microphone_is_measured", || {
        // The microphone "othermic" hears the speaker "spk" as it is.
        let engine = engine("othermic", Processing::OFF);
        let measure = || untorn(&engine);
        // A reserve that ran dry on a busy machine is raised, and the way gets longer: it happens seldom, not every time.
        let mut runs = vec![measure(), measure()];
        let alike =
            |runs: &[Loop]| (runs[runs.len() - 1].delay_ms - runs[runs.len() - 2].delay_ms).abs() < 5.0;
        while !alike(&runs) {
            assert!(runs.len() < 6, "the delay is never the same: {runs:?}");
            runs.push(measure());
        }
        for found in runs {
            assert!((10.0..400.0).contains(&found.delay_ms), "{found:?}");
            assert!(found.level_db.abs() < 1.5, "{found:?}");
            assert!(
                (found.residual_db - found.level_db).abs() < 1.5,
                "nothing is taken out: {found:?}"
            );
        }
        engine.set_processing(Processing::REHEARSAL);
        // Where sound is torn the canceller begins to learn anew: not every time on a busy machine.
        let mut cleaned = std::iter::repeat_with(measure).take(4);
        assert!(cleaned.any(|found| found.level_db.abs() < 1.5 && found.residual_db < -25.0));
        engine.set_processing(Processing::OFF);
        if !pactl(&["info"]) {
            eprintln!("SKIPPED: pactl is missing, another volume is not tested");
            return;
        }
        assert!(pactl(&["--", "set-source-volume", "othermic", "-12dB"]));
        let quiet = measure();
        assert!((quiet.level_db + 12.0).abs() < 1.5, "{quiet:?}");
    });
}

#[test]
fn a_microphone_that_does_not_hear_the_speaker_finds_nothing() {
    with_daemon(
        "a_microphone_that_does_not_hear_the_speaker_finds_nothing",
        || {
            let engine = engine("fakemic", Processing::OFF);
            assert_eq!(measure_loop(&engine), Ok(None));
        },
    );
}

/// Plays a file into a sink until it is dropped.
struct Player(Child);

impl Player {
    /// A sine of 300 Hz, cut off at full scale, for a minute.
    fn sine(sink: &str, amplitude: f32, path: &std::path::Path) -> Option<Self> {
        let sound: Vec<f32> = (0..60 * 48_000)
            .map(|n| amplitude * ((n % 160) as f32 / 160.0 * std::f32::consts::TAU).sin())
            .map(|s| s.clamp(-1.0, 1.0))
            .collect();
        let mut file = WavRecorder::create(path).expect("writable");
        file.write(&sound).expect("room on disk");
        drop(file);
        match Command::new("paplay")
            .arg(format!("--device={sink}"))
            .arg(path)
            .spawn()
        {
            Ok(child) => Some(Self(child)),
            Err(error) => {
                eprintln!(
                    "SKIPPED: paplay cannot be started ({error}), a microphone with sound is not tested"
                );
                None
            }
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_dead_microphone_a_loud_one_and_the_one_that_hears_are_told_apart() {
    with_daemon(
        "a_dead_microphone_a_loud_one_and_the_one_that_hears_are_told_apart",
        || {
            let dir = tempfile::tempdir().expect("a scratch folder");
            let engine = engine("fakemic", Processing::OFF);
            let second = Duration::from_secs(1);
            let silent = listen(&engine, second).expect("it runs");
            assert!(
                silent.dead && silent.speech_db.is_none() && silent.clipped == 0.0,
                "{silent:?}"
            );

            // Something plays into the other sink: of all microphones only those that hear it are alive.
            let Some(_quiet) = Player::sine("spk", 0.1, &dir.path().join("quiet.wav")) else {
                return;
            };
            let all = inputs().expect("PulseAudio answers");
            assert!(all.len() >= 4, "{all:?}");
            let alive = || -> Vec<String> {
                let found = listen_to(all.clone(), second).into_iter();
                let alive = found.filter(|(_, heard)| !heard.as_ref().expect("it runs").dead);
                alive.map(|(device, _)| device.id.0).collect()
            };
            // The player needs a moment to begin.
            let alive = std::iter::repeat_with(alive)
                .take(20)
                .find(|alive| !alive.is_empty());
            let alive = alive.expect("some microphone hears it");
            assert!(alive.iter().any(|id| id.ends_with("othermic")), "{alive:?}");
            assert!(
                !alive
                    .iter()
                    .any(|id| id.ends_with("fakemic") || id.ends_with("mic.monitor")),
                "{alive:?}"
            );

            // A sine of twice full scale, cut off: two thirds of it are at the top.
            let Some(_loud) = Player::sine("mic", 2.0, &dir.path().join("loud.wav")) else {
                return;
            };
            let loud = std::iter::repeat_with(|| listen(&engine, second).expect("it runs"))
                .take(20)
                .find(|heard| heard.clipped > 0.0)
                .expect("it is heard");
            let loud_throughout = listen(&engine, second).expect("it runs");
            eprintln!("{loud:?} {loud_throughout:?}");
            assert!(
                (0.5..0.75).contains(&loud_throughout.clipped),
                "{loud_throughout:?}"
            );
            assert!(loud_throughout.peak_db > -0.2, "{loud_throughout:?}");
        },
    );
}

#[test]
fn a_microphone_pulled_out_while_it_is_measured_is_an_error() {
    with_daemon("a_microphone_pulled_out_while_it_is_measured_is_an_error", || {
        if !pactl(&["info"]) {
            eprintln!("SKIPPED: pactl is missing, pulling out a microphone is not tested");
            return;
        }
        let engine = engine("othermic", Processing::OFF);
        let ticks = ticks(&engine);
        let handle = engine.handle();
        let (done, result) = mpsc::channel();
        let measuring = std::thread::Builder::new()
            .name("measuring".into())
            .spawn(move || drop(done.send(measure_loop(&handle))))
            .expect("a thread");
        // The chirps have begun…
        while engine.levels().playback.rms_dbfs < -60.0 {
            ticks.recv_timeout(LONG).expect("the engine runs");
        }
        // …and the microphone goes.
        assert!(pactl(&["unload-module", "module-remap-source"]));
        let found = result.recv_timeout(LONG).expect("it ends");
        eprintln!("{found:?}");
        assert!(found.is_err(), "{found:?}");
        measuring.join().expect("it does not panic");
    });
}

/// Something that happens every 10 ms.
fn ticks(engine: &AudioEngine) -> Receiver<()> {
    let (tick, ticks) = mpsc::channel();
    let options = TrackOptions {
        gain: 1.0,
        tap: Some(Box::new(move |_| {
            let _ = tick.send(());
        })),
    };
    engine.add_track(1, options).expect("a decoder");
    ticks
}
