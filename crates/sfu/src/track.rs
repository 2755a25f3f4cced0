//! A published track: its layers, who receives it, and when its sender is asked for a key frame. Holds no socket
//! and no participant; the room owns both ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use livekit_protocol as proto;
use str0m::media::{Mid, Pt, Rid};
use str0m::rtp::Ssrc;

use crate::codec::{self, Codec};
use crate::forward::{Arrived, Forwarder};
use crate::layers::{ASSUMED_RATES, Layer, Wish};
use crate::permission::Source;
use crate::speakers::Window;

/// Two requests for a key frame of one layer are at least this far apart, whoever asks.
pub const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);
/// Simulcast layers of one track, at most.
pub(crate) const MAX_LAYERS: usize = 3;
/// A layer that sent nothing for this long is not there.
const LAYER_SILENCE: Duration = Duration::from_millis(1500);
/// Nor is one of which so many pictures in a row did not come that another layer of its track had: a sender whose line got
/// narrow leaves its largest out, and whoever sees that one looks at a still picture until another is chosen. A third of a
/// second at the usual rate; counted in pictures, since a sender that pauses as a whole has left no layer out.
const OUTRUN_BY: u8 = 8;
/// Rates are measured over windows of this length.
const RATE_WINDOW: Duration = Duration::from_millis(500);

/// One simulcast layer as it comes in. Without simulcast a track has one.
#[derive(Debug)]
pub(crate) struct SourceLayer {
    /// Its restriction id, `None` without simulcast.
    pub rid: Option<Rid>,
    /// Width in pixels, 0 when unknown.
    pub width: u32,
    /// Height in pixels, 0 when unknown.
    pub height: u32,
    announced_rate: u64,
    rate: u64,
    window_start: Option<Instant>,
    window_bytes: u64,
    last_packet: Option<Instant>,
    /// Pictures of each other layer since the last packet of this one.
    outrun: [u8; MAX_LAYERS],
    /// The highest sequence number that came, and the time of its picture.
    newest: Option<(u64, u32)>,
    key_frame_wanted: bool,
    key_frame_asked: Option<Instant>,
}

impl SourceLayer {
    /// A layer nothing has been received of.
    pub(crate) fn new(rid: Option<Rid>, width: u32, height: u32, announced_rate: u64) -> Self {
        SourceLayer {
            rid,
            width,
            height,
            announced_rate,
            rate: 0,
            window_start: None,
            window_bytes: 0,
            last_packet: None,
            outrun: [0; MAX_LAYERS],
            newest: None,
            key_frame_wanted: false,
            key_frame_asked: None,
        }
    }

    fn count(&mut self, now: Instant, bytes: usize) {
        self.last_packet = Some(now);
        self.outrun = [0; MAX_LAYERS];
        let start = *self.window_start.get_or_insert(now);
        let elapsed = now.saturating_duration_since(start);
        if elapsed >= RATE_WINDOW {
            let measured = self.window_bytes * 8 * 1_000_000 / (elapsed.as_micros() as u64).max(1);
            self.rate = if self.rate == 0 {
                measured
            } else {
                (self.rate * 3 + measured) / 4
            };
            self.window_start = Some(now);
            self.window_bytes = 0;
        }
        self.window_bytes += bytes as u64;
    }

    /// Another stream carries the layer from here on, with numbers of its own.
    pub(crate) fn numbered_anew(&mut self) {
        self.newest = None;
    }

    /// Packets came lately, and it keeps up with the others.
    pub(crate) fn is_live(&self, now: Instant) -> bool {
        let lately = self
            .last_packet
            .is_some_and(|last| now.saturating_duration_since(last) < LAYER_SILENCE);
        lately && self.outrun.iter().all(|pictures| *pictures < OUTRUN_BY)
    }

    /// Notes that somebody needs a key frame of this layer.
    pub(crate) fn want_key_frame(&mut self) {
        self.key_frame_wanted = true;
    }

    /// Whether to ask the sender now; if so it counts as asked.
    pub(crate) fn take_key_frame_request(&mut self, now: Instant) -> bool {
        let waited = self
            .key_frame_asked
            .is_none_or(|asked| now.saturating_duration_since(asked) >= KEY_FRAME_INTERVAL);
        let ask = self.key_frame_wanted && waited;
        if ask {
            self.key_frame_asked = Some(now);
        }
        ask
    }

