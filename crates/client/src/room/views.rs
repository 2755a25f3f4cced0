//! From how large a track is shown to what the server is asked for. Pure.

use protocol::TrackView;
use std::collections::HashMap;

/// What is asked for until the page has said how large anything is.
pub(super) const UNSAID: (u32, u32) = (640, 360);

/// Sizes are asked for in these heights, so that a window being dragged does not flood the server.
const STEPS: [u32; 6] = [90, 180, 270, 360, 540, 720];

/// The size to ask for; zeroes switch the track off.
pub(super) fn asked(views: Option<&HashMap<u32, (u32, u32)>>, slot: u32) -> (u32, u32) {
    let (width, height) = match views {
        None => UNSAID,
        Some(views) => views.get(&slot).copied().unwrap_or((0, 0)),
    };
    if width == 0 || height == 0 {
        return (0, 0);
    }
    let step = STEPS
        .iter()
        .copied()
        .find(|step| *step >= height)
        .unwrap_or(1_080);
    (
        (u64::from(width) * u64::from(step) / u64::from(height)).clamp(1, 4_096) as u32,
        step,
    )
}

/// The page's list as a table.
pub(super) fn table(views: Vec<TrackView>) -> HashMap<u32, (u32, u32)> {
    views
        .into_iter()
        .map(|view| (view.slot, (view.width, view.height)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_changes_ask_for_the_same() {
        let views = |w, h| HashMap::from([(3, (w, h))]);
        assert_eq!(asked(Some(&views(420, 236)), 3).1, 270);
        assert_eq!(asked(Some(&views(428, 240)), 3).1, 270);
        assert_eq!(asked(Some(&views(1_280, 720)), 3), (1_280, 720));
        assert_eq!(asked(Some(&views(1_900, 1_060)), 3).1, 1_080);
    }

    #[test]
    fn what_is_not_shown_is_not_asked_for() {
        assert_eq!(asked(Some(&HashMap::new()), 3), (0, 0));
        assert_eq!(asked(Some(&HashMap::from([(3, (0, 0))])), 3), (0, 0));
        assert_eq!(asked(None, 3), (640, 360));
    }
}
