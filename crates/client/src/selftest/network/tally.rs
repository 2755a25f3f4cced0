//! What came back of a stream of sound packets: how many, how late, how evenly. Pure: times come with the packets.

use crate::rtp::jitter::Interarrival;
use std::collections::HashSet;
use std::time::Duration;

/// Where counting starts, so that packets which overtook the first have a place before it.
const START: u64 = 1 << 32;
/// Opus in RTP.
const CLOCK_RATE: u32 = 48_000;

/// One packet that came back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Back {
    /// When.
    pub(super) at: Duration,
    /// When it had been sent, by the same clock, if it says so.
    pub(super) sent: Option<Duration>,
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
}

/// See the module.
#[derive(Default)]
pub(super) struct Tally {
    /// Extended sequence numbers.
    came: HashSet<u64>,
    lowest: u64,
    highest: u64,
    trips_ms: Vec<f32>,
    jitter: Interarrival,
    jitter_sum_ms: f64,
}

impl Tally {
    pub(super) fn add(&mut self, back: Back) {
        let number = if self.came.is_empty() {
            let first = START + u64::from(back.sequence);
            (self.lowest, self.highest) = (first, first);
            first
        } else {
            let ahead = back.sequence.wrapping_sub(self.highest as u16) as i16;
            self.highest.saturating_add_signed(i64::from(ahead))
        };
        if !self.came.insert(number) {
            return;
        }
        self.lowest = self.lowest.min(number);
        self.highest = self.highest.max(number);
        if let Some(sent) = back.sent {
            self.trips_ms
                .push(back.at.saturating_sub(sent).as_secs_f32() * 1_000.0);
        }
        self.jitter
            .arrived(back.at, back.ssrc, back.timestamp, CLOCK_RATE);
        self.jitter_sum_ms += self.jitter.ms();
    }

    /// The part of the packets between the first and the last one that did not come; none without two packets. Of what was
    /// lost after the last nothing is known.
    pub(super) fn loss(&self) -> Option<f32> {
        let expected = self.highest - self.lowest + 1;
        (self.came.len() > 1).then(|| 1.0 - self.came.len() as f32 / expected as f32)
    }

    /// The median time from sending to coming back.
    pub(super) fn round_trip_ms(&self) -> Option<f32> {
        let mut trips = self.trips_ms.clone();
        trips.sort_by(f32::total_cmp);
        trips.get(trips.len() / 2).copied()
    }

    /// RFC 3550 §6.4.1, the mean of the running estimate: its last value would be of the last third of a second.
    pub(super) fn jitter_ms(&self) -> Option<f32> {
        let count = self.came.len();
        (count > 1).then(|| (self.jitter_sum_ms / count as f64) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sound that was sent evenly; `trip` says after how many milliseconds packet `n` is back, if ever.
    fn sound(first: u16, count: u64, trip: impl Fn(u64) -> Option<u64>) -> Tally {
        let mut back: Vec<(u64, u64)> = (0..count)
            .filter_map(|n| trip(n).map(|ms| (n * 20 + ms, n)))
            .collect();
        back.sort();
        let mut tally = Tally::default();
        for (at, n) in back {
            tally.add(Back {
                at: Duration::from_millis(at),
                sent: Some(Duration::from_millis(n * 20)),
                ssrc: 1,
                sequence: first.wrapping_add(n as u16),
                timestamp: (n * 960) as u32,
            });
        }
        tally
    }

    #[test]
    fn what_is_even_and_whole_has_no_loss_and_no_jitter() {
        let tally = sound(65_500, 500, |_| Some(40));
        assert_eq!((tally.loss(), tally.round_trip_ms()), (Some(0.0), Some(40.0)));
        assert_eq!(tally.jitter_ms(), Some(0.0));
    }

    #[test]
    fn what_never_comes_is_lost_and_what_comes_late_or_twice_is_not() {
        let every_tenth = sound(65_500, 501, |n| (n % 10 != 5).then_some(40));
        assert!((every_tenth.loss().expect("some came") - 50.0 / 501.0).abs() < 1e-6);
        let overtaken = sound(65_500, 501, |n| Some(if n % 10 == 5 { 90 } else { 40 }));
        assert_eq!(overtaken.loss(), Some(0.0));
        let first_is_late = sound(0, 100, |n| Some(if n == 0 { 90 } else { 40 }));
        assert_eq!(first_is_late.loss(), Some(0.0));
        let mut twice = sound(7, 10, |_| Some(40));
        let again = Back {
            at: Duration::from_secs(9),
            sent: None,
            ssrc: 1,
            sequence: 9,
            timestamp: 0,
        };
        twice.add(again);
        assert_eq!((twice.loss(), twice.round_trip_ms()), (Some(0.0), Some(40.0)));
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        let nothing = Tally::default();
        assert_eq!(
            (nothing.loss(), nothing.jitter_ms(), nothing.round_trip_ms()),
            (None, None, None)
        );
    }

    #[test]
    fn jitter_is_the_mean_difference_of_neighbours() {
        // 40, 50, 40, 50 …: neighbours differ by 10.
        let tally = sound(0, 500, |n| Some(40 + n % 2 * 10));
        let jitter = tally.jitter_ms().expect("known");
        assert!((9.0..=10.0).contains(&jitter), "{jitter}");
    }

    proptest! {
        #[test]
        fn whatever_comes_loss_is_a_part(numbers in prop::collection::vec(any::<u16>(), 2..200)) {
            let mut tally = Tally::default();
            for sequence in numbers {
                tally.add(Back { at: Duration::ZERO, sent: None, ssrc: 1, sequence, timestamp: 0 });
            }
            prop_assert!(tally.loss().is_none_or(|loss| (0.0..1.0).contains(&loss)));
        }
    }
}
