//! Measuring sound: level and voice, what of a stream was received, concealed or missing, and a known tone in it.
//!
//! Pure arithmetic on samples; time is counted in samples.

use crate::audio::RATE;

/// Level of silence, in dBFS.
pub const SILENCE_DBFS: f32 = -127.0;
/// Below this nothing counts as voice, in dBFS.
const VOICE_FLOOR_DBFS: f32 = -55.0;
/// Voice stands out of the background by this much, in dB.
const VOICE_OVER_NOISE_DB: f32 = 9.0;
/// The estimate of the background rises by this much a second, in dB; it falls at once.
const NOISE_RISE_DB_PER_S: f32 = 0.5;
/// Voice holds on this long over pauses between words, in seconds.
const VOICE_HANGOVER_S: f32 = 0.3;
/// Time constant of the shown level, in seconds.
const LEVEL_TAU_S: f32 = 0.06;
/// How fast the shown peak falls, in dB a second.
const PEAK_FALL_DB_PER_S: f32 = 20.0;

/// How loud something is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Root mean square, in dBFS (0 is a full-scale square wave).
    pub rms_dbfs: f32,
    /// Highest sample of late, in dBFS.
    pub peak_dbfs: f32,
    /// Whether it stands out of its background like a voice.
    pub voice: bool,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            rms_dbfs: SILENCE_DBFS,
            peak_dbfs: SILENCE_DBFS,
            voice: false,
        }
    }
}

impl Level {
    /// The level as RFC 6464 sends it: 0 loudest to 127 silence.
    pub fn dbov(self) -> u8 {
        (-self.rms_dbfs).clamp(0.0, 127.0) as u8
    }
}

/// Ratio to dB; silence is [`SILENCE_DBFS`].
pub fn power_dbfs(mean_square: f32) -> f32 {
    if mean_square <= 0.0 {
        SILENCE_DBFS
    } else {
        (10.0 * mean_square.log10()).max(SILENCE_DBFS)
    }
}

/// Mean of the squared samples; 0 for none.
pub fn mean_square(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32
}

/// Follows the level of a stream.
#[derive(Debug, Clone)]
pub struct LevelMeter {
    mean_square: f32,
    peak_dbfs: f32,
    noise_dbfs: f32,
    hangover_s: f32,
}

impl Default for LevelMeter {
    fn default() -> Self {
        Self {
            mean_square: 0.0,
            peak_dbfs: SILENCE_DBFS,
            noise_dbfs: VOICE_FLOOR_DBFS,
            hangover_s: 0.0,
        }
    }
}

impl LevelMeter {
    /// A meter at silence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in 48 kHz samples, a block of 10 or 20 ms at a time.
    pub fn push(&mut self, samples: &[f32]) {
        let seconds = samples.len() as f32 / RATE as f32;
        let block = mean_square(samples);
        let weight = 1.0 - (-seconds / LEVEL_TAU_S).exp();
        self.mean_square += (block - self.mean_square) * weight;
        let top = samples.iter().fold(0.0_f32, |top, s| top.max(s.abs()));
        self.peak_dbfs = power_dbfs(top * top)
            .max(self.peak_dbfs - PEAK_FALL_DB_PER_S * seconds)
            .max(SILENCE_DBFS);

        let now = power_dbfs(block);
        if now > VOICE_FLOOR_DBFS && now > self.noise_dbfs + VOICE_OVER_NOISE_DB {
            self.hangover_s = VOICE_HANGOVER_S;
        } else {
            self.hangover_s = (self.hangover_s - seconds).max(0.0);
        }
        self.noise_dbfs = now.clamp(-90.0, self.noise_dbfs + NOISE_RISE_DB_PER_S * seconds);
    }

    /// The level now.
    pub fn level(&self) -> Level {
        Level {
            rms_dbfs: power_dbfs(self.mean_square),
            peak_dbfs: self.peak_dbfs,
            voice: self.hangover_s > 0.0,
        }
    }
}

/// What became of a received stream, in milliseconds of sound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GapReport {
    /// Decoded from packets, their redundant copies or forward error correction.
    pub received_ms: u64,
    /// Made up by concealment where packets were lost or late.
    pub concealed_ms: u64,
    /// Missing beyond what concealment covers: the listener heard silence.
    pub gap_ms: u64,
}

impl GapReport {
    /// Concealed and missing sound as a fraction of all, 0 to 1.
    pub fn concealed_fraction(self) -> f32 {
        let bad = self.concealed_ms + self.gap_ms;
        bad as f32 / (self.received_ms + bad).max(1) as f32
    }
}

/// Concealment covers this much of one interruption; the rest of it counts as a gap, in milliseconds.
pub const CONCEALMENT_MS: u64 = 100;

/// Sorts the time of a stream into received, concealed and missing.
///
/// Sound made up by the jitter buffer is only judged when the next packet tells why it was needed: after a pause of the
/// sender (discontinuous transmission) it was silence and counts as nothing; after loss or delay it was concealment.
#[derive(Debug, Clone, Default)]
pub struct GapMeter {
    report: GapReport,
    open_ms: u64,
}

impl GapMeter {
    /// A meter at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sound came out of a packet.
    pub fn received(&mut self, ms: u64) {
        self.report.received_ms += ms;
    }

