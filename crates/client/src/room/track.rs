//! Tracks of the media room: what is published and what is received. State only; [`super::actor`] acts on it.

use crate::allocate;
use crate::frames::Numbering;
use crate::rtp::assembly::Assembler;
use crate::rtp::jitter::Interarrival;
use crate::transport::{SenderSpec, TrackKind};
use livekit_protocol as proto;
use media::audio::red::RedEncoder;
use media::video::{Layer, SimulcastConfig, VideoControl};
use protocol::{SeatId, TrackInfo, TrackSource};
use rand::Rng;

/// What somebody else shows or says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoteTrack {
    /// Number of the track for the page.
    pub slot: u32,
    /// Identity of its owner in the room: the seat.
    pub identity: String,
    /// What of theirs.
    pub source: TrackSource,
    /// The owner has it muted.
    pub muted: bool,
    /// Of the original; 0 while unknown.
    pub width: u32,
    /// Of the original; 0 while unknown.
    pub height: u32,
}

impl RemoteTrack {
    /// As the page is told of it.
    pub fn told(&self) -> TrackInfo {
        TrackInfo {
            slot: self.slot,
            seat: SeatId(self.identity.clone()),
            source: self.source,
            own: false,
            muted: self.muted,
            width: self.width,
            height: self.height,
        }
    }
}

/// Sound of one remote track on its way to the jitter buffer.
pub trait SoundTrack: Send {
    /// One packet, plain Opus or RFC 2198.
    fn push(&mut self, red: bool, sequence: u16, timestamp: u32, payload: &[u8]);
}

/// Where remote sound goes.
pub trait Sound: Send + Sync + 'static {
    /// A remote track begins.
    fn open(&self, slot: u32, identity: &str) -> Box<dyn SoundTrack>;
    /// It ended.
    fn close(&self, slot: u32);
}

/// Hears nothing.
pub struct NoSound;

impl Sound for NoSound {
    fn open(&self, _slot: u32, _identity: &str) -> Box<dyn SoundTrack> {
        struct Nothing;
        impl SoundTrack for Nothing {
            fn push(&mut self, _red: bool, _sequence: u16, _timestamp: u32, _payload: &[u8]) {}
        }
        Box::new(Nothing)
    }

    fn close(&self, _slot: u32) {}
}

/// An own track that is to be published.
pub struct Publication {
    /// What it is.
    pub source: TrackSource,
    /// Switched off by its owner or the court: published, and nothing is sent.
    pub muted: bool,
    /// For pictures.
    pub video: Option<OwnVideo>,
}

/// The encoder behind an own picture.
pub struct OwnVideo {
    /// Its layers, lowest first.
    pub config: SimulcastConfig,
    /// How it is told rates and key frames.
    pub control: VideoControl,
}

/// How far publishing has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Published {
    /// Not asked for yet, or taken away.
    No,
    /// Asked for.
    Asked,
    /// Asked for in vain; not asked for again before the permission changes.
    Refused,
    /// The server has it under this id.
    As(String),
}

/// One layer on its way out.
#[derive(Debug)]
pub(super) struct OutLayer {
    pub(super) layer: Layer,
    pub(super) sequence: u16,
    pub(super) wanted: bool,
    pub(super) rate_bps: u32,
    pub(super) max_bps: u32,
}

/// A layer is not worth sending below this part of its usual rate.
const MIN_SHARE: f32 = 0.45;

pub(super) struct OwnTrack {
    pub(super) publication: Publication,
    pub(super) cid: String,
    pub(super) state: Published,
    pub(super) layers: Vec<OutLayer>,
    pub(super) sequence: u16,
    pub(super) red: RedEncoder,
    pub(super) silent: bool,
}

impl OwnTrack {
    pub(super) fn new(publication: Publication, cid: String, red_payload: u8) -> Self {
        let layers = publication
            .video
            .iter()
            .flat_map(|video| &video.config.layers)
            .map(|config| OutLayer {
                layer: config.layer,
                sequence: 0,
                wanted: true,
                rate_bps: if config.active { config.bitrate_bps } else { 0 },
                max_bps: config.bitrate_bps,
            });
        Self {
            layers: layers.collect(),
            publication,
            cid,
            state: Published::No,
            sequence: 0,
            red: RedEncoder::new(red_payload, 1),
            silent: true,
        }
    }

    /// A track that can stand in for this one without a new negotiation.
    pub(super) fn same_shape(&self, other: &Publication) -> bool {
        let layers = |publication: &Publication| -> Vec<_> {
            let layers = publication.video.iter().flat_map(|video| &video.config.layers);
            layers
                .map(|layer| (layer.layer, layer.width, layer.height))
                .collect()
        };
        self.publication.video.is_some() == other.video.is_some()
            && layers(&self.publication) == layers(other)
    }

