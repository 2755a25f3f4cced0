//! How fast one connection may send: a token bucket that is told the time.

use protocol::TimeMs;

/// A bucket that refills at a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    per_minute: u64,
    burst: u64,
    /// [`UNIT`] is one token; below zero while it is in debt.
    level: i64,
    at: TimeMs,
}

/// So many parts has a token: the milliseconds of a minute.
const UNIT: i64 = 60_000;

impl Pace {
    /// Commands: faster than a person, slower than a program that went wrong.
    pub(crate) fn commands(now: TimeMs) -> Self {
        Self::full(20 * 60, 40, now)
    }

    /// Frames of all kinds; a client needs less than two a second besides commands.
    pub(crate) fn frames(now: TimeMs) -> Self {
        Self::full(100 * 60, 400, now)
    }

    /// Media signalling: a page of tiles that comes into view is fifty requests at once, and then there are few.
    pub(crate) fn signalling(now: TimeMs) -> Self {
        Self::full(20 * 60, 200, now)
    }

    /// Whole pictures of the hearing, a quarter of a megabyte each: a page is reloaded now and then.
    pub(crate) fn refreshes(now: TimeMs) -> Self {
        Self::full(60, 3, now)
    }

    /// Connections of one seat. A line that breaks every few seconds is within it.
    pub(crate) fn arrivals(now: TimeMs) -> Self {
        Self::full(20, 20, now)
    }

    fn full(per_minute: u64, burst: u64, now: TimeMs) -> Self {
        Self {
            per_minute,
            burst,
            level: tokens(burst),
            at: now,
        }
    }

    /// Takes one; false when there is none left.
    pub(crate) fn take(&mut self, now: TimeMs) -> bool {
        self.refill(now);
        if self.level < UNIT {
            return false;
        }
        self.level -= UNIT;
        true
    }

    /// Takes `cost` at once, on credit if need be; for how many milliseconds nothing more is to be taken.
    pub(crate) fn borrow(&mut self, cost: u64, now: TimeMs) -> u64 {
        self.refill(now);
        self.level = self.level.saturating_sub(tokens(cost));
        self.level.min(0).unsigned_abs().div_ceil(self.per_minute)
    }

    fn refill(&mut self, now: TimeMs) {
        let gained = now.since(self.at).saturating_mul(self.per_minute);
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        self.level = self.level.saturating_add(gained).min(tokens(self.burst));
        self.at = self.at.max(now);
    }
}

fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(UNIT)
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
        assert_eq!(in_ten_seconds, 199, "the next is due at ten seconds");
        let mut arrivals = Pace::arrivals(TimeMs(0));
        let in_ten_minutes = (0..600).filter(|s| arrivals.take(TimeMs(s * 1_000))).count();
        assert_eq!(in_ten_minutes, 20 + 199);
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
