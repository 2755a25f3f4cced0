//! Which layer of each track a receiver gets: by the size of the tile it is shown in, then by the bandwidth
//! there is. Pure functions with named constants; knows no RTP.

/// Sound goes first: what one speaker takes, redundancy and headers included, in bits per second. As much is set aside
/// also while nobody speaks.
pub(crate) const SPEAKER_RESERVE: u64 = 48_000;
/// What is set aside for a sound track whose owner is silent, in bits per second.
pub(crate) const SILENT_RESERVE: u64 = 6_000;
/// What a sound track takes on the line, in percent of its payload.
pub(crate) const SOUND_ON_THE_LINE_PERCENT: u64 = 150;
/// A step up must leave this much of the estimate unused, in percent, or it would be taken back at once.
pub(crate) const UP_MARGIN_PERCENT: u64 = 10;
/// The most important picture begins at its lowest layer when this share of it fits, in percent: an estimate without
/// traffic to measure grows slowly, and stays below what the line carries.
pub(crate) const BEGUN_PERCENT: u64 = 66;
/// It goes on while this share of it fits, in percent: an estimate dips, and a picture that stops needs a key frame to
/// come back.
pub(crate) const KEPT_PERCENT: u64 = 33;
/// A layer that is to be left is left at once, before the lower one can be joined, when keeping it would take more than
/// this share of the estimate, in percent. What does not fit would only queue up in front of sound and key frame.
pub(crate) const UNBEARABLE_PERCENT: u64 = 125;
/// What the estimator is asked to find, of what would be sent at best, in percent: it must also cover the margin of a
/// step up.
const FOUND_PERCENT: u64 = 130;
/// A bandwidth up to this is asked for again while less is sent, in bits per second: two of the largest pictures.
const KEPT_IN_SIGHT: u64 = 4_000_000;
/// Assumed rate of a layer whose rate has not been measured, by its place from the lowest, bits per second.
pub(crate) const ASSUMED_RATES: [u64; 3] = [150_000, 500_000, 1_700_000];

/// One layer of a track as the sender gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Packets came within the last moments, or would come: its sender was told that nobody needs it.
    pub live: bool,
    /// Width in pixels, 0 when not told.
    pub width: u32,
    /// Height in pixels, 0 when not told.
    pub height: u32,
    /// Measured or announced rate, bits per second.
    pub rate: u64,
}

/// What the receiver asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// The tile is not shown.
    pub paused: bool,
    /// Width of the tile in device pixels, 0 when not told.
    pub width: u32,
    /// Height of the tile in device pixels, 0 when not told.
    pub height: u32,
    /// Highest layer by place from the lowest, when asked for by quality and not by size.
    pub highest: Option<usize>,
    /// 1 is the most important; 0 is not said.
    pub priority: u32,
    /// Frames a second wanted, 0 for all.
    pub fps: u32,
}

/// The layer the tile asks for, bandwidth aside: the smallest that covers it, else the largest.
pub(crate) fn wanted_layer(layers: &[Layer], wish: &Wish) -> Option<usize> {
    if wish.paused || layers.is_empty() {
        return None;
    }
    let top = layers.len() - 1;
    if wish.width > 0 && wish.height > 0 && layers.iter().all(|layer| layer.height > 0) {
        // Either side covered is enough: the tile crops the other.
        let covers = |layer: &Layer| layer.width >= wish.width || layer.height >= wish.height;
        return Some(layers.iter().position(covers).unwrap_or(top));
    }
    Some(wish.highest.unwrap_or(top).min(top))
}

/// The layer to take when at most `highest` is allowed: the best live one, else the lowest live one above it.
/// With nothing live, `highest` itself, so that it is taken up when it comes.
pub(crate) fn live_layer(layers: &[Layer], highest: usize) -> usize {
    let below = (0..=highest.min(layers.len().saturating_sub(1)))
        .rev()
        .find(|index| layers[*index].live);
    below
        .or_else(|| (highest + 1..layers.len()).find(|index| layers[*index].live))
        .unwrap_or(highest.min(layers.len().saturating_sub(1)))
}

/// One picture a receiver is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The layers there are, lowest first.
    pub layers: Vec<Layer>,
    /// What was asked for.
    pub wish: Wish,
    /// A shared screen: before every camera.
    pub screen: bool,
    /// Whom it shows has spoken lately: before the others' cameras.
    pub spoke: bool,
    /// The layer allotted last time.
    pub current: Option<usize>,
}

/// What each demand gets, and what all of them would take at their wished-for size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotment {
    /// Layer of each demand, in the order given; `None` is paused.
    pub layers: Vec<Option<usize>>,
    /// Rate of what was allotted, sound included, bits per second.
    pub allotted: u64,
    /// Rate if every demand were met, bits per second.
    pub desired: u64,
}

