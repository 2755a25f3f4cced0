//! All rooms of one shard, and finding the participant a datagram belongs to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use livekit_protocol as proto;
use slab::Slab;
use str0m::bwe::Bitrate;
use str0m::net::{Protocol, Receive};
use str0m::{Input as RtcInput, RtcConfig};

use crate::codec::Codec;
use crate::io::{
    Command, Datagram, Event, Input, Join, JoinRefusal, LeaveCause, Output, ParticipantId, Stats,
};
use crate::room::{Out, Room, Shared};
use crate::sid::Sids;
use crate::{Config, MAX_DATAGRAM, RoomPolicy};

/// Where a participant is: keys of its room and of it in the room.
type Place = (usize, usize);

/// How often a peer connection is asked how it goes: its loss is that of one second.
const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// Addresses a participant may be known by at once; a peer that roams uses a new one each time.
const MAX_ADDRESSES: usize = 32;

/// See the module and the crate.
pub struct Sfu {
    shared: Shared,
    rooms: Slab<Room>,
    names: HashMap<String, usize>,
    places: HashMap<ParticipantId, Place>,
    addresses: HashMap<(bool, SocketAddr), ParticipantId>,
    known_by: HashMap<ParticipantId, Vec<(bool, SocketAddr)>>,
    ufrags: HashMap<String, ParticipantId>,
    next_id: u64,
    id_step: u64,
    now: Instant,
    closing: bool,
}

impl Sfu {
    /// An SFU without rooms. Participants get the ids `first_id`, `first_id + id_step`, …, so that several shards
    /// never give the same one.
    pub fn new(config: Config, now: Instant, first_id: u64, id_step: u64) -> Self {
        let rtc = rtc_config(&config);
        let sids = Sids::new(config.seed);
        Sfu {
            shared: Shared {
                config,
                rtc,
                sids,
                out: Out::default(),
            },
            rooms: Slab::new(),
            names: HashMap::new(),
            places: HashMap::new(),
            addresses: HashMap::new(),
            known_by: HashMap::new(),
            ufrags: HashMap::new(),
            next_id: first_id,
            id_step,
            now,
            closing: false,
        }
    }

    /// Lets somebody in, or takes up its session again (then with the id it had). The driver must bind the id to
    /// the signalling connection before it polls output.
    pub fn join(&mut self, now: Instant, join: Join) -> Result<ParticipantId, JoinRefusal> {
        self.now = now;
        if self.closing {
            return Err(JoinRefusal::ShuttingDown);
        }
        let room = match self.names.get(&join.room) {
            Some(room) => *room,
            None if self.shared.config.rooms == RoomPolicy::Created => return Err(JoinRefusal::NoSuchRoom),
            None => self.make_room(&join.room, false),
        };
        let id = ParticipantId(self.next_id);
        self.next_id += self.id_step;
        let name = join.room.clone();
        let joined = self.rooms[room].join(now, id, join, &mut self.shared);
        if let Ok((id, key)) = joined {
            self.places.insert(id, (room, key));
        }
        self.keep_index();
        if joined.is_err() {
            self.forget_if_empty(&name);
        }
        joined.map(|(id, _)| id)
    }

