//! Packets: from a sender's peer connection to its receivers', and key-frame requests the other way. The hot path
//! is [`Room::forward`].

use std::time::{Duration, Instant};

use livekit_protocol as proto;
use proto::signal_response::Message;
use str0m::bwe::{Bitrate, BweKind};
use str0m::media::KeyframeRequestKind;
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{IceConnectionState, Input as RtcInput, Output as RtcOutput};

use super::{Room, Shared};
use crate::codec::{self, Codec};
use crate::forward::Arrived;
use crate::io::{Event, LeaveCause};
use crate::layers::{self, Demand};
use crate::participant::{SlotState, State};
use crate::permission::Source;
use crate::scatter::Second;
use crate::track::{self, Track};

/// The pacer asks to be called again after this long when it holds more that may go at once.
const PACER_STEP: Duration = Duration::from_micros(1);
/// Packets of one receiver that leave together; the rest follow in the next round.
const MAX_PACED_TOGETHER: usize = 64;
/// Frame rates up to this are met by leaving out the frames nothing refers to.
const HALF_RATE_FPS: u32 = 20;
/// A desired bandwidth that moved by less than this share is not told to the estimator, in percent.
const DESIRED_STEP_PERCENT: u64 = 10;
/// The loss that people are told of moves by this part of each second's difference.
const LOSS_GAIN: f32 = 0.3;

impl Room {
    /// Gives a datagram to its participant and forwards what came of it.
    pub(crate) fn receive(&mut self, now: Instant, key: usize, input: RtcInput<'_>, shared: &mut Shared) {
        let participant = &mut self.participants[key];
        participant.last_packet = Some(now);
        if let Err(error) = participant.rtc.handle_input(input) {
            participant.leaving = Some(LeaveCause::ProtocolError(error.to_string()));
            return;
        }
        self.drain(now, key, shared);
    }

    /// Lets a participant's peer connection catch up with the time and sends what it holds.
    ///
    /// Its pacer lets one packet go for each time it is told, and asks to be told again a microsecond later. Those
    /// moments are given to it here, one after the other, so that a receiver's packets leave together.
    pub(super) fn flush(&mut self, now: Instant, key: usize, shared: &mut Shared) {
        let mut at = now.max(self.participants[key].clock);
        for _ in 0..MAX_PACED_TOGETHER {
            let participant = &mut self.participants[key];
            participant.dirty = false;
            participant.clock = at;
            if let Err(error) = participant.rtc.handle_input(RtcInput::Timeout(at)) {
                participant.leaving = Some(LeaveCause::ProtocolError(error.to_string()));
                return;
            }
            self.drain(now, key, shared);
            let next = self.participants[key].timeout;
            if next > at + PACER_STEP {
                return;
            }
            at += PACER_STEP;
        }
    }

    /// Sends what was written to receivers since the last call.
    pub(crate) fn flush_dirty(&mut self, now: Instant, shared: &mut Shared) {
        while let Some(key) = self.dirty.pop() {
            if self
                .participants
                .get(key)
                .is_some_and(|participant| participant.dirty)
            {
                self.flush(now, key, shared);
            }
        }
    }

    pub(crate) fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    fn drain(&mut self, now: Instant, key: usize, shared: &mut Shared) {
        loop {
            let participant = &mut self.participants[key];
            match participant.rtc.poll_output() {
                Ok(RtcOutput::Transmit(transmit)) => {
                    shared.out.stats.packets_out += 1;
                    shared.out.stats.bytes_out += transmit.contents.len() as u64;
                    participant.sent.packets += 1;
                    participant.sent.bytes += transmit.contents.len() as u64;
                    shared.out.transmits.push_back(transmit);
                }
                Ok(RtcOutput::Timeout(at)) => {
                    participant.timeout = at;
                    // Draining has sent whatever was written.
                    participant.dirty = false;
                    return;
                }
                Ok(RtcOutput::Event(str0m::Event::RtpPacket(packet))) => {
                    self.forward(now, key, packet, shared)
                }
                Ok(RtcOutput::Event(event)) => self.peer_event(now, key, event, shared),
                Err(error) => {
                    participant.leaving = Some(LeaveCause::ProtocolError(error.to_string()));
                    participant.timeout = now + crate::io::PEER_TIMEOUT;
                    return;
                }
            }
        }
    }

