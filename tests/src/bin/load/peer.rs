//! One synthetic peer connection on a socket and a thread of its own: sends an H.264-shaped stream, or counts what
//! arrives. Decodes nothing.

use anyhow::{Context, Result};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// Video frames a second of a synthetic stream; its packets leave in bursts of one frame.
const FPS: u32 = 25;
/// Shortest time between two key frames on request.
const KEY_SPACING: Duration = Duration::from_millis(500);

/// Publishers send nothing smaller but parameter sets; padding is smaller.
const SMALLEST_PAYLOAD: usize = 20;

/// Shared by all peers of a run.
#[derive(Default)]
pub(crate) struct Counters {
    /// RTP packets sent by publishers.
    pub(crate) sent: AtomicU64,
    /// RTP packets that reached receivers.
    pub(crate) received: AtomicU64,
    /// Publisher-receiver pairs that carry packets.
    pub(crate) flows: AtomicU64,
    /// Told at each new pair.
    pub(crate) flow: tokio::sync::Notify,
}

/// What a publisher sends.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    /// On average; sent in bursts of one frame.
    pub(crate) packets_per_second: u32,
    /// Bytes after the RTP header.
    pub(crate) payload: usize,
}

/// A peer before its connection is agreed.
pub(crate) struct Peer {
    pub(crate) rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
}

/// What the signalling tells a running peer.
pub(crate) enum Word {
    /// Offer this many more videos to receive; the offer goes back through the sender.
    MoreVideos(usize, tokio::sync::mpsc::UnboundedSender<String>),
    /// The answer to that offer.
    Answer(String),
}

/// Runs until dropped.
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    pub(crate) words: std::sync::mpsc::Sender<Word>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A peer that failed has said so on stderr.
            let _ = thread.join();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the load generator's one reading of the clock"
)]
fn now() -> Instant {
    Instant::now()
}

impl Peer {
    pub(crate) fn new(local: IpAddr) -> Result<Self> {
        let mut rtc = Rtc::builder()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(true)
            .build(now());
        let socket = UdpSocket::bind((local, 0))?;
        let local = socket.local_addr()?;
        rtc.add_local_candidate(Candidate::host(local, "udp")?);
        socket2::SockRef::from(&socket).set_recv_buffer_size(1 << 20)?;
        Ok(Self { rtc, socket, local })
    }

    /// An offer with one video to send.
    pub(crate) fn offer_sending(&mut self, track: &str) -> Result<(SdpOffer, SdpPendingOffer, Mid)> {
        let mut api = self.rtc.sdp_api();
        let mid = api.add_media(
            MediaKind::Video,
            Direction::SendOnly,
            Some(track.into()),
            Some(track.into()),
            None,
        );
        let (offer, pending) = api.apply().context("an added line is a change")?;
        Ok((offer, pending, mid))
    }

    /// An offer with room for `videos` to receive.
    pub(crate) fn offer_receiving(&mut self, videos: usize) -> Result<(SdpOffer, SdpPendingOffer)> {
        let mut api = self.rtc.sdp_api();
        for _ in 0..videos {
            api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        }
        api.apply().context("an added line is a change")
    }

    pub(crate) fn accept(&mut self, pending: SdpPendingOffer, answer: &str) -> Result<()> {
        Ok(self
            .rtc
            .sdp_api()
            .accept_answer(pending, SdpAnswer::from_sdp_string(answer)?)?)
    }

