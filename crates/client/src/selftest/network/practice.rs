//! A practice room with both ends in this program: one participant sends, the other receives the same back from the server.
//!
//! The connections are those of a hearing ([`crate::signal`], [`crate::transport`]); nothing comes back by itself when one is
//! lost: then there is nothing more to measure.

use super::ramp::{self, STEPS_BPS};
use super::stream::{PicturesOut, SOUND_EVERY, SoundOut, sent_at};
use super::tally::{Back, Tally};
use crate::signal::join::Join;
use crate::signal::{Request, Response, Signal, SignalError};
use crate::transport::tcp::Web;
use crate::transport::webrtc::WebrtcTransport;
use crate::transport::{
    InPacket, MediaTransport, OutPacket, Paths, Purpose, SenderSpec, TrackKind, TransportError,
    TransportEvent, payload,
};
use livekit_protocol as proto;
use protocol::Secret;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::task::TaskTracker;
use url::Url;

/// Pictures while the quality is measured, in bits a second: a small one, in bursts as an encoder makes them.
const QUALITY_BPS: u64 = 400_000;
/// Sent every so often while the rates are measured: the same as an even flow.
const FLOW_EVERY: Duration = Duration::from_millis(5);
/// Where packets go there and back, DTLS gets so much more time: on a line that loses a fifth each way it takes seconds, and that
/// line is bad but not blocked.
const HANDSHAKE: Duration = Duration::from_secs(6);
/// Sent before anything is counted.
const LEAD_IN: Duration = Duration::from_millis(100);
/// While the first packet has not come back, it is looked so often whether it is too late.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Events of one transport that wait.
const QUEUE: usize = 2_048;
/// Sections that the server may ask for.
const SECTIONS: u32 = 4;
/// Without payload: header and extensions, about.
const HEADER_BYTES: usize = 20;
/// Client ids of the tracks.
const SOUND: &str = "practice-sound";
const PICTURE: &str = "practice-picture";
/// What the picture is said to be, so that the server forwards it whole.
const SIZE: (u32, u32) = (1_280, 720);
/// Any will do: nobody else sends in the room.
const SSRCS: [u32; 2] = [0x5e1f_0001, 0x5e1f_0002];

/// The ways into a room.
pub(super) struct Access {
    pub(super) url: Url,
    /// Sends.
    pub(super) me: Secret,
    /// Receives.
    pub(super) mirror: Secret,
}

/// Why no more media comes back.
#[derive(Debug, thiserror::Error)]
pub(super) enum PracticeError {
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the media connection ended")]
    Ended,
    #[error("no media came back in time")]
    Late {
        /// Packets do go there and back.
        has_path: bool,
    },
}

/// What came through, in bits a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) up_bps: Option<u64>,
    pub(super) down_bps: Option<u64>,
}

/// See the module.
pub(super) struct Room {
    me: Peer,
    mirror: Peer,
    began: Instant,
    sound: SoundOut,
    pictures: PicturesOut,
}

impl Room {
    /// Joins with both ends, and returns when the first sound packet has come back. Gives up after `limit`, and later by
    /// [`HANDSHAKE`] where there is a path.
    pub(super) async fn open(
        access: &Access,
        paths: Paths,
        limit: Duration,
        tasks: &TaskTracker,
    ) -> Result<Self, PracticeError> {
        let began = Instant::now();
        let both = async {
            let me = Peer::enter(&access.url, &access.me, paths, Part::Sends, tasks).await?;
            let mirror = Peer::enter(&access.url, &access.mirror, paths, Part::Receives, tasks).await?;
            Ok::<_, PracticeError>((me, mirror))
        };
        let (me, mirror) = timeout(limit, both)
            .await
            .map_err(|_| PracticeError::Late { has_path: false })??;
        let mut room = Self {
            me,
            mirror,
            began: Instant::now(),
            sound: SoundOut::default(),
            pictures: PicturesOut::default(),
        };
        let mut is_back = |_: Duration, packet: &InPacket| packet.payload_type == payload::OPUS;
        while !room
            .run(LOOK_EVERY, SOUND_EVERY, |_, _| Vec::new(), &mut is_back)
            .await?
        {
            let has_path = room.me.transport.has_path() && room.mirror.transport.has_path();
            let more = if has_path { HANDSHAKE } else { Duration::ZERO };
            if began.elapsed() >= limit + more {
                return Err(PracticeError::Late { has_path });
            }
        }
        Ok(room)
    }

