//! How often somebody may be wrong: a pure policy over the times of earlier failures.
//!
//! A try is counted as a failure when it begins and forgiven when it succeeds, so that a hundred tries sent at once
//! are not judged by the same clean record. Nothing is kept across a restart and nothing here is logged.

use protocol::{HearingId, SeatId, TimeMs};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

/// How many failures in how long a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Policy {
    /// Failures that are let pass within the window.
    pub(crate) failures: usize,
    /// How long a failure counts, in milliseconds.
    pub(crate) window_ms: u64,
}

const MINUTE_MS: u64 = 60_000;

/// Wrong codes, names and passwords from one address. A courthouse or a village may share one, so it is not small:
/// with ten million codes and a thousand of them valid, one address needs about three weeks for one hit.
pub(crate) const ADDRESS: Policy = Policy {
    failures: 20,
    window_ms: 10 * MINUTE_MS,
};
/// Wrong names and capacities at one seat of a hearing, by people who hold its code, from whatever address. It is
/// counted by seat so that one party cannot lock the others out of the hearing.
pub(crate) const SEAT: Policy = Policy {
    failures: 10,
    window_ms: 10 * MINUTE_MS,
};
/// Wrong passwords of one account, from whatever address.
pub(crate) const ACCOUNT: Policy = Policy {
    failures: 10,
    window_ms: 10 * MINUTE_MS,
};

/// Whose failures are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum TryKey {
    Address(IpAddr),
    Seat(HearingId, SeatId),
    Account(String),
}

impl TryKey {
    /// An IPv6 subscriber has a whole /64, so that is what counts.
    pub(crate) fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        })
    }

    fn policy(&self) -> Policy {
        match self {
            TryKey::Address(_) => ADDRESS,
            TryKey::Seat(..) => SEAT,
            TryKey::Account(_) => ACCOUNT,
        }
    }
}

/// May another try be made, given the earlier failures, oldest first? If not: after how many milliseconds.
pub(crate) fn verdict(policy: Policy, failures: &VecDeque<TimeMs>, now: TimeMs) -> Result<(), u64> {
    let counting = failures
        .iter()
        .filter(|at| now.since(**at) < policy.window_ms)
        .count();
    if counting < policy.failures {
        return Ok(());
    }
    // The try is free again when so many have aged out that fewer than the limit are left.
    let oldest_in_the_way = failures[failures.len() - policy.failures];
    Err(policy.window_ms - now.since(oldest_in_the_way))
}

/// The failures of everybody, in memory.
#[derive(Default)]
pub(crate) struct Tries(Mutex<HashMap<TryKey, VecDeque<TimeMs>>>);

/// Above this many keys, those without a counting failure are dropped before a new one is added.
const SWEEP_ABOVE: usize = 10_000;

impl Tries {
    /// Begins a try under every key, or says how many milliseconds to wait. On success call [`Tries::forgive`].
    pub(crate) fn begin(&self, keys: &[TryKey], now: TimeMs) -> Result<(), u64> {
        let mut book = self.0.lock().expect("no panic happens while the book is held");
        if book.len() > SWEEP_ABOVE {
            book.retain(|key, failures| {
                failures
                    .back()
                    .is_some_and(|last| now.since(*last) < key.policy().window_ms)
            });
        }
        let wait = keys
            .iter()
            .filter_map(|key| verdict(key.policy(), book.get(key)?, now).err())
            .max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        for key in keys {
            let failures = book.entry(key.clone()).or_default();
            failures.push_back(now);
            while failures.len() > key.policy().failures {
                failures.pop_front();
            }
        }
        Ok(())
    }

    /// The try that began at `began` succeeded.
    pub(crate) fn forgive(&self, keys: &[TryKey], began: TimeMs) {
        let mut book = self.0.lock().expect("no panic happens while the book is held");
        for key in keys {
            if let Some(failures) = book.get_mut(key) {
                if let Some(place) = failures.iter().rposition(|at| *at == began) {
                    failures.remove(place);
                }
                if failures.is_empty() {
                    book.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_limit_holds_and_the_wait_ends_exactly() {
        let tries = Tries::default();
        let key = [TryKey::address("192.0.2.7".parse().expect("an address"))];
        for n in 0..ADDRESS.failures as u64 {
            assert_eq!(tries.begin(&key, TimeMs(n)), Ok(()));
        }
        let now = TimeMs(100);
        let wait = tries.begin(&key, now).expect_err("one too many");
        assert_eq!(wait, ADDRESS.window_ms - 100);
        assert!(tries.begin(&key, now.plus(wait - 1)).is_err());
        assert_eq!(tries.begin(&key, now.plus(wait)), Ok(()));
        assert_eq!(
            tries.begin(&key, now.plus(wait)),
            Err(1),
            "the second failure ages out a millisecond later"
        );
    }

    #[test]
    fn success_forgives_only_itself() {
        let tries = Tries::default();
        let key = [TryKey::address("192.0.2.7".parse().expect("an address"))];
        for n in 0..ADDRESS.failures as u64 - 1 {
            tries.begin(&key, TimeMs(n)).expect("under the limit");
        }
        for n in 0..100 {
            let now = TimeMs(1_000 + n);
            tries.begin(&key, now).expect("one is left");
            tries.forgive(&key, now);
        }
        tries.begin(&key, TimeMs(2_000)).expect("still one left");
        assert!(tries.begin(&key, TimeMs(2_000)).is_err());
    }

    #[test]
    fn one_ipv6_subscriber_is_one_address() {
        let key = |text: &str| TryKey::address(text.parse().expect("an address"));
        assert!(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9"));
        assert!(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
        assert!(key("::ffff:192.0.2.1") == key("192.0.2.1"));
    }

    proptest! {
        /// However tries are spread, no window ever holds more failures than the policy lets pass.
        #[test]
        fn no_window_holds_more_than_the_limit(gaps in prop::collection::vec(0u64..120_000, 1..200)) {
            let tries = Tries::default();
            let key = [TryKey::Account("a".into())];
            let (mut now, mut let_pass) = (TimeMs(1), Vec::new());
            for gap in gaps {
                now = now.plus(gap);
                match tries.begin(&key, now) {
                    Ok(()) => let_pass.push(now),
                    Err(wait) => prop_assert!(wait > 0 && wait <= ACCOUNT.window_ms),
                }
                let in_window = let_pass.iter().filter(|at| now.since(**at) < ACCOUNT.window_ms).count();
                prop_assert!(in_window <= ACCOUNT.failures);
            }
        }
    }
}
