//! What is on the screen, read from the frame buffer that Xvfb keeps in a file (X window dump version 7, `XWDFile.h`).

use anyhow::{Context, Result, ensure};
use std::{fs::File, os::unix::fs::FileExt, path::Path};

/// Bytes of a pixel, blue first.
const PIXEL: usize = 4;
/// Bytes of a colour in the table before the pixels (`XWDColor`).
const COLOUR: u64 = 12;

/// A screen that can be looked at.
pub struct Screen {
    file: File,
    /// Where the pixels begin.
    pixels: u64,
    bytes_per_line: u64,
}

impl Screen {
    /// Opens the dump.
    pub fn open(frame_buffer: &Path) -> Result<Self> {
        let file = File::open(frame_buffer).context("Xvfb keeps no frame buffer")?;
        // `XWDFileHeader`: big-endian words.
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0)?;
        let word = |at: usize| {
            let bytes = header[4 * at..4 * at + 4]
                .try_into()
                .expect("four bytes of a hundred");
            u64::from(u32::from_be_bytes(bytes))
        };
        ensure!(word(1) == 7, "not an X window dump of version 7");
        ensure!(word(11) == 32, "the screen has not 32 bits a pixel");
        Ok(Self {
            pixels: word(0) + word(19) * COLOUR,
            bytes_per_line: word(12),
            file,
        })
    }

    /// The green of `line.len()` pixels beginning at a place, which is near enough to their brightness.
    pub fn line(&self, (x, y): (usize, usize), line: &mut [u8]) -> Result<()> {
        let mut bytes = vec![0; line.len() * PIXEL];
        let offset = y as u64 * self.bytes_per_line + (x * PIXEL) as u64;
        self.file.read_exact_at(&mut bytes, self.pixels + offset)?;
        for (green, pixel) in line.iter_mut().zip(bytes.chunks_exact(PIXEL)) {
            *green = pixel[1];
        }
        Ok(())
    }

    /// A part of the screen, line by line.
    pub fn part(&self, at: (usize, usize), size: (usize, usize)) -> Result<Vec<u8>> {
        let mut part = vec![0; size.0 * size.1];
        for (row, line) in part.chunks_exact_mut(size.0).enumerate() {
            self.line((at.0, at.1 + row), line)?;
        }
        Ok(part)
    }
}

/// How much two parts of a screen differ: the mean over all pixels, of 255.
pub fn difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: u64 = one
        .iter()
        .zip(other)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / one.len().max(1) as f64
}
