//! Which packets of a received stream are asked for again, and when. Pure: arrivals and the time come in, numbers come out.
//!
//! A packet is asked for as soon as one after it has come, and again each time the answer could have been here: requests
//! and repairs are lost as often as everything else. A repair counts as the packet that it repairs, or every loss would be
//! repaired over and over until the sender stops repairing at all.

use super::assembly::{WAIT_LIMIT_MS, unwrap};
use std::collections::{BTreeMap, VecDeque};

/// A packet is missed this long after a later one came, in milliseconds: the network may have changed their order.
pub const REORDERED_MS: u64 = 5;
/// Round trip until one has been measured, in milliseconds.
const FIRST_ROUND_TRIP_MS: f64 = 50.0;
/// Asked again at the earliest after this time, in milliseconds.
pub const LEAST_PAUSE_MS: u64 = 20;
/// Asked again at the latest after this time, in milliseconds.
pub const LONGEST_PAUSE_MS: u64 = 600;
/// So many requests for a packet follow each other at the same pause; each further pause is twice the one before. What was
/// asked for so often is more probably late than lost: repairs wait in a queue, and asking on would make it longer.
pub const EVEN_REQUESTS: u64 = 4;
/// Where the pause is short there are as many as fit in this time, in milliseconds: a picture that comes later has stood
/// still, and of a fifth that is lost both ways one packet in sixty needs more than four requests.
pub const EVEN_FOR_MS: u64 = 160;
/// The pause is the round trip times this…
const ROUND_TRIPS: f64 = 1.25;
/// …plus this, in milliseconds.
const SLACK_MS: f64 = 5.0;
/// The round trip is the shortest time from the first request to the answer of this many repaired packets. The shortest
/// belongs to one whose first request was answered, however often they all were asked for; few, so that a way that gets
/// longer is soon known.
const ANSWERS: usize = 6;
/// A larger step in the numbers is a stream that began anew, and no loss.
const LARGEST_LOSS: u64 = 500;
/// So many packets are looked for at once, the latest: what a peer leaves out must not cost more than this.
const MOST_HOLES: usize = 1_024;

#[derive(Clone, Copy, Debug)]
struct Hole {
    since_ms: u64,
    ask_at_ms: u64,
    /// When it was asked for the first time.
    asked_ms: u64,
    asked: u32,
}

/// Follows the numbers of one stream.
#[derive(Debug, Default)]
pub struct Missing {
    /// One more than the highest number that came.
    next: Option<u64>,
    holes: BTreeMap<u64, Hole>,
    /// How long the latest answers took from the first request on, in milliseconds.
    answers_ms: VecDeque<u64>,
    /// Repairs come on a stream of their own: what comes by itself is late and answers nothing.
    repairs_apart: bool,
}

impl Missing {
    /// The packet with this number came on the stream itself.
    pub fn arrived(&mut self, now_ms: u64, sequence: u16) {
        self.came(now_ms, sequence, !self.repairs_apart);
    }

    /// The packet with this number came on the stream of repairs.
    pub fn repaired(&mut self, now_ms: u64, sequence: u16) {
        self.repairs_apart = true;
        self.came(now_ms, sequence, true);
    }

    fn came(&mut self, now_ms: u64, sequence: u16, answers: bool) {
        let next = *self.next.get_or_insert(u64::from(sequence) + (1 << 16));
        let number = unwrap(next, sequence);
        if let Some(hole) = self.holes.remove(&number) {
            if answers && hole.asked > 0 {
                self.answers_ms.push_back(now_ms.saturating_sub(hole.asked_ms));
                if self.answers_ms.len() > ANSWERS {
                    self.answers_ms.pop_front();
                }
            }
            return;
        }
        if number < next {
            return;
        }
        self.next = Some(number + 1);
        if number - next > LARGEST_LOSS {
            self.holes.clear();
            return;
        }
        for missed in next..number {
            let hole = Hole {
                since_ms: now_ms,
                ask_at_ms: now_ms + REORDERED_MS,
                asked_ms: 0,
                asked: 0,
            };
            self.holes.insert(missed, hole);
            if self.holes.len() > MOST_HOLES {
                self.holes.pop_first();
            }
        }
    }

    /// The numbers to ask for now; they count as asked for. What has been missing for longer than anybody waits for it
    /// is forgotten.
    pub fn due(&mut self, now_ms: u64) -> Vec<u16> {
        let pause = self.pause_ms();
        let even = (EVEN_FOR_MS / pause).max(EVEN_REQUESTS) as u32;
        self.holes
            .retain(|_, hole| now_ms.saturating_sub(hole.since_ms) < WAIT_LIMIT_MS);
        let mut due = Vec::new();
        for (number, hole) in &mut self.holes {
            if hole.ask_at_ms > now_ms {
                continue;
            }
            if hole.asked == 0 {
                hole.asked_ms = now_ms;
            }
            hole.asked += 1;
            let doubled = hole.asked.saturating_sub(even).min(8);
            hole.ask_at_ms = now_ms + (pause << doubled).min(LONGEST_PAUSE_MS);
            due.push(*number as u16);
        }
        due
    }

