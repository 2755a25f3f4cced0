//! The sound thread: every 10 ms of both directions, from the jitter buffers to the speaker and from the microphone to
//! Opus. It mixes the remote tracks, gives the mix to the speaker and to the echo canceller, cleans the microphone's sound
//! and encodes it. It never waits for a device.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::audio::engine::{AudioEvent, EncodedAudio, Events, Levels, Shared, Sink, lock};
use crate::audio::meter::{Level, LevelMeter};
use crate::audio::opus::{OpusEncoder, OpusSettings};
use crate::audio::process::{Duplex, Processing};
use crate::audio::stream::{CaptureEnd, Nothing, PlaybackEnd};
use crate::audio::{BLOCK, Block, PACKET};
use crate::clock::{MediaClock, Timestamp};

/// The period of the sound thread.
const TICK: Duration = Duration::from_millis(10);
/// A sound thread this late (the machine slept) skips what it missed instead of catching up.
const LATE: Duration = Duration::from_millis(200);
/// Speaking this long while muted is worth a hint…
const SPEAKING: Duration = Duration::from_millis(1_000);
/// …but not more often than this.
const HINT_PAUSE: Duration = Duration::from_secs(10);

/// The thread and what it holds.
pub(super) struct SoundThread {
    shared: Arc<Shared>,
    clock: MediaClock,
    capture: Box<dyn CaptureEnd>,
    playback: Box<dyn PlaybackEnd>,
    duplex: Duplex,
    encoder: Option<OpusEncoder>,
    opus: OpusSettings,
    packet: Vec<f32>,
    packet_captured: Timestamp,
    rtp: u32,
    input_meter: LevelMeter,
    near_meter: LevelMeter,
    far_meter: LevelMeter,
    spoke_muted: Duration,
    hint_after: Timestamp,
    sink: Sink,
    events: Events,
}

impl SoundThread {
    pub(super) fn new(
        shared: Arc<Shared>,
        processing: Processing,
        opus: OpusSettings,
        clock: MediaClock,
        sink: Sink,
        events: Events,
    ) -> Self {
        Self {
            shared,
            clock,
            capture: Box::new(Nothing),
            playback: Box::new(Nothing),
            duplex: Duplex::new(processing),
            encoder: None,
            opus,
            packet: Vec::with_capacity(PACKET),
            packet_captured: Timestamp::ZERO,
            rtp: clock.now().rtp_audio(),
            input_meter: LevelMeter::new(),
            near_meter: LevelMeter::new(),
            far_meter: LevelMeter::new(),
            spoke_muted: Duration::ZERO,
            hint_after: Timestamp::ZERO,
            sink,
            events,
        }
    }

    pub(super) fn run(mut self) {
        let mut next = self.clock.now();
        while !self.shared.stop.load(Ordering::SeqCst) {
            let now = self.clock.now();
            if now < next {
                std::thread::sleep(next.saturating_since(now));
                continue;
            }
            let late = now.saturating_since(next);
            if late > LATE {
                self.skip(late);
                next = now;
            }
            self.tick(now);
            next = next + TICK;
        }
    }

    /// Time passed in which no sound was made: timestamps go on as if it had been silence.
    fn skip(&mut self, late: Duration) {
        let packets = (late.as_millis() / 20) as u32;
        self.rtp = self.rtp.wrapping_add(packets * PACKET as u32);
    }

    /// Ten milliseconds of both directions.
    fn tick(&mut self, now: Timestamp) {
        self.take_changes();
        let far = self.shared.tracks.mix();
        self.playback.push(&far);
        self.far_meter.push(&far);

        let mut near = [0.0; BLOCK];
        let age = self.capture.age();
        self.capture.pull(&mut near);
        self.amplify(&mut near);
        let captured = near;
        self.input_meter.push(&centred(&captured));
        let delay_ms = (self.playback.delay() + age).as_millis() as u32;
        self.duplex.process(&far, &mut near, delay_ms);
        if let Some(probe) = lock(&self.shared.probe).as_mut() {
            probe(&far, &captured, &near);
        }
        self.near_meter.push(&near);
        let level = self.near_meter.level();
        *lock(&self.shared.levels) = Levels {
            capture: level,
            playback: self.far_meter.level(),
            input: self.input_meter.level(),
            echo: self.duplex.echo_likelihood(),
        };

        if self.packet.is_empty() {
            let captured = now.as_micros().saturating_sub(age.as_micros() as u64);
            self.packet_captured = Timestamp::from_micros(captured);
        }
        self.packet.extend_from_slice(&near);
        if self.packet.len() == PACKET {
            self.send(level);
        }
        self.notice_muted_speech(level, now);
    }

    /// As if the microphone itself were set higher: what is too loud then is cut, as a converter cuts it.
    fn amplify(&self, block: &mut Block) {
        let gain = f32::from_bits(self.shared.gain.load(Ordering::SeqCst));
        if gain != 1.0 {
            block.iter_mut().for_each(|s| *s = (*s * gain).clamp(-1.0, 1.0));
        }
    }

    fn take_changes(&mut self) {
        if let Some(capture) = lock(&self.shared.new_capture).take() {
            self.capture = capture;
        }
        if let Some(playback) = lock(&self.shared.new_playback).take() {
            self.playback = playback;
        }
        if let Some(processing) = lock(&self.shared.processing).take() {
            self.duplex.set(processing);
        }
        if let Some(opus) = lock(&self.shared.opus).take() {
            self.opus = opus;
            if let Some(Err(error)) = self.encoder.as_mut().map(|e| e.set(opus)) {
                tracing::warn!(%error, "the sound encoder refused new settings");
            }
        }
    }

    /// Encodes the 20 ms collected and hands them on, unless muted or silent.
    fn send(&mut self, level: Level) {
        let samples: [f32; PACKET] = self.packet[..]
            .try_into()
            .expect("a packet is full when it is sent");
        self.packet.clear();
        let rtp = self.rtp;
        self.rtp = rtp.wrapping_add(PACKET as u32);
        if self.shared.muted.load(Ordering::SeqCst) {
            // A later unmute begins with a fresh encoder: nothing said while muted may colour its first packet.
            self.encoder = None;
            return;
        }
        if self.encoder.is_none() {
            self.encoder = OpusEncoder::new(self.opus)
                .inspect_err(|error| tracing::error!(%error, "no sound encoder"))
                .ok();
        }
        let Some(encoder) = &mut self.encoder else { return };
        match encoder.encode(&samples) {
            Ok(Some(data)) => (self.sink)(EncodedAudio {
                data,
                rtp,
                samples: PACKET as u32,
                level_dbov: level.dbov(),
                voice: level.voice,
                captured: self.packet_captured,
            }),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "20 ms of sound could not be encoded");
                self.encoder = None;
            }
        }
    }

    fn notice_muted_speech(&mut self, level: Level, now: Timestamp) {
        if !self.shared.muted.load(Ordering::SeqCst) || !level.voice {
            self.spoke_muted = Duration::ZERO;
            return;
        }
        self.spoke_muted += TICK;
        if self.spoke_muted >= SPEAKING && now >= self.hint_after {
            self.hint_after = now + HINT_PAUSE;
            (lock(&self.events))(AudioEvent::SpeakingWhileMuted);
        }
    }
}

/// Without its mean: the constant offset of a cheap converter is no sound.
fn centred(block: &Block) -> Block {
    let mean = block.iter().sum::<f32>() / BLOCK as f32;
    block.map(|s| s - mean)
}
