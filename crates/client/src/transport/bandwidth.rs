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
/// A wanted rate that did not hold is not tried again for so long; each time in vain twice as long.
const REST: Duration = Duration::from_secs(15);
/// So many times the rest is doubled, to four minutes.
const DOUBLINGS: u32 = 4;
/// Below this part of what was tried the estimate has fallen because of it.
const FELL_TO: f64 = 0.85;
/// Where a path has carried the wanted rate for so long, the next rest is the shortest again.
const CARRIED_FOR: Duration = Duration::from_secs(60);

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

/// What became of trying for the wanted rate. On a path that is too narrow for it each try is a moment of queue in front of
/// one's own voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trial {
    wanted: f64,
    /// The estimate has been there since.
    reached: Option<Instant>,
    rests_until: Option<Instant>,
    /// The rate that did not hold.
    failed: f64,
    failures: u32,
}

impl Trial {
    /// Up to here the estimate may rise without proof, in bits a second. `estimate` is the last one.
    pub fn allows(&mut self, now: Instant, estimate: f64, wanted: f64) -> f64 {
        if wanted != self.wanted {
            // Somebody looks at other layers; what was reached was for those before.
            self.wanted = wanted;
            self.reached = None;
        }
        if estimate >= wanted {
            let since = *self.reached.get_or_insert(now);
            if now.saturating_duration_since(since) >= CARRIED_FOR {
                self.failures = 0;
            }
        } else if self.reached.is_some() && estimate < wanted * FELL_TO {
            self.reached = None;
            self.failed = wanted;
            self.rests_until = Some(now + REST * (1 << self.failures.min(DOUBLINGS)));
            self.failures += 1;
        }
        match self.rests_until {
            // Nothing is known of less than what did not hold.
            Some(until) if now < until && wanted >= self.failed => 0.0,
            _ => wanted,
        }
    }
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
    trial: Trial,
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
            trial: Trial::default(),
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
        let wanted = f64::from(self.shared.wanted_bps.load(Ordering::Relaxed));
        let allowed = self.trial.allows(now, self.estimate, wanted);
        self.estimate = next_estimate(self.estimate, self.inner.target_bitrate(), acked, allowed);
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

    /// Seconds at which the wanted rate is reached, on a path that carries `path` bits a second, in so many seconds. GCC as it
    /// is there: it grows by 8 % a second while nothing is in its way, and falls below what comes through where the path is
    /// full.
    fn reached(path: f64, wanted: f64, seconds: u64) -> Vec<u64> {
        let start = crate::transport::start();
        let (mut trial, mut at) = (Trial::default(), Vec::new());
        let (mut estimate, mut gcc) = (START_BPS, START_BPS);
        for second in 0..seconds {
            let now = start + Duration::from_secs(second);
            let before = estimate;
            // With the last layer on everything that is allowed is sent, else half of what is wanted.
            let sent = if estimate >= wanted {
                estimate
            } else {
                wanted / 2.0
            };
            gcc = if sent > path { path * 0.85 } else { gcc * 1.08 };
            estimate = next_estimate(estimate, gcc, sent.min(path), trial.allows(now, estimate, wanted));
            if before < wanted && estimate >= wanted {
                at.push(second);
            }
        }
        at
    }

    #[test]
    fn a_rate_that_the_path_does_not_carry_is_tried_ever_more_seldom() {
        let narrow = reached(1.0e6, 1.2e6, 240);
        assert!(narrow.len() <= 5, "{narrow:?}");
        let pauses: Vec<u64> = narrow.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.is_sorted() && pauses[0] >= REST.as_secs(), "{pauses:?}");
        assert_eq!(reached(2.0e6, 1.2e6, 240).len(), 1, "what is carried stays");
    }

    #[test]
    fn a_smaller_rate_is_tried_although_a_larger_one_did_not_hold() {
        let now = crate::transport::start();
        let mut trial = Trial::default();
        assert_eq!(trial.allows(now, 1.7e6, 1.7e6), 1.7e6);
        assert_eq!(trial.allows(now, 9e5, 1.7e6), 0.0, "it did not hold");
        assert_eq!(trial.allows(now, 9e5, 1.2e6), 1.2e6);
        assert_eq!(trial.allows(now, 9e5, 1.7e6), 0.0);
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
