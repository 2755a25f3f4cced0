//! The media room: publishes own tracks, receives the others', and comes back by itself (resume, then a full
//! reconnect). Speaks LiveKit signalling v1 and so works with our own SFU and any LiveKit server.
//!
//! Knows nothing of hearings; what a seat may do is the server's business and the session's.

mod actor;
mod own;
mod remote;
mod track;
mod views;

pub use track::{NoSound, OwnVideo, Publication, RemoteTrack, Sound, SoundTrack};
pub use views::Views;

use crate::frames::FrameSink;
use media::audio::EncodedAudio;
use media::video::EncodedFrame as Encoded;
use protocol::{LinkState, Secret, TrackSource, TrackView};
use rand_chacha::ChaCha8Rng;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use url::Url;

/// The way in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomAccess {
    /// `ws`, `wss`, `http` or `https` base address of the media server.
    pub url: Url,
    /// Access token of the room.
    pub token: Secret,
}

/// What a room needs from outside.
pub struct RoomSetup {
    /// For the technician: program and version.
    pub client: String,
    /// Pictures go here.
    pub frames: Arc<dyn FrameSink>,
    /// Sound goes here.
    pub sound: Arc<dyn Sound>,
    /// Jitter and ids.
    pub rng: ChaCha8Rng,
    /// All tasks run in it.
    pub tasks: TaskTracker,
}

/// Own media on its way out; the encoders' threads put it in and drop it when the queue is full.
#[derive(Debug)]
pub enum Outgoing {
    /// A picture of one layer.
    Video {
        /// Camera or screen.
        source: TrackSource,
        /// The picture.
        frame: Encoded,
    },
    /// 20 ms of the microphone.
    Audio(EncodedAudio),
}

/// How many encoded pictures and sound packets may wait for the room, all layers together.
pub const OUTGOING_LIMIT: usize = 128;

/// What a room says.
#[derive(Clone, PartialEq, Debug)]
pub enum RoomEvent {
    /// The connection. `Ended` is never among them; see [`RoomEvent::Over`].
    Link(LinkState),
    /// All remote tracks with a picture or sound, complete.
    Tracks(Vec<RemoteTrack>),
    /// Identities of those who speak, loudest first.
    Speakers(Vec<String>),
    /// The server muted or unmuted an own track.
    Muted {
        /// Which.
        source: TrackSource,
        /// As it is now.
        muted: bool,
    },
    /// Once a second while connected.
    Stats(RoomStats),
    /// The token is not accepted; a new one is needed ([`RoomHandle::access`]).
    TokenRefused,
    /// The server ended it: no reconnect.
    Over(livekit_protocol::DisconnectReason),
}

/// Totals since the room was entered, and the last second's rates.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RoomStats {
    /// Media bytes sent, RTP payloads.
    pub bytes_sent: u64,
    /// Media bytes received, RTP payloads.
    pub bytes_received: u64,
    /// Of the last second.
    pub sending_kbps: u32,
    /// Of the last second.
    pub receiving_kbps: u32,
    /// Round trip, signalling or media, the larger; 0 while unknown.
    pub rtt_ms: u32,
    /// Lost packets of the last second, the worse direction, 0.0 to 1.0.
    pub loss: f32,
    /// Interarrival jitter (RFC 3550 section 6.4.1) of the worst stream that came in the last second, in milliseconds.
    pub jitter_ms: u32,
    /// What may be sent now, bits a second.
    pub estimate_bps: u32,
    /// Layer switches seen on each received picture: slot, count.
    pub switches: Vec<(u32, u32)>,
}

/// What a room is told.
pub(crate) enum RoomCommand {
    Publish(Publication),
    Unpublish(TrackSource),
    Mute(TrackSource, bool),
    Views(Vec<TrackView>),
    RequestKey(u32),
    Access(RoomAccess),
    Retry,
    Break,
    Leave,
}

/// The way to a running room. Cheap to clone; everything returns at once.
#[derive(Clone)]
pub struct RoomHandle {
    commands: mpsc::UnboundedSender<RoomCommand>,
}

impl RoomHandle {
    fn tell(&self, command: RoomCommand) {
        // After the room has ended there is nobody to tell.
        let _ = self.commands.send(command);
    }

    /// Publishes an own track as soon as the server allows, and again after every reconnect.
    pub fn publish(&self, publication: Publication) {
        self.tell(RoomCommand::Publish(publication));
    }

    /// Takes an own track away.
    pub fn unpublish(&self, source: TrackSource) {
        self.tell(RoomCommand::Unpublish(source));
    }

    /// Sends nothing of a track, and says so to the others.
    pub fn mute(&self, source: TrackSource, muted: bool) {
        self.tell(RoomCommand::Mute(source, muted));
    }

    /// How large each track is shown; tracks left out are not shown.
    pub fn views(&self, views: Vec<TrackView>) {
        self.tell(RoomCommand::Views(views));
    }

    /// Asks for a key picture of a received track.
    pub fn request_key(&self, slot: u32) {
        self.tell(RoomCommand::RequestKey(slot));
    }

    /// A new token or address, used from the next connection on; one that is waited for is made at once.
    pub fn access(&self, access: RoomAccess) {
        self.tell(RoomCommand::Access(access));
    }

    /// Tries again now; nothing unless it waits for the next try.
    pub fn retry_now(&self) {
        self.tell(RoomCommand::Retry);
    }

    /// Closes all sockets without a word, as a dead network would; for tests.
    pub fn sever(&self) {
        self.tell(RoomCommand::Break);
    }

    /// Leaves for good.
    pub fn leave(&self) {
        self.tell(RoomCommand::Leave);
    }
}

/// Enters a room. The events end when it is left.
pub fn enter(
    access: RoomAccess,
    setup: RoomSetup,
    outgoing: mpsc::Receiver<Outgoing>,
) -> (RoomHandle, mpsc::Receiver<RoomEvent>) {
    let (commands, commands_in) = mpsc::unbounded_channel();
    let (events, events_out) = mpsc::channel(256);
    let tasks = setup.tasks.clone();
    let actor = actor::Room::new(access, setup, outgoing, commands_in, events);
    tasks.spawn(actor.run());
    (RoomHandle { commands }, events_out)
}

/// The local address to bind for a server: the loopback interface for a loopback server, else all interfaces.
pub(crate) fn local_address(server: &Url) -> IpAddr {
    let loopback = match server.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if loopback {
        IpAddr::from([127, 0, 0, 1])
    } else {
        IpAddr::from([0, 0, 0, 0])
    }
}
