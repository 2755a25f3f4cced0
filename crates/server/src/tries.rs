//! How often somebody may be wrong: a pure policy over the times of earlier failures.
//!
//! A try is counted as a failure when it begins and forgiven when it succeeds, so that a hundred tries sent at once
//! are not judged by the same clean record. Nothing is kept across a restart and nothing here is logged.

use crate::doorway::subscriber;
use protocol::{HearingId, SeatId, TimeMs};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};

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
/// Wrong passwords of one account from one address. From elsewhere the right one is taken all the time: who knows a
/// judge's login must not be able to keep the judge out on the day of the hearing.
pub(crate) const ACCOUNT: Policy = Policy {
    failures: 10,
    window_ms: 10 * MINUTE_MS,
};
/// Wrong passwords of one account from whatever address. They refuse nobody; they only make every answer slower, which
/// holds up one who asks in sequence and not one who asks from many addresses at once.
pub(crate) const LOGIN: Policy = Policy {
    failures: 50,
    window_ms: 10 * MINUTE_MS,
};
/// Practice rooms, or reports, from one address. No try at anything: each counts. A self-test takes three rooms.
pub(crate) const PRACTICE: Policy = Policy {
    failures: 180,
    window_ms: 10 * MINUTE_MS,
};
/// Tries at one login that are answered at once; from then on each ten more cost a second.
const LOGIN_AT_ONCE: usize = 10;

/// What is tried. One device that types wrong codes does not keep a judge behind the same address from signing in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Desk {
    Code,
    Name,
    Password,
    /// Nothing is guessed at these two, and nothing forgiven.
    Practice,
    /// A report for a seat whose token is shown.
    Report,
}

/// Whose failures are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum TryKey {
    Address(Desk, IpAddr),
    Seat(HearingId, SeatId),
    Account(String, IpAddr),
    /// Only slows down.
    Login(String),
}

impl TryKey {
    pub(crate) fn address(desk: Desk, address: IpAddr) -> Self {
        Self::Address(desk, subscriber(address))
    }

    pub(crate) fn account(login: &str, address: IpAddr) -> Self {
        Self::Account(login.to_lowercase(), subscriber(address))
    }

    pub(crate) fn login(login: &str) -> Self {
        Self::Login(login.to_lowercase())
    }

    fn policy(&self) -> Policy {
        match self {
            TryKey::Address(Desk::Practice | Desk::Report, _) => PRACTICE,
            TryKey::Address(..) => ADDRESS,
            TryKey::Seat(..) => SEAT,
            TryKey::Account(..) => ACCOUNT,
            TryKey::Login(_) => LOGIN,
        }
    }

    fn is_of_staff(&self) -> bool {
        match self {
            TryKey::Address(desk, _) => *desk == Desk::Password,
            TryKey::Seat(..) => false,
            TryKey::Account(..) | TryKey::Login(_) => true,
        }
    }

