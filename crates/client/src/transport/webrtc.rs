//! [`MediaTransport`] on the `webrtc` crate, version 0.21.1.
//!
//! Chosen beside str0m in the SFU so that two different stacks meet in every test. What this file guards against in
//! that version (media.md §1): key frame requests do not reach the application by themselves ([`keyframes`]),
//! lost packets are asked for without regard to their repairs ([`LossRequests`]), nobody is told the round trip to us
//! ([`reference`]),
//! congestion control is opt-in and drifts ([`HonestEstimator`]), and the stack sets neither the `mid` nor the `rid`
//! header extension on what it sends (done here per packet). Retransmissions of ours go out on the original
//! stream: this version sends RTX packets without `rrid`, which no SFU can place.

use super::bandwidth::{HonestEstimator, MAX_BPS, MIN_BPS, PACER_FACTOR, START_BPS, SharedEstimate};
use super::fates::{Fates, Recorder};
use super::inbound::Inbound;
use super::keyframes::{self, wanted};
use super::nack::LossRequests;
use super::reference;
use super::tcp::{self, Tunnels, Web, WithTunnels};
use super::{
    InPacket, MediaTransport, OutPacket, PathStats, Paths, Purpose, SenderSpec, TrackKind, TransportError,
    TransportEvent, payload,
};
use bytes::Bytes;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{
    CongestionControlBuilder, Gcc, NackResponderBuilder, PacerBuilder, Registry, Slot, TwccReceiverBuilder,
    TwccSenderBuilder,
};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_rtcp_reports, configure_simulcast_extension_headers,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MediaEngine,
};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sdp::extmap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
    RTCIceConnectionState, RTCPeerConnectionIceEvent, RTCPeerConnectionState, SettingEngineBuilder,
};
use webrtc::rtp_transceiver::{RtpSender, RtpTransceiver};

const H264_FMTP: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
const OPUS_FMTP: &str = "minptime=10;useinbandfec=1;usedtx=1";

/// Between the stack's own slots, none of which stands here.
const REFERENCE_TIMES: Slot = Slot::Custom(12_500);

/// ICE sends a check this often while it looks for a path; the stack's own 200 ms would be most of a join.
const CHECK_EVERY: Duration = Duration::from_millis(20);
/// Checks without an answer after which an address is given up: two seconds.
const CHECKS: u16 = 100;

/// The connection, see the module.
pub struct WebrtcTransport {
    connection: Arc<dyn PeerConnection>,
    estimate: Arc<SharedEstimate>,
    senders: Mutex<HashMap<String, Sender>>,
    remotes: Arc<Mutex<HashMap<Arc<str>, Remote>>>,
    events: mpsc::Sender<TransportEvent>,
    tasks: TaskTracker,
    tunnels: Arc<Tunnels>,
    web: Web,
    paths: Paths,
    fates: Fates,
    /// Whether ICE has a path now.
    path_found: watch::Receiver<bool>,
}

struct Sender {
    transceiver: Arc<dyn RtpTransceiver>,
    rtp: Arc<dyn RtpSender>,
    track: Arc<TrackLocalStaticRTP>,
    ssrcs: Vec<u32>,
    rids: Vec<&'static str>,
    /// Header extension ids and the mid, known after the answer.
    negotiated: Option<Extensions>,
}

#[derive(Clone, Default)]
struct Extensions {
    mid: Option<(u8, Bytes)>,
    rid: Option<u8>,
    level: Option<u8>,
    red: bool,
}

struct Remote {
    track: Arc<dyn TrackRemote>,
    ssrc: Arc<AtomicU32>,
}

struct Handler {
    events: mpsc::Sender<TransportEvent>,
    remotes: Arc<Mutex<HashMap<Arc<str>, Remote>>>,
    tasks: TaskTracker,
    path_found: watch::Sender<bool>,
    /// Cleared once the connection is up.
    connecting: Arc<AtomicBool>,
}

fn stack(error: impl std::fmt::Display) -> TransportError {
    TransportError::Stack(error.to_string())
}

fn feedback(list: &[(&str, &str)]) -> Vec<RTCPFeedback> {
    list.iter()
        .map(|(typ, parameter)| RTCPFeedback {
            typ: (*typ).into(),
            parameter: (*parameter).into(),
        })
        .collect()
}

