//! Scaling of I420 pictures, plane by plane. It never changes the aspect of its own accord: the caller names both sides.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::video::frame::I420;

/// Scales pictures, keeping its work buffers between calls.
#[derive(Debug, Default)]
pub struct Scaler {
    resizer: Resizer,
}

impl Scaler {
    /// A scaler with empty work buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture at `width` x `height`. Sides must lie in `1..=MAX_SIDE`, like those of any picture.
    pub fn scale(&mut self, picture: &I420, width: u32, height: u32) -> I420 {
        if (picture.width(), picture.height()) == (width, height) {
            return picture.clone();
        }
        let mut out = I420::black(width, height);
        let (from_cw, from_ch) = picture.chroma_size();
        let (to_cw, to_ch) = out.chroma_size();
        let luma = ((picture.width(), picture.height()), (width, height));
        let chroma = ((from_cw as u32, from_ch as u32), (to_cw as u32, to_ch as u32));
        let (y, u, v) = out.planes_mut();
        self.plane(picture.y(), y, luma);
        self.plane(picture.u(), u, chroma);
        self.plane(picture.v(), v, chroma);
        out
    }

    /// The luma plane alone at `width` x `height`, packed. Sides must lie in `1..=MAX_SIDE`.
    pub(crate) fn luma(&mut self, picture: &I420, width: u32, height: u32) -> Vec<u8> {
        let mut out = vec![0; width as usize * height as usize];
        let sizes = ((picture.width(), picture.height()), (width, height));
        self.plane(picture.y(), &mut out, sizes);
        out
    }

    fn plane(&mut self, from: &[u8], to: &mut [u8], (from_size, to_size): ((u32, u32), (u32, u32))) {
        let source = TypedImageRef::<U8>::from_buffer(from_size.0, from_size.1, from)
            .expect("an I420 plane has exactly the bytes of its size");
        let mut target = TypedImage::<U8>::from_buffer(to_size.0, to_size.1, to)
            .expect("an I420 plane has exactly the bytes of its size");
        // Bilinear over the footprint of the target pixel: no aliasing when shrinking, and half the cost of bicubic.
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        self.resizer
            .resize_typed(&source, &mut target, &options)
            .expect("both sides are one-channel pictures of non-zero size");
    }
}

/// Scales one picture. For a stream keep a [`Scaler`].
pub fn scale(picture: &I420, width: u32, height: u32) -> I420 {
    Scaler::new().scale(picture, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat() {
        let mut picture = I420::black(64, 36);
        picture.planes_mut().0.fill(77);
        let small = scale(&picture, 31, 17);
        assert_eq!((small.width(), small.height()), (31, 17));
        assert!(small.y().iter().all(|&p| p.abs_diff(77) <= 1));
        assert!(small.u().iter().all(|&p| p == 128));
    }
}
