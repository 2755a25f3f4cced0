//! Which layer of each track a receiver gets: by the size of the tile it is shown in, then by the bandwidth
//! there is. Pure functions with named constants; knows no RTP.

/// Sound goes first: what is set aside for each sound track, in bits per second.
pub(crate) const AUDIO_RESERVE: u64 = 48_000;
/// A step up must leave this much of the estimate unused, in percent, or it would be taken back at once.
pub(crate) const UP_MARGIN_PERCENT: u64 = 10;
/// Below this the estimate cannot carry a picture at all, in bits per second; pictures pause, sound goes on.
pub(crate) const PICTURE_FLOOR: u64 = 60_000;
/// Assumed rate of a layer whose rate has not been measured, by its place from the lowest, bits per second.
pub(crate) const ASSUMED_RATES: [u64; 3] = [150_000, 500_000, 1_700_000];

/// One layer of a track as the sender gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Packets came within the last moments.
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

/// Shares `estimate` (bits per second; `None` when nothing is known yet) among the demands.
///
/// Everybody first gets the lowest layer, by importance; then layers rise one step at a time by importance. A step
/// above what was allotted before needs a margin, so a picture does not flap between two layers.
pub fn allot(estimate: Option<u64>, sound_tracks: usize, demands: &[Demand]) -> Allotment {
    let wanted: Vec<Option<usize>> = demands
        .iter()
        .map(|demand| {
            wanted_layer(&demand.layers, &demand.wish).map(|index| live_layer(&demand.layers, index))
        })
        .collect();
    let rate = |demand: usize, layer: usize| demands[demand].layers[layer].rate;
    let sound = sound_tracks as u64 * AUDIO_RESERVE;
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
        (priority, !demand.screen, std::cmp::Reverse(area), *index)
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
        if fits(used + cost, resumes && !first_of_all) || (first_of_all && estimate >= PICTURE_FLOOR) {
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
            let got = allot(Some(50_000_000), 1, &[demand(tile.0, tile.1, None)]);
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
            (100_000, [Some(0), None, None]),
            (40_000, [None, None, None]),
        ] {
            assert_eq!(allot(Some(estimate), 1, &demands).layers, layers, "at {estimate}");
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
        let total = 500_000 + AUDIO_RESERVE;
        assert_eq!(
            allot(Some(total), 1, &[demand(640, 360, Some(1))]).layers,
            [Some(1)]
        );
        assert_eq!(
            allot(Some(total), 1, &[demand(640, 360, Some(0))]).layers,
            [Some(0)]
        );
        assert_eq!(
            allot(Some(total * 12 / 10), 1, &[demand(640, 360, Some(0))]).layers,
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

    proptest! {
        #[test]
        fn never_more_than_the_estimate_save_for_one_lowest_picture(
            estimate in 0u64..6_000_000,
            sound in 0usize..6,
            tiles in proptest::collection::vec((0u32..2000, 0u32..1200, proptest::option::of(0usize..3), any::<bool>()), 0..12),
        ) {
            let demands: Vec<_> = tiles
                .iter()
                .map(|(w, h, current, screen)| Demand { screen: *screen, ..demand(*w, *h, *current) })
                .collect();
            let got = allot(Some(estimate), sound, &demands);
            let pictures = got.layers.iter().flatten().count();
            let over = got.allotted > estimate;
            prop_assert!(!over || pictures <= 1, "{} of {} for {} pictures", got.allotted, estimate, pictures);
            for (demand, given) in demands.iter().zip(&got.layers) {
                if let (Some(given), Some(wanted)) = (given, wanted_layer(&demand.layers, &demand.wish)) {
                    prop_assert!(*given <= wanted);
                }
            }
        }
    }
}
