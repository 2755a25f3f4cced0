//! Screens on macOS 12.3 and later, by ScreenCaptureKit, NV12.
//!
//! Not run anywhere yet: it is type-checked on Linux and waits for a Mac.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use block2::RcBlock;
use dispatch2::DispatchQueue;
use objc2::rc::Retained;
use objc2::runtime::{NSObject, NSObjectProtocol, ProtocolObject};
use objc2::{AllocAnyThread, DefinedClass, define_class, msg_send};
use objc2_core_media::{CMSampleBuffer, CMTime, CMTimeFlags};
use objc2_foundation::{NSArray, NSError};
use objc2_screen_capture_kit::{
    SCContentFilter, SCDisplay, SCShareableContent, SCStream, SCStreamConfiguration, SCStreamDelegate,
    SCStreamOutput, SCStreamOutputType, SCWindow,
};

use crate::clock::MediaClock;
use crate::pixel_buffer::{NV12, picture};
use crate::screen::pushed::{Pushed, PushedScreen};
use crate::screen::{ScreenId, ScreenInfo, ScreenKind, ScreenSource};
use crate::video::frame::{I420, VideoFrame};
use crate::video::source::SourceError;

/// Longest wait for an answer of the system or the first picture.
const ANSWER: Duration = Duration::from_secs(5);

/// An Objective-C object on its way from a completion handler to the thread that waits for it.
struct Carried<T>(T);

// SAFETY: ScreenCaptureKit hands its objects to completion handlers on a queue of its own choosing and documents no
// thread they belong to; the handler gives its only reference away and does not touch the object again.
unsafe impl<T> Send for Carried<T> {}

enum Target {
    Display(Retained<SCDisplay>),
    Window(Retained<SCWindow>),
}

fn refused(error: &NSError) -> SourceError {
    // SCStreamErrorUserDeclined.
    if error.code() == -3801 {
        SourceError::Denied
    } else {
        SourceError::Unsupported(error.localizedDescription().to_string())
    }
}

fn list() -> Result<Vec<(ScreenInfo, Target)>, SourceError> {
    let (answer, answered) = mpsc::channel();
    let block = RcBlock::new(move |content: *mut SCShareableContent, error: *mut NSError| {
        // SAFETY: the system passes valid or null pointers; what is kept is retained.
        let result = match unsafe { (Retained::retain(content), error.as_ref()) } {
            (Some(content), _) => Ok(Carried(content)),
            (None, Some(error)) => Err(refused(error)),
            (None, None) => Err(SourceError::Denied),
        };
        let _ = answer.send(result);
    });
    // SAFETY: the block may be called on any thread; it only sends.
    unsafe {
        SCShareableContent::getShareableContentExcludingDesktopWindows_onScreenWindowsOnly_completionHandler(
            true, true, &block,
        );
    }
    let Carried(content) = answered
        .recv_timeout(ANSWER)
        .map_err(|_| SourceError::Hung { after: ANSWER })??;
    let mut found = Vec::new();
    // SAFETY: plain properties of live objects, here and below.
    for (at, display) in unsafe { content.displays() }.iter().enumerate() {
        // SAFETY: as above.
        let (id, width, height) = unsafe { (display.displayID(), display.width(), display.height()) };
        let info = ScreenInfo {
            id: ScreenId(format!("macos:display:{id}")),
            kind: ScreenKind::Monitor,
            title: format!("{} ({width}x{height})", at + 1),
            width: width as u32,
            height: height as u32,
            is_primary: at == 0,
        };
        found.push((info, Target::Display(display)));
    }
    // SAFETY: as above.
    for window in unsafe { content.windows() }.iter() {
        // SAFETY: as above.
        let (id, frame, title, layer) = unsafe {
            (
                window.windowID(),
                window.frame(),
                window.title(),
                window.windowLayer(),
            )
        };
        let (width, height) = (frame.size.width as u32, frame.size.height as u32);
        let title = title.map_or_else(String::new, |t| t.to_string());
        if layer != 0 || title.is_empty() || width < 64 || height < 64 {
            continue;
        }
        let id = ScreenId(format!("macos:window:{id}"));
        let info = ScreenInfo {
            id,
            kind: ScreenKind::Window,
            title,
            width,
            height,
            is_primary: false,
        };
        found.push((info, Target::Window(window)));
    }
    Ok(found)
}

pub(super) fn screens() -> Result<Vec<ScreenInfo>, SourceError> {
    Ok(list()?.into_iter().map(|(info, _)| info).collect())
}

struct Received {
    pushed: Arc<Pushed>,
    clock: MediaClock,
}