/// What to set aside for sound, in bits per second, from the measured payload rate of each track.
pub fn sound_reserve(rates: &[u64]) -> u64 {
    let each = rates
        .iter()
        .map(|rate| (rate * SOUND_ON_THE_LINE_PERCENT / 100).clamp(SILENT_RESERVE, SPEAKER_RESERVE));
    let least = if rates.is_empty() { 0 } else { SPEAKER_RESERVE };
    each.sum::<u64>().max(least)
}

/// What the lowest layer of every picture that is shown takes, sound included and with the margin for coming up to it.
pub(crate) fn least(sound: u64, demands: &[Demand]) -> u64 {
    let lowest = demands
        .iter()
        .filter(|demand| wanted_layer(&demand.layers, &demand.wish).is_some())
        .map(|demand| demand.layers[live_layer(&demand.layers, 0)].rate);
    let all = sound + lowest.sum::<u64>();
    all + all * UP_MARGIN_PERCENT / 100
}

/// Whether a receiver that is to go down from a layer of rate `from` must lose it at once. `allotted` is what it was
/// given in all, with the lower layer of rate `to`.
pub(crate) fn is_unbearable(estimate: Option<u64>, allotted: u64, from: u64, to: u64) -> bool {
    estimate.is_some_and(|estimate| {
        (allotted + from).saturating_sub(to) > estimate.saturating_mul(UNBEARABLE_PERCENT) / 100
    })
}

/// What bandwidth the estimator is to look for when at best `desired` would be sent and `measured` was found, all in bits per
/// second. Its probes
/// go to twice that, and what a probe finds becomes the estimate also where it is less: asked for little while little is
/// sent (an isolation, a minimised window), it would forget a good path.
pub(crate) fn to_be_found(desired: u64, measured: Option<u64>) -> u64 {
    let known = measured.unwrap_or(0).min(KEPT_IN_SIGHT);
    known.max(desired * FOUND_PERCENT / 100)
}

