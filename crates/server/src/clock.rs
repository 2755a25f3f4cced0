//! The server's clock, passed in everywhere: the system's in production, one that tests move by hand.
//!
//! Nothing else in this crate reads the time or sleeps until a wall-clock moment. The clock never goes back.

use protocol::TimeMs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// A source of time in whole milliseconds since the Unix epoch. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    /// The latest stamp that was given out.
    stamped: AtomicU64,
}

#[derive(Debug)]
enum Kind {
    /// The latest time that was given out, so that a step back of the system clock is not seen.
    System(AtomicU64),
    Manual(watch::Sender<TimeMs>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::of(Kind::System(AtomicU64::new(0)))
    }

    /// A clock that stands at `start` until [`Clock::advance`] is called.
    pub fn manual(start: TimeMs) -> Self {
        Self::of(Kind::Manual(watch::Sender::new(start)))
    }

    fn of(kind: Kind) -> Self {
        Self(Arc::new(Inner {
            kind,
            stamped: AtomicU64::new(0),
        }))
    }

    /// The present time.
    pub fn now(&self) -> TimeMs {
        match &self.0.kind {
            Kind::System(latest) => {
                let now = system_now_ms();
                TimeMs(latest.fetch_max(now, Ordering::Relaxed).max(now))
            }
            Kind::Manual(at) => *at.borrow(),
        }
    }

    /// The present time, or the next millisecond that no stamp has: of two tokens, one is always the older.
    pub(crate) fn stamp(&self) -> TimeMs {
        let now = self.now().0;
        let next = |latest: u64| now.max(latest + 1);
        let stamped = &self.0.stamped;
        let before = stamped.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |latest| Some(next(latest)));
        TimeMs(next(before.unwrap_or_else(|latest| latest)))
    }

    /// Every stamp from now on is later than `at`: the system's clock may have been set back while the server was down.
    pub(crate) fn stamp_after(&self, at: TimeMs) {
        self.0.stamped.fetch_max(at.0, Ordering::Relaxed);
    }

    /// The present time as the standard library has it.
    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now().0)
    }

    /// Moves a manual clock; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, ms: u64) {
        if let Kind::Manual(at) = &self.0.kind {
            at.send_modify(|at| *at = at.plus(ms));
        }
    }

    /// Returns when the clock shows `at` or later.
    pub async fn sleep_until(&self, at: TimeMs) {
        match &self.0.kind {
            Kind::System(_) => loop {
                let left = at.since(self.now());
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left)).await;
            },
            Kind::Manual(clock) => {
                let mut seen = clock.subscribe();
                // The sender lives as long as `self`, so this only ends by reaching `at`.
                let _reached = seen.wait_for(|now| *now >= at).await;
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the server reads the system clock"
)]
fn system_now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Measures how long something took, for the operator's counters only.
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement for the operator, on which nothing is decided"
)]
pub(crate) fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_those_who_wait_for_it() {
        let clock = Clock::manual(TimeMs(1_000));
        let waiting = clock.clone();
        let (done, ()) = tokio::join!(
            async {
                waiting.sleep_until(TimeMs(1_500)).await;
                waiting.now()
            },
            async {
                clock.advance(499);
                tokio::task::yield_now().await;
                clock.advance(1);
            }
        );
        assert_eq!(done, TimeMs(1_500));
    }

    #[test]
    fn no_two_stamps_are_equal_and_they_follow_the_clock() {
        let clock = Clock::manual(TimeMs(1_000));
        assert_eq!(
            [clock.stamp(), clock.clone().stamp()],
            [TimeMs(1_000), TimeMs(1_001)]
        );
        clock.advance(5_000);
        assert_eq!(clock.stamp(), TimeMs(6_000));
    }

    #[test]
    fn the_system_clock_does_not_go_back() {
        let clock = Clock::system();
        let first = clock.now();
        assert!(clock.now() >= first && first.0 > 1_600_000_000_000);
    }
}
