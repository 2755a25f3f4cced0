//! The jitter buffer of one remote track: packets in as the network brings them, 10 ms of sound out whenever asked.
//!
//! Timing (how long to wait, stretching and squeezing) is NetEq's, by the crate `neteq`. What it lacks is done here: it
//! plays what it has without noticing holes, so the decoder it is given ([`LossAware`]) sees sequence numbers and fills
//! holes from Opus forward error correction or concealment; and its 32-bit timestamps must not jump or wrap, so they
//! are rebased. The buffer is bounded: packets beyond 2 s of sound push out the oldest.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use neteq::codec::AudioDecoder;
use neteq::delay_manager::DelayConfig;
use neteq::{AudioPacket, NetEq, NetEqConfig, NetEqError, RtpHeader};

use crate::audio::meter::{GapMeter, GapReport};
use crate::audio::opus::{OpusDecoder, may_carry_fec, packet_samples};
use crate::audio::red::{self, RedError};
use crate::audio::{AudioError, BLOCK, Block, PACKET, RATE};

/// Most packets waiting (2 s of 20 ms packets).
const MAX_PACKETS: usize = 100;
/// …nor at less than this: two packets. With one, NetEq stretches the end of every packet.
const MIN_DELAY_MS: u32 = 40;
/// The buffer never aims at more delay than this, in milliseconds.
const MAX_DELAY_MS: u32 = 500;
/// A timestamp further than this from the last one begins a new stretch of sound, in samples (2 s).
const MAX_JUMP: i32 = 2 * RATE as i32;
/// Where rebased timestamps begin, and where they begin again long before wrapping.
const BASE: u32 = 1 << 20;
const REBASE_AT: u32 = u32::MAX - (1 << 28);
/// The decoder fills at most this many lost packets; more is silence anyway.
const MAX_FILL: u16 = 5;
/// Sequence numbers remembered to tell copies from news.
const SEEN: usize = 128;
/// Payload type under which packets are handed to NetEq; it never leaves this file.
const INTERNAL_TYPE: u8 = 0;

/// One received RTP packet of Opus.
#[derive(Debug, Clone, Copy)]
pub struct RtpAudio<'a> {
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp, 48 kHz.
    pub timestamp: u32,
    /// The payload.
    pub payload: &'a [u8],
}

/// The jitter buffer of one track.
pub struct JitterBuffer {
    neteq: NetEq,
    shared: Arc<Mutex<Shared>>,
    /// Real timestamp and rebased timestamp of the newest packet.
    newest: Option<(u32, u32)>,
    seen: VecDeque<u16>,
    packets: u64,
}

/// What the decoder inside NetEq and the buffer outside both see.
#[derive(Default)]
struct Shared {
    gaps: GapMeter,
    /// Sequence number and rebased timestamp that continue the sound without a hole.
    expected: Option<(u16, u32)>,
    lost: u64,
}

