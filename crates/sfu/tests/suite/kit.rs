//! A world under virtual time: one SFU, clients built on str0m (a full ICE agent, offering like a LiveKit client),
//! and a network between them that can lose, delay, reorder and throttle, seeded.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use livekit_protocol as proto;
use proto::signal_request::Message as Request;
use proto::signal_response::Message as Response;
use sfu::{
    Codec, Command, Config, Datagram, Event, Input, Join, Output, ParticipantId, Permissions, Protocol,
    RoomPolicy, Sfu,
};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Pt, Simulcast, SimulcastLayer};
use str0m::net::Receive;
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Rtc};
use str0m_netem::{Input as NetInput, Netem, NetemConfig, Output as NetOutput};

pub(crate) const SFU_ADDR: &str = "10.0.0.1:7882";
/// Pictures a second.
pub(crate) const FPS: u64 = 25;

/// A packet as a client received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) at: Duration,
    pub(crate) mid: Mid,
    pub(crate) seq: u64,
    pub(crate) time: u32,
    pub(crate) marker: bool,
    /// Layer the sender burned in.
    pub(crate) layer: u8,
    /// Frame number the sender burned in.
    pub(crate) frame: u32,
    pub(crate) key: bool,
}

/// A track a client sends, with made-up content that says its layer and frame number.
pub(crate) struct Sending {
    mid: Mid,
    rids: Vec<Option<String>>,
    video: bool,
    frame: u32,
    next: Instant,
    seqs: Vec<u64>,
    key_wanted: Vec<bool>,
    /// Packets of each frame, by layer.
    packets: Vec<usize>,
    /// Layers that somebody needs, as the server said.
    needed: Vec<bool>,
    pub(crate) level: i8,
    pub(crate) running: bool,
    /// So many of the layers the sender's line carries, the lowest.
    pub(crate) carried: usize,
}

pub(crate) struct Client {
    pub(crate) id: ParticipantId,
    pub(crate) identity: String,
    pub(crate) addr: SocketAddr,
    pub(crate) rtc: Rtc,
    timeout: Instant,
    now: Instant,
    sections: Vec<Section>,
    restart_ice: bool,
    pending: Option<SdpPendingOffer>,
    offer_again: bool,
    offers: u32,
    pub(crate) sending: Vec<Sending>,
    pub(crate) responses: Vec<Response>,
    pub(crate) got: Vec<Got>,
    pub(crate) mid_to_track: HashMap<String, String>,
    pub(crate) key_frames_asked: usize,
    pub(crate) active: bool,
    pub(crate) closed: bool,
    pub(crate) up: Netem<Vec<u8>>,
    pub(crate) down: Netem<Vec<u8>>,
}

pub(crate) struct World {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) sfu: Sfu,
    pub(crate) clients: Vec<Client>,
    pub(crate) events: Vec<Event>,
}

pub(crate) fn clean() -> NetemConfig {
    NetemConfig::new().latency(Duration::from_millis(5)).seed(1)
}

impl World {
    pub(crate) fn new() -> World {
        World::with(RoomPolicy::OnJoin)
    }

    pub(crate) fn with(rooms: RoomPolicy) -> World {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs one origin")]
        let (start, wall) = (Instant::now(), SystemTime::now());
        let config = Config {
            udp: vec![SFU_ADDR.parse().expect("an address")],
            tcp: Vec::new(),
            publish_codecs: vec![Codec::H264, Codec::Vp8, Codec::Red, Codec::Opus],
            rooms,
            epoch: (start, wall),
            seed: [7; 32],
            initial_bandwidth: 2_000_000,
        };
        let sfu = Sfu::new(config, start, 0, 1);
        World {
            start,
            now: start,
            sfu,
            clients: Vec::new(),
            events: Vec::new(),
        }
    }

    /// A client that is about to join: receives on this many sections of each kind.
    pub(crate) fn client(&mut self, identity: &str, audio: usize, video: usize) -> usize {
        let index = self.clients.len();
        let addr: SocketAddr = format!("10.0.1.{}:5000", index + 1).parse().expect("an address");
        let mut config = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .set_rtp_mode(true);
        config
            .codec_config()
            .add_h264(108.into(), Some(109.into()), true, 0x42e01f);
        let mut rtc = config.enable_bwe(None).build(self.now);
        rtc.add_local_candidate(Candidate::host(addr, str0m::net::Protocol::Udp).expect("a candidate"));
        let mut client = Client {
            id: ParticipantId(u64::MAX),
            identity: identity.to_owned(),
            addr,
            rtc,
            timeout: self.now,
            now: self.now,
            sections: Vec::new(),
            restart_ice: false,
            pending: None,
            offer_again: false,
            offers: 0,
            sending: Vec::new(),
            responses: Vec::new(),
            got: Vec::new(),
            mid_to_track: HashMap::new(),
            key_frames_asked: 0,
            active: false,
            closed: false,
            up: Netem::new(clean()),
            down: Netem::new(clean()),
        };
        client.receive_on(audio, video);
        self.clients.push(client);
        index
    }

