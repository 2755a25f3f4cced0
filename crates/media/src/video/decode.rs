//! H.264 decoding to I420 with OpenH264.
//!
//! It shows no damaged pictures: after a loss it is silent until the next key frame and says so by
//! [`VideoDecoder::needs_key`]. It never delays: one access unit in, at most one picture out.

use openh264::OpenH264API;
use openh264::decoder::{Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use crate::video::frame::I420;
use crate::video::h264;

/// Why an access unit could not be decoded. Ask the sender for a key frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("H.264 decoder: {0}")]
pub struct DecodeError(pub String);

/// Decodes one stream.
pub struct VideoDecoder {
    decoder: Decoder,
    needs_key: bool,
}

impl VideoDecoder {
    /// A decoder waiting for its first key frame.
    ///
    /// # Errors
    /// When OpenH264 cannot be started (out of memory).
    pub fn new() -> Result<Self, DecodeError> {
        Ok(Self {
            decoder: start()?,
            needs_key: true,
        })
    }

    /// Whether only a key frame can help: ask for one (PLI) while this is true.
    pub fn needs_key(&self) -> bool {
        self.needs_key
    }

    /// Tells the decoder that an access unit was lost, so that it waits for a key frame instead of showing damage.
    pub fn lost(&mut self) {
        self.needs_key = true;
    }

    /// Decodes one access unit in Annex B form. `None` when it shows nothing: parameter sets alone, or a picture that
    /// depends on one that is missing.
    ///
    /// # Errors
    /// [`DecodeError`] when the data is damaged; the decoder then waits for a key frame.
    pub fn decode(&mut self, annex_b: &[u8]) -> Result<Option<I420>, DecodeError> {
        let key = h264::is_key(annex_b);
        if self.needs_key && !key {
            return Ok(None);
        }
        match self.decode_unit(annex_b) {
            Ok(picture) => {
                self.needs_key &= !(key && picture.is_some());
                Ok(picture)
            }
            Err(error) => {
                self.needs_key = true;
                // OpenH264 may be left half way through a picture; a fresh one is cheap next to a key frame.
                self.decoder = start()?;
                Err(error)
            }
        }
    }

    fn decode_unit(&mut self, annex_b: &[u8]) -> Result<Option<I420>, DecodeError> {
        let damaged = |e: &dyn std::fmt::Display| DecodeError(e.to_string());
        let Some(yuv) = self.decoder.decode(annex_b).map_err(|e| damaged(&e))? else {
            return Ok(None);
        };
        let (width, height) = yuv.dimensions();
        let (stride_y, stride_u, _) = yuv.strides();
        I420::from_planes(
            width as u32,
            height as u32,
            (yuv.y(), stride_y),
            yuv.u(),
            yuv.v(),
            stride_u,
        )
        .map(Some)
        .map_err(|e| damaged(&e))
    }
}

fn start() -> Result<Decoder, DecodeError> {
    let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
    Decoder::with_api_config(OpenH264API::from_source(), config).map_err(|e| DecodeError(e.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::{Timestamp, WallMs};
    use crate::video::encode::{Content, SimulcastConfig, SimulcastEncoder};
    use crate::video::frame::VideoFrame;
    use crate::video::source::CaptureFormat;
    use crate::video::source::synthetic::Scene;
    use crate::video::stamp::read_stamp;

    fn units(count: u64, key_at: Option<u64>) -> Vec<Vec<u8>> {
        let format = CaptureFormat {
            width: 320,
            height: 180,
            fps: 30.0,
        };
        let scene = Scene::new(0, 320, 180);
        let config = SimulcastConfig::for_source(format, Content::Camera);
        let layer = config.layers[0].layer;
        let mut encoder = SimulcastEncoder::new(config);
        let mut units = Vec::new();
        for number in 0..count {
            if key_at == Some(number) {
                encoder.force_key(layer);
            }
            let frame = VideoFrame::new(
                scene.draw(number, WallMs(number * 33)),
                Timestamp::from_micros(number * 33_333),
            );
            encoder
                .encode(&frame, &mut |unit| units.push(unit.data))
                .expect("the encoder works");
        }
        units
    }

    #[test]
    fn a_lost_picture_is_noticed_and_a_key_frame_cures_it() {
        let units = units(60, Some(45));
        let key_again = (1..units.len())
            .find(|&at| h264::is_key(&units[at]))
            .expect("a key frame was asked for");
        let mut decoder = VideoDecoder::new().expect("a decoder");
        let mut after_loss = 0;
        for (at, unit) in units.iter().enumerate().filter(|(at, _)| *at != 5) {
            match decoder.decode(unit) {
                Ok(Some(picture)) => {
                    assert!(read_stamp(&picture).is_some(), "no damage is ever shown ({at})")
                }
                Ok(None) | Err(_) => after_loss += 1,
            }
            assert_eq!(decoder.needs_key(), at > 5 && at < key_again, "at {at}");
        }
        assert_eq!(after_loss, key_again - 6);
    }

    #[test]
    fn it_waits_for_a_key_frame_to_begin() {
        let units = units(3, None);
        let mut decoder = VideoDecoder::new().expect("a decoder");
        assert!(matches!(decoder.decode(&units[1]), Ok(None)));
        assert!(decoder.needs_key());
        assert!(matches!(decoder.decode(&units[0]), Ok(Some(_))));
        assert!(!decoder.needs_key());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_streams_never_panic(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), junk in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut decoder = VideoDecoder::new().expect("a decoder");
            let _ = decoder.decode(&junk);
            for mut unit in units(4, None) {
                for (at, byte) in &flips {
                    let at = at.index(unit.len());
                    unit[at] = *byte;
                }
                let _ = decoder.decode(&unit);
            }
        }
    }
}
