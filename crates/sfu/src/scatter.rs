//! Loss that says nothing about bandwidth: packets that a bad radio link loses here and there, on a path that is not full.
//! Pure, with named constants; knows no RTP, and the caller brings the time.
//!
//! The estimator takes all loss for a path that is full. Where a fifth is lost at random it falls below the smallest
//! pictures, and its pacer holds repairs back until nobody needs them any more; yet the path would carry all of it.
//! A path that is full mostly shows it by its queue. One that keeps no queue (a policer, a router with active queue
//! management) loses as well without one, and is told apart by what arrives: it stays the same whatever is sent. That takes
//! two rates. Where the rate does not change by itself, the estimator is let have its way for a moment.

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
/// Two rates tell something when one is so many times the other…
const TELLING: f64 = 1.4;
/// …and the two answers are so many standard deviations of the sample apart.
const SIGMAS: f64 = 4.0;
/// Where between the two answers, by ratio, the line is drawn: 0 at that of a full path, 1 at that of a scattering one. What
/// is lost behind the last packet that came is not reported, so that more seems to arrive through a full path than does.
const LINE: f64 = 0.6;
/// A path of which nothing was told for so long is looked at; each time in vain the next look is twice as far away.
const LOOK_AFTER: Duration = Duration::from_secs(20);
/// How long the estimator has its way then.
const LOOK_FOR: Duration = Duration::from_secs(3);
/// A path that was found scattering is not looked at for so long.
const BELIEVED: Duration = Duration::from_secs(120);
/// A path that turned out to be full is not taken for a scattering one for so long; each time again twice as long.
const REST: Duration = Duration::from_secs(30);
/// So many times that is doubled, to eight minutes.
const DOUBLINGS: u32 = 4;
/// A path that was not found full again for so long after its rest is as good as new.
const FORGIVEN: Duration = Duration::from_secs(300);

/// What is known of the loss towards one receiver.
#[derive(Debug, Default)]
pub(crate) struct Scatter {
    /// Running, 0 to 1.
    loss: f32,
    /// The shortest round trip there has been.
    shortest: Option<Duration>,
    /// Seconds in which packets were lost, oldest first, without those in which that began.
    lossy: VecDeque<Second>,
    /// Packets were lost in the last second.
    was_lossy: bool,
    rests_until: Option<Instant>,
    times_full: u32,
    /// It is looked at from here on.
    look_at: Option<Instant>,
    looks: u32,
    looking: bool,
    on: bool,
}

/// What two rates say of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Full,
    Scattering,
}

/// What was sent to a receiver in a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Second {
    /// Its end.
    pub(crate) at: Instant,
    /// All of them, whatever they carried.
    pub(crate) packets: u32,
    /// In bits.
    pub(crate) sent: f64,
    /// What of it did not arrive, 0 to 1.
    pub(crate) loss: f32,
}

/// Seconds of much the same rate, added up.
#[derive(Default)]
struct Group {
    seconds: f64,
    packets: f64,
    sent: f64,
    arrived: f64,
}

impl Scatter {
    /// Packets are lost although the path is not full.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Takes in one second and the round trip. True when [`Scatter::is_on`] has changed.
    pub(crate) fn second(&mut self, second: Second, rtt: Option<Duration>) -> bool {
        let now = second.at;
        self.loss += (second.loss - self.loss) * GAIN;
        self.shortest = self.shortest.into_iter().chain(rtt).min();
        if self.rests_until.is_none_or(|until| now >= until) {
            self.judge(second);
        }
        let rests = self.rests_until.is_some_and(|until| now < until);
        let scattered = !rests && without_queue(self.loss, rtt, self.shortest);
        self.looking = scattered && self.looks_now(now);
        if !scattered {
            (self.look_at, self.looks) = (None, 0);
        }
        let on = scattered && !self.looking;
        std::mem::replace(&mut self.on, on) != on
    }

