//! The driver of outgoing video: a thread that takes pictures from a source, encodes them and hands the units on.
//!
//! It never queues pictures and never blocks its controller: changes are left in a note the thread reads before each
//! picture. A layer that is neither sent nor shown as the own preview is not encoded. Dropping a [`VideoSender`] stops
//! and joins the thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::video::encode::{EncodedFrame, Layer, SimulcastConfig, SimulcastEncoder};
use crate::video::frame::VideoFrame;
use crate::video::source::{FrameSource, SourceError};

/// A source that delivers nothing for this long is reported as hung.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the thread tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoEvent {
    /// The source stopped. After [`SourceError::Hung`] the thread keeps trying; after any other error it has ended.
    SourceFailed(SourceError),
    /// The encoder failed on a picture and was started afresh.
    EncoderFailed(String),
    /// A hung source delivers again.
    Recovered,
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VideoSenderStats {
    /// Pictures taken from the source.
    pub captured: u64,
    /// Access units handed on, per layer.
    pub encoded: [u64; 3],
    /// Their bytes, per layer.
    pub bytes: [u64; 3],
    /// Key frames, per layer.
    pub keys: [u64; 3],
    /// When the first picture was captured.
    pub first: Option<Timestamp>,
}

/// Sees every picture of the source, muted or not.
pub type Onlooker = Box<dyn FnMut(&VideoFrame) + Send>;

#[derive(Debug, Default)]
struct Note {
    bitrate_bps: [Option<u32>; 3],
    fps: [Option<f32>; 3],
    active: [Option<bool>; 3],
    key: [bool; 3],
    preview: Option<Option<Layer>>,
    preview_key: bool,
    /// Begin afresh after a pause: key frames at once, however recent the last ones were.
    resume: bool,
}

#[derive(Default)]
struct Shared {
    note: Mutex<Note>,
    onlooker: Mutex<Option<Onlooker>>,
    turned: AtomicBool,
    stats: Mutex<VideoSenderStats>,
    muted: AtomicBool,
    stop: AtomicBool,
}

/// Steers a running [`VideoSender`]; clones steer the same one, also after it has ended (to no effect).
#[derive(Clone)]
pub struct VideoControl(Arc<Shared>);

impl std::fmt::Debug for VideoControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VideoControl").finish_non_exhaustive()
    }
}

impl VideoControl {
    fn note(&self) -> MutexGuard<'_, Note> {
        self.0.note.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a layer's target bitrate in bits per second.
    pub fn set_bitrate(&self, layer: Layer, bitrate_bps: u32) {
        self.note().bitrate_bps[layer.index()] = Some(bitrate_bps);
    }

    /// Sets a layer's highest frame rate.
    pub fn set_fps(&self, layer: Layer, fps: f32) {
        self.note().fps[layer.index()] = Some(fps);
    }

    /// Which layer the own preview shows, from its next key frame on; none shows nothing.
    pub fn show(&self, layer: Option<Layer>) {
        self.note().preview = Some(layer);
    }

    /// Asks for a key frame of the layer that the preview shows.
    pub fn force_preview_key(&self) {
        self.note().preview_key = true;
    }

    /// Begins or stops to send a layer.
    pub fn set_active(&self, layer: Layer, active: bool) {
        self.note().active[layer.index()] = Some(active);
    }

    /// Asks one layer, or all, for a key frame.
    pub fn force_key(&self, layer: Option<Layer>) {
        let mut note = self.note();
        match layer {
            Some(layer) => note.key[layer.index()] = true,
            None => note.key = [true; 3],
        }
    }

    /// Stops or resumes encoding and preview at once; the source stays open. Resuming begins with key frames.
    pub fn set_muted(&self, muted: bool) {
        // The note first: the first picture after the mute must already see it.
        self.note().resume |= !muted && self.is_muted();
        self.0.muted.store(muted, Ordering::SeqCst);
    }

    /// Whether it is muted.
    pub fn is_muted(&self) -> bool {
        self.0.muted.load(Ordering::SeqCst)
    }