fn opus() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: MIME_TYPE_OPUS.into(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: OPUS_FMTP.into(),
            rtcp_feedback: Vec::new(),
        },
        payload_type: payload::OPUS,
    }
}

fn red() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: "audio/red".into(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: format!("{0}/{0}", payload::OPUS),
            rtcp_feedback: Vec::new(),
        },
        payload_type: payload::RED,
    }
}

fn h264() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: MIME_TYPE_H264.into(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: H264_FMTP.into(),
            rtcp_feedback: feedback(&[
                ("ccm", "fir"),
                ("nack", ""),
                ("nack", "pli"),
                ("transport-cc", ""),
            ]),
        },
        payload_type: payload::H264,
    }
}

fn h264_rtx() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: MIME_TYPE_RTX.into(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: format!("apt={}", payload::H264),
            rtcp_feedback: Vec::new(),
        },
        payload_type: payload::H264_RTX,
    }
}

impl WebrtcTransport {
    /// Opens sockets on `local` (an interface address, or unspecified for all of them) and starts the stack.
    pub async fn open(
        local: IpAddr,
        web: Web,
        events: mpsc::Sender<TransportEvent>,
        tasks: TaskTracker,
    ) -> Result<Self, TransportError> {
        Self::open_for(Purpose::Hearing, Paths::Any, local, web, events, tasks).await
    }

