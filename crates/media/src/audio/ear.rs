//! What a microphone's sound is like over some seconds, in figures: background, speech, peaks, clipping, or nothing at all.
//!
//! Pure arithmetic on samples; it judges nothing: what is too quiet is decided elsewhere. It wants the sound as the
//! microphone gave it, before noise suppression and gain control.

use crate::audio::RATE;
use crate::audio::meter::{SILENCE_DBFS, power_dbfs};

/// Levels are those of blocks of 20 ms.
const BLOCK: usize = RATE as usize / 50;
/// Longest sound measured, in blocks: a minute. What comes later is not taken in.
const MAX_BLOCKS: usize = 3_000;
/// The background is what this part of the blocks does not exceed: people pause between words.
const NOISE_PART: f32 = 0.1;
/// Speech stands out of the background by this much, in dB.
const SPEECH_OVER_NOISE_DB: f32 = 10.0;
/// Below this nothing counts as speech, in dBFS: it is the noise of an amplifier.
const SPEECH_FLOOR_DBFS: f32 = -75.0;
/// Fewer blocks than this that stand out (0.3 s) are a click or a knock on the table.
const SPEECH_BLOCKS: usize = 15;
/// The level of speech is what this part of the blocks that stand out does not exceed: vowels, not the gaps between them.
const SPEECH_PART: f32 = 0.75;
/// From here on a sample is at full scale: 0.1 dB below it, for a resampler bends the tops a little.
const FULL_SCALE: f32 = 0.985;
/// Fewer neighbours than this at full scale are a loud sound that just fits.
const CLIPPED_RUN: usize = 3;
/// A microphone whose loudest block is below this is switched off, in dBFS: a converter of 16 bits with nothing connected
/// makes -90, a quiet room at least -80.
pub const DEAD_DBFS: f32 = -85.0;

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// Level of what was said, in dBFS; none where nothing stood out of the background.
    pub speech_db: Option<f32>,
    /// Level of the background, in dBFS.
    pub noise_db: f32,
    /// Highest sample, in dBFS, 0 at most: what a resampler adds on top of full scale is not the microphone's.
    pub peak_db: f32,
    /// Part of the samples in runs at full scale, 0 to 1.
    pub clipped: f32,
    /// Not even noise came: digital silence, or a converter with nothing connected.
    pub dead: bool,
}

/// Listens to one microphone.
#[derive(Debug, Default)]
pub struct Ear {
    /// Level of each whole block, in dBFS.
    levels: Vec<f32>,
    /// Samples of the block begun, their sum and the sum of their squares.
    begun: (usize, f64, f64),
    peak: f32,
    samples: u64,
    clipped: u64,
    run: usize,
}

impl Ear {
    /// Has heard nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in 48 kHz samples. Zeros before the first sound are a device that starts and are left out.
    pub fn listen(&mut self, samples: &[f32]) {
        for &sample in samples {
            let sample = if sample.is_finite() { sample } else { 0.0 };
            let begins = self.samples == 0 && sample == 0.0;
            if !begins && self.levels.len() < MAX_BLOCKS {
                self.take(sample);
            }
        }
    }

    fn take(&mut self, sample: f32) {
        self.samples += 1;
        self.peak = self.peak.max(sample.abs());
        self.run = if sample.abs() >= FULL_SCALE {
            self.run + 1
        } else {
            0
        };
        self.clipped += match self.run {
            CLIPPED_RUN => CLIPPED_RUN as u64,
            run => u64::from(run > CLIPPED_RUN),
        };
        let (count, sum, squares) = &mut self.begun;
        *count += 1;
        *sum += f64::from(sample);
        *squares += f64::from(sample) * f64::from(sample);
        if *count == BLOCK {
            // Without its mean: the constant offset of a cheap converter is no sound.
            let mean = *sum / BLOCK as f64;
            let power = (*squares / BLOCK as f64 - mean * mean).max(0.0);
            self.levels.push(power_dbfs(power as f32));
            self.begun = (0, 0.0, 0.0);
        }
    }

    /// What was heard so far; before the first 20 ms it is nothing, like a dead microphone.
    pub fn heard(&self) -> Heard {
        let mut levels = self.levels.clone();
        levels.sort_by(f32::total_cmp);
        let noise_db = part(&levels, NOISE_PART);
        let stands_out = (noise_db + SPEECH_OVER_NOISE_DB).max(SPEECH_FLOOR_DBFS);
        let speech = &levels[levels.partition_point(|&level| level < stands_out)..];
        Heard {
            speech_db: (speech.len() >= SPEECH_BLOCKS).then(|| part(speech, SPEECH_PART)),
            noise_db,
            peak_db: power_dbfs(self.peak * self.peak).min(0.0),
            clipped: self.clipped as f32 / self.samples.max(1) as f32,
            dead: levels.last().is_none_or(|&loudest| loudest < DEAD_DBFS),
        }
    }
}

