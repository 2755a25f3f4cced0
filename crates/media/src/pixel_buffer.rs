//! Core Video pixel buffers (macOS) to I420, for cameras and screens alike.
//!
//! Not run anywhere yet: it is type-checked on Linux and waits for a Mac.

use objc2_core_media::CMSampleBuffer;
use objc2_core_video::{
    CVPixelBufferGetBaseAddressOfPlane, CVPixelBufferGetBytesPerRowOfPlane, CVPixelBufferGetHeight,
    CVPixelBufferGetPixelFormatType, CVPixelBufferGetPlaneCount, CVPixelBufferGetWidth,
    CVPixelBufferLockBaseAddress, CVPixelBufferLockFlags, CVPixelBufferUnlockBaseAddress,
    kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
};

use crate::video::frame::{I420, check_size};

/// The pixel format cameras and screens are asked for: NV12, limited range.
pub(crate) const NV12: u32 = kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange;

/// The picture of a sample; `None` when it holds none, or one in a format that was not asked for.
pub(crate) fn picture(sample: &CMSampleBuffer) -> Option<I420> {
    // SAFETY: the sample is valid for the length of the call; the buffer it gives is retained by what is returned.
    let buffer = unsafe { sample.image_buffer() }?;
    let (width, height) = (
        CVPixelBufferGetWidth(&buffer) as u32,
        CVPixelBufferGetHeight(&buffer) as u32,
    );
    if CVPixelBufferGetPixelFormatType(&buffer) != NV12 || CVPixelBufferGetPlaneCount(&buffer) != 2 {
        return None;
    }
    check_size(width, height).ok()?;
    // SAFETY: the buffer is alive; every lock is undone below on the only way out.
    if unsafe { CVPixelBufferLockBaseAddress(&buffer, CVPixelBufferLockFlags::ReadOnly) } != 0 {
        return None;
    }
    let rows = height.div_ceil(2) as usize;
    let plane = |index: usize, rows: usize| {
        let stride = CVPixelBufferGetBytesPerRowOfPlane(&buffer, index);
        let base = CVPixelBufferGetBaseAddressOfPlane(&buffer, index).cast::<u8>();
        // SAFETY: the locked plane has `rows` rows of `stride` bytes at `base`, and nobody writes to it while it is locked.
        (!base.is_null()).then(|| (unsafe { std::slice::from_raw_parts(base, stride * rows) }, stride))
    };
    let converted = plane(0, height as usize)
        .zip(plane(1, rows))
        .and_then(|(luma, chroma)| nv12(width, height, luma, chroma));
    // SAFETY: it was locked with the same flags just above, and no slice of it is used after this.
    unsafe { CVPixelBufferUnlockBaseAddress(&buffer, CVPixelBufferLockFlags::ReadOnly) };
    converted
}

/// NV12 whose planes lie apart, each with its own stride.
fn nv12(width: u32, height: u32, luma: (&[u8], usize), chroma: (&[u8], usize)) -> Option<I420> {
    let columns = width.div_ceil(2) as usize;
    let (mut u, mut v) = (Vec::new(), Vec::new());
    for row in chroma.0.chunks(chroma.1) {
        for pair in row.get(..2 * columns)?.chunks_exact(2) {
            u.push(pair[0]);
            v.push(pair[1]);
        }
    }
    I420::from_planes(width, height, luma, &u, &v, columns).ok()
}
