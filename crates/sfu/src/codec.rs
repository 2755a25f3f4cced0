//! What the SFU must know of a payload: is it the start of a key frame, may it be left out, what does a RED
//! packet hold. Never decodes a picture or a sound.

use std::fmt;
use std::sync::Arc;

/// A codec the SFU forwards. The payload is passed through; only these need to be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264 constrained baseline, packetization mode 1 (RFC 6184).
    H264,
    /// VP8 (RFC 7741).
    Vp8,
    /// Opus (RFC 7587).
    Opus,
    /// Opus in redundant packets (RFC 2198).
    Red,
}

impl Codec {
    /// The MIME type as LiveKit writes it.
    pub fn mime(self) -> &'static str {
        match self {
            Codec::H264 => "video/H264",
            Codec::Vp8 => "video/VP8",
            Codec::Opus => "audio/opus",
            Codec::Red => "audio/red",
        }
    }

    /// The codec of a MIME type (`video/H264`) or of its bare name (`h264`), in any case.
    pub fn from_mime(mime: &str) -> Option<Codec> {
        let name = mime.rsplit('/').next().unwrap_or(mime);
        [Codec::H264, Codec::Vp8, Codec::Opus, Codec::Red]
            .into_iter()
            .find(|codec| {
                codec
                    .mime()
                    .rsplit('/')
                    .next()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
            })
    }

    /// Whether it carries a picture.
    pub fn is_video(self) -> bool {
        matches!(self, Codec::H264 | Codec::Vp8)
    }

    /// RTP clock rate in Hz.
    pub fn clock_rate(self) -> u32 {
        if self.is_video() { 90_000 } else { 48_000 }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mime())
    }
}

/// What one video packet means for forwarding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Picture {
    /// The first packet of a frame that can be decoded with nothing before it.
    pub starts_key_frame: bool,
    /// Part of a frame no other frame refers to: it may be left out to halve the rate.
    pub discardable: bool,
}

/// Reads the first bytes of a video payload.
pub(crate) fn picture(codec: Codec, payload: &[u8]) -> Picture {
    match codec {
        Codec::H264 => h264_picture(payload),
        Codec::Vp8 => vp8_picture(payload),
        Codec::Opus | Codec::Red => Picture::default(),
    }
}

const NAL_SPS: u8 = 7;
const NAL_STAP_A: u8 = 24;
const NAL_FU_A: u8 = 28;

/// A key frame begins with its sequence parameter set: every sender of WebRTC sends it in front of each IDR,
/// and a decoder that joins needs it. So the start is the packet that holds the SPS, not the IDR slice.
fn h264_picture(payload: &[u8]) -> Picture {
    let Some(&first) = payload.first() else {
        return Picture::default();
    };
    let kind = first & 0x1f;
    let reference = first & 0x60 != 0;
    let starts_key_frame = match kind {
        NAL_SPS => true,
        NAL_STAP_A => stap_a_units(&payload[1..]).any(|nal| nal & 0x1f == NAL_SPS),
        _ => false,
    };
    let discardable = !reference && (matches!(kind, 1) || kind == NAL_FU_A);
    Picture {
        starts_key_frame,
        discardable,
    }
}

/// The header bytes of the units inside a STAP-A body. Stops at the first length that does not fit.
fn stap_a_units(mut body: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (len, rest) = body.split_at_checked(2)?;
        let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
        let (unit, rest) = rest.split_at_checked(len)?;
        body = rest;
        unit.first().copied()
    })
}

fn vp8_picture(payload: &[u8]) -> Picture {
    let Ok(descriptor) = str0m::rtp::Vp8Descriptor::parse(payload) else {
        return Picture::default();
    };
    Picture {
        starts_key_frame: descriptor.starts_keyframe(payload),
        discardable: payload[0] & 0x20 != 0 && vp8_temporal_layer(payload).is_some_and(|layer| layer > 0),
    }
}

