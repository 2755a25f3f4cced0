//! Opus (RFC 6716, RFC 7587): 20 ms packets of 48 kHz mono with in-band forward error correction and discontinuous
//! transmission, and the decoder that uses both.
//!
//! Everything a peer sends may be damaged: decoding returns an error, never panics.

use ::opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal};

use crate::audio::{AudioError, PACKET, RATE};

/// Largest packet libopus makes, in bytes (RFC 6716 §3.2.1).
const MAX_PACKET: usize = 1_275;
/// Packets of at most this many bytes say "still silent" and need not be sent (libopus `opus_encode`).
const DTX_BYTES: usize = 2;
/// Longest packet a peer may send: 120 ms (RFC 6716 §2.1.4).
const MAX_DECODED: usize = RATE as usize * 120 / 1_000;

/// How speech is encoded. All can change while running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusSettings {
    /// Target bitrate in bits per second, 6,000 to 128,000.
    pub bitrate_bps: u32,
    /// In-band forward error correction: a packet carries a coarse copy of the one before.
    pub fec: bool,
    /// Send next to nothing while silent.
    pub dtx: bool,
    /// Expected loss in percent; it decides how much goes into forward error correction.
    pub loss_percent: u8,
}

impl Default for OpusSettings {
    fn default() -> Self {
        Self {
            bitrate_bps: 32_000,
            fec: true,
            dtx: true,
            loss_percent: 10,
        }
    }
}

fn codec(error: ::opus::Error) -> AudioError {
    AudioError::Codec(error.to_string())
}

/// Encodes one stream.
#[derive(Debug)]
pub struct OpusEncoder {
    encoder: Encoder,
    buffer: Vec<u8>,
}

impl OpusEncoder {
    /// An encoder for speech.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when libopus refuses (out of memory).
    pub fn new(settings: OpusSettings) -> Result<Self, AudioError> {
        let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip).map_err(codec)?;
        encoder.set_signal(Signal::Voice).map_err(codec)?;
        encoder.set_complexity(7).map_err(codec)?;
        let mut this = Self {
            encoder,
            buffer: vec![0; MAX_PACKET],
        };
        this.set(settings)?;
        Ok(this)
    }

    /// Changes the settings from the next packet on.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when libopus refuses; out-of-range values are brought into range first.
    pub fn set(&mut self, settings: OpusSettings) -> Result<(), AudioError> {
        let bitrate = settings.bitrate_bps.clamp(6_000, 128_000) as i32;
        self.encoder.set_bitrate(Bitrate::Bits(bitrate)).map_err(codec)?;
        self.encoder.set_inband_fec(settings.fec).map_err(codec)?;
        self.encoder.set_dtx(settings.dtx).map_err(codec)?;
        self.encoder
            .set_packet_loss_perc(i32::from(settings.loss_percent.min(100)))
            .map_err(codec)
    }

    /// Encodes 20 ms. `None` when the packet need not be sent (discontinuous transmission).
    ///
    /// # Errors
    /// [`AudioError::Codec`] when libopus refuses.
    pub fn encode(&mut self, samples: &[f32; PACKET]) -> Result<Option<Vec<u8>>, AudioError> {
        let len = self
            .encoder
            .encode_float(samples, &mut self.buffer)
            .map_err(codec)?;
        Ok((len > DTX_BYTES).then(|| self.buffer[..len].to_vec()))
    }
}

/// Decodes one stream.
#[derive(Debug)]
pub struct OpusDecoder {
    decoder: Decoder,
    buffer: Vec<f32>,
}

impl OpusDecoder {
    /// A decoder.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when libopus refuses (out of memory).
    pub fn new() -> Result<Self, AudioError> {
        let decoder = Decoder::new(RATE, Channels::Mono).map_err(codec)?;
        Ok(Self {
            decoder,
            buffer: vec![0.0; MAX_DECODED],
        })
    }

    /// Decodes a packet of up to 120 ms.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when it is damaged.
    pub fn decode(&mut self, packet: &[u8]) -> Result<&[f32], AudioError> {
        if packet.is_empty() {
            return Err(AudioError::Codec("empty packet".into()));
        }
        let len = self
            .decoder
            .decode_float(packet, &mut self.buffer, false)
            .map_err(codec)?;
        Ok(&self.buffer[..len])
    }

