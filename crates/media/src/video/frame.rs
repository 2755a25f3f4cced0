//! The picture type of the whole crate: planar I420 (4:2:0, BT.601 limited range), and the one-slot mailbox that carries it.
//!
//! A picture never changes once shared; a mailbox never holds more than one.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::video::convert::ConvertError;

/// Largest width or height accepted, in pixels (the encoder's limit is 3840x2160).
pub const MAX_SIDE: u32 = 8192;

/// A planar 4:2:0 picture. Width and height may be odd; chroma planes are rounded up.
#[derive(Clone, PartialEq, Eq)]
pub struct I420 {
    width: u32,
    height: u32,
    stride_y: usize,
    stride_uv: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl std::fmt::Debug for I420 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "I420({}x{})", self.width, self.height)
    }
}

impl I420 {
    /// A black picture.
    ///
    /// # Panics
    /// When a side is zero or above [`MAX_SIDE`]: sizes from outside are checked where they come in.
    pub fn black(width: u32, height: u32) -> Self {
        assert!(
            (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height),
            "picture sizes are checked where they enter: {width}x{height}"
        );
        let (stride_y, stride_uv) = (width as usize, width.div_ceil(2) as usize);
        let rows_uv = height.div_ceil(2) as usize;
        Self {
            width,
            height,
            stride_y,
            stride_uv,
            y: vec![16; stride_y * height as usize],
            u: vec![128; stride_uv * rows_uv],
            v: vec![128; stride_uv * rows_uv],
        }
    }

    /// Copies planes with any stride into a packed picture.
    ///
    /// # Errors
    /// [`ConvertError::Size`] for an impossible size, [`ConvertError::Short`] when a plane holds too few bytes.
    pub fn from_planes(
        width: u32,
        height: u32,
        (y, stride_y): (&[u8], usize),
        u: &[u8],
        v: &[u8],
        stride_uv: usize,
    ) -> Result<Self, ConvertError> {
        check_size(width, height)?;
        let mut out = Self::black(width, height);
        let (cw, ch) = out.chroma_size();
        copy_plane(&mut out.y, (width as usize, height as usize), y, stride_y)?;
        copy_plane(&mut out.u, (cw, ch), u, stride_uv)?;
        copy_plane(&mut out.v, (cw, ch), v, stride_uv)?;
        Ok(out)
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Width and height of the chroma planes.
    pub fn chroma_size(&self) -> (usize, usize) {
        (self.width.div_ceil(2) as usize, self.height.div_ceil(2) as usize)
    }

    /// Bytes from one luma row to the next.
    pub fn stride_y(&self) -> usize {
        self.stride_y
    }

    /// Bytes from one chroma row to the next.
    pub fn stride_uv(&self) -> usize {
        self.stride_uv
    }

    /// The luma plane.
    pub fn y(&self) -> &[u8] {
        &self.y
    }

    /// The Cb plane.
    pub fn u(&self) -> &[u8] {
        &self.u
    }

    /// The Cr plane.
    pub fn v(&self) -> &[u8] {
        &self.v
    }

    /// The same picture turned by 180°.
    pub fn turned(&self) -> Self {
        let mut out = Self::black(self.width, self.height);
        let (cw, ch) = self.chroma_size();
        let (width, height) = (self.width as usize, self.height as usize);
        turn_plane(&mut out.y, &self.y, self.stride_y, (width, height));
        turn_plane(&mut out.u, &self.u, self.stride_uv, (cw, ch));
        turn_plane(&mut out.v, &self.v, self.stride_uv, (cw, ch));
        out
    }

    /// The three planes, writable: (Y, Cb, Cr).
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        (&mut self.y, &mut self.u, &mut self.v)
    }
}

/// Refuses sizes no camera, screen or decoder of ours produces.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), ConvertError> {
    if (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) {
        Ok(())
    } else {
        Err(ConvertError::Size { width, height })
    }
}

fn copy_plane(
    out: &mut [u8],
    (width, height): (usize, usize),
    plane: &[u8],
    stride: usize,
) -> Result<(), ConvertError> {
    let needed = stride * (height - 1) + width;
    if stride < width || plane.len() < needed {
        return Err(ConvertError::Short {
            needed,
            got: plane.len(),
        });
    }
    for (to, from) in out.chunks_exact_mut(width).zip(plane.chunks(stride)) {
        to.copy_from_slice(&from[..width]);
    }
    Ok(())
}

