//! How much comes through: which rates are tried, what became of each, and when to stop. Pure.
//!
//! Rates rise in steps. A step whose packets come ever later has filled the line, and so has one that loses more than the line
//! did before while no more arrives; nothing above it is tried. What is counted is what arrived.

use crate::transport::fates::Fate;
use std::time::{Duration, Instant};

/// What is sent in each step, in bits a second. The last is more than a hearing needs from anybody.
pub(super) const STEPS_BPS: [u64; 6] = [500_000, 1_000_000, 2_000_000, 4_000_000, 7_000_000, 10_000_000];
/// How long each is sent.
pub(super) const STEP: Duration = Duration::from_millis(650);
/// What is on its way at the end is waited for.
pub(super) const DRAIN: Duration = Duration::from_millis(400);
/// All of it, on a busy computer too.
pub(super) const LIMIT: Duration = Duration::from_millis(4_800);
/// Never more than this is sent in all, in bytes.
pub(super) const MOST_BYTES: usize = 2_100_000;
/// More of a step lost than before by this much is a sign of a full line; less is chance, of the few packets of a small step.
/// Reports are lost like packets, and what they would have told counts as lost, so that a bad radio link shows the same: the
/// sign holds only where what arrives has not grown.
const MORE_LOSS: f32 = 0.12;
/// So much of what arrived before is clearly more, in percent. Steps are at least 142 % of each other.
const GROWN_PERCENT: u64 = 125;
/// Packets at the end of a step that come later than the earliest of all by this much wait in a queue.
const LATE: Duration = Duration::from_millis(120);
/// Rates are of no less time than this.
const SPAN_AT_LEAST: Duration = Duration::from_millis(200);
/// Over this time what came back is counted.
const WINDOW: Duration = Duration::from_millis(500);

/// What became of one step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Outcome {
    /// What arrived, in bits a second of the time in which it arrived; none where that time is too short to tell.
    pub(super) rate_bps: Option<u64>,
    /// Part of the packets, 0 to 1.
    pub(super) loss: f32,
    /// How much later than the earliest the last ones came.
    pub(super) late: Duration,
}

/// The time from leaving to arriving, with the unknown difference of the clocks, in seconds.
fn way(fate: &Fate, zero: Instant) -> Option<f64> {
    let left = fate.left.saturating_duration_since(zero);
    Some(fate.arrived?.as_secs_f64() - left.as_secs_f64())
}

/// What became of the packets that left from `from` on and before `to`, of all that are known. Nothing where nothing is
/// known of them.
pub(super) fn outcome(fates: &[Fate], from: Instant, to: Instant) -> Option<Outcome> {
    let of_step: Vec<&Fate> = fates
        .iter()
        .filter(|fate| fate.left >= from && fate.left < to)
        .collect();
    let zero = fates.first()?.left;
    let earliest = fates
        .iter()
        .filter_map(|fate| way(fate, zero))
        .min_by(f64::total_cmp)?;
    let mut arrived: Vec<(Duration, usize)> = of_step
        .iter()
        .filter_map(|fate| Some((fate.arrived?, fate.size)))
        .collect();
    arrived.sort();
    let ways: Vec<f64> = of_step.iter().filter_map(|fate| way(fate, zero)).collect();
    let mut last: Vec<f64> = ways[ways.len() - ways.len().div_ceil(4)..].to_vec();
    last.sort_by(f64::total_cmp);
    let late = last.get(last.len() / 2).map_or(0.0, |way| way - earliest);
    let (first, rest) = arrived.split_first()?;
    let span = rest
        .last()
        .map_or(Duration::ZERO, |last| last.0.saturating_sub(first.0));
    let bytes: usize = rest.iter().map(|(_, size)| size).sum();
    Some(Outcome {
        rate_bps: (span >= SPAN_AT_LEAST).then(|| (bytes as f64 * 8.0 / span.as_secs_f64()) as u64),
        loss: 1.0 - arrived.len() as f32 / of_step.len() as f32,
        late: Duration::from_secs_f64(late.max(0.0)),
    })
}

/// Whether the line has room for the next step, where `usual_loss` is what it loses anyway and `before_bps` the most that
/// arrived in a step before. A line of which nothing is heard has none.
pub(super) fn goes_on(outcome: Option<&Outcome>, usual_loss: f32, before_bps: u64) -> bool {
    outcome.is_some_and(|outcome| {
        let loses_more = outcome.loss > usual_loss + MORE_LOSS;
        let has_grown = outcome.rate_bps.unwrap_or(0) * 100 > before_bps * GROWN_PERCENT;
        outcome.late <= LATE && (has_grown || !loses_more)
    })
}

