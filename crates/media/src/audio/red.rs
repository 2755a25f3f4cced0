//! Redundant audio data, RFC 2198: each packet carries the packets before it again, so that single losses cost nothing.
//!
//! [`unpack`] is total over any bytes. The packer keeps only what it repeats.

use std::collections::VecDeque;

/// Largest timestamp offset a block header holds (14 bits).
const MAX_OFFSET: u32 = (1 << 14) - 1;
/// Largest length of a redundant block (10 bits).
const MAX_BLOCK: usize = (1 << 10) - 1;
/// More blocks than this in one packet is abuse.
const MAX_BLOCKS: usize = 16;

/// Why a payload is not RFC 2198.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedError {
    /// A header or block is cut off.
    #[error("the redundant payload is cut off")]
    Short,
    /// More blocks than any sender of ours makes.
    #[error("the redundant payload has too many blocks")]
    TooMany,
}

/// One block of a redundant payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedBlock<'a> {
    /// RTP payload type of the block.
    pub payload_type: u8,
    /// How much older than the packet's own timestamp it is, in RTP ticks; 0 for the primary block, which is last.
    pub timestamp_offset: u32,
    /// The encoded sound.
    pub data: &'a [u8],
}

/// Takes a payload apart, oldest block first, the primary block last.
///
/// # Errors
/// [`RedError`] for anything that is not a whole redundant payload.
pub fn unpack(payload: &[u8]) -> Result<Vec<RedBlock<'_>>, RedError> {
    let mut headers = Vec::new();
    let mut at = 0;
    let primary_type = loop {
        let &first = payload.get(at).ok_or(RedError::Short)?;
        if first & 0x80 == 0 {
            at += 1;
            break first & 0x7F;
        }
        let header = payload.get(at..at + 4).ok_or(RedError::Short)?;
        let bits = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        headers.push((
            first & 0x7F,
            bits >> 10 & MAX_OFFSET,
            (bits & MAX_BLOCK as u32) as usize,
        ));
        if headers.len() >= MAX_BLOCKS {
            return Err(RedError::TooMany);
        }
        at += 4;
    };
    let mut blocks = Vec::with_capacity(headers.len() + 1);
    for (payload_type, timestamp_offset, len) in headers {
        let data = payload.get(at..at + len).ok_or(RedError::Short)?;
        blocks.push(RedBlock {
            payload_type,
            timestamp_offset,
            data,
        });
        at += len;
    }
    blocks.push(RedBlock {
        payload_type: primary_type,
        timestamp_offset: 0,
        data: &payload[at..],
    });
    Ok(blocks)
}

/// Packs each payload together with the ones before it.
#[derive(Debug, Clone)]
pub struct RedEncoder {
    payload_type: u8,
    distance: usize,
    earlier: VecDeque<(u32, Vec<u8>)>,
}

impl RedEncoder {
    /// A packer that names its blocks `payload_type` and repeats the last `distance` payloads.
    pub fn new(payload_type: u8, distance: usize) -> Self {
        Self {
            payload_type: payload_type & 0x7F,
            distance: distance.min(MAX_BLOCKS - 1),
            earlier: VecDeque::new(),
        }
    }

    /// How many earlier payloads are repeated from now on; 0 sends the primary alone (still in RFC 2198 form).
    pub fn set_distance(&mut self, distance: usize) {
        self.distance = distance.min(MAX_BLOCKS - 1);
    }

    /// Packs a payload with RTP timestamp `rtp`.
    pub fn pack(&mut self, payload: &[u8], rtp: u32) -> Vec<u8> {
        self.earlier.retain(|(at, _)| rtp.wrapping_sub(*at) <= MAX_OFFSET);
        while self.earlier.len() > self.distance {
            self.earlier.pop_front();
        }
        let mut out = Vec::with_capacity(payload.len() + 64);
        for (at, data) in &self.earlier {
            let bits = 1 << 31
                | u32::from(self.payload_type) << 24
                | rtp.wrapping_sub(*at) << 10
                | data.len() as u32;
            out.extend(bits.to_be_bytes());
        }
        out.push(self.payload_type);
        for (_, data) in &self.earlier {
            out.extend_from_slice(data);
        }
        out.extend_from_slice(payload);
        if payload.len() <= MAX_BLOCK {
            self.earlier.push_back((rtp, payload.to_vec()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_out(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..8), start: u32, distance in 0_usize..4) {
            let mut encoder = RedEncoder::new(111, distance);
            for (n, payload) in payloads.iter().enumerate() {
                let packed = encoder.pack(payload, start.wrapping_add(n as u32 * 960));
                let blocks = unpack(&packed).expect("our own packing");
                prop_assert_eq!(blocks.len(), n.min(distance) + 1);
                for (back, block) in blocks.iter().rev().enumerate() {
                    prop_assert_eq!(block.data, &payloads[n - back][..]);
                    prop_assert_eq!((block.payload_type, block.timestamp_offset), (111, back as u32 * 960));
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x80..=0xFF_u8], 0..100)) {
            if let Ok(blocks) = unpack(&bytes) {
                let total: usize = blocks.iter().map(|b| b.data.len()).sum();
                prop_assert_eq!(total + 4 * (blocks.len() - 1) + 1, bytes.len());
            }
        }
    }

    #[test]
    fn a_pause_longer_than_the_offset_field_drops_what_it_cannot_name() {
        let mut encoder = RedEncoder::new(111, 2);
        encoder.pack(&[1], 0);
        let packed = encoder.pack(&[2], 48_000);
        assert_eq!(unpack(&packed).expect("valid").len(), 1);
    }
}
