//! What a client says over its signalling connection, one request at a time.

use std::time::Instant;

use livekit_protocol as proto;
use proto::signal_request::Message as Request;
use proto::signal_response::Message;

use super::{MAX_TEXT, Room, Shared};
use crate::codec::Codec;
use crate::io::{Event, LeaveCause};
use crate::layers::Wish;
use crate::participant::Audience;
use crate::permission::Source;
use crate::track::MAX_LAYERS;

/// More tracks than this of one participant, published or announced, are refused.
const MAX_TRACKS: usize = 32;
/// Longest name or id of a track that a client may choose, in bytes.
const MAX_TRACK_TEXT: usize = 256;

impl Room {
    pub(crate) fn signal(
        &mut self,
        now: Instant,
        key: usize,
        request: proto::SignalRequest,
        shared: &mut Shared,
    ) {
        let Some(message) = request.message else { return };
        match message {
            Request::Offer(offer) => self.offer(now, key, offer, shared),
            Request::AddTrack(request) => self.add_track(key, request, shared),
            Request::Mute(mute) => self.mute(now, key, &mute.sid, mute.muted, shared),
            Request::Subscription(update) => self.update_subscription(key, update, shared),
            Request::TrackSetting(settings) => self.track_settings(now, key, &settings, shared),
            Request::Leave(_) => self.participants[key].leaving = Some(LeaveCause::ClientLeft),
            Request::SubscriptionPermission(_) if !shared.config.rooms.lets_publishers_choose() => {
                let reason = proto::request_response::Reason::NotAllowed;
                self.refuse(key, 0, reason, None, shared);
            }
            Request::SubscriptionPermission(permission) => {
                self.participants[key].audience = if permission.all_participants {
                    Audience::Everybody
                } else {
                    Audience::Listed(permission.track_permissions)
                };
                self.reconsider_everyone(shared);
            }
            Request::SyncState(state) => self.sync_state(now, key, state, shared),
            Request::Ping(sent) => self.send(key, Message::Pong(sent), shared),
            Request::PingReq(ping) => {
                let timestamp = shared.wall_ms(now);
                // Clients that predate the second form wait for the first.
                self.send(key, Message::Pong(timestamp), shared);
                let pong = proto::Pong {
                    last_ping_timestamp: ping.timestamp,
                    timestamp,
                };
                self.send(key, Message::PongResp(pong), shared);
            }
            Request::UpdateMetadata(update) => self.update_metadata(key, update, shared),
            Request::UpdateAudioTrack(update) => {
                if let Some(track) = self.own_track(key, &update.track_sid) {
                    self.tracks[track].info.audio_features = update.features;
                    self.changed(key, shared);
                }
            }
            Request::UpdateVideoTrack(update) => {
                if let Some(track) = self.own_track(key, &update.track_sid) {
                    self.tracks[track].info.width = update.width;
                    self.tracks[track].info.height = update.height;
                    self.changed(key, shared);
                }
            }
            Request::PublishDataTrackRequest(request) => {
                let request = proto::request_response::Request::PublishDataTrack(request);
                self.refuse(
                    key,
                    0,
                    proto::request_response::Reason::UnsupportedType,
                    Some(request),
                    shared,
                );
            }
            Request::StoreDataBlobRequest(request) => {
                let reason = proto::request_response::Reason::UnsupportedType;
                self.refuse(key, request.request_id, reason, None, shared);
            }
            Request::GetDataBlobRequest(request) => {
                let reason = proto::request_response::Reason::UnsupportedType;
                self.refuse(key, request.request_id, reason, None, shared);
            }
            // ICE-lite learns the peer's addresses from its checks; the server never offers; and the rest is
            // either for testing LiveKit's own server or replaced by newer requests.
            Request::Trickle(_)
            | Request::Answer(_)
            | Request::Simulate(_)
            | Request::UpdateDataSubscription(_)
            | Request::UnpublishDataTrackRequest(_) => {}
            #[expect(deprecated, reason = "named so that a new request is not ignored by accident")]
            Request::UpdateLayers(_) => {}
        }
    }

    fn refuse(
        &self,
        key: usize,
        request_id: u32,
        reason: proto::request_response::Reason,
        request: Option<proto::request_response::Request>,
        shared: &mut Shared,
    ) {
        let response = proto::RequestResponse {
            request_id,
            reason: reason as i32,
            message: String::new(),
            request,
        };
        self.send(key, Message::RequestResponse(response), shared);
    }

