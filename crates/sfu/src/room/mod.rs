//! A room: its participants and tracks, who is told what, who comes and goes. A room lives in one [`crate::Sfu`]
//! and touches nothing outside it; what the outside must do is put into [`Out`].

mod media;
mod negotiate;
mod signal;
mod tick;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use livekit_protocol as proto;
use proto::signal_response::Message;
use slab::Slab;
use str0m::RtcConfig;
use str0m::net::Transmit;

use crate::codec::Codec;
use crate::estimate::Estimate;
use crate::io::{Event, Join, JoinRefusal, LeaveCause, Output, ParticipantId, RemoveReason, Stats, leave};
use crate::participant::{Participant, Requested, Sent, Signalling, SlotState, State};
use crate::permission::{Permissions, Source};
use crate::scatter::Scatter;
use crate::sid::Sids;
use crate::stall::Stall;
use crate::track::Track;
use crate::{Config, PING_INTERVAL, PING_TIMEOUT};

/// Longest name, identity, metadata or attribute a client may set, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// What the rooms of one [`crate::Sfu`] put out. Packets have their own queue: there are many.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) transmits: VecDeque<Transmit>,
    pub(crate) rest: VecDeque<Output>,
    /// User fragments that came into use (with whose they are) or went out of it.
    pub(crate) ufrags: Vec<(String, Option<ParticipantId>)>,
    /// Participants that were taken out.
    pub(crate) gone: Vec<ParticipantId>,
    pub(crate) stats: Stats,
}

impl Out {
    pub(crate) fn event(&mut self, event: Event) {
        self.rest.push_back(Output::Event(event));
    }
}

/// What every room needs from outside.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) rtc: RtcConfig,
    pub(crate) sids: Sids,
    pub(crate) out: Out,
}

impl Shared {
    /// The wall clock at `now`.
    fn wall(&self, now: Instant) -> SystemTime {
        self.config.epoch.1 + now.saturating_duration_since(self.config.epoch.0)
    }

    fn wall_ms(&self, now: Instant) -> i64 {
        let since = self
            .wall(now)
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        since.as_millis() as i64
    }
}

/// What the server said of an identity; holds for whoever joins with it.
#[derive(Default)]
struct Policy {
    permissions: Option<Permissions>,
    blocked: HashSet<Source>,
    /// It was sent out: tokens issued before this moment do not let it in again, and it is told why.
    sent_out: Option<(u64, RemoveReason)>,
}

/// See the module.
pub(crate) struct Room {
    pub(crate) name: String,
    sid: String,
    metadata: String,
    created_ms: i64,
    /// Tokens issued before this let nobody in.
    tokens_since_ms: u64,
    /// Stays when empty.
    pub(crate) kept: bool,
    pub(crate) participants: Slab<Participant>,
    tracks: Slab<Track>,
    policies: HashMap<String, Policy>,
    /// Participants with packets to flush.
    dirty: Vec<usize>,
    next_tick: Instant,
    ticks: u64,
}

impl Room {
    pub(crate) fn new(name: &str, kept: bool, now: Instant, shared: &mut Shared) -> Self {
        shared.out.event(Event::RoomStarted {
            room: name.to_owned(),
        });
        Room {
            name: name.to_owned(),
            sid: shared.sids.next("RM"),
            metadata: String::new(),
            created_ms: shared.wall_ms(now),
            tokens_since_ms: 0,
            kept,
            participants: Slab::new(),
            tracks: Slab::new(),
            policies: HashMap::new(),
            dirty: Vec::new(),
            next_tick: now + tick::TICK,
            ticks: 0,
        }
    }

    /// What is told of the room.
    pub(crate) fn info(&self, shared: &Shared) -> proto::Room {
        proto::Room {
            sid: self.sid.clone(),
            name: self.name.clone(),
            creation_time: self.created_ms / 1000,
            creation_time_ms: self.created_ms,
            enabled_codecs: shared.config.codec_infos(),
            metadata: self.metadata.clone(),
            num_participants: self.count_visible(|p| !p.permissions.recorder),
            num_publishers: self.count_visible(|p| !p.tracks.is_empty()),
            active_recording: self.participants.iter().any(|(_, p)| p.permissions.recorder),
            ..Default::default()
        }
    }

