//! Interarrival jitter of one received stream (RFC 3550 section 6.4.1). Pure: the caller brings the time of arrival.

use std::time::Duration;

/// The running estimate moves by this part of each new difference, as the RFC says.
const GAIN: f64 = 1.0 / 16.0;
/// A difference beyond this is a sender that began anew and not a network that was late.
const RESTART: f64 = 2_000.0;

/// Follows one stream.
#[derive(Clone, Debug, Default)]
pub struct Interarrival {
    last: Option<Last>,
    jitter_ms: f64,
    fresh: bool,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    ssrc: u32,
    timestamp: u32,
    arrival: Duration,
}

impl Interarrival {
    /// A packet arrived. Of a picture in many packets only the first counts: the others leave late on purpose.
    pub fn arrived(&mut self, arrival: Duration, ssrc: u32, timestamp: u32, clock_rate: u32) {
        let last = self.last.filter(|last| last.ssrc == ssrc);
        let step = last.map_or(1, |last| timestamp.wrapping_sub(last.timestamp) as i32);
        if step <= 0 {
            return;
        }
        self.last = Some(Last {
            ssrc,
            timestamp,
            arrival,
        });
        let Some(last) = last else { return };
        let sent_ms = f64::from(step) * 1_000.0 / f64::from(clock_rate);
        let came_ms = arrival.saturating_sub(last.arrival).as_secs_f64() * 1_000.0;
        let difference = (came_ms - sent_ms).abs();
        if difference < RESTART {
            self.jitter_ms += (difference - self.jitter_ms) * GAIN;
            self.fresh = true;
        }
    }

    /// The running estimate, in milliseconds.
    pub fn ms(&self) -> f64 {
        self.jitter_ms
    }

    /// The jitter in milliseconds, if a packet has counted since the last call.
    pub fn take_ms(&mut self) -> Option<u32> {
        std::mem::take(&mut self.fresh).then_some(self.jitter_ms.round() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sound in packets of 20 ms; the packet `n` is late by what `late_ms` says.
    fn sound(late_ms: impl Fn(u32) -> u64) -> Option<u32> {
        let mut stream = Interarrival::default();
        for n in 0..500 {
            let arrival = Duration::from_millis(u64::from(n) * 20 + late_ms(n));
            stream.arrived(arrival, 1, (u32::MAX - 9_600).wrapping_add(n * 960), 48_000);
        }
        stream.take_ms()
    }

    #[test]
    fn an_even_stream_has_none_and_an_uneven_one_has_its_mean_difference() {
        assert_eq!(sound(|_| 0), Some(0));
        assert_eq!(sound(|_| 70), Some(0), "a long way is not an uneven one");
        assert_eq!(sound(|n| u64::from(n % 2) * 10), Some(10));
    }

    #[test]
    fn a_pause_and_the_packets_of_one_picture_do_not_count() {
        let mut stream = Interarrival::default();
        let at = |ms| Duration::from_millis(ms);
        stream.arrived(at(0), 1, 0, 90_000);
        assert_eq!(stream.take_ms(), None);
        stream.arrived(at(30), 1, 0, 90_000);
        // Ten seconds of nothing, by both clocks.
        stream.arrived(at(10_000), 1, 900_000, 90_000);
        assert_eq!(stream.take_ms(), Some(0));
        assert_eq!(stream.take_ms(), None, "said once");
        // Another sender, with a clock of its own.
        stream.arrived(at(10_001), 2, 5, 90_000);
        assert_eq!(stream.take_ms(), None);
    }

    proptest! {
        #[test]
        fn it_is_never_more_than_the_worst_difference(packets in prop::collection::vec((0u64..5_000, any::<u32>(), 0u32..3), 0..100)) {
            let mut stream = Interarrival::default();
            let mut now = 0;
            for (wait, timestamp, ssrc) in packets {
                now += wait;
                stream.arrived(Duration::from_millis(now), ssrc, timestamp, 48_000);
                prop_assert!(stream.take_ms().unwrap_or(0) <= RESTART as u32);
            }
        }
    }
}
