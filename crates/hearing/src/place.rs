//! Small questions about a person's state and role. Pure; nothing here changes anything.

use protocol::{ParticipantState, Role};

/// The presiding judge, the panel, the assistant, the clerk and the technician: they skip the steps of joining, see
/// everything, and cannot be isolated or removed.
pub fn is_court(role: Role) -> bool {
    matches!(
        role,
        Role::PresidingJudge | Role::PanelMember | Role::Assistant | Role::Clerk | Role::Technician
    )
}

/// Those who are heard one by one: hidden from the others, and never back in court by themselves.
pub(crate) fn is_witness(role: Role) -> bool {
    matches!(role, Role::Witness | Role::Expert)
}

/// Where people of this role wait.
pub(crate) fn waiting_place(role: Role) -> ParticipantState {
    if is_witness(role) {
        ParticipantState::WitnessRoom
    } else {
        ParticipantState::Waiting
    }
}

/// Where a person of this role goes when the connection that held `state` is lost and comes back.
pub(crate) fn after_a_drop(role: Role, state: &ParticipantState) -> ParticipantState {
    match state {
        ParticipantState::InCourt if is_witness(role) => ParticipantState::WitnessRoom,
        other => other.clone(),
    }
}

/// Questions about where a person stands.
pub(crate) trait Place {
    /// Where the person stands, or will stand once connected again.
    fn place(&self) -> &ParticipantState;
    /// There is somebody at the other end, as far as the hearing knows.
    fn is_connected(&self) -> bool;
    /// The same connection, elsewhere: a person who is disconnected stays so and returns to `place`.
    fn moved_to(&self, place: ParticipantState) -> ParticipantState;
}

impl Place for ParticipantState {
    fn place(&self) -> &ParticipantState {
        match self {
            ParticipantState::Disconnected { resume, .. } => resume.place(),
            here => here,
        }
    }

    fn is_connected(&self) -> bool {
        !matches!(
            self,
            ParticipantState::Invited
                | ParticipantState::Disconnected { .. }
                | ParticipantState::Left
                | ParticipantState::Removed { .. }
        )
    }

    fn moved_to(&self, place: ParticipantState) -> ParticipantState {
        match self {
            ParticipantState::Disconnected {
                since, cause, told, ..
            } => ParticipantState::Disconnected {
                since: *since,
                cause: *cause,
                told: *told,
                resume: Box::new(place),
            },
            _ => place,
        }
    }
}