    /// The same for another purpose than a hearing, or on certain ways only.
    pub async fn open_for(
        purpose: Purpose,
        paths: Paths,
        local: IpAddr,
        web: Web,
        events: mpsc::Sender<TransportEvent>,
        tasks: TaskTracker,
    ) -> Result<Self, TransportError> {
        let mut media = MediaEngine::default();
        for codec in [opus(), red()] {
            media.register_codec(codec, RtpCodecKind::Audio).map_err(stack)?;
        }
        for codec in [h264(), h264_rtx()] {
            media.register_codec(codec, RtpCodecKind::Video).map_err(stack)?;
        }
        for (uri, kind) in [
            (extmap::AUDIO_LEVEL_URI, RtpCodecKind::Audio),
            (extmap::SDES_MID_URI, RtpCodecKind::Audio),
        ] {
            let extension = RTCRtpHeaderExtensionCapability { uri: uri.into() };
            media
                .register_header_extension(extension, kind, None)
                .map_err(stack)?;
        }
        configure_simulcast_extension_headers(&mut media).map_err(stack)?;
        let (estimator, estimate) = HonestEstimator::new(Gcc::new(START_BPS, MIN_BPS, MAX_BPS));
        // Transport-wide feedback for pictures only: servers that do not negotiate it for sound (LiveKit among them)
        // would have every sound packet counted as lost.
        let twcc = RTCRtpHeaderExtensionCapability {
            uri: extmap::TRANSPORT_CC_URI.into(),
        };
        media
            .register_header_extension(twcc, RtpCodecKind::Video, None)
            .map_err(stack)?;
        let fates = Fates::default();
        let registry = Registry::new()
            .with(Slot::TwccSender, TwccSenderBuilder::new().build())
            .with(Slot::TwccReceiver, TwccReceiverBuilder::new().build());
        let registry = match purpose {
            Purpose::Hearing => registry
                .with(
                    Slot::CongestionControl,
                    CongestionControlBuilder::new(estimator).build(),
                )
                .with(
                    Slot::Pacer,
                    PacerBuilder::new()
                        .with_target_bitrate(START_BPS * PACER_FACTOR)
                        .build(),
                )
                .with(Slot::NackResponder, NackResponderBuilder::new().build())
                .with(Slot::NackGenerator, LossRequests::default()),
            Purpose::Measuring => registry.with(
                Slot::CongestionControl,
                CongestionControlBuilder::new(Recorder(fates.clone())).build(),
            ),
        };
        let registry =
            configure_rtcp_reports(registry).with(REFERENCE_TIMES, Inbound::new(reference::answer));
        // After every interceptor that reads RTCP.
        let registry = registry.with(Slot::from(14_000), Inbound::new(keyframes::let_through));

        let settings = SettingEngineBuilder::new()
            .with_include_loopback_candidate(local.is_loopback())
            // No server names itself by mDNS, and a machine without a multicast route could not open the stack at all.
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(Some(CHECK_EVERY), Some(CHECKS))
            .build();
        let remotes = Arc::new(Mutex::new(HashMap::new()));
        let (found, path_found) = watch::channel(false);
        let connecting = Arc::new(AtomicBool::new(true));
        let handler = Handler {
            events: events.clone(),
            connecting: Arc::clone(&connecting),
            remotes: Arc::clone(&remotes),
            tasks: tasks.clone(),
            path_found: found,
        };
        let tunnels = Tunnels::new(tasks.clone());
        let connection = PeerConnectionBuilder::new()
            .with_runtime(Arc::new(WithTunnels {
                tunnels: Arc::clone(&tunnels),
                connecting,
            }))
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings)
            .with_handler(Arc::new(handler))
            .with_udp_addrs(vec![std::net::SocketAddr::new(local, 0)])
            .build()
            .await
            .map_err(stack)?;
        Ok(Self {
            connection: Arc::new(connection),
            estimate,
            senders: Mutex::default(),
            remotes,
            events,
            tasks,
            tunnels,
            web,
            paths,
            fates,
            path_found,
        })
    }

    /// Whether packets go there and back now, with or without DTLS.
    pub fn has_path(&self) -> bool {
        *self.path_found.borrow()
    }

    /// What became of the picture packets of a transport for [`Purpose::Measuring`].
    pub fn fates(&self) -> &Fates {
        &self.fates
    }

    /// Shows the agent the server's TCP addresses too, unless UDP connects in time.
    fn fall_back_to(&self, passive: Vec<String>) {
        let after = match self.paths {
            Paths::Any => tcp::FALL_BACK_AFTER,
            Paths::TcpOnly => Duration::ZERO,
            Paths::UdpOnly | Paths::WebOnly => return,
        };
        let stand_ins = passive
            .iter()
            .filter_map(|candidate| self.tunnels.stand_in(candidate));
        self.show_later(after, stand_ins.collect());
    }

    /// Shows the agent the way through a WebSocket too, unless another connects in time.
    fn last_resort(&self) {
        let after = match self.paths {
            Paths::Any => tcp::LAST_RESORT_AFTER,
            Paths::WebOnly => Duration::ZERO,
            Paths::UdpOnly | Paths::TcpOnly => return,
        };
        self.show_later(
            after,
            self.tunnels.last_resort(self.web.clone()).into_iter().collect(),
        );
    }

    fn show_later(&self, after: Duration, stand_ins: Vec<String>) {
        if stand_ins.is_empty() || *self.path_found.borrow() {
            return;
        }
        let connection = Arc::downgrade(&self.connection);
        let mut path_found = self.path_found.clone();
        self.tasks.spawn(async move {
            let better = timeout(after, path_found.wait_for(|found| *found)).await;
            let (Err(_), Some(connection)) = (better, connection.upgrade()) else {
                return;
            };
            tracing::info!(ways = stand_ins.len(), "no path so far, the next best is tried");
            for candidate in stand_ins {
                if let Err(error) = connection.add_ice_candidate(init(candidate)).await {
                    tracing::debug!(%error, "a stand-in was not taken");
                }
            }
        });
    }

    /// Reads the header extension ids that the answer settled.
    async fn learn_extensions(&self) {
        for sender in self.senders.lock().await.values_mut() {
            let Ok(parameters) = sender.rtp.get_parameters().await else {
                continue;
            };
            let id = |uri: &str| {
                parameters
                    .rtp_parameters
                    .header_extensions
                    .iter()
                    .find(|extension| extension.uri == uri)
                    .and_then(|extension| u8::try_from(extension.id).ok())
            };
            let mid = sender.transceiver.mid().await.ok().flatten();
            sender.negotiated = Some(Extensions {
                mid: id(extmap::SDES_MID_URI).zip(mid.map(Bytes::from)),
                rid: id(extmap::SDES_RTP_STREAM_ID_URI),
                level: id(extmap::AUDIO_LEVEL_URI),
                red: parameters
                    .rtp_parameters
                    .codecs
                    .iter()
                    .any(|codec| codec.payload_type == payload::RED),
            });
        }
    }
}

