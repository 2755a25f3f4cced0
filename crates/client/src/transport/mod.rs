//! The media transport behind a trait: ICE, DTLS, SRTP, congestion control; it moves RTP and nothing else.
//!
//! It never packetises, never decodes and knows nothing of seats or rooms. The one implementation is
//! [`webrtc`]; the trait is the line at which another stack could be put in its place (docs/adr/0001).

pub mod bandwidth;
pub mod fates;
pub mod inbound;
pub mod keyframes;
pub mod nack;
pub mod reference;
pub mod tcp;
pub mod udp;
pub mod webrtc;

use bytes::Bytes;
use std::sync::Arc;

/// Payload types that this client offers; it is always the offerer, so the server answers with these.
pub mod payload {
    /// Opus, 48 kHz.
    pub const OPUS: u8 = 111;
    /// RFC 2198 redundancy over Opus.
    pub const RED: u8 = 63;
    /// H.264 constrained baseline, packetisation mode 1.
    pub const H264: u8 = 125;
    /// RFC 4588 retransmissions of [`H264`].
    pub const H264_RTX: u8 = 107;
}

/// Which ways media may take to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Paths {
    /// UDP; TCP beside it where UDP does not connect soon, and a WebSocket where neither does.
    #[default]
    Any,
    /// UDP alone, to learn whether it works.
    UdpOnly,
    /// TCP alone, to learn whether it works.
    TcpOnly,
    /// The WebSocket alone, to learn whether it works.
    WebOnly,
}

/// What a transport is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Purpose {
    /// Media of a hearing: what is lost is repaired, and no more is sent than the path is thought to carry.
    #[default]
    Hearing,
    /// To measure the path: nothing is repaired, each packet leaves when it is given, and what became of it is told
    /// ([`fates`]). Whoever sends sees to it that it is not too much.
    Measuring,
}

/// Sound or picture, as a media section carries it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TrackKind {
    /// Opus.
    Audio,
    /// H.264.
    Video,
}

/// One own track to be offered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SenderSpec {
    /// Client id of the track; it becomes the track id of the offer's `msid`.
    pub cid: String,
    /// Sound or picture.
    pub kind: TrackKind,
    /// Names of the simulcast layers, lowest first; empty for a single stream.
    pub rids: Vec<&'static str>,
    /// Synchronisation sources, one for each layer.
    pub ssrcs: Vec<u32>,
}

/// One RTP packet to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutPacket {
    /// Which of the sender's layers; 0 for a single stream.
    pub layer: usize,
    /// See [`payload`].
    pub payload_type: u8,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp in the codec's clock.
    pub timestamp: u32,
    /// Last packet of a picture, or first of a talk spurt.
    pub marker: bool,
    /// RFC 6464 level (0 loudest, 127 silence) and voice flag.
    pub level: Option<(u8, bool)>,
    /// What the codec's packetiser made.
    pub payload: Bytes,
}

/// One received RTP packet, retransmissions already put back into their stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InPacket {
    /// Track id as the answer's `msid` (or the server's map) names it.
    pub track: Arc<str>,
    /// Synchronisation source.
    pub ssrc: u32,
    /// See [`payload`].
    pub payload_type: u8,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Marker bit.
    pub marker: bool,
    /// Payload without header, extensions and padding.
    pub payload: Bytes,
}

/// What the transport says by itself.
#[derive(Clone, PartialEq, Debug)]
pub enum TransportEvent {
    /// ICE and DTLS are up.
    Connected,
    /// ICE lost its peer; it may come back by itself.
    Interrupted,
    /// Over; only an ICE restart or a new transport helps.
    Failed,
    /// A local candidate, as JSON `RTCIceCandidateInit`.
    Candidate(String),
    /// A received packet.
    Packet(InPacket),
    /// A receiver of ours needs a key frame.
    KeyWanted {
        /// Of which own track.
        cid: String,
        /// Of which of its layers.
        layer: usize,
    },
}

/// What the transport knows about the path.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PathStats {
    /// What may be sent, in bits a second; media only, the pacer's headroom is not in it.
    pub estimate_bps: u32,
    /// Part of our packets that the other side reports lost, 0.0 to 1.0.
    pub loss_out: f32,
    /// Round trip of the media path in milliseconds, when known.
    pub rtt_ms: Option<u32>,
}

/// Why a transport operation failed. All are world or peer trouble, never bugs.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The stack said no: a description that does not fit, or a closed connection.
    #[error("media transport: {0}")]
    Stack(String),
    /// A sender that was not added or was removed.
    #[error("no such sender")]
    UnknownSender,
}

/// A connection to a media server that always answers. Events come on the channel given at construction.
#[async_trait::async_trait]
pub trait MediaTransport: Send + Sync + 'static {
    /// Adds receiving sections.
    async fn add_receivers(&self, audio: u32, video: u32) -> Result<(), TransportError>;
    /// Adds a sending section.
    async fn add_sender(&self, spec: SenderSpec) -> Result<(), TransportError>;
    /// Stops a sending section; it becomes inactive in the next offer.
    async fn remove_sender(&self, cid: &str) -> Result<(), TransportError>;
    /// Makes and applies the next offer.
    async fn offer(&self, ice_restart: bool) -> Result<String, TransportError>;
    /// Applies the server's answer.
    async fn answer(&self, sdp: String) -> Result<(), TransportError>;
    /// Adds a candidate of the server, JSON `RTCIceCandidateInit`.
    async fn remote_candidate(&self, json: &str) -> Result<(), TransportError>;
    /// Sends one packet; silently drops it before the first answer.
    async fn send(&self, cid: &str, packet: OutPacket) -> Result<(), TransportError>;
    /// Whether the server takes RFC 2198 redundancy on this sender.
    async fn redundancy(&self, cid: &str) -> bool;
    /// Asks the sender of a received track for a key frame (RTCP PLI).
    async fn request_key(&self, track: &str) -> Result<(), TransportError>;
    /// Says what would be sent if the path carried it, in bits a second: so far the estimate may rise without proof.
    fn wants(&self, bps: u32);
    /// What is known about the path.
    fn path(&self) -> PathStats;
    /// Ends the connection.
    async fn close(&self);
}

/// The origin of virtual time in unit tests.
#[cfg(test)]
pub(crate) fn start() -> std::time::Instant {
    #[expect(clippy::disallowed_methods, reason = "virtual time needs one origin")]
    std::time::Instant::now()
}
