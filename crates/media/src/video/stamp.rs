//! A frame number and a millisecond clock burned into the picture as black and white blocks, and the reader for them.
//!
//! The strip is 32 by 2 blocks over the full width at the bottom, a fifteenth of the height, so that it survives H.264 at
//! 320x180 and any scaling. 64 bits, most significant first: 20 of frame number, 32 of clock, both Gray-coded (so that a
//! counter step flips one block), then a CRC-12 over those 52. A picture without a stamp reads as `None`: every block must
//! be clearly black or clearly white and the checksum must hold. It is a measuring tool, not a watermark: anyone can forge it.

use crate::clock::WallMs;
use crate::video::frame::I420;

/// Blocks in a row.
const COLUMNS: u32 = 32;
/// Rows of blocks.
const ROWS: u32 = 2;
/// One row of blocks takes this fraction of the picture's height.
const ROW_FRACTION: u32 = 30;
/// Smallest picture that carries a readable stamp: blocks of 5 by 3 pixels.
const MIN_SIZE: (u32, u32) = (160, 90);

const FRAME_BITS: u32 = 20;
const CLOCK_BITS: u32 = 32;
const CRC_BITS: u32 = 12;
const BLACK: u8 = 16;
const WHITE: u8 = 235;
/// Block means between these are neither black nor white.
const UNCLEAR: std::ops::Range<u32> = 90..165;

/// What is burned in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Frame number, modulo 2^20 (more than nine hours at 30 frames a second).
    pub frame: u32,
    /// Low 32 bits of the wall clock in milliseconds at capture.
    pub clock_ms: u32,
}

impl Stamp {
    /// The stamp for frame number `frame` taken at `wall`.
    pub fn new(frame: u64, wall: WallMs) -> Self {
        Self {
            frame: (frame & ((1 << FRAME_BITS) - 1)) as u32,
            clock_ms: wall.0 as u32,
        }
    }

    /// Milliseconds from capture to `now`, where both clocks are this machine's. Wraps after 49 days; a clock set back
    /// gives a huge number, so callers discard ages above what they can explain.
    pub fn age_ms(self, now: WallMs) -> u32 {
        (now.0 as u32).wrapping_sub(self.clock_ms)
    }

    fn to_bits(self) -> u64 {
        let frame = u64::from(gray(self.frame & ((1 << FRAME_BITS) - 1)));
        let payload = frame << CLOCK_BITS | u64::from(gray(self.clock_ms));
        payload << CRC_BITS | u64::from(crc12(payload))
    }

    fn from_bits(bits: u64) -> Option<Self> {
        let payload = bits >> CRC_BITS;
        if u64::from(crc12(payload)) != bits & ((1 << CRC_BITS) - 1) {
            return None;
        }
        Some(Self {
            frame: ungray((payload >> CLOCK_BITS) as u32),
            clock_ms: ungray(payload as u32),
        })
    }
}

fn gray(n: u32) -> u32 {
    n ^ (n >> 1)
}

fn ungray(mut g: u32) -> u32 {
    for shift in [1, 2, 4, 8, 16] {
        g ^= g >> shift;
    }
    g
}

/// CRC-12 (polynomial 0x80F) over the 52 payload bits, started at all ones so that a black strip does not check out.
fn crc12(payload: u64) -> u16 {
    let mut crc: u16 = 0xFFF;
    for bit in (0..FRAME_BITS + CLOCK_BITS).rev() {
        let top = (crc >> 11) & 1 ^ (payload >> bit) as u16 & 1;
        crc = (crc << 1) & 0xFFF;
        if top == 1 {
            crc ^= 0x80F;
        }
    }
    crc
}

/// Pixel columns `[from, to)` of block column `col`, and pixel rows of block row `row`.
fn block(width: u32, height: u32, col: u32, row: u32) -> ((u32, u32), (u32, u32)) {
    let x = (col * width / COLUMNS, (col + 1) * width / COLUMNS);
    let top = height - height * ROWS / ROW_FRACTION;
    let strip = height - top;
    (x, (top + row * strip / ROWS, top + (row + 1) * strip / ROWS))
}

