//! From received packets to pictures: puts them in order, waits for the repair of what is missing unless a whole key picture
//! is there already, and after a gap passes nothing on until the next key picture. Pure: the caller brings the time.
//!
//! After a gap nobody knows whether the first packet received is the first of its picture. A picture counts as whole only
//! when the packet before it was received or a payload of its own shows where it begins; a key picture that has lost its
//! parameter sets is thus never handed on.

use super::h264::{Depacketiser, begins_unit};
use bytes::Bytes;
use std::collections::BTreeMap;

/// How long a missing packet is waited for, in milliseconds. Repairs are lost too, and another one is under way for as long.
pub const WAIT_LIMIT_MS: u64 = 1_000;
/// After this time without a missing packet a whole key picture behind it is shown instead, in milliseconds.
pub const OVERTAKE_AFTER_MS: u64 = 100;
/// After this time without a missing packet a key picture is asked for as well, in milliseconds: whichever comes first.
pub const KEY_AFTER_MS: u64 = 300;
/// Largest number of packets held back for a missing one.
pub const HELD_LIMIT: usize = 1_024;

/// What comes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Assembled {
    /// A whole picture that can be decoded after the ones before it.
    Picture {
        /// Annex B access unit.
        data: Bytes,
        /// Starts anew.
        key: bool,
        /// RTP timestamp, 90 kHz.
        timestamp: u32,
    },
    /// Pictures were lost; nothing more comes before a key picture, so the sender should be asked for one.
    Gap,
}

#[derive(Debug)]
struct Held {
    came_ms: u64,
    timestamp: u32,
    marker: bool,
    payload: Bytes,
}

/// Assembles one received video stream.
#[derive(Debug, Default)]
pub struct Assembler {
    ssrc: Option<u32>,
    /// Unwrapped number of the next packet in order.
    next: Option<u64>,
    held: BTreeMap<u64, Held>,
    unit: Depacketiser,
    unit_timestamp: Option<u32>,
    /// The packets before the next one were lost, or never seen.
    after_gap: bool,
    /// The picture under way has lost a packet.
    torn: bool,
    wants_key: bool,
    /// Packets came since a whole key picture was last looked for among those held back.
    unsearched: bool,
    lost: u64,
    received: u64,
}

impl Assembler {
    /// For a stream that has not begun; it starts with a key picture.
    pub fn new() -> Self {
        Self {
            after_gap: true,
            wants_key: true,
            ..Self::default()
        }
    }

    /// Whether the sender should be asked for a key picture: nothing can be shown without one, or what is missing may never
    /// come.
    pub fn wants_key(&self, now_ms: u64) -> bool {
        self.wants_key || self.stuck_ms(now_ms) >= KEY_AFTER_MS
    }

    /// For how long the next packet has been missing.
    fn stuck_ms(&self, now_ms: u64) -> u64 {
        let since = self.held.first_key_value().map(|(_, held)| held.came_ms);
        since.map_or(0, |since| now_ms.saturating_sub(since))
    }

    /// Packets given up for lost, and packets received.
    pub fn losses(&self) -> (u64, u64) {
        (self.lost, self.received)
    }

    /// Takes one packet that arrived at `now_ms`.
    #[expect(clippy::too_many_arguments, reason = "the fields of one RTP packet")]
    pub fn push(
        &mut self,
        now_ms: u64,
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        payload: Bytes,
        out: &mut Vec<Assembled>,
    ) {
        if self.ssrc.replace(ssrc) != Some(ssrc) {
            let (lost, received) = self.losses();
            *self = Self {
                ssrc: Some(ssrc),
                lost,
                received,
                ..Self::new()
            };
        }
        self.received += 1;
        let next = *self.next.get_or_insert(u64::from(sequence) + (1 << 16));
        let number = unwrap(next, sequence);
        if number < next {
            return; // A duplicate, or too late.
        }
        let held = Held {
            came_ms: now_ms,
            timestamp,
            // Padding takes a number and carries nothing.
            marker: marker && !payload.is_empty(),
            payload,
        };
        let completes = held.marker;
        self.held.insert(number, held);
        self.unsearched = true;
        self.drain(out);
        // The search puts together all that is held back, so not for every packet: a picture that is completed by another
        // one than its last is found by the next tick.
        if completes || self.held.len() > HELD_LIMIT {
            self.settle(now_ms, out);
        }
    }

