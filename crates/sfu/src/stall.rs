//! When an estimate of bandwidth is no knowledge any more: no picture fits it, and nothing is sent that could change it.
//! Pure; the caller brings the time.
//!
//! The estimator is told of pictures and of its own padding, and it sends neither padding nor probes while it takes the path
//! for too full. An estimate that fell while nothing was shown (an isolation, a minimised window, a bad moment of the path)
//! would therefore stay for ever: no packets, no reports, no packets. Begun anew, the estimator probes with a few packets.

use std::time::{Duration, Instant};

/// An estimate that did not move for so long while every picture pauses for it is given up; each time in vain it is believed
/// twice as long, since on a path that is really so narrow probes are in the way of the sound.
const PATIENCE: Duration = Duration::from_secs(1);
/// So many times the patience is doubled: in the end there is a try every sixteen seconds.
const DOUBLINGS: u32 = 4;
/// Pictures that are shown, or that nobody wants, for so long end that.
const WELL_FOR: Duration = Duration::from_secs(10);

/// One receiver's estimate, watched.
#[derive(Debug, Default)]
pub(crate) struct Stall {
    /// When the estimate last moved.
    moved: Option<Instant>,
    /// Every picture that is wanted has paused since.
    paused: Option<Instant>,
    /// Some picture has been shown, or none was wanted, since.
    well: Option<Instant>,
    tries: u32,
}

impl Stall {
    /// There is a new estimate.
    pub(crate) fn moved(&mut self, now: Instant) {
        self.moved = Some(now);
    }

    /// Whether the estimate is to be given up. `wanted` and `shown`: of the pictures there are, any.
    pub(crate) fn is_stalled(&mut self, now: Instant, wanted: bool, shown: bool) -> bool {
        if shown || !wanted {
            self.paused = None;
            let since = *self.well.get_or_insert(now);
            if now.saturating_duration_since(since) >= WELL_FOR {
                self.tries = 0;
            }
            return false;
        }
        self.well = None;
        let paused = *self.paused.get_or_insert(now);
        let quiet = now.saturating_duration_since(self.moved.map_or(paused, |moved| moved.max(paused)));
        let stalled = quiet >= PATIENCE * (1 << self.tries.min(DOUBLINGS));
        if stalled {
            self.tries += 1;
            self.paused = None;
        }
        stalled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds at which a look every fifth of a second finds the estimate stalled; at each second something `happens`.
    fn stalls(seconds: u64, happens: impl Fn(&mut Stall, u64, Instant) -> (bool, bool)) -> Vec<u64> {
        let start = crate::start();
        let mut stall = Stall::default();
        let mut at = Vec::new();
        for fifth in 0..seconds * 5 {
            let now = start + Duration::from_millis(fifth * 200);
            let (wanted, shown) = happens(&mut stall, fifth / 5, now);
            if stall.is_stalled(now, wanted, shown) {
                at.push(fifth / 5);
            }
        }
        at
    }

    #[test]
    fn an_estimate_that_shows_nothing_and_never_moves_is_given_up_ever_more_slowly() {
        let at = stalls(60, |_, _, _| (true, false));
        assert_eq!(at, [1, 3, 7, 15, 31, 48]);
    }

    #[test]
    fn one_that_moves_or_shows_something_or_is_not_needed_is_believed() {
        assert_eq!(stalls(60, |_, _, _| (true, true)), []);
        assert_eq!(stalls(60, |_, _, _| (false, false)), []);
        let moves = stalls(60, |stall, _, now| {
            stall.moved(now);
            (true, false)
        });
        assert_eq!(moves, []);
    }

    #[test]
    fn a_window_that_was_minimised_for_long_is_not_kept_waiting() {
        let at = stalls(60, |_, second, _| (!(10..40).contains(&second), false));
        assert_eq!(at, [1, 3, 7, 41, 43, 47, 55]);
    }

    #[test]
    fn pictures_that_last_bring_the_first_patience_back() {
        let at = stalls(40, |_, second, _| (true, (4..20).contains(&second)));
        assert_eq!(at, [1, 3, 21, 23, 27, 35]);
        let short = stalls(20, |_, second, _| (true, (4..9).contains(&second)));
        assert_eq!(short, [1, 3, 13]);
    }
}
