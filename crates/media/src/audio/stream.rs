//! The two ends the engine works with every 10 ms: where microphone sound comes from and where mixed sound goes.
//!
//! An end never blocks: a device end meets its device's callback in a lock-free ring; a file end is in memory. Between a
//! ring and the engine sits a resampler steered by a [`DriftLoop`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use ringbuf::{HeapConsumer, HeapProducer};

use crate::audio::drift::{DriftLoop, FromDevice, ToDevice};
use crate::audio::meter::SILENCE_DBFS;
use crate::audio::{AudioError, BLOCK, Block, RATE, WavRecorder};

/// Seconds of one tick of the engine.
const TICK: f64 = 0.010;
/// Room in a ring beyond the device's chunk: a tick, and lateness of the engine's thread.
const SLACK: f64 = 0.015;
/// Every time a ring runs dry it aims this much higher…
const RAISE: f64 = 0.005;
/// …up to this.
const MAX_SLACK: f64 = 0.080;
/// A ring this far above its aim is cut back at once instead of by bending.
const EXCESS: f64 = 0.080;

/// Where microphone sound comes from.
pub(crate) trait CaptureEnd: Send {
    /// Fills the next 10 ms; silence where there is nothing.
    fn pull(&mut self, out: &mut Block);
    /// How old the sound is when pulled.
    fn age(&self) -> Duration {
        Duration::ZERO
    }
}

/// Where mixed sound goes.
pub(crate) trait PlaybackEnd: Send {
    /// Takes the next 10 ms.
    fn push(&mut self, block: &Block);
    /// How long until what is pushed now is heard.
    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

/// No microphone, no speaker.
pub(crate) struct Nothing;

impl CaptureEnd for Nothing {
    fn pull(&mut self, out: &mut Block) {
        out.fill(0.0);
    }
}

impl PlaybackEnd for Nothing {
    fn push(&mut self, _: &Block) {}
}

/// Sound in memory, in a loop.
pub(crate) struct Looped {
    samples: Vec<f32>,
    at: usize,
}

impl Looped {
    pub(crate) fn new(samples: Vec<f32>) -> Self {
        Self { samples, at: 0 }
    }
}

impl CaptureEnd for Looped {
    fn pull(&mut self, out: &mut Block) {
        for sample in out {
            *sample = self.samples.get(self.at).copied().unwrap_or(0.0);
            self.at = (self.at + 1) % self.samples.len().max(1);
        }
    }
}

/// A steady sine.
pub(crate) struct Tone {
    phase: f64,
    step: f64,
    amplitude: f32,
}

impl Tone {
    /// A sine whose root mean square is `dbfs`.
    pub(crate) fn new(hz: f32, dbfs: f32) -> Self {
        let rms = 10.0_f32.powf(dbfs.clamp(SILENCE_DBFS, -3.0) / 20.0);
        Self {
            phase: 0.0,
            step: f64::from(hz) / f64::from(RATE),
            amplitude: rms * std::f32::consts::SQRT_2,
        }
    }
}

impl CaptureEnd for Tone {
    fn pull(&mut self, out: &mut Block) {
        for sample in out {
            *sample = self.amplitude * (std::f64::consts::TAU * self.phase).sin() as f32;
            self.phase = (self.phase + self.step).fract();
        }
    }
}

impl PlaybackEnd for WavRecorder {
    fn push(&mut self, block: &Block) {
        if let Err(error) = self.write(block) {
            tracing::warn!(%error, "the sound record lost 10 ms");
        }
    }
}

/// What a device's callback tells the engine.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    /// Frames of the largest callback.
    pub(crate) chunk: AtomicUsize,
    /// The device's own latency, in microseconds.
    pub(crate) latency_us: AtomicU64,
    /// Times the ring was empty when the device wanted sound, or full when it brought some.
    pub(crate) misses: AtomicU64,
}

impl Gauge {
    fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_us.load(Ordering::Relaxed))
    }

    fn chunk_s(&self, rate: f64) -> f64 {
        self.chunk.load(Ordering::Relaxed) as f64 / rate
    }
}

