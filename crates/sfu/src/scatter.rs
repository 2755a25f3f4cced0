//! Loss that says nothing about bandwidth: packets that a bad radio link loses here and there, without a queue in front.
//! Pure functions with named constants; knows no RTP.
//!
//! The estimator takes all loss for a path that is full. Where a fifth is lost at random it falls below the smallest
//! pictures, and its pacer holds repairs back until nobody needs them any more; yet the path would carry all of it.

use std::time::Duration;

/// Less loss than this is left to the estimator.
pub(crate) const LEAST_LOSS: f32 = 0.04;
/// More loss than this is a path that drops what is too much for it, whatever its delay says. Reports are lost as often as
/// packets, and what they would have told counts as lost: a fifth each way looks like more than a third.
pub(crate) const MOST_LOSS: f32 = 0.50;
/// The running loss moves by this part of each new difference: a second of little loss is not another path, one of twice
/// [`LEAST_LOSS`] already is.
const GAIN: f32 = 0.5;
/// A round trip that is longer than the shortest one by more than this has a queue in it.
pub(crate) const QUEUE: Duration = Duration::from_millis(60);

/// The running loss after another sample, which is the loss of the last second before it was asked for.
pub(crate) fn smoothed(before: f32, loss: f32) -> f32 {
    before + (loss - before) * GAIN
}

/// Whether packets are lost on a path that is not full. `shortest` is the shortest round trip there has been.
pub(crate) fn is_scattered(loss: f32, rtt: Option<Duration>, shortest: Option<Duration>) -> bool {
    let (Some(rtt), Some(shortest)) = (rtt, shortest) else {
        return false;
    };
    (LEAST_LOSS..=MOST_LOSS).contains(&loss) && rtt <= shortest + QUEUE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_without_a_queue_is_told_from_a_path_that_is_full() {
        let ms = |ms| Some(Duration::from_millis(ms));
        for (loss, rtt, shortest, scattered) in [
            (0.20, ms(25), ms(20), true),
            (0.20, ms(300), ms(20), false),
            (0.36, ms(25), ms(20), true),
            (0.60, ms(25), ms(20), false),
            (0.01, ms(25), ms(20), false),
            (0.20, None, None, false),
        ] {
            assert_eq!(is_scattered(loss, rtt, shortest), scattered, "{loss} {rtt:?}");
        }
    }
}
