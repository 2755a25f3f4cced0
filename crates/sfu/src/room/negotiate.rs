//! Offers and answers: binding a client's sections to the tracks it announced, and the tracks it is to receive to
//! the sections it receives on. The client always offers; when it must, it is asked to.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use livekit_protocol as proto;
use proto::signal_response::Message;
use str0m::change::SdpOffer;
use str0m::media::Mid;

use super::{Room, Shared};
use crate::forward::{Forwarder, OutStream};
use crate::io::{Event, LeaveCause};
use crate::layers::Wish;
use crate::participant::{Participant, Slot, SlotState, Wanted};
use crate::permission::Source;
use crate::sdp::{self, Answered, Direction, Section};
use crate::speakers::Window;
use crate::track::{Payloads, Subscription, Track, source_layers};

/// Sections are added freely up to this many of a kind; beyond it, released ones are used again first, which takes
/// a second round.
const EAGER_SECTIONS: usize = 16;

/// Packets kept for repair, and for how long; str0m's own figures.
const REPAIR_PACKETS: usize = 1000;
const REPAIR_AGE: Duration = Duration::from_secs(3);
/// The share of what is sent that may be repairs. At a loss of one fifth each packet takes 1.25 on average, and bursts more;
/// above the limit str0m forgets all repairs that wait, and at its own 15 % pictures stand still where a fifth is lost.
const REPAIR_SHARE: f32 = 0.5;

/// `unpaced` where loss is no sign of a full path: nothing waits there, repairs least of all.
fn repair_under_loss(stream: &mut str0m::rtp::StreamTx, unpaced: bool) {
    stream.set_unpaced(unpaced);
    stream.set_rtx_cache(REPAIR_PACKETS, REPAIR_AGE, Some(REPAIR_SHARE));
}

impl Room {
    /// Takes the client's offer and answers it. A bad one ends the participant.
    pub(super) fn offer(
        &mut self,
        now: Instant,
        key: usize,
        offer: proto::SessionDescription,
        shared: &mut Shared,
    ) {
        let sections = match self.accept(key, &offer, shared) {
            Ok(accepted) => accepted,
            Err(why) => {
                tracing::debug!(id = %self.participants[key].id, why, "bad offer");
                self.participants[key].leaving = Some(LeaveCause::ProtocolError(why));
                return;
            }
        };
        let (sections, answer) = sections;
        let published = self.bind_published(key, &sections, shared);
        self.note_slots(key, &sections);
        self.reconsider_without_asking(key);
        self.fill_slots(now, key);
        // Senders whose layers rest begin while this one still connects.
        self.tell_senders(now, shared);
        self.answer(key, offer.id, &answer, shared);
        self.free_released(key);
        self.flush(now, key, shared);
        if published {
            self.changed(key, shared);
            self.reconsider_everyone(shared);
        }
        self.ask_for_sections(key, shared);
    }

    /// What had been released is inactive at the client from this answer on, and can be used again. With another SSRC:
    /// libwebrtc drops the receiving stream of an inactive section, and when the same SSRC comes back it makes a new
    /// one without a sink, which decodes and shows nothing.
    fn free_released(&mut self, key: usize) {
        let Participant {
            slots, rtc, scatter, ..
        } = &mut self.participants[key];
        for slot in slots.iter_mut().filter(|slot| slot.state == SlotState::Released) {
            slot.state = SlotState::Free;
            let mut api = rtc.direct_api();
            let (media, repair) = (api.new_ssrc(), slot.video.then(|| api.new_ssrc()));
            // Not `reset_stream_tx`: in str0m 0.25 the stream is then still found under its old SSRC only.
            api.remove_stream_tx(slot.ssrc);
            let stream = api.declare_stream_tx(media, repair, slot.mid, None);
            if slot.video {
                repair_under_loss(stream, scatter.is_on());
            }
            slot.ssrc = media;
            slot.out = OutStream::new(if slot.video { 90_000 } else { 48_000 });
        }
    }