/// Shares `estimate` (bits per second; `None` when nothing is known yet) among the demands, after `sound` was set aside.
///
/// Everybody first gets the lowest layer, by importance; then layers rise one step at a time by importance. A step
/// above what was allotted before needs a margin, so a picture does not flap between two layers. What does not fit at
/// its lowest layer pauses.
pub fn allot(estimate: Option<u64>, sound: u64, demands: &[Demand]) -> Allotment {
    let wanted: Vec<Option<usize>> = demands
        .iter()
        .map(|demand| {
            wanted_layer(&demand.layers, &demand.wish).map(|index| live_layer(&demand.layers, index))
        })
        .collect();
    let rate = |demand: usize, layer: usize| demands[demand].layers[layer].rate;
    let desired = sound
        + wanted
            .iter()
            .enumerate()
            .filter_map(|(d, l)| l.map(|l| rate(d, l)))
            .sum::<u64>();

    let Some(estimate) = estimate else {
        return Allotment {
            layers: wanted,
            allotted: desired,
            desired,
        };
    };

    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|index| {
        let demand = &demands[*index];
        let priority = if demand.wish.priority == 0 {
            u32::MAX
        } else {
            demand.wish.priority
        };
        let area = u64::from(demand.wish.width) * u64::from(demand.wish.height);
        let shown = demand.current.is_some();
        (
            priority,
            !demand.screen,
            !demand.spoke,
            std::cmp::Reverse(area),
            !shown,
            *index,
        )
    });

    let mut given: Vec<Option<usize>> = vec![None; demands.len()];
    let mut used = sound;
    let fits = |used: u64, rises: bool| {
        if rises {
            used + used * UP_MARGIN_PERCENT / 100 <= estimate
        } else {
            used <= estimate
        }
    };

    for &index in &order {
        let Some(goal) = wanted[index] else { continue };
        let lowest = live_layer(&demands[index].layers, 0).min(goal);
        let cost = rate(index, lowest);
        let first_of_all = given.iter().all(Option::is_none);
        let resumes = demands[index].current.is_none();
        let share = if resumes { BEGUN_PERCENT } else { KEPT_PERCENT };
        let fits_nearly = first_of_all && used + cost * share / 100 <= estimate;
        if fits_nearly || fits(used + cost, resumes) {
            given[index] = Some(lowest);
            used += cost;
        }
    }
    loop {
        let mut rose = false;
        for &index in &order {
            let (Some(goal), Some(now)) = (wanted[index], given[index]) else {
                continue;
            };
            let Some(next) =
                (now + 1..=goal).find(|layer| demands[index].layers[*layer].live || *layer == goal)
            else {
                continue;
            };
            let after = used - rate(index, now) + rate(index, next);
            let rises = demands[index].current.is_none_or(|current| next > current);
            if fits(after, rises) {
                given[index] = Some(next);
                used = after;
                rose = true;
            }
        }
        if !rose {
            break;
        }
    }
    Allotment {
        layers: given,
        allotted: used,
        desired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three() -> Vec<Layer> {
        [(320, 180, 150_000), (640, 360, 500_000), (1280, 720, 1_700_000)]
            .map(|(width, height, rate)| Layer {
                live: true,
                width,
                height,
                rate,
            })
            .to_vec()
    }

    fn demand(width: u32, height: u32, current: Option<usize>) -> Demand {
        let wish = Wish {
            width,
            height,
            ..Wish::default()
        };
        Demand {
            layers: three(),
            wish,
            screen: false,
            spoke: false,
            current,
        }
    }

    #[test]
    fn the_tile_decides_when_there_is_bandwidth() {
        for (tile, layer) in [
            ((160, 90), 0),
            ((320, 180), 0),
            ((321, 181), 1),
            ((640, 360), 1),
            ((1920, 1080), 2),
        ] {
            let got = allot(Some(50_000_000), SPEAKER_RESERVE, &[demand(tile.0, tile.1, None)]);
            assert_eq!(got.layers, [Some(layer)], "{tile:?}");
        }
        let hidden = Demand {
            wish: Wish {
                paused: true,
                ..Wish::default()
            },
            ..demand(640, 360, Some(1))
        };
        assert_eq!(allot(None, 0, &[hidden]).layers, [None]);
    }

    #[test]
    fn a_narrow_link_lowers_layers_before_it_pauses_any() {
        let demands = [
            demand(1280, 720, Some(2)),
            demand(640, 360, Some(1)),
            demand(640, 360, Some(1)),
        ];
        for (estimate, layers) in [
            (4_000_000, [Some(2), Some(1), Some(1)]),
            (1_300_000, [Some(1), Some(1), Some(0)]),
            (600_000, [Some(0), Some(0), Some(0)]),
            (400_000, [Some(0), Some(0), None]),
            (200_000, [Some(0), None, None]),
            (98_000, [Some(0), None, None]),
            (97_000, [None, None, None]),
        ] {
            assert_eq!(
                allot(Some(estimate), SPEAKER_RESERVE, &demands).layers,
                layers,
                "at {estimate}"
            );
        }
    }

    #[test]
    fn a_layer_that_does_not_come_is_replaced_by_one_that_does() {
        let mut layers = three();
        layers[2].live = false;
        assert_eq!(live_layer(&layers, 2), 1);
        layers[0].live = false;
        assert_eq!(live_layer(&layers, 0), 1);
    }

    #[test]
    fn going_up_needs_a_margin_and_staying_does_not() {
        let total = 500_000 + SPEAKER_RESERVE;
        assert_eq!(
            allot(Some(total), SPEAKER_RESERVE, &[demand(640, 360, Some(1))]).layers,
            [Some(1)]
        );
        assert_eq!(
            allot(Some(total), SPEAKER_RESERVE, &[demand(640, 360, Some(0))]).layers,
            [Some(0)]
        );
        assert_eq!(
            allot(
                Some(total * 12 / 10),
                SPEAKER_RESERVE,
                &[demand(640, 360, Some(0))]
            )
            .layers,
            [Some(1)]
        );
    }

    #[test]
    fn a_shared_screen_goes_before_cameras() {
        let screen = Demand {
            screen: true,
            ..demand(640, 360, Some(1))
        };
        let got = allot(Some(700_000), 0, &[demand(640, 360, Some(1)), screen]);
        assert_eq!(got.layers, [Some(0), Some(1)]);
    }

    #[test]
    fn who_spoke_goes_before_who_did_not_whatever_is_shown_now() {
        let speaker = Demand {
            spoke: true,
            ..demand(640, 360, None)
        };
        let got = allot(Some(180_000), 0, &[demand(640, 360, Some(0)), speaker]);
        assert_eq!(got.layers, [None, Some(0)]);
        // Between equals, the one that is shown stays.
        let got = allot(
            Some(180_000),
            0,
            &[demand(640, 360, None), demand(640, 360, Some(0))],
        );
        assert_eq!(got.layers, [None, Some(0)]);
    }

    #[test]
    fn silent_microphones_take_nearly_nothing() {
        assert_eq!(sound_reserve(&[]), 0);
        let six = sound_reserve(&[32_000, 0, 0, 0, 0, 0]);
        assert_eq!(six, SPEAKER_RESERVE + 5 * SILENT_RESERVE);
        assert_eq!(sound_reserve(&[0]), SPEAKER_RESERVE);
        // One of six speaks: 350 kbit/s still carry a picture.
        let shown = allot(Some(350_000), six, &[demand(640, 360, Some(2))]);
        assert_eq!(shown.layers, [Some(0)]);
    }

    #[test]
    fn a_measured_bandwidth_is_kept_in_sight_and_a_guess_is_not() {
        for (desired, measured, found) in [
            (0, None, 0),
            (1_000_000, None, 1_300_000),
            (48_000, Some(1_900_000), 1_900_000),
            (1_000_000, Some(300_000), 1_300_000),
            (48_000, Some(9_000_000), KEPT_IN_SIGHT),
            (6_000_000, Some(9_000_000), 7_800_000),
        ] {
            assert_eq!(to_be_found(desired, measured), found, "{desired} {measured:?}");
        }
    }

    #[test]
    fn a_layer_far_over_the_estimate_is_left_before_the_lower_one_comes() {
        let (low, high) = (150_000, 1_700_000);
        assert!(is_unbearable(Some(300_000), 250_000, high, low));
        assert!(!is_unbearable(Some(1_600_000), 250_000, high, low));
        assert!(!is_unbearable(None, 250_000, high, low));
    }

    fn a_demand() -> impl Strategy<Value = Demand> {
        let layer = (any::<bool>(), 20_000u64..3_000_000);
        let wish = (
            0u32..2000,
            0u32..1200,
            any::<bool>(),
            0u32..3,
            proptest::option::of(0usize..3),
        );
        let layers = proptest::collection::vec(layer, 1..4);
        (
            layers,
            wish,
            any::<(bool, bool)>(),
            proptest::option::of(0usize..3),
        )
            .prop_map(
                |(layers, (width, height, paused, priority, highest), (screen, spoke), current)| {
                    let mut rates: Vec<u64> = layers.iter().map(|(_, rate)| *rate).collect();
                    rates.sort_unstable();
                    let layers: Vec<Layer> = layers
                        .iter()
                        .zip(rates)
                        .zip(three())
                        .map(|(((live, _), rate), size)| Layer {
                            live: *live,
                            rate,
                            ..size
                        })
                        .collect();
                    let current = current.map(|current| current.min(layers.len() - 1));
                    let wish = Wish {
                        paused,
                        width,
                        height,
                        highest,
                        priority,
                        fps: 0,
                    };
                    Demand {
                        layers,
                        wish,
                        screen,
                        spoke,
                        current,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn what_is_given_fits_or_is_one_picture_that_nearly_fits(
            estimate in 0u64..6_000_000,
            sound in 0u64..300_000,
            demands in proptest::collection::vec(a_demand(), 0..12),
        ) {
            let got = allot(Some(estimate), sound, &demands);
            let given: Vec<usize> = (0..demands.len()).filter(|index| got.layers[*index].is_some()).collect();
            if got.allotted > estimate.max(sound) {
                prop_assert_eq!(given.len(), 1, "{} of {}", got.allotted, estimate);
                let share = if demands[given[0]].current.is_some() { KEPT_PERCENT } else { BEGUN_PERCENT };
                let cost = got.allotted - sound;
                prop_assert!(sound + cost * share / 100 <= estimate);
            }
            for (demand, given) in demands.iter().zip(&got.layers) {
                match (given, wanted_layer(&demand.layers, &demand.wish)) {
                    (Some(_), None) => prop_assert!(false, "given what nobody wants"),
                    (Some(given), Some(wanted)) => {
                        // Above what is wanted only when nothing below is there.
                        prop_assert!(*given <= live_layer(&demand.layers, wanted));
                    }
                    (None, _) => {}
                }
            }
        }

        #[test]
        fn enough_for_all_gives_everybody_what_they_want(
            demands in proptest::collection::vec(a_demand(), 0..12),
            sound in 0u64..300_000,
        ) {
            let free = allot(None, sound, &demands);
            let wide = allot(Some(free.desired * 2), sound, &demands);
            prop_assert_eq!(&wide.layers, &free.layers);
            prop_assert_eq!(wide.allotted, wide.desired);
        }

        #[test]
        fn the_same_again_changes_nothing(
            estimate in 0u64..6_000_000,
            sound in 0u64..300_000,
            demands in proptest::collection::vec(a_demand(), 0..8),
        ) {
            // Settled: what was given is what is there now.
            let mut demands = demands;
            for _ in 0..4 {
                let got = allot(Some(estimate), sound, &demands);
                for (demand, layer) in demands.iter_mut().zip(&got.layers) {
                    demand.current = *layer;
                }
            }
            let settled: Vec<_> = demands.iter().map(|demand| demand.current).collect();
            prop_assert_eq!(allot(Some(estimate), sound, &demands).layers, settled);
        }
    }
}
