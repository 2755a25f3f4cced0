//! One receiver's copy of a track: which source layer feeds it, and the sequence numbers, timestamps and VP8
//! picture numbers it is given, so that it sees one unbroken stream whatever layer it comes from. Layers change
//! only at key frames. Never touches a payload.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use str0m::rtp::{Vp8Descriptor, Vp8Patch};

/// A packet of the source track, as far as numbering is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    /// Source layer.
    pub layer: usize,
    /// Extended sequence number.
    pub seq: u64,
    /// RTP time in the clock rate of the codec.
    pub time: u32,
    /// When it came in.
    pub at: Instant,
    /// The layer can be joined here. Always true for sound.
    pub starts_key_frame: bool,
    /// May be left out to lower the frame rate.
    pub discardable: bool,
}

/// The numbers to write on the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Extended sequence number.
    pub seq: u64,
    /// RTP time.
    pub time: u32,
    /// The receiver starts on another layer (or for the first time) with this packet.
    pub switched: bool,
}

/// How many places of left-out packets are remembered, for packets that arrive late.
const REMEMBERED_DROPS: usize = 64;

/// Numbering of one outgoing RTP stream. Outlives the track it carries: the stream's SSRC is reused for the
/// next track, and its sequence numbers must go on.
#[derive(Debug, Clone)]
pub(crate) struct OutStream {
    clock_rate: u32,
    next_seq: u64,
    last_time: u32,
    last_at: Option<Instant>,
    next_picture: u16,
    next_tl0: u8,
}

impl OutStream {
    /// A stream nothing was sent on.
    pub(crate) fn new(clock_rate: u32) -> Self {
        OutStream {
            clock_rate,
            next_seq: 1,
            last_time: 0,
            last_at: None,
            next_picture: 0,
            next_tl0: 0,
        }
    }

    /// The RTP time a packet arriving at `at` gets when the source clock changes: as much later as it arrived.
    fn time_at(&self, at: Instant, fallback: u32) -> u32 {
        let Some(last_at) = self.last_at else {
            return fallback;
        };
        let elapsed = at.saturating_duration_since(last_at).min(MAX_TIME_GAP);
        let ticks = elapsed.as_micros() as u64 * u64::from(self.clock_rate) / 1_000_000;
        // Never the same instant as the frame before: receivers would join the two.
        self.last_time
            .wrapping_add((ticks as u32).max(self.clock_rate / 1000))
    }
}

/// A longer silence than this is not carried into RTP time (it would come close to half its range in the end).
const MAX_TIME_GAP: Duration = Duration::from_secs(3600);

/// How the current source layer maps onto the outgoing stream.
#[derive(Debug, Clone)]
struct Mapping {
    layer: usize,
    /// The first source packet that was forwarded; older ones are not.
    first_seq: u64,
    time_offset: u32,
    /// `(from source seq, what is added)`, oldest first; more than one once packets were left out.
    seq_offsets: VecDeque<(u64, i64)>,
    highest_seq: u64,
    picture_offset: u16,
    tl0_offset: u8,
    needs_picture_base: bool,
}

/// Decides for every packet of a track whether this receiver gets it, and with which numbers.
#[derive(Debug, Clone)]
pub(crate) struct Forwarder {
    out: OutStream,
    mapping: Option<Mapping>,
    target: Option<usize>,
    half_rate: bool,
}

impl Forwarder {
    /// Carries on the numbering of `out`; sends nothing until a target is set and its layer can be joined.
    pub(crate) fn new(out: OutStream) -> Self {
        Forwarder {
            out,
            mapping: None,
            target: None,
            half_rate: false,
        }
    }

    /// Gives the numbering back when the track ends.
    pub(crate) fn into_out(self) -> OutStream {
        self.out
    }

    /// The layer being forwarded now.
    pub(crate) fn current(&self) -> Option<usize> {
        self.mapping.as_ref().map(|mapping| mapping.layer)
    }

    /// The layer asked for.
    pub(crate) fn target(&self) -> Option<usize> {
        self.target
    }

    /// Asks for a layer; it is taken up at its next key frame, and the old one goes on until then. `None`
    /// stops at once.
    pub(crate) fn set_target(&mut self, layer: Option<usize>) {
        if layer.is_none() {
            self.mapping = None;
        }
        self.target = layer;
    }

    /// Something was missed: nothing more until the next key frame of the target layer.
    pub(crate) fn interrupt(&mut self) {
        self.mapping = None;
    }

    /// Leaves out the frames nothing refers to.
    pub(crate) fn set_half_rate(&mut self, half_rate: bool) {
        self.half_rate = half_rate;
    }

    /// Whether a key frame of the target layer is awaited.
    pub(crate) fn awaits_key_frame(&self) -> bool {
        self.target.is_some() && self.target != self.current()
    }

