//! The way of sound from loudspeaker to microphone: a chirp to play, and finding it in what was recorded.
//!
//! Pure arithmetic: it plays nothing and opens nothing. A chirp is found by its shape (normalised cross-correlation, a
//! matched filter), so that neither noise nor somebody who speaks is taken for it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::audio::RATE;
use crate::audio::meter::power_dbfs;

/// Samples of the chirp: 120 ms.
pub const CHIRP: usize = RATE as usize * 120 / 1_000;
/// It rises through these frequencies, in Hz: what the loudspeaker of a notebook plays and a voice is made of.
const SWEEP: (f32, f32) = (900.0, 5_400.0);
/// Loudest sample, -12 dBFS: clearly heard at the volume people have set, and frightens nobody.
const AMPLITUDE: f32 = 0.25;
/// It fades in and out for so many samples (10 ms), so that it does not click.
const FADE: usize = 480;
/// Only these frequencies are looked at, in Hz: rumble and hum are not in the chirp and must not hide it.
const BAND: (f32, f32) = (700.0, 5_800.0);
/// A buffer between two clocks stretches sound a little until it has settled; a chirp this much longer or shorter is found
/// all the same. Steps of this size cost at most 0.2 dB in between.
const STRETCHES: [f32; 5] = [-0.003, -0.001_5, 0.0, 0.001_5, 0.003];
/// A correlation from here on is the chirp. In sound of the same band that is not, its spread is about 0.03: seven times
/// that does not happen by chance.
const FOUND: f32 = 0.22;
/// What has less power than this in the band is silence, not a faint chirp (-100 dBFS).
const SILENT_POWER: f64 = 1e-10;

/// No sample counts for more than this: whatever a driver delivers, the sums stay finite.
const LOUDEST: f32 = 4.0;

/// The chirp, always the same.
pub fn chirp() -> Vec<f32> {
    stretched(0.0, 0.0).collect()
}

/// The chirp as it sounds when it takes longer by this part, and turned by this part of a period.
fn stretched(by: f32, turned: f64) -> impl Iterator<Item = f32> {
    let (from, to) = (f64::from(SWEEP.0), f64::from(SWEEP.1));
    let seconds = CHIRP as f64 / f64::from(RATE);
    (0..CHIRP).map(move |n| {
        let t = n as f64 / f64::from(RATE) / (1.0 + f64::from(by));
        let turns = turned + from * t + (to - from) / (2.0 * seconds) * t * t;
        let edge = (n.min(CHIRP - 1 - n) as f32 / FADE as f32).min(1.0);
        let fade = 0.5 - 0.5 * (std::f32::consts::PI * edge).cos();
        AMPLITUDE * fade * (std::f64::consts::TAU * turns.fract()).sin() as f32
    })
}

/// A chirp that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Echo {
    /// From the start of the recording, in milliseconds.
    pub delay_ms: f32,
    /// How loud it is against what was played, in dB: the gain of the strongest path.
    pub level_db: f32,
    /// How much of the sound at that place is the chirp: the correlation, 0 to 1.
    pub confidence: f32,
}

/// The chirp at one stretch, ready to be looked for.
struct Reference {
    /// Spectrum of it and of the same a quarter of a period later, conjugated and scaled for the inverse transform:
    /// loudspeakers and rooms turn phases, and what is heard lies between the two.
    spectra: [Vec<Complex32>; 2],
    energy: f64,
}

/// Finds chirps in recordings of at most a certain length.
pub struct ChirpFinder {
    size: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    references: Vec<Reference>,
}

impl ChirpFinder {
    /// For recordings of at most `longest` samples.
    pub fn new(longest: usize) -> Self {
        let size = longest.max(CHIRP).next_power_of_two();
        let mut planner = RealFftPlanner::new();
        let mut finder = Self {
            size,
            forward: planner.plan_fft_forward(size),
            inverse: planner.plan_fft_inverse(size),
            references: Vec::new(),
        };
        finder.references = STRETCHES
            .iter()
            .map(|&by| {
                let samples: Vec<f32> = stretched(by, 0.0).collect();
                let energy = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
                let spectra = [0.0, 0.25].map(|turned| {
                    let samples: Vec<f32> = stretched(by, turned).collect();
                    let spectrum = finder.spectrum(&samples).into_iter();
                    spectrum.map(|c| c.conj() / size as f32).collect()
                });
                Reference { spectra, energy }
            })
            .collect();
        finder
    }

    /// The chirp wherever it is in the recording. None where it is not.
    pub fn find(&self, recorded: &[f32]) -> Option<Echo> {
        let all = 0..=self.last_start(recorded)?;
        self.candidates(recorded, all)
            .max_by(|a, b| a.confidence.total_cmp(&b.confidence))
            .filter(|echo| echo.confidence >= FOUND)
    }

