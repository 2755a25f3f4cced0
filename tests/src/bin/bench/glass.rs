//! The glass: what is on the screen, read from the frame buffer of Xvfb, and the age of the clock in it.

use anyhow::{Context, Result, bail, ensure};
use media::{
    clock::MediaClock,
    video::{I420, Stamp, read_stamp},
};
use std::{fs::File, os::unix::fs::FileExt, path::Path, time::Duration};

/// Bytes of a pixel, blue first.
const PIXEL: usize = 4;
/// Bytes of a colour in the table before the pixels (`XWDColor`).
const COLOUR: u64 = 12;
/// Where a window may put its content, from the corner of the screen.
const OFFSETS: (usize, usize) = (24, 160);
/// An older picture is none of ours.
const OLDEST_MS: u32 = 10_000;
/// How often the glass is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// A picture of a known size somewhere on the screen.
pub(crate) struct Glass {
    file: File,
    /// Where the pixels begin.
    pixels: u64,
    bytes_per_line: u64,
    size: (usize, usize),
    at: (usize, usize),
    picture: I420,
    line: Vec<u8>,
    clock: MediaClock,
}

impl Glass {
    /// Opens the dump that Xvfb keeps (`XWDFileHeader`: big-endian words).
    pub(crate) fn open(frame_buffer: &Path, size: (usize, usize)) -> Result<Self> {
        let file = File::open(frame_buffer).context("Xvfb keeps no frame buffer")?;
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
            size,
            at: (0, 0),
            picture: I420::black(size.0 as u32, size.1 as u32),
            line: vec![0; size.0 * PIXEL],
            file,
            clock: MediaClock::start(),
        })
    }

    /// The clock of what is on the screen now and its age, if there is one where it is looked for.
    fn look(&mut self) -> Result<Option<(Stamp, u32)>> {
        let now = self.clock.wall();
        let (_, height) = self.size;
        // The clock is in the lowest fifteenth.
        for y in height - height / 15..height {
            let offset = (self.at.1 + y) as u64 * self.bytes_per_line + (self.at.0 * PIXEL) as u64;
            self.file.read_exact_at(&mut self.line, self.pixels + offset)?;
            let stride = self.picture.stride_y();
            let (luma, ..) = self.picture.planes_mut();
            for (x, pixel) in self.line.chunks_exact(PIXEL).enumerate() {
                luma[y * stride + x] = pixel[1];
            }
        }
        Ok(read_stamp(&self.picture)
            .map(|stamp| (stamp, stamp.age_ms(now)))
            .filter(|(_, age)| *age < OLDEST_MS))
    }

    /// Looks for the picture; true when it is found.
    pub(crate) fn find(&mut self) -> Result<bool> {
        let mut found = Vec::new();
        for x in 0..OFFSETS.0 {
            for y in 0..OFFSETS.1 {
                self.at = (x, y);
                if self.look()?.is_some() {
                    found.push(self.at);
                }
            }
        }
        // It is readable around its true place too: the middle is safest.
        let Some(&middle) = found.get(found.len() / 2) else {
            return Ok(false);
        };
        self.at = middle;
        Ok(true)
    }

    /// The age in milliseconds of every new picture, at the moment it is first on the glass, for `window`.
    pub(crate) fn watch(&mut self, window: Duration) -> Result<Vec<f64>> {
        let end = self.clock.now() + window;
        let mut ages = Vec::new();
        let mut last = self.look()?.map(|(stamp, _)| stamp.frame);
        while self.clock.now() < end {
            std::thread::sleep(LOOK);
            let Some((stamp, age)) = self.look()? else {
                continue;
            };
            if last.replace(stamp.frame) != Some(stamp.frame) {
                ages.push(f64::from(age));
            }
        }
        if ages.len() < 10 {
            bail!(
                "only {} pictures with a readable clock came onto the glass",
                ages.len()
            );
        }
        Ok(ages)
    }
}
