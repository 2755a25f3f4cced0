//! H.264 in RTP (RFC 6184), packetisation mode 1: single units and FU-A out; those and STAP-A in.
//!
//! Never panics on what a peer sent, and never buffers more than one access unit of [`UNIT_LIMIT`] bytes.

use bytes::{BufMut, Bytes, BytesMut};

/// Largest RTP payload made, so that a packet with headers, extensions and SRTP fits 1,280 bytes everywhere.
pub const PAYLOAD_LIMIT: usize = 1_120;
/// Largest access unit that is put together, in bytes.
pub const UNIT_LIMIT: usize = 4 * 1024 * 1024;

const TYPE_MASK: u8 = 0x1f;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const FU_START: u8 = 0x80;
const FU_END: u8 = 0x40;
/// Coded slice of an IDR picture.
const IDR: u8 = 5;
/// Sequence parameter set.
const SPS: u8 = 7;
/// Picture parameter set.
const PPS: u8 = 8;
/// Access unit delimiter.
const DELIMITER: u8 = 9;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Splits an Annex B access unit into RTP payloads. The last one carries the marker bit.
pub fn packetise(access_unit: &Bytes) -> Vec<Bytes> {
    let mut payloads = Vec::new();
    for nal in media::video::h264::split_nals(access_unit) {
        if nal.is_empty() {
            continue;
        }
        if nal.len() <= PAYLOAD_LIMIT {
            payloads.push(access_unit.slice_ref(nal));
            continue;
        }
        let (header, body) = (nal[0], &nal[1..]);
        let indicator = (header & !TYPE_MASK) | FU_A;
        let count = body.len().div_ceil(PAYLOAD_LIMIT - 2);
        for (i, chunk) in body.chunks(PAYLOAD_LIMIT - 2).enumerate() {
            let mut fu = header & TYPE_MASK;
            if i == 0 {
                fu |= FU_START;
            }
            if i + 1 == count {
                fu |= FU_END;
            }
            let mut payload = BytesMut::with_capacity(chunk.len() + 2);
            payload.put_u8(indicator);
            payload.put_u8(fu);
            payload.put_slice(chunk);
            payloads.push(payload.freeze());
        }
    }
    payloads
}

/// A payload that is not H.264 as this client takes it. The picture it belongs to is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a payload that is not H.264 of packetisation mode 1")]
pub struct Malformed;

/// Whether a payload shows by itself that an access unit begins with it (ITU-T H.264 section 7.4.1.2.3).
pub fn begins_unit(payload: &[u8]) -> bool {
    let kind = |at: usize| payload.get(at).map(|byte| byte & TYPE_MASK);
    let first = match kind(0) {
        // The first unit of an aggregate lies behind its size.
        Some(STAP_A) => kind(3),
        other => other,
    };
    matches!(first, Some(SPS | DELIMITER))
}

/// What of a picture a decoder needs to begin with it.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    idr: bool,
    sps: bool,
    pps: bool,
}

/// Puts the payloads of one access unit together again, as Annex B.
#[derive(Debug, Default)]
pub struct Depacketiser {
    unit: BytesMut,
    seen: Seen,
    in_fragment: bool,
}

impl Depacketiser {
    /// Adds the next payload in order.
    pub fn push(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        let (&first, rest) = payload.split_first().ok_or(Malformed)?;
        if self.unit.len() + payload.len() > UNIT_LIMIT {
            return Err(Malformed);
        }
        match first & TYPE_MASK {
            1..=23 => {
                self.nal(payload);
                Ok(())
            }
            STAP_A => {
                let mut rest = rest;
                while !rest.is_empty() {
                    let (size, after) = rest.split_first_chunk::<2>().ok_or(Malformed)?;
                    let size = usize::from(u16::from_be_bytes(*size));
                    if size == 0 || size > after.len() {
                        return Err(Malformed);
                    }
                    let (nal, after) = after.split_at(size);
                    self.nal(nal);
                    rest = after;
                }
                Ok(())
            }
            FU_A => {
                let (&fu, data) = rest.split_first().ok_or(Malformed)?;
                let kind = fu & TYPE_MASK;
                if fu & FU_START != 0 {
                    self.nal(&[(first & !TYPE_MASK) | kind]);
                    self.in_fragment = true;
                } else if !self.in_fragment {
                    return Err(Malformed);
                }
                self.unit.put_slice(data);
                if fu & FU_END != 0 {
                    self.in_fragment = false;
                }
                Ok(())
            }
            _ => Err(Malformed),
        }
    }

