//! The others' tracks: what there is, who speaks, and the way of their pictures and voices to screen and loudspeaker.

use super::RoomEvent;
use super::actor::{FIRST_REMOTE_SLOT, KEY_EVERY_MS, Room};
use super::track::{Picture, Received, RemoteTrack, Subscription, source_of};
use crate::rtp::assembly::{Assembled, Assembler};
use crate::rtp::jitter::Interarrival;
use crate::signal::Request;
use crate::transport::{InPacket, MediaTransport, payload};
use livekit_protocol as proto;
use std::collections::HashMap;
use std::sync::Arc;

impl Room {
    /// Makes the received tracks agree with what the participants publish.
    pub(super) fn match_tracks(&mut self) {
        let mut published: HashMap<Arc<str>, (String, proto::TrackInfo)> = HashMap::new();
        for participant in self.participants.values() {
            for track in &participant.tracks {
                published.insert(
                    track.sid.as_str().into(),
                    (participant.identity.clone(), track.clone()),
                );
            }
        }
        let sound = Arc::clone(&self.setup.sound);
        self.received.retain(|sid, subscription| {
            let keep = published.contains_key(sid);
            if !keep {
                sound.close(subscription.info.slot);
            }
            keep
        });
        for (sid, (identity, track)) in published {
            let Some(source) = source_of(&track) else { continue };
            let next = FIRST_REMOTE_SLOT + self.slots.len() as u32;
            let slot = *self.slots.entry((identity.clone(), source)).or_insert(next);
            let info = RemoteTrack {
                slot,
                identity: identity.clone(),
                source,
                muted: track.muted,
                width: track.width,
                height: track.height,
            };
            self.received
                .entry(Arc::clone(&sid))
                .and_modify(|subscription| subscription.info = info.clone())
                .or_insert_with(|| Subscription {
                    media: if track.r#type() == proto::TrackType::Audio {
                        Received::Sound(sound.open(slot, &identity))
                    } else {
                        let assembler = Assembler::new();
                        Received::Picture(Box::new(Picture {
                            assembler,
                            ..Picture::default()
                        }))
                    },
                    info,
                    sid: sid.to_string(),
                    jitter: Interarrival::default(),
                    told: None,
                    asked_key_ms: None,
                });
        }
        let mut tracks: Vec<_> = self
            .received
            .values()
            .map(|subscription| subscription.info.clone())
            .collect();
        tracks.sort_by_key(|track| track.slot);
        if self.said_tracks != tracks {
            self.said_tracks.clone_from(&tracks);
            self.say(RoomEvent::Tracks(tracks));
        }
    }

    pub(super) fn speakers(&mut self, changed: Vec<proto::SpeakerInfo>) {
        for speaker in changed {
            let identity = if speaker.sid == self.own_sid {
                None
            } else {
                self.participants
                    .get(&speaker.sid)
                    .map(|participant| participant.identity.clone())
            };
            let Some(identity) = identity else { continue };
            if speaker.active {
                self.speakers.insert(identity, speaker.level);
            } else {
                self.speakers.remove(&identity);
            }
        }
        let mut loudest: Vec<_> = self.speakers.iter().collect();
        loudest.sort_by(|a, b| b.1.total_cmp(a.1).then(a.0.cmp(b.0)));
        self.say(RoomEvent::Speakers(
            loudest
                .into_iter()
                .map(|(identity, _)| identity.clone())
                .collect(),
        ));
    }

    pub(super) fn packet(&mut self, packet: InPacket) {
        self.stats.bytes_received += packet.payload.len() as u64;
        let now = self.started.elapsed();
        let now_ms = now.as_millis() as u64;
        let Some(subscription) = self.received.get_mut(&packet.track) else {
            return;
        };
        let clock_rate = match subscription.media {
            Received::Sound(_) => 48_000,
            Received::Picture(_) => 90_000,
        };
        subscription
            .jitter
            .arrived(now, packet.ssrc, packet.timestamp, clock_rate);
        match &mut subscription.media {
            Received::Sound(sound) => {
                let red = packet.payload_type == payload::RED;
                sound.push(red, packet.sequence, packet.timestamp, &packet.payload);
            }
            Received::Picture(picture) => {
                picture.seen_packet = true;
                let mut out = Vec::new();
                picture.assembler.push(
                    now_ms,
                    packet.ssrc,
                    packet.sequence,
                    packet.timestamp,
                    packet.marker,
                    packet.payload,
                    &mut out,
                );
                self.show(&packet.track, out);
            }
        }
    }

    pub(super) fn show(&mut self, track: &Arc<str>, assembled: Vec<Assembled>) {
        let Some(subscription) = self.received.get_mut(track) else {
            return;
        };
        let Received::Picture(picture) = &mut subscription.media else {
            return;
        };
        for item in assembled {
            match item {
                Assembled::Gap => picture.numbering.gap(),
                Assembled::Picture { data, key, timestamp } => {
                    let frame = picture
                        .numbering
                        .frame(subscription.info.slot, key, timestamp, data);
                    let size = picture.numbering.size();
                    if std::mem::replace(&mut picture.size, size) != size && picture.size != (0, 0) {
                        picture.switches += 1;
                    }
                    self.setup.frames.frame(frame);
                }
            }
        }
    }

    /// Asks the sender for a key picture, at most every [`KEY_EVERY_MS`].
    pub(super) async fn ask_key(&mut self, track: &Arc<str>) {
        let now_ms = self.now_ms();
        let Some(transport) = self.transport.clone() else {
            return;
        };
        let Some(subscription) = self.received.get_mut(track) else {
            return;
        };
        if subscription
            .asked_key_ms
            .is_some_and(|at| now_ms < at + KEY_EVERY_MS)
        {
            return;
        }
        subscription.asked_key_ms = Some(now_ms);
        if let Err(error) = transport.request_key(track).await {
            tracing::debug!(%error, "no key picture could be asked for");
        }
    }

    pub(super) async fn tell_sizes(&mut self) {
        if !self.connected {
            return;
        }
        let mut requests = Vec::new();
        for subscription in self.received.values_mut() {
            if let Received::Sound(_) = subscription.media {
                continue;
            }
            let size = self.views.asked(subscription.info.slot);
            if subscription.told == Some(size) {
                continue;
            }
            subscription.told = Some(size);
            requests.push(proto::UpdateTrackSettings {
                track_sids: vec![subscription.sid.clone()],
                disabled: size == (0, 0),
                width: size.0,
                height: size.1,
                ..Default::default()
            });
        }
        for request in requests {
            self.request(Request::TrackSetting(request)).await;
        }
    }
}