define_class!(
    // SAFETY: NSObject asks nothing of its subclasses, and this one has no Drop.
    #[unsafe(super(NSObject))]
    #[ivars = Received]
    struct Receiver;

    // SAFETY: the protocol has no requirements beyond NSObject.
    unsafe impl NSObjectProtocol for Receiver {}

    // SAFETY: the method has the signature the protocol declares.
    unsafe impl SCStreamOutput for Receiver {
        #[unsafe(method(stream:didOutputSampleBuffer:ofType:))]
        fn did_output(&self, _: &SCStream, sample: &CMSampleBuffer, kind: SCStreamOutputType) {
            // A sample without a picture says that nothing changed.
            if kind == SCStreamOutputType::Screen
                && let Some(picture) = picture(sample)
            {
                let received = self.ivars();
                received
                    .pushed
                    .mailbox
                    .put(VideoFrame::new(picture, received.clock.now()));
            }
        }
    }

    // SAFETY: the method has the signature the protocol declares.
    unsafe impl SCStreamDelegate for Receiver {
        #[unsafe(method(stream:didStopWithError:))]
        fn did_stop(&self, _: &SCStream, error: &NSError) {
            tracing::info!(reason = %error.localizedDescription(), "a screen capture ended");
            self.ivars().pushed.ended.store(true, Ordering::SeqCst);
        }
    }
);

impl Receiver {
    fn new(received: Received) -> Retained<Self> {
        let this = Self::alloc().set_ivars(received);
        // SAFETY: `init` of NSObject, with our variables already set.
        unsafe { msg_send![super(this), init] }
    }
}

/// A running stream; stopped when dropped.
struct Running {
    stream: Retained<SCStream>,
    _receiver: Retained<Receiver>,
}

// SAFETY: SCStream may be started and stopped from any thread, and the receiver's variables (a mailbox and a clock) are
// themselves safe to share; `Running` uses neither for anything else.
unsafe impl Send for Running {}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: stopping a stream that has stopped is an error reported to a handler we do not give.
        unsafe { self.stream.stopCaptureWithCompletionHandler(None) };
    }
}

fn start(id: &ScreenId, fps: f32, clock: MediaClock) -> Result<PushedScreen<Running>, SourceError> {
    let (info, target) = list()?
        .into_iter()
        .find(|(info, _)| info.id == *id)
        .ok_or(SourceError::Missing)?;
    let pushed = Arc::new(Pushed::default());
    let receiver = Receiver::new(Received {
        pushed: pushed.clone(),
        clock,
    });
    let queue = DispatchQueue::new("screen", None);
    let interval = CMTime {
        value: 1,
        timescale: fps.round().max(1.0) as i32,
        flags: CMTimeFlags::Valid,
        epoch: 0,
    };
    let (answer, answered) = mpsc::channel();
    let block = RcBlock::new(move |error: *mut NSError| {
        // SAFETY: the system passes a valid or null pointer for the length of the call.
        let _ = answer.send(unsafe { error.as_ref() }.map_or(Ok(()), |error| Err(refused(error))));
    });
    // SAFETY: objects are initialised as ScreenCaptureKit asks, and the receiver outlives the stream in `Running`.
    let stream = unsafe {
        let filter = match &target {
            Target::Display(display) => SCContentFilter::initWithDisplay_excludingWindows(
                SCContentFilter::alloc(),
                display,
                &NSArray::<SCWindow>::new(),
            ),
            Target::Window(window) => {
                SCContentFilter::initWithDesktopIndependentWindow(SCContentFilter::alloc(), window)
            }
        };
        let settings = SCStreamConfiguration::new();
        settings.setWidth(info.width as usize);
        settings.setHeight(info.height as usize);
        settings.setMinimumFrameInterval(interval);
        settings.setPixelFormat(NV12);
        settings.setShowsCursor(true);
        let stream = SCStream::initWithFilter_configuration_delegate(
            SCStream::alloc(),
            &filter,
            &settings,
            Some(ProtocolObject::from_ref(&*receiver)),
        );
        stream
            .addStreamOutput_type_sampleHandlerQueue_error(
                ProtocolObject::from_ref(&*receiver),
                SCStreamOutputType::Screen,
                Some(&queue),
            )
            .map_err(|error| refused(&error))?;
        stream.startCaptureWithCompletionHandler(Some(&block));
        stream
    };
    let running = Running {
        stream,
        _receiver: receiver,
    };
    answered
        .recv_timeout(ANSWER)
        .map_err(|_| SourceError::Hung { after: ANSWER })??;
    Ok(PushedScreen::new(info, fps, clock, pushed, running))
}

pub(super) fn still(id: &ScreenId) -> Result<I420, SourceError> {
    start(id, 30.0, MediaClock::start())?
        .first(ANSWER)
        .map(Arc::unwrap_or_clone)
}

pub(super) fn open(id: &ScreenId, fps: f32, clock: MediaClock) -> Result<Box<dyn ScreenSource>, SourceError> {
    let screen = start(id, fps, clock)?;
    screen.first(ANSWER)?;
    Ok(Box::new(screen))
}
