//! What is sent to measure a line: packets that look like a hearing's to everything they pass, and hold nothing.
//!
//! Pure; the time comes with each call. Nobody decodes them: each picture begins as a key frame does, so that the server
//! forwards it, and is noise.

use crate::rtp::h264::PAYLOAD_LIMIT;
use crate::transport::{OutPacket, payload};
use bytes::{BufMut, Bytes, BytesMut};
use std::time::Duration;

/// A sound packet every so often.
pub(super) const SOUND_EVERY: Duration = Duration::from_millis(20);
/// As long as 20 ms of 32 kbit/s Opus.
const SOUND_BYTES: usize = 80;
/// Opus in RTP.
const SOUND_CLOCK: u32 = 48_000;
/// Pictures of H.264 in RTP.
const PICTURE_CLOCK: u32 = 90_000;
/// A picture every so often.
const PICTURE_EVERY: Duration = Duration::from_millis(40);
/// As a quiet voice (RFC 6464), without the flag of speech.
const LEVEL: (u8, bool) = (60, false);
/// Sequence parameter set of constrained baseline.
const SPS: [u8; 4] = [0x67, 0x42, 0xe0, 0x1f];
/// FU-A of an IDR slice: beginning, middle and end.
const FRAGMENTS: [[u8; 2]; 3] = [[0x7c, 0x85], [0x7c, 0x05], [0x7c, 0x45]];

fn ticks(at: Duration, clock: u32) -> u32 {
    // Wraps, as RTP time does.
    (at.as_micros() as u64 * u64::from(clock / 1_000) / 1_000) as u32
}

/// Incompressible, so that no tunnel on the way makes it smaller.
fn noise(length: usize, seed: u32) -> impl Iterator<Item = u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
    .take(length)
}

/// Sound packets that say when they were sent.
#[derive(Debug, Default)]
pub(super) struct SoundOut {
    sequence: u16,
    next: Duration,
}

impl SoundOut {
    /// The packet that is due at `now`. Its RTP time is that of sending, so that a sender that was held up is not taken for an
    /// uneven line.
    pub(super) fn due(&mut self, now: Duration) -> Option<OutPacket> {
        if now < self.next {
            return None;
        }
        self.next = (self.next + SOUND_EVERY).max(now + SOUND_EVERY / 2);
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = BytesMut::with_capacity(SOUND_BYTES);
        // The first byte tells Opus what follows: 20 ms of wideband speech.
        bytes.put_u8(0x48);
        bytes.put_u64(now.as_micros() as u64);
        bytes.extend(noise(SOUND_BYTES - 9, u32::from(self.sequence)));
        Some(OutPacket {
            layer: 0,
            payload_type: payload::OPUS,
            sequence: self.sequence,
            timestamp: ticks(now, SOUND_CLOCK),
            marker: false,
            level: Some(LEVEL),
            payload: bytes.freeze(),
        })
    }
}

/// When a sound packet was sent, if it is one of ours.
pub(super) fn sent_at(payload: &[u8]) -> Option<Duration> {
    let stamp = payload.get(1..9)?.try_into().ok()?;
    Some(Duration::from_micros(u64::from_be_bytes(stamp)))
}

/// Pictures at a rate.
#[derive(Debug, Default)]
pub(super) struct PicturesOut {
    sequence: u16,
    /// When the present picture began.
    began: Option<Duration>,
    /// Nothing of it but its beginning was sent.
    is_fresh: bool,
    last: Duration,
    /// What may be sent and was not, in bytes.
    credit: f64,
    sent_bytes: usize,
}

impl PicturesOut {
    /// How much was sent so far.
    pub(super) fn sent_bytes(&self) -> usize {
        self.sent_bytes
    }

    /// Nothing was to be sent until `now`.
    pub(super) fn rest(&mut self, now: Duration) {
        (self.last, self.credit) = (now, 0.0);
    }

    /// What is due at `now` at this rate. Called often it is an even flow, called seldom it comes in bursts.
    pub(super) fn due(&mut self, now: Duration, bps: u64) -> Vec<OutPacket> {
        let passed = now.saturating_sub(self.last).as_secs_f64();
        self.last = now;
        self.credit += passed * bps as f64 / 8.0;
        let mut packets = Vec::new();
        while self.credit >= PAYLOAD_LIMIT as f64 {
            self.credit -= PAYLOAD_LIMIT as f64;
            if self.began.is_none_or(|began| now >= began + PICTURE_EVERY) {
                if self.began.is_some() {
                    self.push(FRAGMENTS[2].into_iter(), true, &mut packets);
                }
                self.began = Some(now);
                self.is_fresh = true;
                self.push(SPS.into_iter(), false, &mut packets);
            }
            let head = FRAGMENTS[usize::from(!std::mem::take(&mut self.is_fresh))];
            let body = noise(PAYLOAD_LIMIT - head.len(), u32::from(self.sequence));
            self.push(head.into_iter().chain(body), false, &mut packets);
        }
        packets
    }

    fn push(&mut self, bytes: impl Iterator<Item = u8>, marker: bool, packets: &mut Vec<OutPacket>) {
        self.sequence = self.sequence.wrapping_add(1);
        let payload: Bytes = bytes.collect();
        self.sent_bytes += payload.len();
        packets.push(OutPacket {
            layer: 0,
            payload_type: payload::H264,
            sequence: self.sequence,
            timestamp: ticks(self.began.unwrap_or_default(), PICTURE_CLOCK),
            marker,
            level: None,
            payload,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::h264::begins_unit;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn sound_is_even_and_tells_when_it_left() {
        let mut sound = SoundOut::default();
        let packets: Vec<_> = (0..1_000).filter_map(|n| sound.due(ms(n))).collect();
        assert_eq!(packets.len(), 50);
        assert_eq!(packets[1].timestamp - packets[0].timestamp, 960);
        assert_eq!(sent_at(&packets[49].payload), Some(ms(980)));
        assert!(packets.iter().all(|packet| packet.payload.len() == SOUND_BYTES));
        assert_eq!(sent_at(&[1, 2, 3]), None);
        // Held up for a while, it does not catch up in a burst.
        assert!(sound.due(ms(5_000)).is_some());
        assert!(sound.due(ms(5_001)).is_none());
    }

    #[test]
    fn pictures_keep_to_their_rate_and_each_can_be_begun_with() {
        let mut pictures = PicturesOut::default();
        let packets: Vec<_> = (0..=1_000).flat_map(|n| pictures.due(ms(n), 2_000_000)).collect();
        let bytes: usize = packets.iter().map(|packet| packet.payload.len()).sum();
        assert!((245_000..255_000).contains(&bytes), "{bytes}");
        assert_eq!(bytes, pictures.sent_bytes());
        for pair in packets.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
            let begins = begins_unit(&pair[1].payload);
            assert_eq!(begins, pair[0].timestamp != pair[1].timestamp);
            assert_eq!(begins, pair[0].marker);
        }
        assert!(begins_unit(&packets[0].payload));
        let begun = packets
            .iter()
            .filter(|packet| begins_unit(&packet.payload))
            .count();
        assert!((20..=26).contains(&begun), "{begun}");
    }

    #[test]
    fn after_a_rest_nothing_is_made_up_for() {
        let mut pictures = PicturesOut::default();
        pictures.rest(ms(10_000));
        assert!(pictures.due(ms(10_001), 1_000_000).is_empty());
    }
}