    fn count_visible(&self, counts: impl Fn(&Participant) -> bool) -> u32 {
        let visible = self.participants.iter().filter(|(_, p)| p.is_visible());
        visible.filter(|(_, p)| counts(p)).count() as u32
    }

    /// The same for one participant: who may not receive the others is not told how many there are.
    fn info_for(&self, key: usize, shared: &Shared) -> proto::Room {
        let mut info = self.info(shared);
        if !self.participants[key].permissions.can_subscribe {
            (info.num_participants, info.num_publishers) = (0, 0);
        }
        info
    }

    pub(crate) fn infos(&self) -> Vec<proto::ParticipantInfo> {
        self.participants
            .iter()
            .map(|(key, _)| self.participant_info(key))
            .collect()
    }

    pub(crate) fn find(&self, identity: &str) -> Option<usize> {
        self.participants
            .iter()
            .find(|(_, p)| p.identity == identity)
            .map(|(key, _)| key)
    }

    pub(crate) fn participant_info(&self, key: usize) -> proto::ParticipantInfo {
        let participant = &self.participants[key];
        let tracks = participant
            .tracks
            .iter()
            .map(|track| self.tracks[*track].public_info())
            .collect();
        participant.info(tracks)
    }

    pub(crate) fn track_info(&self, identity: &str, track_sid: &str) -> Option<proto::TrackInfo> {
        let key = self.find(identity)?;
        let mut tracks = self.participants[key]
            .tracks
            .iter()
            .map(|track| &self.tracks[*track]);
        tracks
            .find(|track| track.info.sid == track_sid)
            .map(Track::public_info)
    }

    pub(crate) fn count_into(&self, stats: &mut Stats) {
        stats.participants += self.participants.len() as u64;
        stats.tracks += self.tracks.len() as u64;
        stats.subscriptions += self
            .tracks
            .iter()
            .map(|(_, track)| track.subscriptions.len() as u64)
            .sum::<u64>();
    }

    // --- Coming and going ---

    /// Lets somebody in, or takes up a session again. The first message out is the join (or reconnect) response.
    pub(crate) fn join(
        &mut self,
        now: Instant,
        id: ParticipantId,
        join: Join,
        shared: &mut Shared,
    ) -> Result<(ParticipantId, usize), JoinRefusal> {
        if join.identity.is_empty() {
            return Err(JoinRefusal::NoIdentity);
        }
        self.is_fresh(&join.identity, join.issued_ms)?;
        if join.request.reconnect {
            return self.resume(now, join, shared).ok_or(JoinRefusal::NothingToResume);
        }
        if let Some(older) = self.find(&join.identity) {
            self.remove(older, LeaveCause::DuplicateIdentity, shared);
        }
        let key = self.insert(now, id, &join, shared);
        let response = self.join_response(key, shared);
        self.send(key, Message::Join(response), shared);
        shared.out.event(Event::Joined {
            room: self.name.clone(),
            identity: join.identity.clone(),
            sid: self.participants[key].sid.clone(),
        });
        self.tell_others(key, shared);
        for request in join.request.add_track_requests {
            self.add_track(key, request, shared);
        }
        if let Some(offer) = join.request.publisher_offer {
            self.offer(now, key, offer, shared);
            if let Some(LeaveCause::ProtocolError(why)) = self.participants[key].leaving.clone() {
                self.remove(key, LeaveCause::ProtocolError(why.clone()), shared);
                return Err(JoinRefusal::BadOffer(why));
            }
        }
        Ok((id, key))
    }

    /// Who was sent out does not come back with what it had.
    fn is_fresh(&self, identity: &str, issued_ms: u64) -> Result<(), JoinRefusal> {
        let sent_out = self.policies.get(identity).and_then(|policy| policy.sent_out);
        match sent_out {
            Some((since_ms, reason)) if issued_ms < since_ms => Err(JoinRefusal::SentOut(reason)),
            _ if issued_ms < self.tokens_since_ms => Err(JoinRefusal::OlderThanRoom),
            _ => Ok(()),
        }
    }

    /// Tokens issued before this let nobody in; it never becomes earlier.
    pub(crate) fn take_tokens_since(&mut self, since_ms: u64) {
        self.tokens_since_ms = self.tokens_since_ms.max(since_ms);
    }

