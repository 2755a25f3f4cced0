//! The glass: what is on the screen, read from the frame buffer of Xvfb, and the age of the clock in it.

use anyhow::{Result, bail};
use media::{
    clock::MediaClock,
    video::{I420, Stamp, read_stamp},
};
use scenarios::screen::Screen;
use std::{path::Path, time::Duration};

/// Where a window may put its content, from the corner of the screen.
const OFFSETS: (usize, usize) = (24, 160);
/// An older picture is none of ours.
const OLDEST_MS: u32 = 10_000;
/// How often the glass is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// A picture of a known size somewhere on the screen.
pub(crate) struct Glass {
    screen: Screen,
    size: (usize, usize),
    at: (usize, usize),
    picture: I420,
    clock: MediaClock,
}

impl Glass {
    /// Opens the screen.
    pub(crate) fn open(frame_buffer: &Path, size: (usize, usize)) -> Result<Self> {
        Ok(Self {
            screen: Screen::open(frame_buffer)?,
            size,
            at: (0, 0),
            picture: I420::black(size.0 as u32, size.1 as u32),
            clock: MediaClock::start(),
        })
    }

    /// The clock of what is on the screen now and its age, if there is one where it is looked for.
    fn look(&mut self) -> Result<Option<(Stamp, u32)>> {
        let now = self.clock.wall();
        let (width, height) = self.size;
        let stride = self.picture.stride_y();
        let (luma, ..) = self.picture.planes_mut();
        // The clock is in the lowest fifteenth.
        for y in height - height / 15..height {
            let line = &mut luma[y * stride..y * stride + width];
            self.screen.line((self.at.0, self.at.1 + y), line)?;
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
