//! The room's own tracks: publishing them, keeping them published, sending their media and dividing the uplink.

use super::Outgoing;
use super::Publication;
use super::actor::{Link, Room};
use super::track::{OutLayer, Published, quality_of, wire_source};
use crate::allocate;
use crate::rtp::h264;
use crate::signal::Request;
use crate::transport::{MediaTransport, OutPacket, payload};
use bytes::Bytes;
use livekit_protocol as proto;
use media::audio::EncodedAudio;
use media::video::{Content, EncodedFrame as Encoded};
use protocol::TrackSource;
use rand::Rng;
use std::sync::Arc;

impl Room {
    pub(super) fn wanted_qualities(&mut self, update: &proto::SubscribedQualityUpdate) {
        let Some(own) = self
            .own
            .values_mut()
            .find(|own| own.state == Published::As(update.track_sid.clone()))
        else {
            return;
        };
        let Some(codec) = update
            .subscribed_codecs
            .iter()
            .find(|codec| codec.codec.to_lowercase().contains("h264"))
        else {
            return;
        };
        let count = own.layers.len();
        for layer in &mut own.layers {
            let quality = quality_of(layer.layer, count);
            if let Some(wish) = codec.qualities.iter().find(|wish| wish.quality() == quality) {
                layer.wanted = wish.enabled;
            }
        }
        self.allocated_ms = 0;
    }

    /// Whether the room lets us publish this, as far as it has said.
    fn may_publish(&self, source: TrackSource) -> bool {
        let (_, wire) = wire_source(source);
        self.permission.as_ref().is_none_or(|permission| {
            let sources = &permission.can_publish_sources;
            permission.can_publish && (sources.is_empty() || sources.contains(&(wire as i32)))
        })
    }

    /// Takes what the room says about our own permission. What was refused may be asked for again once it changes.
    pub(super) async fn permitted(&mut self, permission: proto::ParticipantPermission) {
        if self.permission.as_ref() == Some(&permission) {
            return;
        }
        self.permission = Some(permission);
        let sources: Vec<TrackSource> = self.own.keys().copied().collect();
        for source in sources {
            let allowed = self.may_publish(source);
            let Some(own) = self.own.get_mut(&source) else {
                continue;
            };
            match own.state {
                Published::Refused => own.state = Published::No,
                // The answer to it may never come.
                Published::Asked if !allowed => self.take_back(source, Published::No).await,
                _ => {}
            }
        }
    }

    /// Stops a sending section that was asked for or published.
    async fn take_back(&mut self, source: TrackSource, state: Published) {
        if let Some(own) = self.own.get_mut(&source) {
            own.state = state;
            let cid = own.cid.clone();
            self.remove_sender(&cid).await;
        }
    }