    /// Lets the path rest when it turns out to be full.
    fn judge(&mut self, second: Second) {
        let now = second.at;
        let ago = |at: Instant| now.saturating_duration_since(at);
        self.lossy.retain(|lossy| ago(lossy.at) <= MEMORY);
        if self.rests_until.is_some_and(|until| ago(until) >= FORGIVEN) {
            self.times_full = 0;
        }
        let is_lossy = second.loss >= LEAST_LOSS;
        let was_lossy = std::mem::replace(&mut self.was_lossy, is_lossy);
        // A path that changed in the middle of the second lost a part of what was sent after that, which nobody knows. That
        // nothing is lost of less is what a look is for.
        if !(is_lossy && was_lossy || self.looking) {
            return;
        }
        self.lossy.push_back(second);
        match self.verdict() {
            Some(Verdict::Full) => {
                self.rests_until = Some(now + REST * (1 << self.times_full.min(DOUBLINGS)));
                self.times_full += 1;
                self.lossy.clear();
            }
            Some(Verdict::Scattering) => (self.look_at, self.looks) = (Some(now + BELIEVED), 0),
            None => {}
        }
    }

    /// Whether this is one of the moments in which the estimator has its way.
    fn looks_now(&mut self, now: Instant) -> bool {
        let next = |looks: u32| now + LOOK_AFTER * (1 << looks.min(DOUBLINGS));
        let at = *self.look_at.get_or_insert(next(self.looks));
        if now >= at + LOOK_FOR {
            self.looks += 1;
            self.look_at = Some(next(self.looks));
        }
        now >= at && now < at + LOOK_FOR
    }