    /// When [`Self::due`] has something to say next.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.holes.values().map(|hole| hole.ask_at_ms).min()
    }

    fn pause_ms(&self) -> u64 {
        let shortest = self.answers_ms.iter().min();
        let round_trip_ms = shortest.map_or(FIRST_ROUND_TRIP_MS, |ms| *ms as f64);
        let pause = round_trip_ms * ROUND_TRIPS + SLACK_MS;
        (pause as u64).clamp(LEAST_PAUSE_MS, LONGEST_PAUSE_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};

    fn after(arrivals: &[(u64, u16)]) -> Missing {
        let mut missing = Missing::default();
        for (at, sequence) in arrivals {
            missing.arrived(*at, *sequence);
        }
        missing
    }

    #[test]
    fn what_is_missing_is_asked_for_once_it_is_late_and_again_until_it_comes() {
        let mut missing = after(&[(0, 65_533), (1, 65_534), (2, 1), (3, 3)]);
        assert_eq!(missing.due(6), [] as [u16; 0], "the order may have changed");
        assert_eq!(missing.next_due_ms(), Some(7));
        assert_eq!(missing.due(8), [65_535, 0, 2]);
        assert_eq!(missing.due(9), [] as [u16; 0], "the answer cannot be here yet");
        missing.arrived(20, 0);
        assert_eq!(missing.due(8 + LONGEST_PAUSE_MS), [65_535, 2]);
        missing.arrived(300, 65_535);
        missing.arrived(300, 2);
        assert_eq!(missing.next_due_ms(), None);
    }

    #[test]
    fn nobody_is_asked_for_a_packet_that_came_late_or_that_nobody_waits_for_any_more() {
        let mut late = after(&[(0, 10), (1, 12), (3, 11)]);
        assert_eq!(late.due(1_000), [] as [u16; 0]);
        let mut old = after(&[(0, 10), (0, 12)]);
        assert_eq!(old.due(WAIT_LIMIT_MS), [] as [u16; 0]);
        assert_eq!(old.next_due_ms(), None);
    }

    #[test]
    fn a_stream_that_begins_anew_is_no_loss() {
        let mut missing = after(&[(0, 10), (1, 20_000)]);
        assert_eq!(missing.due(100), [] as [u16; 0]);
        assert_eq!(after(&[(0, 10), (1, 20_000), (2, 20_002)]).due(100), [20_001]);
    }

    #[test]
    fn the_pause_follows_the_round_trip() {
        let mut missing = after(&[(0, 0)]);
        let mut now = 0;
        for sequence in (2..400).step_by(2) {
            now += 100;
            missing.arrived(now, sequence);
            assert_eq!(missing.due(now + REORDERED_MS), [sequence - 1]);
            missing.arrived(now + REORDERED_MS + 2, sequence - 1);
        }
        assert_eq!(missing.pause_ms(), LEAST_PAUSE_MS);
    }

    #[test]
    fn a_packet_that_is_only_late_says_nothing_about_the_round_trip() {
        let mut missing = Missing::default();
        let mut now = 0;
        for sequence in (0..80u16).step_by(4) {
            now += 1_000;
            missing.arrived(now, sequence);
            missing.arrived(now, sequence + 3);
            assert_eq!(missing.due(now + REORDERED_MS).len(), 2);
            missing.repaired(now + REORDERED_MS + 200, sequence + 1);
            missing.arrived(now + REORDERED_MS + 1, sequence + 2);
        }
        assert_eq!(missing.pause_ms(), 255);
    }

    #[test]
    fn a_peer_that_leaves_out_most_of_its_numbers_costs_little() {
        let mut missing = after(&[(0, 0)]);
        for step in 1..100u16 {
            missing.arrived(1, step * LARGEST_LOSS as u16);
        }
        let due = missing.due(1 + REORDERED_MS);
        assert_eq!(due.len(), MOST_HOLES);
        assert_eq!(due.last(), Some(&(99 * LARGEST_LOSS as u16 - 1)), "the latest");
    }

    #[test]
    fn repairs_that_wait_in_a_queue_are_not_asked_for_over_and_over() {
        let mut missing = after(&[(0, 0), (0, 2)]);
        let asked = (0..WAIT_LIMIT_MS).filter(|now| !missing.due(*now).is_empty());
        assert!((5..=8).contains(&asked.count()));
    }

    /// How often a packet that never comes is asked for where the way is short.
    fn most_requests() -> usize {
        let mut missing = after(&[(0, 0), (0, 2)]);
        assert_eq!(missing.due(REORDERED_MS), [1]);
        missing.repaired(REORDERED_MS, 1);
        missing.arrived(10, 4);
        (10..WAIT_LIMIT_MS + 10)
            .filter(|now| !missing.due(*now).is_empty())
            .count()
    }

    #[test]
    fn where_the_way_is_short_thirteen_requests_are_the_most() {
        assert_eq!(most_requests(), 13);
    }

    /// A sender of 60 packets a second behind a network that loses `loss` of everything both ways and takes `way` at a time.
    /// Gives how long each lost packet was missing, what was never repaired, and how many repairs were sent.
    fn played(seed: u64, loss: f64, way: impl Fn(u64) -> u64) -> (Vec<u64>, usize, usize) {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let (mut missing, mut repairs) = (Missing::default(), 0);
        let mut arriving: BTreeMap<u64, Vec<(u16, bool)>> = BTreeMap::new();
        let mut lost_at: BTreeMap<u16, u64> = BTreeMap::new();
        let mut took = Vec::new();
        for now in 0..40_000u64 {
            let way_ms = way(now);
            if now % 16 == 0 && now < 38_000 {
                let sequence = (now / 16) as u16;
                if now > 0 && rng.random_bool(loss) {
                    lost_at.insert(sequence, now + way_ms);
                } else {
                    arriving.entry(now + way_ms).or_default().push((sequence, false));
                }
            }
            for (sequence, is_repair) in arriving.remove(&now).unwrap_or_default() {
                if is_repair {
                    missing.repaired(now, sequence);
                } else {
                    missing.arrived(now, sequence);
                }
                if let Some(since) = lost_at.remove(&sequence) {
                    took.push(now.saturating_sub(since));
                }
            }
            let due = missing.due(now);
            if !due.is_empty() && !rng.random_bool(loss) {
                for sequence in due {
                    repairs += 1;
                    if !rng.random_bool(loss) {
                        let back = now + 2 * way_ms + 1;
                        arriving.entry(back).or_default().push((sequence, true));
                    }
                }
            }
        }
        (took, lost_at.len(), repairs)
    }

    proptest! {
        /// Of a fifth that is lost both ways almost nothing is missing for long, and repairs take no more than losses do.
        #[test]
        fn a_fifth_lost_both_ways_is_repaired_in_time_and_not_twice(seed in any::<u64>(), way_ms in 0u64..20) {
            // Several together: in one alone a few losses more by chance would decide.
            let (mut losses, mut never, mut still, mut late, mut repairs) = (0, 0, 0, 0, 0);
            for n in 0..4 {
                let played = played(seed.wrapping_add(n), 0.2, |_| way_ms);
                losses += played.0.len();
                still += played.0.iter().filter(|took| way_ms < 5 && **took > 190).count();
                late += played.0.iter().filter(|took| **took > 300).count();
                never += played.1;
                repairs += played.2;
            }
            prop_assert!(never * 100 <= losses, "{never} of {losses} never came");
            prop_assert!(still * 100 <= losses, "{still} of {losses} took longer than 190 ms of a short way");
            prop_assert!(late * 50 <= losses, "{late} of {losses} took longer than 300 ms");
            prop_assert!(repairs * 10 <= losses * 16, "{repairs} repairs of {losses} losses");
        }

        /// However far the sender is, and however much farther it gets. To learn a way costs a few repairs each time.
        #[test]
        fn a_long_way_is_learned_and_nothing_is_repaired_over_and_over(
            seed in any::<u64>(), loss in 0.02..0.2, first_ms in 0u64..200, then_ms in 0u64..200,
        ) {
            let (took, never, repairs) = played(seed, loss, |now| if now < 20_000 { first_ms } else { then_ms });
            let losses = took.len() + never;
            // Until a longer way is known each loss is asked for as often as on the shortest.
            let learning = 2 * ANSWERS * most_requests();
            prop_assert!(repairs * 10 <= losses * 15 + learning * 10, "{repairs} repairs of {losses} losses");
        }

        #[test]
        fn arbitrary_numbers_never_panic(arrivals in prop::collection::vec((0u64..200, any::<u16>()), 0..200)) {
            let (mut missing, mut now) = (Missing::default(), 0);
            for (wait, sequence) in arrivals {
                now += wait;
                missing.arrived(now, sequence);
                prop_assert!(missing.due(now).len() as u64 <= 200 * LARGEST_LOSS);
                prop_assert!(missing.next_due_ms().is_none_or(|at| at > now));
            }
        }
    }
}