    fn own_track(&self, key: usize, sid: &str) -> Option<usize> {
        self.participants[key]
            .tracks
            .iter()
            .copied()
            .find(|track| self.tracks[*track].info.sid == sid)
    }

    /// A client says what it is going to publish. Its section comes with an offer.
    pub(super) fn add_track(&mut self, key: usize, request: proto::AddTrackRequest, shared: &mut Shared) {
        use proto::request_response::Reason;
        let video = request.r#type == proto::TrackType::Video as i32;
        let participant = &self.participants[key];
        let source = Source::of_track(request.source, video);
        let refusal = if request.r#type == proto::TrackType::Data as i32 || source.is_none() {
            Some(Reason::UnsupportedType)
        } else if !source.is_some_and(|source| participant.permissions.may_publish(source)) {
            Some(Reason::NotAllowed)
        } else if participant.announced.len() + participant.tracks.len() >= MAX_TRACKS
            || is_excessive(&request)
        {
            Some(Reason::LimitExceeded)
        } else if !request.sid.is_empty() {
            // A second codec for a track there is: one codec end to end here.
            Some(Reason::UnsupportedType)
        } else {
            None
        };
        let codec = self.publish_codec(&request, video, shared);
        let (Some(source), Some(codec), None) = (source, codec, refusal) else {
            let reason = refusal.unwrap_or(Reason::UnsupportedType);
            let request = proto::request_response::Request::AddTrack(request);
            return self.refuse(key, 0, reason, Some(request), shared);
        };
        let info = track_info(&request, source, codec, shared.sids.next("TR"));
        let published = proto::TrackPublishedResponse {
            cid: request.cid.clone(),
            track: Some(info.clone()),
        };
        self.participants[key].announced.push((request, info));
        self.send(key, Message::TrackPublished(published), shared);
    }

    fn mute(&mut self, now: Instant, key: usize, sid: &str, muted: bool, shared: &mut Shared) {
        let announced = self.participants[key]
            .announced
            .iter_mut()
            .find(|(_, info)| info.sid == sid);
        if let Some((_, info)) = announced {
            info.muted = muted;
            return;
        }
        let Some(track) = self.own_track(key, sid) else {
            return;
        };
        if self.tracks[track].info.muted == muted {
            return;
        }
        self.tracks[track].info.muted = muted;
        if !muted {
            self.want_key_frames(now, track, shared);
        }
        shared.out.event(Event::TrackMuted {
            room: self.name.clone(),
            identity: self.participants[key].identity.clone(),
            track_sid: sid.to_owned(),
            source: self.tracks[track].source,
            muted,
        });
        self.changed(key, shared);
    }

    /// The server asks a sender to mute. The track is taken as muted at once; its sender confirms.
    pub(crate) fn ask_to_mute(&mut self, now: Instant, identity: &str, sid: &str, shared: &mut Shared) {
        let Some(key) = self.find(identity) else { return };
        let request = proto::MuteTrackRequest {
            sid: sid.to_owned(),
            muted: true,
        };
        self.send(key, Message::Mute(request), shared);
        self.mute(now, key, sid, true, shared);
    }

    fn update_subscription(&mut self, key: usize, update: proto::UpdateSubscription, shared: &mut Shared) {
        let listed = update
            .participant_tracks
            .into_iter()
            .flat_map(|tracks| tracks.track_sids);
        let sids = update.track_sids.into_iter().chain(listed);
        self.subscribe(key, sids, update.subscribe, shared);
    }

    /// Turns receiving of tracks on or off.
    pub(crate) fn subscribe(
        &mut self,
        key: usize,
        sids: impl Iterator<Item = String>,
        subscribe: bool,
        shared: &mut Shared,
    ) {
        let known: Vec<String> = self
            .tracks
            .iter()
            .map(|(_, track)| track.info.sid.clone())
            .collect();
        let participant = &mut self.participants[key];
        for sid in sids.filter(|sid| known.contains(sid)) {
            if subscribe {
                participant.declined.remove(&sid);
                participant.asked.insert(sid);
            } else {
                participant.asked.remove(&sid);
                participant.declined.insert(sid);
            }
        }
        self.reconsider(key, shared);
    }

    fn track_settings(
        &mut self,
        now: Instant,
        key: usize,
        settings: &proto::UpdateTrackSettings,
        shared: &mut Shared,
    ) {
        let by_quality = match settings.quality {
            quality if quality == proto::VideoQuality::Low as i32 => 0,
            quality if quality == proto::VideoQuality::Medium as i32 => 1,
            _ => 2,
        };
        let highest = (settings.width == 0 || settings.height == 0).then_some(by_quality);
        let wish = Wish {
            paused: settings.disabled,
            width: settings.width,
            height: settings.height,
            highest,
            priority: settings.priority,
            fps: settings.fps,
        };
        for (_, track) in &mut self.tracks {
            if !settings.track_sids.contains(&track.info.sid) {
                continue;
            }
            for subscription in track.subscriptions.iter_mut().filter(|s| s.participant == key) {
                subscription.wish = wish;
                if !track.video {
                    subscription.forwarder.set_target((!wish.paused).then_some(0));
                }
            }
        }
        self.allot(now, key);
        self.tell_senders(now, shared);
        self.request_key_frames(now, shared);
    }

    /// After a resume the client says what it had; what differs is put right.
    pub(super) fn sync_state(
        &mut self,
        now: Instant,
        key: usize,
        state: proto::SyncState,
        shared: &mut Shared,
    ) {
        if let Some(subscription) = state.subscription {
            self.update_subscription(key, subscription, shared);
        }
        if !state.track_sids_disabled.is_empty() {
            let settings = proto::UpdateTrackSettings {
                track_sids: state.track_sids_disabled,
                disabled: true,
                ..Default::default()
            };
            self.track_settings(now, key, &settings, shared);
        }
    }

    fn update_metadata(&mut self, key: usize, update: proto::UpdateParticipantMetadata, shared: &mut Shared) {
        use proto::request_response::Reason;
        let longest = update
            .attributes
            .iter()
            .flat_map(|(name, value)| [name.len(), value.len()])
            .chain([update.name.len(), update.metadata.len()])
            .max();
        let reason = if !self.participants[key].permissions.can_update_metadata {
            Reason::NotAllowed
        } else if longest > Some(MAX_TEXT) {
            Reason::LimitExceeded
        } else {
            Reason::Ok
        };
        let request_id = update.request_id;
        if reason == Reason::Ok {
            let identity = self.participants[key].identity.clone();
            let name = (!update.name.is_empty()).then_some(update.name);
            let metadata = (!update.metadata.is_empty()).then_some(update.metadata);
            self.update_participant(&identity, name, metadata, update.attributes, shared);
        }
        self.refuse(key, request_id, reason, None, shared);
    }
}