    /// The jitter buffer had nothing and made something up.
    pub fn made_up(&mut self, ms: u64) {
        self.open_ms += ms;
    }

    /// How much was made up since the last packet: an interruption still open, or a pause of the sender.
    pub fn open_ms(&self) -> u64 {
        self.open_ms
    }

    /// A packet ends the time made up so far. `sender_paused` when the sender had sent nothing on purpose;
    /// `filled_ms` more was made up by the decoder in front of this packet.
    pub fn next_packet(&mut self, sender_paused: bool, filled_ms: u64) {
        let open = std::mem::take(&mut self.open_ms);
        let lost = filled_ms + if sender_paused { 0 } else { open };
        self.report.concealed_ms += lost.min(CONCEALMENT_MS);
        self.report.gap_ms += lost.saturating_sub(CONCEALMENT_MS);
    }

    /// The report so far.
    pub fn report(&self) -> GapReport {
        self.report
    }
}

/// Samples per window of the tone detector: 50 ms.
const TONE_WINDOW: usize = 2_400;
/// Windows the strength is averaged over.
const TONE_WINDOWS: f32 = 6.0;

/// Looks for one frequency (Goertzel's algorithm).
#[derive(Debug, Clone)]
pub struct ToneDetector {
    coefficient: f64,
    state: (f64, f64),
    energy: f64,
    count: usize,
    strength: f32,
    windows: u64,
}

impl ToneDetector {
    /// A detector for `hz`; multiples of 20 Hz are sharpest.
    pub fn new(hz: f32) -> Self {
        let omega = std::f64::consts::TAU * f64::from(hz) / f64::from(RATE);
        Self {
            coefficient: 2.0 * omega.cos(),
            state: (0.0, 0.0),
            energy: 0.0,
            count: 0,
            strength: 0.0,
            windows: 0,
        }
    }

    /// Takes in 48 kHz samples.
    pub fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            let x = f64::from(sample);
            let next = x + self.coefficient * self.state.0 - self.state.1;
            self.state = (next, self.state.0);
            self.energy += x * x;
            self.count += 1;
            if self.count == TONE_WINDOW {
                self.finish_window();
            }
        }
    }

    fn finish_window(&mut self) {
        let (a, b) = self.state;
        let power = a * a + b * b - self.coefficient * a * b;
        let share = if self.energy < 1e-6 {
            0.0
        } else {
            2.0 * power / (self.energy * TONE_WINDOW as f64)
        };
        self.windows += 1;
        self.strength +=
            (share.clamp(0.0, 1.0) as f32 - self.strength) / TONE_WINDOWS.min(self.windows as f32);
        (self.state, self.energy, self.count) = ((0.0, 0.0), 0.0, 0);
    }

    /// The tone's share of the sound's energy of late, 0 to 1; above 0.5 the tone is clearly there.
    pub fn strength(&self) -> f32 {
        self.strength
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn sine(hz: f32, amplitude: f32, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|n| amplitude * (std::f32::consts::TAU * hz * n as f32 / RATE as f32).sin())
            .collect()
    }

    #[test]
    fn a_full_scale_sine_is_minus_three_decibels() {
        let mut meter = LevelMeter::new();
        sine(1_000.0, 1.0, 48_000).chunks(480).for_each(|b| meter.push(b));
        let level = meter.level();
        assert!(
            (level.rms_dbfs + 3.01).abs() < 0.1 && level.peak_dbfs.abs() < 0.1,
            "{level:?}"
        );
        assert!(level.voice);
        assert_eq!(level.dbov(), 3);
        assert_eq!(Level::default().dbov(), 127);
    }

    #[test]
    fn steady_noise_ends_being_voice_and_silence_never_is() {
        let mut meter = LevelMeter::new();
        meter.push(&[0.0; 480]);
        assert!(!meter.level().voice);
        for _ in 0..12_000 {
            meter.push(&sine(400.0, 0.01, 480));
        }
        assert!(!meter.level().voice, "two minutes of hum");
        meter.push(&sine(400.0, 0.3, 480));
        assert!(meter.level().voice);
    }

    #[test]
    fn only_the_right_tone_is_found() {
        let mut right = ToneDetector::new(440.0);
        let mut wrong = ToneDetector::new(880.0);
        let sound = sine(440.0, 0.1, 48_000);
        right.push(&sound);
        wrong.push(&sound);
        assert!(right.strength() > 0.95, "{}", right.strength());
        assert!(wrong.strength() < 0.05, "{}", wrong.strength());
        right.push(&[0.0; 48_000]);
        assert!(right.strength() < 0.1);
    }

    #[test]
    fn pauses_of_the_sender_are_no_gaps_and_long_losses_are() {
        let mut meter = GapMeter::new();
        meter.received(1_000);
        meter.made_up(400);
        meter.next_packet(true, 0);
        assert_eq!(
            meter.report(),
            GapReport {
                received_ms: 1_000,
                concealed_ms: 0,
                gap_ms: 0
            }
        );
        meter.made_up(400);
        meter.next_packet(false, 20);
        assert_eq!(
            meter.report(),
            GapReport {
                received_ms: 1_000,
                concealed_ms: 100,
                gap_ms: 320
            }
        );
    }
}
