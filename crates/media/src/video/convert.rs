//! Colour conversion between what devices deliver and I420, and to RGBA for still pictures.
//!
//! Everything RGB is sRGB, everything YUV is BT.601 limited range (what cameras deliver and what the encoder signals);
//! a conversion never guesses a size and never reads past the bytes it was given.

use std::borrow::Cow;

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};

use crate::video::frame::{I420, check_size};

const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;
const RANGE: YuvRange = YuvRange::Limited;
const MODE: YuvConversionMode = YuvConversionMode::Balanced;

/// Pixel formats devices deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// Three planes, Y then Cb then Cr.
    I420,
    /// Y plane, then one plane of interleaved CbCr.
    Nv12,
    /// Packed 4:2:2, Y0 Cb Y1 Cr.
    Yuyv,
    /// Packed 8-bit red, green, blue, alpha.
    Rgba,
    /// Packed 8-bit blue, green, red, alpha.
    Bgra,
    /// One JPEG picture (Motion JPEG).
    Mjpeg,
}

/// A picture as a device delivered it.
#[derive(Debug, Clone, Copy)]
pub struct RawPicture<'a> {
    /// How `data` is laid out.
    pub format: PixelFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one row of the first plane to the next; 0 means rows are packed.
    pub stride: usize,
    /// The bytes.
    pub data: &'a [u8],
}

/// Why a picture could not be converted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConvertError {
    /// The size is zero, absurd, or not what the data says.
    #[error("a picture of {width}x{height} cannot be handled")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The data is shorter than its size needs.
    #[error("the picture needs {needed} bytes, got {got}")]
    Short {
        /// Bytes the format and size need.
        needed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The JPEG data is damaged.
    #[error("the JPEG picture is damaged: {0}")]
    Jpeg(String),
}

/// Converts a device picture to I420.
///
/// # Errors
/// See [`ConvertError`]; total over any bytes.
pub fn to_i420(raw: &RawPicture<'_>) -> Result<I420, ConvertError> {
    let RawPicture {
        format,
        width,
        height,
        stride,
        data,
    } = *raw;
    check_size(width, height)?;
    match format {
        PixelFormat::I420 => i420(width, height, stride, data),
        PixelFormat::Nv12 => nv12(width, height, stride, data),
        PixelFormat::Yuyv => yuyv(width, height, stride, data),
        PixelFormat::Rgba => rgb(width, height, stride, data, 4, yuv::rgba_to_yuv420),
        PixelFormat::Bgra => rgb(width, height, stride, data, 4, yuv::bgra_to_yuv420),
        PixelFormat::Mjpeg => mjpeg(width, height, data),
    }
}

/// Converts to packed RGBA (alpha 255), replacing what `out` held. Rows are packed: stride is `4 * width`.
pub fn to_rgba(picture: &I420, out: &mut Vec<u8>) {
    let stride = picture.width() * 4;
    out.clear();
    out.resize(stride as usize * picture.height() as usize, 255);
    yuv::yuv420_to_rgba(&planar(picture), out, stride, RANGE, MATRIX)
        .expect("an I420 picture has planes that fit its size");
}

fn planar(picture: &I420) -> YuvPlanarImage<'_, u8> {
    YuvPlanarImage {
        y_plane: picture.y(),
        y_stride: picture.stride_y() as u32,
        u_plane: picture.u(),
        u_stride: picture.stride_uv() as u32,
        v_plane: picture.v(),
        v_stride: picture.stride_uv() as u32,
        width: picture.width(),
        height: picture.height(),
    }
}

fn planar_mut(picture: &mut I420) -> YuvPlanarImageMut<'_, u8> {
    let (width, height) = (picture.width(), picture.height());
    let (y_stride, uv_stride) = (picture.stride_y() as u32, picture.stride_uv() as u32);
    let (y, u, v) = picture.planes_mut();
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: uv_stride,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: uv_stride,
        width,
        height,
    }
}

fn need(data: &[u8], needed: usize) -> Result<(), ConvertError> {
    if data.len() < needed {
        Err(ConvertError::Short {
            needed,
            got: data.len(),
        })
    } else {
        Ok(())
    }
}

/// The stride to use, after checking that it covers a row.
fn row_stride(stride: usize, row: usize) -> Result<usize, ConvertError> {
    match stride {
        0 => Ok(row),
        s if s < row => Err(ConvertError::Short { needed: row, got: s }),
        s => Ok(s),
    }
}