    /// Gives up on what is missing for too long. To be called every few tens of milliseconds.
    pub fn tick(&mut self, now_ms: u64, out: &mut Vec<Assembled>) {
        self.settle(now_ms, out);
    }

    fn drain(&mut self, out: &mut Vec<Assembled>) {
        while let Some(next) = self.next
            && let Some(held) = self.held.remove(&next)
        {
            self.next = Some(next + 1);
            self.take(held, out);
        }
    }

    fn settle(&mut self, now_ms: u64, out: &mut Vec<Assembled>) {
        while let Some((&first, _)) = self.held.first_key_value() {
            let stuck_ms = self.stuck_ms(now_ms);
            let go_on_at = if stuck_ms >= WAIT_LIMIT_MS || self.held.len() > HELD_LIMIT {
                Some(first)
            } else if (self.wants_key || stuck_ms >= OVERTAKE_AFTER_MS) && self.unsearched {
                self.unsearched = false;
                self.whole_key()
            } else {
                None
            };
            let Some(go_on_at) = go_on_at else { return };
            self.skip_to(go_on_at, out);
            self.drain(out);
        }
    }

    /// The first packet of a whole key picture among those held back.
    fn whole_key(&self) -> Option<u64> {
        let (mut begin, mut unit) = (None, Depacketiser::default());
        let mut before: Option<(u64, u32)> = None;
        for (&number, held) in &self.held {
            let goes_on = before == Some((number.wrapping_sub(1), held.timestamp));
            before = Some((number, held.timestamp));
            if !goes_on || begin.is_none() {
                unit.clear();
                begin = begins_unit(&held.payload).then_some(number);
            }
            if begin.is_none() {
                continue;
            }
            if unit.push(&held.payload).is_err() {
                begin = None;
            } else if held.marker && unit.take().is_some_and(|(_, key)| key) {
                return begin;
            }
        }
        None
    }

    /// Gives up what is missing before this number.
    fn skip_to(&mut self, number: u64, out: &mut Vec<Assembled>) {
        let next = self
            .next
            .replace(number)
            .expect("packets are held only after the first one set the next number");
        let kept = self.held.split_off(&number);
        self.lost += number - next - self.held.len() as u64;
        self.held = kept;
        self.unsearched = true;
        self.after_gap = true;
        if !self.wants_key {
            self.wants_key = true;
            out.push(Assembled::Gap);
        }
    }