    /// Gives the offer to the peer connection. Returns its sections and the raw answer.
    fn accept(
        &mut self,
        key: usize,
        offer: &proto::SessionDescription,
        shared: &mut Shared,
    ) -> Result<(Vec<Section>, String), String> {
        if offer.sdp.len() > sdp::MAX_OFFER {
            return Err("the offer is too long".to_owned());
        }
        let sections = sdp::sections(&offer.sdp);
        if sections.len() > sdp::MAX_SECTIONS {
            return Err("the offer has too many sections".to_owned());
        }
        let parsed = SdpOffer::from_sdp_string(&offer.sdp).map_err(|error| error.to_string())?;
        let participant = &mut self.participants[key];
        let answer = participant
            .rtc
            .sdp_api()
            .accept_offer(parsed)
            .map_err(|error| error.to_string())?;
        participant.negotiated = true;
        participant.requested.offer = false;
        participant.payloads = Payloads::of(participant.rtc.codec_config());
        let ufrag = participant.rtc.direct_api().local_ice_credentials().ufrag;
        if participant.ufrag.as_deref() != Some(&ufrag) {
            if let Some(old) = participant.ufrag.replace(ufrag.clone()) {
                shared.out.ufrags.push((old, None));
            }
            shared.out.ufrags.push((ufrag, Some(participant.id)));
        }
        Ok((sections, answer.to_sdp_string()))
    }

    /// Matches the sections the client sends on with the tracks it announced; true when anything changed.
    fn bind_published(&mut self, key: usize, sections: &[Section], shared: &mut Shared) -> bool {
        let mut changed = false;
        for section in sections {
            let mid: Mid = section.mid.as_str().into();
            let sends =
                !section.rejected && matches!(section.direction, Direction::SendOnly | Direction::SendRecv);
            let bound = self.participants[key]
                .tracks
                .iter()
                .copied()
                .find(|track| self.tracks[*track].mid == mid);
            let announced = sends
                .then(|| self.announced_for(key, section, bound.is_none()))
                .flatten();
            if let Some(bound) = bound {
                if sends && announced.is_none() {
                    continue;
                }
                self.drop_track(bound, shared);
                changed = true;
            }
            if let Some(index) = announced {
                self.publish(key, index, section, shared);
                changed = true;
            }
        }
        changed
    }

    /// The announced track a section carries: by its client id, else (for a fresh section) the first of its kind.
    fn announced_for(&self, key: usize, section: &Section, fresh: bool) -> Option<usize> {
        let announced = &self.participants[key].announced;
        let of_kind = |request: &proto::AddTrackRequest| {
            (request.r#type == proto::TrackType::Video as i32) == section.video
        };
        let by_id = section.track_id.as_ref().and_then(|id| {
            announced.iter().position(|(request, _)| {
                of_kind(request)
                    && (request.cid == *id || request.simulcast_codecs.iter().any(|codec| codec.cid == *id))
            })
        });
        by_id.or_else(|| {
            fresh
                .then(|| announced.iter().position(|(request, _)| of_kind(request)))
                .flatten()
        })
    }

    fn publish(&mut self, key: usize, index: usize, section: &Section, shared: &mut Shared) {
        let participant = &mut self.participants[key];
        let (request, mut info) = participant.announced.remove(index);
        let mid: Mid = section.mid.as_str().into();
        info.mid = section.mid.clone();
        for codec in &mut info.codecs {
            codec.mid = section.mid.clone();
        }
        let source = Source::of_track(info.source, section.video).expect(
            "a section takes a track of its own kind, whose source was checked when it was announced",
        );
        let barred = self.is_barred(key, source);
        let track = Track {
            publisher: key,
            source,
            video: section.video,
            mid,
            layers: source_layers(&section.send_rids, &request),
            subscriptions: Vec::new(),
            barred,
            loudness: Window::default(),
            told_subscribed: false,
            told_quality: None,
            lower_since: None,
            info,
        };
        let (sid, video) = (track.info.sid.clone(), track.video);
        let track = self.tracks.insert(track);
        let participant = &mut self.participants[key];
        participant.tracks.push(track);
        shared.out.event(Event::TrackPublished {
            room: self.name.clone(),
            identity: participant.identity.clone(),
            track_sid: sid,
            source,
            video,
        });
    }

    /// Keeps the list of sections the client receives on.
    fn note_slots(&mut self, key: usize, sections: &[Section]) {
        let participant = &mut self.participants[key];
        for section in sections {
            let mid: Mid = section.mid.as_str().into();
            let receives = !section.rejected && section.direction == Direction::RecvOnly;
            if !receives || participant.slot_mut(mid).is_some() {
                continue;
            }
            let Some(ssrc) = participant
                .rtc
                .direct_api()
                .stream_tx_by_mid(mid, None)
                .map(|stream| {
                    if section.video {
                        repair_under_loss(stream, participant.scatter.is_on());
                    }
                    stream.ssrc()
                })
            else {
                continue;
            };
            let requested = if section.video {
                &mut participant.requested.video
            } else {
                &mut participant.requested.audio
            };
            *requested = requested.saturating_sub(1);
            let clock_rate = if section.video { 90_000 } else { 48_000 };
            participant.slots.push(Slot {
                mid,
                video: section.video,
                state: SlotState::Free,
                ssrc,
                out: OutStream::new(clock_rate),
            });
        }
    }

    // --- What a participant is to receive ---

    /// Works out anew what everybody is to receive.
    pub(super) fn reconsider_everyone(&mut self, shared: &mut Shared) {
        let keys: Vec<usize> = self.participants.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.reconsider(key, shared);
        }
    }