    fn insert(&mut self, now: Instant, id: ParticipantId, join: &Join, shared: &mut Shared) -> usize {
        let policy = self.policies.get(&join.identity);
        let permissions = policy
            .and_then(|policy| policy.permissions.clone())
            .unwrap_or_else(|| join.permissions.clone());
        let mut rtc = shared.rtc.clone().build(now);
        for candidate in shared.config.candidates() {
            rtc.add_local_candidate(candidate);
        }
        let mut attributes = join.attributes.clone();
        attributes.extend(join.request.participant_attributes.clone());
        let metadata = if join.request.metadata.is_empty() {
            join.metadata.clone()
        } else {
            join.request.metadata.clone()
        };
        let client = join.request.client_info.clone().unwrap_or_default();
        let auto_subscribe = join
            .request
            .connection_settings
            .as_ref()
            .is_none_or(|settings| settings.auto_subscribe);
        self.participants.insert(Participant {
            id,
            sid: shared.sids.next("PA"),
            identity: join.identity.clone(),
            name: join.name.clone(),
            metadata,
            attributes,
            permissions,
            state: State::Joined,
            signalling: Signalling::Connected,
            version: 1,
            joined_at_ms: shared.wall_ms(now),
            joined: now,
            client_protocol: client.client_protocol,
            capabilities: client.capabilities,
            rtc,
            clock: now,
            timeout: now,
            dirty: false,
            ufrag: None,
            payloads: Default::default(),
            announced: Vec::new(),
            tracks: Vec::new(),
            streams: Vec::new(),
            auto_subscribe,
            asked: HashSet::new(),
            declined: HashSet::new(),
            wanted: Vec::new(),
            slots: Vec::new(),
            requested: Requested::default(),
            negotiated: false,
            audience: Default::default(),
            knows: HashMap::new(),
            estimate: Estimate::default(),
            stall: Stall::default(),
            desired: 0,
            lowered: false,
            loss: 0.0,
            rtt: None,
            sent: Sent::default(),
            scatter: Scatter::default(),
            quality: None,
            speaking: Default::default(),
            last_spoke: None,
            last_packet: None,
            leaving: None,
        })
    }

    fn join_response(&mut self, key: usize, shared: &Shared) -> proto::JoinResponse {
        let other_participants = self.others(key);
        self.participants[key].learn(&other_participants);
        proto::JoinResponse {
            room: Some(self.info_for(key, shared)),
            participant: Some(self.participant_info(key)),
            other_participants,
            server_version: crate::VERSION.to_owned(),
            ping_timeout: PING_TIMEOUT.as_secs() as i32,
            ping_interval: PING_INTERVAL.as_secs() as i32,
            server_info: Some(shared.config.server_info()),
            enabled_publish_codecs: shared.config.codec_infos(),
            fast_publish: true,
            ..Default::default()
        }
    }

    /// The same participant comes back over a new signalling connection, its media untouched.
    fn resume(&mut self, now: Instant, join: Join, shared: &mut Shared) -> Option<(ParticipantId, usize)> {
        let key = self.find(&join.identity)?;
        let participant = &mut self.participants[key];
        if participant.sid != join.request.participant_sid || participant.leaving.is_some() {
            return None;
        }
        participant.signalling = Signalling::Connected;
        participant.requested = Requested::default();
        let id = participant.id;
        let response = proto::ReconnectResponse {
            server_info: Some(shared.config.server_info()),
            ..Default::default()
        };
        self.send(key, Message::Reconnect(response), shared);
        // It may have missed anything: tell it all there is.
        self.tell_itself(key, shared);
        self.tell_everything(key, shared);
        let room = Some(self.info_for(key, shared));
        self.send(key, Message::RoomUpdate(proto::RoomUpdate { room }), shared);
        if let Some(state) = join.request.sync_state {
            self.sync_state(now, key, state, shared);
        }
        if let Some(offer) = join.request.publisher_offer {
            self.offer(now, key, offer, shared);
        }
        self.ask_for_sections(key, shared);
        Some((id, key))
    }

    pub(crate) fn signal_closed(&mut self, now: Instant, key: usize) {
        self.participants[key].signalling = Signalling::Lost { since: now };
    }