#[async_trait::async_trait]
impl MediaTransport for WebrtcTransport {
    async fn add_receivers(&self, audio: u32, video: u32) -> Result<(), TransportError> {
        for (kind, count) in [(RtpCodecKind::Audio, audio), (RtpCodecKind::Video, video)] {
            for _ in 0..count {
                let init = RTCRtpTransceiverInit {
                    direction: RTCRtpTransceiverDirection::Recvonly,
                    streams: Vec::new(),
                    send_encodings: Vec::new(),
                };
                self.connection
                    .add_transceiver_from_kind(kind, Some(init))
                    .await
                    .map_err(stack)?;
            }
        }
        Ok(())
    }

    async fn add_sender(&self, spec: SenderSpec) -> Result<(), TransportError> {
        let (kind, codec) = match spec.kind {
            TrackKind::Audio => (RtpCodecKind::Audio, opus()),
            TrackKind::Video => (RtpCodecKind::Video, h264()),
        };
        let rids: Vec<&'static str> = if spec.rids.is_empty() {
            vec![""]
        } else {
            spec.rids.clone()
        };
        let mut ssrcs = Vec::new();
        let mut encodings = Vec::new();
        for (rid, ssrc) in rids.iter().zip(spec.ssrcs) {
            ssrcs.push(ssrc);
            encodings.push(RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters {
                    rid: (*rid).to_owned(),
                    ssrc: Some(ssrc),
                    ..Default::default()
                },
                active: true,
                codec: codec.rtp_codec.clone(),
                ..Default::default()
            });
        }
        let track = MediaStreamTrack::new(
            format!("mingting-{}", spec.cid),
            spec.cid.clone(),
            spec.cid.clone(),
            kind,
            encodings.clone(),
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: Vec::new(),
            send_encodings: encodings,
        };
        let transceiver = self
            .connection
            .add_transceiver_from_track(Arc::clone(&track) as Arc<dyn TrackLocal>, Some(init))
            .await
            .map_err(stack)?;
        let preferences = match spec.kind {
            TrackKind::Audio => vec![opus(), red()],
            // Without RTX, see the module.
            TrackKind::Video => vec![h264()],
        };
        transceiver
            .set_codec_preferences(preferences)
            .await
            .map_err(stack)?;
        let rtp = transceiver
            .sender()
            .await
            .map_err(stack)?
            .ok_or(TransportError::UnknownSender)?;
        let feedback = Arc::clone(&track);
        let events = self.events.clone();
        let (cid, of) = (spec.cid.clone(), ssrcs.clone());
        self.tasks.spawn(async move {
            while let Some(event) = feedback.poll().await {
                let TrackLocalEvent::OnRtcpPacket(packets) = event else {
                    continue;
                };
                for ssrc in wanted(&packets) {
                    if let Some(layer) = of.iter().position(|own| *own == ssrc) {
                        let event = TransportEvent::KeyWanted {
                            cid: cid.clone(),
                            layer,
                        };
                        if events.send(event).await.is_err() {
                            return;
                        }
                    }
                }
            }
        });
        let sender = Sender {
            transceiver,
            rtp,
            track,
            ssrcs,
            rids,
            negotiated: None,
        };
        self.senders.lock().await.insert(spec.cid, sender);
        Ok(())
    }

    async fn remove_sender(&self, cid: &str) -> Result<(), TransportError> {
        let sender = self
            .senders
            .lock()
            .await
            .remove(cid)
            .ok_or(TransportError::UnknownSender)?;
        self.connection.remove_track(&sender.rtp).await.map_err(stack)
    }

    async fn offer(&self, ice_restart: bool) -> Result<String, TransportError> {
        let options = RTCOfferOptions { ice_restart };
        let offer = self.connection.create_offer(Some(options)).await.map_err(stack)?;
        let sdp = offer.sdp.clone();
        self.connection
            .set_local_description(offer)
            .await
            .map_err(stack)?;
        Ok(sdp)
    }

    async fn answer(&self, sdp: String) -> Result<(), TransportError> {
        let passive = candidates(&sdp)
            .into_iter()
            .filter(|c| tcp::is_passive(c))
            .collect();
        let sdp = if matches!(self.paths, Paths::TcpOnly | Paths::WebOnly) {
            without_udp(&sdp)
        } else {
            sdp
        };
        let stranded = stranded_candidates(&sdp);
        let answer = RTCSessionDescription::answer(sdp).map_err(stack)?;
        self.connection
            .set_remote_description(answer)
            .await
            .map_err(stack)?;
        for candidate in stranded {
            self.connection
                .add_ice_candidate(init(candidate))
                .await
                .map_err(stack)?;
        }
        self.fall_back_to(passive);
        self.last_resort();
        self.learn_extensions().await;
        Ok(())
    }

    async fn remote_candidate(&self, json: &str) -> Result<(), TransportError> {
        let candidate: RTCIceCandidateInit = serde_json::from_str(json).map_err(stack)?;
        if tcp::is_passive(&candidate.candidate) {
            self.fall_back_to(vec![candidate.candidate]);
            return Ok(());
        }
        if matches!(self.paths, Paths::TcpOnly | Paths::WebOnly) {
            return Ok(());
        }
        self.connection.add_ice_candidate(candidate).await.map_err(stack)
    }

    async fn send(&self, cid: &str, packet: OutPacket) -> Result<(), TransportError> {
        let (rtp, track) = {
            let senders = self.senders.lock().await;
            let sender = senders.get(cid).ok_or(TransportError::UnknownSender)?;
            let Some(extensions) = &sender.negotiated else {
                return Ok(());
            };
            let Some(ssrc) = sender.ssrcs.get(packet.layer).copied() else {
                return Ok(());
            };
            let mut header = rtc::rtp::Header {
                version: 2,
                marker: packet.marker,
                payload_type: packet.payload_type,
                sequence_number: packet.sequence,
                timestamp: packet.timestamp,
                ssrc,
                ..Default::default()
            };
            if let Some((id, mid)) = &extensions.mid {
                header.set_extension(*id, mid.clone()).map_err(stack)?;
            }
            if let (Some(id), Some(rid)) = (extensions.rid, sender.rids.get(packet.layer))
                && !rid.is_empty()
            {
                header
                    .set_extension(id, Bytes::from_static(rid.as_bytes()))
                    .map_err(stack)?;
            }
            if let (Some(id), Some((level, voice))) = (extensions.level, packet.level) {
                let value = (level & 0x7f) | if voice { 0x80 } else { 0 };
                header
                    .set_extension(id, Bytes::copy_from_slice(&[value]))
                    .map_err(stack)?;
            }
            (
                rtc::rtp::Packet {
                    header,
                    payload: packet.payload,
                },
                Arc::clone(&sender.track),
            )
        };
        track.write_rtp(rtp).await.map_err(stack)
    }

    async fn redundancy(&self, cid: &str) -> bool {
        let senders = self.senders.lock().await;
        senders
            .get(cid)
            .and_then(|sender| sender.negotiated.as_ref())
            .is_some_and(|negotiated| negotiated.red)
    }

    async fn request_key(&self, track: &str) -> Result<(), TransportError> {
        let (remote, media_ssrc) = {
            let remotes = self.remotes.lock().await;
            let Some(remote) = remotes.get(track) else {
                return Ok(());
            };
            (Arc::clone(&remote.track), remote.ssrc.load(Ordering::Relaxed))
        };
        let pli = PictureLossIndication {
            sender_ssrc: 0,
            media_ssrc,
        };
        remote.write_rtcp(vec![Box::new(pli)]).await.map_err(stack)
    }

    fn wants(&self, bps: u32) {
        self.estimate.want(bps);
    }

    fn path(&self) -> PathStats {
        PathStats {
            estimate_bps: self.estimate.bps(),
            loss_out: self.estimate.loss(),
            rtt_ms: self.estimate.rtt_ms(),
        }
    }

    async fn close(&self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "the media connection did not close cleanly");
        }
    }
}