    /// Works out anew what a participant is to receive, and asks for sections if it needs any.
    pub(super) fn reconsider(&mut self, key: usize, shared: &mut Shared) {
        self.reconsider_without_asking(key);
        self.ask_for_sections(key, shared);
    }

    fn may_receive(&self, key: usize, track: &Track) -> bool {
        let participant = &self.participants[key];
        let publisher = &self.participants[track.publisher];
        let sid = &track.info.sid;
        let asked = participant.asked.contains(sid)
            || (participant.auto_subscribe && !participant.declined.contains(sid));
        track.publisher != key
            && publisher.is_visible()
            && asked
            && publisher
                .audience
                .allows(&participant.sid, &participant.identity, sid)
    }

    fn reconsider_without_asking(&mut self, key: usize) {
        let allowed: Vec<(usize, bool)> = self
            .tracks
            .iter()
            .filter(|(_, track)| self.may_receive(key, track))
            .map(|(track, info)| (track, info.video))
            .collect();
        let gone: Vec<Wanted> = self.participants[key]
            .wanted
            .iter()
            .copied()
            .filter(|wanted| !allowed.iter().any(|(track, _)| *track == wanted.track))
            .collect();
        for wanted in gone {
            self.stop_receiving(key, wanted);
        }
        let participant = &mut self.participants[key];
        if !participant.permissions.can_subscribe {
            // What flows is held, not torn down, so that it is back at once; nothing new is begun.
            participant.wanted.retain(|wanted| wanted.mid.is_some());
            return;
        }
        for (track, video) in allowed {
            if !participant.wanted.iter().any(|wanted| wanted.track == track) {
                participant.wanted.push(Wanted {
                    track,
                    video,
                    mid: None,
                });
            }
        }
    }

    fn stop_receiving(&mut self, key: usize, wanted: Wanted) {
        let participant = &mut self.participants[key];
        participant.wanted.retain(|own| own.track != wanted.track);
        let subscriptions = &mut self.tracks[wanted.track].subscriptions;
        let Some(index) = subscriptions
            .iter()
            .position(|subscription| subscription.participant == key)
        else {
            return;
        };
        let subscription = subscriptions.swap_remove(index);
        if let Some(slot) = participant.slot_mut(subscription.mid) {
            slot.state = SlotState::Released;
            slot.out = subscription.forwarder.into_out();
        }
    }

