//! Who gets how much of the uplink: sound first, then the layers of the picture from the smallest up.
//!
//! Pure: an estimate and the layers in, a rate for each layer out. A layer that was off needs more room to be
//! switched on than to be kept on, so that it does not flap around its threshold.

/// Set aside for sound, in bits a second: 32 kbit/s of Opus, sent twice (RFC 2198), and headers.
pub const AUDIO_BPS: u32 = 80_000;
/// From this part of packets lost on, each sound packet repeats the two before it and not only one.
pub const HEAVY_LOSS: f32 = 0.08;
/// A layer that is off is switched on only when there is this many times its minimum.
pub const TURN_ON: f32 = 1.2;
/// Encoders are told at most this often, in milliseconds.
pub const UPDATE_EVERY_MS: u64 = 250;
/// A change below this part of the rate is not worth telling.
pub const WORTH_TELLING: f32 = 0.08;
/// A shared screen below this part of its target rate slows down before it gets blurred.
pub const SCREEN_SLOW_BELOW: f32 = 0.6;

/// One simulcast layer as the allocator sees it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Layer {
    /// Below this the picture is not worth sending, in bits a second.
    pub min_bps: u32,
    /// More than this adds nothing, in bits a second.
    pub max_bps: u32,
    /// Somebody looks at it.
    pub wanted: bool,
    /// It is on now.
    pub on: bool,
}

/// The rate of each layer, in bits a second; 0 switches it off. The lowest wanted layer is always on.
pub fn allocate(estimate_bps: u32, layers: &[Layer]) -> Vec<u32> {
    let mut left = estimate_bps.saturating_sub(AUDIO_BPS);
    let mut rates = vec![0; layers.len()];
    let mut first = true;
    for (rate, layer) in rates.iter_mut().zip(layers).filter(|(_, layer)| layer.wanted) {
        let needed = if layer.on || first {
            layer.min_bps
        } else {
            (layer.min_bps as f32 * TURN_ON) as u32
        };
        if left < needed && !first {
            break;
        }
        *rate = layer.min_bps;
        left = left.saturating_sub(layer.min_bps);
        first = false;
    }
    // What is left makes the largest picture better, then the ones below it.
    for (rate, layer) in rates.iter_mut().zip(layers).rev().filter(|(rate, _)| **rate > 0) {
        let more = left.min(layer.max_bps.saturating_sub(*rate));
        *rate += more;
        left -= more;
    }
    rates
}

/// The estimate at which all layers are on that somebody looks at, in bits a second; 0 where nobody looks.
pub fn needed(layers: &[Layer]) -> u32 {
    let least: u32 = layers.iter().filter(|l| l.wanted).map(|l| l.min_bps).sum();
    if least == 0 {
        return 0;
    }
    AUDIO_BPS + (least as f32 * TURN_ON).ceil() as u32
}

/// How many earlier packets each sound packet repeats, when this part of what we send is lost.
pub fn repeats(loss_out: f32) -> usize {
    if loss_out >= HEAVY_LOSS { 2 } else { 1 }
}

/// Frames a second for a shared screen that gets `rate_bps` of `target_bps`: slower before blurred, text must stay
/// readable.
pub fn screen_fps(full_fps: f32, rate_bps: u32, target_bps: u32) -> f32 {
    let share = rate_bps as f32 / target_bps.max(1) as f32;
    if share >= SCREEN_SLOW_BELOW {
        full_fps
    } else {
        (full_fps * share / SCREEN_SLOW_BELOW).max(1.0)
    }
}

/// Whether an encoder should be told about the new rate.
pub fn worth_telling(old_bps: u32, new_bps: u32) -> bool {
    if (old_bps == 0) != (new_bps == 0) {
        return true;
    }
    (f64::from(new_bps) - f64::from(old_bps)).abs() > f64::from(old_bps) * f64::from(WORTH_TELLING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three(on: [bool; 3]) -> Vec<Layer> {
        [(80_000, 160_000), (250_000, 500_000), (700_000, 1_700_000)]
            .into_iter()
            .zip(on)
            .map(|((min_bps, max_bps), on)| Layer {
                min_bps,
                max_bps,
                wanted: true,
                on,
            })
            .collect()
    }

    #[test]
    fn layers_come_on_by_the_estimate() {
        for (estimate, expected) in [
            (0, [80_000, 0, 0]),
            (100_000, [80_000, 0, 0]),
            (250_000, [160_000, 0, 0]),
            (1_000_000, [160_000, 500_000, 0]),
            (3_000_000, [160_000, 500_000, 1_700_000]),
        ] {
            assert_eq!(
                allocate(estimate, &three([true, false, false])),
                expected,
                "{estimate}"
            );
        }
    }

    #[test]
    fn what_is_needed_is_enough_for_every_layer_that_somebody_looks_at() {
        let mut layers = three([true, false, false]);
        let all_on = |layers: &[Layer]| {
            allocate(needed(layers), layers)
                .iter()
                .zip(layers)
                .all(|(r, l)| (*r > 0) == l.wanted)
        };
        assert!(all_on(&layers));
        layers[2].wanted = false;
        assert!(all_on(&layers));
        assert_eq!(needed(&[]), 0);
    }

    #[test]
    fn a_layer_that_is_on_stays_on_where_it_would_not_come_on() {
        let estimate = AUDIO_BPS + 80_000 + 260_000;
        assert_eq!(allocate(estimate, &three([true, true, false]))[1], 260_000);
        assert_eq!(allocate(estimate, &three([true, false, false]))[1], 0);
    }

    #[test]
    fn sound_is_repeated_more_where_more_is_lost() {
        assert_eq!([0.0, 0.05, 0.08, 0.4].map(repeats), [1, 1, 2, 2]);
    }

    #[test]
    fn a_screen_gets_slower_before_it_gets_blurred() {
        assert_eq!(screen_fps(15.0, 1_000_000, 1_200_000), 15.0);
        assert!((screen_fps(15.0, 300_000, 1_000_000) - 7.5).abs() < 1e-3);
        assert_eq!(screen_fps(15.0, 0, 1_000_000), 1.0);
    }

    proptest! {
        #[test]
        fn nothing_is_spent_twice(estimate in 0u32..20_000_000, on in any::<[bool; 3]>(), wanted in any::<[bool; 3]>()) {
            let mut layers = three(on);
            for (layer, wanted) in layers.iter_mut().zip(wanted) {
                layer.wanted = wanted;
            }
            let rates = allocate(estimate, &layers);
            let total: u32 = rates.iter().sum();
            let floor = layers.iter().find(|l| l.wanted).map_or(0, |l| l.min_bps);
            prop_assert!(total <= estimate.saturating_sub(AUDIO_BPS).max(floor));
            for (rate, layer) in rates.iter().zip(&layers) {
                prop_assert!(*rate == 0 || (layer.wanted && (layer.min_bps..=layer.max_bps).contains(rate)));
            }
            // A larger layer is never on while a smaller wanted one is off.
            let active: Vec<bool> = rates.iter().zip(&layers).filter(|(_, l)| l.wanted).map(|(r, _)| *r > 0).collect();
            prop_assert!(active.windows(2).all(|w| w[0] || !w[1]));
        }
    }
}
