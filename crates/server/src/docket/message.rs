//! What a hearing's task can be told. A closed list; shutting down is one of them.

use super::connection::Outbox;
use protocol::{
    ByeReason, CaseInfo, Command, CommandId, ConnectionId, DropCause, HearingState, NetQuality, Seat, SeatId,
    Seq, TestScore, TimeMs,
};
use tokio::sync::oneshot;

/// One message.
pub(crate) enum HearingMessage {
    /// A connection said hello with a good token.
    Attach(Attach),
    /// A connection ended; ignored when it is not the seat's connection any more.
    Detach {
        seat: SeatId,
        connection: ConnectionId,
        since: TimeMs,
        cause: DropCause,
        told: Option<DropCause>,
    },
    /// A command came in.
    Command {
        seat: SeatId,
        connection: ConnectionId,
        id: CommandId,
        expected: Option<Seq>,
        command: Command,
    },
    /// A connection measured its network.
    Net {
        seat: SeatId,
        connection: ConnectionId,
        quality: NetQuality,
    },
    /// A page was reloaded and needs the whole picture.
    Refresh { seat: SeatId, connection: ConnectionId },
    /// What a person may know before taking a seat.
    Look {
        seat: SeatId,
        reply: oneshot::Sender<Option<Look>>,
    },
    /// A seat is taken by code or account, before any connection.
    Take {
        seat: SeatId,
        take_over: bool,
        reply: oneshot::Sender<Result<(), TakeRefusal>>,
    },
    /// A self-test came for a seat. Answered when it is in the log.
    Tested {
        seat: SeatId,
        score: TestScore,
        reply: oneshot::Sender<()>,
    },
    /// Say goodbye to everybody and end.
    Shutdown,
}

/// A connection that wants a seat.
pub(crate) struct Attach {
    pub(crate) seat: SeatId,
    /// Tells two devices of one seat apart.
    pub(crate) token_hash: Vec<u8>,
    /// Tells which of them is the newer; no two tokens have the same.
    pub(crate) issued_at: TimeMs,
    pub(crate) resume_after: Option<Seq>,
    pub(crate) drop_cause: Option<DropCause>,
    pub(crate) outbox: Outbox,
    pub(crate) reply: oneshot::Sender<Attached>,
}

/// The id of the connection, whose welcome is in the outbox already; or why not.
pub(crate) type Attached = Result<ConnectionId, ByeReason>;

/// What a person may know before taking a seat.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) case: CaseInfo,
    pub(crate) state: HearingState,
    pub(crate) seat: Seat,
    /// Never witnesses, experts or observers.
    pub(crate) others: Vec<Seat>,
    pub(crate) in_use: bool,
    pub(crate) identity_step: bool,
}

/// Why a seat is not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TakeRefusal {
    /// There is no such seat.
    NoSuchSeat,
    /// It is in use elsewhere.
    InUse,
    /// The hearing is over.
    Over,
    /// The court removed the person.
    NotAllowed,
    /// The database failed.
    Failed,
}
