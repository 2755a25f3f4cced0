//! When to try again: a pure function of the attempt and a random number.
//!
//! The first try is immediate (most drops are short), later ones back off with jitter so that a court's clients do
//! not come back in step after the server was restarted.

use rand::Rng;
use std::time::Duration;

/// Waits before the first, second, … attempt, in milliseconds; the last one repeats.
pub const STEPS_MS: [u64; 7] = [0, 300, 1_000, 2_000, 5_000, 10_000, 15_000];
/// A wait is shortened or lengthened by up to this part.
pub const JITTER: f64 = 0.25;

/// How long to wait before `attempt`, which counts from 1.
pub fn delay(attempt: u32, rng: &mut impl Rng) -> Duration {
    let step = STEPS_MS[(attempt.max(1) as usize - 1).min(STEPS_MS.len() - 1)];
    let factor = 1.0 + rng.random_range(-JITTER..=JITTER);
    Duration::from_millis((step as f64 * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    proptest! {
        #[test]
        fn waits_grow_and_stay_in_bounds(attempt in 0u32..10_000, seed in any::<u64>()) {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let wait = delay(attempt, &mut rng).as_millis() as f64;
            let step = STEPS_MS[(attempt.max(1) as usize - 1).min(6)] as f64;
            prop_assert!((step * (1.0 - JITTER) - 1.0..=step * (1.0 + JITTER) + 1.0).contains(&wait));
        }
    }

    #[test]
    fn the_first_try_is_immediate_and_two_clients_differ_later() {
        let mut one = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut two = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        assert_eq!(delay(1, &mut one), Duration::ZERO);
        assert_ne!(delay(6, &mut one), delay(6, &mut two));
    }
}