    /// Puts waiting tracks onto free sections. Only while an offer is being answered.
    fn fill_slots(&mut self, now: Instant, key: usize) {
        let participant = &mut self.participants[key];
        let mut filled = Vec::new();
        for wanted in participant
            .wanted
            .iter_mut()
            .filter(|wanted| wanted.mid.is_none())
        {
            let free = participant
                .slots
                .iter_mut()
                .find(|slot| slot.video == wanted.video && slot.state == SlotState::Free);
            let Some(slot) = free else { continue };
            slot.state = SlotState::Carries(wanted.track);
            wanted.mid = Some(slot.mid);
            let clock_rate = if slot.video { 90_000 } else { 48_000 };
            let out = std::mem::replace(&mut slot.out, OutStream::new(clock_rate));
            filled.push((wanted.track, slot.mid, slot.ssrc, out));
        }
        let payloads = participant.payloads;
        let held = !participant.permissions.can_subscribe;
        for (track, mid, ssrc, out) in filled {
            let mut forwarder = Forwarder::new(out);
            if !self.tracks[track].video {
                forwarder.set_target(Some(0));
            }
            self.tracks[track].subscriptions.push(Subscription {
                participant: key,
                mid,
                ssrc,
                forwarder,
                held,
                wish: Wish::default(),
                told_paused: false,
                payloads,
            });
        }
        // Payload types may have been numbered anew by this offer.
        for (_, track) in &mut self.tracks {
            for subscription in track.subscriptions.iter_mut().filter(|s| s.participant == key) {
                subscription.payloads = payloads;
            }
        }
        self.allot(now, key);
    }

    fn answer(&mut self, key: usize, offer_id: u32, raw: &str, shared: &mut Shared) {
        let mut sections: HashMap<String, Answered> = HashMap::new();
        let mut mid_to_track_id = HashMap::new();
        let participant = &self.participants[key];
        for slot in &participant.slots {
            let SlotState::Carries(track) = slot.state else {
                continue;
            };
            let track = &self.tracks[track];
            let publisher = &self.participants[track.publisher];
            mid_to_track_id.insert(slot.mid.to_string(), track.info.sid.clone());
            sections.insert(
                slot.mid.to_string(),
                Answered::Sending {
                    stream_id: format!("{}|{}", publisher.sid, track.info.stream),
                    track_id: track.info.sid.clone(),
                },
            );
        }
        for track in &participant.tracks {
            let track = &self.tracks[*track];
            let first = track
                .info
                .mime_type
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            sections.insert(track.mid.to_string(), Answered::Receiving { prefer: vec![first] });
        }
        let sdp = sdp::rewrite_answer(raw, |mid| sections.get(mid).cloned().unwrap_or(Answered::Idle));
        let answer = proto::SessionDescription {
            r#type: "answer".to_owned(),
            sdp,
            id: offer_id,
            mid_to_track_id,
        };
        self.send(key, Message::Answer(answer), shared);
    }

    /// Asks the client to offer again when a track waits for a section, or a section must be told it is idle.
    pub(super) fn ask_for_sections(&mut self, key: usize, shared: &mut Shared) {
        let participant = &mut self.participants[key];
        if !participant.negotiated {
            return; // Its first offer comes by itself.
        }
        if !participant.permissions.can_subscribe {
            return; // That somebody's track is gone it learns when it may receive again.
        }
        let count = |video: bool, state: fn(&SlotState) -> bool| {
            participant
                .slots
                .iter()
                .filter(|slot| slot.video == video && state(&slot.state))
                .count() as u32
        };
        let mut needs = [0u32; 2];
        let mut waiting = false;
        for (need, video) in needs.iter_mut().zip([false, true]) {
            let pending = participant
                .wanted
                .iter()
                .filter(|w| w.video == video && w.mid.is_none())
                .count() as u32;
            let free = count(video, |state| *state == SlotState::Free);
            let released = count(video, |state| *state == SlotState::Released);
            let all = count(video, |_| true) as usize;
            let usable = if all < EAGER_SECTIONS {
                free
            } else {
                free + released
            };
            let requested = if video {
                participant.requested.video
            } else {
                participant.requested.audio
            };
            *need = pending.saturating_sub(usable).saturating_sub(requested);
            waiting |= (pending > 0 && free > 0) || released > 0;
        }
        let [num_audios, num_videos] = needs;
        let more = num_audios + num_videos > 0;
        if !more && (!waiting || participant.requested.offer) {
            return;
        }
        participant.requested.audio += num_audios;
        participant.requested.video += num_videos;
        participant.requested.offer = true;
        let requirement = proto::MediaSectionsRequirement {
            num_audios,
            num_videos,
        };
        self.send(key, Message::MediaSectionsRequirement(requirement), shared);
    }
}
