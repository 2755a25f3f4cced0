//! The sound engine as its owner sees it, without hardware: synthetic microphones, packets from hand to hand.

mod tone;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use media::audio::{
    AudioEngine, AudioError, AudioEvent, AudioSettings, CaptureChoice, EncodedAudio, PlaybackChoice,
    RtpAudio, ToneDetector, TrackInput, TrackOptions, WavRecorder, read_wav,
};
use media::clock::MediaClock;

const LONG: Duration = Duration::from_secs(20);

/// Two engines back to back: the tone one captures is heard in the other, packet by packet.
#[test]
fn a_tone_goes_from_one_engine_to_another() {
    let clock = MediaClock::start();
    let receiver = tone::listener(clock, 440.0);
    let (events, happened) = mpsc::channel();
    let sender = tone::feeding(
        CaptureChoice::Tone {
            hz: 440.0,
            dbfs: -20.0,
        },
        clock,
        receiver.input.clone(),
        move |event| drop(events.send(event)),
    );
    match happened.recv_timeout(LONG) {
        Ok(AudioEvent::CaptureOpened(info)) => assert_eq!(info.name, "tone"),
        other => panic!("a drawn microphone opens too: {other:?}"),
    }
    while receiver.strengths.recv_timeout(LONG).expect("sound comes") < 0.8 {}
    assert!(
        (sender.levels().capture.rms_dbfs + 20.0).abs() < 1.0,
        "{:?}",
        sender.levels().capture
    );
    assert!(receiver.input.stats().packets > 5);
    assert!(receiver.engine.levels().playback.rms_dbfs > -30.0);
    receiver.engine.remove_track(1);
}

#[test]
fn muted_nothing_leaves_and_speech_is_noticed() {
    let dir = tempfile::tempdir().expect("a scratch folder");
    let path = dir.path().join("speech.wav");
    let mut recorder = WavRecorder::create(&path).expect("writable");
    // Half a second of sound, half a second of silence: it stands out of its background.
    let sound: Vec<f32> = (0..48_000)
        .map(|n| {
            if n < 24_000 {
                0.3 * (n as f32 * 0.09).sin()
            } else {
                0.0
            }
        })
        .map(|s| s.clamp(-1.0, 1.0))
        .collect();
    recorder.write(&sound).expect("room on disk");
    drop(recorder);
    let (packets, sent) = mpsc::channel();
    let (events, happened) = mpsc::channel();
    let settings = AudioSettings {
        muted: true,
        ..AudioSettings::headless(CaptureChoice::Wav { path })
    };
    let engine = AudioEngine::start(
        settings,
        MediaClock::start(),
        Box::new(move |packet| drop(packets.send(packet))),
        Box::new(move |event| drop(events.send(event))),
    );
    // The voice holds on over the pauses only for 300 ms, so a second of it needs longer speech: play it gaplessly.
    let long = dir.path().join("long.wav");
    let mut recorder = WavRecorder::create(&long).expect("writable");
    let louder: Vec<f32> = (0..96_000).map(|n| 0.3 * (n as f32 * 0.09).sin()).collect();
    recorder.write(&louder).expect("room on disk");
    drop(recorder);
    engine.set_capture(CaptureChoice::Wav { path: long });
    while happened.recv_timeout(LONG).expect("it is noticed") != AudioEvent::SpeakingWhileMuted {}
    assert!(sent.try_recv().is_err(), "nothing leaves while muted");
    engine.set_muted(false);
    assert!(sent.recv_timeout(LONG).expect("it goes on").voice);
}

#[test]
fn a_missing_file_is_reported_once_and_another_choice_cures_it() {
    let (events, happened) = mpsc::channel();
    let (packets, sent) = mpsc::channel();
    let engine = AudioEngine::start(
        AudioSettings::headless(CaptureChoice::Wav {
            path: "no such file.wav".into(),
        }),
        MediaClock::start(),
        Box::new(move |packet: EncodedAudio| {
            let _ = packets.send(packet.level_dbov);
        }),
        Box::new(move |event| drop(events.send(event))),
    );
    assert_eq!(
        happened.recv_timeout(LONG),
        Ok(AudioEvent::CaptureFailed(AudioError::Missing))
    );
    engine.set_capture(CaptureChoice::Tone {
        hz: 300.0,
        dbfs: -10.0,
    });
    while sent.recv_timeout(LONG).expect("packets") > 15 {}
}

#[test]
fn what_is_played_is_recorded() {
    let dir = tempfile::tempdir().expect("a scratch folder");
    let path = dir.path().join("heard.wav");
    let settings = AudioSettings {
        playback: PlaybackChoice::Wav { path: path.clone() },
        ..AudioSettings::headless(CaptureChoice::Tone {
            hz: 500.0,
            dbfs: -20.0,
        })
    };
    // Its own packets come back to it, like an echo from the server.
    let slot: Arc<Mutex<Option<TrackInput>>> = Arc::default();
    let (ticks, ticked) = mpsc::channel();
    let (mut sequence, to) = (0_u16, slot.clone());
    let engine = AudioEngine::start(
        settings,
        MediaClock::start(),
        Box::new(move |packet| {
            if let Some(input) = to.lock().expect("no panic while it is held").as_ref() {
                input.push(RtpAudio {
                    sequence,
                    timestamp: packet.rtp,
                    payload: &packet.data,
                });
            }
            sequence = sequence.wrapping_add(1);
            let _ = ticks.send(());
        }),
        Box::new(|_| {}),
    );
    *slot.lock().expect("no panic while it is held") =
        Some(engine.add_track(9, TrackOptions::default()).expect("a decoder"));
    for _ in 0..75 {
        ticked.recv_timeout(LONG).expect("packets");
    }
    drop(engine);
    let heard = read_wav(&path).expect("a record");
    let mut tone = ToneDetector::new(500.0);
    tone.push(&heard[heard.len() / 2..]);
    assert!(tone.strength() > 0.8, "{}", tone.strength());
}