    /// What most resembles a chirp that begins within `starts`, however faint: an upper bound of what is there.
    pub fn loudest(&self, recorded: &[f32], starts: RangeInclusive<usize>) -> Option<Echo> {
        let last = self.last_start(recorded)?;
        let starts = *starts.start()..=(*starts.end()).min(last);
        self.candidates(recorded, starts)
            .max_by(|a, b| a.level_db.total_cmp(&b.level_db))
    }

    /// The last place where a whole chirp fits; none in a recording that is too short.
    fn last_start(&self, recorded: &[f32]) -> Option<usize> {
        recorded.len().min(self.size).checked_sub(CHIRP)
    }

    /// For every stretch the best place, once by confidence and once by level.
    fn candidates(
        &self,
        recorded: &[f32],
        starts: RangeInclusive<usize>,
    ) -> impl Iterator<Item = Echo> + use<> {
        let mut spectrum = self.spectrum(recorded);
        let hz_per_bin = RATE as f32 / self.size as f32;
        for (bin, value) in spectrum.iter_mut().enumerate() {
            let hz = bin as f32 * hz_per_bin;
            if !(BAND.0..=BAND.1).contains(&hz) {
                *value = Complex32::new(0.0, 0.0);
            }
        }
        let energies = energies(&self.samples(spectrum.iter().map(|c| c / self.size as f32).collect()));
        let mut found = Vec::new();
        for reference in &self.references {
            let [there, turned] = reference.spectra.each_ref().map(|known| {
                let product = spectrum.iter().zip(known).map(|(a, b)| a * b);
                self.samples(product.collect())
            });
            let at = |start: usize| {
                let product = f64::from(there[start].hypot(turned[start]));
                let energy = energies[start];
                let gain = product / reference.energy;
                let alike = if energy < SILENT_POWER * CHIRP as f64 {
                    0.0
                } else {
                    (product / (energy * reference.energy).sqrt()).min(1.0)
                };
                (start, gain, alike)
            };
            let by_confidence = starts.clone().map(at).max_by(|a, b| a.2.total_cmp(&b.2));
            let by_level = starts.clone().map(at).max_by(|a, b| a.1.total_cmp(&b.1));
            found.extend(by_confidence.into_iter().chain(by_level));
        }
        found.into_iter().map(|(start, gain, alike)| Echo {
            delay_ms: start as f32 * 1_000.0 / RATE as f32,
            level_db: power_dbfs((gain * gain) as f32),
            confidence: alike as f32,
        })
    }

    fn spectrum(&self, samples: &[f32]) -> Vec<Complex32> {
        let mut input = self.forward.make_input_vec();
        let length = samples.len().min(input.len());
        for (to, &from) in input[..length].iter_mut().zip(samples) {
            *to = if from.is_finite() {
                from.clamp(-LOUDEST, LOUDEST)
            } else {
                0.0
            };
        }
        let mut output = self.forward.make_output_vec();
        self.forward
            .process(&mut input, &mut output)
            .expect("both buffers were made by this transform");
        output
    }

    fn samples(&self, mut spectrum: Vec<Complex32>) -> Vec<f32> {
        // The first and the last are sums of real samples; rounding may have left them a trace of phase.
        for edge in [0, spectrum.len() - 1] {
            spectrum[edge].im = 0.0;
        }
        let mut output = self.inverse.make_output_vec();
        self.inverse
            .process(&mut spectrum, &mut output)
            .expect("the spectrum has the length of this transform and real ends");
        output
    }
}