    pub(super) async fn publish_all(&mut self) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        let Some(transport) = self.transport.clone() else {
            return;
        };
        let waiting: Vec<TrackSource> = self
            .own
            .iter()
            .filter(|(source, own)| own.state == Published::No && self.may_publish(**source))
            .map(|(source, _)| *source)
            .collect();
        if waiting.is_empty() {
            return;
        }
        for source in waiting {
            let cid = format!(
                "{:08x}{:08x}",
                self.setup.rng.random::<u32>(),
                self.setup.rng.random::<u32>()
            );
            let first: u16 = self.setup.rng.random();
            let Some(own) = self.own.get_mut(&source) else {
                continue;
            };
            own.cid = cid;
            own.sequence = first;
            own.state = Published::Asked;
            for layer in &mut own.layers {
                layer.sequence = first;
                layer.wanted = true;
            }
            let (request, spec) = (own.add_request(), own.spec(&mut self.setup.rng));
            if let Err(error) = transport.add_sender(spec).await {
                tracing::warn!(%error, ?source, "a track cannot be sent");
                continue;
            }
            self.request(Request::AddTrack(request)).await;
        }
        self.offer(false).await;
    }

    pub(super) async fn published(&mut self, published: proto::TrackPublishedResponse) {
        let Some(track) = published.track else { return };
        let Some(own) = self.own.values_mut().find(|own| own.cid == published.cid) else {
            return;
        };
        own.state = Published::As(track.sid.clone());
        self.allocated_ms = 0;
        if let Some(video) = &own.publication.video {
            video.control.force_key(None);
        }
        let muted = own.publication.muted;
        if muted != track.muted {
            self.request(Request::Mute(proto::MuteTrackRequest {
                sid: track.sid,
                muted,
            }))
            .await;
        }
    }

    /// The server took a track away. It is asked for again with the next word about us or within a second: where this is
    /// a loss of permission, that word comes right after.
    pub(super) async fn unpublished_by_server(&mut self, sid: &str) {
        let source = self
            .own
            .iter()
            .find(|(_, own)| own.state == Published::As(sid.to_owned()))
            .map(|(source, _)| *source);
        if let Some(source) = source {
            self.take_back(source, Published::No).await;
        }
    }

    /// A refused track waits until the permission changes; the others go on.
    pub(super) async fn answered_request(&mut self, response: proto::RequestResponse) {
        use proto::request_response::{Reason, Request as Asked};
        let reason = response.reason();
        if matches!(reason, Reason::Ok | Reason::Queued) {
            return;
        }
        tracing::info!(?reason, "the server refused a request");
        let Some(Asked::AddTrack(refused)) = response.request else {
            return;
        };
        let source = self
            .own
            .iter()
            .find(|(_, own)| own.state == Published::Asked && own.cid == refused.cid)
            .map(|(source, _)| *source);
        if let Some(source) = source {
            self.take_back(source, Published::Refused).await;
        }
    }

    pub(super) async fn remove_sender(&mut self, cid: &str) {
        let Some(transport) = self.transport.clone() else {
            return;
        };
        match transport.remove_sender(cid).await {
            Ok(()) => self.offer(false).await,
            Err(error) => tracing::debug!(%error, "a sender was gone already"),
        }
    }

    /// Another device behind a track that is published already: the others see no new track.
    pub(super) async fn exchange(&mut self, publication: Publication) {
        let Some(own) = self.own.get_mut(&publication.source) else {
            return;
        };
        let (was_muted, muted) = (own.publication.muted, publication.muted);
        for layer in &mut own.layers {
            layer.rate_bps = 0;
        }
        if let Some(video) = &publication.video {
            video.control.force_key(None);
        }
        own.publication = publication;
        self.allocated_ms = 0;
        if let Published::As(sid) = own.state.clone()
            && was_muted != muted
        {
            self.request(Request::Mute(proto::MuteTrackRequest { sid, muted }))
                .await;
        }
    }

    pub(super) async fn unpublish(&mut self, source: TrackSource) {
        let Some(own) = self.own.remove(&source) else {
            return;
        };
        own.stop_encoding();
        if !matches!(own.state, Published::No | Published::Refused) {
            self.remove_sender(&own.cid).await;
        }
    }

    pub(super) async fn send_media(&mut self, media: Outgoing) {
        match media {
            Outgoing::Video { source, frame } => self.send_picture(source, frame).await,
            Outgoing::Audio(audio) => self.send_sound(audio).await,
        }
    }

    pub(super) async fn send_picture(&mut self, source: TrackSource, frame: Encoded) {
        let Some(transport) = self.transport.clone().filter(|_| self.connected) else {
            return;
        };
        let Some(own) = self.own.get_mut(&source) else {
            return;
        };
        if own.publication.muted || !matches!(own.state, Published::As(_)) {
            return;
        }
        let Some(index) = own.layers.iter().position(|layer| layer.layer == frame.layer) else {
            return;
        };
        let OutLayer {
            sequence, rate_bps, ..
        } = &mut own.layers[index];
        if *rate_bps == 0 {
            return;
        }
        let unit = Bytes::from(frame.data);
        let payloads = h264::packetise(&unit);
        let last = payloads.len().saturating_sub(1);
        for (i, payload) in payloads.into_iter().enumerate() {
            self.stats.bytes_sent += payload.len() as u64;
            let packet = OutPacket {
                layer: index,
                payload_type: payload::H264,
                sequence: *sequence,
                timestamp: frame.rtp,
                marker: i == last,
                level: None,
                payload,
            };
            *sequence = sequence.wrapping_add(1);
            if let Err(error) = transport.send(&own.cid, packet).await {
                tracing::debug!(%error, "a packet was not sent");
                return;
            }
        }
    }

    pub(super) async fn send_sound(&mut self, audio: EncodedAudio) {
        let Some(transport) = self.transport.clone().filter(|_| self.connected) else {
            return;
        };
        let Some(own) = self.own.get_mut(&TrackSource::Microphone) else {
            return;
        };
        if own.publication.muted || !matches!(own.state, Published::As(_)) {
            own.silent = true;
            return;
        }
        let red = transport.redundancy(&own.cid).await;
        let packed = own.red.pack(&audio.data, audio.rtp);
        let payload = Bytes::from(if red { packed } else { audio.data });
        self.stats.bytes_sent += payload.len() as u64;
        let packet = OutPacket {
            layer: 0,
            payload_type: if red { payload::RED } else { payload::OPUS },
            sequence: own.sequence,
            timestamp: audio.rtp,
            marker: std::mem::replace(&mut own.silent, false),
            level: Some((audio.level_dbov, audio.voice)),
            payload,
        };
        own.sequence = own.sequence.wrapping_add(1);
        if let Err(error) = transport.send(&own.cid, packet).await {
            tracing::debug!(%error, "a sound packet was not sent");
        }
    }

    /// Tells the encoders what they may spend.
    pub(super) fn allocate(&mut self) {
        let Some(transport) = &self.transport else { return };
        let transport = Arc::clone(transport);
        let mut left = transport.path().estimate_bps;
        let mut needed = 0;
        // The screen is what people look at while it is shared; the camera gets what remains.
        for source in [TrackSource::Screen, TrackSource::Camera] {
            let Some(own) = self.own.get_mut(&source) else {
                continue;
            };
            let demand = own.demand();
            needed += allocate::needed(&demand);
            let rates = allocate::allocate(left, &demand);
            left = left.saturating_sub(rates.iter().sum());
            let Some(video) = &own.publication.video else {
                continue;
            };
            for (layer, rate) in own.layers.iter_mut().zip(rates) {
                if !allocate::worth_telling(layer.rate_bps, rate) {
                    continue;
                }
                video.control.set_active(layer.layer, rate > 0);
                if rate > 0 {
                    video.control.set_bitrate(layer.layer, rate);
                    if layer.rate_bps == 0 {
                        video.control.force_key(Some(layer.layer));
                    }
                    if video.config.content == Content::Screen {
                        let full = video
                            .config
                            .layers
                            .iter()
                            .find(|l| l.layer == layer.layer)
                            .map_or(5.0, |l| l.fps);
                        video
                            .control
                            .set_fps(layer.layer, allocate::screen_fps(full, rate, layer.max_bps));
                    }
                }
                layer.rate_bps = rate;
            }
        }
        transport.wants(needed);
    }
}
