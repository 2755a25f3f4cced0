//! The recording beside the hearing: on with the session, off at its end, paused only with a lawful reason
//! (field.md §5.2, 法释〔2017〕5号). Pure; the recorder itself is elsewhere.

use protocol::{HearingState, PauseReason, RecordingState, SeatId, TimeMs};

/// Folded from `recording.state` events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Recording {
    pub(crate) state: RecordingState,
    /// The pause that the court ordered. It outlasts a recess and a failure of the recorder: going on by itself would
    /// record what was to stay closed.
    held: Option<RecordingState>,
}

impl Recording {
    pub(crate) fn new(recorder: bool) -> Self {
        Self {
            state: if recorder {
                RecordingState::Off
            } else {
                RecordingState::Unavailable
            },
            held: None,
        }
    }

    pub(crate) fn fold(&mut self, state: &RecordingState) {
        match state {
            RecordingState::Paused { reason, .. } if is_ordered(*reason) => self.held = Some(state.clone()),
            RecordingState::On { .. } | RecordingState::Off => self.held = None,
            RecordingState::Paused { .. } | RecordingState::Unavailable => {}
        }
        self.state = state.clone();
    }

    /// What the recording must be while the hearing is in `hearing`, with a recorder.
    pub(crate) fn due(&self, hearing: &HearingState, by: Option<&SeatId>, now: TimeMs) -> RecordingState {
        let stopped = |reason| RecordingState::Paused {
            reason,
            by: by.cloned(),
            since: now,
        };
        let due = match hearing {
            HearingState::InSession { .. } | HearingState::Signing { .. } => {
                self.held.clone().unwrap_or(RecordingState::On { since: now })
            }
            HearingState::Recess { .. } => self.held.clone().unwrap_or_else(|| stopped(PauseReason::Recess)),
            HearingState::Suspended { .. } => self
                .held
                .clone()
                .unwrap_or_else(|| stopped(PauseReason::Suspended)),
            _ => RecordingState::Off,
        };
        match (&self.state, &due) {
            (RecordingState::On { since }, RecordingState::On { .. }) => RecordingState::On { since: *since },
            (RecordingState::Paused { reason, .. }, RecordingState::Paused { reason: same, .. })
                if reason == same =>
            {
                self.state.clone()
            }
            _ => due,
        }
    }

    pub(crate) fn is_available(&self) -> bool {
        self.state != RecordingState::Unavailable
    }
}

/// The reasons that the court may order; the others come from the hearing's own state.
pub(crate) fn is_ordered(reason: PauseReason) -> bool {
    matches!(reason, PauseReason::ClosedEvidence | PauseReason::Mediation)
}
