//! Microphone, loudspeaker and the way between them, on an engine of their own that sends nothing. Never keeps a sound.
//!
//! First the microphone is listened to while the person speaks, then chirps are played, then, where nothing was heard, the other
//! microphones are listened to.

use super::judge::ECHO_DB;
use crate::studio::sound_fault_of;
use media::audio::{
    AudioEngine, AudioError, AudioHandle, AudioSettings, CaptureChoice, Heard, Loop, PlaybackChoice,
    Processing, Standing, inputs, listen, listen_to, measure_loop, outputs, play_chirps,
};
use media::clock::MediaClock;
use protocol::{EchoFacts, MicrophoneFacts, SpeakerFacts};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// A person reads one sentence in this time.
const SPOKEN: Duration = Duration::from_secs(5);
/// Whether another microphone has sound shows sooner.
const OTHERS: Duration = Duration::from_secs(2);

/// A chirp that was torn on the way looks less like one than this.
const SURE: f32 = 0.9;

/// An engine that is closed off the async threads, also when its measurement is given up: what still plays then falls silent.
struct Closing<'a> {
    engine: Option<AudioEngine>,
    tasks: &'a TaskTracker,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let engine = self.engine.take();
        self.tasks.spawn_blocking(move || drop(engine));
    }
}

/// Measures for nine to eighteen seconds; never fails: what went wrong is a fact. None where nothing is known of a part. Given up,
/// it closes the devices as a task of `tasks`.
pub(super) async fn measure(
    microphone: CaptureChoice,
    speaker: PlaybackChoice,
    clock: MediaClock,
    tasks: &TaskTracker,
) -> (Option<MicrophoneFacts>, Option<SpeakerFacts>) {
    let settings = AudioSettings {
        capture: microphone.clone(),
        playback: speaker.clone(),
        processing: Processing::REHEARSAL,
        ..AudioSettings::default()
    };
    let engine = AudioEngine::start(settings, clock, Box::new(|_| {}), Box::new(|_| {}));
    let handle = engine.handle();
    let _closing = Closing {
        engine: Some(engine),
        tasks,
    };
    let measured = tasks.spawn_blocking(move || {
        let heard = listen(&handle, SPOKEN);
        let speaker = loop_facts(&speaker, &handle);
        let silent = heard.as_ref().is_ok_and(|heard| heard.speech_db.is_none());
        let live = silent.then(|| live_other(&handle)).flatten();
        (microphone_facts(Some(&microphone), &handle, heard, live), speaker)
    });
    match measured.await {
        Ok((microphone, speaker)) => (Some(microphone), speaker),
        Err(error) => {
            tracing::error!(%error, "measuring the sound failed");
            (None, None)
        }
    }
}

/// The loop, measured again where the first time is no proof: the canceller may still have learned, and a busy computer tears
/// the sound.
fn looped(engine: &AudioHandle) -> Result<Option<Loop>, AudioError> {
    let first = measure_loop(engine)?;
    let proof = |looped: &Loop| looped.confidence >= SURE && looped.residual_db <= ECHO_DB;
    if first.as_ref().is_none_or(proof) {
        return Ok(first);
    }
    let both = [first, measure_loop(engine)?].into_iter().flatten();
    Ok(both.min_by(|a, b| a.residual_db.total_cmp(&b.residual_db)))
}

/// Plays chirps for four to nine seconds and measures how they come back; blocks meanwhile. None where there is nothing to play
/// on. What goes to the others is the caller's concern.
pub(crate) fn loop_facts(choice: &PlaybackChoice, engine: &AudioHandle) -> Option<SpeakerFacts> {
    speaker_facts(choice, engine, looped(engine))
}