    /// Takes a participant out, tells it and the others, and stops its media at once.
    pub(crate) fn remove(&mut self, key: usize, cause: LeaveCause, shared: &mut Shared) {
        use proto::DisconnectReason as Reason;
        use proto::leave_request::Action;
        let told = match &cause {
            LeaveCause::ClientLeft => None,
            LeaveCause::DuplicateIdentity => Some(RemoveReason::DuplicateIdentity.told()),
            LeaveCause::Removed => Some(RemoveReason::ParticipantRemoved.told()),
            LeaveCause::RoomClosed => Some(RemoveReason::RoomClosed.told()),
            LeaveCause::PeerTimeout => Some((Reason::ConnectionTimeout, Action::Reconnect)),
            LeaveCause::SignalLost => None,
            LeaveCause::ProtocolError(_) => Some((Reason::JoinFailure, Action::Disconnect)),
            LeaveCause::ServerShutdown => Some(RemoveReason::ServerShutdown.told()),
        };
        let heard = told.is_some() && self.participants[key].signalling == Signalling::Connected;
        if let Some((reason, action)) = told {
            self.send(key, Message::Leave(leave(reason, action)), shared);
        }
        for track in std::mem::take(&mut self.participants[key].tracks) {
            self.drop_track(track, shared);
        }
        for (_, track) in &mut self.tracks {
            track
                .subscriptions
                .retain(|subscription| subscription.participant != key);
        }
        let mut participant = self.participants.remove(key);
        self.dirty.retain(|dirty| *dirty != key);
        // Who has no signalling learns of the end from DTLS. Not the others: a datagram would overtake the leave, and to
        // them look like a line that broke.
        if !heard && participant.rtc.close().is_ok() {
            while let Ok(str0m::Output::Transmit(transmit)) = participant.rtc.poll_output() {
                shared.out.transmits.push_back(transmit);
            }
        }
        if let Some(ufrag) = participant.ufrag.take() {
            shared.out.ufrags.push((ufrag, None));
        }
        shared.out.gone.push(participant.id);
        participant.version += 1;
        let reason = told.map_or(Reason::ClientInitiated, |(reason, _)| reason);
        let mut info = participant.info(Vec::new());
        info.state = proto::participant_info::State::Disconnected as i32;
        info.disconnect_reason = reason as i32;
        for (_, other) in &mut self.participants {
            if other.knows.contains_key(&participant.sid) {
                tell_of(other, vec![info.clone()], shared);
            }
        }
        shared.out.rest.push_back(Output::CloseSignal(participant.id));
        tracing::debug!(id = %participant.id, ?cause, "left");
        shared.out.event(Event::Left {
            room: self.name.clone(),
            identity: participant.identity,
            sid: participant.sid,
            cause,
            last_packet: participant.last_packet,
        });
        self.reconsider_everyone(shared);
    }

