//! One participant: its peer connection, its signalling state and its media sections. Knows nothing of the others.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use livekit_protocol as proto;
use str0m::Rtc;
use str0m::bwe::Bitrate;
use str0m::media::Mid;
use str0m::rtp::Ssrc;

use crate::estimate::Estimate;
use crate::forward::OutStream;
use crate::io::{LeaveCause, ParticipantId};
use crate::permission::Permissions;
use crate::quality::Quality;
use crate::scatter::Scatter;
use crate::speakers::Reported;
use crate::stall::Stall;
use crate::track::Payloads;

/// How long who fell silent still counts as a speaker when bandwidth is shared out.
pub(crate) const SPOKE_LATELY: Duration = Duration::from_secs(8);

/// How far a participant has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// In the room, media not yet.
    Joined,
    /// ICE and DTLS are up.
    Active,
}

/// Its signalling connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signalling {
    /// There.
    Connected,
    /// Gone, may come back.
    Lost {
        /// Since when.
        since: Instant,
    },
}

/// What a receiving media section (one we send on) carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotState {
    /// The client knows it as inactive: a track can be put on it in the next answer.
    Free,
    /// Carries the track with this key.
    Carries(usize),
    /// Carries nothing any more, but the client was not told; the next answer does.
    Released,
}

/// A media section the client receives on.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Its mid.
    pub mid: Mid,
    /// For pictures.
    pub video: bool,
    /// What it carries.
    pub state: SlotState,
    /// The stream it is sent with.
    pub ssrc: Ssrc,
    /// The stream's numbering, while no track has it.
    pub out: OutStream,
}

/// A track it is to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The track's key in the room.
    pub track: usize,
    /// Picture or sound.
    pub video: bool,
    /// Where it is sent, once a section was found.
    pub mid: Option<Mid>,
}

/// Media sections asked of the client that have not come yet, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Requested {
    /// Sound.
    pub audio: u32,
    /// Pictures.
    pub video: u32,
    /// A new offer was asked for and has not come.
    pub offer: bool,
}

/// Datagrams on their way to a participant.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sent {
    pub packets: u32,
    pub bytes: u64,
}

/// Which of its tracks a publisher lets whom receive.
#[derive(Debug, Clone, Default)]
pub(crate) enum Audience {
    /// Everybody everything.
    #[default]
    Everybody,
    /// Only what is listed.
    Listed(Vec<proto::TrackPermission>),
}

impl Audience {
    /// Whether this receiver may have this track.
    pub(crate) fn allows(&self, sid: &str, identity: &str, track_sid: &str) -> bool {
        match self {
            Audience::Everybody => true,
            Audience::Listed(listed) => listed.iter().any(|permission| {
                let same = (!permission.participant_sid.is_empty() && permission.participant_sid == sid)
                    || (!permission.participant_identity.is_empty()
                        && permission.participant_identity == identity);
                same && (permission.all_tracks || permission.track_sids.iter().any(|own| own == track_sid))
            }),
        }
    }
}

/// See the module.
pub(crate) struct Participant {
    /// Its id for the driver.
    pub id: ParticipantId,
    /// `PA_…`.
    pub sid: String,
    /// Unique in the room.
    pub identity: String,
    /// Shown name.
    pub name: String,
    /// Passed on unread.
    pub metadata: String,
    /// Passed on unread.
    pub attributes: HashMap<String, String>,
    /// What it may do.
    pub permissions: Permissions,
    /// How far it has come.
    pub state: State,
    /// Its signalling connection.
    pub signalling: Signalling,
    /// Counts what the others were told of it.
    pub version: u32,
    /// Unix milliseconds.
    pub joined_at_ms: i64,
    /// When it joined.
    pub joined: Instant,
    /// From `ClientInfo`.
    pub client_protocol: i32,
    /// From `ClientInfo`.
    pub capabilities: Vec<i32>,

    /// The peer connection.
    pub rtc: Rtc,
    /// The time `rtc` was last given; a few microseconds ahead while a burst is being sent.
    pub(crate) clock: Instant,
    /// When `rtc` wants to be called again.
    pub timeout: Instant,
    /// Packets were written to `rtc` that it has not sent yet.
    pub dirty: bool,
    /// The ICE user fragment registered for it.
    pub ufrag: Option<String>,
    /// Its payload types.
    pub payloads: Payloads,