/// What `part` of these sorted levels does not exceed; silence for none.
fn part(sorted: &[f32], part: f32) -> f32 {
    let at = (part * sorted.len() as f32) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(SILENCE_DBFS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: usize = RATE as usize;

    /// White noise with a root mean square of `dbfs`.
    fn noise(seed: u32, dbfs: f32, samples: usize) -> Vec<f32> {
        let mut state = seed;
        // A uniform distribution of ±1 has a power of 1/3.
        let amplitude = 10.0_f32.powf(dbfs / 20.0) * 3.0_f32.sqrt();
        (0..samples)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                amplitude * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
            })
            .collect()
    }

    /// Syllables of 200 ms with pauses of 100 ms, a sine with a root mean square of `dbfs` each.
    fn syllables(dbfs: f32, samples: usize) -> Vec<f32> {
        let amplitude = 10.0_f32.powf(dbfs / 20.0) * 2.0_f32.sqrt();
        (0..samples)
            .map(|n| match n % 14_400 {
                0..9_600 => amplitude * (std::f32::consts::TAU * 250.0 * n as f32 / RATE as f32).sin(),
                _ => 0.0,
            })
            .collect()
    }

    fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| a + b).collect()
    }

    fn hear(samples: &[f32]) -> Heard {
        let mut ear = Ear::new();
        samples.chunks(480).for_each(|block| ear.listen(block));
        ear.heard()
    }

    #[test]
    fn speech_and_background_have_their_levels() {
        for (speech_db, noise_db) in [(-26.0, -60.0), (-45.0, -70.0), (-20.0, -35.0)] {
            let heard = hear(&sum(
                &syllables(speech_db, 4 * SECOND),
                &noise(1, noise_db, 4 * SECOND),
            ));
            let speech = heard.speech_db.expect("it stands out");
            assert!((speech - speech_db).abs() < 1.0, "{speech_db}: {heard:?}");
            assert!((heard.noise_db - noise_db).abs() < 1.0, "{noise_db}: {heard:?}");
            assert!(heard.clipped == 0.0 && !heard.dead, "{heard:?}");
        }
    }

    #[test]
    fn a_room_without_speech_has_only_a_background() {
        let heard = hear(&noise(2, -55.0, 4 * SECOND));
        assert_eq!((heard.speech_db, heard.dead), (None, false));
        assert!((heard.noise_db + 55.0).abs() < 0.5, "{heard:?}");
        assert!((heard.peak_db + 55.0 - 4.8).abs() < 0.5, "{heard:?}");
    }

    #[test]
    fn a_knock_is_not_speech() {
        let mut room = noise(3, -60.0, 4 * SECOND);
        room[SECOND..SECOND + 4_800].fill(0.5);
        room[SECOND + 2_000] = -0.5;
        assert_eq!(hear(&room).speech_db, None);
    }

    #[test]
    fn tops_that_are_cut_off_are_counted() {
        let loud = |amplitude: f32| -> Vec<f32> {
            (0..SECOND)
                .map(|n| amplitude * (std::f32::consts::TAU * 200.0 * n as f32 / RATE as f32).sin())
                .map(|s| s.clamp(-1.0, 1.0))
                .collect()
        };
        assert_eq!(hear(&loud(0.97)).clipped, 0.0);
        // A sine of twice full scale is above it for two thirds of the time.
        let heard = hear(&loud(2.0));
        assert!((heard.clipped - 0.67).abs() < 0.01, "{heard:?}");
        assert!(heard.peak_db.abs() < 0.01, "{heard:?}");
        // Single samples at the top are no run.
        let clicks: Vec<f32> = (0..SECOND).map(|n| if n % 100 < 2 { 1.0 } else { 0.0 }).collect();
        assert_eq!(hear(&clicks).clipped, 0.0);
    }

    #[test]
    fn a_microphone_that_is_switched_off_is_dead() {
        assert!(hear(&[]).dead);
        let silence = hear(&vec![0.0; SECOND]);
        assert!(silence.dead && silence.noise_db == SILENCE_DBFS && silence.speech_db.is_none());
        assert!(hear(&noise(4, -92.0, SECOND)).dead, "the last bit of a converter");
        let offset: Vec<f32> = noise(5, -92.0, SECOND).iter().map(|s| s + 0.02).collect();
        assert!(hear(&offset).dead, "a constant offset");
        assert!(!hear(&noise(6, -78.0, SECOND)).dead, "a very quiet room");
    }

    #[test]
    fn the_zeros_of_a_device_that_starts_are_not_its_background() {
        let mut sound = vec![0.0; SECOND];
        sound.extend(noise(7, -50.0, 3 * SECOND));
        let heard = hear(&sound);
        assert!((heard.noise_db + 50.0).abs() < 0.5, "{heard:?}");
    }

    proptest! {
        #[test]
        fn any_samples_give_figures(samples in proptest::collection::vec(any::<f32>(), 0..3_000)) {
            let heard = hear(&samples);
            prop_assert!((0.0..=1.0).contains(&heard.clipped), "{heard:?}");
            prop_assert!(!heard.noise_db.is_nan() && !heard.peak_db.is_nan(), "{heard:?}");
            prop_assert!(heard.noise_db >= SILENCE_DBFS && (SILENCE_DBFS..=0.0).contains(&heard.peak_db), "{heard:?}");
        }
    }
}