    /// The numbers for this packet's copy, or `None` when the receiver does not get it.
    pub(crate) fn forward(&mut self, packet: &Arrived) -> Option<Numbers> {
        let target = self.target?;
        let mut switched = false;
        if self.current() != Some(target) && packet.layer == target && packet.starts_key_frame {
            self.switch(packet);
            switched = true;
        }
        let mapping = self.mapping.as_mut()?;
        if packet.layer != mapping.layer || packet.seq < mapping.first_seq {
            return None;
        }
        let newest = packet.seq > mapping.highest_seq || switched;
        if self.half_rate && packet.discardable && newest {
            // Close the gap: what follows moves down by one. A gap before this packet stays a gap.
            let offset = mapping.offset_for(packet.seq);
            mapping.highest_seq = packet.seq;
            mapping.seq_offsets.push_back((packet.seq + 1, offset - 1));
            if mapping.seq_offsets.len() > REMEMBERED_DROPS {
                mapping.seq_offsets.pop_front();
            }
            return None;
        }
        if mapping
            .seq_offsets
            .front()
            .is_some_and(|(from, _)| packet.seq < *from)
        {
            return None; // Older than what is remembered of the packets left out.
        }
        let seq = packet.seq.checked_add_signed(mapping.offset_for(packet.seq))?;
        let time = packet.time.wrapping_add(mapping.time_offset);
        // Also by a late packet: one that was left out may have been the newest.
        self.out.next_seq = self.out.next_seq.max(seq + 1);
        if newest {
            mapping.highest_seq = packet.seq;
            if time != self.out.last_time || self.out.last_at.is_none() {
                self.out.last_time = time;
                self.out.last_at = Some(packet.at);
            }
        }
        Some(Numbers { seq, time, switched })
    }

    /// Renumbers the VP8 pictures of a packet that `forward` let through, so they count on across layers.
    pub(crate) fn vp8_patch(&mut self, payload: &[u8]) -> Option<Vp8Patch> {
        let mapping = self.mapping.as_mut()?;
        let descriptor = Vp8Descriptor::parse(payload).ok()?;
        let picture = descriptor.picture_id()?;
        // A short (7-bit) picture number is left alone: it cannot hold ours.
        let wide = payload.get(2).is_some_and(|byte| byte & 0x80 != 0);
        if !wide {
            return None;
        }
        if mapping.needs_picture_base {
            mapping.needs_picture_base = false;
            mapping.picture_offset = self.out.next_picture.wrapping_sub(picture) & 0x7fff;
            mapping.tl0_offset = self
                .out
                .next_tl0
                .wrapping_sub(descriptor.tl0_pic_idx().unwrap_or(0));
        }
        let picture = picture.wrapping_add(mapping.picture_offset) & 0x7fff;
        let ahead = picture.wrapping_sub(self.out.next_picture) & 0x7fff;
        if ahead < 0x4000 {
            self.out.next_picture = (picture + 1) & 0x7fff;
        }
        let mut patch = descriptor.patch().picture_id(picture);
        if let Some(tl0) = descriptor.tl0_pic_idx() {
            let tl0 = tl0.wrapping_add(mapping.tl0_offset);
            if tl0.wrapping_sub(self.out.next_tl0) < 128 {
                self.out.next_tl0 = tl0.wrapping_add(1);
            }
            patch = patch.tl0_pic_idx(tl0);
        }
        patch.build().ok()
    }

    fn switch(&mut self, packet: &Arrived) {
        let time = self.out.time_at(packet.at, packet.time);
        let offset = self.out.next_seq as i64 - packet.seq as i64;
        self.mapping = Some(Mapping {
            layer: packet.layer,
            first_seq: packet.seq,
            time_offset: time.wrapping_sub(packet.time),
            seq_offsets: VecDeque::from([(packet.seq, offset)]),
            highest_seq: packet.seq,
            picture_offset: 0,
            tl0_offset: 0,
            needs_picture_base: true,
        });
    }
}

