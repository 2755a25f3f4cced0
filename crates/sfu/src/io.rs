//! What goes into the SFU and what comes out of it. Plain data; the driver owns sockets, clocks and threads.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use livekit_protocol as proto;
pub use str0m::net::{Protocol, Transmit};

use crate::permission::{Permissions, Source};
use crate::quality::Quality;

/// A participant for as long as it is in a room, a resumed one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(pub u64);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "participant {}", self.0)
    }
}

/// One datagram, or one RFC 4571 frame of a TCP connection.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// What it came over.
    pub proto: Protocol,
    /// The peer's address.
    pub source: SocketAddr,
    /// Our address, as announced in the ICE candidate.
    pub destination: SocketAddr,
    /// The bytes.
    pub contents: &'a [u8],
}

/// Somebody who may join, after the token was checked.
#[derive(Debug, Clone, Default)]
pub struct Join {
    /// Room name.
    pub room: String,
    /// Unique in the room.
    pub identity: String,
    /// Shown to the others.
    pub name: String,
    /// Passed on unread.
    pub metadata: String,
    /// Passed on unread.
    pub attributes: HashMap<String, String>,
    /// As the token grants; what the server set for the identity in this room goes before it.
    pub permissions: Permissions,
    /// When the token was issued, Unix milliseconds.
    pub issued_ms: u64,
    /// The client's request, its offer included.
    pub request: proto::JoinRequest,
}

/// Why nobody joined. The client gets the `LeaveRequest` and nothing else.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum JoinRefusal {
    /// The room was not made, and rooms are not made on join.
    #[error("no such room")]
    NoSuchRoom,
    /// Asked to resume a session that is not there any more: it must join anew.
    #[error("nothing to resume")]
    NothingToResume,
    /// Its offer cannot be used.
    #[error("bad offer: {0}")]
    BadOffer(String),
    /// An identity is needed.
    #[error("no identity")]
    NoIdentity,
    /// Its token was issued before the room was opened: it must come with a newer one.
    #[error("a token from before the room")]
    OlderThanRoom,
    /// Its token was issued before its identity was last sent out, for this reason.
    #[error("a token from before it was sent out")]
    SentOut(RemoveReason),
    /// The server is going down.
    #[error("shutting down")]
    ShuttingDown,
}

impl JoinRefusal {
    /// What the client is told.
    pub fn leave(&self) -> proto::LeaveRequest {
        use proto::leave_request::Action;
        let (reason, action) = match self {
            JoinRefusal::NoSuchRoom => (proto::DisconnectReason::RoomDeleted, Action::Disconnect),
            JoinRefusal::NothingToResume | JoinRefusal::OlderThanRoom => {
                (proto::DisconnectReason::StateMismatch, Action::Reconnect)
            }
            JoinRefusal::SentOut(reason) => reason.told(),
            JoinRefusal::BadOffer(_) | JoinRefusal::NoIdentity => {
                (proto::DisconnectReason::JoinFailure, Action::Disconnect)
            }
            JoinRefusal::ShuttingDown => (proto::DisconnectReason::ServerShutdown, Action::Reconnect),
        };
        leave(reason, action)
    }
}

pub(crate) fn leave(
    reason: proto::DisconnectReason,
    action: proto::leave_request::Action,
) -> proto::LeaveRequest {
    proto::LeaveRequest {
        can_reconnect: action != proto::leave_request::Action::Disconnect,
        reason: reason as i32,
        action: action as i32,
        regions: None,
    }
}

/// Why the server removes somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveReason {
    /// Sent out.
    ParticipantRemoved,
    /// The same identity came in again.
    DuplicateIdentity,
    /// The room is over.
    RoomClosed,
    /// The server goes down; clients come back.
    ServerShutdown,
}

impl RemoveReason {
    /// What the client is told, and whether it may come again with what it has.
    pub(crate) fn told(self) -> (proto::DisconnectReason, proto::leave_request::Action) {
        use proto::DisconnectReason as Reason;
        use proto::leave_request::Action;
        match self {
            RemoveReason::ParticipantRemoved => (Reason::ParticipantRemoved, Action::Disconnect),
            RemoveReason::DuplicateIdentity => (Reason::DuplicateIdentity, Action::Disconnect),
            RemoveReason::RoomClosed => (Reason::RoomDeleted, Action::Disconnect),
            RemoveReason::ServerShutdown => (Reason::ServerShutdown, Action::Reconnect),
        }
    }
}

/// The server's word on rooms and participants. All are harmless for rooms and identities that are not there.
#[derive(Debug, Clone)]
pub enum Command {
    /// Makes a room that stays until it is closed.
    CreateRoom {
        /// Room name.
        room: String,
        /// Passed on unread.
        metadata: String,
        /// Tokens issued before this let nobody in, Unix milliseconds.
        tokens_since_ms: u64,
    },
    /// Sends everybody out and forgets the room.
    CloseRoom {
        /// Room name.
        room: String,
    },
    /// Sets what an identity may do, now and when it joins later.
    SetPermissions {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// In place of all it had.
        permissions: Permissions,
    },
    /// Lets nothing of a source in, or lets it in again, now and when the identity joins later.
    Block {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// What to block.
        source: Source,
        /// Block or let in.
        blocked: bool,
    },
    /// Sends somebody out.
    Remove {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// What it is told, and is told again when it comes back with an older token.
        reason: RemoveReason,
        /// Tokens issued before this do not let the identity in again, Unix milliseconds.
        tokens_since_ms: u64,
    },
    /// Asks a track's sender to mute it. It can be muted from here, never unmuted.
    MuteTrack {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `TR_…`.
        track_sid: String,
    },
    /// Changes what is shown of a participant; `None` leaves it.
    UpdateParticipant {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// New name.
        name: Option<String>,
        /// New metadata.
        metadata: Option<String>,
        /// Changed attributes; an empty value removes one.
        attributes: HashMap<String, String>,
    },
    /// Subscribes a participant to tracks, or unsubscribes it.
    UpdateSubscriptions {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `TR_…` each.
        track_sids: Vec<String>,
        /// On or off.
        subscribe: bool,
    },
    /// Changes a room's metadata.
    UpdateRoomMetadata {
        /// Room name.
        room: String,
        /// New metadata.
        metadata: String,
    },
    /// Sends everybody out with leave to come back, and lets nobody in.
    Shutdown,
}