    /// Announced tracks whose media section has not come.
    pub announced: Vec<(proto::AddTrackRequest, proto::TrackInfo)>,
    /// Keys of its tracks.
    pub tracks: Vec<usize>,
    /// Incoming streams: SSRC to track key and layer.
    pub streams: Vec<(Ssrc, usize, usize)>,

    /// Gets every track it may, unasked.
    pub auto_subscribe: bool,
    /// Track sids it asked for.
    pub asked: HashSet<String>,
    /// Track sids it does not want.
    pub declined: HashSet<String>,
    /// Tracks it is to receive.
    pub wanted: Vec<Wanted>,
    /// Sections it receives on.
    pub slots: Vec<Slot>,
    /// Sections asked for.
    pub requested: Requested,
    /// It has made an offer.
    pub negotiated: bool,
    /// Who may receive its tracks.
    pub audience: Audience,
    /// The others it was told of and not told that they went: sid and identity.
    pub knows: HashMap<String, String>,

    /// Bandwidth towards it.
    pub estimate: Estimate,
    /// Whether the estimator still learns anything.
    pub stall: Stall,
    /// Bandwidth last asked for, bits per second.
    pub desired: u64,
    /// A picture is lower than it wants, for want of bandwidth.
    pub lowered: bool,
    /// Loss, the worse direction, 0 to 1.
    pub loss: f32,
    /// Round trip.
    pub rtt: Option<std::time::Duration>,
    /// Sent to it in this second.
    pub sent: Sent,
    /// Loss towards it.
    pub scatter: Scatter,
    /// Quality last told.
    pub quality: Option<Quality>,
    /// Level last told.
    pub speaking: Reported,
    /// When its sound last was speech.
    pub last_spoke: Option<Instant>,
    /// When the last datagram came.
    pub last_packet: Option<Instant>,
    /// It is to go, for this reason.
    pub leaving: Option<LeaveCause>,
}

impl Participant {
    /// The section a track is sent on.
    pub(crate) fn slot_mut(&mut self, mid: Mid) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.mid == mid)
    }

    /// Notes what it is told of others.
    pub(crate) fn learn(&mut self, others: &[proto::ParticipantInfo]) {
        for other in others {
            if other.state() == proto::participant_info::State::Disconnected {
                self.knows.remove(&other.sid);
            } else {
                self.knows.insert(other.sid.clone(), other.identity.clone());
            }
        }
    }

    /// The estimator begins anew with this, in bits per second.
    pub(crate) fn estimate_anew(&mut self, now: Instant, with: u64) {
        self.rtc.bwe().reset(Bitrate::bps(with));
        self.estimate.begin_anew(now, with);
        self.stall.moved(now);
    }

    /// Visible to the others.
    pub(crate) fn is_visible(&self) -> bool {
        !self.permissions.hidden
    }

    /// Spoke within [`SPOKE_LATELY`], so that its picture does not come and go with every pause for breath.
    pub(crate) fn spoke_lately(&self, now: Instant) -> bool {
        self.last_spoke
            .is_some_and(|spoke| now.saturating_duration_since(spoke) < SPOKE_LATELY)
    }

    /// Its media can flow.
    pub(crate) fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// What the others are told of it, with these tracks.
    pub(crate) fn info(&self, tracks: Vec<proto::TrackInfo>) -> proto::ParticipantInfo {
        let state = match self.state {
            State::Joined => proto::participant_info::State::Joined,
            State::Active => proto::participant_info::State::Active,
        };
        proto::ParticipantInfo {
            sid: self.sid.clone(),
            identity: self.identity.clone(),
            state: state as i32,
            is_publisher: !tracks.is_empty(),
            tracks,
            metadata: self.metadata.clone(),
            joined_at: self.joined_at_ms / 1000,
            joined_at_ms: self.joined_at_ms,
            name: self.name.clone(),
            version: self.version,
            permission: Some(self.permissions.to_proto()),
            attributes: self.attributes.clone(),
            kind: if self.permissions.recorder {
                proto::participant_info::Kind::Egress as i32
            } else {
                proto::participant_info::Kind::Standard as i32
            },
            client_protocol: self.client_protocol,
            capabilities: self.capabilities.clone(),
            ..Default::default()
        }
    }
}