/// The most that came within [`WINDOW`], in bits a second; the packets in the order in which they came. None where they came
/// in less time than that.
pub(super) fn most(came: &[(Duration, usize)]) -> Option<u64> {
    let (mut oldest, mut bytes, mut most) = (0, 0, None);
    let begin = came.first()?.0;
    for (at, size) in came {
        bytes += size;
        while came[oldest].0 + WINDOW < *at {
            bytes -= came[oldest].1;
            oldest += 1;
        }
        if *at >= begin + WINDOW {
            most = most.max(Some((bytes as f64 * 8.0 / WINDOW.as_secs_f64()) as u64));
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A line of `bps` with a queue of `queue` bytes, 20 ms long, into which a step of `sent_bps` is sent; one in `lost_one_in`
    /// is lost on the way besides.
    fn sent(start: Instant, sent_bps: u64, bps: u64, queue: u64, lost_one_in: usize) -> Vec<Fate> {
        let (size, mut free_us, mut fates) = (1_200_usize, 0_u64, Vec::new());
        let each_us = size as u64 * 8_000_000 / sent_bps;
        let takes_us = size as u64 * 8_000_000 / bps;
        for n in 0..(STEP.as_micros() as u64 / each_us) {
            let left_us = n * each_us;
            let waiting = free_us.saturating_sub(left_us) / takes_us * size as u64;
            let is_lost = waiting + size as u64 > queue || (n as usize + 1).is_multiple_of(lost_one_in);
            if !is_lost {
                free_us = free_us.max(left_us) + takes_us;
            }
            fates.push(Fate {
                left: start + Duration::from_micros(left_us),
                arrived: (!is_lost)
                    .then(|| Duration::from_micros(free_us + 20_000) + Duration::from_secs(1_000)),
                size,
            });
        }
        fates
    }

    fn step(sent_bps: u64, bps: u64, lost_one_in: usize) -> Outcome {
        let start = crate::transport::start();
        let mut fates = sent(start, STEPS_BPS[0], bps, 60_000, lost_one_in);
        let second = start + STEP * 2;
        fates.extend(
            sent(second, sent_bps, bps, 60_000, lost_one_in)
                .into_iter()
                .map(|fate| Fate {
                    // By the server's clock too.
                    arrived: fate.arrived.map(|at| at + STEP * 2),
                    ..fate
                }),
        );
        outcome(&fates, second, second + STEP).expect("something is known")
    }

    #[test]
    fn a_line_with_room_is_seen_to_carry_what_is_sent() {
        let seen = step(4_000_000, 50_000_000, usize::MAX);
        let rate = seen.rate_bps.expect("known");
        assert!((3_900_000..4_100_000).contains(&rate), "{seen:?}");
        assert!(goes_on(Some(&seen), 0.0, 4_000_000), "{seen:?}");
    }

    #[test]
    fn a_full_line_shows_its_rate_and_ends_the_ramp() {
        for bps in [800_000, 1_000_000, 3_000_000] {
            let seen = step(bps * 2, bps, usize::MAX);
            let rate = seen.rate_bps.expect("known");
            assert!(
                (bps * 95 / 100..bps * 105 / 100).contains(&rate),
                "{bps}: {seen:?}"
            );
            assert!(!goes_on(Some(&seen), 0.0, 0), "{bps}: {seen:?}");
        }
    }

    #[test]
    fn loss_that_was_there_before_does_not_end_it_and_new_loss_does_where_no_more_arrives() {
        let seen = step(2_000_000, 50_000_000, 5);
        assert!((seen.loss - 0.2).abs() < 0.02, "{seen:?}");
        assert!(goes_on(Some(&seen), 0.2, 1_600_000));
        assert!(goes_on(Some(&seen), 0.0, 1_000_000), "reports were lost");
        assert!(
            !goes_on(Some(&seen), 0.0, 1_600_000),
            "a line without a queue is full"
        );
    }

    #[test]
    fn of_a_step_of_which_nothing_is_heard_nothing_is_concluded_and_no_other_follows() {
        let start = crate::transport::start();
        let fates = sent(start, 500_000, 1_000_000, 60_000, usize::MAX);
        let later = start + Duration::from_secs(10);
        assert_eq!(outcome(&fates, later, later + STEP), None);
        assert_eq!(outcome(&[], start, later), None);
        assert!(!goes_on(None, 0.0, 0));
        let all_lost: Vec<Fate> = fates
            .iter()
            .map(|fate| Fate {
                arrived: None,
                ..*fate
            })
            .collect();
        assert_eq!(outcome(&all_lost, start, start + STEP), None);
    }

    #[test]
    fn the_steps_keep_to_their_bounds() {
        assert!(STEP * STEPS_BPS.len() as u32 + DRAIN < LIMIT);
        let bits: u64 = STEPS_BPS
            .iter()
            .map(|bps| bps * STEP.as_millis() as u64 / 1_000)
            .sum();
        assert!(bits / 8 <= MOST_BYTES as u64 && bits / 8 > MOST_BYTES as u64 * 9 / 10);
    }

    #[test]
    fn the_most_is_of_the_best_half_second() {
        let even = |count: u64, each_ms: u64, from_ms: u64| {
            (0..count).map(move |n| (Duration::from_millis(from_ms + n * each_ms), 1_000))
        };
        let quick_in_between: Vec<_> = even(100, 10, 0)
            .chain(even(500, 2, 1_000))
            .chain(even(100, 10, 2_000))
            .collect();
        let most_bps = most(&quick_in_between).expect("long enough");
        assert!((3_900_000..4_100_000).contains(&most_bps), "{most_bps}");
        assert_eq!(most(&even(10, 10, 0).collect::<Vec<_>>()), None);
        assert_eq!(most(&[]), None);
    }

    proptest! {
        #[test]
        fn whatever_is_reported_is_taken(packets in prop::collection::vec((0u64..5_000, prop::option::of(0u64..10_000_000)), 1..100)) {
            let start = crate::transport::start();
            let fates: Vec<Fate> = packets
                .iter()
                .map(|(left, arrived)| Fate {
                    left: start + Duration::from_millis(*left),
                    arrived: arrived.map(Duration::from_micros),
                    size: 1_200,
                })
                .collect();
            if let Some(outcome) = outcome(&fates, start, start + STEP) {
                prop_assert!((0.0..=1.0).contains(&outcome.loss));
            }
            let mut came: Vec<_> = packets.iter().map(|(at, _)| (Duration::from_millis(*at), 100)).collect();
            came.sort();
            prop_assert!(most(&came).is_none_or(|bps| bps <= 100 * 100 * 16));
        }
    }
}