impl Mapping {
    fn offset_for(&self, seq: u64) -> i64 {
        self.seq_offsets
            .iter()
            .rev()
            .find(|(from, _)| *from <= seq)
            .or(self.seq_offsets.front())
            .map(|(_, offset)| *offset)
            .expect("a mapping has at least the offset it started with")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start;
    use proptest::prelude::*;

    fn packet(at: Instant, layer: usize, seq: u64, key: bool) -> Arrived {
        Arrived {
            layer,
            seq,
            time: (seq as u32).wrapping_mul(3000),
            at: at + Duration::from_millis(seq * 33),
            starts_key_frame: key,
            discardable: false,
        }
    }

    #[test]
    fn nothing_before_a_key_frame_and_then_contiguous_across_layers() {
        let t0 = start();
        let mut forwarder = Forwarder::new(OutStream::new(90_000));
        forwarder.set_target(Some(0));
        assert_eq!(forwarder.forward(&packet(t0, 0, 10, false)), None);
        assert!(forwarder.awaits_key_frame());
        let mut seqs = Vec::new();
        for (layer, seq, key) in [(0, 11, true), (0, 12, false), (0, 13, false)] {
            seqs.push(
                forwarder
                    .forward(&packet(t0, layer, seq, key))
                    .expect("forwarded")
                    .seq,
            );
        }
        forwarder.set_target(Some(1));
        assert_eq!(
            forwarder.forward(&packet(t0, 1, 500, false)),
            None,
            "not before its key frame"
        );
        seqs.push(
            forwarder
                .forward(&packet(t0, 0, 14, false))
                .expect("the old layer goes on")
                .seq,
        );
        let numbers = forwarder.forward(&packet(t0, 1, 501, true)).expect("switched");
        assert!(numbers.switched);
        seqs.push(numbers.seq);
        assert_eq!(
            forwarder.forward(&packet(t0, 0, 15, false)),
            None,
            "the old layer has ended"
        );
        seqs.push(
            forwarder
                .forward(&packet(t0, 1, 502, false))
                .expect("forwarded")
                .seq,
        );
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_lost_packet_stays_a_gap_and_its_repair_fills_it() {
        let t0 = start();
        let mut forwarder = Forwarder::new(OutStream::new(90_000));
        forwarder.set_target(Some(0));
        let seqs: Vec<_> = [
            (100, true),
            (101, false),
            (103, false),
            (102, false),
            (104, false),
        ]
        .into_iter()
        .map(|(seq, key)| {
            forwarder
                .forward(&packet(t0, 0, seq, key))
                .expect("forwarded")
                .seq
        })
        .collect();
        assert_eq!(seqs, [1, 2, 4, 3, 5]);
        assert_eq!(
            forwarder.forward(&packet(t0, 0, 99, false)),
            None,
            "older than the key frame"
        );
    }

    #[test]
    fn half_rate_closes_the_gaps_it_makes() {
        let t0 = start();
        let mut forwarder = Forwarder::new(OutStream::new(90_000));
        forwarder.set_target(Some(0));
        forwarder.set_half_rate(true);
        let mut out = Vec::new();
        for seq in 0..9u64 {
            let arrived = Arrived {
                discardable: seq % 2 == 1,
                ..packet(t0, 0, 100 + seq, seq == 0)
            };
            out.extend(forwarder.forward(&arrived).map(|numbers| numbers.seq));
        }
        assert_eq!(out, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_pause_moves_time_on_by_as_much() {
        let t0 = start();
        let mut forwarder = Forwarder::new(OutStream::new(90_000));
        forwarder.set_target(Some(0));
        let first = forwarder.forward(&packet(t0, 0, 0, true)).expect("forwarded");
        forwarder.set_target(None);
        forwarder.set_target(Some(0));
        let mut later = packet(t0, 0, 1, true);
        later.at = t0 + Duration::from_secs(10);
        later.time = 77;
        let second = forwarder.forward(&later).expect("forwarded");
        assert_eq!(second.seq, first.seq + 1);
        assert_eq!(second.time.wrapping_sub(first.time), 900_000);
    }

    proptest! {
        /// Whatever arrives in whatever order, no outgoing number is used twice for different packets.
        #[test]
        fn numbers_are_never_reused(
            packets in proptest::collection::vec((0usize..3, 0u64..60, any::<bool>(), any::<bool>()), 1..200),
            targets in proptest::collection::vec(proptest::option::of(0usize..3), 1..20),
            half_rate in any::<bool>(),
        ) {
            let t0 = start();
            let mut forwarder = Forwarder::new(OutStream::new(90_000));
            forwarder.set_half_rate(half_rate);
            let mut sent = std::collections::HashMap::new();
            let mut arrived_before = std::collections::HashSet::new();
            for (index, (layer, jitter, key, discardable)) in packets.iter().enumerate() {
                if index % 10 == 0 {
                    forwarder.set_target(targets[(index / 10) % targets.len()]);
                }
                // Per layer increasing with reordering of up to 60; the receive side removes duplicates.
                let seq = 1000 * (*layer as u64) + index as u64 + jitter;
                if !arrived_before.insert((*layer, seq)) { continue; }
                let arrived = Arrived { discardable: *discardable, ..packet(t0, *layer, seq, *key) };
                if let Some(numbers) = forwarder.forward(&arrived) {
                    let previous = sent.insert(numbers.seq, (*layer, seq));
                    prop_assert_eq!(previous, None, "number {} twice", numbers.seq);
                }
            }
        }
    }
}