    /// What the faster and the slower seconds say. What arrives through a full path is the same at both rates, through a
    /// scattering one it is in proportion.
    fn verdict(&self) -> Option<Verdict> {
        let rates = || self.lossy.iter().map(|second| second.sent);
        let (least, most) = (rates().fold(f64::MAX, f64::min), rates().fold(0.0, f64::max));
        let (mut fast, mut slow) = (Group::default(), Group::default());
        for second in &self.lossy {
            let faster = second.sent * second.sent > least * most;
            let group = if faster { &mut fast } else { &mut slow };
            group.seconds += 1.0;
            group.packets += f64::from(second.packets);
            group.sent += second.sent;
            group.arrived += second.sent * f64::from(1.0 - second.loss);
        }
        let per_second = slow.seconds / fast.seconds;
        let rates = fast.sent / slow.sent * per_second;
        let arrived = fast.arrived / slow.arrived * per_second;
        let part = (fast.arrived + slow.arrived) / (fast.sent + slow.sent);
        // Of the logarithm of `arrived`, were the loss the same in both.
        let deviation = ((1.0 - part) / part * (1.0 / fast.packets + 1.0 / slow.packets)).sqrt();
        let line = rates.ln() * LINE;
        // Not so for what is not a number either: a group without seconds, or nothing that arrived.
        let tells = rates >= TELLING && rates.ln() - line >= SIGMAS * deviation;
        tells.then(|| {
            if arrived.ln() < line {
                Verdict::Full
            } else {
                Verdict::Scattering
            }
        })
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
    use rand::{Rng, SeedableRng};

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

    /// Bits of a packet.
    const PACKET: f64 = 8_000.0;

    /// In which of the seconds loss is taken for scattered, when so many kbit/s are sent and such a part of it is lost.
    fn on(rates: &[f64], mut loss: impl FnMut(f64) -> f32) -> Vec<bool> {
        let start = crate::start();
        let mut scatter = Scatter::default();
        let second = |(second, rate): (usize, &f64)| {
            let sent = rate * 1_000.0;
            let second = Second {
                at: start + Duration::from_secs(second as u64),
                packets: (sent / PACKET) as u32,
                sent,
                loss: loss(*rate),
            };
            scatter.second(second, Some(Duration::from_millis(20)));
            scatter.is_on()
        };
        rates.iter().enumerate().map(second).collect()
    }

    /// A path that carries so many kbit/s and keeps no queue.
    fn full(capacity: f64) -> impl Fn(f64) -> f32 {
        move |rate| (1.0 - capacity / rate).max(0.0) as f32
    }

    /// A path that loses each packet with the same probability.
    fn scattering(loss: f64, seed: u64) -> impl FnMut(f64) -> f32 {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        move |rate| {
            let packets = (rate * 1_000.0 / PACKET) as u32;
            let lost = (0..packets).filter(|_| rng.random_bool(loss)).count();
            lost as f32 / packets.max(1) as f32
        }
    }

    #[test]
    fn a_path_that_lets_the_same_through_whatever_is_sent_is_full() {
        // The estimator comes down, and the loss with it to where scattered loss would be.
        let coming_down = [
            6_000.0, 3_000.0, 1_800.0, 1_600.0, 1_500.0, 1_500.0, 1_500.0, 1_500.0,
        ];
        let on_the_way = on(&coming_down, full(1_000.0));
        assert!(on_the_way[5..].iter().all(|on| !on), "{on_the_way:?}");
        // From below: at first nothing speaks against it, and what is sent then does.
        let going_up = [1_100.0, 1_200.0, 1_200.0, 2_400.0, 2_400.0, 1_200.0];
        let on_the_way = on(&going_up, full(1_000.0));
        assert!(
            on_the_way[0] && on_the_way[4..].iter().all(|on| !on),
            "{on_the_way:?}"
        );
    }

    #[test]
    fn a_path_that_loses_its_share_of_whatever_is_sent_is_not() {
        // Key pictures and repairs make some seconds much fuller than others; a small picture is few packets.
        for kbps in [150.0, 450.0, 1_000.0, 4_000.0] {
            for loss in [0.15, 0.2, 0.3] {
                for seed in 0..20 {
                    let rates: Vec<f64> = (0..120)
                        .map(|second| if second % 7 == 3 { kbps * 1.8 } else { kbps })
                        .collect();
                    let on = on(&rates, scattering(loss, seed));
                    let part = on.iter().filter(|on| **on).count() as f32 / on.len() as f32;
                    assert!(
                        part > 0.9,
                        "{part} of the time at {kbps} kbit/s and {loss}, seed {seed}"
                    );
                }
            }
        }
    }

    /// The estimator would send less than what is forced on it, which is what loss is taken for scattered for.
    #[test]
    fn a_rate_that_never_changes_is_looked_at() {
        let forced = |capacity: f64, looked: f64| {
            let mut rates = vec![1_150.0; 21];
            rates.extend([looked; 3]);
            rates.extend([1_150.0; 40]);
            on(&rates, full(capacity))
        };
        let told_nothing = forced(900.0, 1_000.0);
        assert!(
            told_nothing[..20].iter().all(|on| *on) && !told_nothing[20],
            "looked at"
        );
        assert!(
            told_nothing[24],
            "1150 and 1000 are too near to each other to tell"
        );
        let found_out = forced(600.0, 400.0);
        assert!(found_out[..20].iter().all(|on| *on), "{found_out:?}");
        assert!(found_out[25..50].iter().all(|on| !on), "{found_out:?}");
    }

    #[test]
    fn a_full_path_is_left_alone_for_longer_each_time() {
        let rates: Vec<f64> = (0..600)
            .map(|second| if second % 10 < 5 { 1_200.0 } else { 2_200.0 })
            .collect();
        let on = on(&rates, full(1_000.0));
        let last = on.iter().rposition(|on| *on).expect("it is on between the rests");
        let rests: Vec<usize> = on[..last]
            .chunk_by(|one, next| one == next)
            .filter(|run| !run[0] && run.len() >= REST.as_secs() as usize)
            .map(<[bool]>::len)
            .collect();
        assert!((3..=5).contains(&rests.len()) && rests.is_sorted(), "{rests:?}");
    }
}