/// The temporal layer in the VP8 payload descriptor, if it has one (RFC 7741 §4.2).
fn vp8_temporal_layer(payload: &[u8]) -> Option<u8> {
    let extended = payload.first()? & 0x80 != 0;
    if !extended {
        return None;
    }
    let flags = *payload.get(1)?;
    let mut at = 2;
    if flags & 0x80 != 0 {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if flags & 0x40 != 0 {
        at += 1;
    }
    (flags & 0x20 != 0).then(|| payload.get(at).map(|byte| byte >> 6))?
}

/// The primary (newest) block of a RED payload (RFC 2198), or `None` when its lengths do not add up.
pub(crate) fn red_primary(payload: &[u8]) -> Option<&[u8]> {
    let mut header = 0;
    let mut redundant = 0;
    loop {
        let byte = *payload.get(header)?;
        if byte & 0x80 == 0 {
            header += 1;
            break;
        }
        let fields = payload.get(header..header + 4)?;
        redundant += usize::from(u16::from_be_bytes([fields[2], fields[3]]) & 0x03ff);
        header += 4;
    }
    payload.get(header + redundant..)
}

/// The same RED payload with every block's payload type replaced, for a receiver that numbers Opus otherwise.
pub(crate) fn red_renumbered(payload: &[u8], opus: u8) -> Option<Arc<[u8]>> {
    let mut out: Vec<u8> = payload.to_vec();
    let mut at = 0;
    loop {
        let byte = out.get_mut(at)?;
        let more = *byte & 0x80 != 0;
        *byte = (*byte & 0x80) | (opus & 0x7f);
        if !more {
            return Some(out.into());
        }
        at += 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn h264_key_frame_starts_at_its_sps() {
        let stap = [0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3];
        for (what, payload, key, discardable) in [
            ("single SPS", &[0x67, 0x42][..], true, false),
            ("STAP-A with SPS", &stap[..], true, false),
            ("IDR slice", &[0x65, 0x88], false, false),
            ("FU-A of an IDR", &[0x7c, 0x85], false, false),
            ("reference slice", &[0x41, 0x9a], false, false),
            ("non-reference slice", &[0x01, 0x9a], false, true),
            ("non-reference FU-A", &[0x1c, 0x81], false, true),
            ("nothing", &[], false, false),
        ] {
            let seen = picture(Codec::H264, payload);
            assert_eq!(
                (seen.starts_key_frame, seen.discardable),
                (key, discardable),
                "{what}"
            );
        }
    }

    #[test]
    fn vp8_key_frame_and_upper_temporal_layer() {
        assert!(picture(Codec::Vp8, &[0x10, 0x00, 0x9d]).starts_key_frame);
        assert!(!picture(Codec::Vp8, &[0x10, 0x01, 0x9d]).starts_key_frame);
        // X, N; I + T; 15-bit picture id; temporal layer 1.
        assert!(picture(Codec::Vp8, &[0xb0, 0xa0, 0x81, 0x01, 0x40, 0x01]).discardable);
        assert!(!picture(Codec::Vp8, &[0xb0, 0xa0, 0x81, 0x01, 0x00, 0x01]).discardable);
    }

    #[test]
    fn red_gives_its_newest_block() {
        // One redundant block of 2 bytes, then the primary.
        let red = [0x80 | 111, 0, 0, 2, 111, 0xaa, 0xbb, 0xcc];
        assert_eq!(red_primary(&red), Some(&[0xcc][..]));
        let renumbered = red_renumbered(&red, 96).expect("well formed");
        assert_eq!(&renumbered[..], &[0x80 | 96, 0, 0, 2, 96, 0xaa, 0xbb, 0xcc]);
        assert_eq!(red_primary(&[0x80 | 111, 0, 0, 200, 111, 1]), None);
    }

    #[test]
    fn mime_names_round_trip() {
        for codec in [Codec::H264, Codec::Vp8, Codec::Opus, Codec::Red] {
            assert_eq!(Codec::from_mime(codec.mime()), Some(codec));
            assert_eq!(Codec::from_mime(&codec.mime().to_lowercase()), Some(codec));
        }
        assert_eq!(Codec::from_mime("video/AV1"), None);
    }

    proptest! {
        #[test]
        fn any_payload_is_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = picture(Codec::H264, &payload);
            let _ = picture(Codec::Vp8, &payload);
            let _ = red_primary(&payload);
            let _ = red_renumbered(&payload, 111);
        }
    }
}