    /// The request could not be sent: the layer has no stream yet. Ask again at the next look.
    pub(crate) fn key_frame_not_asked(&mut self) {
        self.key_frame_asked = None;
    }
}

/// One receiver of a track.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// The receiver's place in the room.
    pub participant: usize,
    /// The receiver's media section.
    pub mid: Mid,
    /// The outgoing stream.
    pub ssrc: Ssrc,
    /// Numbering and layer.
    pub forwarder: Forwarder,
    /// Nothing is sent while the receiver may not subscribe.
    pub held: bool,
    /// What the receiver asked for.
    pub wish: Wish,
    /// The receiver was told the stream is paused.
    pub told_paused: bool,
    /// Payload types of the receiver.
    pub payloads: Payloads,
}

/// A receiver's payload types, as its offer numbered them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Payloads {
    /// H.264.
    pub h264: Option<Pt>,
    /// VP8.
    pub vp8: Option<Pt>,
    /// Opus.
    pub opus: Option<Pt>,
    /// RED around Opus.
    pub red: Option<Pt>,
}

impl Payloads {
    /// What a peer's negotiated codecs number as.
    pub(crate) fn of(config: &str0m::format::CodecConfig) -> Payloads {
        let mut payloads = Payloads::default();
        for params in config.params() {
            match params.spec().codec {
                str0m::format::Codec::H264 => payloads.h264 = payloads.h264.or(Some(params.pt())),
                str0m::format::Codec::Vp8 => payloads.vp8 = payloads.vp8.or(Some(params.pt())),
                str0m::format::Codec::Opus => {
                    payloads.opus = payloads.opus.or(Some(params.pt()));
                    payloads.red = payloads.red.or(params.red());
                }
                _ => {}
            }
        }
        payloads
    }

    /// The codec a payload type stands for.
    pub(crate) fn codec(&self, pt: Pt) -> Option<Codec> {
        let is = |own: Option<Pt>| own == Some(pt);
        if is(self.h264) {
            Some(Codec::H264)
        } else if is(self.vp8) {
            Some(Codec::Vp8)
        } else if is(self.opus) {
            Some(Codec::Opus)
        } else if is(self.red) {
            Some(Codec::Red)
        } else {
            None
        }
    }

    /// The payload type and bytes to send for a packet that came as `codec` from a peer numbering as `from`.
    pub(crate) fn translate(
        &self,
        codec: Codec,
        from: &Payloads,
        payload: &Arc<[u8]>,
    ) -> Option<(Pt, Arc<[u8]>)> {
        match codec {
            Codec::H264 => Some((self.h264?, payload.clone())),
            Codec::Vp8 => Some((self.vp8?, payload.clone())),
            Codec::Opus => Some((self.opus?, payload.clone())),
            Codec::Red => match (self.red, self.opus) {
                (Some(red), Some(opus)) if from.opus == Some(opus) => Some((red, payload.clone())),
                (Some(red), Some(opus)) => Some((red, codec::red_renumbered(payload, *opus)?)),
                (None, Some(opus)) => Some((opus, codec::red_primary(payload)?.into())),
                (_, None) => None,
            },
        }
    }
}

/// A track somebody publishes.
#[derive(Debug)]
pub(crate) struct Track {
    /// The sender's place in the room.
    pub publisher: usize,
    /// What is told of it. `muted` here is what the sender said of itself.
    pub info: proto::TrackInfo,
    /// What it shows or carries.
    pub source: Source,
    /// A picture.
    pub video: bool,
    /// The sender's media section.
    pub mid: Mid,
    /// Lowest first.
    pub layers: Vec<SourceLayer>,
    /// Everyone who receives it.
    pub subscriptions: Vec<Subscription>,
    /// Nothing of it is let in: the sender may not publish it, or the court blocked it.
    pub barred: bool,
    /// Levels since the last look.
    pub loudness: Window,
    /// The sender was told somebody receives it.
    pub told_subscribed: bool,
    /// The highest layer anyone wants, as last told to the sender.
    pub told_quality: Option<Option<usize>>,
    /// Since when the wanted layer has been lower than told.
    pub lower_since: Option<Instant>,
}