/// What was heard, and the name of another microphone that hears more.
pub(crate) fn microphone_facts(
    choice: Option<&CaptureChoice>,
    engine: &AudioHandle,
    heard: Result<Heard, AudioError>,
    live: Option<String>,
) -> MicrophoneFacts {
    match heard {
        Ok(heard) => MicrophoneFacts::Heard {
            device: name(&engine.capture_standing()).unwrap_or_default(),
            speech_db: heard.speech_db,
            noise_db: heard.noise_db,
            peak_db: heard.peak_db,
            clipped: heard.clipped,
            live,
        },
        Err(error) => MicrophoneFacts::Failed {
            fault: sound_fault_of(&error),
            device: choice.and_then(chosen_microphone),
        },
    }
}

fn speaker_facts(
    choice: &PlaybackChoice,
    engine: &AudioHandle,
    looped: Result<Option<Loop>, AudioError>,
) -> Option<SpeakerFacts> {
    if *choice == PlaybackChoice::Null {
        return None;
    }
    let looped = match looped {
        Ok(looped) => looped,
        // A microphone that fails says nothing of the loudspeaker, which is tried all the same.
        Err(_) => match play_chirps(engine) {
            Ok(()) => None,
            Err(error) => {
                return Some(SpeakerFacts::Failed {
                    fault: sound_fault_of(&error),
                    device: chosen_speaker(choice),
                });
            }
        },
    };
    Some(SpeakerFacts::Played {
        device: name(&engine.playback_standing()).unwrap_or_default(),
        heard: None,
        headset: None,
        echo: looped.map(|looped| EchoFacts {
            delay_ms: looped.delay_ms,
            level_db: looped.level_db,
            residual_db: looped.residual_db,
        }),
    })
}

fn name(standing: &Standing) -> Option<String> {
    match standing {
        Standing::Open {
            device: Some(device), ..
        } => Some(device.name.clone()),
        _ => None,
    }
}

/// Another microphone that hears speech while this one does not.
pub(crate) fn live_other(engine: &AudioHandle) -> Option<String> {
    let Standing::Open {
        device: Some(own), ..
    } = engine.capture_standing()
    else {
        return None;
    };
    let others = inputs().ok()?.into_iter().filter(|device| device.id != own.id);
    listen_to(others.collect(), OTHERS)
        .into_iter()
        .find(|(_, heard)| heard.as_ref().is_ok_and(|heard| heard.speech_db.is_some()))
        .map(|(device, _)| device.name)
}

fn chosen_microphone(choice: &CaptureChoice) -> Option<String> {
    let CaptureChoice::Device(id) = choice else {
        return None;
    };
    let known = inputs().ok()?.into_iter().find(|device| device.id == *id);
    known.map(|device| device.name)
}

fn chosen_speaker(choice: &PlaybackChoice) -> Option<String> {
    let PlaybackChoice::Device(id) = choice else {
        return None;
    };
    let known = outputs().ok()?.into_iter().find(|device| device.id == *id);
    known.map(|device| device.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::audio::{AudioDeviceId, read_wav};
    use protocol::DeviceFault;

    #[tokio::test]
    async fn a_loudspeaker_is_tried_although_the_microphone_fails() {
        let nowhere = || AudioDeviceId("alsa:nowhere".to_owned());
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("played.wav");
        let measured = async |speaker| {
            let clock = MediaClock::start();
            let (microphone, speaker) = measure(
                CaptureChoice::Device(nowhere()),
                speaker,
                clock,
                &TaskTracker::new(),
            )
            .await;
            let missing = matches!(
                microphone,
                Some(MicrophoneFacts::Failed {
                    fault: DeviceFault::Missing,
                    ..
                })
            );
            assert!(missing, "{microphone:?}");
            speaker
        };
        let played = measured(PlaybackChoice::Wav { path: path.clone() }).await;
        assert!(
            matches!(played, Some(SpeakerFacts::Played { echo: None, .. })),
            "{played:?}"
        );
        let sound = read_wav(&path).expect("what was played");
        assert!(
            sound.iter().any(|sample| sample.abs() > 0.01),
            "nothing was played"
        );

        let failed = measured(PlaybackChoice::Device(nowhere())).await;
        let missing = matches!(
            failed,
            Some(SpeakerFacts::Failed {
                fault: DeviceFault::Missing,
                ..
            })
        );
        assert!(missing, "{failed:?}");
    }
}