    /// Takes in one thing that happened.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.now = now;
        match input {
            Input::Datagram(datagram) => self.datagram(now, &datagram),
            Input::Signal(id, request) => {
                if let Some(&(room, key)) = self.places.get(&id) {
                    self.rooms[room].signal(now, key, *request, &mut self.shared);
                    self.after(now, room);
                }
            }
            Input::SignalClosed(id) => {
                if let Some(&(room, key)) = self.places.get(&id) {
                    self.rooms[room].signal_closed(now, key);
                }
            }
            Input::Command(command) => self.command(now, command),
            Input::Timeout => {
                let rooms: Vec<usize> = self.rooms.iter().map(|(room, _)| room).collect();
                for room in rooms {
                    self.rooms[room].timeout(now, &mut self.shared);
                    self.after(now, room);
                }
            }
        }
        self.keep_index();
    }

    /// The next thing to do, `None` when there is nothing. Packets written to receivers are sent here, all those of
    /// one receiver together.
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.shared.out.rest.pop_front() {
                return Some(output);
            }
            if let Some(transmit) = self.shared.out.transmits.pop_front() {
                return Some(Output::Transmit(transmit));
            }
            let room = self
                .rooms
                .iter()
                .find(|(_, room)| room.has_dirty())
                .map(|(key, _)| key)?;
            self.rooms[room].flush_dirty(self.now, &mut self.shared);
            self.after(self.now, room);
        }
    }

    /// When [`Input::Timeout`] is to be given next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.rooms
            .iter()
            .filter_map(|(_, room)| room.next_timeout())
            .min()
    }

    /// Whether a participant with this local ICE user fragment is here.
    pub fn has_ufrag(&self, ufrag: &str) -> bool {
        self.ufrags.contains_key(ufrag)
    }

    /// Whether datagrams from this address have a receiver here.
    pub fn knows(&self, proto: Protocol, source: SocketAddr) -> bool {
        self.addresses.contains_key(&(proto == Protocol::Udp, source))
    }

    /// Totals and what there is.
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.out.stats;
        stats.rooms = self.rooms.len() as u64;
        for (_, room) in &self.rooms {
            room.count_into(&mut stats);
        }
        stats
    }

    /// The rooms there are.
    pub fn rooms(&self) -> Vec<proto::Room> {
        self.rooms
            .iter()
            .map(|(_, room)| room.info(&self.shared))
            .collect()
    }

    /// A room's participants, `None` when there is no such room.
    pub fn participants(&self, room: &str) -> Option<Vec<proto::ParticipantInfo>> {
        self.names.get(room).map(|room| self.rooms[*room].infos())
    }

    /// One participant.
    pub fn participant(&self, room: &str, identity: &str) -> Option<proto::ParticipantInfo> {
        let room = &self.rooms[*self.names.get(room)?];
        room.find(identity).map(|key| room.participant_info(key))
    }

    /// One track.
    pub fn track(&self, room: &str, identity: &str, track_sid: &str) -> Option<proto::TrackInfo> {
        self.rooms[*self.names.get(room)?].track_info(identity, track_sid)
    }

    fn datagram(&mut self, now: Instant, datagram: &Datagram<'_>) {
        let stats = &mut self.shared.out.stats;
        stats.packets_in += 1;
        stats.bytes_in += datagram.contents.len() as u64;
        if datagram.contents.len() > MAX_DATAGRAM {
            stats.unknown_packets += 1;
            return;
        }
        let Ok(receive) = Receive::new(
            datagram.proto,
            datagram.source,
            datagram.destination,
            datagram.contents,
        ) else {
            stats.unknown_packets += 1;
            return;
        };
        let input = RtcInput::Receive(now, receive);
        let address = (datagram.proto == Protocol::Udp, datagram.source);
        let known = self
            .addresses
            .get(&address)
            .and_then(|id| self.places.get(id))
            .copied();
        let place = match known {
            Some(place) if self.accepts(place, &input) => Some(place),
            _ => self.place_by_ufrag(address, datagram.contents, &input),
        };
        let Some((room, key)) = place else {
            self.shared.out.stats.unknown_packets += 1;
            return;
        };
        self.rooms[room].receive(now, key, input, &mut self.shared);
        if self.rooms[room].participants[key].leaving.is_some() {
            self.after(now, room);
        }
    }

    fn accepts(&self, (room, key): Place, input: &RtcInput<'_>) -> bool {
        self.rooms[room].participants[key].rtc.accepts(input)
    }

    /// The participant whose user fragment a STUN request names, if the request is truly for it; its address is
    /// remembered.
    fn place_by_ufrag(
        &mut self,
        address: (bool, SocketAddr),
        contents: &[u8],
        input: &RtcInput<'_>,
    ) -> Option<Place> {
        let id = *self.ufrags.get(stun_ufrag(contents)?)?;
        let place = *self.places.get(&id)?;
        if !self.accepts(place, input) {
            return None;
        }
        if let Some(before) = self.addresses.insert(address, id)
            && let Some(known_by) = self.known_by.get_mut(&before)
        {
            known_by.retain(|known| *known != address);
        }
        let known_by = self.known_by.entry(id).or_default();
        known_by.push(address);
        if known_by.len() > MAX_ADDRESSES {
            let oldest = known_by.remove(0);
            self.addresses.remove(&oldest);
        }
        Some(place)
    }

    fn command(&mut self, now: Instant, command: Command) {
        let shared = &mut self.shared;
        let room_of = |names: &HashMap<String, usize>, room: &str| names.get(room).copied();
        match command {
            Command::CreateRoom {
                room,
                metadata,
                tokens_since_ms,
            } => {
                let key = match room_of(&self.names, &room) {
                    Some(key) => key,
                    None => self.make_room(&room, true),
                };
                self.rooms[key].kept = true;
                self.rooms[key].take_tokens_since(tokens_since_ms);
                if !metadata.is_empty() {
                    self.rooms[key].set_metadata(metadata, &mut self.shared);
                }
            }
            Command::CloseRoom { room } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                self.rooms[key].remove_all(&LeaveCause::RoomClosed, shared);
                self.rooms[key].kept = false;
                self.after(now, key);
            }
            Command::SetPermissions {
                room,
                identity,
                permissions,
            } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                self.rooms[key].set_permissions(now, &identity, permissions, shared);
            }
            Command::Block {
                room,
                identity,
                source,
                blocked,
            } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                self.rooms[key].block(now, &identity, source, blocked, shared);
            }
            Command::Remove {
                room,
                identity,
                reason,
                tokens_since_ms,
            } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                self.rooms[key].remove_identity(&identity, reason, tokens_since_ms, shared);
                self.after(now, key);
            }
            Command::MuteTrack {
                room,
                identity,
                track_sid,
            } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                self.rooms[key].ask_to_mute(now, &identity, &track_sid, shared);
            }
            Command::UpdateParticipant {
                room,
                identity,
                name,
                metadata,
                attributes,
            } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                self.rooms[key].update_participant(&identity, name, metadata, attributes, shared);
            }
            Command::UpdateSubscriptions {
                room,
                identity,
                track_sids,
                subscribe,
            } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                if let Some(participant) = self.rooms[key].find(&identity) {
                    self.rooms[key].subscribe(participant, track_sids.into_iter(), subscribe, shared);
                }
            }
            Command::UpdateRoomMetadata { room, metadata } => {
                let Some(key) = room_of(&self.names, &room) else {
                    return;
                };
                self.rooms[key].set_metadata(metadata, shared);
            }
            Command::Shutdown => {
                self.closing = true;
                let keys: Vec<usize> = self.rooms.iter().map(|(key, _)| key).collect();
                for key in keys {
                    self.rooms[key].remove_all(&LeaveCause::ServerShutdown, &mut self.shared);
                    self.rooms[key].kept = false;
                    self.after(now, key);
                }
            }
        }
    }

    fn make_room(&mut self, name: &str, kept: bool) -> usize {
        let room = Room::new(name, kept, self.now, &mut self.shared);
        let key = self.rooms.insert(room);
        self.names.insert(name.to_owned(), key);
        key
    }

    /// After anything happened in a room: those marked to go are taken out, and an empty room is forgotten.
    fn after(&mut self, _now: Instant, room: usize) {
        let Some(found) = self.rooms.get_mut(room) else {
            return;
        };
        found.remove_leaving(&mut self.shared);
        let emptied = found.participants.is_empty().then(|| found.name.clone());
        self.keep_index();
        if let Some(name) = emptied {
            self.forget_if_empty(&name);
        }
    }

    fn forget_if_empty(&mut self, name: &str) {
        let Some(&key) = self.names.get(name) else { return };
        let room = &self.rooms[key];
        if room.participants.is_empty() && !room.kept {
            self.names.remove(name);
            self.rooms.remove(key);
            self.shared.out.event(Event::RoomFinished {
                room: name.to_owned(),
            });
        }
    }

    /// Keeps the index of user fragments, places and addresses in step with what the rooms did.
    fn keep_index(&mut self) {
        for (ufrag, id) in std::mem::take(&mut self.shared.out.ufrags) {
            let output = match id {
                Some(id) => {
                    self.ufrags.insert(ufrag.clone(), id);
                    Output::UfragAdded(ufrag)
                }
                None => {
                    self.ufrags.remove(&ufrag);
                    Output::UfragRemoved(ufrag)
                }
            };
            self.shared.out.rest.push_back(output);
        }
        for id in std::mem::take(&mut self.shared.out.gone) {
            self.places.remove(&id);
            for address in self.known_by.remove(&id).unwrap_or_default() {
                self.addresses.remove(&address);
            }
        }
    }
}