fn i420(width: u32, height: u32, stride: usize, data: &[u8]) -> Result<I420, ConvertError> {
    let stride_y = row_stride(stride, width as usize)?;
    let stride_uv = stride_y.div_ceil(2);
    let luma = stride_y * height as usize;
    let chroma = stride_uv * height.div_ceil(2) as usize;
    need(data, luma + 2 * chroma)?;
    let (y, rest) = data.split_at(luma);
    let (u, v) = rest.split_at(chroma);
    I420::from_planes(width, height, (y, stride_y), u, v, stride_uv)
}

fn nv12(width: u32, height: u32, stride: usize, data: &[u8]) -> Result<I420, ConvertError> {
    let stride = row_stride(stride, width.next_multiple_of(2) as usize)?;
    let (cw, ch) = (width.div_ceil(2) as usize, height.div_ceil(2) as usize);
    need(data, stride * (height as usize + ch - 1) + 2 * cw)?;
    let (luma, chroma) = data.split_at(stride * height as usize);
    let mut out = I420::black(width, height);
    let out_stride = out.stride_uv();
    let (y, u, v) = out.planes_mut();
    for (to, from) in y.chunks_exact_mut(width as usize).zip(luma.chunks(stride)) {
        to.copy_from_slice(&from[..width as usize]);
    }
    for ((u, v), from) in u
        .chunks_exact_mut(out_stride)
        .zip(v.chunks_exact_mut(out_stride))
        .zip(chroma.chunks(stride))
    {
        for ((u, v), pair) in u.iter_mut().zip(v.iter_mut()).zip(from[..2 * cw].chunks_exact(2)) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
    Ok(out)
}

fn yuyv(width: u32, height: u32, stride: usize, data: &[u8]) -> Result<I420, ConvertError> {
    let row = width.next_multiple_of(2) as usize * 2;
    let stride = row_stride(stride, row)?;
    let needed = stride * (height as usize - 1) + row;
    need(data, needed)?;
    // The SIMD routine wants whole rows; a device may leave off the padding of the last one.
    let full = stride * height as usize;
    let yuy: Cow<'_, [u8]> = if data.len() >= full {
        Cow::Borrowed(&data[..full])
    } else {
        let mut padded = data.to_vec();
        padded.resize(full, 128);
        Cow::Owned(padded)
    };
    let packed = YuvPackedImage {
        yuy: &yuy,
        yuy_stride: stride as u32,
        width,
        height,
    };
    let mut out = I420::black(width, height);
    yuv::yuyv422_to_yuv420(&mut planar_mut(&mut out), &packed)
        .map_err(|_| ConvertError::Size { width, height })?;
    Ok(out)
}

type FromRgb = fn(
    &mut YuvPlanarImageMut<'_, u8>,
    &[u8],
    u32,
    YuvRange,
    YuvStandardMatrix,
    YuvConversionMode,
) -> Result<(), yuv::YuvError>;

fn rgb(
    width: u32,
    height: u32,
    stride: usize,
    data: &[u8],
    bytes_per_pixel: usize,
    convert: FromRgb,
) -> Result<I420, ConvertError> {
    let row = width as usize * bytes_per_pixel;
    let stride = row_stride(stride, row)?;
    need(data, stride * (height as usize - 1) + row)?;
    let full = stride * height as usize;
    let pixels: Cow<'_, [u8]> = if data.len() >= full {
        Cow::Borrowed(&data[..full])
    } else {
        let mut padded = data.to_vec();
        padded.resize(full, 0);
        Cow::Owned(padded)
    };
    let mut out = I420::black(width, height);
    convert(
        &mut planar_mut(&mut out),
        &pixels,
        stride as u32,
        RANGE,
        MATRIX,
        MODE,
    )
    .map_err(|_| ConvertError::Size { width, height })?;
    Ok(out)
}