    /// Sends sound and pictures for so long and counts the sound that comes back.
    pub(super) async fn mirror_sound(
        &mut self,
        length: Duration,
        tally: &mut Tally,
    ) -> Result<(), PracticeError> {
        let mut is_turn = false;
        let pictures = move |pictures: &mut PicturesOut, now| {
            // Every second time, so that several packets leave together.
            is_turn = !is_turn;
            if is_turn {
                pictures.due(now, QUALITY_BPS)
            } else {
                Vec::new()
            }
        };
        let mut count = |at, packet: &InPacket| {
            if packet.payload_type == payload::OPUS {
                tally.add(Back {
                    at,
                    sent: sent_at(&packet.payload),
                    ssrc: packet.ssrc,
                    sequence: packet.sequence,
                    timestamp: packet.timestamp,
                });
            }
            false
        };
        // What came while the other way was still waited for is not late.
        self.run(LEAD_IN, SOUND_EVERY, |_, _| Vec::new(), &mut |_, _| false)
            .await?;
        self.pictures.rest(self.began.elapsed());
        self.run(length, SOUND_EVERY, pictures, &mut count).await?;
        Ok(())
    }

    /// Sends ever more until the line is full or the time is over, see [`ramp`].
    pub(super) async fn ramp(&mut self, usual_loss: f32, end: Instant) -> Rates {
        self.me.transport.fates().take();
        self.pictures.rest(self.began.elapsed());
        let before = self.pictures.sent_bytes();
        let (mut fates, mut steps, mut came) = (Vec::new(), Vec::new(), Vec::new());
        let mut count = |at, packet: &InPacket| {
            if packet.payload_type == payload::H264 {
                came.push((at, packet.payload.len() + HEADER_BYTES));
            }
            false
        };
        let mut before_bps = 0;
        for bps in STEPS_BPS {
            let from = Instant::now();
            if from + ramp::STEP + ramp::DRAIN > end {
                break;
            }
            let pictures = |pictures: &mut PicturesOut, now| {
                if pictures.sent_bytes() - before < ramp::MOST_BYTES {
                    pictures.due(now, bps)
                } else {
                    Vec::new()
                }
            };
            let ran = self.run(ramp::STEP, FLOW_EVERY, pictures, &mut count).await;
            steps.push((from.into_std(), Instant::now().into_std()));
            fates.extend(self.me.transport.fates().take());
            let outcome = ramp::outcome(&fates, from.into_std(), Instant::now().into_std());
            tracing::debug!(bps, ?outcome, "a step of the ramp");
            if ran.is_err() || !ramp::goes_on(outcome.as_ref(), usual_loss, before_bps) {
                break;
            }
            before_bps = before_bps.max(outcome.and_then(|outcome| outcome.rate_bps).unwrap_or(0));
        }
        // What is still on its way counts too.
        let _ = self
            .run(ramp::DRAIN, SOUND_EVERY, |_, _| Vec::new(), &mut count)
            .await;
        fates.extend(self.me.transport.fates().take());
        let rate = |(from, to): &(std::time::Instant, std::time::Instant)| {
            ramp::outcome(&fates, *from, *to).and_then(|outcome| outcome.rate_bps)
        };
        Rates {
            up_bps: steps.iter().filter_map(rate).max(),
            down_bps: ramp::most(&came),
        }
    }