    pub(crate) fn add_candidate(&mut self, candidate: &str) {
        // Candidates over TCP or of families this peer has no socket for are of no use to it.
        if let Ok(candidate) = Candidate::from_sdp_string(candidate.trim_start_matches("candidate:")) {
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// Starts the thread; publishes on `mid` when a stream is given.
    pub(crate) fn run(self, sending: Option<(Mid, Stream)>, counters: Arc<Counters>) -> Result<Running> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let (words, heard) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("load-peer".into())
            .spawn(move || {
                if let Err(error) = drive(self, sending, &counters, &stopped, &heard) {
                    eprintln!("a peer failed: {error:#}");
                }
            })?;
        Ok(Running {
            stop,
            words,
            thread: Some(thread),
        })
    }
}

struct Sending {
    mid: Mid,
    stream: Stream,
    sequence: u64,
    frame: u32,
    next: Instant,
    key_wanted: bool,
    last_key: Option<Instant>,
}

fn drive(
    mut peer: Peer,
    sending: Option<(Mid, Stream)>,
    counters: &Counters,
    stop: &AtomicBool,
    words: &std::sync::mpsc::Receiver<Word>,
) -> Result<()> {
    let mut pending = None;
    // Asked for while an offer is under way: one offer at a time (RFC 3264 §4).
    let mut asked_for = None;
    let mut sending = sending.map(|(mid, stream)| Sending {
        mid,
        stream,
        sequence: 1,
        frame: 0,
        next: now(),
        key_wanted: true,
        last_key: None,
    });
    let mut connected = false;
    let mut highest = HashMap::new();
    let mut buffer = vec![0u8; 2048];
    while !stop.load(Relaxed) {
        match words.try_recv() {
            Ok(Word::MoreVideos(videos, reply)) => asked_for = Some((videos, reply)),
            Ok(Word::Answer(answer)) => {
                if let Some(change) = pending.take() {
                    peer.accept(change, &answer)?;
                }
            }
            Err(_) => {}
        }
        if pending.is_none()
            && let Some((videos, reply)) = asked_for.take()
        {
            let (offer, change) = peer.offer_receiving(videos)?;
            pending = Some(change);
            // The signalling may have ended; then nobody needs the offer.
            let _ = reply.send(offer.to_sdp_string());
        }
        let timeout = loop {
            match peer.rtc.poll_output()? {
                Output::Transmit(packet) => {
                    // A full socket buffer is loss, as on any network.
                    let _ = peer.socket.send_to(&packet.contents, packet.destination);
                }
                Output::Timeout(at) => break at,
                Output::Event(Event::Connected) => {
                    connected = true;
                    if let Some(sending) = sending.as_mut() {
                        sending.next = now();
                    }
                }
                Output::Event(Event::RtpPacket(packet)) => {
                    // Probing packets carry no payload of ours.
                    if packet.payload.len() < SMALLEST_PAYLOAD {
                        continue;
                    }
                    match highest.entry(packet.header.ssrc) {
                        Entry::Vacant(first) => {
                            first.insert(packet.seq_no);
                            counters.flows.fetch_add(1, Relaxed);
                            counters.flow.notify_waiters();
                        }
                        // Sent twice is received once.
                        Entry::Occupied(highest) if packet.seq_no <= *highest.get() => continue,
                        Entry::Occupied(mut highest) => *highest.get_mut() = packet.seq_no,
                    }
                    counters.received.fetch_add(1, Relaxed);
                }
                Output::Event(Event::KeyframeRequest(_)) => {
                    if let Some(sending) = sending.as_mut() {
                        sending.key_wanted = true;
                    }
                }
                Output::Event(_) => {}
            }
        };
        let mut wake = timeout;
        if let Some(sending) = sending.as_mut().filter(|_| connected) {
            if now() >= sending.next {
                send_frame(&mut peer.rtc, sending, counters)?;
                continue;
            }
            wake = wake.min(sending.next);
        }
        let pause = wake
            .saturating_duration_since(now())
            .clamp(Duration::from_micros(100), Duration::from_millis(200));
        peer.socket.set_read_timeout(Some(pause))?;
        match peer.socket.recv_from(&mut buffer) {
            Ok((n, source)) => {
                let Ok(contents) = buffer[..n].try_into() else {
                    continue;
                };
                let receive = Receive {
                    proto: Protocol::Udp,
                    source,
                    destination: peer.local,
                    contents,
                };
                peer.rtc.handle_input(Input::Receive(now(), receive))?;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                peer.rtc.handle_input(Input::Timeout(now()))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn send_frame(rtc: &mut Rtc, sending: &mut Sending, counters: &Counters) -> Result<()> {
    let at = now();
    let key = sending.key_wanted
        && sending
            .last_key
            .is_none_or(|last| at.duration_since(last) >= KEY_SPACING);
    if key {
        sending.key_wanted = false;
        sending.last_key = Some(at);
    }
    let media = rtc.media(sending.mid).context("the line was agreed")?;
    let pt = *media.remote_pts().first().context("the server took H.264")?;
    let packets = (sending.stream.packets_per_second / FPS).max(2);
    let time = sending.frame.wrapping_mul(90_000 / FPS);
    let mut api = rtc.direct_api();
    let tx = api
        .stream_tx_by_mid(sending.mid, None)
        .context("the line has a stream")?;
    tx.set_unpaced(true);
    for i in 0..packets {
        let payload = if key && i == 0 {
            parameter_sets()
        } else {
            fragment(key, i, packets, sending.stream.payload)
        };
        let write = RtpWrite::new(pt, SeqNo::from(sending.sequence), time, at, payload)
            .marker(i + 1 == packets)
            .nackable(true);
        tx.write_rtp(write);
        sending.sequence += 1;
    }
    counters.sent.fetch_add(u64::from(packets), Relaxed);
    rtc.handle_input(Input::Timeout(at))?;
    sending.frame = sending.frame.wrapping_add(1);
    sending.next += Duration::from_secs(1) / FPS;
    Ok(())
}

/// A STAP-A (RFC 6184 §5.7.1) with the SPS and PPS of a 1280x720 constrained-baseline stream.
fn parameter_sets() -> Vec<u8> {
    const SPS: [u8; 14] = [
        0x67, 0x42, 0xe0, 0x1f, 0x8c, 0x8d, 0x40, 0x28, 0x02, 0xdd, 0x08, 0x00, 0x00, 0x03,
    ];
    const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
    let mut out = vec![0x78];
    for nal in [&SPS[..], &PPS[..]] {
        out.extend_from_slice(&(nal.len() as u16).to_be_bytes());
        out.extend_from_slice(nal);
    }
    out
}

/// An FU-A fragment (RFC 6184 §5.8) of an IDR or non-IDR slice.
fn fragment(key: bool, i: u32, of: u32, length: usize) -> Vec<u8> {
    let first = if key { 1 } else { 0 };
    let mut header = if key { 5 } else { 1 };
    if i == first {
        header |= 0x80;
    }
    if i + 1 == of {
        header |= 0x40;
    }
    let mut out = vec![0xa5; length.max(3)];
    out[0] = 0x7c;
    out[1] = header;
    out
}
