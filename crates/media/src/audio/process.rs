//! Full-duplex processing by `sonora` (the algorithms of WebRTC's AEC3, noise suppression and AGC2).
//!
//! Its one contract: [`Duplex::process`] is given exactly what goes to the speaker and what came from the microphone in
//! the same 10 ms, and how much later the speaker's sound can come back. Without a processor chosen it changes nothing.

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate, NoiseSuppression,
    NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::audio::{BLOCK, Block, RATE};

/// The echo canceller takes delays up to this, in milliseconds.
const MAX_DELAY_MS: u32 = 500;

/// Which processors run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processing {
    /// Echo cancellation.
    pub echo: bool,
    /// Noise suppression.
    pub noise: bool,
    /// Automatic gain control.
    pub gain: bool,
}

impl Processing {
    /// All of them: for a person with a microphone and speakers.
    pub const ON: Self = Self {
        echo: true,
        noise: true,
        gain: true,
    };
    /// All but the gain: for measuring an echo, which gain control raises together with the voice.
    pub const REHEARSAL: Self = Self {
        echo: true,
        noise: true,
        gain: false,
    };
    /// None: for files and tones.
    pub const OFF: Self = Self {
        echo: false,
        noise: false,
        gain: false,
    };

    fn config(self) -> Config {
        Config {
            pipeline: Pipeline {
                maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
                ..Pipeline::default()
            },
            high_pass_filter: (self.echo || self.noise).then(HighPassFilter::default),
            echo_canceller: self.echo.then(EchoCanceller::default),
            noise_suppression: self.noise.then(|| NoiseSuppression {
                level: NoiseSuppressionLevel::High,
                ..NoiseSuppression::default()
            }),
            gain_controller2: self.gain.then(|| GainController2 {
                adaptive_digital: Some(AdaptiveDigital::default()),
                ..GainController2::default()
            }),
            ..Config::default()
        }
    }
}

/// The processor of one seat's sound.
#[derive(Debug)]
pub struct Duplex {
    processing: Processing,
    apm: Option<AudioProcessing>,
    scratch: Block,
}

impl Duplex {
    /// A processor that has heard nothing yet.
    pub fn new(processing: Processing) -> Self {
        let apm = (processing != Processing::OFF).then(|| {
            AudioProcessing::builder()
                .config(processing.config())
                .capture_config(StreamConfig::new(RATE, 1))
                .render_config(StreamConfig::new(RATE, 1))
                .echo_detector(processing.echo)
                .build()
        });
        Self {
            processing,
            apm,
            scratch: [0.0; BLOCK],
        }
    }

    /// Changes which processors run; what the echo canceller learned is lost when anything changes.
    pub fn set(&mut self, processing: Processing) {
        if processing != self.processing {
            *self = Self::new(processing);
        }
    }

    /// Processes 10 ms: `far` goes to the speaker now, `near` came from the microphone now and is cleaned in place.
    /// `delay_ms` is the time until `far` is heard plus the age of `near`.
    pub fn process(&mut self, far: &Block, near: &mut Block, delay_ms: u32) {
        let Some(apm) = &mut self.apm else { return };
        let rendered = apm.process_render_f32(&[far], &mut [&mut self.scratch]);
        // The only complaint is a delay above the maximum, which is cut here already.
        let _ = apm.set_stream_delay_ms(delay_ms.min(MAX_DELAY_MS) as i32);
        let input = *near;
        let captured = apm.process_capture_f32(&[&input], &mut [near]);
        if let Some(error) = rendered.err().or(captured.err()) {
            tracing::warn!(
                ?error,
                "sound processing failed; the microphone goes out as it is"
            );
            *near = input;
        }
    }

    /// How likely it is that what left the processor still holds what was played, 0 to 1.
    pub fn echo_likelihood(&self) -> Option<f32> {
        let statistics = self.apm.as_ref()?.statistics();
        statistics.residual_echo_likelihood.map(|likely| likely as f32)
    }