    /// Sends sound, and what `pictures` says every `tick`, and shows `came` what comes back with its time, for so long or until
    /// `came` says that it is enough; whether it did.
    async fn run(
        &mut self,
        length: Duration,
        tick: Duration,
        mut pictures: impl FnMut(&mut PicturesOut, Duration) -> Vec<OutPacket>,
        came: &mut impl FnMut(Duration, &InPacket) -> bool,
    ) -> Result<bool, PracticeError> {
        let end = Instant::now() + length;
        let mut ticks = interval(tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = sleep_until(end) => return Ok(false),
                _ = ticks.tick(), if self.me.is_connected => {
                    let now = self.began.elapsed();
                    if let Some(packet) = self.sound.due(now) {
                        self.me.transport.send(SOUND, packet).await?;
                    }
                    for packet in pictures(&mut self.pictures, now) {
                        self.me.transport.send(PICTURE, packet).await?;
                    }
                },
                news = self.me.news() => drop(self.me.take(news?).await?),
                news = self.mirror.news() => {
                    if let Some(packet) = self.mirror.take(news?).await?
                        && came(self.began.elapsed(), &packet)
                    {
                        return Ok(true);
                    }
                }
            }
        }
    }
}

/// What a participant does in the room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Sends,
    Receives,
}

/// Something that a connection has for us.
enum News {
    Said(Box<Response>),
    Did(TransportEvent),
}

/// One participant.
struct Peer {
    /// There until it is dropped.
    signal: Option<Signal>,
    transport: Arc<WebrtcTransport>,
    events: mpsc::Receiver<TransportEvent>,
    offers: u32,
    is_connected: bool,
    tasks: TaskTracker,
    runtime: Handle,
}

