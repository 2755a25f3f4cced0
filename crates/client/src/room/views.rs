//! From how large a track is shown to what the server is asked for. Pure.

use protocol::TrackView;
use std::collections::HashMap;

/// What is asked for until the page has said how large anything is.
pub(super) const UNSAID: (u32, u32) = (640, 360);

/// Sizes are asked for in these heights, so that a window being dragged does not flood the server.
const STEPS: [u32; 6] = [90, 180, 270, 360, 540, 720];

/// How large each track is shown, as the page last said it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Views(Option<HashMap<u32, (u32, u32)>>);

impl Views {
    /// The page's list; tracks left out are not shown.
    pub fn of(views: Vec<TrackView>) -> Self {
        Self(Some(
            views
                .into_iter()
                .map(|view| (view.slot, (view.width, view.height)))
                .collect(),
        ))
    }

    /// The size to ask for; zeroes switch the track off.
    pub fn asked(&self, slot: u32) -> (u32, u32) {
        let (width, height) = match &self.0 {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: u32, height: u32) -> Views {
        Views::of(vec![TrackView {
            slot: 3,
            width,
            height,
        }])
    }

    #[test]
    fn small_changes_ask_for_the_same() {
        assert_eq!(shown(420, 236).asked(3).1, 270);
        assert_eq!(shown(428, 240).asked(3).1, 270);
        assert_eq!(shown(1_280, 720).asked(3), (1_280, 720));
        assert_eq!(shown(1_900, 1_060).asked(3).1, 1_080);
    }

    #[test]
    fn what_is_not_shown_is_not_asked_for() {
        assert_eq!(shown(640, 360).asked(4), (0, 0));
        assert_eq!(shown(0, 0).asked(3), (0, 0));
        assert_eq!(Views::default().asked(3), (640, 360));
    }
}
