//! What may pass for a person in the media room. The server pushes it to the SFU after every event, so that court
//! control holds there and not only in the page. Pure; never opens a device.

use crate::place::Place;
use crate::room::{Person, Room};
use protocol::{HearingState, ParticipantState, Role};

/// One flag for each source of a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sources {
    /// 麦克风.
    pub mic: bool,
    /// 摄像头.
    pub camera: bool,
    /// 共享屏幕.
    pub screen: bool,
}

/// What the media server grants one seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MediaRights {
    /// May be connected to the media room (to have a warm path), even if nothing passes.
    pub enter: bool,
    /// Receives the others.
    pub subscribe: bool,
    /// May publish; what arrives without this right is not forwarded to anybody.
    pub publish: Sources,
    /// The court hides it from the others although it may be published.
    pub blocked: Sources,
}

/// Sound and picture pass in these states. In a recess and in an interruption nobody hears anybody.
pub(crate) fn media_passes(state: &HearingState) -> bool {
    matches!(
        state,
        HearingState::Open | HearingState::InSession { .. } | HearingState::Signing { .. }
    )
}

pub(crate) fn rights(room: &Room, person: &Person) -> MediaRights {
    if room.is_over() {
        return MediaRights::default();
    }
    let p = &person.shown;
    let enter = matches!(
        p.state.place(),
        ParticipantState::Waiting
            | ParticipantState::WitnessRoom
            | ParticipantState::InCourt
            | ParticipantState::Isolated { .. }
    );
    let passes = p.state == ParticipantState::InCourt && media_passes(&room.state);
    let speaks = passes && p.seat.role != Role::Observer;
    MediaRights {
        enter,
        subscribe: passes,
        publish: Sources {
            mic: speaks && !p.media.mic_locked,
            camera: speaks && !p.media.camera_locked,
            screen: speaks && p.sharing,
        },
        blocked: Sources {
            mic: p.media.audio_blocked,
            camera: p.media.video_blocked,
            // A share is stopped, not hidden.
            screen: false,
        },
    }
}

/// The others can hear this person: the person wants it, and nothing of the court's stands against it.
pub(crate) fn audible(room: &Room, person: &Person) -> bool {
    let rights = rights(room, person);
    person.shown.media.mic && rights.publish.mic && !rights.blocked.mic
}
