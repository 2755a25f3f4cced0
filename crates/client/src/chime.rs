//! The test sound: two soft notes through the same path as the others' voices, so that hearing it proves that path.

use media::audio::{AudioHandle, OpusEncoder, OpusSettings, PACKET, RATE, RtpAudio, TrackOptions};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Key of the chime among the engine's tracks; remote tracks have small numbers.
const KEY: u64 = u64::MAX;
/// 20 ms packets of the whole chime.
const PACKETS: usize = 60;
/// Frequency of each note, in Hz; half of the time each.
const NOTES: [f32; 2] = [659.3, 880.0];
/// Loudest sample.
const AMPLITUDE: f32 = 0.25;

/// One sample of the chime. Pure.
fn sample(at: usize) -> f32 {
    let half = PACKETS * PACKET / 2;
    let note = NOTES[(at / half).min(1)];
    let (t, left) = (
        (at % half) as f32 / RATE as f32,
        1.0 - (at % half) as f32 / half as f32,
    );
    (t * note * std::f32::consts::TAU).sin() * AMPLITUDE * left * left
}

/// Plays it once, then returns.
pub(crate) async fn play(audio: AudioHandle) {
    let options = TrackOptions { gain: 1.0, tap: None };
    let (Ok(mut encoder), Ok(input)) = (
        OpusEncoder::new(OpusSettings::default()),
        audio.add_track(KEY, options),
    ) else {
        tracing::warn!("the test sound cannot be played");
        return;
    };
    let mut pace = interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for packet in 0..PACKETS {
        pace.tick().await;
        let mut samples = [0.0; PACKET];
        for (i, out) in samples.iter_mut().enumerate() {
            *out = sample(packet * PACKET + i);
        }
        if let Ok(Some(payload)) = encoder.encode(&samples) {
            let timestamp = (packet * PACKET) as u32;
            input.push(RtpAudio {
                sequence: packet as u16,
                timestamp,
                payload: &payload,
            });
        }
    }
    // Let the jitter buffer play out.
    tokio::time::sleep(Duration::from_millis(300)).await;
    audio.remove_track(KEY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chime_is_audible_and_never_clips() {
        let peak = (0..PACKETS * PACKET)
            .map(|at| sample(at).abs())
            .fold(0.0, f32::max);
        assert!((0.15..=AMPLITUDE).contains(&peak), "{peak}");
    }
}