    /// The sound of the lost packet before `next`, from its forward error correction or else by concealment: 20 ms.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when `next` is damaged.
    pub fn recover(&mut self, next: &[u8]) -> Result<&[f32], AudioError> {
        let len = self
            .decoder
            .decode_float(next, &mut self.buffer[..PACKET], true)
            .map_err(codec)?;
        Ok(&self.buffer[..len])
    }

    /// Makes up 20 ms for a packet that is lost for good.
    ///
    /// # Errors
    /// [`AudioError::Codec`] when libopus refuses.
    pub fn conceal(&mut self) -> Result<&[f32], AudioError> {
        let len = self
            .decoder
            .decode_float(&[], &mut self.buffer[..PACKET], false)
            .map_err(codec)?;
        Ok(&self.buffer[..len])
    }
}

/// Samples (at 48 kHz) a packet decodes to; `None` when it is damaged.
pub fn packet_samples(packet: &[u8]) -> Option<usize> {
    if packet.is_empty() {
        return None;
    }
    ::opus::packet::get_nb_samples(packet, RATE)
        .ok()
        .filter(|&n| (1..=MAX_DECODED).contains(&n))
}

/// Whether the packet carries forward error correction for the one before (RFC 6716 §4.2.4): only the SILK layer does,
/// so CELT-only packets (configurations 16 and up) never.
pub fn may_carry_fec(packet: &[u8]) -> bool {
    packet.first().is_some_and(|toc| toc >> 3 < 16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::meter::{ToneDetector, mean_square};

    fn packet(n: usize) -> [f32; PACKET] {
        std::array::from_fn(|k| {
            0.3 * (std::f32::consts::TAU * 440.0 * (n * PACKET + k) as f32 / RATE as f32).sin()
        })
    }

    #[test]
    fn a_tone_comes_through_and_a_lost_packet_is_recovered() {
        let settings = OpusSettings {
            dtx: false,
            loss_percent: 30,
            bitrate_bps: 24_000,
            ..OpusSettings::default()
        };
        let mut encoder = OpusEncoder::new(settings).expect("an encoder");
        let mut decoder = OpusDecoder::new().expect("a decoder");
        let mut tone = ToneDetector::new(440.0);
        let packets: Vec<Vec<u8>> = (0..100)
            .map(|n| encoder.encode(&packet(n)).expect("encodes").expect("no pause"))
            .collect();
        for n in 0..100 {
            if n % 10 == 5 {
                let recovered = decoder.recover(&packets[n + 1]).expect("whole").to_vec();
                assert_eq!(recovered.len(), PACKET);
                assert!(mean_square(&recovered) > 0.005, "packet {n} came back silent");
                tone.push(&recovered);
            } else {
                tone.push(decoder.decode(&packets[n]).expect("whole"));
            }
        }
        assert!(tone.strength() > 0.8, "{}", tone.strength());
    }

    #[test]
    fn silence_is_hardly_sent_and_the_bitrate_is_kept() {
        let mut encoder = OpusEncoder::new(OpusSettings::default()).expect("an encoder");
        let sent = (0..200)
            .filter(|_| encoder.encode(&[0.0; PACKET]).expect("encodes").is_some())
            .count();
        assert!(sent < 40, "{sent} of 200 silent packets were sent");
        let mut bytes = |bitrate_bps| {
            encoder
                .set(OpusSettings {
                    bitrate_bps,
                    dtx: false,
                    ..OpusSettings::default()
                })
                .expect("in range");
            let mut noise = 1_u32;
            (0..50)
                .map(|_| {
                    let samples = std::array::from_fn(|_| {
                        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (noise >> 16) as f32 / 65_536.0 - 0.5
                    });
                    encoder.encode(&samples).expect("encodes").map_or(0, |p| p.len())
                })
                .sum::<usize>()
        };
        let (high, low) = (bytes(64_000), bytes(16_000));
        assert!(
            (4_000..12_000).contains(&high) && low < high / 2,
            "{high} and {low} bytes a second"
        );
    }

    proptest! {
        #[test]
        fn damaged_packets_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = OpusDecoder::new().expect("a decoder");
            let _ = packet_samples(&bytes);
            let _ = decoder.recover(&bytes);
            let _ = decoder.decode(&bytes);
        }
    }
}
