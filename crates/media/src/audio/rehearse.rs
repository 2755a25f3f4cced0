//! A rehearsal on real devices: listens to the microphone for some seconds, and plays chirps to measure the way from the
//! loudspeaker into the microphone, before and after the echo canceller.
//!
//! It works through a running engine and changes nothing of it: which devices, and whether the canceller runs, is the
//! owner's choice. It blocks its caller, for a bounded time whatever the devices do; one rehearsal at a time.

use std::time::Duration;

use crate::audio::device::Direction;
use crate::audio::ear::{Ear, Heard};
use crate::audio::engine::AudioHandle;
use crate::audio::loopback::{CHIRP, ChirpFinder, Echo, chirp};
use crate::audio::tape::Tape;
use crate::audio::{AudioError, BLOCK, RATE};

/// Samples of so many milliseconds.
const fn ms(ms: usize) -> usize {
    RATE as usize / 1_000 * ms
}

/// Longest delay that is found. Wireless headsets stay below 300 ms.
const MAX_DELAY: usize = ms(500);
/// The first chirp stands alone, so that its delay is certain; the others follow closer, for the canceller to learn.
const FIRST_PAUSE: usize = MAX_DELAY + CHIRP + ms(90);
const PERIOD: usize = ms(350);
const CHIRPS: usize = 8;
/// Chirps at the end whose remains are measured, when the canceller has learned.
const LAST: usize = 3;
/// The delay wanders by this much at most: a buffer that ran dry is filled up again.
const WANDER: usize = ms(60);
/// Processing holds sound back for this long at most; the canceller takes 9 ms, noise suppression another 6.
const HELD_BACK: usize = ms(25);
/// Played sound begins within this time.
const BEGIN: usize = ms(300);

/// The way of sound from loudspeaker to microphone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loop {
    /// From handing sound to the loudspeaker to having it from the microphone, buffers included, in milliseconds.
    pub delay_ms: f32,
    /// What the microphone hears against what is played, in dB.
    pub level_db: f32,
    /// What the others would hear of it, in dB, once the canceller has learned; the level itself where none runs.
    pub residual_db: f32,
    /// How much of the sound at that place was the chirp, 0 to 1: little in noise, and where a busy machine tore the sound.
    pub confidence: f32,
}

/// When each chirp begins, after the first one.
fn starts() -> impl Iterator<Item = usize> {
    (0..CHIRPS).map(|n| match n {
        0 => 0,
        n => FIRST_PAUSE + (n - 1) * PERIOD,
    })
}

/// Listens to the microphone, as it gives its sound, for `span` from when it runs.
///
/// # Errors
/// What the microphone fails with; [`AudioError::Hung`] when it or the engine does not answer in time,
/// [`AudioError::Missing`] when it goes away meanwhile.
pub fn listen(handle: &AudioHandle, span: Duration) -> Result<Heard, AudioError> {
    record(handle, span).map(|recording| recording.heard)
}

/// Some seconds of a microphone.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What it was like, as the microphone gave it.
    pub heard: Heard,
    /// The same after processing, 48 kHz: what the others would hear.
    pub sound: Vec<f32>,
}

/// As [`listen`], and keeps what the others would hear.
///
/// # Errors
/// As [`listen`].
pub fn record(handle: &AudioHandle, span: Duration) -> Result<Recording, AudioError> {
    let mut ear = Ear::new();
    let mut tape = Tape::start(handle, &[Direction::Capture])?;
    let blocks = (span.as_millis() / 10) as usize;
    let mut sound = Vec::with_capacity(blocks * BLOCK);
    for _ in 0..blocks {
        let moment = tape.next()?;
        ear.listen(&moment.captured);
        sound.extend_from_slice(&moment.processed);
    }
    Ok(Recording {
        heard: ear.heard(),
        sound,
    })
}