    /// Sets or removes who looks on. It runs on the capture thread and must not block; once this returns, the one before is
    /// not called any more.
    pub fn set_onlooker(&self, onlooker: Option<Onlooker>) {
        let mut slot = self.0.onlooker.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *slot, onlooker);
        drop(slot);
        drop(before);
    }

    /// Turns every picture by 180° from the next one on, before anybody sees it.
    pub fn set_turned(&self, turned: bool) {
        self.0.turned.store(turned, Ordering::SeqCst);
    }

    /// Counters since the start.
    pub fn stats(&self) -> VideoSenderStats {
        *self.0.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running capture and encoding thread.
#[derive(Debug)]
pub struct VideoSender {
    control: VideoControl,
    thread: Option<JoinHandle<()>>,
}

impl VideoSender {
    /// Starts the thread. All three are called on it and must not block: `sink` with the units of the active layers,
    /// `preview` with those of the layer named by [`VideoControl::show`].
    pub fn start(
        source: Box<dyn FrameSource>,
        config: SimulcastConfig,
        sink: Box<dyn FnMut(EncodedFrame) + Send>,
        preview: Box<dyn FnMut(&EncodedFrame) + Send>,
        events: Box<dyn FnMut(VideoEvent) + Send>,
    ) -> Self {
        let control = VideoControl(Arc::new(Shared::default()));
        let shared = control.0.clone();
        let thread = std::thread::Builder::new()
            .name("video-send".into())
            .spawn(move || {
                Worker {
                    source,
                    sent: Layer::ALL.map(|layer| config.is_active(layer)),
                    encoder: SimulcastEncoder::new(config),
                    sink,
                    preview,
                    shown: None,
                    preview_begun: false,
                    events,
                    shared,
                }
                .run()
            })
            .expect("the system can start a thread");
        Self {
            control,
            thread: Some(thread),
        }
    }

    /// A handle to steer it by.
    pub fn control(&self) -> VideoControl {
        self.control.clone()
    }
}

impl Drop for VideoSender {
    fn drop(&mut self) {
        self.control.0.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was already reported where it happened.
            let _ = thread.join();
        }
    }
}

struct Worker {
    source: Box<dyn FrameSource>,
    encoder: SimulcastEncoder,
    sink: Box<dyn FnMut(EncodedFrame) + Send>,
    /// The layers that `sink` gets.
    sent: [bool; 3],
    preview: Box<dyn FnMut(&EncodedFrame) + Send>,
    /// The layer that `preview` gets.
    shown: Option<Layer>,
    /// `preview` has had a key frame of that layer.
    preview_begun: bool,
    events: Box<dyn FnMut(VideoEvent) + Send>,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(mut self) {
        // Short waits so that a stop is noticed; the time without a picture is added up.
        let step = Duration::from_millis(100);
        let mut silent = Duration::ZERO;
        let mut hung = false;
        while !self.shared.stop.load(Ordering::SeqCst) {
            let mut frame = match self.source.next_frame(step) {
                Ok(frame) => frame,
                Err(SourceError::Hung { .. }) => {
                    silent += step;
                    if silent >= SOURCE_TIMEOUT && !hung {
                        hung = true;
                        (self.events)(VideoEvent::SourceFailed(SourceError::Hung { after: silent }));
                    }
                    continue;
                }
                Err(error) => {
                    (self.events)(VideoEvent::SourceFailed(error));
                    return;
                }
            };
            silent = Duration::ZERO;
            if std::mem::take(&mut hung) {
                (self.events)(VideoEvent::Recovered);
            }
            let mut stats = self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
            stats.captured += 1;
            stats.first.get_or_insert(frame.captured);
            drop(stats);
            if self.shared.turned.load(Ordering::SeqCst) {
                frame = VideoFrame::new(frame.picture.turned(), frame.captured);
            }
            let mut onlooker = self
                .shared
                .onlooker
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(look) = onlooker.as_mut() {
                look(&frame);
            }
            drop(onlooker);
            if self.shared.muted.load(Ordering::SeqCst) {
                continue;
            }
            self.read_note();
            let (sink, preview, shared) = (&mut self.sink, &mut self.preview, &self.shared);
            let (sent, shown, begun) = (self.sent, self.shown, &mut self.preview_begun);
            let result = self.encoder.encode(&frame, &mut |unit| {
                // Muted while this picture was being encoded: it must not leave.
                if shared.muted.load(Ordering::SeqCst) {
                    return;
                }
                let mut stats = shared.stats.lock().unwrap_or_else(PoisonError::into_inner);
                let at = unit.layer.index();
                stats.encoded[at] += 1;
                stats.bytes[at] += unit.data.len() as u64;
                stats.keys[at] += u64::from(unit.key);
                drop(stats);
                if shown == Some(unit.layer) {
                    *begun |= unit.key;
                    if *begun {
                        preview(&unit);
                    }
                }
                if sent[at] {
                    sink(unit);
                }
            });
            if let Err(error) = result {
                (self.events)(VideoEvent::EncoderFailed(error.to_string()));
            }
        }
    }

