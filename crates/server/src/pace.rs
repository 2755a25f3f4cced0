//! How fast one connection may send: a token bucket that is told the time.

use protocol::TimeMs;

/// A bucket that refills at a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    per_second: u64,
    burst: u64,
    /// Thousandths of a token.
    level: u64,
    at: TimeMs,
}

impl Pace {
    /// Commands: faster than a person, slower than a program that went wrong.
    pub(crate) fn commands(now: TimeMs) -> Self {
        Self::full(20, 40, now)
    }

    /// Frames of all kinds; a client needs less than two a second besides commands.
    pub(crate) fn frames(now: TimeMs) -> Self {
        Self::full(100, 400, now)
    }

    fn full(per_second: u64, burst: u64, now: TimeMs) -> Self {
        Self {
            per_second,
            burst,
            level: burst * 1_000,
            at: now,
        }
    }

    /// Takes one; false when there is none left.
    pub(crate) fn take(&mut self, now: TimeMs) -> bool {
        let gained = now.since(self.at).saturating_mul(self.per_second);
        self.level = self.level.saturating_add(gained).min(self.burst * 1_000);
        self.at = self.at.max(now);
        if self.level < 1_000 {
            return false;
        }
        self.level -= 1_000;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut pace = Pace::commands(TimeMs(0));
        let burst = (0..100).filter(|_| pace.take(TimeMs(0))).count();
        assert_eq!(burst, 40);
        let in_ten_seconds = (0..10_000).filter(|ms| pace.take(TimeMs(*ms))).count();
        assert!((199..=200).contains(&in_ten_seconds), "{in_ten_seconds}");
    }
}
