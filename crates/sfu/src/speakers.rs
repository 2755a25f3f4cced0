//! Who is speaking, from the audio level every sound packet carries (RFC 6464). Pure; never looks at the sound.

/// Quieter than this is not speech, in dBov (0 is the loudest).
pub(crate) const SPEECH_LEVEL: i8 = -45;
/// Share of a window's packets that must be speech, in percent.
pub(crate) const SPEECH_SHARE: u32 = 40;
/// The reported level moves by a step at least this large, or it is not reported again.
pub(crate) const LEVEL_STEP: f32 = 0.125;

/// One track's packets since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Window {
    packets: u32,
    loud: u32,
    loudest: i32,
}

impl Window {
    /// One packet's level in dBov (0 to -127). The sender's own "this is a voice" is not asked: many never set it.
    pub(crate) fn add(&mut self, level: i8) {
        self.packets += 1;
        if level >= SPEECH_LEVEL {
            self.loud += 1;
            self.loudest = if self.loud == 1 {
                i32::from(level)
            } else {
                self.loudest.max(i32::from(level))
            };
        }
    }

    /// The level of the speech in it, 0 to 1, or `None` when there was none; empties the window.
    pub(crate) fn take(&mut self) -> Option<f32> {
        let window = std::mem::take(self);
        let speech = window.packets > 0 && window.loud * 100 >= window.packets * SPEECH_SHARE;
        speech.then(|| 10f32.powf(window.loudest as f32 / 20.0).clamp(0.0, 1.0))
    }
}

/// What was last reported of one participant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Reported {
    /// Level 0 to 1; 0 when silent.
    pub level: f32,
    /// Speaking.
    pub active: bool,
}

/// The report to send if it differs enough from the last one.
pub(crate) fn next_report(last: Reported, heard: Option<f32>) -> Option<Reported> {
    let now = Reported {
        level: heard.unwrap_or(0.0),
        active: heard.is_some(),
    };
    let moved = (now.level - last.level).abs() >= LEVEL_STEP;
    (now.active != last.active || (now.active && moved)).then_some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_is_enough_loud_packets() {
        let window = |levels: &[i8]| {
            let mut window = Window::default();
            levels.iter().for_each(|level| window.add(*level));
            window.take()
        };
        assert_eq!(window(&[]), None);
        assert_eq!(window(&[-127; 15]), None);
        let spoken = window(&[-20; 15]).expect("speech");
        assert!((spoken - 0.1).abs() < 0.001, "{spoken}");
        assert_eq!(window(&[&[-20; 3][..], &[-127; 12][..]].concat()), None);
    }

    #[test]
    fn only_changes_are_reported() {
        let silent = Reported::default();
        assert_eq!(next_report(silent, None), None);
        let speaking = next_report(silent, Some(0.5)).expect("began");
        assert_eq!(next_report(speaking, Some(0.55)), None);
        assert!(next_report(speaking, Some(0.9)).is_some());
        assert_eq!(next_report(speaking, None), Some(silent));
    }
}