/// A microphone: the reading end of its ring.
pub(crate) struct DeviceCapture {
    ring: HeapConsumer<f32>,
    gauge: Arc<Gauge>,
    rate: f64,
    from: FromDevice,
    drift: DriftLoop,
    slack: f64,
    running: bool,
}

impl DeviceCapture {
    pub(crate) fn new(ring: HeapConsumer<f32>, gauge: Arc<Gauge>, rate: u32) -> Result<Self, AudioError> {
        let from = FromDevice::new(rate)?;
        Ok(Self {
            ring,
            gauge,
            rate: f64::from(rate),
            from,
            drift: DriftLoop::new(),
            slack: SLACK,
            running: false,
        })
    }
}

impl CaptureEnd for DeviceCapture {
    fn pull(&mut self, out: &mut Block) {
        let target = self.gauge.chunk_s(self.rate) + self.slack;
        let mut level = self.ring.len() as f64 / self.rate;
        if !self.running {
            self.running = level >= target;
            self.drift.restart();
        }
        let needs = self.from.needs();
        if !self.running || self.ring.len() < needs {
            if self.running {
                self.slack = (self.slack + RAISE).min(MAX_SLACK);
                self.running = false;
            }
            out.fill(0.0);
            return;
        }
        if level > target + EXCESS {
            self.ring.skip(((level - target) * self.rate) as usize);
            level = target;
            self.drift.restart();
        }
        let shorten = self.drift.update(level, target, TICK);
        let ring = &mut self.ring;
        self.from.block(
            shorten,
            |input| {
                ring.pop_slice(input);
            },
            out,
        );
    }

    fn age(&self) -> Duration {
        self.gauge.latency() + Duration::from_secs_f64(self.ring.len() as f64 / self.rate)
    }
}

/// A speaker: the writing end of its ring.
pub(crate) struct DevicePlayback {
    ring: HeapProducer<f32>,
    gauge: Arc<Gauge>,
    rate: f64,
    to: ToDevice,
    drift: DriftLoop,
    slack: f64,
    seen_misses: u64,
    started: bool,
}

impl DevicePlayback {
    pub(crate) fn new(ring: HeapProducer<f32>, gauge: Arc<Gauge>, rate: u32) -> Result<Self, AudioError> {
        let to = ToDevice::new(rate)?;
        let rate = f64::from(rate);
        Ok(Self {
            ring,
            gauge,
            rate,
            to,
            drift: DriftLoop::new(),
            slack: SLACK,
            seen_misses: 0,
            started: false,
        })
    }

    fn fill_with_silence(&mut self, seconds: f64) {
        let samples = (seconds.max(0.0) * self.rate) as usize;
        self.ring.push_iter(&mut std::iter::repeat_n(0.0, samples));
    }
}

impl PlaybackEnd for DevicePlayback {
    fn push(&mut self, block: &Block) {
        // Until the device asks for the first time nothing drains: pushing would only build up delay.
        if self.gauge.chunk.load(Ordering::Relaxed) == 0 {
            return;
        }
        let target = self.gauge.chunk_s(self.rate) + self.slack;
        let mut level = self.ring.len() as f64 / self.rate;
        let misses = self.gauge.misses.load(Ordering::Relaxed);
        if misses != self.seen_misses || !self.started {
            // It ran dry and was heard: start again with the full reserve, a little more than before.
            if self.started {
                self.slack = (self.slack + RAISE).min(MAX_SLACK);
            }
            self.seen_misses = misses;
            self.started = true;
            self.fill_with_silence(target - level);
            level = level.max(target);
            self.drift.restart();
        }
        if level > target + EXCESS {
            self.drift.restart();
            return;
        }
        let shorten = self.drift.update(level, target, TICK);
        self.ring.push_slice(self.to.samples(shorten, block));
    }

    fn delay(&self) -> Duration {
        self.gauge.latency() + Duration::from_secs_f64(self.ring.len() as f64 / self.rate)
    }
}

/// Ring room for half a second: far more than any aim, so that only a stuck side fills it.
pub(crate) fn ring_size(rate: u32) -> usize {
    (rate as usize / 2).max(BLOCK * 10)
}