/// Plays chirps for four seconds and measures how they come back. None when they do not, as with a headset.
///
/// With gain control what is left is louder by its gain, like the voice beside it, and says little: run the engine with
/// [`Processing::REHEARSAL`](crate::audio::Processing::REHEARSAL).
///
/// # Errors
/// What microphone or loudspeaker fail with, else as [`listen`].
pub fn measure_loop(handle: &AudioHandle) -> Result<Option<Loop>, AudioError> {
    let sequence = sequence();
    let whole = BEGIN + sequence.len() - CHIRP + FIRST_PAUSE;
    let mut tape = Tape::start(handle, &[Direction::Capture, Direction::Playback])?;
    handle.play(sequence.into());
    let [mut played, mut captured, mut processed] = [(); 3].map(|()| Vec::with_capacity(whole + BLOCK));
    while played.len() < whole {
        let moment = tape.next()?;
        played.extend_from_slice(&moment.played);
        captured.extend_from_slice(&moment.captured);
        processed.extend_from_slice(&moment.processed);
    }
    Ok(evaluate(&played, &captured, &processed))
}

/// Plays the same chirps for whoever listens, where no microphone runs to measure them by.
///
/// # Errors
/// What the loudspeaker fails with, else as [`listen`].
pub fn play_chirps(handle: &AudioHandle) -> Result<(), AudioError> {
    let sequence = sequence();
    let blocks = (BEGIN + sequence.len()).div_ceil(BLOCK);
    let mut tape = Tape::start(handle, &[Direction::Playback])?;
    handle.play(sequence.into());
    for _ in 0..blocks {
        tape.next()?;
    }
    Ok(())
}

/// All chirps with their pauses.
fn sequence() -> Vec<f32> {
    let last = starts().last().unwrap_or_default();
    let mut sequence = vec![0.0; last + CHIRP];
    for start in starts() {
        sequence[start..start + CHIRP].copy_from_slice(&chirp());
    }
    sequence
}

/// Finds the loop in what was played, captured and left after processing.
fn evaluate(played: &[f32], captured: &[f32], processed: &[f32]) -> Option<Loop> {
    let finder = ChirpFinder::new(MAX_DELAY + CHIRP);
    let part = |sound: &'_ [f32], from: usize, length: usize| -> Vec<f32> {
        sound.iter().skip(from).take(length).copied().collect()
    };
    let begin = place(finder.find(&part(played, 0, BEGIN + CHIRP))?);
    let first = finder.find(&part(captured, begin, MAX_DELAY + CHIRP))?;
    let [mut delays, mut levels, mut confidences, mut changes] = [const { Vec::new() }; 4];
    for (n, start) in starts().enumerate() {
        let sent = begin + start;
        let from = (sent + place(first)).saturating_sub(WANDER);
        let heard = finder.loudest(&part(captured, from, 2 * WANDER + CHIRP), 0..=2 * WANDER)?;
        let at = from + place(heard);
        delays.push(at.saturating_sub(sent) as f32 * 1_000.0 / RATE as f32);
        levels.push(heard.level_db);
        confidences.push(heard.confidence);
        if n + LAST >= CHIRPS {
            let left = finder.loudest(&part(processed, at, HELD_BACK + CHIRP), 0..=HELD_BACK)?;
            // Against this very chirp: one that a dry buffer tore is quieter on both sides.
            changes.push(left.level_db - heard.level_db);
        }
    }
    let level_db = middle(levels);
    Some(Loop {
        delay_ms: middle(delays),
        level_db,
        residual_db: level_db + middle(changes),
        confidence: middle(confidences),
    })
}

/// Where a chirp begins, in samples.
fn place(echo: Echo) -> usize {
    (echo.delay_ms / 1_000.0 * RATE as f32).round() as usize
}