/// The UDP candidates of an answer whose sections are all inactive. The stack does not look there, and without them a
/// person who may not hear anything yet would only begin to connect when admitted.
fn stranded_candidates(sdp: &str) -> Vec<String> {
    let sections: Vec<&str> = sdp.split("\nm=").skip(1).collect();
    let inactive = |section: &&&str| section.lines().any(|line| line.trim_end() == "a=inactive");
    if sections.iter().filter(inactive).count() != sections.len() {
        return Vec::new();
    }
    let mut candidates = candidates(sdp);
    candidates.retain(|candidate| !tcp::is_passive(candidate));
    candidates
}

/// A description without the candidates that are not of passive TCP.
fn without_udp(sdp: &str) -> String {
    let is_kept = |line: &&str| match line.trim_end().strip_prefix("a=") {
        Some(attribute) => !attribute.starts_with("candidate:") || tcp::is_passive(attribute),
        None => true,
    };
    sdp.split_inclusive('\n').filter(is_kept).collect()
}

/// All candidates of a description, each once.
fn candidates(sdp: &str) -> Vec<String> {
    let mut candidates: Vec<String> = sdp
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("a="))
        .filter(|attribute| attribute.starts_with("candidate:"))
        .map(str::to_owned)
        .collect();
    candidates.sort_unstable();
    candidates.dedup();
    candidates
}