impl Peer {
    async fn enter(
        url: &Url,
        token: &Secret,
        paths: Paths,
        part: Part,
        tasks: &TaskTracker,
    ) -> Result<Self, PracticeError> {
        let (told, events) = mpsc::channel(QUEUE);
        let local = crate::room::local_address(url);
        let web = Web::new(url.clone(), token.clone());
        let transport =
            WebrtcTransport::open_for(Purpose::Measuring, paths, local, web, told, tasks.clone()).await?;
        let mut peer = Self {
            signal: None,
            transport: Arc::new(transport),
            events,
            offers: 1,
            is_connected: false,
            tasks: tasks.clone(),
            runtime: Handle::current(),
        };
        let tracks = match part {
            Part::Sends => {
                for ((cid, kind), ssrc) in [(SOUND, TrackKind::Audio), (PICTURE, TrackKind::Video)]
                    .into_iter()
                    .zip(SSRCS)
                {
                    let spec = SenderSpec {
                        cid: cid.to_owned(),
                        kind,
                        rids: Vec::new(),
                        ssrcs: vec![ssrc],
                    };
                    peer.transport.add_sender(spec).await?;
                }
                vec![sound_track(), picture_track()]
            }
            Part::Receives => {
                peer.transport.add_receivers(1, 1).await?;
                Vec::new()
            }
        };
        let join = Join {
            offer: Some(peer.transport.offer(false).await?),
            tracks,
            client_version: concat!("self-test ", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Join::default()
        };
        let (signal, _joined, early) = Signal::connect(url, token, &join).await?;
        peer.signal = Some(signal);
        for said in early {
            peer.said(said).await?;
        }
        Ok(peer)
    }

    /// What comes next. Cancel-safe.
    async fn news(&mut self) -> Result<News, PracticeError> {
        let Some(signal) = &mut self.signal else {
            return Err(PracticeError::Ended);
        };
        tokio::select! {
            said = signal.next() => Ok(News::Said(Box::new(said?))),
            event = self.events.recv() => event.map(News::Did).ok_or(PracticeError::Ended),
        }
    }

    /// Does what the news ask for; a received packet is handed on. Not cancel-safe.
    async fn take(&mut self, news: News) -> Result<Option<InPacket>, PracticeError> {
        match news {
            News::Said(said) => self.said(*said).await?,
            News::Did(TransportEvent::Packet(packet)) => return Ok(Some(packet)),
            News::Did(TransportEvent::Connected) => self.is_connected = true,
            News::Did(TransportEvent::Failed) => return Err(PracticeError::Ended),
            News::Did(TransportEvent::Candidate(candidate_init)) => {
                let trickle = proto::TrickleRequest {
                    candidate_init,
                    target: proto::SignalTarget::Publisher as i32,
                    r#final: false,
                };
                self.ask(Request::Trickle(trickle)).await?;
            }
            // Every picture of ours is a key frame.
            News::Did(TransportEvent::Interrupted | TransportEvent::KeyWanted { .. }) => {}
        }
        Ok(None)
    }

    async fn ask(&mut self, request: Request) -> Result<(), PracticeError> {
        if let Some(signal) = &mut self.signal {
            signal.send(request).await?;
        }
        Ok(())
    }

    async fn said(&mut self, said: Response) -> Result<(), PracticeError> {
        match said {
            Response::Answer(answer) if answer.id == 0 || answer.id >= self.offers => {
                self.transport.answer(answer.sdp).await?;
            }
            Response::Trickle(trickle) if !trickle.candidate_init.is_empty() => {
                self.transport.remote_candidate(&trickle.candidate_init).await?;
            }
            Response::MediaSectionsRequirement(more) => {
                let (audio, video) = (more.num_audios.min(SECTIONS), more.num_videos.min(SECTIONS));
                self.transport.add_receivers(audio, video).await?;
                self.offers += 1;
                let offer = proto::SessionDescription {
                    r#type: "offer".to_owned(),
                    sdp: self.transport.offer(false).await?,
                    id: self.offers,
                    ..Default::default()
                };
                self.ask(Request::Offer(offer)).await?;
            }
            Response::Leave(_) => return Err(PracticeError::Ended),
            // Of the others in the room nothing needs to be known: there is one.
            _ => {}
        }
        Ok(())
    }
}

/// Leaves by its own word, so that the room ends at once, also where the measurement was given up.
impl Drop for Peer {
    fn drop(&mut self) {
        let (signal, transport) = (self.signal.take(), Arc::clone(&self.transport));
        let farewell = async move {
            if let Some(mut signal) = signal {
                let leave = proto::LeaveRequest {
                    reason: proto::DisconnectReason::ClientInitiated as i32,
                    action: proto::leave_request::Action::Disconnect as i32,
                    ..Default::default()
                };
                // A server that is gone needs no word.
                let _ = signal.send(Request::Leave(leave)).await;
                signal.close().await;
            }
            transport.close().await;
        };
        self.tasks.spawn_on(farewell, &self.runtime);
    }
}

fn sound_track() -> proto::AddTrackRequest {
    proto::AddTrackRequest {
        cid: SOUND.to_owned(),
        name: "microphone".to_owned(),
        r#type: proto::TrackType::Audio as i32,
        source: proto::TrackSource::Microphone as i32,
        disable_red: true,
        ..Default::default()
    }
}

fn picture_track() -> proto::AddTrackRequest {
    let layers = vec![proto::VideoLayer {
        quality: proto::VideoQuality::High as i32,
        width: SIZE.0,
        height: SIZE.1,
        bitrate: QUALITY_BPS as u32,
        ..Default::default()
    }];
    proto::AddTrackRequest {
        cid: PICTURE.to_owned(),
        name: "camera".to_owned(),
        r#type: proto::TrackType::Video as i32,
        source: proto::TrackSource::Camera as i32,
        width: SIZE.0,
        height: SIZE.1,
        layers: layers.clone(),
        simulcast_codecs: vec![proto::SimulcastCodec {
            codec: "h264".to_owned(),
            cid: PICTURE.to_owned(),
            layers,
            ..Default::default()
        }],
        ..Default::default()
    }
}