/// The middle one: a single chirp that somebody talked over says nothing.
fn middle(mut figures: Vec<f32>) -> f32 {
    figures.sort_by(f32::total_cmp);
    figures[figures.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Block;
    use crate::audio::process::{Duplex, Processing};
    use crate::audio::{AudioEngine, AudioSettings, CaptureChoice, PlaybackChoice};
    use crate::clock::MediaClock;

    /// A rehearsal without devices: the chirps come back through `room`, noise of `noise_rms` is added.
    fn rehearsal(room: &[(usize, f32)], noise_rms: f32, processing: Processing) -> Option<Loop> {
        let last = starts().last().unwrap_or_default();
        let mut played = vec![0.0; BEGIN + last + FIRST_PAUSE];
        for start in starts().map(|start| start + ms(50)) {
            played[start..start + CHIRP].copy_from_slice(&chirp());
        }
        let mut seed = 1_u32;
        let captured: Vec<f32> = (0..played.len())
            .map(|n| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = noise_rms * 3.0_f32.sqrt() * ((seed >> 8) as f32 / 8_388_608.0 - 1.0);
                let paths = room.iter().filter(|(delay, _)| *delay <= n);
                noise + paths.map(|(delay, gain)| gain * played[n - delay]).sum::<f32>()
            })
            .collect();
        let mut duplex = Duplex::new(processing);
        let mut processed = Vec::new();
        for (far, near) in played.chunks_exact(BLOCK).zip(captured.chunks_exact(BLOCK)) {
            let mut near: Block = near.try_into().expect("chunks are exact");
            duplex.process(far.try_into().expect("chunks are exact"), &mut near, 60);
            processed.extend_from_slice(&near);
        }
        evaluate(&played, &captured, &processed)
    }

    #[test]
    fn a_room_is_measured_and_the_canceller_takes_its_echo_out() {
        let room = [(ms(60), 0.25), (ms(64), -0.1), (ms(71), 0.07), (ms(83), 0.04)];
        for (processing, residual) in [
            (Processing::OFF, -14.0..-10.0),
            (Processing::REHEARSAL, -200.0..-30.0),
        ] {
            let found = rehearsal(&room, 0.001, processing).expect("it comes back");
            eprintln!("{processing:?}: {found:?}");
            assert!((found.delay_ms - 60.0).abs() < 0.2, "{found:?}");
            assert!((found.level_db + 12.0).abs() < 1.0, "{found:?}");
            assert!(residual.contains(&found.residual_db), "{found:?}");
        }
    }

    #[test]
    fn a_headset_gives_nothing_back() {
        assert_eq!(rehearsal(&[], 0.003, Processing::OFF), None);
        assert_eq!(rehearsal(&[], 0.0, Processing::OFF), None);
    }

    #[test]
    fn a_buffer_that_is_filled_up_meanwhile_does_no_harm() {
        let last = starts().last().unwrap_or_default();
        let [mut played, mut captured] = [const { Vec::new() }; 2].map(|mut sound: Vec<f32>| {
            sound.resize(BEGIN + last + FIRST_PAUSE, 0.0);
            sound
        });
        for (n, start) in starts().enumerate() {
            let delay = ms(if n < 2 { 80 } else { 125 });
            played[start..start + CHIRP].copy_from_slice(&chirp());
            let heard = chirp().into_iter().map(|s| 0.5 * s);
            captured.splice(start + delay..start + delay + CHIRP, heard);
        }
        let found = evaluate(&played, &captured, &captured).expect("it comes back");
        assert!((found.delay_ms - 125.0).abs() < 0.2, "{found:?}");
        assert!(
            (found.level_db + 6.0).abs() < 0.2 && found.confidence > 0.95,
            "{found:?}"
        );
    }

    #[test]
    fn the_longest_delay_is_not_mistaken_for_the_next_chirp() {
        let found = rehearsal(&[(ms(480), 0.1)], 0.001, Processing::OFF).expect("it comes back");
        assert!((found.delay_ms - 480.0).abs() < 0.2, "{found:?}");
    }

    fn engine(capture: CaptureChoice, playback: PlaybackChoice) -> AudioEngine {
        AudioEngine::start(
            AudioSettings {
                playback,
                ..AudioSettings::headless(capture)
            },
            MediaClock::start(),
            Box::new(|_| {}),
            Box::new(|_| {}),
        )
    }

    #[test]
    fn a_drawn_microphone_is_listened_to_and_hears_no_chirp() {
        let tone = CaptureChoice::Tone {
            hz: 440.0,
            dbfs: -30.0,
        };
        let engine = engine(tone, PlaybackChoice::Null);
        let heard = listen(&engine, Duration::from_millis(500)).expect("it runs");
        assert!((heard.noise_db + 30.0).abs() < 0.5, "{heard:?}");
        assert_eq!(measure_loop(&engine), Ok(None));
    }

    #[test]
    fn a_device_that_is_not_there_and_an_engine_that_is_gone_are_errors() {
        let missing = CaptureChoice::Wav {
            path: "no such file.wav".into(),
        };
        let engine = engine(missing, PlaybackChoice::Null);
        assert_eq!(listen(&engine, Duration::from_secs(1)), Err(AudioError::Missing));
        let handle = engine.handle();
        drop(engine);
        assert!(matches!(measure_loop(&handle), Err(AudioError::Hung { .. })));
    }
}
