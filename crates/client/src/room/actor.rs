//! The room's one task. Everything that changes the room happens here, one message after another.

use super::track::{OwnTrack, Published, Received, RemoteTrack, Subscription};
use super::{Outgoing, RoomAccess, RoomCommand, RoomEvent, RoomSetup, RoomStats, Views, local_address};
use crate::allocate;
use crate::reconnect;
use crate::signal::join::Join;
use crate::signal::{Leave, Opening, Request, Response, Signal, SignalError};
use crate::transport::tcp::Web;
use crate::transport::webrtc::WebrtcTransport;
use crate::transport::{MediaTransport, TransportError, TransportEvent, payload};
use livekit_protocol as proto;
use protocol::{LinkState, TrackSource};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// The actor looks at its timers this often.
const TICK: Duration = Duration::from_millis(20);
/// A sender is asked for a key picture at most this often.
pub(super) const KEY_EVERY_MS: u64 = 500;
/// Receiving sections of the first offer, for each kind; the server asks for more when it needs them.
const FIRST_SECTIONS: u32 = 3;
/// After this many tries to resume, a full reconnect.
const RESUME_TRIES: u32 = 2;
/// A lost media path is given this long to come back by itself.
const INTERRUPTION_LIMIT_MS: u64 = 4_000;
/// Signalling pings until the server says otherwise, in milliseconds.
const PING_EVERY_MS: u64 = 5_000;
/// Signalling is taken for dead after so long without a word, in milliseconds.
const PONG_LIMIT_MS: u64 = 15_000;
/// Slots of remote tracks start here; the ones below are one's own previews.
pub(super) const FIRST_REMOTE_SLOT: u32 = 16;

type Dialled = Result<(Signal, Opening, Vec<Response>), SignalError>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Resume,
    Full,
}

pub(super) enum Link {
    Up(Box<Signal>),
    Dialling(Mode, Pin<Box<dyn Future<Output = Dialled> + Send>>),
    Waiting(Mode, Instant),
    /// Without a usable token: [`RoomCommand::Access`] goes on.
    NeedsToken,
}

#[expect(clippy::large_enum_variant, reason = "one exists at a time")]
enum Step {
    Dialled(Mode, Dialled),
    Due(Mode),
    Said(Result<Response, SignalError>),
}

enum Flow {
    GoOn,
    Stop,
}

pub(super) struct Room {
    pub(super) access: RoomAccess,
    pub(super) setup: RoomSetup,
    pub(super) outgoing: mpsc::Receiver<Outgoing>,
    pub(super) commands: mpsc::UnboundedReceiver<RoomCommand>,
    pub(super) events: mpsc::Sender<RoomEvent>,
    pub(super) started: Instant,

    pub(super) link: Link,
    pub(super) attempt: u32,
    pub(super) lost_since: Option<Instant>,
    pub(super) last_word_ms: u64,
    pub(super) next_ping_ms: u64,
    pub(super) ping_every_ms: u64,
    pub(super) signal_rtt_ms: u32,

    pub(super) transport: Option<Arc<WebrtcTransport>>,
    pub(super) transport_events: mpsc::Receiver<TransportEvent>,
    pub(super) connected: bool,
    pub(super) interrupted_ms: Option<u64>,
    pub(super) offer_id: u32,
    pub(super) negotiating: bool,
    pub(super) needs_offer: bool,
    pub(super) last_offer: String,
    pub(super) last_answer: Option<proto::SessionDescription>,

    pub(super) own_sid: String,
    /// Our own, as last said; none before the first word.
    pub(super) permission: Option<proto::ParticipantPermission>,
    pub(super) own: HashMap<TrackSource, OwnTrack>,
    pub(super) participants: HashMap<String, proto::ParticipantInfo>,
    pub(super) received: HashMap<Arc<str>, Subscription>,
    pub(super) slots: HashMap<(String, TrackSource), u32>,
    /// The last resort of the transport, which outlives the token it was made with.
    web: Option<Web>,
    pub(super) speakers: HashMap<String, f32>,
    pub(super) said_tracks: Vec<RemoteTrack>,
    pub(super) views: Views,

