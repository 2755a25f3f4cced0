//! Looking into H.264 byte streams (ITU-T H.264 Annex B): NAL units, key frames, what the sequence header says.
//!
//! Total over any bytes; it never decodes pictures.

/// NAL unit type of a coded slice of an IDR picture.
pub const NAL_IDR: u8 = 5;
/// NAL unit type of a sequence parameter set.
pub const NAL_SPS: u8 = 7;
/// NAL unit type of a picture parameter set.
pub const NAL_PPS: u8 = 8;

/// The NAL units of an Annex B byte stream, without their start codes.
pub fn split_nals(annex_b: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = start_code(annex_b, 0).map(|(_, after)| after);
    std::iter::from_fn(move || {
        let from = at?;
        let (end, next) = match start_code(annex_b, from) {
            Some((start, after)) => (start, Some(after)),
            None => (annex_b.len(), None),
        };
        at = next;
        // Zero bytes before a start code belong to it (leading_zero_8bits, trailing_zero_8bits).
        let unit = &annex_b[from..end];
        let len = unit.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
        Some(&unit[..len])
    })
    .filter(|unit| !unit.is_empty())
}

/// The next `00 00 01` from `from`: where it begins and where the unit after it begins.
fn start_code(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let tail = bytes.get(from..)?;
    tail.windows(3)
        .position(|w| w == [0, 0, 1])
        .map(|at| (from + at, from + at + 3))
}

/// The NAL unit types of an Annex B byte stream, in order.
pub fn nal_types(annex_b: &[u8]) -> Vec<u8> {
    split_nals(annex_b).map(|unit| unit[0] & 0x1F).collect()
}

/// Whether the access unit holds an IDR picture.
pub fn is_key(annex_b: &[u8]) -> bool {
    split_nals(annex_b).any(|unit| unit[0] & 0x1F == NAL_IDR)
}

/// Width and height named by the first sequence parameter set of an access unit.
pub fn dimensions(annex_b: &[u8]) -> Option<(u32, u32)> {
    sequence(annex_b).map(|s| (s.width, s.height))
}

/// What a sequence parameter set says (H.264 §7.3.2.1.1, Annex E).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// `profile_idc`: 66 is baseline.
    pub profile: u8,
    /// The constraint flags byte; bit 0x40 (`constraint_set1_flag`) with profile 66 is constrained baseline.
    pub constraints: u8,
    /// `level_idc`, ten times the level.
    pub level: u8,
    /// Width after cropping, in pixels.
    pub width: u32,
    /// Height after cropping, in pixels.
    pub height: u32,
    /// `max_num_reorder_frames`, where the stream states it. Without it a decoder may hold pictures back.
    pub max_reorder: Option<u32>,
}

/// Reads the first sequence parameter set of an access unit.
pub fn sequence(annex_b: &[u8]) -> Option<Sequence> {
    let sps = split_nals(annex_b).find(|unit| unit[0] & 0x1F == NAL_SPS)?;
    parse_sps(sps)
}

fn parse_sps(unit: &[u8]) -> Option<Sequence> {
    let rbsp = unescape(unit.get(1..)?);
    let (&profile, &constraints, &level) = (rbsp.first()?, rbsp.get(1)?, rbsp.get(2)?);
    let mut bits = Bits {
        bytes: rbsp.get(3..)?,
        at: 0,
    };
    bits.ue()?; // seq_parameter_set_id
    if matches!(
        profile,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    ) {
        // High profiles are never ours: their extra fields would need scaling lists to be skipped.
        return None;
    }
    bits.ue()?; // log2_max_frame_num_minus4
    match bits.ue()? {
        0 => {
            bits.ue()?;
        }
        1 => {
            bits.bits(1)?;
            bits.ue()?;
            bits.ue()?;
            for _ in 0..bits.ue()?.min(255) {
                bits.ue()?;
            }
        }
        _ => {}
    }
    bits.ue()?; // max_num_ref_frames
    bits.bits(1)?;
    let width_mbs = bits.ue()?.checked_add(1)?;
    let height_units = bits.ue()?.checked_add(1)?;
    let frame_mbs_only = bits.bits(1)?;
    if frame_mbs_only == 0 {
        bits.bits(1)?;
    }
    bits.bits(1)?;
    let field = 2 - frame_mbs_only;
    let (mut width, mut height) = (width_mbs.checked_mul(16)?, height_units.checked_mul(16 * field)?);
    if bits.bits(1)? == 1 {
        let [left, right, top, bottom] = [bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?];
        width = width.checked_sub(left.checked_add(right)?.checked_mul(2)?)?;
        height = height.checked_sub(top.checked_add(bottom)?.checked_mul(2 * field)?)?;
    }
    let max_reorder = if bits.bits(1)? == 1 {
        vui_max_reorder(&mut bits)
    } else {
        None
    };
    Some(Sequence {
        profile,
        constraints,
        level,
        width,
        height,
        max_reorder,
    })
}

/// Walks the video usability information to `max_num_reorder_frames`.
fn vui_max_reorder(bits: &mut Bits<'_>) -> Option<u32> {
    if bits.bits(1)? == 1 && bits.bits(8)? == 255 {
        bits.bits(32)?;
    }
    if bits.bits(1)? == 1 {
        bits.bits(1)?;
    }
    if bits.bits(1)? == 1 {
        bits.bits(4)?;
        if bits.bits(1)? == 1 {
            bits.bits(24)?;
        }
    }
    if bits.bits(1)? == 1 {
        bits.ue()?;
        bits.ue()?;
    }
    if bits.bits(1)? == 1 {
        bits.bits(32)?;
        bits.bits(32)?;
        bits.bits(1)?;
    }
    // Hypothetical reference decoder parameters: we write none, and streams with them go without this answer.
    if bits.bits(1)? == 1 || bits.bits(1)? == 1 {
        return None;
    }
    bits.bits(1)?;
    if bits.bits(1)? == 0 {
        return None;
    }
    bits.bits(1)?;
    for _ in 0..4 {
        bits.ue()?;
    }
    bits.ue()
}

/// Takes out the emulation prevention bytes (`00 00 03`).
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// An unsigned Exp-Golomb code (H.264 §9.1).
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bits(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u32 << zeros) - 1 + self.bits(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_split_at_both_kinds_of_start_code() {
        let stream = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 9];
        let units: Vec<&[u8]> = split_nals(&stream).collect();
        assert_eq!(units, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 9]]);
        assert_eq!(nal_types(&stream), [7, 8, 5]);
        assert!(is_key(&stream));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(3), any::<u8>()], 0..300)) {
            let _ = nal_types(&bytes);
            let _ = sequence(&bytes);
            let mut sps = vec![0, 0, 1, 0x67, 66, 0xC0, 31];
            sps.extend(&bytes);
            let _ = sequence(&sps);
        }
    }
}