impl JitterBuffer {
    /// An empty buffer.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when a decoder cannot be made.
    pub fn new() -> Result<Self, AudioError> {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let config = NetEqConfig {
            sample_rate: RATE,
            channels: 1,
            max_packets_in_buffer: MAX_PACKETS,
            max_delay_ms: MAX_DELAY_MS,
            min_delay_ms: MIN_DELAY_MS,
            // Every packet counts at once: by default nothing does for half a second, during which the empty statistics
            // read as the longest delay allowed and the buffer fills up to it.
            delay_config: DelayConfig {
                resample_interval_ms: None,
                ..DelayConfig::default()
            },
            ..NetEqConfig::default()
        };
        let broken = |e: NetEqError| AudioError::Codec(e.to_string());
        let mut neteq = NetEq::new(config).map_err(broken)?;
        neteq.set_minimum_delay(MIN_DELAY_MS);
        neteq.set_maximum_delay(MAX_DELAY_MS);
        neteq.register_decoder(
            INTERNAL_TYPE,
            Box::new(LossAware {
                opus: OpusDecoder::new()?,
                shared: shared.clone(),
            }),
        );
        Ok(Self {
            neteq,
            shared,
            newest: None,
            seen: VecDeque::with_capacity(SEEN),
            packets: 0,
        })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an Opus packet. Copies, damaged packets and those too late to be heard are dropped.
    pub fn push(&mut self, packet: RtpAudio<'_>) {
        let Some(samples) = packet_samples(packet.payload) else {
            return;
        };
        if self.seen.contains(&packet.sequence) {
            return;
        }
        let at = self.rebase(packet.timestamp);
        if self.shared().expected.is_some_and(|(_, expected)| at < expected) {
            return;
        }
        if self.seen.len() == SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(packet.sequence);
        self.packets += 1;
        // The decoder needs to see sequence and time: they travel in front of the payload.
        let mut payload = Vec::with_capacity(6 + packet.payload.len());
        payload.extend(packet.sequence.to_be_bytes());
        payload.extend(at.to_be_bytes());
        payload.extend_from_slice(packet.payload);
        let header = RtpHeader::new(packet.sequence, at, 0, INTERNAL_TYPE, false);
        let duration_ms = (samples as u32 * 1_000 / RATE).max(1);
        if let Err(error) = self
            .neteq
            .insert_packet(AudioPacket::new(header, payload, RATE, 1, duration_ms))
        {
            tracing::debug!(%error, "the jitter buffer refused a packet");
        }
    }

    /// Takes in a redundant packet (RFC 2198), copies of earlier packets first.
    ///
    /// # Errors
    /// [`RedError`] when the payload is not RFC 2198.
    pub fn push_red(&mut self, packet: RtpAudio<'_>) -> Result<(), RedError> {
        let blocks = red::unpack(packet.payload)?;
        let count = blocks.len();
        for (n, block) in blocks.into_iter().enumerate() {
            // Senders repeat the packets just before, one block each, oldest first.
            let back = (count - 1 - n) as u16;
            self.push(RtpAudio {
                sequence: packet.sequence.wrapping_sub(back),
                timestamp: packet.timestamp.wrapping_sub(block.timestamp_offset),
                payload: block.data,
            });
        }
        Ok(())
    }

    /// Maps a timestamp onto a line that neither jumps nor wraps.
    fn rebase(&mut self, timestamp: u32) -> u32 {
        let Some((real, rebased)) = self.newest else {
            self.newest = Some((timestamp, BASE));
            return BASE;
        };
        let jump = timestamp.wrapping_sub(real) as i32;
        let at = i64::from(rebased) + i64::from(jump);
        if jump.abs() > MAX_JUMP || at >= i64::from(REBASE_AT) || at < 0 {
            // A long pause or another sender: what is left of the old sound is dropped, its timing is worthless now.
            self.neteq.flush();
            self.seen.clear();
            let mut shared = self.shared();
            shared.expected = None;
            shared.gaps.next_packet(true, 0);
            drop(shared);
            self.newest = Some((timestamp, BASE));
            return BASE;
        }
        if jump > 0 {
            self.newest = Some((timestamp, at as u32));
        }
        at as u32
    }

    /// The next 10 ms. Silence before the first packet; fades to silence when the stream stops.
    pub fn pull(&mut self, out: &mut Block) {
        if self.newest.is_none() {
            out.fill(0.0);
            return;
        }
        match self.neteq.get_audio() {
            Ok(frame) => {
                let len = frame.samples.len().min(BLOCK);
                out[..len].copy_from_slice(&frame.samples[..len]);
                out[len..].fill(0.0);
                if frame.speech_type == neteq::neteq::SpeechType::Expand {
                    self.shared().gaps.made_up(10);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the jitter buffer had no sound");
                out.fill(0.0);
                self.shared().gaps.made_up(10);
            }
        }
    }

    /// What was received, concealed and missed.
    pub fn gaps(&self) -> GapReport {
        self.shared().gaps.report()
    }

    /// Milliseconds made up since the last packet that was played: a pause or an interruption still open.
    pub fn open_ms(&self) -> u64 {
        self.shared().gaps.open_ms()
    }

    /// Milliseconds of sound waiting.
    pub fn buffer_ms(&self) -> u32 {
        self.neteq.current_buffer_size_ms()
    }

    /// Milliseconds of sound the buffer aims to hold.
    pub fn target_ms(&self) -> u32 {
        self.neteq.target_delay_ms()
    }

    /// Packets taken in (redundant copies that were news count) and packets found lost.
    pub fn counts(&self) -> (u64, u64) {
        (self.packets, self.shared().lost)
    }
}

/// The decoder NetEq calls, packet by packet in order of time. It notices holes and fills them.
struct LossAware {
    opus: OpusDecoder,
    shared: Arc<Mutex<Shared>>,
}

impl AudioDecoder for LossAware {
    fn sample_rate(&self) -> u32 {
        RATE
    }

    fn channels(&self) -> u8 {
        1
    }

    fn decode(&mut self, encoded: &[u8]) -> neteq::Result<Vec<f32>> {
        let (head, payload) = encoded.split_at_checked(6).unwrap_or((&[0; 6], &[]));
        let sequence = u16::from_be_bytes([head[0], head[1]]);
        let at = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = Vec::with_capacity(2 * PACKET);
        if let Some((expected, expected_at)) = shared.expected {
            if at < expected_at {
                // Its place was already filled.
                return Ok(out);
            }
            let missing = sequence.wrapping_sub(expected);
            let hole = (at - expected_at) as usize / PACKET;
            let paused = missing == 0 && hole > 0;
            let lost = if missing < 1 << 15 {
                missing.min(hole.min(usize::from(u16::MAX)) as u16)
            } else {
                0
            };
            // NetEq made up sound while it waited; only what is still missing is filled in front of this packet.
            let waited = u16::try_from(shared.gaps.open_ms() / 20).unwrap_or(u16::MAX);
            let mut recovered = 0;
            let fill = lost.saturating_sub(waited).min(MAX_FILL);
            for n in (0..fill).rev() {
                let last = n == 0 && may_carry_fec(payload);
                let sound = if last {
                    self.opus.recover(payload)
                } else {
                    self.opus.conceal()
                };
                out.extend_from_slice(sound.unwrap_or(&[0.0; PACKET]));
                recovered += u64::from(last);
            }
            let filled_ms = (u64::from(fill) - recovered) * 20;
            shared.gaps.next_packet(paused, filled_ms);
            shared.gaps.received(recovered * 20);
            shared.lost += u64::from(lost);
        } else {
            shared.gaps.next_packet(true, 0);
        }
        let samples = match self.opus.decode(payload) {
            Ok(sound) => {
                out.extend_from_slice(sound);
                shared.gaps.received(sound.len() as u64 * 1_000 / u64::from(RATE));
                sound.len()
            }
            Err(error) => {
                tracing::debug!(%error, "a damaged packet was passed over");
                PACKET
            }
        };
        shared.expected = Some((sequence.wrapping_add(1), at.saturating_add(samples as u32)));
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::meter::{ToneDetector, mean_square};
    use crate::audio::opus::{OpusEncoder, OpusSettings};
    use crate::audio::red::RedEncoder;

    fn tone_packets(count: usize) -> Vec<Vec<u8>> {
        let settings = OpusSettings {
            dtx: false,
            loss_percent: 20,
            bitrate_bps: 24_000,
            fec: true,
        };
        let mut encoder = OpusEncoder::new(settings).expect("an encoder");
        (0..count)
            .map(|n| {
                let samples = std::array::from_fn(|k| {
                    0.3 * (std::f32::consts::TAU * 440.0 * (n * PACKET + k) as f32 / RATE as f32).sin()
                });
                encoder.encode(&samples).expect("encodes").expect("no pause")
            })
            .collect()
    }

    /// Pushes packets two blocks ahead of playing, leaving out those `lost` names, and returns what was heard.
    fn play(
        buffer: &mut JitterBuffer,
        packets: &[Vec<u8>],
        (first_sequence, first_timestamp): (u16, u32),
        lost: impl Fn(usize) -> bool,
    ) -> Vec<f32> {
        let mut heard = Vec::new();
        let mut block = [0.0; BLOCK];
        for (n, payload) in packets.iter().enumerate() {
            if !lost(n) {
                buffer.push(RtpAudio {
                    sequence: first_sequence.wrapping_add(n as u16),
                    timestamp: first_timestamp.wrapping_add((n * PACKET) as u32),
                    payload,
                });
            }
            for _ in 0..2 {
                buffer.pull(&mut block);
                heard.extend_from_slice(&block);
            }
        }
        heard
    }

    fn tone_share(sound: &[f32]) -> f32 {
        let mut tone = ToneDetector::new(440.0);
        tone.push(sound);
        tone.strength()
    }

    #[test]
    fn an_even_stream_is_played_whole_across_both_wraps() {
        let mut buffer = JitterBuffer::new().expect("a buffer");
        let heard = play(
            &mut buffer,
            &tone_packets(200),
            (u16::MAX - 50, u32::MAX - 50 * 960),
            |_| false,
        );
        assert!(tone_share(&heard[heard.len() / 2..]) > 0.9);
        let gaps = buffer.gaps();
        assert!(gaps.received_ms > 3_700, "{gaps:?}");
        assert_eq!(gaps.gap_ms, 0, "{gaps:?}");
        assert_eq!(buffer.counts(), (200, 0));
    }

    #[test]
    fn single_losses_are_recovered_from_the_next_packet() {
        let mut buffer = JitterBuffer::new().expect("a buffer");
        let heard = play(&mut buffer, &tone_packets(300), (0, 0), |n| n % 10 == 9);
        let gaps = buffer.gaps();
        let (packets, lost) = buffer.counts();
        assert_eq!(packets, 270);
        assert!((26..=30).contains(&lost), "{lost} lost");
        assert!(gaps.concealed_fraction() < 0.06, "{gaps:?}");
        assert!(tone_share(&heard[heard.len() / 2..]) > 0.8);
        // No hole is heard: every 20 ms of the second half has sound in it.
        let quiet = heard[heard.len() / 2..]
            .chunks(PACKET)
            .filter(|b| mean_square(b) < 0.001)
            .count();
        assert_eq!(quiet, 0);
    }

    #[test]
    fn redundancy_makes_scattered_losses_vanish() {
        let mut buffer = JitterBuffer::new().expect("a buffer");
        let mut red = RedEncoder::new(111, 2);
        let mut block = [0.0; BLOCK];
        for (n, payload) in tone_packets(300).iter().enumerate() {
            let packed = red.pack(payload, (n * PACKET) as u32);
            // A third is lost, up to two in a row.
            if n % 6 < 4 {
                let packet = RtpAudio {
                    sequence: n as u16,
                    timestamp: (n * PACKET) as u32,
                    payload: &packed,
                };
                buffer.push_red(packet).expect("our own packing");
            }
            buffer.pull(&mut block);
            buffer.pull(&mut block);
        }
        let (packets, lost) = buffer.counts();
        assert!(packets >= 297 && lost == 0, "{packets} packets, {lost} lost");
    }

    #[test]
    fn a_long_pause_begins_afresh() {
        let mut buffer = JitterBuffer::new().expect("a buffer");
        let packets = tone_packets(100);
        play(&mut buffer, &packets, (0, 0), |_| false);
        let mut block = [0.0; BLOCK];
        (0..400).for_each(|_| buffer.pull(&mut block));
        assert!(mean_square(&block) < 1e-6, "a stopped stream fades to silence");
        // Ten minutes later by the sender's clock.
        let heard = play(&mut buffer, &packets, (100, 600 * RATE), |_| false);
        assert!(tone_share(&heard[heard.len() / 2..]) > 0.9);
        assert_eq!(buffer.gaps().gap_ms, 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_a_peer_sends_panics(packets in proptest::collection::vec((any::<u16>(), any::<u32>(), proptest::collection::vec(any::<u8>(), 0..60), any::<bool>()), 0..60)) {
            let mut buffer = JitterBuffer::new().expect("a buffer");
            let mut block = [0.0; BLOCK];
            for (sequence, timestamp, payload, red) in &packets {
                let packet = RtpAudio { sequence: *sequence, timestamp: *timestamp, payload };
                if *red { let _ = buffer.push_red(packet); } else { buffer.push(packet); }
                buffer.pull(&mut block);
                prop_assert!(block.iter().all(|s| s.is_finite()));
            }
            prop_assert!(buffer.buffer_ms() < 20_000);
        }
    }
}
