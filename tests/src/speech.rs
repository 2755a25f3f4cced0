//! Spoken words for the players of the demo, by espeak-ng: each speaks in their own part of a round, so that one can tell
//! who is heard.

use anyhow::{Context, Result, bail};
use std::path::Path;
use tokio::process::Command;

/// Seconds of a round that belong to one speaker.
const TURN_SECONDS: u32 = 8;

/// Writes a WAV file of one round in which only the speaker number `turn` of `turns` says `words`. Players loop it.
pub async fn round(words: &str, pitch: u32, turn: u32, turns: u32, file: &Path) -> Result<()> {
    let spoken = file.with_extension("spoken.wav");
    let status = Command::new("espeak-ng")
        .args(["-v", "cmn", "-s", "160", "-p", &pitch.to_string(), "-w"])
        .arg(&spoken)
        .arg(words)
        .status()
        .await
        .context("espeak-ng cannot be started; `cargo xtask setup` installs it")?;
    if !status.success() {
        bail!("espeak-ng ended with {status}");
    }
    let mut reader = hound::WavReader::open(&spoken)?;
    let spec = reader.spec();
    let samples: Vec<i16> = reader.samples::<i16>().collect::<Result<_, _>>()?;
    let turn_length = (TURN_SECONDS * spec.sample_rate * u32::from(spec.channels)) as usize;
    let mut writer = hound::WavWriter::create(file, spec)?;
    for now in 0..turns {
        for at in 0..turn_length {
            let sample = if now == turn {
                samples.get(at).copied().unwrap_or(0)
            } else {
                0
            };
            writer.write_sample(sample)?;
        }
    }
    writer.finalize().context("cannot write speech")
}
