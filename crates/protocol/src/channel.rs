//! The hearing channel: one WebSocket per seat, JSON text frames, at `/api/v1/hearings/{id}/channel`.
//!
//! The client says [`ClientFrame::Hello`] first and gets [`ServerFrame::Welcome`] or [`ServerFrame::Bye`].
//! After a drop it says hello again with `resume_after`; what it missed is in the log of the welcome's snapshot.
//! Frames over [`FRAME_LIMIT`] end the connection.

use crate::{
    Command, CommandId, ConnectionId, DropCause, Envelope, NetQuality, Refusal, Secret, Seq, Snapshot, TimeMs,
};
use serde::{Deserialize, Serialize};

/// Largest frame either side accepts, in bytes.
pub const FRAME_LIMIT: usize = 256 * 1024;
/// A client that is silent for longer is taken as gone, in milliseconds. Clients ping three times as often.
pub const SILENCE_LIMIT_MS: u64 = 9_000;

/// From client to server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClientFrame {
    /// Must be the first frame, within five seconds.
    Hello {
        /// [`crate::PROTOCOL_VERSION`].
        protocol: u32,
        /// The seat token from [`crate::SeatTaken`].
        token: Secret,
        /// After a drop: the last event that was applied. That there is one tells a resumed connection from a new one.
        resume_after: Option<Seq>,
        /// After a drop: what the client knows about it.
        drop_cause: Option<DropCause>,
        /// For the technician: program, version, system, webview.
        client: String,
    },
    /// Do something.
    Command {
        /// Chosen by the client; the same id is carried out once, whatever happens to the connection.
        command_id: CommandId,
        /// The last event the sender had seen; given when the decision rests on it.
        expected_seq: Option<Seq>,
        /// What.
        command: Command,
    },
    /// Are you there? Also measures the clock.
    Ping {
        /// The sender's clock; echoed.
        sent_at: TimeMs,
    },
    /// The page was reloaded and knows nothing: send [`ServerFrame::Snapshot`].
    Refresh,
    /// What the client measures about its own network, every five seconds while in the media room.
    NetReport(NetReport),
    /// The window is being closed, or the machine goes to sleep: the reason for the silence that follows.
    Goodbye {
        /// Why.
        cause: DropCause,
    },
}

/// What a client measures about its own network.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NetReport {
    /// Round trip of the hearing channel or the media path, the larger, in milliseconds.
    pub rtt_ms: u32,
    /// Packets lost on the way to or from the client, the larger, 0.0 to 1.0.
    pub loss: f32,
    /// In milliseconds.
    pub jitter_ms: u32,
}

impl NetReport {
    /// The quality of a path, by loss as HMCTS grades it and by round trip as BigBlueButton does (field.md §2).
    pub fn quality(&self) -> NetQuality {
        if self.loss >= 0.15 || self.rtt_ms >= 1_000 {
            NetQuality::Bad
        } else if self.loss >= 0.05 || self.rtt_ms >= 400 {
            NetQuality::Poor
        } else {
            NetQuality::Good
        }
    }
}

/// From server to client.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerFrame {
    /// The seat is taken.
    Welcome {
        /// This connection.
        connection: ConnectionId,
        /// The hearing as the viewer may see it.
        snapshot: Box<Snapshot>,
        /// Where and how to reach the media room, when the viewer may.
        media: Option<MediaAccess>,
    },
    /// The viewer's rights changed so that a new picture is needed (admitted, isolated, recalled).
    Snapshot {
        /// The hearing as the viewer may now see it.
        snapshot: Box<Snapshot>,
    },
    /// The media room may be entered now, or the token was renewed.
    Media {
        /// Where and how.
        media: MediaAccess,
    },
    /// Something happened.
    Event {
        /// What.
        envelope: Envelope,
    },
    /// The answer to a command; comes after its events.
    Reply {
        /// Which command.
        command_id: CommandId,
        /// How it went.
        outcome: Outcome,
    },
    /// The answer to a ping.
    Pong {
        /// As it was sent.
        sent_at: TimeMs,
        /// The server's clock.
        server_time: TimeMs,
    },
    /// The last frame of this connection.
    Bye {
        /// Why.
        reason: ByeReason,
    },
}

/// How a command went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// Carried out and durable.
    Accepted {
        /// Its last event.
        seq: Seq,
    },
    /// Nothing changed.
    Rejected {
        /// Why.
        code: Refusal,
    },
}

/// Why the server ends a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ByeReason {
    /// The seat was taken on another device. Do not reconnect by yourself.
    Replaced,
    /// The court removed the person. Do not reconnect.
    Removed,
    /// The person left. Do not reconnect.
    Left,
    /// The hearing is over. Do not reconnect.
    HearingEnded,
    /// The token is not valid or no longer. Enter again by code.
    BadToken,
    /// Another protocol version. Update the program.
    UpdateNeeded,
    /// What came was not the protocol. Reconnect.
    ProtocolError,
    /// The server is being restarted. Reconnect.
    Restarting,
    /// What waited for the client grew past its limit and was thrown away: it reads too slowly. Reconnect.
    TooSlow,
    /// This seat has connected too often in the last minute. The server is well; reconnect later.
    TooOften,
}

/// The way into the media room: LiveKit signalling v1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MediaAccess {
    /// WebSocket base address (`ws://` or `wss://`), or a path relative to the server's own address.
    pub url: String,
    /// The room's access token.
    pub token: Secret,
    /// When the token ends.
    pub expires_at: TimeMs,
}