    fn nal(&mut self, nal: &[u8]) {
        match nal[0] & TYPE_MASK {
            IDR => self.seen.idr = true,
            SPS => self.seen.sps = true,
            PPS => self.seen.pps = true,
            _ => {}
        }
        self.in_fragment = false;
        self.unit.put_slice(&START_CODE);
        self.unit.put_slice(nal);
    }

    /// The access unit and whether a decoder can begin with it (an IDR picture with its parameter sets); starts over.
    /// None when it is empty or a fragment is open.
    pub fn take(&mut self) -> Option<(Bytes, bool)> {
        let complete = !self.in_fragment && !self.unit.is_empty();
        let unit = self.unit.split().freeze();
        let Seen { idr, sps, pps } = std::mem::take(&mut self.seen);
        self.in_fragment = false;
        complete.then_some((unit, idr && sps && pps))
    }

    /// Forgets what was begun.
    pub fn clear(&mut self) {
        self.unit.clear();
        self.seen = Seen::default();
        self.in_fragment = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nal() -> impl Strategy<Value = Vec<u8>> {
        // No zero bytes inside, so that no start code appears in the payload.
        (
            prop::sample::select(vec![0x67u8, 0x68, 0x65, 0x61]),
            prop::collection::vec(1u8..=255, 1..5_000),
        )
            .prop_map(|(header, mut body)| {
                body.insert(0, header);
                body
            })
    }

    proptest! {
        #[test]
        fn an_access_unit_survives_its_packets(nals in prop::collection::vec(nal(), 1..6)) {
            let mut unit = BytesMut::new();
            for nal in &nals {
                unit.put_slice(&START_CODE);
                unit.put_slice(nal);
            }
            let unit = unit.freeze();
            let payloads = packetise(&unit);
            prop_assert!(payloads.iter().all(|p| p.len() <= PAYLOAD_LIMIT));
            let mut depacketiser = Depacketiser::default();
            for payload in &payloads {
                depacketiser.push(payload).expect("our own payload");
            }
            let key = [IDR, SPS, PPS].iter().all(|kind| nals.iter().any(|n| n[0] & TYPE_MASK == *kind));
            prop_assert_eq!(depacketiser.take(), Some((unit, key)));
        }

        #[test]
        fn arbitrary_payloads_never_panic(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..32)) {
            let mut depacketiser = Depacketiser::default();
            for payload in &payloads {
                let _ = depacketiser.push(payload);
            }
            let _ = depacketiser.take();
        }
    }

    #[test]
    fn an_aggregate_is_taken_apart() {
        let mut depacketiser = Depacketiser::default();
        depacketiser
            .push(&[STAP_A, 0, 2, 0x67, 1, 0, 2, 0x68, 3, 0, 2, 0x65, 2])
            .expect("a STAP-A");
        let (unit, key) = depacketiser.take().expect("a unit");
        assert!(key);
        assert_eq!(
            &unit[..],
            &[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 2]
        );
    }

    #[test]
    fn only_a_parameter_set_or_a_delimiter_shows_where_a_unit_begins() {
        for (payload, begins) in [
            (&[0x67, 1][..], true),
            (&[0x09, 0xf0], true),
            (&[STAP_A, 0, 2, 0x67, 1], true),
            (&[STAP_A, 0, 2, 0x68, 1], false),
            (&[0x68, 1], false),
            (&[0x65, 1], false),
            (&[FU_A, FU_START | IDR, 1], false),
            (&[STAP_A], false),
            (&[], false),
        ] {
            assert_eq!(begins_unit(payload), begins, "{payload:?}");
        }
    }
}
