//! How fast one connection may send: a token bucket that is told the time.

use protocol::TimeMs;

/// A bucket that refills at a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    per_second: u64,
    burst: u64,
    /// Thousandths of a token; below zero while it is in debt.
    level: i64,
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

    /// Media signalling: a page of tiles that comes into view is fifty requests at once, and then there are few.
    pub(crate) fn signalling(now: TimeMs) -> Self {
        Self::full(20, 200, now)
    }

    fn full(per_second: u64, burst: u64, now: TimeMs) -> Self {
        Self {
            per_second,
            burst,
            level: thousandths(burst),
            at: now,
        }
    }

    /// Takes one; false when there is none left.
    pub(crate) fn take(&mut self, now: TimeMs) -> bool {
        self.refill(now);
        if self.level < 1_000 {
            return false;
        }
        self.level -= 1_000;
        true
    }

    /// Takes `cost` at once, on credit if need be; for how many milliseconds nothing more is to be taken.
    pub(crate) fn borrow(&mut self, cost: u64, now: TimeMs) -> u64 {
        self.refill(now);
        self.level = self.level.saturating_sub(thousandths(cost));
        self.level.min(0).unsigned_abs().div_ceil(self.per_second)
    }

    fn refill(&mut self, now: TimeMs) {
        let gained = now.since(self.at).saturating_mul(self.per_second);
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        self.level = self.level.saturating_add(gained).min(thousandths(self.burst));
        self.at = self.at.max(now);
    }
}

fn thousandths(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(1_000)
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

    #[test]
    fn a_debt_is_paid_back_at_the_rate_before_anything_more_is_taken() {
        let mut pace = Pace::signalling(TimeMs(0));
        let free = (0..1_000).take_while(|_| pace.borrow(1, TimeMs(0)) == 0).count();
        assert_eq!(free, 200);
        // One is owed since the last; a large one of twenty more is paid back in a second.
        assert_eq!(pace.borrow(20, TimeMs(0)), 1_050);
        assert_eq!(pace.borrow(0, TimeMs(1_049)), 1);
        assert_eq!(pace.borrow(0, TimeMs(1_050)), 0);
        assert!(!pace.take(TimeMs(1_050)));
    }
}