    /// Joins with the offer in the request, and the tracks announced there too.
    pub(crate) fn join(&mut self, client: usize) {
        self.join_with(client, Permissions::default());
    }

    pub(crate) fn join_with(&mut self, client: usize, permissions: Permissions) {
        let request = self.clients[client].join_request();
        self.join_request(client, permissions, request);
    }

    pub(crate) fn join_request(
        &mut self,
        client: usize,
        permissions: Permissions,
        request: proto::JoinRequest,
    ) {
        let join = Join {
            room: "room".to_owned(),
            identity: self.clients[client].identity.clone(),
            permissions,
            request,
            ..Join::default()
        };
        match self.sfu.join(self.now, join) {
            Ok(id) => {
                for other in &mut self.clients {
                    if other.id == id {
                        other.closed = true;
                        other.id = ParticipantId(u64::MAX);
                    }
                }
                self.clients[client].id = id;
            }
            Err(refusal) => self.clients[client]
                .responses
                .push(Response::Leave(refusal.leave())),
        }
        self.settle();
    }

    pub(crate) fn signal(&mut self, client: usize, message: Request) {
        let id = self.clients[client].id;
        self.sfu.handle_input(
            self.now,
            Input::Signal(
                id,
                Box::new(proto::SignalRequest {
                    message: Some(message),
                }),
            ),
        );
        self.settle();
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.sfu.handle_input(self.now, Input::Command(command));
        self.settle();
    }