impl Track {
    /// The layers as the choice of layers sees them.
    pub(crate) fn layer_states(&self, now: Instant) -> Vec<Layer> {
        self.layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                let assumed = ASSUMED_RATES[index.min(ASSUMED_RATES.len() - 1)];
                let known = if layer.rate > 0 {
                    layer.rate
                } else {
                    layer.announced_rate
                };
                Layer {
                    live: layer.is_live(now) || self.rests(index),
                    width: layer.width,
                    height: layer.height,
                    rate: if known > 0 { known } else { assumed },
                }
            })
            .collect()
    }

    /// Whether the sender was told that nobody needs this layer. It comes back when somebody asks for it; a layer that
    /// was not to rest and does not come is not there.
    fn rests(&self, layer: usize) -> bool {
        self.told_quality
            .is_some_and(|told| told.is_none_or(|told| layer > told))
    }

    /// Muted for the others: by its sender or because nothing of it is let in.
    pub(crate) fn muted(&self) -> bool {
        self.info.muted || self.barred
    }

    /// What the others are told of it.
    pub(crate) fn public_info(&self) -> proto::TrackInfo {
        proto::TrackInfo {
            muted: self.muted(),
            ..self.info.clone()
        }
    }
}

/// Counts a packet of so many bytes that came for a track, and says whether its layer can be joined with it, which ends the
/// wait for a key frame.
///
/// Not with the first packet of a key frame that comes late, repaired or out of order: the rest of that frame has gone
/// by, nobody who joined now would ever get it, and the picture would stand until the next one.
pub(crate) fn count(layers: &mut [SourceLayer], arrived: &Arrived, bytes: usize) -> bool {
    let layer = &mut layers[arrived.layer];
    layer.count(arrived.at, bytes);
    let newest = layer.newest.is_none_or(|(newest, _)| arrived.seq > newest);
    let picture = newest && layer.newest.is_none_or(|(_, time)| arrived.time != time);
    if newest {
        layer.newest = Some((arrived.seq, arrived.time));
    }
    let joinable = arrived.starts_key_frame && newest;
    if joinable {
        layer.key_frame_wanted = false;
    }
    if picture {
        let others = layers.iter_mut().enumerate();
        for (_, other) in others.filter(|(other, _)| *other != arrived.layer) {
            let outrun = &mut other.outrun[arrived.layer];
            *outrun = outrun.saturating_add(1);
        }
    }
    joinable
}

/// The usual names of simulcast layers, lowest first.
const RID_ORDER: [&str; 3] = ["q", "h", "f"];