/// More than any client has reason to say of a track; all of it is passed on to the others.
fn is_excessive(request: &proto::AddTrackRequest) -> bool {
    let codecs = &request.simulcast_codecs;
    let layers = codecs.iter().map(|codec| codec.layers.len());
    request.name.len() > MAX_TRACK_TEXT
        || request.cid.len() > MAX_TRACK_TEXT
        || codecs.len() > MAX_LAYERS
        || codecs.iter().any(|codec| codec.cid.len() > MAX_TRACK_TEXT)
        || layers
            .chain([request.layers.len()])
            .any(|count| count > MAX_LAYERS)
}

#[expect(deprecated, reason = "clients read the older fields too")]
fn track_info(
    request: &proto::AddTrackRequest,
    source: Source,
    codec: Codec,
    sid: String,
) -> proto::TrackInfo {
    let announced = request
        .simulcast_codecs
        .iter()
        .find(|codec| !codec.layers.is_empty())
        .map_or_else(|| request.layers.clone(), |codec| codec.layers.clone());
    proto::TrackInfo {
        sid,
        r#type: request.r#type,
        name: request.name.clone(),
        muted: request.muted,
        width: request.width,
        height: request.height,
        simulcast: announced.len() > 1,
        disable_dtx: request.disable_dtx,
        source: source.to_proto(),
        layers: announced.clone(),
        mime_type: codec.mime().to_owned(),
        codecs: vec![proto::SimulcastCodecInfo {
            mime_type: codec.mime().to_owned(),
            cid: request.cid.clone(),
            layers: announced,
            ..Default::default()
        }],
        stereo: request.stereo,
        disable_red: request.disable_red,
        encryption: request.encryption,
        // Never what the client says: it is written into the session descriptions of all others.
        stream: source.stream().to_owned(),
        audio_features: request.audio_features.clone(),
        ..Default::default()
    }
}