    fn refuses(&self) -> bool {
        !matches!(self, TryKey::Login(_))
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

/// How long the answer to a password is held back, by the tries at its login within the window, this one included.
fn slow_down_ms(tries: usize) -> u64 {
    let seconds = tries.saturating_sub(LOGIN_AT_ONCE).div_ceil(10);
    1_000 * u64::try_from(seconds).unwrap_or(u64::MAX)
}

/// The failures of everybody, in memory. Those of the staff have a book of their own: what fills the other one is not to
/// keep them out.
#[derive(Default)]
pub(crate) struct Tries {
    entry: Mutex<Book>,
    staff: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    failures: HashMap<TryKey, VecDeque<TimeMs>>,
    swept_at: TimeMs,
}

/// At most this many keys are remembered in each book, some tens of megabytes. Beyond, strangers at the staff's desk are
/// asked to wait. Strangers with a code are let pass unwritten: anybody with a few thousand addresses fills a book, must
/// not thereby shut the hearings, and gains little, since the codes are too many to be guessed.
const KEYS: usize = 100_000;
/// Keys without a counting failure are dropped this often, and not at every try: under attack there are many.
const SWEEP_EVERY_MS: u64 = 1_000;
/// How long a stranger waits while the staff's book is full.
const FULL_WAIT_MS: u64 = MINUTE_MS;

impl Book {
    fn sweep(&mut self, now: TimeMs) {
        if now.since(self.swept_at) < SWEEP_EVERY_MS {
            return;
        }
        self.swept_at = now;
        self.failures.retain(|key, failures| {
            failures
                .back()
                .is_some_and(|last| now.since(*last) < key.policy().window_ms)
        });
    }
}

impl Tries {
    fn book(&self, keys: &[TryKey]) -> MutexGuard<'_, Book> {
        let of_staff = keys.iter().any(TryKey::is_of_staff);
        let book = if of_staff { &self.staff } else { &self.entry };
        book.lock().expect("no panic happens while the book is held")
    }

    /// Begins a try under every key, or says how many milliseconds to wait. On success call [`Tries::forgive`].
    pub(crate) fn begin(&self, keys: &[TryKey], now: TimeMs) -> Result<(), u64> {
        let mut book = self.book(keys);
        book.sweep(now);
        let book = &mut book.failures;
        let unknown = keys.iter().filter(|key| !book.contains_key(key)).count();
        let full = book.len() + unknown > KEYS;
        if full && keys.iter().any(TryKey::is_of_staff) {
            return Err(FULL_WAIT_MS);
        }
        let wait = keys
            .iter()
            .filter(|key| key.refuses())
            .filter_map(|key| verdict(key.policy(), book.get(key)?, now).err())
            .max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        for key in keys {
            // Seats are as many as the hearings have: they are always written down.
            if full && matches!(key, TryKey::Address(..)) && !book.contains_key(key) {
                continue;
            }
            let failures = book.entry(key.clone()).or_default();
            failures.push_back(now);
            while failures.len() > key.policy().failures {
                failures.pop_front();
            }
        }
        Ok(())
    }

    /// How many milliseconds the answer to a try that has begun is to be held back.
    pub(crate) fn slow_down(&self, key: &TryKey, now: TimeMs) -> u64 {
        let book = self.book(std::slice::from_ref(key));
        let failures = book.failures.get(key).into_iter().flatten();
        let window = key.policy().window_ms;
        slow_down_ms(failures.filter(|at| now.since(**at) < window).count())
    }

    /// The try that began at `began` succeeded.
    pub(crate) fn forgive(&self, keys: &[TryKey], began: TimeMs) {
        let mut book = self.book(keys);
        let book = &mut book.failures;
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
        let address = "192.0.2.7".parse().expect("an address");
        let key = [TryKey::address(Desk::Code, address)];
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
        let elsewhere = [TryKey::address(Desk::Password, address)];
        assert_eq!(tries.begin(&elsewhere, now.plus(wait)), Ok(()), "at another desk");
    }

    #[test]
    fn a_login_under_attack_answers_more_slowly_and_never_refuses() {
        let answers = [
            (1, 0),
            (10, 0),
            (11, 1_000),
            (20, 1_000),
            (21, 2_000),
            (50, 4_000),
        ];
        for (tries, ms) in answers {
            assert_eq!(slow_down_ms(tries), ms, "{tries}");
        }
        let tries = Tries::default();
        let login = [TryKey::login("Judge")];
        for n in 0..1_000 {
            assert_eq!(tries.begin(&login, TimeMs(n)), Ok(()));
        }
        assert_eq!(tries.slow_down(&TryKey::login("judge"), TimeMs(1_000)), 4_000);
        assert_eq!(tries.slow_down(&TryKey::login("clerk"), TimeMs(1_000)), 0);
        let later = TimeMs(1_000 + LOGIN.window_ms);
        assert_eq!(tries.slow_down(&login[0], later), 0);
    }

    #[test]
    fn the_staffs_book_is_bounded_and_empties_by_itself() {
        let tries = Tries::default();
        let stranger = |n: u32| TryKey::address(Desk::Password, IpAddr::from(n.to_be_bytes()));
        let known = [stranger(1)];
        for n in 0..u32::try_from(KEYS).expect("few") {
            tries.begin(&[stranger(n)], TimeMs(5_000)).expect("room for it");
        }
        let one_more = [stranger(u32::MAX)];
        assert_eq!(tries.begin(&one_more, TimeMs(5_500)), Err(FULL_WAIT_MS));
        assert_eq!(
            tries.begin(&known, TimeMs(5_500)),
            Ok(()),
            "who is known is not kept out"
        );
        let at_the_door = [TryKey::address(Desk::Code, IpAddr::from([192, 0, 2, 7]))];
        for _ in 0..ADDRESS.failures {
            assert_eq!(tries.begin(&at_the_door, TimeMs(5_500)), Ok(()));
        }
        assert!(
            tries.begin(&at_the_door, TimeMs(5_500)).is_err(),
            "written in its own book"
        );
        let later = TimeMs(5_000 + ADDRESS.window_ms);
        assert_eq!(tries.begin(&one_more, later), Ok(()));
        let left = tries.staff.lock().expect("whole").failures.len();
        assert_eq!(left, 2, "the known one's second try and the one more");
    }

    #[test]
    fn a_full_book_keeps_nobody_with_a_code_out_and_still_counts_by_seat() {
        let tries = Tries::default();
        let stranger = |n: u32| TryKey::address(Desk::Name, IpAddr::from(n.to_be_bytes()));
        for n in 0..u32::try_from(KEYS).expect("few") {
            tries.begin(&[stranger(n)], TimeMs(5_000)).expect("room for it");
        }
        let seat = TryKey::Seat("h".into(), "plaintiff".into());
        for n in 0..SEAT.failures as u32 {
            let keys = [stranger(u32::MAX - n), seat.clone()];
            assert_eq!(tries.begin(&keys, TimeMs(5_500)), Ok(()));
        }
        assert!(tries.begin(&[stranger(u32::MAX), seat], TimeMs(5_500)).is_err());
        assert_eq!(tries.begin(&[stranger(u32::MAX)], TimeMs(5_500)), Ok(()));
        let left = tries.entry.lock().expect("whole").failures.len();
        assert_eq!(left, KEYS + 1, "the seat, and no stranger");
    }

    #[test]
    fn success_forgives_only_itself() {
        let tries = Tries::default();
        let key = [TryKey::address(
            Desk::Code,
            "192.0.2.7".parse().expect("an address"),
        )];
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
        let key = |text: &str| TryKey::address(Desk::Code, text.parse().expect("an address"));
        assert!(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9"));
        assert!(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
        assert!(key("::ffff:192.0.2.1") == key("192.0.2.1"));
    }

    proptest! {
        /// However tries are spread, no window ever holds more failures than the policy lets pass.
        #[test]
        fn no_window_holds_more_than_the_limit(gaps in prop::collection::vec(0u64..120_000, 1..200)) {
            let tries = Tries::default();
            let key = [TryKey::account("a", IpAddr::from([192, 0, 2, 7]))];
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
