//! Two clocks that differ: a device's and this machine's. A loop watches how full the buffer between them is and bends
//! the resampling ratio by a few hundred parts per million, so that the buffer neither runs dry nor grows.
//!
//! [`DriftLoop`] is pure; time is the number of samples. It never bends by more than half a percent (nobody hears it).

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};

use crate::audio::{AudioError, BLOCK, Block, RATE};

/// Most the ratio is bent, either way.
pub const MAX_BEND: f64 = 0.005;
/// Natural frequency of the loop, in radians a second: settles in about half a minute, deaf to single callbacks.
const OMEGA: f64 = 0.15;
/// Time constant of the level filter, in seconds: callbacks come in chunks, the level is a saw.
const LEVEL_TAU: f64 = 1.0;
/// Taps of the resampling filter: 64 keep aliases below hearing and delay by 0.7 ms.
const TAPS: usize = 64;

/// A proportional-integral loop on the level of a buffer.
#[derive(Debug, Clone)]
pub struct DriftLoop {
    level: Option<f64>,
    integral: f64,
}

impl Default for DriftLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl DriftLoop {
    /// A loop that assumes equal clocks.
    pub fn new() -> Self {
        Self {
            level: None,
            integral: 0.0,
        }
    }

    /// The bend learned so far: positive when the buffer tends to grow.
    pub fn bend(&self) -> f64 {
        self.integral
    }

    /// Forgets the level (the buffer was refilled or cut), keeps the bend.
    pub fn restart(&mut self) {
        self.level = None;
    }

    /// Given the buffer's level and target in seconds and the time since the last call, says by what factor the output
    /// of the resampler is to be shortened (above 1) or lengthened (below 1) to bring the level to the target.
    pub fn update(&mut self, level: f64, target: f64, dt: f64) -> f64 {
        let filtered = match self.level {
            None => level,
            Some(before) => before + (level - before) * (dt / (LEVEL_TAU + dt)),
        };
        self.level = Some(filtered);
        let error = filtered - target;
        // Critically damped: proportional 2ω, integral ω².
        self.integral = (self.integral + OMEGA * OMEGA * error * dt).clamp(-MAX_BEND, MAX_BEND);
        1.0 + (2.0 * OMEGA * error + self.integral).clamp(-MAX_BEND, MAX_BEND)
    }
}

fn resampler(ratio: f64, fixed: FixedAsync) -> Result<Async<f32>, AudioError> {
    let parameters = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2);
    Async::new_sinc(ratio, 1.0 + 2.0 * MAX_BEND, &parameters, BLOCK, 1, fixed)
        .map_err(|e| AudioError::Unsupported(e.to_string()))
}

/// Turns device samples of any rate into blocks of 10 ms at 48 kHz.
pub struct FromDevice {
    resampler: Async<f32>,
    input: Vec<f32>,
}

impl FromDevice {
    /// From `rate` samples a second.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for a rate no resampler can be made for.
    pub fn new(rate: u32) -> Result<Self, AudioError> {
        let resampler = resampler(f64::from(RATE) / f64::from(rate), FixedAsync::Output)?;
        let input = vec![0.0; resampler.input_frames_max()];
        Ok(Self { resampler, input })
    }

    /// Device samples the next block needs.
    pub fn needs(&self) -> usize {
        self.resampler.input_frames_next()
    }

    /// Makes a block; `fill` is handed a slice of [`Self::needs`] samples to fill. `shorten` is what [`DriftLoop::update`] said.
    pub fn block(&mut self, shorten: f64, fill: impl FnOnce(&mut [f32]), out: &mut Block) {
        let needs = self.resampler.input_frames_next();
        fill(&mut self.input[..needs]);
        let input =
            InterleavedSlice::new(&self.input, 1, needs).expect("the buffer holds what the resampler needs");
        let mut output = InterleavedSlice::new_mut(&mut out[..], 1, BLOCK).expect("a block is a block");
        self.resampler
            .process_into_buffer(&input, &mut output, None)
            .expect("both buffers have the sizes the resampler asked for");
        bend(&mut self.resampler, shorten);
    }
}

/// Turns blocks of 10 ms at 48 kHz into device samples of any rate.
pub struct ToDevice {
    resampler: Async<f32>,
    output: Vec<f32>,
}

impl ToDevice {
    /// To `rate` samples a second.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for a rate no resampler can be made for.
    pub fn new(rate: u32) -> Result<Self, AudioError> {
        let resampler = resampler(f64::from(rate) / f64::from(RATE), FixedAsync::Input)?;
        let output = vec![0.0; resampler.output_frames_max()];
        Ok(Self { resampler, output })
    }