    fn peer_event(&mut self, now: Instant, key: usize, event: str0m::Event, shared: &mut Shared) {
        let participant = &mut self.participants[key];
        match event {
            str0m::Event::Connected => {
                if participant.state == State::Active {
                    return;
                }
                participant.state = State::Active;
                let (identity, sid) = (participant.identity.clone(), participant.sid.clone());
                shared.out.event(Event::Active {
                    room: self.name.clone(),
                    identity,
                    sid,
                });
                self.changed(key, shared);
                self.tell_who_speaks(key, shared);
                self.allot(now, key);
                self.tell_senders(now, shared);
                self.request_key_frames(now, shared);
            }
            str0m::Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                tracing::debug!(id = %participant.id, "no ICE checks come any more");
            }
            str0m::Event::Closed => {
                participant.leaving = participant.leaving.take().or(Some(LeaveCause::ClientLeft))
            }
            str0m::Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                participant.stall.moved(now);
                if participant.estimate.averaged(now, estimate.as_u64()) {
                    self.allot(now, key);
                }
            }
            str0m::Event::KeyframeRequest(request) => {
                let slot = participant.slots.iter().find(|slot| slot.mid == request.mid);
                let Some(SlotState::Carries(track)) = slot.map(|slot| slot.state) else {
                    return;
                };
                let track = &mut self.tracks[track];
                let subscription = track.subscriptions.iter().find(|s| s.participant == key);
                let layer = subscription.and_then(|s| s.forwarder.current().or(s.forwarder.target()));
                if let Some(layer) = layer.and_then(|layer| track.layers.get_mut(layer)) {
                    layer.want_key_frame();
                }
                self.request_key_frames(now, shared);
            }
            str0m::Event::PeerStats(stats) => {
                let worse = stats
                    .egress_loss_fraction
                    .unwrap_or(0.0)
                    .max(stats.ingress_loss_fraction.unwrap_or(0.0));
                participant.loss += (worse - participant.loss) * LOSS_GAIN;
                participant.rtt = stats.rtt.or(participant.rtt);
                let sent = std::mem::take(&mut participant.sent);
                let second = Second {
                    at: now,
                    packets: sent.packets,
                    sent: sent.bytes as f64 * 8.0,
                    loss: stats.egress_loss_fraction.unwrap_or(0.0),
                };
                let held = stats.bwe_tx.map(|estimate| estimate.as_u64());
                let falls = held.is_some_and(|held| participant.estimate.at_the_moment(now, held));
                let other = participant.scatter.second(second, participant.rtt);
                if other {
                    self.pace(key);
                }
                if other || falls {
                    self.allot(now, key);
                }
            }
            // Nothing is carried over data channels; they open so that clients which wait for them go on.
            _ => {}
        }
    }

    /// One packet from a sender to everyone who receives it.
    fn forward(&mut self, now: Instant, key: usize, packet: RtpPacket, shared: &mut Shared) {
        let Room {
            participants,
            tracks,
            dirty,
            ..
        } = self;
        let sender = &mut participants[key];
        let ssrc = packet.header.ssrc;
        let known = sender
            .streams
            .iter()
            .find(|(own, ..)| *own == ssrc)
            .map(|(_, track, layer)| (*track, *layer));
        let Some((track_key, layer)) = known.or_else(|| {
            let stream = sender
                .rtc
                .direct_api()
                .stream_rx(&ssrc)
                .map(|stream| (stream.mid(), stream.rid()))?;
            let track = sender
                .tracks
                .iter()
                .copied()
                .find(|track| tracks[*track].mid == stream.0)?;
            let layer = tracks[track]
                .layers
                .iter()
                .position(|layer| layer.rid == stream.1)?;
            sender.streams.push((ssrc, track, layer));
            tracks[track].layers[layer].numbered_anew();
            Some((track, layer))
        }) else {
            return;
        };
        let track: &mut Track = &mut tracks[track_key];
        if track.barred {
            shared.out.stats.barred_packets += 1;
            return;
        }
        let from = sender.payloads;
        let Some(codec) = from.codec(packet.header.payload_type) else {
            return;
        };
        if codec.is_video() != track.video || packet.payload.is_empty() {
            return;
        }
        let picture = codec::picture(codec, &packet.payload);
        let seq = *packet.seq_no;
        let mut arrived = Arrived {
            layer,
            seq,
            time: packet.header.timestamp,
            at: now,
            starts_key_frame: picture.starts_key_frame,
            discardable: picture.discardable,
        };
        let joinable = track::count(&mut track.layers, &arrived, packet.payload.len());
        arrived.starts_key_frame = joinable || !track.video;
        let values = &packet.header.ext_vals;
        if !track.video
            && let Some(level) = values.audio_level
        {
            track.loudness.add(level);
        }
        for subscription in &mut track.subscriptions {
            if subscription.held {
                continue;
            }
            let receiver = &mut participants[subscription.participant];
            if !receiver.is_active() {
                continue;
            }
            let Some((pt, payload)) = subscription.payloads.translate(codec, &from, &packet.payload) else {
                continue;
            };
            let Some(numbers) = subscription.forwarder.forward(&arrived) else {
                continue;
            };
            shared.out.stats.layer_switches += u64::from(numbers.switched);
            let values = ExtensionValues {
                audio_level: values.audio_level,
                voice_activity: values.voice_activity,
                video_orientation: values.video_orientation,
                ..Default::default()
            };
            let mut write = RtpWrite::new(pt, numbers.seq.into(), numbers.time, packet.timestamp, payload)
                .marker(packet.header.marker)
                .ext_vals(values)
                .nackable(track.video);
            if codec == Codec::Vp8
                && let Some(patch) = subscription.forwarder.vp8_patch(&packet.payload)
            {
                write = write.vp8_patch(patch);
            }
            let mut api = receiver.rtc.direct_api();
            let Some(stream) = api.stream_tx(&subscription.ssrc) else {
                continue;
            };
            stream.write_rtp(write);
            if !receiver.dirty {
                receiver.dirty = true;
                dirty.push(subscription.participant);
            }
        }
    }

    /// Paces the pictures of a participant, or not: see [`crate::scatter`].
    fn pace(&mut self, key: usize) {
        let participant = &mut self.participants[key];
        let mut api = participant.rtc.direct_api();
        for slot in participant.slots.iter().filter(|slot| slot.video) {
            if let Some(stream) = api.stream_tx(&slot.ssrc) {
                stream.set_unpaced(participant.scatter.is_on());
            }
        }
    }

    // --- Layers ---

    /// Works out anew which layer of each picture a participant gets.
    pub(super) fn allot(&mut self, now: Instant, key: usize) {
        let participant = &self.participants[key];
        let mut demands = Vec::new();
        let mut places = Vec::new();
        let mut sounds = Vec::new();
        for wanted in participant.wanted.iter().filter(|wanted| wanted.mid.is_some()) {
            let track = &self.tracks[wanted.track];
            if !wanted.video {
                if !track.muted() {
                    sounds.extend(track.layer_states(now).iter().map(|layer| layer.rate));
                }
                continue;
            }
            let Some(place) = track.subscriptions.iter().position(|s| s.participant == key) else {
                continue;
            };
            let subscription = &track.subscriptions[place];
            let mut wish = subscription.wish;
            // A muted or barred track takes nothing, but keeps its target so that it is back at once.
            if subscription.held {
                wish.paused = true;
            }
            let mut states = track.layer_states(now);
            if track.muted() {
                states.iter_mut().for_each(|layer| layer.rate = 0);
            }
            demands.push(Demand {
                layers: states,
                wish,
                screen: track.source == Source::ScreenShare,
                spoke: self.participants[track.publisher].spoke_lately(now),
                current: subscription.forwarder.target(),
            });
            places.push((wanted.track, place));
        }
        let sound = layers::sound_reserve(&sounds);
        let wanted = demands
            .iter()
            .any(|demand| !demand.wish.paused && demand.layers.iter().any(|layer| layer.rate > 0));
        let participant = &mut self.participants[key];
        if let Some(before) = participant.estimate.rest_or_resume(now, wanted) {
            participant.estimate_anew(now, before);
        }
        let mut estimate = participant.estimate.current();
        if participant.scatter.is_on() {
            estimate = estimate.map(|estimate| estimate.max(layers::least(sound, &demands)));
        }
        let allotment = layers::allot(estimate, sound, &demands);
        let mut lowered = false;
        let active = self.participants[key].is_active();
        for ((track_key, place), (layer, demand)) in
            places.into_iter().zip(allotment.layers.iter().zip(&demands))
        {
            let track = &mut self.tracks[track_key];
            let subscription = &mut track.subscriptions[place];
            let held = subscription.held;
            let wanted = layers::wanted_layer(&demand.layers, &demand.wish)
                .map(|wanted| layers::live_layer(&demand.layers, wanted));
            lowered |= *layer < wanted;
            if !held {
                subscription.forwarder.set_target(*layer);
                let rate = |layer: usize| demand.layers[layer].rate;
                if let (Some(from), Some(to)) = (subscription.forwarder.current(), *layer)
                    && from > to
                    && layers::is_unbearable(estimate, allotment.allotted, rate(from), rate(to))
                {
                    subscription.forwarder.interrupt();
                }
                let fps = subscription.wish.fps;
                subscription
                    .forwarder
                    .set_half_rate(fps > 0 && fps <= HALF_RATE_FPS);
            }
            // Before that it would pass by unseen, and the next one would not be asked for so soon after it.
            if active
                && subscription.forwarder.awaits_key_frame()
                && let Some(layer) = subscription
                    .forwarder
                    .target()
                    .and_then(|layer| track.layers.get_mut(layer))
            {
                layer.want_key_frame();
            }
        }
        let participant = &mut self.participants[key];
        participant.lowered = lowered;
        let shown = allotment.layers.iter().any(Option::is_some);
        if participant.stall.is_stalled(now, lowered, shown) {
            // It begins where it stood, and looks with a few packets whether there is more.
            let stood = Bitrate::bps(participant.estimate.current().unwrap_or(sound));
            tracing::debug!(id = %participant.id, %stood, "nothing is known of the bandwidth any more");
            participant.rtc.bwe().reset(stood);
        }
        let desired = layers::to_be_found(allotment.desired, participant.estimate.measured());
        if desired.abs_diff(participant.desired) * 100 > participant.desired * DESIRED_STEP_PERCENT {
            participant.desired = desired;
            participant
                .rtc
                .bwe()
                .set_bitrate(Bitrate::bps(0), Bitrate::bps(desired));
        }
    }

    /// Every receiver of a track needs a key frame.
    pub(super) fn want_key_frames(&mut self, now: Instant, track: usize, shared: &mut Shared) {
        let track = &mut self.tracks[track];
        for subscription in &track.subscriptions {
            if let Some(layer) = subscription
                .forwarder
                .target()
                .and_then(|layer| track.layers.get_mut(layer))
            {
                layer.want_key_frame();
            }
        }
        self.request_key_frames(now, shared);
    }

    /// Asks senders for the key frames that are wanted, as often as is allowed.
    pub(super) fn request_key_frames(&mut self, now: Instant, shared: &mut Shared) {
        for (_, track) in &mut self.tracks {
            if !track.video || track.muted() {
                continue;
            }
            for layer in &mut track.layers {
                if !layer.take_key_frame_request(now) {
                    continue;
                }
                let sender = &mut self.participants[track.publisher];
                let mut api = sender.rtc.direct_api();
                let Some(stream) = api.stream_rx_by_mid(track.mid, layer.rid) else {
                    layer.key_frame_not_asked();
                    continue;
                };
                stream.request_keyframe(KeyframeRequestKind::Pli);
                shared.out.stats.key_frame_requests += 1;
                if !sender.dirty {
                    sender.dirty = true;
                    self.dirty.push(track.publisher);
                }
            }
        }
    }

    /// Tells a participant which of its pictures stand still for want of bandwidth or leave, when that changed.
    pub(super) fn tell_stream_states(&mut self, key: usize, shared: &mut Shared) {
        let mut stream_states = Vec::new();
        for wanted in self.participants[key]
            .wanted
            .iter()
            .filter(|wanted| wanted.mid.is_some())
        {
            let track = &mut self.tracks[wanted.track];
            let Some(subscription) = track.subscriptions.iter_mut().find(|s| s.participant == key) else {
                continue;
            };
            let paused =
                subscription.held || (subscription.forwarder.target().is_none() && !subscription.wish.paused);
            if paused != subscription.told_paused {
                subscription.told_paused = paused;
                let state = if paused {
                    proto::StreamState::Paused
                } else {
                    proto::StreamState::Active
                };
                stream_states.push(proto::StreamStateInfo {
                    participant_sid: self.participants[track.publisher].sid.clone(),
                    track_sid: track.info.sid.clone(),
                    state: state as i32,
                });
            }
        }
        if !stream_states.is_empty() {
            self.send(
                key,
                Message::StreamStateUpdate(proto::StreamStateUpdate { stream_states }),
                shared,
            );
        }
    }
}