    /// Echo return loss enhancement as the canceller estimates it, in dB.
    pub fn erle_db(&self) -> Option<f64> {
        self.apm
            .as_ref()
            .and_then(|apm| apm.statistics().echo_return_loss_enhancement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::meter::{mean_square, power_dbfs};

    /// Speech-like far sound: noise through two resonances, in syllables, from a fixed seed.
    fn speech(seed: u32, samples: usize) -> Vec<f32> {
        let (mut state, mut a, mut b) = (seed, [0.0_f32; 2], [0.0_f32; 2]);
        (0..samples)
            .map(|n| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (state >> 8) as f32 / 8_388_608.0 - 1.0;
                let low = noise * 0.03 + 1.97 * a[0] - 0.975 * a[1];
                a = [low, a[0]];
                let high = noise * 0.05 + 1.80 * b[0] - 0.90 * b[1];
                b = [high, b[0]];
                let t = n as f32 / RATE as f32;
                let syllable = (std::f32::consts::TAU * 2.3 * t).sin().max(0.0);
                (low * 0.25 + high * 0.4) * syllable * 0.35
            })
            .collect()
    }

    /// A room: a direct path after 12 ms and decaying reflections for 60 ms, -12 dB in all.
    fn room(far: &[f32]) -> Vec<f32> {
        let taps: Vec<(usize, f32)> = (0..14)
            .map(|k| {
                let delay = RATE as usize * 12 / 1_000 + k * 211 + (k * k * 17) % 97;
                let sign = if k % 3 == 1 { -1.0 } else { 1.0 };
                (delay, 0.25 * sign * 0.72_f32.powi(k as i32))
            })
            .collect();
        (0..far.len())
            .map(|n| {
                taps.iter()
                    .filter(|(d, _)| *d <= n)
                    .map(|(d, gain)| far[n - d] * gain)
                    .sum()
            })
            .collect()
    }

    fn energy_db(samples: &[f32]) -> f32 {
        power_dbfs(mean_square(samples))
    }

    /// Runs far and microphone sound through and returns what would be sent.
    fn run(far: &[f32], mic: &[f32], processing: Processing) -> Vec<f32> {
        let mut duplex = Duplex::new(processing);
        let mut out = Vec::with_capacity(mic.len());
        for (far, mic) in far.chunks_exact(BLOCK).zip(mic.chunks_exact(BLOCK)) {
            let mut near: Block = mic.try_into().expect("chunks are exact");
            duplex.process(far.try_into().expect("chunks are exact"), &mut near, 12);
            out.extend_from_slice(&near);
        }
        out
    }

    #[test]
    fn the_echo_of_a_room_is_taken_out() {
        let far = speech(7, 12 * RATE as usize);
        let echo = room(&far);
        let out = run(
            &far,
            &echo,
            Processing {
                echo: true,
                noise: false,
                gain: false,
            },
        );
        let half = out.len() / 2;
        let erle = energy_db(&echo[half..]) - energy_db(&out[half..]);
        // AEC3 with its suppressor reaches 30 to 60 dB here after six seconds; below 20 something is wired wrongly.
        assert!(erle > 20.0, "echo return loss enhancement {erle:.1} dB");
    }

    /// As [`speech`], in syllables and pauses of 80 to 480 ms, as nobody else makes them in the same moment.
    fn spoken(seed: u32, samples: usize) -> Vec<f32> {
        let mut state = seed;
        let mut length = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            RATE as usize * (80 + (state >> 8) as usize % 400) / 1_000
        };
        // Its own even rhythm is cut out: every second half of a period is silent.
        let half = (RATE as f32 / 2.3 / 2.0) as usize;
        let mut sound: Vec<f32> = speech(seed, samples * 2)
            .chunks(half)
            .step_by(2)
            .flatten()
            .copied()
            .collect();
        let (mut left, mut speaks) = (length(), true);
        for sample in &mut sound {
            if left == 0 {
                (left, speaks) = (length(), !speaks);
            }
            left -= 1;
            *sample *= f32::from(u8::from(speaks));
        }
        sound.resize(samples, 0.0);
        sound
    }

    /// In how much of the second half an echo is more likely than not, and the longest balance of such time over other, in
    /// seconds.
    fn likelihood(far: &[f32], mic: &[f32]) -> (f32, f32) {
        let mut duplex = Duplex::new(Processing::ON);
        let blocks = far.chunks_exact(BLOCK).zip(mic.chunks_exact(BLOCK));
        let said: Vec<bool> = blocks
            .map(|(far, mic)| {
                let mut near: Block = mic.try_into().expect("chunks are exact");
                duplex.process(far.try_into().expect("chunks are exact"), &mut near, 12);
                duplex.echo_likelihood().expect("the canceller runs") >= 0.5
            })
            .collect();
        let late = &said[said.len() / 2..];
        let mut balance = 0.0_f32;
        let balances = late.iter().map(|likely| {
            balance = (balance + if *likely { 0.01 } else { -0.01 }).max(0.0);
            balance
        });
        let longest = balances.fold(0.0, f32::max);
        let share = late.iter().filter(|likely| **likely).count() as f32 / late.len() as f32;
        (share, longest)
    }

    #[test]
    fn an_echo_that_is_not_taken_out_is_told_from_a_voice_and_from_one_that_is() {
        let far = spoken(7, 60 * RATE as usize);
        let near = spoken(99, far.len());
        // The canceller looks for an echo within half a second; a wireless loudspeaker that delays its sound by 700 ms
        // escapes it.
        let late: Vec<f32> = std::iter::repeat_n(0.0, RATE as usize * 7 / 10)
            .chain(room(&far))
            .take(far.len())
            .map(|s| s * 2.0)
            .collect();
        let (late, taken_out, voice) = (
            likelihood(&far, &late),
            likelihood(&far, &room(&far)),
            likelihood(&far, &near),
        );
        eprintln!("echo {late:?}, taken out {taken_out:?}, voice {voice:?}");
        assert!(late.0 > 0.6 && late.1 > 6.0, "{late:?}");
        // Somebody who speaks all the time while the others do is the hardest case, and no echo.
        assert!(taken_out.1 < 3.0 && voice.1 < 3.0, "{taken_out:?} {voice:?}");
    }

    #[test]
    fn the_near_voice_is_kept_while_the_far_side_is_silent() {
        let near = speech(99, 6 * RATE as usize);
        let out = run(
            &vec![0.0; near.len()],
            &near,
            Processing {
                echo: true,
                noise: false,
                gain: false,
            },
        );
        let half = out.len() / 2;
        let change = energy_db(&out[half..]) - energy_db(&near[half..]);
        // The high-pass filter takes a little; more than 3 dB would be damage.
        assert!(change.abs() < 3.0, "near voice changed by {change:.1} dB");
    }

    #[test]
    fn without_processors_sound_is_untouched() {
        let near = speech(3, RATE as usize);
        assert_eq!(run(&near, &near, Processing::OFF), near);
    }

    #[test]
    fn steady_noise_is_reduced() {
        let mut state = 1_u32;
        let noise: Vec<f32> = (0..6 * RATE as usize)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / 8_388_608.0 - 1.0) * 0.02
            })
            .collect();
        let out = run(
            &vec![0.0; noise.len()],
            &noise,
            Processing {
                echo: false,
                noise: true,
                gain: false,
            },
        );
        let half = out.len() / 2;
        let reduction = energy_db(&noise[half..]) - energy_db(&out[half..]);
        assert!(reduction > 8.0, "noise fell by only {reduction:.1} dB");
    }
}
