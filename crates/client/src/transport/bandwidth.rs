//! How much may be sent: GCC of the WebRTC stack inside a wrapper that keeps it honest.
//!
//! GCC here has no probing and grows even while nothing is sent (media.md §1), so an idle sender would drift to
//! the maximum and the first key frame afterwards would flood the path. The wrapper lets the estimate rise only
//! as far as what was really acknowledged supports, or as the next layer needs that somebody looks at: a layer that is not
//! sent yet can prove nothing. It gives the pacer headroom that the encoder does not see.
//! It never reads a clock: time comes with each call.

use rtc::interceptor::{BandwidthEstimator, EstimatorStats, PacketReport};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// First estimate, in bits a second: enough for a small and a middle layer at once.
pub const START_BPS: f64 = 1_000_000.0;
/// Sound with its redundancy and the smallest picture need this much. Random loss drives the estimate down without the path
/// being full; were it to fall further, sound would queue in the pacer behind pictures.
pub const MIN_BPS: f64 = 150_000.0;
/// No hearing needs more from one person.
pub const MAX_BPS: f64 = 6_000_000.0;
/// The estimate rises at most to this multiple of the acknowledged rate…
pub const ACKED_FACTOR: f64 = 1.5;
/// …plus this, so that it can leave zero.
pub const ACKED_SLACK_BPS: f64 = 10_000.0;
/// Headroom of the pacer over the encoders: a key frame must not hold up the sound behind it.
pub const PACER_FACTOR: f64 = 2.5;
/// Time over which the acknowledged rate is measured.
const ACKED_WINDOW: Duration = Duration::from_millis(500);

/// The next estimate from the last one, GCC's opinion and the acknowledged rate, all in bits a second.
///
/// Down at once; up only within what the path has proven to carry, or what `wanted` to be tried, at GCC's pace.
pub fn next_estimate(last: f64, gcc: f64, acked: f64, wanted: f64) -> f64 {
    if gcc <= last {
        return gcc.max(MIN_BPS);
    }
    let proven = acked * ACKED_FACTOR + ACKED_SLACK_BPS;
    gcc.min(last.max(proven).max(wanted)).clamp(MIN_BPS, MAX_BPS)
}

/// The estimate as the rest of the program reads it, without locks.
#[derive(Debug, Default)]
pub struct SharedEstimate {
    bps: AtomicU32,
    loss_permille: AtomicU32,
    rtt_ms: AtomicU32,
    wanted_bps: AtomicU32,
}

impl SharedEstimate {
    /// Up to here the estimate may rise without proof, in bits a second.
    pub fn want(&self, bps: u32) {
        self.wanted_bps.store(bps, Ordering::Relaxed);
    }

    /// Bits a second.
    pub fn bps(&self) -> u32 {
        self.bps.load(Ordering::Relaxed)
    }

    /// Reported loss, 0.0 to 1.0.
    pub fn loss(&self) -> f32 {
        self.loss_permille.load(Ordering::Relaxed) as f32 / 1000.0
    }

    /// Round trip in milliseconds, once measured.
    pub fn rtt_ms(&self) -> Option<u32> {
        match self.rtt_ms.load(Ordering::Relaxed) {
            0 => None,
            ms => Some(ms),
        }
    }
}

/// Wraps an estimator, see the module.
pub struct HonestEstimator<E> {
    inner: E,
    estimate: f64,
    acked: VecDeque<(Instant, usize)>,
    acked_bytes: usize,
    shared: Arc<SharedEstimate>,
}

impl<E: BandwidthEstimator> HonestEstimator<E> {
    /// Around `inner`; the second value is what the program reads.
    pub fn new(inner: E) -> (Self, Arc<SharedEstimate>) {
        let shared = Arc::new(SharedEstimate::default());
        shared.bps.store(START_BPS as u32, Ordering::Relaxed);
        let this = Self {
            inner,
            estimate: START_BPS,
            acked: VecDeque::new(),
            acked_bytes: 0,
            shared: Arc::clone(&shared),
        };
        (this, shared)
    }

    fn update(&mut self, now: Instant) {
        while self
            .acked
            .front()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) > ACKED_WINDOW)
        {
            if let Some((_, size)) = self.acked.pop_front() {
                self.acked_bytes -= size;
            }
        }
        let acked = self.acked_bytes as f64 * 8.0 / ACKED_WINDOW.as_secs_f64();
        self.estimate = next_estimate(
            self.estimate,
            self.inner.target_bitrate(),
            acked,
            f64::from(self.shared.wanted_bps.load(Ordering::Relaxed)),
        );
        self.shared.bps.store(self.estimate as u32, Ordering::Relaxed);
        let stats = self.inner.stats();
        if let Some(loss) = stats.packet_loss {
            self.shared
                .loss_permille
                .store((loss.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
        }
        if let Some(rtt) = stats.round_trip_time {
            self.shared
                .rtt_ms
                .store((rtt.as_millis() as u32).max(1), Ordering::Relaxed);
        }
    }
}

impl<E: BandwidthEstimator> BandwidthEstimator for HonestEstimator<E> {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        // The stack reports packets that carry no transport-wide number (sound) as lost whenever a picture packet
        // after them is acknowledged. They were never asked about, so they say nothing.
        let reports: Vec<PacketReport> = reports.iter().filter(|report| report.is_twcc).cloned().collect();
        self.inner.on_reports(now, &reports);
        let bytes: usize = reports.iter().filter(|r| r.arrived).map(|r| r.size).sum();
        if bytes > 0 {
            self.acked.push_back((now, bytes));
            self.acked_bytes += bytes;
        }
        self.update(now);
    }

    /// What the pacer may release: the estimate with headroom.
    fn target_bitrate(&self) -> f64 {
        self.estimate * PACER_FACTOR
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
        self.update(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn stats(&self) -> EstimatorStats {
        self.inner.stats()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_idle_sender_does_not_drift_up() {
        let mut estimate = START_BPS;
        for _ in 0..1_000 {
            estimate = next_estimate(estimate, 5_000_000.0, 40_000.0, 0.0);
        }
        assert_eq!(estimate, START_BPS);
    }

    #[test]
    fn a_busy_sender_rises_by_what_is_acknowledged_and_falls_at_once() {
        assert_eq!(next_estimate(1e6, 5e6, 9e5, 0.0), 1.36e6);
        assert_eq!(next_estimate(1.36e6, 3e5, 9e5, 0.0), 3e5);
    }

    #[test]
    fn a_sender_of_small_pictures_rises_to_what_the_next_layer_needs_and_no_further() {
        let (mut estimate, mut gcc) = (START_BPS, START_BPS);
        for _ in 0..100 {
            gcc *= 1.08;
            estimate = next_estimate(estimate, gcc, 300_000.0, 1.35e6);
        }
        assert_eq!(estimate, 1.35e6);
        assert_eq!(
            next_estimate(estimate, 4e5, 300_000.0, 1.35e6),
            4e5,
            "a full path is obeyed"
        );
    }

    proptest! {
        #[test]
        fn the_estimate_stays_in_its_range(last in MIN_BPS..MAX_BPS, gcc in 0.0..1e8f64, acked in 0.0..1e8f64, wanted in 0.0..1e7f64) {
            let next = next_estimate(last, gcc, acked, wanted);
            prop_assert!((MIN_BPS..=MAX_BPS).contains(&next));
            prop_assert!(next <= gcc.max(MIN_BPS));
            prop_assert!(next <= last.max(acked * ACKED_FACTOR + ACKED_SLACK_BPS).max(wanted).max(MIN_BPS));
        }
    }
}