/// Everything that can happen to the SFU, save joining (which has an answer).
#[derive(Debug)]
pub enum Input<'a> {
    /// From the network.
    Datagram(Datagram<'a>),
    /// A signalling message.
    Signal(ParticipantId, Box<proto::SignalRequest>),
    /// The signalling connection is gone, without a leave.
    SignalClosed(ParticipantId),
    /// The server's word.
    Command(Command),
    /// Time has passed.
    Timeout,
}

/// Why somebody is no longer in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaveCause {
    /// Said so.
    ClientLeft,
    /// The same identity came in again.
    DuplicateIdentity,
    /// Sent out.
    Removed,
    /// The room was closed.
    RoomClosed,
    /// No packet for too long, or never one.
    PeerTimeout,
    /// The signalling connection went away and did not come back.
    SignalLost,
    /// Sent something that cannot be worked with.
    ProtocolError(String),
    /// The server went down.
    ServerShutdown,
}

/// What happened, for the server. Identities as in the token.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first participant came, or the room was made.
    RoomStarted {
        /// Room name.
        room: String,
    },
    /// The room is gone.
    RoomFinished {
        /// Room name.
        room: String,
    },
    /// Somebody is in the room; media not yet.
    Joined {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `PA_…`.
        sid: String,
    },
    /// ICE and DTLS are up.
    Active {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `PA_…`.
        sid: String,
    },
    /// Somebody is no longer in the room.
    Left {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `PA_…`.
        sid: String,
        /// Why.
        cause: LeaveCause,
        /// When the last packet came.
        last_packet: Option<Instant>,
    },
    /// A track was published.
    TrackPublished {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `TR_…`.
        track_sid: String,
        /// What it shows or carries.
        source: Source,
        /// A picture.
        video: bool,
    },
    /// A track is gone.
    TrackUnpublished {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `TR_…`.
        track_sid: String,
    },
    /// A track's sender muted or unmuted it.
    TrackMuted {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// `TR_…`.
        track_sid: String,
        /// What it shows or carries.
        source: Source,
        /// Now muted.
        muted: bool,
    },
    /// Who is speaking; only those whose state changed. Level 0 to 1, 0 is silent.
    Speakers {
        /// Room name.
        room: String,
        /// Identity and level.
        speakers: Vec<(String, f32)>,
    },
    /// A participant's connection changed.
    Quality {
        /// Room name.
        room: String,
        /// Participant.
        identity: String,
        /// Its quality.
        quality: Quality,
    },
}

/// What the driver must do.
#[derive(Debug)]
pub enum Output {
    /// Send this.
    Transmit(Transmit),
    /// Send this over the participant's signalling connection.
    Signal(ParticipantId, Box<proto::signal_response::Message>),
    /// Close the participant's signalling connection; it is gone.
    CloseSignal(ParticipantId),
    /// A local ICE user fragment came into use: STUN with it belongs here.
    UfragAdded(String),
    /// A local ICE user fragment is no longer in use.
    UfragRemoved(String),
    /// Tell the server.
    Event(Event),
}

/// Running totals since the start, and what there is now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rooms there are.
    pub rooms: u64,
    /// Participants there are.
    pub participants: u64,
    /// Published tracks there are.
    pub tracks: u64,
    /// Tracks being sent to somebody.
    pub subscriptions: u64,
    /// Datagrams in.
    pub packets_in: u64,
    /// Bytes in.
    pub bytes_in: u64,
    /// Datagrams out.
    pub packets_out: u64,
    /// Bytes out.
    pub bytes_out: u64,
    /// RTP packets that were not let in (blocked, not permitted).
    pub barred_packets: u64,
    /// Datagrams nobody here knows.
    pub unknown_packets: u64,
    /// Key frames asked for.
    pub key_frame_requests: u64,
    /// Changes of layer.
    pub layer_switches: u64,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Stats) {
        self.rooms += other.rooms;
        self.participants += other.participants;
        self.tracks += other.tracks;
        self.subscriptions += other.subscriptions;
        self.packets_in += other.packets_in;
        self.bytes_in += other.bytes_in;
        self.packets_out += other.packets_out;
        self.bytes_out += other.bytes_out;
        self.barred_packets += other.barred_packets;
        self.unknown_packets += other.unknown_packets;
        self.key_frame_requests += other.key_frame_requests;
        self.layer_switches += other.layer_switches;
    }
}

/// How long nothing may come from a peer before it is given up.
pub const PEER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a participant stays without a signalling connection.
pub const SIGNAL_TIMEOUT: Duration = Duration::from_secs(15);