/// Energy of the [`CHIRP`] samples from each start on.
fn energies(samples: &[f32]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(samples.len() + 1);
    let mut sum = 0.0;
    sums.push(sum);
    for &sample in samples {
        sum += f64::from(sample) * f64::from(sample);
        sums.push(sum);
    }
    (0..samples.len())
        .map(|start| sums[(start + CHIRP).min(samples.len())] - sums[start])
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::meter::mean_square;

    /// Recordings of the tests: 700 ms.
    const LENGTH: usize = RATE as usize * 7 / 10;

    /// Noise with a root mean square of 1 and nearly the distribution of a real one (a sum of four).
    fn noise(mut seed: u64, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|_| {
                let sum: f32 = (0..4)
                    .map(|_| {
                        seed = seed
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        (seed >> 40) as f32 / 8_388_608.0 - 1.0
                    })
                    .sum();
                sum * 0.75_f32.sqrt()
            })
            .collect()
    }

    /// A recording of a chirp that begins at `start`, `gain` times as loud, under noise `snr_db` below what is heard of it.
    fn recording(chirp: &[f32], start: usize, gain: f32, snr_db: f32, seed: u64) -> Vec<f32> {
        let rms = mean_square(chirp).sqrt() * gain.abs() * 10.0_f32.powf(-snr_db / 20.0);
        let mut sound: Vec<f32> = noise(seed, LENGTH).iter().map(|s| s * rms).collect();
        for (to, from) in sound[start..].iter_mut().zip(chirp) {
            *to += gain * from;
        }
        sound
    }

    #[test]
    fn the_chirp_is_moderate_and_begins_and_ends_in_silence() {
        let chirp = chirp();
        let peak = chirp.iter().fold(0.0_f32, |top, s| top.max(s.abs()));
        assert!((0.24..=AMPLITUDE).contains(&peak), "{peak}");
        assert!(chirp[0].abs() < 1e-3 && chirp[CHIRP - 1].abs() < 1e-3);
    }

    #[test]
    fn an_exact_copy_is_found_exactly() {
        let finder = ChirpFinder::new(LENGTH);
        let mut sound = vec![0.0; LENGTH];
        sound[4_800..4_800 + CHIRP].copy_from_slice(&chirp());
        let echo = finder.find(&sound).expect("it is there");
        assert_eq!(echo.delay_ms, 100.0);
        assert!(echo.level_db.abs() < 0.1 && echo.confidence > 0.98, "{echo:?}");
    }

    #[test]
    fn silence_and_recordings_that_are_too_short_hold_nothing() {
        let finder = ChirpFinder::new(LENGTH);
        assert_eq!(finder.find(&[]), None);
        assert_eq!(finder.find(&chirp()[1..]), None);
        assert_eq!(finder.find(&vec![0.0; LENGTH]), None);
        assert!(finder.find(&vec![f32::NAN; LENGTH]).is_none());
    }

    #[test]
    fn a_loud_hum_does_not_hide_it() {
        let finder = ChirpFinder::new(LENGTH);
        let mut sound = recording(&chirp(), 9_600, 0.1, 10.0, 5);
        for (n, sample) in sound.iter_mut().enumerate() {
            *sample += 0.3 * (std::f32::consts::TAU * 100.0 * n as f32 / RATE as f32).sin();
        }
        let echo = finder.find(&sound).expect("it is there");
        assert!((echo.delay_ms - 200.0).abs() < 0.1, "{echo:?}");
        assert!((echo.level_db + 20.0).abs() < 0.5, "{echo:?}");
    }

    #[test]
    fn a_chirp_stretched_by_a_settling_buffer_keeps_its_level() {
        let finder = ChirpFinder::new(LENGTH);
        for by in [-0.003_5, -0.002, 0.000_7, 0.002_2, 0.003_5] {
            let chirp: Vec<f32> = stretched(by, 0.15).collect();
            let echo = finder
                .find(&recording(&chirp, 4_800, 0.5, 20.0, 6))
                .unwrap_or_else(|| panic!("stretched by {by}"));
            assert!((echo.delay_ms - 100.0).abs() < 0.3, "{by}: {echo:?}");
            assert!((echo.level_db + 6.0).abs() < 0.5, "{by}: {echo:?}");
        }
    }

    #[test]
    fn noise_alone_is_never_taken_for_it() {
        let finder = ChirpFinder::new(LENGTH);
        let mut highest = 0.0_f32;
        for seed in 0..300 {
            let white = noise(seed, LENGTH);
            // The same noise in the chirp's own band, and with the colour of a voice.
            let mut low = 0.0;
            let coloured: Vec<f32> = white
                .iter()
                .map(|s| {
                    low += 0.25 * (s - low);
                    low
                })
                .collect();
            for sound in [white, coloured] {
                assert_eq!(finder.find(&sound), None, "seed {seed}");
                let all = finder.candidates(&sound, 0..=LENGTH - CHIRP);
                highest = all.fold(highest, |top, echo| top.max(echo.confidence));
            }
        }
        eprintln!("the highest correlation with noise was {highest:.3}");
        assert!(highest < 0.75 * FOUND, "{highest}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        /// In white noise at most as strong as what is heard of it: the delay within 0.2 ms, the level within 1 dB.
        #[test]
        fn delay_and_level_are_recovered(
            start in 0..LENGTH - CHIRP,
            attenuation_db in 0.0_f32..50.0,
            inverted in any::<bool>(),
            snr_db in 0.0_f32..40.0,
            seed in any::<u64>(),
        ) {
            let gain = 10.0_f32.powf(-attenuation_db / 20.0) * if inverted { -1.0 } else { 1.0 };
            let sound = recording(&chirp(), start, gain, snr_db, seed);
            let echo = ChirpFinder::new(LENGTH).find(&sound);
            prop_assert!(echo.is_some());
            let echo = echo.expect("it was found just above");
            let delay_ms = start as f32 * 1_000.0 / RATE as f32;
            prop_assert!((echo.delay_ms - delay_ms).abs() < 0.2, "{delay_ms}: {echo:?}");
            prop_assert!((echo.level_db + attenuation_db).abs() < 1.0, "{attenuation_db}: {echo:?}");
            prop_assert!((0.0..=1.0).contains(&echo.confidence));
        }

        #[test]
        fn any_sound_is_looked_through(sound in proptest::collection::vec(any::<f32>(), 0..8_000)) {
            let finder = ChirpFinder::new(8_000);
            let _ = finder.find(&sound);
            if let Some(echo) = finder.loudest(&sound, 0..=usize::MAX) {
                prop_assert!(!echo.level_db.is_nan() && !echo.confidence.is_nan(), "{echo:?}");
            }
        }
    }
}
