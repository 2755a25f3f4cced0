//! What is known of the bandwidth towards one receiver. Pure: the estimator's words and the time come in.
//!
//! The estimator's word is not taken where it cannot know: its start value is a guess, what it makes of sound and padding alone
//! is often far too low, and for some seconds after it was begun anew it still averages what it thought before.

use std::time::{Duration, Instant};

/// What a path carried is believed for so long after the last picture.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Beginning anew costs a few probes, so what is remembered must be more than the estimate by this share, in percent.
const CLEARLY_PERCENT: u64 = 150;
/// str0m tells the mean of this time (`bwe/smoother.rs`), and does not forget it when it is begun anew.
const AVERAGED_OVER: Duration = Duration::from_secs(3);

/// Whether pictures are wanted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Pictures {
    /// None has been yet.
    #[default]
    Never,
    /// Some picture is.
    Wanted,
    /// None any more: an isolation, a minimised window, cameras off.
    Resting {
        /// Since when.
        since: Instant,
        /// The estimate then, bits per second.
        estimate: u64,
    },
}

/// See the module. All rates are bits per second.
#[derive(Debug, Default)]
pub(crate) struct Estimate {
    current: Option<u64>,
    /// Something was learned since the start value.
    measured: bool,
    pictures: Pictures,
    begun_anew: Option<Instant>,
}

impl Estimate {
    /// The estimate; none before media can flow.
    pub(crate) fn current(&self) -> Option<u64> {
        self.current
    }

    /// The same without the guess at the start.
    pub(crate) fn measured(&self) -> Option<u64> {
        self.current.filter(|_| self.measured)
    }

    /// The estimator's event. Whether less is there than before.
    pub(crate) fn averaged(&mut self, now: Instant, said: u64) -> bool {
        !self.is_averaging_what_was(now) && self.learn(said)
    }

    /// What the estimator holds at the moment, without its average; needed only while that is of no use. Whether less is
    /// there than before.
    pub(crate) fn at_the_moment(&mut self, now: Instant, said: u64) -> bool {
        self.is_averaging_what_was(now) && self.learn(said)
    }

    fn is_averaging_what_was(&self, now: Instant) -> bool {
        self.begun_anew
            .is_some_and(|at| now.saturating_duration_since(at) < AVERAGED_OVER)
    }

    fn learn(&mut self, said: u64) -> bool {
        self.measured = self.current.is_some();
        let falls = self.current.is_none_or(|before| said < before);
        self.current = Some(said);
        falls
    }

    /// The estimator begins anew with this.
    pub(crate) fn begin_anew(&mut self, now: Instant, with: u64) {
        self.current = Some(with);
        self.begun_anew = Some(now);
    }

    /// Notes whether some picture is `wanted` now. Where pictures are wanted again and the path carried clearly more before
    /// the rest than is thought of it now, that is what to begin anew with.
    pub(crate) fn rest_or_resume(&mut self, now: Instant, wanted: bool) -> Option<u64> {
        match (self.pictures, wanted) {
            (Pictures::Wanted, false) => {
                if let Some(estimate) = self.current {
                    self.pictures = Pictures::Resting { since: now, estimate };
                }
                None
            }
            (_, false) => None,
            (pictures, true) => {
                self.pictures = Pictures::Wanted;
                let Pictures::Resting { since, estimate } = pictures else {
                    return None;
                };
                let remembered = now.saturating_duration_since(since) <= REMEMBERED;
                let clearly = estimate * 100 > self.current.unwrap_or(0) * CLEARLY_PERCENT;
                (remembered && clearly).then_some(estimate)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start;

    #[test]
    fn the_start_value_is_no_knowledge() {
        let t0 = start();
        let mut estimate = Estimate::default();
        assert!(estimate.averaged(t0, 2_000_000));
        assert_eq!((estimate.current(), estimate.measured()), (Some(2_000_000), None));
        assert!(estimate.averaged(t0, 900_000));
        assert!(!estimate.averaged(t0, 950_000));
        assert_eq!(estimate.measured(), Some(950_000));
    }

    #[test]
    fn after_a_rest_what_the_path_carried_before_is_good_unless_it_is_old_or_hardly_more() {
        let t0 = start();
        for (before, after, seconds, with) in [
            (800_000, 60_000, 1, Some(800_000)),
            (800_000, 60_000, 60, Some(800_000)),
            (800_000, 60_000, 61, None),
            (800_000, 700_000, 1, None),
            (800_000, 900_000, 1, None),
        ] {
            let mut estimate = Estimate::default();
            assert_eq!(estimate.rest_or_resume(t0, true), None);
            estimate.averaged(t0, before);
            assert_eq!(estimate.rest_or_resume(t0, false), None);
            estimate.averaged(t0, after);
            let then = t0 + Duration::from_secs(seconds);
            assert_eq!(estimate.rest_or_resume(then, false), None, "still resting");
            assert_eq!(
                estimate.rest_or_resume(then, true),
                with,
                "{before} {after} {seconds}"
            );
            assert_eq!(estimate.rest_or_resume(then, true), None, "once");
        }
    }

    #[test]
    fn what_was_thought_before_any_picture_is_not_remembered() {
        let t0 = start();
        let mut estimate = Estimate::default();
        estimate.averaged(t0, 2_000_000);
        assert_eq!(estimate.rest_or_resume(t0, false), None);
        estimate.averaged(t0, 300_000);
        assert_eq!(estimate.rest_or_resume(t0, true), None);
    }

    #[test]
    fn the_average_of_what_was_is_not_listened_to_after_a_new_beginning() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut estimate = Estimate::default();
        assert!(!estimate.at_the_moment(t0, 70_000), "the average is good");
        estimate.begin_anew(t0, 800_000);
        assert!(!estimate.averaged(at(100), 90_000));
        assert_eq!(estimate.current(), Some(800_000));
        assert!(estimate.at_the_moment(at(1_000), 500_000), "but what it holds is");
        assert_eq!(estimate.current(), Some(500_000));
        assert!(!estimate.at_the_moment(at(3_000), 400_000));
        assert!(estimate.averaged(at(3_000), 450_000));
    }
}