    pub(super) fn spec(&self, rng: &mut impl Rng) -> SenderSpec {
        let rids: Vec<_> = self.layers.iter().map(|layer| layer.layer.rid()).collect();
        SenderSpec {
            ssrcs: (0..rids.len().max(1))
                .map(|_| rng.random_range(1..=u32::MAX))
                .collect(),
            cid: self.cid.clone(),
            kind: if self.publication.video.is_some() {
                TrackKind::Video
            } else {
                TrackKind::Audio
            },
            // A single layer goes out as a plain stream.
            rids: if rids.len() > 1 { rids } else { Vec::new() },
        }
    }

    pub(super) fn add_request(&self) -> proto::AddTrackRequest {
        let (name, source) = wire_source(self.publication.source);
        let mut request = proto::AddTrackRequest {
            cid: self.cid.clone(),
            name: name.to_owned(),
            source: source as i32,
            muted: self.publication.muted,
            ..Default::default()
        };
        if let Some(video) = &self.publication.video {
            let layers: Vec<_> = video
                .config
                .layers
                .iter()
                .map(|layer| proto::VideoLayer {
                    quality: quality_of(layer.layer, video.config.layers.len()) as i32,
                    width: layer.width,
                    height: layer.height,
                    bitrate: layer.bitrate_bps,
                    ..Default::default()
                })
                .collect();
            let top = video.config.layers.last();
            request.r#type = proto::TrackType::Video as i32;
            request.width = top.map_or(0, |layer| layer.width);
            request.height = top.map_or(0, |layer| layer.height);
            request.simulcast_codecs = vec![proto::SimulcastCodec {
                codec: "h264".to_owned(),
                cid: self.cid.clone(),
                layers: layers.clone(),
                ..Default::default()
            }];
            request.layers = layers;
        } else {
            request.r#type = proto::TrackType::Audio as i32;
        }
        request
    }

    /// Nothing of it is sent any more.
    pub(super) fn stop_encoding(&self) {
        if let Some(video) = &self.publication.video {
            for layer in &self.layers {
                video.control.set_active(layer.layer, false);
            }
        }
    }

    /// What the allocator needs to know.
    pub(super) fn demand(&self) -> Vec<allocate::Layer> {
        self.layers
            .iter()
            .map(|layer| allocate::Layer {
                min_bps: (layer.max_bps as f32 * MIN_SHARE) as u32,
                max_bps: layer.max_bps,
                wanted: layer.wanted && !self.publication.muted && matches!(self.state, Published::As(_)),
                on: layer.rate_bps > 0,
            })
            .collect()
    }
}

/// LiveKit's name and number of a source.
pub(super) fn wire_source(source: TrackSource) -> (&'static str, proto::TrackSource) {
    match source {
        TrackSource::Microphone => ("microphone", proto::TrackSource::Microphone),
        TrackSource::Camera => ("camera", proto::TrackSource::Camera),
        TrackSource::Screen => ("screen", proto::TrackSource::ScreenShare),
    }
}

/// Reads a track's source; tracks of other kinds, and those whose source does not fit their kind, are neither shown nor
/// played. Senders that do not say are judged by the kind.
pub(super) fn source_of(track: &proto::TrackInfo) -> Option<TrackSource> {
    use proto::{TrackSource as Source, TrackType};
    match (track.r#type(), track.source()) {
        (TrackType::Audio, Source::Microphone | Source::Unknown) => Some(TrackSource::Microphone),
        (TrackType::Video, Source::Camera | Source::Unknown) => Some(TrackSource::Camera),
        (TrackType::Video, Source::ScreenShare) => Some(TrackSource::Screen),
        _ => None,
    }
}

/// LiveKit counts qualities from the lowest layer that exists.
pub(super) fn quality_of(layer: Layer, count: usize) -> proto::VideoQuality {
    match (layer, count) {
        (_, 1) => proto::VideoQuality::High,
        (Layer::Quarter, _) => proto::VideoQuality::Low,
        (Layer::Half, _) => proto::VideoQuality::Medium,
        (Layer::Full, _) => proto::VideoQuality::High,
    }
}

/// A received track.
pub(super) struct Subscription {
    pub(super) info: RemoteTrack,
    pub(super) sid: String,
    pub(super) media: Received,
    pub(super) jitter: Interarrival,
    /// What the server was told about the size; none before the first time.
    pub(super) told: Option<(u32, u32)>,
    /// When the server was last asked for a key picture, in milliseconds of the actor's clock.
    pub(super) asked_key_ms: Option<u64>,
}

pub(super) enum Received {
    Sound(Box<dyn SoundTrack>),
    Picture(Box<Picture>),
}

#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) assembler: Assembler,
    pub(super) numbering: Numbering,
    pub(super) size: (u16, u16),
    pub(super) switches: u32,
    pub(super) seen_packet: bool,
}
