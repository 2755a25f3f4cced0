//! Listening in on a running engine: what is played, captured and left after processing, on one time base and without a
//! hole, from when the devices run.
//!
//! It never waits without end: devices that do not open, fail or change, and an engine that stopped, end it with an error.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::audio::device::Direction;
use crate::audio::engine::{AudioHandle, Standing};
use crate::audio::{AudioError, Block};

/// Longest wait for the devices to open, in blocks: an engine gives a device five seconds, and one after the other.
const OPENING: u32 = 1_200;
/// After opening, the buffers between the devices' clocks and ours settle for so many blocks.
const SETTLING: u32 = 60;
/// An engine that is silent for so long is gone: it ticks every 10 ms, with or without devices.
const STALLED: Duration = Duration::from_secs(2);
/// Blocks that may wait for whoever measures, more than five seconds: a busy machine must not tear a hole.
const WAITING: usize = 512;

/// Ten milliseconds on one time base.
pub(super) struct Moment {
    pub(super) played: Block,
    pub(super) captured: Block,
    pub(super) processed: Block,
}

/// What an engine's probe hears, from when its devices run.
pub(super) struct Tape<'a> {
    handle: &'a AudioHandle,
    moments: Receiver<Moment>,
    devices: Vec<Standing>,
    directions: &'static [Direction],
}

impl<'a> Tape<'a> {
    /// Waits until the devices of these directions are open and have settled.
    pub(super) fn start(
        handle: &'a AudioHandle,
        directions: &'static [Direction],
    ) -> Result<Self, AudioError> {
        let (heard, moments) = mpsc::sync_channel(WAITING);
        let mut whole = Some(heard);
        handle.set_probe(Some(Box::new(move |played, captured, processed| {
            let moment = Moment {
                played: *played,
                captured: *captured,
                processed: *processed,
            };
            // Nothing is left out silently: with a hole the time base is gone, and so is the channel.
            if whole
                .as_ref()
                .is_some_and(|heard| heard.try_send(moment).is_err())
            {
                whole = None;
            }
        })));
        let mut tape = Self {
            handle,
            moments,
            devices: Vec::new(),
            directions,
        };
        for _ in 0..OPENING {
            tape.next()?;
            let devices = tape.standings();
            if let Some(error) = devices.iter().find_map(failure) {
                return Err(error);
            }
            if devices.iter().all(|d| matches!(d, Standing::Open { .. })) {
                tape.devices = devices;
                for _ in 0..SETTLING {
                    tape.next()?;
                }
                // What waited while this thread did not run is past.
                while tape.moments.try_recv().is_ok() {}
                return Ok(tape);
            }
        }
        let after = Duration::from_millis(10) * OPENING;
        Err(AudioError::Hung { after })
    }

    fn standings(&self) -> Vec<Standing> {
        let standing = |direction: &Direction| match direction {
            Direction::Capture => self.handle.capture_standing(),
            Direction::Playback => self.handle.playback_standing(),
        };
        self.directions.iter().map(standing).collect()
    }

    /// The next moment, as long as the devices are those of the start, without a break.
    pub(super) fn next(&mut self) -> Result<Moment, AudioError> {
        if !self.devices.is_empty() {
            let devices = self.standings();
            if devices != self.devices {
                return Err(devices.iter().find_map(failure).unwrap_or(AudioError::Missing));
            }
        }
        let stalled = |_| AudioError::Hung { after: STALLED };
        self.moments.recv_timeout(STALLED).map_err(stalled)
    }
}

impl Drop for Tape<'_> {
    fn drop(&mut self) {
        self.handle.set_probe(None);
        self.handle.play(Arc::new([]));
    }
}

fn failure(standing: &Standing) -> Option<AudioError> {
    match standing {
        Standing::Failed(error) => Some(error.clone()),
        Standing::Opening | Standing::Open { .. } => None,
    }
}