    pub(crate) fn remove_all(&mut self, cause: &LeaveCause, shared: &mut Shared) {
        let keys: Vec<usize> = self.participants.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.remove(key, cause.clone(), shared);
        }
    }

    pub(crate) fn remove_identity(
        &mut self,
        identity: &str,
        reason: RemoveReason,
        tokens_since_ms: u64,
        shared: &mut Shared,
    ) {
        if tokens_since_ms > 0 {
            self.policies.entry(identity.to_owned()).or_default().sent_out = Some((tokens_since_ms, reason));
        }
        let cause = match reason {
            RemoveReason::ParticipantRemoved => LeaveCause::Removed,
            RemoveReason::DuplicateIdentity => LeaveCause::DuplicateIdentity,
            RemoveReason::RoomClosed => LeaveCause::RoomClosed,
            RemoveReason::ServerShutdown => LeaveCause::ServerShutdown,
        };
        if let Some(key) = self.find(identity) {
            self.remove(key, cause, shared);
        }
    }

    // --- The server's word ---

    pub(crate) fn set_permissions(
        &mut self,
        now: Instant,
        identity: &str,
        permissions: Permissions,
        shared: &mut Shared,
    ) {
        self.policies.entry(identity.to_owned()).or_default().permissions = Some(permissions.clone());
        let Some(key) = self.find(identity) else { return };
        if self.participants[key].permissions == permissions {
            return;
        }
        let was_visible = self.participants[key].is_visible();
        let was_told = self.participants[key].permissions.can_subscribe;
        self.participants[key].permissions = permissions;
        if !was_told && self.participants[key].permissions.can_subscribe {
            self.tell_everything(key, shared);
        }
        self.apply_bars(now, key, shared);
        self.apply_holds(now, key, shared);
        if was_visible != self.participants[key].is_visible() {
            self.reconsider_everyone(shared);
        }
        self.reconsider(key, shared);
        self.changed(key, shared);
    }

    pub(crate) fn block(
        &mut self,
        now: Instant,
        identity: &str,
        source: Source,
        blocked: bool,
        shared: &mut Shared,
    ) {
        let policy = self.policies.entry(identity.to_owned()).or_default();
        let changed = if blocked {
            policy.blocked.insert(source)
        } else {
            policy.blocked.remove(&source)
        };
        let Some(key) = self.find(identity) else { return };
        if !changed {
            return;
        }
        self.apply_bars(now, key, shared);
        if blocked {
            let sids: Vec<String> = self.participants[key]
                .tracks
                .iter()
                .map(|track| &self.tracks[*track])
                .filter(|track| track.source == source)
                .map(|track| track.info.sid.clone())
                .collect();
            for sid in sids {
                self.send(
                    key,
                    Message::Mute(proto::MuteTrackRequest { sid, muted: true }),
                    shared,
                );
            }
        }
        self.changed(key, shared);
    }

    fn is_barred(&self, key: usize, source: Source) -> bool {
        let participant = &self.participants[key];
        let blocked = self
            .policies
            .get(&participant.identity)
            .is_some_and(|policy| policy.blocked.contains(&source));
        blocked || !participant.permissions.may_publish(source)
    }

    /// Brings the bars on a participant's tracks in line with what it may send.
    fn apply_bars(&mut self, now: Instant, key: usize, shared: &mut Shared) {
        for track in self.participants[key].tracks.clone() {
            let barred = self.is_barred(key, self.tracks[track].source);
            let was = std::mem::replace(&mut self.tracks[track].barred, barred);
            if was && !barred {
                // What was missed cannot be decoded around: start again at a key frame.
                for subscription in &mut self.tracks[track].subscriptions {
                    subscription.forwarder.interrupt();
                }
                self.want_key_frames(now, track, shared);
            }
        }
    }

    /// Brings the holds on what a participant receives in line with whether it may.
    fn apply_holds(&mut self, now: Instant, key: usize, shared: &mut Shared) {
        let held = !self.participants[key].permissions.can_subscribe;
        let mut resumed = Vec::new();
        for (track_key, track) in &mut self.tracks {
            for subscription in track.subscriptions.iter_mut().filter(|s| s.participant == key) {
                if subscription.held && !held {
                    subscription.forwarder.interrupt();
                    resumed.push(track_key);
                }
                subscription.held = held;
            }
        }
        for track in resumed {
            self.want_key_frames(now, track, shared);
        }
    }

    pub(crate) fn update_participant(
        &mut self,
        identity: &str,
        name: Option<String>,
        metadata: Option<String>,
        attributes: HashMap<String, String>,
        shared: &mut Shared,
    ) {
        let Some(key) = self.find(identity) else { return };
        let participant = &mut self.participants[key];
        if let Some(name) = name {
            participant.name = name;
        }
        if let Some(metadata) = metadata {
            participant.metadata = metadata;
        }
        for (attribute, value) in attributes {
            if value.is_empty() {
                participant.attributes.remove(&attribute);
            } else {
                participant.attributes.insert(attribute, value);
            }
        }
        self.changed(key, shared);
    }

    pub(crate) fn set_metadata(&mut self, metadata: String, shared: &mut Shared) {
        self.metadata = metadata;
        for (key, _) in &self.participants {
            let room = Some(self.info_for(key, shared));
            let message = Message::RoomUpdate(proto::RoomUpdate { room });
            send_to(&self.participants[key], message, shared);
        }
    }

    // --- Telling ---

    fn send(&self, key: usize, message: Message, shared: &mut Shared) {
        send_to(&self.participants[key], message, shared);
    }

    /// Something about a participant changed: counts it and tells everybody, itself included.
    fn changed(&mut self, key: usize, shared: &mut Shared) {
        self.participants[key].version += 1;
        self.tell_itself(key, shared);
        self.tell_others(key, shared);
    }

    fn tell_itself(&self, key: usize, shared: &mut Shared) {
        let participants = vec![self.participant_info(key)];
        let update = proto::ParticipantUpdate { participants };
        self.send(key, Message::Update(update), shared);
    }

    fn tell_others(&mut self, key: usize, shared: &mut Shared) {
        if !self.participants[key].is_visible() {
            return;
        }
        let info = self.participant_info(key);
        for (other, participant) in &mut self.participants {
            if other != key {
                tell_of(participant, vec![info.clone()], shared);
            }
        }
    }

    /// The others as one participant may know them.
    fn others(&self, key: usize) -> Vec<proto::ParticipantInfo> {
        if !self.participants[key].permissions.can_subscribe {
            return Vec::new();
        }
        let visible = self.participants.iter().filter(|(_, p)| p.is_visible());
        visible
            .filter(|(other, _)| *other != key)
            .map(|(other, _)| self.participant_info(other))
            .collect()
    }

    /// Everything about the others that a participant missed while nothing about them was told to it.
    fn tell_everything(&mut self, key: usize, shared: &mut Shared) {
        let is_here = |sid: &str| self.participants.iter().any(|(_, p)| p.sid == sid);
        let knows = self.participants[key].knows.iter();
        let gone = knows.filter(|(sid, _)| !is_here(sid));
        let mut news: Vec<_> = gone
            .map(|(sid, identity)| proto::ParticipantInfo {
                sid: sid.clone(),
                identity: identity.clone(),
                state: proto::participant_info::State::Disconnected as i32,
                ..Default::default()
            })
            .collect();
        news.extend(self.others(key));
        tell_of(&mut self.participants[key], news, shared);
        self.tell_who_speaks(key, shared);
        self.tell_all_qualities(key, shared);
    }

    // --- Tracks ---

    /// Forgets a track: its receivers' sections are released, and it is announced no more.
    fn drop_track(&mut self, key: usize, shared: &mut Shared) {
        let track = self.tracks.remove(key);
        for subscription in track.subscriptions {
            let participant = &mut self.participants[subscription.participant];
            if let Some(slot) = participant.slot_mut(subscription.mid) {
                slot.state = SlotState::Released;
                slot.out = subscription.forwarder.into_out();
            }
        }
        let publisher = track.publisher;
        for (_, participant) in &mut self.participants {
            participant.wanted.retain(|wanted| wanted.track != key);
        }
        if let Some(participant) = self.participants.get_mut(publisher) {
            participant.tracks.retain(|own| *own != key);
            participant.streams.retain(|(_, own, _)| *own != key);
            shared.out.event(Event::TrackUnpublished {
                room: self.name.clone(),
                identity: participant.identity.clone(),
                track_sid: track.info.sid,
            });
        }
    }

    /// The codecs a client may publish a kind of track with, the one it asked for first.
    fn publish_codec(&self, request: &proto::AddTrackRequest, video: bool, shared: &Shared) -> Option<Codec> {
        let enabled: Vec<Codec> = shared
            .config
            .publish_codecs
            .iter()
            .copied()
            .filter(|c| c.is_video() == video)
            .collect();
        if !video {
            let red = enabled.contains(&Codec::Red) && !request.disable_red;
            return Some(if red { Codec::Red } else { Codec::Opus });
        }
        let asked = request
            .simulcast_codecs
            .iter()
            .find_map(|codec| Codec::from_mime(&codec.codec));
        asked
            .filter(|codec| enabled.contains(codec))
            .or_else(|| enabled.first().copied())
    }
}

/// Tells a participant of others. Who may not receive them is not told who they are or what they do, until it may.
fn tell_of(participant: &mut Participant, others: Vec<proto::ParticipantInfo>, shared: &mut Shared) {
    let listens = participant.signalling == Signalling::Connected;
    if !listens || !participant.permissions.can_subscribe || others.is_empty() {
        return;
    }
    participant.learn(&others);
    let update = proto::ParticipantUpdate { participants: others };
    send_to(participant, Message::Update(update), shared);
}

fn send_to(participant: &Participant, message: Message, shared: &mut Shared) {
    if participant.signalling == Signalling::Connected {
        shared
            .out
            .rest
            .push_back(Output::Signal(participant.id, Box::new(message)));
    }
}