    pub(super) stats: RoomStats,
    pub(super) stats_at_ms: u64,
    pub(super) stats_base: (u64, u64),
    pub(super) losses_base: (u64, u64),
    pub(super) allocated_ms: u64,
}
impl Room {
    pub(super) fn new(
        access: RoomAccess,
        setup: RoomSetup,
        outgoing: mpsc::Receiver<Outgoing>,
        commands: mpsc::UnboundedReceiver<RoomCommand>,
        events: mpsc::Sender<RoomEvent>,
    ) -> Self {
        let started = Instant::now();
        Self {
            access,
            setup,
            outgoing,
            commands,
            events,
            started,
            link: Link::Waiting(Mode::Full, started),
            attempt: 0,
            lost_since: None,
            last_word_ms: 0,
            next_ping_ms: 0,
            ping_every_ms: PING_EVERY_MS,
            signal_rtt_ms: 0,
            transport: None,
            transport_events: mpsc::channel(1).1,
            connected: false,
            interrupted_ms: None,
            offer_id: 0,
            negotiating: false,
            needs_offer: false,
            last_offer: String::new(),
            last_answer: None,
            own_sid: String::new(),
            permission: None,
            own: HashMap::new(),
            participants: HashMap::new(),
            received: HashMap::new(),
            slots: HashMap::new(),
            web: None,
            speakers: HashMap::new(),
            said_tracks: Vec::new(),
            views: Views::default(),
            stats: RoomStats::default(),
            stats_at_ms: 0,
            stats_base: (0, 0),
            losses_base: (0, 0),
            allocated_ms: 0,
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    pub(super) async fn run(mut self) {
        self.say(RoomEvent::Link(LinkState::Connecting));
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let flow = tokio::select! {
                step = next_step(&mut self.link) => self.step(step).await,
                Some(event) = self.transport_events.recv() => self.transport_event(event).await,
                Some(media) = self.outgoing.recv() => { self.send_media(media).await; Flow::GoOn }
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command).await,
                    None => Flow::Stop,
                },
                _ = tick.tick() => self.tick().await,
            };
            if let Flow::Stop = flow {
                break;
            }
        }
        self.close().await;
    }

    async fn close(&mut self) {
        if let Link::Up(mut signal) = std::mem::replace(&mut self.link, Link::NeedsToken) {
            let leave = proto::LeaveRequest {
                reason: proto::DisconnectReason::ClientInitiated as i32,
                action: proto::leave_request::Action::Disconnect as i32,
                ..Default::default()
            };
            let _ = signal.send(Request::Leave(leave)).await;
            signal.close().await;
        }
        if let Some(transport) = self.transport.take() {
            transport.close().await;
        }
        for subscription in self.received.values() {
            self.setup.sound.close(subscription.info.slot);
        }
        for own in self.own.values() {
            own.stop_encoding();
        }
    }

    /// Events are for the owner; one that does not listen loses them, and must not hold up the media.
    pub(super) fn say(&self, event: RoomEvent) {
        if self.events.try_send(event).is_err() {
            tracing::debug!("the room's owner does not keep up with its events");
        }
    }

    async fn step(&mut self, step: Step) -> Flow {
        match step {
            Step::Due(mode) => {
                if let Err(error) = self.dial(mode).await {
                    tracing::warn!(%error, "no media transport");
                    self.lost(Mode::Full);
                }
                Flow::GoOn
            }
            Step::Dialled(mode, Ok((signal, opening, early))) => {
                self.opened(mode, signal, opening, early).await
            }
            Step::Dialled(mode, Err(error)) => self.refused(mode, error),
            Step::Said(Ok(message)) => {
                self.last_word_ms = self.now_ms();
                self.message(message).await
            }
            Step::Said(Err(error)) => {
                tracing::info!(%error, "signalling was lost");
                self.lost(Mode::Resume);
                Flow::GoOn
            }
        }
    }

    /// Begins to connect. A full join makes a new transport, whose offer goes with the request.
    async fn dial(&mut self, mode: Mode) -> Result<(), TransportError> {
        let mut join = Join {
            client_version: self.setup.client.clone(),
            ..Join::default()
        };
        match mode {
            Mode::Resume => join.resume = Some(self.own_sid.clone()),
            Mode::Full => {
                if let Some(old) = self.transport.take() {
                    self.setup.tasks.spawn(async move { old.close().await });
                }
                let (events, events_in) = mpsc::channel(2_048);
                let web = Web::new(self.access.url.clone(), self.access.token.clone());
                self.web = Some(web.clone());
                let local = local_address(&self.access.url);
                let transport = WebrtcTransport::open(local, web, events, self.setup.tasks.clone()).await?;
                transport.add_receivers(FIRST_SECTIONS, FIRST_SECTIONS).await?;
                self.last_offer = transport.offer(false).await?;
                join.offer = Some(self.last_offer.clone());
                self.offer_id = 1;
                self.negotiating = true;
                self.needs_offer = false;
                self.connected = false;
                self.interrupted_ms = None;
                self.transport = Some(Arc::new(transport));
                self.transport_events = events_in;
                for own in self.own.values_mut() {
                    own.state = Published::No;
                }
            }
        }
        let (url, token) = (self.access.url.clone(), self.access.token.clone());
        self.link = Link::Dialling(
            mode,
            Box::pin(async move { Signal::connect(&url, &token, &join).await }),
        );
        Ok(())
    }

    fn refused(&mut self, mode: Mode, error: SignalError) -> Flow {
        tracing::info!(%error, ?mode, "the media room was not reached");
        match error {
            SignalError::Leave(Leave::Disconnect(reason))
                if reason != proto::DisconnectReason::StateMismatch =>
            {
                self.say(RoomEvent::Over(reason));
                return Flow::Stop;
            }
            SignalError::Leave(_) => self.lost(Mode::Full),
            SignalError::Refused => {
                self.link = Link::NeedsToken;
                self.lost_since.get_or_insert_with(Instant::now);
                self.say(RoomEvent::TokenRefused);
            }
            _ => self.lost(mode),
        }
        Flow::GoOn
    }

    /// Plans the next try.
    pub(super) fn lost(&mut self, mode: Mode) {
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        self.attempt += 1;
        let resumable = mode == Mode::Resume && !self.own_sid.is_empty() && self.attempt <= RESUME_TRIES;
        let mode = if resumable && self.transport.is_some() {
            Mode::Resume
        } else {
            Mode::Full
        };
        let wait = reconnect::delay(self.attempt, &mut self.setup.rng);
        self.link = Link::Waiting(mode, Instant::now() + wait);
        self.say(RoomEvent::Link(LinkState::Retrying {
            attempt: self.attempt,
            retry_in_ms: wait.as_millis() as u32,
            lost_for_ms: since.elapsed().as_millis() as u64,
        }));
    }

    /// The next try is made now. A court that just gave out a token is there, and the token of before may be too old for it.
    fn hurry(&mut self) {
        let now = Instant::now();
        match self.link {
            Link::Waiting(mode, _) => self.link = Link::Waiting(mode, now),
            Link::NeedsToken => self.link = Link::Waiting(Mode::Full, now),
            Link::Up(_) | Link::Dialling(..) => {}
        }
    }

    async fn opened(&mut self, mode: Mode, signal: Signal, opening: Opening, early: Vec<Response>) -> Flow {
        self.link = Link::Up(Box::new(signal));
        self.last_word_ms = self.now_ms();
        match opening {
            Opening::Joined(join) => {
                self.joined(*join);
                if mode == Mode::Resume {
                    // The server took the resume for a new session: our transport does not belong to it.
                    self.lost(Mode::Full);
                    return Flow::GoOn;
                }
            }
            Opening::Resumed(_) => self.resumed().await,
        }
        for message in early {
            if let Flow::Stop = self.message(message).await {
                return Flow::Stop;
            }
        }
        self.publish_all().await;
        Flow::GoOn
    }

    fn joined(&mut self, join: proto::JoinResponse) {
        self.ping_every_ms = match join.ping_interval {
            seconds @ 1..=60 => seconds as u64 * 1_000,
            _ => PING_EVERY_MS,
        };
        self.next_ping_ms = self.now_ms() + self.ping_every_ms;
        if let Some(me) = join.participant {
            self.own_sid = me.sid.clone();
            self.permission = me.permission;
        }
        self.participants.clear();
        self.speakers.clear();
        // A new session of ours knows nothing of what the old one was told.
        for subscription in self.received.values_mut() {
            subscription.told = None;
            subscription.asked_key_ms = None;
        }
        for other in join.other_participants {
            self.participants.insert(other.sid.clone(), other);
        }
        self.match_tracks();
    }

    async fn resumed(&mut self) {
        let published = self.own.values().filter_map(|own| match &own.state {
            Published::As(sid) => Some(proto::TrackPublishedResponse {
                cid: own.cid.clone(),
                track: Some(proto::TrackInfo {
                    sid: sid.clone(),
                    ..Default::default()
                }),
            }),
            _ => None,
        });
        let sync = proto::SyncState {
            answer: self.last_answer.clone(),
            offer: Some(description("offer", self.last_offer.clone(), self.offer_id)),
            publish_tracks: published.collect(),
            subscription: Some(proto::UpdateSubscription {
                subscribe: false,
                ..Default::default()
            }),
            ..Default::default()
        };
        self.request(Request::SyncState(sync)).await;
        self.negotiating = false;
        self.offer(true).await;
        // The path itself may have been up all the time.
        if self.connected {
            self.live();
        }
    }

    /// Media flows.
    fn live(&mut self) {
        self.attempt = 0;
        self.lost_since = None;
        self.say(RoomEvent::Link(LinkState::Live));
    }

    pub(super) async fn request(&mut self, request: Request) {
        let Link::Up(signal) = &mut self.link else { return };
        if let Err(error) = signal.send(request).await {
            tracing::info!(%error, "signalling was lost while sending");
            self.lost(Mode::Resume);
        }
    }

    async fn message(&mut self, message: Response) -> Flow {
        match message {
            Response::Answer(answer) => self.answered(answer).await,
            Response::Trickle(trickle) => {
                if let Some(transport) = &self.transport
                    && !trickle.candidate_init.is_empty()
                    && let Err(error) = transport.remote_candidate(&trickle.candidate_init).await
                {
                    tracing::debug!(%error, "a candidate of the server was not taken");
                }
            }
            Response::Update(update) => {
                for participant in update.participants {
                    self.participant(participant).await;
                }
                self.match_tracks();
                self.publish_all().await;
            }
            Response::TrackPublished(published) => self.published(published).await,
            Response::TrackUnpublished(gone) => self.unpublished_by_server(&gone.track_sid).await,
            Response::Mute(mute) => {
                let own = self
                    .own
                    .values_mut()
                    .find(|own| own.state == Published::As(mute.sid.clone()));
                if let Some(own) = own {
                    own.publication.muted = mute.muted;
                    let source = own.publication.source;
                    self.say(RoomEvent::Muted {
                        source,
                        muted: mute.muted,
                    });
                }
            }
            Response::SpeakersChanged(changed) => self.speakers(changed.speakers),
            Response::SubscribedQualityUpdate(update) => self.wanted_qualities(&update),
            Response::MediaSectionsRequirement(more) => {
                if let Some(transport) = self.transport.clone() {
                    let (audio, video) = (more.num_audios.min(64), more.num_videos.min(64));
                    if let Err(error) = transport.add_receivers(audio, video).await {
                        tracing::warn!(%error, "no further media sections");
                    }
                    self.offer(false).await;
                }
            }
            Response::RefreshToken(token) => self.access.token = protocol::Secret::new(token),
            Response::PongResp(pong) => {
                let rtt = (self.now_ms() as i64).saturating_sub(pong.last_ping_timestamp);
                self.signal_rtt_ms = rtt.clamp(0, 60_000) as u32;
            }
            Response::RequestResponse(response) => self.answered_request(response).await,
            Response::Leave(leave) => match Leave::of(&leave) {
                Leave::Disconnect(reason) => {
                    self.say(RoomEvent::Over(reason));
                    return Flow::Stop;
                }
                Leave::Resume => self.lost(Mode::Resume),
                Leave::Reconnect => self.lost(Mode::Full),
            },
            // Not needed by this client, or of an older version.
            _ => {}
        }
        Flow::GoOn
    }

    async fn answered(&mut self, answer: proto::SessionDescription) {
        if answer.id != 0 && answer.id < self.offer_id {
            tracing::debug!("an answer to an older offer");
            return;
        }
        self.negotiating = false;
        let Some(transport) = self.transport.clone() else {
            return;
        };
        if let Err(error) = transport.answer(answer.sdp.clone()).await {
            tracing::warn!(%error, "the server's answer was not taken");
            self.lost(Mode::Full);
            return;
        }
        self.last_answer = Some(answer);
        if std::mem::take(&mut self.needs_offer) {
            self.offer(false).await;
        }
    }

    /// Sends an offer, now or after the answer that is under way.
    pub(super) async fn offer(&mut self, ice_restart: bool) {
        if self.negotiating && !ice_restart {
            self.needs_offer = true;
            return;
        }
        let Some(transport) = self.transport.clone() else {
            return;
        };
        match transport.offer(ice_restart).await {
            Ok(sdp) => {
                self.negotiating = true;
                self.offer_id += 1;
                self.last_offer = sdp.clone();
                self.request(Request::Offer(description("offer", sdp, self.offer_id)))
                    .await;
            }
            Err(error) => {
                tracing::warn!(%error, "no offer could be made");
                self.lost(Mode::Full);
            }
        }
    }

    async fn participant(&mut self, participant: proto::ParticipantInfo) {
        if participant.sid == self.own_sid {
            if let Some(permission) = participant.permission {
                self.permitted(permission).await;
            }
            return;
        }
        if participant.state() == proto::participant_info::State::Disconnected {
            self.participants.remove(&participant.sid);
            // Nobody will say that they fell silent.
            if self.speakers.remove(&participant.identity).is_some() {
                self.speakers(Vec::new());
            }
        } else {
            self.participants.insert(participant.sid.clone(), participant);
        }
    }

    async fn command(&mut self, command: RoomCommand) -> Flow {
        match command {
            RoomCommand::Publish(publication) => {
                let source = publication.source;
                if self
                    .own
                    .get(&source)
                    .is_some_and(|own| own.same_shape(&publication))
                {
                    self.exchange(publication).await;
                    return Flow::GoOn;
                }
                self.unpublish(source).await;
                let own = OwnTrack::new(publication, String::new(), payload::OPUS);
                self.own.insert(source, own);
                self.allocated_ms = 0;
                self.publish_all().await;
            }
            RoomCommand::Unpublish(source) => self.unpublish(source).await,
            RoomCommand::Mute(source, muted) => {
                let Some(own) = self.own.get_mut(&source) else {
                    return Flow::GoOn;
                };
                if own.publication.muted == muted {
                    return Flow::GoOn;
                }
                own.publication.muted = muted;
                if !muted && let Some(video) = &own.publication.video {
                    video.control.force_key(None);
                }
                self.allocated_ms = 0;
                if let Published::As(sid) = own.state.clone() {
                    self.request(Request::Mute(proto::MuteTrackRequest { sid, muted }))
                        .await;
                }
            }
            RoomCommand::Views(views) => {
                self.views = Views::of(views);
                self.tell_sizes().await;
            }
            RoomCommand::RequestKey(slot) => {
                let sid = self
                    .received
                    .iter()
                    .find(|(_, s)| s.info.slot == slot)
                    .map(|(sid, _)| Arc::clone(sid));
                if let Some(sid) = sid {
                    self.ask_key(&sid).await;
                }
            }
            RoomCommand::Access(access) => {
                if let Some(web) = &self.web {
                    web.renew(access.token.clone());
                }
                self.access = access;
                self.hurry();
            }
            RoomCommand::Retry => {
                if let Link::Waiting(..) = self.link {
                    self.hurry();
                }
            }
            RoomCommand::Break => {
                if let Some(transport) = self.transport.take() {
                    transport.close().await;
                }
                self.connected = false;
                self.lost(Mode::Full);
            }
            RoomCommand::Leave => return Flow::Stop,
        }
        Flow::GoOn
    }

    async fn transport_event(&mut self, event: TransportEvent) -> Flow {
        match event {
            TransportEvent::Packet(packet) => self.packet(packet),
            TransportEvent::KeyWanted { cid, layer } => {
                tracing::debug!(layer, "a receiver wants a key picture");
                let own = self.own.values().find(|own| own.cid == cid);
                if let Some(own) = own
                    && let Some(video) = &own.publication.video
                    && let Some(layer) = own.layers.get(layer)
                {
                    video.control.force_key(Some(layer.layer));
                }
            }
            TransportEvent::Candidate(candidate_init) => {
                let trickle = proto::TrickleRequest {
                    candidate_init,
                    target: proto::SignalTarget::Publisher as i32,
                    r#final: false,
                };
                self.request(Request::Trickle(trickle)).await;
            }
            TransportEvent::Connected => {
                self.connected = true;
                self.interrupted_ms = None;
                if let Link::Up(_) = self.link {
                    self.live();
                }
                self.tell_sizes().await;
            }
            TransportEvent::Interrupted => self.interrupted_ms = Some(self.now_ms()),
            TransportEvent::Failed => {
                self.connected = false;
                self.interrupted_ms = None;
                if let Link::Up(_) = self.link {
                    self.lost(Mode::Resume);
                }
            }
        }
        Flow::GoOn
    }

    async fn tick(&mut self) -> Flow {
        let now_ms = self.now_ms();
        let mut keys = Vec::new();
        let mut shown = Vec::new();
        for (track, subscription) in &mut self.received {
            let Received::Picture(picture) = &mut subscription.media else {
                continue;
            };
            let mut out = Vec::new();
            picture.assembler.tick(now_ms, &mut out);
            if !out.is_empty() {
                shown.push((Arc::clone(track), out));
            }
            if picture.seen_packet && picture.assembler.wants_key(now_ms) && !subscription.info.muted {
                keys.push(Arc::clone(track));
            }
        }
        for (track, out) in shown {
            self.show(&track, out);
        }
        for track in keys {
            self.ask_key(&track).await;
        }
        if now_ms >= self.allocated_ms + allocate::UPDATE_EVERY_MS || self.allocated_ms == 0 {
            self.allocated_ms = now_ms.max(1);
            self.allocate();
            self.tell_sizes().await;
        }
        if let Some(since) = self.interrupted_ms
            && now_ms > since + INTERRUPTION_LIMIT_MS
            && let Link::Up(_) = self.link
        {
            self.interrupted_ms = None;
            self.lost(Mode::Resume);
        }
        if let Link::Up(_) = self.link {
            if now_ms >= self.next_ping_ms {
                self.next_ping_ms = now_ms + self.ping_every_ms;
                let ping = proto::Ping {
                    timestamp: now_ms as i64,
                    rtt: i64::from(self.signal_rtt_ms),
                };
                self.request(Request::PingReq(ping)).await;
            }
            if now_ms > self.last_word_ms + self.ping_every_ms + PONG_LIMIT_MS {
                self.lost(Mode::Resume);
            }
        }
        if now_ms >= self.stats_at_ms + 1_000 {
            self.report(now_ms);
            self.publish_all().await;
        }
        Flow::GoOn
    }

    fn report(&mut self, now_ms: u64) {
        let passed_ms = (now_ms - self.stats_at_ms).max(1);
        self.stats_at_ms = now_ms;
        let (mut lost, mut received, mut switches) = (0, 0, Vec::new());
        let mut jitter_ms = 0;
        for subscription in self.received.values_mut() {
            jitter_ms = jitter_ms.max(subscription.jitter.take_ms().unwrap_or(0));
            if let Received::Picture(picture) = &subscription.media {
                let (l, r) = picture.assembler.losses();
                lost += l;
                received += r;
                switches.push((subscription.info.slot, picture.switches.saturating_sub(1)));
            }
        }
        let path = self
            .transport
            .as_ref()
            .map(|transport| transport.path())
            .unwrap_or_default();
        for own in self.own.values_mut() {
            own.red.set_distance(allocate::repeats(path.loss_out));
        }
        let stats = &mut self.stats;
        let rate = |bytes: u64| (bytes * 8 / passed_ms) as u32;
        stats.sending_kbps = rate(stats.bytes_sent - self.stats_base.0);
        stats.receiving_kbps = rate(stats.bytes_received - self.stats_base.1);
        self.stats_base = (stats.bytes_sent, stats.bytes_received);
        let (new_lost, new_received) = (
            lost.saturating_sub(self.losses_base.0),
            received.saturating_sub(self.losses_base.1),
        );
        self.losses_base = (lost, received);
        let loss_in = new_lost as f32 / (new_lost + new_received).max(1) as f32;
        stats.loss = loss_in.max(path.loss_out);
        stats.rtt_ms = self.signal_rtt_ms.max(path.rtt_ms.unwrap_or(0));
        stats.estimate_bps = path.estimate_bps;
        switches.sort_unstable();
        stats.switches = switches;
        stats.jitter_ms = jitter_ms;
        if self.connected {
            self.say(RoomEvent::Stats(self.stats.clone()));
        }
    }
}