    /// The device samples of a block. `shorten` is what [`DriftLoop::update`] said.
    pub fn samples(&mut self, shorten: f64, block: &Block) -> &[f32] {
        bend(&mut self.resampler, shorten);
        let input = InterleavedSlice::new(&block[..], 1, BLOCK).expect("a block is a block");
        let frames = self.output.len();
        let mut output = InterleavedSlice::new_mut(&mut self.output, 1, frames).expect("the whole buffer");
        let (_, made) = self
            .resampler
            .process_into_buffer(&input, &mut output, None)
            .expect("both buffers have the sizes the resampler asked for");
        &self.output[..made]
    }
}

fn bend(resampler: &mut Async<f32>, shorten: f64) {
    let ratio = (1.0 / shorten).clamp(1.0 - MAX_BEND, 1.0 + MAX_BEND);
    resampler
        .as_adjustable()
        .and_then(|r| r.set_resample_ratio_relative(ratio, true).ok())
        .expect("an asynchronous resampler takes any ratio within the range it was made for");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::meter::ToneDetector;

    /// Plays to a device whose clock is `ppm` fast, in virtual time, and returns level (s) by second and underruns.
    fn play(ppm: f64, rate: u32, chunk: usize, seconds: usize) -> (Vec<f64>, usize) {
        let target = chunk as f64 / f64::from(rate) + 0.015;
        let mut to_device = ToDevice::new(rate).expect("a rate");
        let mut drift = DriftLoop::new();
        let mut level = target * f64::from(rate);
        let (mut levels, mut underruns, mut taken) = (Vec::new(), 0, 0.0);
        let per_tick = f64::from(rate) * 0.01 * (1.0 + ppm * 1e-6);
        for tick in 0..seconds * 100 {
            let shorten = drift.update(level / f64::from(rate), target, 0.01);
            level += to_device.samples(shorten, &[0.0; BLOCK]).len() as f64;
            taken += per_tick;
            while taken >= chunk as f64 {
                taken -= chunk as f64;
                if level < chunk as f64 {
                    underruns += 1;
                    level = 0.0;
                } else {
                    level -= chunk as f64;
                }
            }
            if tick % 100 == 99 {
                levels.push(level / f64::from(rate));
            }
        }
        (levels, underruns)
    }

    #[test]
    fn playing_to_a_clock_200_ppm_off_settles_and_never_runs_dry() {
        for (ppm, rate, chunk) in [
            (200.0, 48_000, 480),
            (-200.0, 48_000, 1_024),
            (200.0, 44_100, 441),
            (-350.0, 16_000, 320),
        ] {
            let (levels, underruns) = play(ppm, rate, chunk, 180);
            assert_eq!(underruns, 0, "{ppm} ppm at {rate} Hz");
            let target = chunk as f64 / f64::from(rate) + 0.015;
            for (second, level) in levels.iter().enumerate().skip(90) {
                let off = (level - target).abs();
                // A chunk of slack for where in the saw the second falls.
                assert!(
                    off < 0.004 + chunk as f64 / f64::from(rate),
                    "{ppm} ppm at {rate} Hz: {off:.4} s off in second {second}"
                );
            }
        }
    }

    #[test]
    fn the_bend_learned_is_the_skew() {
        let (mut drift, mut level) = (DriftLoop::new(), 0.030);
        for _ in 0..180 * 100 {
            let shorten = drift.update(level, 0.030, 0.01);
            // The device takes 200 ppm less than is made: the level grows unless the output is shortened.
            level += 0.01 * (1.0 / shorten - (1.0 - 200e-6));
        }
        assert!(
            (drift.bend() - 200e-6).abs() < 10e-6,
            "{:.1} ppm",
            drift.bend() * 1e6
        );
        assert!((level - 0.030).abs() < 1e-3);
    }

    #[test]
    fn a_tone_keeps_its_pitch_from_44100_to_48000() {
        let mut from = FromDevice::new(44_100).expect("a rate");
        let mut tone = ToneDetector::new(1_000.0);
        let (mut n, mut out) = (0_u32, [0.0; BLOCK]);
        for _ in 0..200 {
            from.block(
                1.0,
                |input| {
                    for sample in input {
                        *sample = 0.5 * (std::f32::consts::TAU * 1_000.0 * n as f32 / 44_100.0).sin();
                        n += 1;
                    }
                },
                &mut out,
            );
            tone.push(&out);
        }
        assert!(tone.strength() > 0.97, "{}", tone.strength());
    }
}
