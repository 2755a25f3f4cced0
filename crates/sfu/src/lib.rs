//! A selective forwarding unit that speaks LiveKit's signalling, version 1, without doing any I/O: rooms,
//! participants, tracks, forwarding and layer choice on str0m. No sockets, no threads, no clock, no runtime.
//!
//! Time and randomness come in as arguments. Four verbs: [`Sfu::handle_input`], [`Sfu::poll_output`],
//! [`Sfu::poll_timeout`], and [`Sfu::join`], which is input with an answer. After every batch of input the driver
//! polls output until there is none, then waits for input or the timeout.
//!
//! Invariants:
//! - What a participant may not send is dropped as it comes in, before anything else looks at it; what it may not
//!   receive is not written to it. Both hold from the packet after the command, in the same call.
//! - A receiver's stream has one SSRC and sequence numbers that never repeat, whatever tracks and layers it carries
//!   in turn. It changes layers only at key frames.
//! - One layer is asked for at most one key frame each [`KEY_FRAME_INTERVAL`], whoever wants it.
//! - The client offers and the SFU answers, never the other way; when it needs more sections it asks for an offer.
//! - The first message to a client is its join or reconnect response, or a leave; nothing follows a leave.
//! - Nothing a peer sends can panic. What cannot be worked with ends that participant, and only it.

mod codec;
mod estimate;
mod forward;
mod io;
mod layers;
mod participant;
mod permission;
mod quality;
mod room;
mod scatter;
mod sdp;
mod sfu;
mod sid;
mod speakers;
mod stall;
mod track;

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use livekit_protocol as proto;
use str0m::Candidate;
use str0m::net::TcpType;

pub use codec::Codec;
pub use io::{
    Command, Datagram, Event, Input, Join, JoinRefusal, LeaveCause, Output, PEER_TIMEOUT, ParticipantId,
    Protocol, RemoveReason, SIGNAL_TIMEOUT, Stats, Transmit,
};
pub use layers::{Allotment, Demand, Layer, Wish, allot, sound_reserve};
pub use permission::{Permissions, Source};
pub use quality::Quality;
pub use sfu::{Sfu, stun_ufrag};
pub use track::KEY_FRAME_INTERVAL;

/// As told to clients.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The version of LiveKit's client protocol spoken.
pub const PROTOCOL: i32 = 16;
/// A client is to ping this often.
pub const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A client that hears nothing for this long takes the signalling connection for dead.
pub const PING_TIMEOUT: Duration = Duration::from_secs(15);
/// Datagrams and frames longer than this are dropped, in bytes. Also what str0m can send on.
pub const MAX_DATAGRAM: usize = 1500;

/// Whether rooms come into being when somebody joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomPolicy {
    /// A room is made on the first join and forgotten when the last participant leaves.
    OnJoin,
    /// Only rooms made by [`Command::CreateRoom`] can be joined.
    Created,
}

impl RoomPolicy {
    /// Whether a publisher may keep its tracks from some of the others. Where rooms belong to whoever joins, yes; where
    /// the server makes them, it alone decides who receives whom, or two could speak unheard by the rest.
    pub(crate) fn lets_publishers_choose(self) -> bool {
        match self {
            RoomPolicy::OnJoin => true,
            RoomPolicy::Created => false,
        }
    }
}

/// How an [`Sfu`] is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// UDP addresses told to clients.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses told to clients.
    pub tcp: Vec<SocketAddr>,
    /// What may be published, most wanted first of each kind.
    pub publish_codecs: Vec<Codec>,
    /// Whether rooms come into being by joining.
    pub rooms: RoomPolicy,
    /// The same moment on both clocks.
    pub epoch: (Instant, SystemTime),
    /// For names and SSRCs.
    pub seed: [u8; 32],
    /// First guess at the bandwidth towards a participant, bits per second.
    pub initial_bandwidth: u64,
}

impl Config {
    fn candidates(&self) -> Vec<Candidate> {
        let udp = self
            .udp
            .iter()
            .map(|addr| Candidate::host(*addr, str0m::net::Protocol::Udp));
        let tcp = self.tcp.iter().map(|addr| {
            Candidate::builder()
                .tcp()
                .host(*addr)
                .tcptype(TcpType::Passive)
                .build()
        });
        udp.chain(tcp)
            .filter_map(|candidate| match candidate {
                Ok(candidate) => Some(candidate),
                Err(error) => {
                    tracing::warn!(%error, "this address cannot be told to clients");
                    None
                }
            })
            .collect()
    }

    fn codec_infos(&self) -> Vec<proto::Codec> {
        let mut codecs: Vec<proto::Codec> = self
            .publish_codecs
            .iter()
            .map(|codec| proto::Codec {
                mime: codec.mime().to_owned(),
                fmtp_line: String::new(),
            })
            .collect();
        codecs.push(proto::Codec {
            mime: "video/rtx".to_owned(),
            fmtp_line: String::new(),
        });
        codecs
    }

    fn server_info(&self) -> proto::ServerInfo {
        proto::ServerInfo {
            version: VERSION.to_owned(),
            protocol: PROTOCOL,
            node_id: "mingting".to_owned(),
            ..Default::default()
        }
    }
}

/// The origin of virtual time in unit tests.
#[cfg(test)]
fn start() -> std::time::Instant {
    #[expect(clippy::disallowed_methods, reason = "virtual time needs one origin")]
    std::time::Instant::now()
}