    fn read_note(&mut self) {
        let note = std::mem::take(&mut *self.shared.note.lock().unwrap_or_else(PoisonError::into_inner));
        if note.resume {
            self.encoder.resume();
        }
        if let Some(shown) = note.preview
            && shown != self.shown
        {
            self.shown = shown;
            self.preview_begun = false;
            if let Some(layer) = shown {
                self.encoder.force_key(layer);
            }
        }
        if let (true, Some(layer)) = (note.preview_key, self.shown) {
            self.encoder.force_key(layer);
        }
        for layer in Layer::ALL {
            let at = layer.index();
            self.sent[at] = note.active[at].unwrap_or(self.sent[at]);
            self.encoder
                .set_active(layer, self.sent[at] || self.shown == Some(layer));
            if let Some(bitrate_bps) = note.bitrate_bps[at] {
                self.encoder.set_bitrate(layer, bitrate_bps);
            }
            if let Some(fps) = note.fps[at] {
                self.encoder.set_fps(layer, fps);
            }
            if note.key[at] {
                self.encoder.force_key(layer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::clock::MediaClock;
    use crate::video::encode::Content;
    use crate::video::source::{CameraChoice, CaptureFormat, FrameSource, open_camera};

    const LONG: Duration = Duration::from_secs(20);

    fn camera(clock: MediaClock) -> Box<dyn FrameSource> {
        let format = CaptureFormat {
            width: 320,
            height: 180,
            fps: 60.0,
        };
        open_camera(&CameraChoice::Synthetic { seed: 1 }, format, clock, LONG).expect("a drawn camera")
    }

    #[test]
    fn pictures_become_units_until_muted_and_begin_again_with_a_key_frame() {
        let source = camera(MediaClock::start());
        let config = SimulcastConfig::for_source(source.format(), Content::Camera);
        let (tx, rx) = mpsc::channel();
        let sender = VideoSender::start(
            source,
            config,
            Box::new(move |unit| drop(tx.send(unit))),
            Box::new(|_| panic!("no preview was asked for")),
            Box::new(|_| {}),
        );
        let control = sender.control();
        assert!(rx.recv_timeout(LONG).expect("a first unit").key);
        assert!(!rx.recv_timeout(LONG).expect("a second unit").key);
        control.set_muted(true);
        let captured = control.stats().captured;
        while control.stats().captured < captured + 10 {
            std::thread::yield_now();
        }
        let while_muted = rx.try_iter().count();
        assert!(while_muted <= 2, "{while_muted} units after the mute");
        control.set_muted(false);
        assert!(rx.recv_timeout(LONG).expect("it goes on").key);
        drop(sender);
        while rx.recv_timeout(LONG).is_ok() {}
    }

    #[test]
    fn only_layers_that_are_sent_or_shown_are_encoded() {
        let format = CaptureFormat {
            width: 960,
            height: 540,
            fps: 60.0,
        };
        let source = open_camera(
            &CameraChoice::Synthetic { seed: 1 },
            format,
            MediaClock::start(),
            LONG,
        )
        .expect("a drawn camera");
        let mut config = SimulcastConfig::for_source(format, Content::Camera);
        config.layers.iter_mut().for_each(|layer| layer.active = false);
        let ((sink, sent), (preview, shown)) = (mpsc::channel(), mpsc::channel());
        let sender = VideoSender::start(
            source,
            config,
            Box::new(move |unit| _ = sink.send((unit.layer, unit.key))),
            Box::new(move |unit| _ = preview.send((unit.layer, unit.key))),
            Box::new(|_| {}),
        );
        let control = sender.control();
        let pictures_pass = || {
            let captured = control.stats().captured;
            while control.stats().captured < captured + 10 {
                std::thread::yield_now();
            }
        };
        pictures_pass();
        assert_eq!(control.stats().encoded, [0; 3], "nobody wants anything");

        control.show(Some(Layer::Half));
        assert_eq!(shown.recv_timeout(LONG), Ok((Layer::Half, true)));
        control.set_active(Layer::Quarter, true);
        assert_eq!(sent.recv_timeout(LONG), Ok((Layer::Quarter, true)));
        control.show(Some(Layer::Full));
        while shown.recv_timeout(LONG) != Ok((Layer::Full, true)) {}
        assert_eq!(shown.recv_timeout(LONG), Ok((Layer::Full, false)));

        control.show(None);
        control.set_active(Layer::Quarter, false);
        pictures_pass();
        let before = control.stats().encoded;
        pictures_pass();
        assert_eq!(control.stats().encoded, before, "switched off again");
        assert!(sent.try_iter().all(|(layer, _)| layer == Layer::Quarter));
    }

    #[test]
    fn an_onlooker_sees_every_picture_muted_or_not_and_as_it_is_turned() {
        let source = camera(MediaClock::start());
        let config = SimulcastConfig::for_source(source.format(), Content::Camera);
        let sender = VideoSender::start(
            source,
            config,
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(|_| {}),
        );
        let control = sender.control();
        control.set_muted(true);
        let (seen, sees) = mpsc::channel();
        let tell = seen.clone();
        // The synthetic picture has its clock in the first lines: it is read only where they are.
        control.set_onlooker(Some(Box::new(move |frame| {
            let _ = tell.send(crate::video::read_stamp(&frame.picture).is_some());
        })));
        assert!(
            sees.recv_timeout(LONG).expect("a picture"),
            "its clock can be read"
        );
        control.set_turned(true);
        while sees.recv_timeout(LONG).expect("a picture") {}
        control.set_turned(false);
        while !sees.recv_timeout(LONG).expect("a picture") {}
        assert!(control.stats().first.is_some());
        control.set_onlooker(None);
        while sees.try_recv().is_ok() {}
        let captured = control.stats().captured;
        while control.stats().captured < captured + 3 {
            std::thread::yield_now();
        }
        assert!(sees.try_recv().is_err(), "nobody looks on any more");
    }

    /// A source that fails in a set way.
    struct Failing(Vec<Result<(), SourceError>>);

    impl FrameSource for Failing {
        fn format(&self) -> CaptureFormat {
            CaptureFormat::SD
        }
        fn next_frame(&mut self, _: Duration) -> Result<crate::video::VideoFrame, SourceError> {
            let picture = crate::video::I420::black(640, 360);
            match self.0.pop() {
                Some(Ok(())) => Ok(crate::video::VideoFrame::new(
                    picture,
                    crate::clock::Timestamp::ZERO,
                )),
                Some(Err(error)) => Err(error),
                None => Err(SourceError::Missing),
            }
        }
    }

    #[test]
    fn a_hung_source_is_reported_once_and_an_unplugged_one_ends_it() {
        let hung = || {
            Err(SourceError::Hung {
                after: Duration::from_millis(100),
            })
        };
        let mut script = vec![Ok(())];
        script.extend((0..30).map(|_| hung()));
        script.push(Ok(()));
        let (tx, rx) = mpsc::channel();
        let config = SimulcastConfig::for_source(CaptureFormat::SD, Content::Camera);
        let sender = VideoSender::start(
            Box::new(Failing(script)),
            config,
            Box::new(|_| {}),
            Box::new(|_| {}),
            Box::new(move |event| drop(tx.send(event))),
        );
        let events: Vec<VideoEvent> = rx.iter().collect();
        drop(sender);
        assert_eq!(
            events,
            [
                VideoEvent::SourceFailed(SourceError::Hung {
                    after: SOURCE_TIMEOUT
                }),
                VideoEvent::Recovered,
                VideoEvent::SourceFailed(SourceError::Missing),
            ]
        );
    }
}