fn mjpeg(width: u32, height: u32, data: &[u8]) -> Result<I420, ConvertError> {
    use zune_jpeg::JpegDecoder;
    use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    let jpeg = |e: zune_jpeg::errors::DecodeErrors| ConvertError::Jpeg(format!("{e:?}"));
    decoder.decode_headers().map_err(jpeg)?;
    // A camera that changes its size mid-stream, or lies about it, is caught here before anything is allocated.
    if decoder.dimensions() != Some((width as usize, height as usize)) {
        return Err(ConvertError::Size { width, height });
    }
    let pixels = decoder.decode().map_err(jpeg)?;
    rgb(width, height, 0, &pixels, 3, yuv::rgb_to_yuv420)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mean_error(a: &[u8], b: &[u8]) -> f64 {
        let sum: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / a.len() as f64
    }

    /// A smooth coloured picture: chroma survives 4:2:0 only where it is smooth.
    fn gradient(width: u32, height: u32, seed: u8) -> Vec<u8> {
        let mut rgba = Vec::with_capacity((width * height * 4) as usize);
        for row in 0..height {
            for col in 0..width {
                let r = (col * 200 / width) as u8;
                let g = (row * 200 / height) as u8;
                rgba.extend([r.wrapping_add(seed % 50), g, 120, 255]);
            }
        }
        rgba
    }

    proptest! {
        #[test]
        fn rgba_survives_the_round_trip(w in 1_u32..40, h in 1_u32..40, seed: u8) {
            let rgba = gradient(w * 2, h * 2, seed);
            let raw = RawPicture { format: PixelFormat::Rgba, width: w * 2, height: h * 2, stride: 0, data: &rgba };
            let picture = to_i420(&raw).expect("the picture is complete");
            let mut back = Vec::new();
            to_rgba(&picture, &mut back);
            // Chroma is averaged over 2x2 blocks: on tiny pictures the gradient is steep, so the bound is loose there.
            let bound = 2.5 + 120.0 / f64::from(w.min(h) * 2);
            prop_assert!(mean_error(&rgba, &back) < bound, "error {}", mean_error(&rgba, &back));
        }

        #[test]
        fn nv12_and_i420_say_the_same(w in 1_u32..33, h in 1_u32..33, pad in 0_usize..9, bytes in proptest::collection::vec(any::<u8>(), 33 * 33 * 3)) {
            let stride = w.next_multiple_of(2) as usize + pad * 2;
            let (cw, ch) = (w.div_ceil(2) as usize, h.div_ceil(2) as usize);
            let mut data = vec![0_u8; stride * (h as usize + ch)];
            let mut next = bytes.into_iter().cycle();
            let mut y = Vec::new(); let mut u = Vec::new(); let mut v = Vec::new();
            for row in 0..h as usize { for col in 0..w as usize {
                let b = next.next().expect("cycle never ends"); data[row * stride + col] = b; y.push(b);
            } }
            for row in 0..ch { for col in 0..cw {
                let (a, b) = (next.next().expect("cycle never ends"), next.next().expect("cycle never ends"));
                let at = (h as usize + row) * stride + 2 * col;
                (data[at], data[at + 1]) = (a, b); u.push(a); v.push(b);
            } }
            let raw = RawPicture { format: PixelFormat::Nv12, width: w, height: h, stride, data: &data };
            let got = to_i420(&raw).expect("the picture is complete");
            prop_assert_eq!(got, I420::from_planes(w, h, (&y, w as usize), &u, &v, cw).expect("complete"));
        }

        #[test]
        fn no_bytes_make_it_panic(format in 0..6_usize, w in 0_u32..70, h in 0_u32..70, stride in 0_usize..300, data in proptest::collection::vec(any::<u8>(), 0..4000)) {
            let format = [PixelFormat::I420, PixelFormat::Nv12, PixelFormat::Yuyv, PixelFormat::Rgba, PixelFormat::Bgra, PixelFormat::Mjpeg][format];
            let _ = to_i420(&RawPicture { format, width: w, height: h, stride, data: &data });
        }
    }

    #[test]
    fn yuyv_keeps_luma_exactly_and_averages_chroma() {
        // Two rows of two pixels; chroma rows 100/200 and 110/210 average to 105/205.
        let data = [10, 100, 20, 200, 30, 110, 40, 210];
        let raw = RawPicture {
            format: PixelFormat::Yuyv,
            width: 2,
            height: 2,
            stride: 0,
            data: &data,
        };
        let picture = to_i420(&raw).expect("the picture is complete");
        assert_eq!(picture.y(), [10, 20, 30, 40]);
        assert!(picture.u()[0].abs_diff(105) <= 5 && picture.v()[0].abs_diff(205) <= 5);
    }

    #[test]
    fn bgra_and_rgba_differ_only_in_order() {
        let rgba = gradient(16, 16, 0);
        let bgra: Vec<u8> = rgba
            .chunks_exact(4)
            .flat_map(|p| [p[2], p[1], p[0], p[3]])
            .collect();
        let convert = |format, data: &[u8]| {
            to_i420(&RawPicture {
                format,
                width: 16,
                height: 16,
                stride: 0,
                data,
            })
            .expect("complete")
        };
        assert_eq!(
            convert(PixelFormat::Rgba, &rgba),
            convert(PixelFormat::Bgra, &bgra)
        );
    }
}