/// Burns `stamp` into the bottom of the picture. Pictures smaller than 160x90 are left as they are.
pub fn burn_stamp(picture: &mut I420, stamp: Stamp) {
    let (width, height) = (picture.width(), picture.height());
    if width < MIN_SIZE.0 || height < MIN_SIZE.1 {
        return;
    }
    let bits = stamp.to_bits();
    let (stride_y, stride_uv) = (picture.stride_y(), picture.stride_uv());
    let (luma, cb, cr) = picture.planes_mut();
    for row in 0..ROWS {
        for col in 0..COLUMNS {
            let bit = bits >> (63 - (row * COLUMNS + col)) & 1;
            let ((x0, x1), (y0, y1)) = block(width, height, col, row);
            for line in y0..y1 {
                let at = line as usize * stride_y;
                luma[at + x0 as usize..at + x1 as usize].fill(if bit == 1 { WHITE } else { BLACK });
            }
        }
    }
    let first = (block(width, height, 0, 0).1.0 / 2) as usize * stride_uv;
    cb[first..].fill(128);
    cr[first..].fill(128);
}

/// Reads the stamp from a picture of any size from 160x90 up, `None` where there is none or it is not clear.
pub fn read_stamp(picture: &I420) -> Option<Stamp> {
    let (width, height) = (picture.width(), picture.height());
    if width < MIN_SIZE.0 || height < MIN_SIZE.1 {
        return None;
    }
    let mut bits = 0_u64;
    for row in 0..ROWS {
        for col in 0..COLUMNS {
            let ((x0, x1), (y0, y1)) = block(width, height, col, row);
            // The middle half of the block in each direction: edges bleed under compression and scaling.
            let (xq, yq) = ((x1 - x0) / 4, (y1 - y0) / 4);
            let (mut sum, mut count) = (0_u32, 0_u32);
            for line in y0 + yq..y1 - yq {
                let at = line as usize * picture.stride_y();
                for &pixel in &picture.y()[at + (x0 + xq) as usize..at + (x1 - xq) as usize] {
                    sum += u32::from(pixel);
                    count += 1;
                }
            }
            let mean = sum / count.max(1);
            if UNCLEAR.contains(&mean) {
                return None;
            }
            bits = bits << 1 | u64::from(mean >= UNCLEAR.end);
        }
    }
    Stamp::from_bits(bits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::video::scale::scale;

    proptest! {
        #[test]
        fn what_is_burned_in_is_read_back_at_any_size(frame in 0_u64..1 << 20, clock: u64, w in 160_u32..1400, h in 90_u32..800) {
            let mut picture = I420::black(w, h);
            let stamp = Stamp::new(frame, WallMs(clock));
            burn_stamp(&mut picture, stamp);
            prop_assert_eq!(read_stamp(&picture), Some(stamp));
        }

        #[test]
        fn scaling_down_keeps_it(frame in 0_u64..1 << 20, clock: u64, w in 300_u32..640) {
            let mut picture = I420::black(1280, 720);
            let stamp = Stamp::new(frame, WallMs(clock));
            burn_stamp(&mut picture, stamp);
            prop_assert_eq!(read_stamp(&scale(&picture, w, w * 9 / 16)), Some(stamp));
        }

        #[test]
        fn one_flipped_block_is_noticed(frame in 0_u64..1 << 20, clock: u64, bit in 0..64) {
            let bits = Stamp::new(frame, WallMs(clock)).to_bits();
            prop_assert_eq!(Stamp::from_bits(bits ^ (1_u64 << bit)), None);
        }
    }

    #[test]
    fn flat_pictures_carry_no_stamp() {
        for level in [0, 16, 128, 235, 255] {
            let mut picture = I420::black(640, 360);
            picture.planes_mut().0.fill(level);
            assert_eq!(read_stamp(&picture), None, "level {level}");
        }
    }

    #[test]
    fn age_wraps_with_the_clock() {
        let stamp = Stamp::new(0, WallMs(u64::from(u32::MAX) - 4));
        assert_eq!(stamp.age_ms(WallMs(u64::from(u32::MAX) + 16)), 20);
    }
}
