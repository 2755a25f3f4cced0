//! Loss that says nothing about bandwidth: packets that a bad radio link loses here and there, on a path that is not full.
//! Pure, with named constants; knows no RTP, and the caller brings the time.
//!
//! The estimator takes all loss for a path that is full. Where a fifth is lost at random it falls below the smallest
//! pictures, and its pacer holds repairs back until nobody needs them any more; yet the path would carry all of it.
//! A path that is full mostly shows it by its queue. One that keeps no queue (a policer, a router with active queue
//! management) loses as well without one, and is told apart by what arrives: it stays the same whatever is sent.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Less loss than this is left to the estimator.
const LEAST_LOSS: f32 = 0.04;
/// More loss than this is a path that drops what is too much for it, whatever its delay says. Reports are lost as often as
/// packets, and what they would have told counts as lost: a fifth each way looks like more than a third.
const MOST_LOSS: f32 = 0.50;
/// The running loss moves by this part of each new difference: a second of little loss is not another path, one of twice
/// [`LEAST_LOSS`] already is.
const GAIN: f32 = 0.5;
/// A round trip that is longer than the shortest one by more than this has a queue in it.
const QUEUE: Duration = Duration::from_millis(60);
/// For so long it is remembered what arrived of what was sent.
const MEMORY: Duration = Duration::from_secs(20);
/// Two rates tell something when one is so many times the other.
const TELLING: f64 = 1.4;
/// A path that turned out to be full is not taken for a scattering one for so long; each time again twice as long.
const REST: Duration = Duration::from_secs(30);
/// So many times that is doubled, to eight minutes.
const DOUBLINGS: u32 = 4;

/// What is known of the loss towards one receiver.
#[derive(Debug, Default)]
pub(crate) struct Scatter {
    /// Running, 0 to 1.
    loss: f32,
    /// The shortest round trip there has been.
    shortest: Option<Duration>,
    sent: VecDeque<Sent>,
    rests_until: Option<Instant>,
    times_full: u32,
    on: bool,
}

/// A second in which packets were lost.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    /// Bits per second.
    rate: f64,
    arrived: f64,
}

impl Scatter {
    /// Packets are lost although the path is not full.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Takes in one second: what was sent, in bits per second, how much of it was lost, and the round trip. True when
    /// [`Scatter::is_on`] has changed.
    pub(crate) fn second(&mut self, now: Instant, rate: f64, loss: f32, rtt: Option<Duration>) -> bool {
        self.loss += (loss - self.loss) * GAIN;
        self.shortest = self.shortest.into_iter().chain(rtt).min();
        self.sent
            .retain(|sent| now.saturating_duration_since(sent.at) <= MEMORY);
        if loss >= LEAST_LOSS {
            let arrived = rate * f64::from(1.0 - loss);
            self.sent.push_back(Sent {
                at: now,
                rate,
                arrived,
            });
            if self.is_full() {
                self.rests_until = Some(now + REST * (1 << self.times_full.min(DOUBLINGS)));
                self.times_full += 1;
                self.sent.clear();
            }
        }
        let rests = self.rests_until.is_some_and(|until| now < until);
        let on = !rests && without_queue(self.loss, rtt, self.shortest);
        std::mem::replace(&mut self.on, on) != on
    }

    /// Whether the newest second and the one whose rate differs most from it speak of a limit. What arrives through a full
    /// path is the same at both rates, through a scattering one it is in proportion; the middle lies between, by ratio.
    fn is_full(&self) -> bool {
        let Some(new) = self.sent.back().filter(|sent| sent.rate > 0.0) else {
            return false;
        };
        let apart = |sent: &Sent| (sent.rate / new.rate).ln().abs();
        let other = self.sent.iter().filter(|sent| sent.rate > 0.0);
        let Some(old) = other.max_by(|a, b| apart(a).total_cmp(&apart(b))) else {
            return false;
        };
        let (more, less) = if old.rate > new.rate {
            (old, new)
        } else {
            (new, old)
        };
        let rates = more.rate / less.rate;
        rates >= TELLING && more.arrived < less.arrived * rates.sqrt()
    }
}

fn without_queue(loss: f32, rtt: Option<Duration>, shortest: Option<Duration>) -> bool {
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
            assert_eq!(without_queue(loss, rtt, shortest), scattered, "{loss} {rtt:?}");
        }
    }

    /// In which of the seconds loss is taken for scattered, on a path that loses by `loss` what is sent, in kbit/s.
    fn on(rates: &[f64], loss: impl Fn(f64) -> f32) -> Vec<bool> {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs one origin")]
        let start = Instant::now();
        let mut scatter = Scatter::default();
        let second = |(second, rate): (usize, &f64)| {
            let now = start + Duration::from_secs(second as u64);
            scatter.second(now, *rate, loss(*rate), Some(Duration::from_millis(20)));
            scatter.is_on()
        };
        rates.iter().enumerate().map(second).collect()
    }

    /// A path that carries so many kbit/s and keeps no queue.
    fn full(capacity: f64) -> impl Fn(f64) -> f32 {
        move |rate| (1.0 - capacity / rate).max(0.0) as f32
    }

    #[test]
    fn a_path_that_lets_the_same_through_whatever_is_sent_is_full() {
        // The estimator comes down, and the loss with it to where scattered loss would be. A first second is half believed.
        let coming_down = [6_000.0, 3_000.0, 1_600.0, 1_500.0, 1_450.0, 1_400.0];
        assert_eq!(
            on(&coming_down, full(1_000.0)),
            [true, false, false, false, false, false]
        );
        // From below: at first nothing speaks against it, and what is sent then does.
        let going_up = [1_100.0, 1_200.0, 1_800.0, 1_800.0];
        assert_eq!(on(&going_up, full(1_000.0)), [true, true, false, false]);
    }

    #[test]
    fn a_path_that_loses_its_share_of_whatever_is_sent_is_not() {
        let rates = [6_000.0, 3_000.0, 800.0, 1_500.0, 1_500.0, 400.0, 3_000.0];
        for loss in [0.08, 0.2, 0.36] {
            assert_eq!(on(&rates, |_| loss), [true; 7], "{loss}");
        }
        // A second's loss is a sample of some hundred packets.
        let wavering = |rate: f64| 0.2 + 0.05 * (rate / 100.0).sin() as f32;
        assert_eq!(on(&rates, wavering), [true; 7]);
    }

    #[test]
    fn a_full_path_is_left_alone_for_longer_each_time() {
        let rates: Vec<f64> = (0..400)
            .map(|second| if second % 10 < 5 { 1_200.0 } else { 1_900.0 })
            .collect();
        let on = on(&rates, full(1_000.0));
        let begins: Vec<usize> = (1..400)
            .filter(|second| on[*second] && !on[*second - 1])
            .collect();
        let pauses: Vec<usize> = begins.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(begins.len() <= 5 && pauses.is_sorted(), "{begins:?}");
    }
}
