//! Media time. Values are passed in as arguments everywhere; [`MediaClock`] is the one driver that reads the machine's clocks.
//!
//! It never adjusts a clock and never compares clocks of two machines.

use std::ops::Add;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// RTP clock rate of video (RFC 6184 §8.2.1), in Hz.
pub const VIDEO_RTP_RATE: u64 = 90_000;
/// RTP clock rate of Opus (RFC 7587 §4.1), in Hz.
pub const AUDIO_RTP_RATE: u64 = 48_000;

/// A moment on the monotonic media clock of this process, in microseconds since the clock was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment the clock was started.
    pub const ZERO: Self = Self(0);

    /// From microseconds since the clock was started.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the clock was started.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000)
    }

    /// Microseconds since the clock was started.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the clock was started.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// The RTP timestamp of a picture taken now: 90 kHz, wrapping at 32 bits.
    pub const fn rtp_video(self) -> u32 {
        (self.0 as u128 * VIDEO_RTP_RATE as u128 / 1_000_000) as u32
    }

    /// The RTP timestamp of sound taken now: 48 kHz, wrapping at 32 bits.
    pub const fn rtp_audio(self) -> u32 {
        (self.0 as u128 * AUDIO_RTP_RATE as u128 / 1_000_000) as u32
    }

    /// Time since `earlier`; zero when `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX)),
        )
    }
}

/// Wall-clock milliseconds since the Unix epoch: comparable between processes on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallMs(pub u64);

/// The driver that reads the machine's clocks. Copy it to whoever needs the time.
#[derive(Debug, Clone, Copy)]
pub struct MediaClock {
    origin: Instant,
}

impl MediaClock {
    /// Starts a media clock at zero.
    #[expect(
        clippy::disallowed_methods,
        reason = "the media clock is the driver that reads the machine's clock"
    )]
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// The media time now.
    pub fn now(&self) -> Timestamp {
        Timestamp(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The wall clock now; zero if the machine's clock is before 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "the media clock is the driver that reads the machine's clock"
    )]
    pub fn wall(&self) -> WallMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtp_timestamps_wrap_and_do_not_drift() {
        assert_eq!(Timestamp::from_millis(1_000).rtp_video(), 90_000);
        assert_eq!(Timestamp::from_millis(20).rtp_audio(), 960);
        // 2^32 ticks of 90 kHz are 47,721.858844… s: one tick later the value is small again.
        let wrap = Timestamp::from_micros(47_721_858_845);
        assert!(wrap.rtp_video() < 10);
    }
}