/// The local ICE user fragment a STUN binding request is addressed to (RFC 8445 §7.2.2), without checking it.
pub fn stun_ufrag(datagram: &[u8]) -> Option<&str> {
    const HEADER: usize = 20;
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const USERNAME: u16 = 0x0006;
    if datagram.get(..2)? != BINDING_REQUEST {
        return None;
    }
    let mut attributes = datagram.get(HEADER..)?;
    loop {
        let head = attributes.get(..4)?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = attributes.get(4..4 + length)?;
        if kind == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        attributes = attributes.get(4 + length.next_multiple_of(4)..)?;
    }
}

fn rtc_config(config: &Config) -> RtcConfig {
    let mut rtc = RtcConfig::new()
        .clear_codecs()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_stats_interval(Some(STATS_INTERVAL))
        .enable_bwe(Some(Bitrate::bps(config.initial_bandwidth)));
    let codecs = &config.publish_codecs;
    if codecs.contains(&Codec::Opus) {
        rtc = rtc.enable_opus(true, codecs.contains(&Codec::Red));
    }
    for codec in codecs {
        match codec {
            // Constrained baseline, level 3.1, packetization mode 1: the one profile everybody has.
            Codec::H264 => rtc
                .codec_config()
                .add_h264(108.into(), Some(109.into()), true, 0x42e01f),
            Codec::Vp8 => rtc.codec_config().enable_vp8(true),
            Codec::Opus | Codec::Red => {}
        }
    }
    let certificate = str0m::crypto::from_feature_flags()
        .dtls_provider
        .generate_certificate();
    match certificate {
        // One certificate for all: making one takes longer than the rest of a join.
        Some(certificate) => rtc.set_dtls_cert(certificate),
        None => rtc,
    }
}
