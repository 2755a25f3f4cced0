//! Encoded pictures on their way to whoever shows them. Nothing is decoded here.

use bytes::Bytes;

/// One access unit of one track.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodedFrame {
    /// [`protocol::TrackInfo::slot`].
    pub slot: u32,
    /// Decoding can begin here.
    pub key: bool,
    /// Pixels; 0 while unknown.
    pub width: u16,
    /// Pixels; 0 while unknown.
    pub height: u16,
    /// Number on this slot; a gap means that pictures were lost up to this key picture.
    pub seq: u32,
    /// Capture or RTP time in microseconds; only differences mean something.
    pub ts_us: u64,
    /// H.264, Annex B.
    pub data: Bytes,
}

/// Takes pictures. Called on a media task, so it must not block.
pub trait FrameSink: Send + Sync + 'static {
    /// One picture; own previews come the same way.
    fn frame(&self, frame: EncodedFrame);
}

/// Shows nothing.
pub struct NoFrames;

impl FrameSink for NoFrames {
    fn frame(&self, _frame: EncodedFrame) {}
}

/// Numbers the pictures of one slot.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    seq: u32,
    size: (u16, u16),
    last_rtp: Option<u32>,
    clock_us: u64,
}

impl Numbering {
    /// Pictures were lost.
    pub(crate) fn gap(&mut self) {
        self.seq = self.seq.wrapping_add(1);
    }

    /// The frame of a picture with a 90 kHz timestamp.
    pub(crate) fn frame(&mut self, slot: u32, key: bool, rtp: u32, data: Bytes) -> EncodedFrame {
        if key && let Some((width, height)) = media::video::h264::dimensions(&data) {
            self.size = (width.min(65_535) as u16, height.min(65_535) as u16);
        }
        let step = rtp.wrapping_sub(self.last_rtp.replace(rtp).unwrap_or(rtp)) as i32;
        self.clock_us = self.clock_us.saturating_add_signed(i64::from(step) * 100 / 9);
        let seq = self.seq;
        self.seq = self.seq.wrapping_add(1);
        EncodedFrame {
            slot,
            key,
            width: self.size.0,
            height: self.size.1,
            seq,
            ts_us: self.clock_us,
            data,
        }
    }

    /// Size of the last key picture.
    pub(crate) fn size(&self) -> (u16, u16) {
        self.size
    }
}