    /// Moves everything forward by this much.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.run_until(end, |_| false);
        self.now = end;
    }

    /// Moves forward until something holds, at most this long; true when it held.
    pub(crate) fn wait(&mut self, at_most: Duration, holds: impl FnMut(&World) -> bool) -> bool {
        let end = self.now + at_most;
        self.run_until(end, holds)
    }

    fn run_until(&mut self, end: Instant, mut holds: impl FnMut(&World) -> bool) -> bool {
        loop {
            self.settle();
            if holds(self) {
                return true;
            }
            let mut next = self.sfu.poll_timeout().unwrap_or(end);
            for client in &self.clients {
                let sending = client
                    .sending
                    .iter()
                    .filter(|track| track.running)
                    .map(|track| track.next)
                    .min();
                let own = [
                    Some(client.up.poll_timeout()),
                    Some(client.down.poll_timeout()),
                    Some(client.timeout),
                    sending,
                ];
                next = own.into_iter().flatten().fold(next, Instant::min);
            }
            // Every step moves time on, so that nothing can spin in place.
            let next = next.max(self.now + Duration::from_micros(100));
            if next >= end {
                self.now = end;
                self.settle();
                return holds(self);
            }
            self.now = next;
            self.due();
        }
    }

    fn due(&mut self) {
        let now = self.now;
        if self.sfu.poll_timeout().is_some_and(|at| at <= now) {
            self.sfu.handle_input(now, Input::Timeout);
        }
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            if client.timeout <= now && !client.closed {
                let _ = client.rtc.handle_input(str0m::Input::Timeout(now));
            }
            client.send_due(now);
            client.up.handle_input(NetInput::Timeout(now));
            client.down.handle_input(NetInput::Timeout(now));
        }
    }

    /// Lets everything talk until nobody has anything more to say at this moment.
    fn settle(&mut self) {
        let now = self.now;
        loop {
            let mut quiet = true;
            while let Some(output) = self.sfu.poll_output() {
                quiet = false;
                self.take(output);
            }
            for index in 0..self.clients.len() {
                quiet &= !self.clients[index].poll(now, self.start);
                while let Some(output) = self.clients[index].up.poll_output() {
                    if let NetOutput::Packet(contents) = output {
                        quiet = false;
                        let datagram = Datagram {
                            proto: Protocol::Udp,
                            source: self.clients[index].addr,
                            destination: SFU_ADDR.parse().expect("an address"),
                            contents: &contents,
                        };
                        self.sfu.handle_input(now, Input::Datagram(datagram));
                    }
                }
                while let Some(output) = self.clients[index].down.poll_output() {
                    if let NetOutput::Packet(contents) = output {
                        quiet = false;
                        self.clients[index].receive(now, &contents);
                        // One packet at a time: the peer connection holds no more than one it has received.
                        self.clients[index].poll(now, self.start);
                    }
                }
                if std::mem::take(&mut self.clients[index].offer_again) {
                    quiet = false;
                    let offer = self.clients[index].offer();
                    let id = self.clients[index].id;
                    let request = proto::SignalRequest {
                        message: Some(Request::Offer(offer)),
                    };
                    self.sfu.handle_input(now, Input::Signal(id, Box::new(request)));
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn take(&mut self, output: Output) {
        let now = self.now;
        match output {
            Output::Transmit(transmit) => {
                if let Some(client) = self
                    .clients
                    .iter_mut()
                    .find(|client| client.addr == transmit.destination)
                {
                    client
                        .down
                        .handle_input(NetInput::Packet(now, transmit.contents.to_vec()));
                }
            }
            Output::Signal(id, message) => {
                if let Some(client) = self.clients.iter_mut().find(|client| client.id == id) {
                    client.hear(*message);
                } else if let Some(client) = self.clients.last_mut().filter(|client| client.id.0 == u64::MAX)
                {
                    // Put out while its join is being answered.
                    client.id = id;
                    client.hear(*message);
                }
            }
            Output::CloseSignal(id) => {
                if let Some(client) = self.clients.iter_mut().find(|client| client.id == id) {
                    client.closed = true;
                }
            }
            Output::UfragAdded(_) | Output::UfragRemoved(_) => {}
            Output::Event(event) => self.events.push(event),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }
}

/// A section the next offer adds.
enum Section {
    Receive(MediaKind),
    Send {
        cid: String,
        kind: MediaKind,
        rids: Vec<String>,
        packets: Vec<usize>,
    },
}

impl Client {
    pub(crate) fn receive_on(&mut self, audio: usize, video: usize) {
        self.sections
            .extend((0..audio).map(|_| Section::Receive(MediaKind::Audio)));
        self.sections
            .extend((0..video).map(|_| Section::Receive(MediaKind::Video)));
    }

    /// Sends a picture in the next offer; `packets` of about 1000 bytes a frame, for each layer.
    pub(crate) fn publish_video(
        &mut self,
        cid: &str,
        rids: &[&str],
        packets: &[usize],
    ) -> proto::AddTrackRequest {
        self.sections.push(Section::Send {
            cid: cid.to_owned(),
            kind: MediaKind::Video,
            rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
            packets: packets.to_vec(),
        });
        proto::AddTrackRequest {
            cid: cid.to_owned(),
            r#type: proto::TrackType::Video as i32,
            source: proto::TrackSource::Camera as i32,
            width: 1280,
            height: 720,
            ..Default::default()
        }
    }

    pub(crate) fn publish_audio(&mut self, cid: &str) -> proto::AddTrackRequest {
        let (cid, kind) = (cid.to_owned(), MediaKind::Audio);
        self.sections.push(Section::Send {
            cid: cid.clone(),
            kind,
            rids: Vec::new(),
            packets: vec![1],
        });
        proto::AddTrackRequest {
            cid,
            r#type: proto::TrackType::Audio as i32,
            source: proto::TrackSource::Microphone as i32,
            disable_red: true,
            ..Default::default()
        }
    }

    pub(crate) fn join_request(&mut self) -> proto::JoinRequest {
        proto::JoinRequest {
            publisher_offer: Some(self.offer()),
            ..Default::default()
        }
    }

    /// Offers with what was added. Without changes str0m makes no offer, so then one more section is added.
    pub(crate) fn offer(&mut self) -> proto::SessionDescription {
        if self.sections.is_empty() && !self.restart_ice {
            self.sections.push(Section::Receive(MediaKind::Video));
        }
        let mut api = self.rtc.sdp_api();
        if std::mem::take(&mut self.restart_ice) {
            api.ice_restart(true);
        }
        for section in std::mem::take(&mut self.sections) {
            match section {
                Section::Receive(kind) => {
                    api.add_media(kind, Direction::RecvOnly, None, None, None);
                }
                Section::Send {
                    cid,
                    kind,
                    rids,
                    packets,
                } => {
                    let simulcast = (!rids.is_empty()).then(|| {
                        let mut simulcast = Simulcast::new();
                        rids.iter()
                            .for_each(|rid| simulcast.add_send_layer(SimulcastLayer::new(rid)));
                        simulcast
                    });
                    let mid = api.add_media(kind, Direction::SendOnly, None, Some(cid.clone()), simulcast);
                    let layers = packets.len();
                    let rids = if rids.is_empty() {
                        vec![None]
                    } else {
                        rids.into_iter().map(Some).collect()
                    };
                    self.sending.push(Sending {
                        mid,
                        rids,
                        video: kind == MediaKind::Video,
                        frame: 0,
                        next: self.now,
                        seqs: vec![100; layers],
                        key_wanted: vec![true; layers],
                        needed: vec![true; layers],
                        packets,
                        level: -20,
                        running: true,
                        carried: usize::MAX,
                    });
                }
            }
        }
        let (offer, pending) = api.apply().expect("there are changes");
        self.pending = Some(pending);
        self.offers += 1;
        proto::SessionDescription {
            r#type: "offer".into(),
            sdp: offer.to_sdp_string(),
            id: self.offers,
            ..Default::default()
        }
    }

    fn hear(&mut self, message: Response) {
        match &message {
            Response::Answer(answer) => {
                let pending = self.pending.take().expect("an answer comes to an offer");
                let parsed = SdpAnswer::from_sdp_string(&answer.sdp).expect("an answer can be read");
                self.rtc
                    .sdp_api()
                    .accept_answer(pending, parsed)
                    .expect("an answer fits the offer");
                self.mid_to_track = answer.mid_to_track_id.clone();
            }
            // A client of these tests sends one picture at most.
            Response::SubscribedQualityUpdate(update) => {
                for track in self.sending.iter_mut().filter(|track| track.video) {
                    for quality in update.subscribed_codecs.iter().flat_map(|codec| &codec.qualities) {
                        if let Some(needed) = track.needed.get_mut(quality.quality as usize) {
                            *needed = quality.enabled;
                        }
                    }
                }
            }
            Response::MediaSectionsRequirement(required) => {
                self.receive_on(required.num_audios as usize, required.num_videos as usize);
                self.offer_again = true;
            }
            _ => {}
        }
        self.responses.push(message);
    }

    fn receive(&mut self, now: Instant, contents: &[u8]) {
        if self.closed {
            return;
        }
        let destination = self.addr;
        let source = SFU_ADDR.parse().expect("an address");
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, contents) else {
            return;
        };
        let input = str0m::Input::Receive(now, receive);
        if self.rtc.accepts(&input) {
            let _ = self.rtc.handle_input(input);
        }
    }

    /// True when there was anything.
    fn poll(&mut self, now: Instant, start: Instant) -> bool {
        self.now = now;
        if self.closed {
            return false;
        }
        let mut any = false;
        loop {
            match self.rtc.poll_output() {
                Ok(str0m::Output::Timeout(at)) => {
                    self.timeout = at;
                    return any;
                }
                Ok(str0m::Output::Transmit(transmit)) => {
                    any = true;
                    self.up
                        .handle_input(NetInput::Packet(now, transmit.contents.to_vec()));
                }
                Ok(str0m::Output::Event(event)) => {
                    any = true;
                    self.event(now - start, event);
                }
                Err(error) => panic!("a client's peer connection failed: {error}"),
            }
        }
    }

    fn event(&mut self, at: Duration, event: str0m::Event) {
        match event {
            str0m::Event::Connected => self.active = true,
            str0m::Event::KeyframeRequest(request) => {
                self.key_frames_asked += 1;
                let rid = request.rid.map(|rid| rid.to_string());
                if let Some(track) = self.sending.iter_mut().find(|track| track.mid == request.mid)
                    && let Some(layer) = track.rids.iter().position(|own| *own == rid)
                {
                    track.key_wanted[layer] = true;
                }
            }
            str0m::Event::RtpPacket(packet) => {
                let Some(mid) = self
                    .rtc
                    .direct_api()
                    .stream_rx(&packet.header.ssrc)
                    .map(|stream| stream.mid())
                else {
                    return;
                };
                let key = packet.payload[0] == 0x78;
                let mark = if key {
                    &packet.payload[8..]
                } else {
                    &packet.payload[1..]
                };
                let frame = u32::from_be_bytes([mark[1], mark[2], mark[3], mark[4]]);
                self.got.push(Got {
                    at,
                    mid,
                    seq: *packet.seq_no,
                    time: packet.header.timestamp,
                    marker: packet.header.marker,
                    layer: mark[0],
                    frame,
                    key,
                });
            }
            _ => {}
        }
    }

    fn send_due(&mut self, now: Instant) {
        if !self.active || self.closed {
            return;
        }
        for track in &mut self.sending {
            if !track.running || track.next > now {
                continue;
            }
            track.next = now
                + if track.video {
                    Duration::from_millis(1000 / FPS)
                } else {
                    Duration::from_millis(20)
                };
            track.frame += 1;
            if track.frame == 1 {
                // libwebrtc answers every NACK; str0m's own limit is a share of what is sent.
                for rid in &track.rids {
                    let mut api = self.rtc.direct_api();
                    if let Some(stream) = api.stream_tx_by_mid(track.mid, rid.as_deref().map(Into::into)) {
                        stream.set_rtx_cache(1000, Duration::from_secs(3), None);
                    }
                }
            }
            for layer in (0..track.rids.len())
                .filter(|layer| track.needed[*layer] && *layer < track.carried)
                .collect::<Vec<_>>()
            {
                let key = track.video && std::mem::take(&mut track.key_wanted[layer]);
                let count = track.packets[layer] * if key { 3 } else { 1 };
                let rid = track.rids[layer].as_deref().map(Into::into);
                let mut api = self.rtc.direct_api();
                let Some(stream) = api.stream_tx_by_mid(track.mid, rid) else {
                    continue;
                };
                for index in 0..count {
                    let write = RtpWrite::new(
                        if track.video {
                            Pt::new_with_value(108)
                        } else {
                            Pt::new_with_value(111)
                        },
                        track.seqs[layer].into(),
                        track.frame * if track.video { 3600 } else { 960 },
                        now,
                        payload(track.video, key && index == 0, layer as u8, track.frame),
                    )
                    .marker(index + 1 == count)
                    .ext_vals(ExtensionValues {
                        audio_level: (!track.video).then_some(track.level),
                        voice_activity: (!track.video).then_some(true),
                        ..Default::default()
                    })
                    .nackable(track.video);
                    track.seqs[layer] += 1;
                    stream.write_rtp(write);
                }
            }
            let _ = self.rtc.handle_input(str0m::Input::Timeout(now));
        }
    }

    /// Asks for a key frame of what is received on a section.
    pub(crate) fn ask_key_frame(&mut self, mid: Mid) {
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
        let _ = self.rtc.handle_input(str0m::Input::Timeout(self.now));
    }

    pub(crate) fn restart_ice(&mut self) {
        self.restart_ice = true;
    }

    /// What was received on the section that carries this track.
    pub(crate) fn got_of(&self, track_sid: &str) -> Vec<&Got> {
        let mid = self
            .mid_to_track
            .iter()
            .find(|(_, sid)| *sid == track_sid)
            .map(|(mid, _)| mid.clone());
        self.got
            .iter()
            .filter(|got| Some(got.mid.to_string()) == mid)
            .collect()
    }

    /// The same, of what came after `at`.
    pub(crate) fn got_since(&self, track_sid: &str, at: Duration) -> Vec<&Got> {
        let mut got = self.got_of(track_sid);
        got.retain(|got| got.at > at);
        got
    }

    /// The sid the server gave a published track.
    pub(crate) fn track_sid(&self, cid: &str) -> String {
        let published = self.responses.iter().find_map(|response| match response {
            Response::TrackPublished(published) if published.cid == cid => published.track.clone(),
            _ => None,
        });
        published.expect("the track was announced").sid
    }

    pub(crate) fn left_with(&self) -> Option<proto::DisconnectReason> {
        self.responses.iter().find_map(|response| match response {
            Response::Leave(leave) => Some(leave.reason()),
            _ => None,
        })
    }
}

/// A key frame starts with a STAP-A holding an SPS; everything else is a slice. Layer and frame number follow.
fn payload(video: bool, starts_key: bool, layer: u8, frame: u32) -> Vec<u8> {
    let mut bytes = if starts_key {
        vec![0x78, 0, 2, 0x67, 0x42, 0, 1, 0x68]
    } else {
        vec![0x41]
    };
    if !video {
        bytes = vec![0x01];
    }
    bytes.push(layer);
    bytes.extend_from_slice(&frame.to_be_bytes());
    bytes.resize(if video { 1000 } else { 80 }, 0);
    bytes
}
