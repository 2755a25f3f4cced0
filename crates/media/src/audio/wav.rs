//! WAV files in and out: a microphone without hardware, and a record of what was heard.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::audio::drift::FromDevice;
use crate::audio::{AudioError, BLOCK, RATE};

/// Longest file read into memory, in samples at 48 kHz: an hour.
const MAX_SAMPLES: usize = RATE as usize * 3_600;

fn wav_error(error: hound::Error) -> AudioError {
    match error {
        hound::Error::IoError(e) if e.kind() == std::io::ErrorKind::NotFound => AudioError::Missing,
        other => AudioError::File(other.to_string()),
    }
}

/// Reads a whole file as 48 kHz mono; channels are averaged, other rates resampled.
///
/// # Errors
/// [`AudioError::Missing`] when there is no such file, [`AudioError::File`] when it is not a usable WAV file.
pub fn read_wav(path: &Path) -> Result<Vec<f32>, AudioError> {
    let reader = WavReader::open(path).map_err(wav_error)?;
    let spec = reader.spec();
    if spec.channels == 0 || !(4_000..=192_000).contains(&spec.sample_rate) {
        return Err(AudioError::Unsupported(format!(
            "{} channels at {} Hz",
            spec.channels, spec.sample_rate
        )));
    }
    let most = MAX_SAMPLES * usize::from(spec.channels);
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => reader.into_samples::<f32>().take(most).collect(),
        SampleFormat::Int => {
            let scale = 1.0 / (1_i64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            reader
                .into_samples::<i32>()
                .take(most)
                .map(|s| s.map(|s| s as f32 * scale))
                .collect()
        }
    };
    let channels = usize::from(spec.channels);
    let mono: Vec<f32> = samples
        .map_err(wav_error)?
        .chunks_exact(channels)
        .map(|frame| frame.iter().sum::<f32>() / channels as f32)
        .collect();
    if mono.is_empty() {
        return Err(AudioError::File("the WAV file holds no sound".into()));
    }
    if spec.sample_rate == RATE {
        Ok(mono)
    } else {
        resample(&mono, spec.sample_rate)
    }
}

fn resample(mono: &[f32], rate: u32) -> Result<Vec<f32>, AudioError> {
    let mut from = FromDevice::new(rate)?;
    let wanted = (mono.len() as u64 * u64::from(RATE) / u64::from(rate)) as usize;
    let (mut out, mut at, mut block) = (Vec::with_capacity(wanted + BLOCK), 0, [0.0; BLOCK]);
    while out.len() < wanted {
        from.block(
            1.0,
            |input| {
                for sample in input {
                    *sample = mono.get(at).copied().unwrap_or(0.0);
                    at += 1;
                }
            },
            &mut block,
        );
        out.extend_from_slice(&block);
    }
    out.truncate(wanted);
    Ok(out)
}

/// Writes 48 kHz mono sound to a 16-bit WAV file. The header is brought up to date every second and at the end.
pub struct WavRecorder {
    writer: WavWriter<BufWriter<File>>,
    unflushed: usize,
}

impl WavRecorder {
    /// Creates (or replaces) a file.
    ///
    /// # Errors
    /// [`AudioError::File`] when it cannot be written.
    pub fn create(path: &Path) -> Result<Self, AudioError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let writer = WavWriter::create(path, spec).map_err(wav_error)?;
        Ok(Self { writer, unflushed: 0 })
    }

    /// Appends samples.
    ///
    /// # Errors
    /// [`AudioError::File`] when the disk refuses.
    pub fn write(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        for sample in samples {
            self.writer
                .write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)
                .map_err(wav_error)?;
        }
        self.unflushed += samples.len();
        if self.unflushed >= RATE as usize {
            self.unflushed = 0;
            self.writer.flush().map_err(wav_error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::meter::ToneDetector;

    #[test]
    fn what_is_recorded_can_be_read() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let path = dir.path().join("a.wav");
        let sound: Vec<f32> = (0..4_800).map(|n| (n % 100) as f32 / 100.0).collect();
        WavRecorder::create(&path)
            .expect("writable")
            .write(&sound)
            .expect("room on disk");
        let back = read_wav(&path).expect("readable");
        assert_eq!(back.len(), sound.len());
        assert!(back.iter().zip(&sound).all(|(a, b)| (a - b).abs() < 1e-3));
        assert_eq!(read_wav(&dir.path().join("none.wav")), Err(AudioError::Missing));
    }

    #[test]
    fn other_rates_and_channels_are_brought_to_ours() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let path = dir.path().join("b.wav");
        let spec = WavSpec {
            channels: 2,
            sample_rate: 22_050,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let mut writer = WavWriter::create(&path, spec).expect("writable");
        for n in 0..22_050 {
            let sample = 0.5 * (std::f32::consts::TAU * 500.0 * n as f32 / 22_050.0).sin();
            writer.write_sample(sample).expect("room on disk");
            writer.write_sample(sample).expect("room on disk");
        }
        writer.finalize().expect("room on disk");
        let back = read_wav(&path).expect("readable");
        assert_eq!(back.len(), RATE as usize);
        let mut tone = ToneDetector::new(500.0);
        tone.push(&back);
        assert!(tone.strength() > 0.97);
    }
}