async fn next_step(link: &mut Link) -> Step {
    match link {
        Link::Up(signal) => Step::Said(signal.next().await),
        Link::Dialling(mode, dialled) => {
            let mode = *mode;
            Step::Dialled(mode, dialled.await)
        }
        Link::Waiting(mode, until) => {
            let mode = *mode;
            sleep_until(*until).await;
            Step::Due(mode)
        }
        Link::NeedsToken => std::future::pending().await,
    }
}

fn description(kind: &str, sdp: String, id: u32) -> proto::SessionDescription {
    proto::SessionDescription {
        r#type: kind.to_owned(),
        sdp,
        id,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::NoSound;
    use rand::SeedableRng;
    use tokio_util::task::TaskTracker;

    struct NoPictures;

    impl crate::frames::FrameSink for NoPictures {
        fn frame(&self, _frame: crate::EncodedFrame) {}
    }

    fn access(token: &str) -> RoomAccess {
        RoomAccess {
            url: "ws://127.0.0.1:9".parse().expect("an address"),
            token: protocol::Secret::new(token),
        }
    }

    fn room() -> Room {
        let setup = RoomSetup {
            client: "test".to_owned(),
            frames: Arc::new(NoPictures),
            sound: Arc::new(NoSound),
            rng: rand_chacha::ChaCha8Rng::seed_from_u64(1),
            tasks: TaskTracker::new(),
        };
        let (outgoing, commands, events) = (
            mpsc::channel(1).1,
            mpsc::unbounded_channel().1,
            mpsc::channel(8).0,
        );
        Room::new(access("old"), setup, outgoing, commands, events)
    }

    /// After a restart of the server the token of before is refused and the wait is a long one; the next comes meanwhile.
    #[tokio::test]
    async fn a_new_access_ends_any_wait_and_a_retry_ends_the_one_for_time() {
        let mut room = room();
        for mode in [Mode::Resume, Mode::Full] {
            for command in [RoomCommand::Access(access("new")), RoomCommand::Retry] {
                room.link = Link::Waiting(mode, Instant::now() + Duration::from_secs(15));
                let _goes_on = room.command(command).await;
                assert!(matches!(room.link, Link::Waiting(m, at) if m == mode && at <= Instant::now()));
            }
        }
        assert_eq!(room.access, access("new"));
        room.link = Link::NeedsToken;
        let _goes_on = room.command(RoomCommand::Retry).await;
        assert!(
            matches!(room.link, Link::NeedsToken),
            "the old token would be refused again"
        );
        let _goes_on = room.command(RoomCommand::Access(access("newer"))).await;
        assert!(matches!(room.link, Link::Waiting(Mode::Full, at) if at <= Instant::now()));
    }
}