/// The layers of a track, lowest first, from the restriction ids of its section and what was announced of it.
pub(crate) fn source_layers(rids: &[String], request: &proto::AddTrackRequest) -> Vec<SourceLayer> {
    let announced = request
        .simulcast_codecs
        .iter()
        .find(|codec| !codec.layers.is_empty())
        .map_or(&request.layers, |codec| &codec.layers);
    if rids.is_empty() {
        let top = announced.iter().max_by_key(|layer| layer.width);
        let (width, height) = top.map_or((request.width, request.height), |top| (top.width, top.height));
        return vec![SourceLayer::new(
            None,
            width,
            height,
            top.map_or(0, |top| u64::from(top.bitrate)),
        )];
    }
    let mut ordered: Vec<&String> = rids.iter().collect();
    if rids.iter().all(|rid| RID_ORDER.contains(&rid.as_str())) {
        ordered.sort_by_key(|rid| RID_ORDER.iter().position(|name| *name == rid.as_str()));
    }
    let count = ordered.len();
    ordered
        .into_iter()
        .enumerate()
        .map(|(index, rid)| {
            let by_rid = announced
                .iter()
                .find(|layer| !layer.rid.is_empty() && layer.rid == *rid);
            let told = by_rid.or_else(|| announced.iter().find(|layer| layer.quality == index as i32));
            let shift = (count - 1 - index).min(8);
            let (width, height, rate) = told
                .map_or((request.width >> shift, request.height >> shift, 0), |told| {
                    (told.width, told.height, u64::from(told.bitrate))
                });
            SourceLayer::new(Some(rid.as_str().into()), width, height, rate)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start;

    #[test]
    fn key_frame_requests_are_coalesced_and_repeated_until_one_comes() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut layer = SourceLayer::new(None, 0, 0, 0);
        assert!(!layer.take_key_frame_request(at(0)));
        layer.want_key_frame();
        assert!(layer.take_key_frame_request(at(0)));
        layer.want_key_frame();
        assert!(!layer.take_key_frame_request(at(499)));
        assert!(layer.take_key_frame_request(at(500)));
        assert!(
            layer.key_frame_wanted,
            "asking does not end the wait, a key frame does"
        );
    }

    /// A track of three layers; `sends` says which of them send a picture at each step of 40 ms. Which are live at the end.
    fn live_after(steps: u32, sends: impl Fn(u32, usize) -> bool) -> Vec<usize> {
        let rids = ["q", "h", "f"].map(str::to_owned);
        let mut layers = source_layers(&rids, &proto::AddTrackRequest::default());
        let mut at = start();
        for step in 0..steps {
            at += Duration::from_millis(40);
            for layer in (0..layers.len()).filter(|layer| sends(step, *layer)) {
                // A large picture takes many packets.
                for packet in 0..10 {
                    let arrived = Arrived {
                        layer,
                        seq: u64::from(step) * 10 + packet,
                        time: step * 3_600,
                        at,
                        starts_key_frame: false,
                        discardable: false,
                    };
                    count(&mut layers, &arrived, 1_000);
                }
            }
        }
        (0..layers.len())
            .filter(|layer| layers[*layer].is_live(at))
            .collect()
    }

    #[test]
    fn a_layer_is_gone_when_others_go_on_without_it_and_not_when_all_pause() {
        assert_eq!(live_after(50, |_, _| true), [0, 1, 2]);
        assert_eq!(live_after(50, |step, layer| layer < 2 || step < 42), [0, 1]);
        let seven = live_after(50, |step, layer| layer < 2 || step < 43);
        assert_eq!(seven, [0, 1, 2], "seven pictures are too few");
        assert_eq!(live_after(50, |step, layer| layer == 0 || step < 40), [0]);
        assert_eq!(
            live_after(70, |step, _| step < 40),
            [0, 1, 2],
            "the sender pauses"
        );
        assert_eq!(live_after(90, |step, _| step < 40), [] as [usize; 0], "for long");
        let slow = live_after(90, |step, _| step % 12 == 0);
        assert_eq!(slow, [0, 1, 2], "two pictures a second");
    }

    #[test]
    fn layers_are_ordered_and_sized() {
        let request = proto::AddTrackRequest {
            width: 1280,
            height: 720,
            layers: vec![proto::VideoLayer {
                quality: 1,
                width: 640,
                height: 360,
                bitrate: 450_000,
                ..Default::default()
            }],
            ..Default::default()
        };
        let rids = ["f", "q", "h"].map(str::to_owned);
        let sizes: Vec<_> = source_layers(&rids, &request)
            .iter()
            .map(|l| (l.width, l.height))
            .collect();
        assert_eq!(sizes, [(320, 180), (640, 360), (1280, 720)]);
        assert_eq!(source_layers(&[], &request).len(), 1);
    }

    #[test]
    fn red_is_unwrapped_for_a_receiver_without_it() {
        let payload: Arc<[u8]> = [0x80 | 111, 0, 0, 1, 111, 0xaa, 0xbb].into();
        let from = Payloads {
            opus: Some(111.into()),
            red: Some(63.into()),
            ..Payloads::default()
        };
        let plain = Payloads {
            opus: Some(96.into()),
            ..Payloads::default()
        };
        let (pt, bytes) = plain.translate(Codec::Red, &from, &payload).expect("opus");
        assert_eq!((*pt, &bytes[..]), (96, &[0xbb][..]));
        let both = Payloads {
            opus: Some(96.into()),
            red: Some(97.into()),
            ..Payloads::default()
        };
        let (pt, bytes) = both.translate(Codec::Red, &from, &payload).expect("red");
        assert_eq!((*pt, bytes[0], bytes[4]), (97, 0x80 | 96, 96));
    }
}