/// A candidate of the one transport that all sections share.
fn init(candidate: String) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate,
        sdp_mid: Some("0".into()),
        ..Default::default()
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let Ok(init) = event.candidate.to_json() else {
            return;
        };
        if let Ok(json) = serde_json::to_string(&init) {
            // A full queue loses a candidate of many; the server learns our address from our checks anyway.
            let _ = self.events.try_send(TransportEvent::Candidate(json));
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        let found = matches!(
            state,
            RTCIceConnectionState::Connected | RTCIceConnectionState::Completed
        );
        self.path_found.send_replace(found);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let event = match state {
            RTCPeerConnectionState::Connected => {
                self.connecting.store(false, Ordering::Relaxed);
                TransportEvent::Connected
            }
            RTCPeerConnectionState::Disconnected => TransportEvent::Interrupted,
            RTCPeerConnectionState::Failed => TransportEvent::Failed,
            _ => return,
        };
        let _ = self.events.send(event).await;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let id: Arc<str> = track.track_id().await.into();
        let ssrc = Arc::new(AtomicU32::new(track.ssrcs().await.first().copied().unwrap_or(0)));
        let remote = Remote {
            track: Arc::clone(&track),
            ssrc: Arc::clone(&ssrc),
        };
        self.remotes.lock().await.insert(Arc::clone(&id), remote);
        let (events, remotes) = (self.events.clone(), Arc::clone(&self.remotes));
        self.tasks.spawn(async move {
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else {
                    continue;
                };
                ssrc.store(packet.header.ssrc, Ordering::Relaxed);
                let packet = InPacket {
                    track: Arc::clone(&id),
                    ssrc: packet.header.ssrc,
                    payload_type: packet.header.payload_type,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    marker: packet.header.marker,
                    payload: packet.payload,
                };
                if events.send(TransportEvent::Packet(packet)).await.is_err() {
                    return;
                }
            }
            let mut remotes = remotes.lock().await;
            // A later track may have taken over the id.
            if remotes
                .get(&id)
                .is_some_and(|remote| Arc::ptr_eq(&remote.ssrc, &ssrc))
            {
                remotes.remove(&id);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_tcp_alone_nothing_else_is_left_of_the_candidates() {
        let sdp = "v=0\r\na=candidate:1 1 udp 1 127.0.0.1 7882 typ host\r\na=mid:0\r\n\
                   a=candidate:2 1 tcp 1 127.0.0.1 7881 typ host tcptype passive\r\n";
        assert_eq!(
            without_udp(sdp),
            "v=0\r\na=mid:0\r\na=candidate:2 1 tcp 1 127.0.0.1 7881 typ host tcptype passive\r\n"
        );
    }

    #[test]
    fn candidates_are_rescued_only_where_the_stack_would_not_look() {
        let section = |direction: &str| {
            format!(
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na={direction}\r\na=candidate:1 1 udp 1 127.0.0.1 7882 typ host\r\n\
                 a=candidate:2 1 tcp 1 127.0.0.1 7881 typ host tcptype passive\r\n"
            )
        };
        let sdp = |directions: &[&str]| {
            let sections: String = directions.iter().map(|direction| section(direction)).collect();
            format!("v=0\r\ns=-\r\n{sections}")
        };
        assert_eq!(
            stranded_candidates(&sdp(&["inactive", "inactive"])),
            ["candidate:1 1 udp 1 127.0.0.1 7882 typ host"]
        );
        assert!(stranded_candidates(&sdp(&["inactive", "sendonly"])).is_empty());
        assert!(stranded_candidates("").is_empty());
    }
}