    fn take(&mut self, held: Held, out: &mut Vec<Assembled>) {
        let after_gap = std::mem::take(&mut self.after_gap);
        if held.payload.is_empty() {
            // Padding; what follows it is where it was.
            self.after_gap = after_gap;
            return;
        }
        if self.unit_timestamp != Some(held.timestamp) {
            // The picture before ended without a marker, which some senders do.
            if self.unit_timestamp.is_some() && !self.torn && !after_gap {
                self.finish(out);
            }
            self.unit.clear();
            self.unit_timestamp = Some(held.timestamp);
            self.torn = after_gap;
        } else {
            self.torn |= after_gap;
        }
        if self.torn && begins_unit(&held.payload) {
            self.unit.clear();
            self.torn = false;
        }
        if self.torn {
            if held.marker {
                self.unit.clear();
                self.unit_timestamp = None;
            }
            return;
        }
        if self.unit.push(&held.payload).is_err() {
            self.unit.clear();
            self.torn = true;
            if held.marker {
                self.unit_timestamp = None;
            }
            if !self.wants_key {
                self.wants_key = true;
                out.push(Assembled::Gap);
            }
            return;
        }
        if held.marker {
            self.finish(out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Assembled>) {
        let Some(timestamp) = self.unit_timestamp.take() else {
            return;
        };
        let Some((data, key)) = self.unit.take() else {
            return;
        };
        if key {
            self.wants_key = false;
        }
        if !self.wants_key {
            out.push(Assembled::Picture { data, key, timestamp });
        }
    }
}

/// The number nearest to `near` whose low 16 bits are `sequence` (RFC 3550 appendix A.1).
pub(super) fn unwrap(near: u64, sequence: u16) -> u64 {
    let delta = sequence.wrapping_sub(near as u16) as i16;
    near.saturating_add_signed(i64::from(delta))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::h264::packetise;
    use proptest::prelude::*;
    use rand::seq::SliceRandom;
    use rand::{Rng, SeedableRng};

    type Packet = (u16, u32, bool, Bytes);

    /// Pictures as a sender would send them: a key picture every `every`, each of `size` bytes.
    fn stream(start: u16, pictures: u32, every: u32, size: usize) -> (Vec<Packet>, Vec<Bytes>) {
        let (mut packets, mut units, mut sequence) = (Vec::new(), Vec::new(), start);
        for n in 0..pictures {
            let mut unit = if n % every == 0 {
                vec![0, 0, 0, 1, 0x67, 66, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65]
            } else {
                vec![0, 0, 0, 1, 0x61]
            };
            unit.extend((0..size).map(|i| (i % 200) as u8 + 1));
            let unit = Bytes::from(unit);
            let payloads = packetise(&unit);
            let last = payloads.len() - 1;
            for (i, payload) in payloads.into_iter().enumerate() {
                packets.push((sequence, n * 3_600, i == last, payload));
                sequence = sequence.wrapping_add(1);
            }
            units.push(unit);
        }
        (packets, units)
    }

    fn run(packets: &[(u64, Packet)]) -> Vec<Assembled> {
        let (mut assembler, mut out, mut now) = (Assembler::new(), Vec::new(), 0);
        for (at, (sequence, timestamp, marker, payload)) in packets {
            now = *at;
            assembler.push(now, 7, *sequence, *timestamp, *marker, payload.clone(), &mut out);
        }
        assembler.tick(now + WAIT_LIMIT_MS * 2, &mut out);
        assembler.tick(now + WAIT_LIMIT_MS * 4, &mut out);
        out
    }

    /// Numbers of the pictures shown and the gaps between them, in order.
    fn shown(out: &[Assembled]) -> Vec<Option<u32>> {
        let number = |item: &Assembled| match item {
            Assembled::Gap => None,
            Assembled::Picture { timestamp, .. } => Some(timestamp / 3_600),
        };
        out.iter().map(number).collect()
    }

    #[test]
    fn a_repair_within_the_wait_costs_no_picture_and_a_key_picture_is_asked_for_meanwhile() {
        let (packets, _) = stream(0, 30, 100, 3_000);
        let (mut assembler, mut out) = (Assembler::new(), Vec::new());
        let push = |at, n: usize, assembler: &mut Assembler, out: &mut Vec<_>| {
            let (sequence, timestamp, marker, payload) = packets[n].clone();
            assembler.push(at, 7, sequence, timestamp, marker, payload, out);
        };
        let lost = packets
            .iter()
            .position(|p| p.1 == 10 * 3_600)
            .expect("a tenth picture")
            + 1;
        for n in (0..packets.len()).filter(|n| *n != lost) {
            push(n as u64 * 10, n, &mut assembler, &mut out);
        }
        let since = (lost as u64 + 1) * 10;
        assert!(!assembler.wants_key(since + KEY_AFTER_MS - 1));
        assert!(assembler.wants_key(since + KEY_AFTER_MS));
        assembler.tick(since + WAIT_LIMIT_MS - 1, &mut out);
        assert_eq!(shown(&out).len(), 10);
        push(since + WAIT_LIMIT_MS - 1, lost, &mut assembler, &mut out);
        assert_eq!(shown(&out), (0..30).map(Some).collect::<Vec<_>>());
        assert_eq!(assembler.losses().0, 0);
        assert!(!assembler.wants_key(u64::MAX));
    }

    #[test]
    fn a_whole_key_picture_overtakes_what_is_missing_and_a_torn_one_does_not() {
        for (torn, from) in [(false, 10), (true, 20)] {
            let (packets, _) = stream(40_000, 30, 10, 3_000);
            let of = |picture: u32| {
                packets
                    .iter()
                    .position(|p| p.1 == picture * 3_600)
                    .expect("it was made")
            };
            let gone = [of(8), if torn { of(10) + 3 } else { of(8) }];
            let (mut assembler, mut out) = (Assembler::new(), Vec::new());
            for (n, (sequence, timestamp, marker, payload)) in packets.iter().cloned().enumerate() {
                if !gone.contains(&n) {
                    assembler.push(n as u64 * 8, 7, sequence, timestamp, marker, payload, &mut out);
                }
            }
            let expected: Vec<_> = (0..8)
                .map(Some)
                .chain([None])
                .chain((from..30).map(Some))
                .collect();
            assert_eq!(shown(&out), expected, "torn: {torn}");
            assert_eq!(assembler.losses().0, if torn { 2 } else { 1 });
        }
    }

    proptest! {
        #[test]
        fn order_does_not_matter_within_the_wait(seed in any::<u64>(), start in any::<u16>()) {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let (packets, units) = stream(start, 30, 10, 3_000);
            let mut timed: Vec<_> = packets.into_iter().enumerate().map(|(i, p)| (i as u64 * 5, p)).collect();
            // The first packet sets the number to start from; the others move within windows of eight.
            for window in timed[1..].chunks_mut(8) {
                let times: Vec<u64> = window.iter().map(|(at, _)| *at).collect();
                window.shuffle(&mut rng);
                for (entry, at) in window.iter_mut().zip(times) {
                    entry.0 = at;
                }
            }
            let pictures: Vec<Bytes> = run(&timed).into_iter().map(|a| match a {
                Assembled::Picture { data, .. } => data,
                Assembled::Gap => panic!("nothing was lost"),
            }).collect();
            prop_assert_eq!(pictures, units);
        }

        #[test]
        fn after_a_loss_the_next_picture_is_a_key_and_all_are_whole(seed in any::<u64>(), loss in 0.0..0.3f64) {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let (packets, units) = stream(65_500, 60, 10, 2_500);
            let kept: Vec<_> = packets
                .into_iter()
                .enumerate()
                .filter(|_| !rng.random_bool(loss))
                .map(|(i, p)| (i as u64 * 10, p))
                .collect();
            let mut clean = false;
            for item in run(&kept) {
                match item {
                    Assembled::Gap => clean = false,
                    Assembled::Picture { data, key, .. } => {
                        clean |= key;
                        prop_assert!(clean, "a picture that cannot be decoded");
                        prop_assert!(units.contains(&data), "a picture that was never sent");
                    }
                }
            }
        }

        #[test]
        fn a_key_picture_without_its_first_packets_is_not_shown(gone in 1usize..3, before in 0usize..4, seed in any::<u16>()) {
            // The first key picture is shown, the end of the picture before the second key picture and the parameter sets
            // of that are lost, the third one is whole.
            let (mut packets, units) = stream(seed, 25, 10, 3_000);
            let second = packets.iter().position(|p| p.1 == 10 * 3_600).expect("a second key picture");
            packets.drain(second - before..second + gone);
            let timed: Vec<_> = packets.into_iter().enumerate().map(|(i, p)| (i as u64 * 10, p)).collect();
            let shown = run(&timed);
            let keys: Vec<&Bytes> = shown.iter().filter_map(|a| match a {
                Assembled::Picture { data, key: true, .. } => Some(data),
                _ => None,
            }).collect();
            prop_assert_eq!(keys, vec![&units[0], &units[20]]);
            let gap = shown.iter().position(|a| *a == Assembled::Gap).expect("a gap is said");
            prop_assert!(matches!(&shown[gap + 1], Assembled::Picture { key: true, .. }), "nothing between gap and key");
        }

        #[test]
        fn arbitrary_packets_never_panic(packets in prop::collection::vec(
            (any::<u16>(), any::<u32>(), any::<bool>(), prop::collection::vec(any::<u8>(), 0..20)), 0..200)) {
            let packets: Vec<_> = packets
                .into_iter()
                .enumerate()
                .map(|(i, (s, t, m, p))| (i as u64 * 7, (s, t, m, Bytes::from(p))))
                .collect();
            run(&packets);
        }
    }
}