/// Into a packed plane: the last line first, each from its end.
fn turn_plane(out: &mut [u8], plane: &[u8], stride: usize, (width, height): (usize, usize)) {
    let lines = plane.chunks(stride).take(height).rev();
    for (to, from) in out.chunks_exact_mut(width).zip(lines) {
        for (to, from) in to.iter_mut().zip(from[..width].iter().rev()) {
            *to = *from;
        }
    }
}

/// A picture and the moment it was taken. Cloning shares the picture.
#[derive(Debug, Clone)]
pub struct VideoFrame {
    /// The picture.
    pub picture: Arc<I420>,
    /// When it was captured, on this process's media clock.
    pub captured: Timestamp,
}

impl VideoFrame {
    /// Wraps a picture taken at `captured`.
    pub fn new(picture: I420, captured: Timestamp) -> Self {
        Self {
            picture: Arc::new(picture),
            captured,
        }
    }
}

/// A mailbox with one slot: putting replaces what nobody took. Share it in an `Arc`.
#[derive(Debug, Default)]
pub struct LatestFrame {
    slot: Mutex<Slot>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    untaken: bool,
    ended: bool,
    newest: Option<VideoFrame>,
    replaced: u64,
}

impl LatestFrame {
    /// An empty mailbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a frame, replacing one that nobody took.
    pub fn put(&self, frame: VideoFrame) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.replaced += u64::from(slot.untaken);
        slot.untaken = true;
        slot.newest = Some(frame);
        drop(slot);
        self.filled.notify_one();
    }

    /// Nothing more will be put: nobody waits any longer.
    pub(crate) fn end(&self) {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.filled.notify_all();
    }

    /// Takes the next frame nobody took yet, waiting at most `timeout` for it, and not at all where nothing more comes.
    pub fn wait(&self, timeout: Duration) -> Option<VideoFrame> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut slot, _) = self
            .filled
            .wait_timeout_while(slot, timeout, |s| !s.untaken && !s.ended)
            .unwrap_or_else(PoisonError::into_inner);
        if !std::mem::take(&mut slot.untaken) {
            return None;
        }
        slot.newest.clone()
    }

    /// The newest frame, taken or not.
    pub fn newest(&self) -> Option<VideoFrame> {
        self.slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .newest
            .clone()
    }

    /// How many frames were replaced before anybody took them.
    pub fn replaced(&self) -> u64 {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_keeps_only_the_latest() {
        let mailbox = LatestFrame::new();
        for ms in 1..=3 {
            mailbox.put(VideoFrame::new(I420::black(2, 2), Timestamp::from_millis(ms)));
        }
        let taken = mailbox.wait(Duration::ZERO).expect("three were put");
        assert_eq!(taken.captured, Timestamp::from_millis(3));
        assert_eq!(mailbox.replaced(), 2);
        assert!(mailbox.wait(Duration::ZERO).is_none());
        assert!(mailbox.newest().is_some());
    }

    #[test]
    fn a_turned_picture_begins_with_its_last_pixel_and_turned_twice_is_itself() {
        let y: Vec<u8> = (0..15).collect();
        let picture = I420::from_planes(5, 3, (&y, 5), &[1, 2, 3, 4, 5, 6], &[6, 5, 4, 3, 2, 1], 3)
            .expect("the planes are whole");
        let turned = picture.turned();
        assert_eq!(turned.y(), (0..15).rev().collect::<Vec<u8>>());
        assert_eq!(
            (turned.u(), turned.v()),
            (&[6, 5, 4, 3, 2, 1][..], &[1, 2, 3, 4, 5, 6][..])
        );
        assert_eq!(turned.turned(), picture);
    }

    #[test]
    fn planes_shorter_than_their_size_are_refused() {
        let short = I420::from_planes(4, 4, (&[0; 15], 4), &[0; 4], &[0; 4], 2);
        assert!(matches!(short, Err(ConvertError::Short { needed: 16, got: 15 })));
        assert!(matches!(
            I420::from_planes(0, 4, (&[], 0), &[], &[], 0),
            Err(ConvertError::Size { .. })
        ));
    }
}
