//! What comes into a hearing, from people and from the server's own eyes. Only shapes.

use protocol::{
    CaseInfo, Command, CommandId, DropCause, HearingId, HearingSettings, NetQuality, Seat, SeatId, Seq,
    TestScore, TimeMs,
};

/// What is fixed when a hearing is scheduled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HearingSetup {
    /// Which hearing.
    pub id: HearingId,
    /// The case.
    pub case: CaseInfo,
    /// The "configurable" cells of the table, and services of this server.
    pub settings: HearingSettings,
    /// Everybody who is invited, in the order in which lists show them.
    pub seats: Vec<Seat>,
}

/// Something that may change the hearing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A person asks for something.
    Command {
        /// Who. The server knows it from the connection, never from the frame.
        seat: SeatId,
        /// Chosen by the client; carried out once.
        id: CommandId,
        /// The last event that the sender had seen, when the decision rests on it.
        expected: Option<Seq>,
        /// What.
        command: Command,
    },
    /// The code of a seat was accepted and the seat was taken (HTTP), before any connection.
    CodeAccepted {
        /// Whose.
        seat: SeatId,
    },
    /// A connection of a seat was established. Refused when the person was removed or has left; the server then
    /// says goodbye with the matching reason.
    Connected {
        /// Whose.
        seat: SeatId,
        /// The client was connected before and says so. Where the person goes is decided by what the hearing
        /// knows, never by what the client says.
        resumed: bool,
    },
    /// The seat's only connection is gone. Not to be said of a connection that a newer one has replaced, and to be
    /// said of everybody (as [`DropCause::ServerRestart`]) after the log was loaded from storage.
    Dropped {
        /// Whose.
        seat: SeatId,
        /// When the last packet came.
        since: TimeMs,
        /// What the server saw.
        cause: DropCause,
        /// What the client said before it.
        told: Option<DropCause>,
    },
    /// The client explains a drop in its hello. To be said before `Connected`. What it said first stands.
    DropExplained {
        /// Whose.
        seat: SeatId,
        /// What the client says now.
        told: DropCause,
    },
    /// A newer connection took the seat from the one that was live; no `Connected` or `Dropped` goes with it.
    Replaced {
        /// Whose.
        seat: SeatId,
    },
    /// The measured network quality of a person.
    Net {
        /// Whose.
        seat: SeatId,
        /// As measured now.
        quality: NetQuality,
    },
    /// A self-test came for a seat, with its owner's consent.
    Tested {
        /// Whose.
        seat: SeatId,
        /// How it went.
        score: TestScore,
    },
    /// The recorder that the settings promise is there (again).
    RecorderUp,
    /// The recorder does not answer.
    RecorderDown,
    /// Time has passed: see [`crate::Hearing::next_deadline`].
    Tick,
}

/// Why the hearing wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeadlineReason {
    /// The presiding judge has been gone for the grace time: the hearing is suspended.
    JudgeGrace,
}
