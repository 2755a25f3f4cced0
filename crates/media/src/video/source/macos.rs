//! Cameras on macOS, by AVFoundation, NV12.
//!
//! Not run anywhere yet: it is type-checked on Linux and waits for a Mac. The application's Info.plist must carry
//! `NSCameraUsageDescription`, or the system ends the process when the camera is opened.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use block2::RcBlock;
use dispatch2::DispatchQueue;
use objc2::rc::Retained;
use objc2::runtime::{AnyObject, Bool, NSObject, NSObjectProtocol, ProtocolObject};
use objc2::{AllocAnyThread, DefinedClass, define_class, msg_send};
use objc2_av_foundation::{
    AVAuthorizationStatus, AVCaptureConnection, AVCaptureDevice, AVCaptureDeviceInput, AVCaptureOutput,
    AVCaptureSession, AVCaptureSessionPreset640x480, AVCaptureSessionPreset1280x720,
    AVCaptureVideoDataOutput, AVCaptureVideoDataOutputSampleBufferDelegate, AVMediaType, AVMediaTypeVideo,
};
use objc2_core_media::CMSampleBuffer;
use objc2_core_video::kCVPixelBufferPixelFormatTypeKey;
use objc2_foundation::{NSDictionary, NSNumber, NSString};

use crate::clock::MediaClock;
use crate::pixel_buffer::{NV12, picture};
use crate::video::frame::{LatestFrame, VideoFrame};
use crate::video::source::driver::{DrivenCamera, Reader};
use crate::video::source::{CameraId, CameraInfo, CameraSource, CaptureFormat, SourceError};

/// One wait for a picture; short, so that closing is noticed.
const WAIT: Duration = Duration::from_millis(200);

fn video() -> Result<&'static AVMediaType, SourceError> {
    // SAFETY: a constant of the framework, set before any code of ours runs.
    unsafe { AVMediaTypeVideo }.ok_or_else(|| SourceError::Unsupported("AVFoundation has no video".into()))
}

pub(super) fn cameras() -> Result<Vec<CameraInfo>, SourceError> {
    let video = video()?;
    // SAFETY: queries without preconditions. The older call is used because the newer one needs a list of device types
    // that grows with every version of the system, and leaves out what is not in it.
    #[expect(
        deprecated,
        reason = "the discovery session needs device types that differ by system version"
    )]
    let (devices, default) = unsafe {
        (
            AVCaptureDevice::devicesWithMediaType(video),
            AVCaptureDevice::defaultDeviceWithMediaType(video),
        )
    };
    // SAFETY: plain properties of a live object.
    let id = |device: &AVCaptureDevice| CameraId(unsafe { device.uniqueID() }.to_string());
    let default = default.map(|device| id(&device));
    let mut found: Vec<CameraInfo> = devices
        .iter()
        .map(|device| CameraInfo {
            is_default: default == Some(id(&device)),
            id: id(&device),
            // SAFETY: a plain property of a live object.
            name: unsafe { device.localizedName() }.to_string(),
        })
        .collect();
    found.sort_by_key(|camera| !camera.is_default);
    Ok(found)
}

pub(super) fn open(
    id: Option<&CameraId>,
    wanted: CaptureFormat,
    clock: MediaClock,
    deadline: Duration,
) -> Result<Box<dyn CameraSource>, SourceError> {
    let info = cameras()?
        .into_iter()
        .find(|info| id.is_none_or(|id| *id == info.id))
        .ok_or(SourceError::Missing)?;
    let id = info.id.clone();
    let camera = DrivenCamera::start(info, clock, deadline, move || open_session(&id, wanted, clock))?;
    Ok(Box::new(camera))
}

/// Asks the person at the machine the first time; afterwards the system remembers.
fn allowed(video: &AVMediaType) -> bool {
    // SAFETY: a query without preconditions for one of the two media types it takes.
    match unsafe { AVCaptureDevice::authorizationStatusForMediaType(video) } {
        AVAuthorizationStatus::Authorized => true,
        AVAuthorizationStatus::NotDetermined => {
            let (answer, answered) = mpsc::channel();
            let block = RcBlock::new(move |granted: Bool| {
                let _ = answer.send(granted.as_bool());
            });
            // SAFETY: the block is called once, on any thread; it only sends.
            unsafe { AVCaptureDevice::requestAccessForMediaType_completionHandler(video, &block) };
            // Whoever opens has a deadline of their own; this thread may wait for the person.
            answered.recv().unwrap_or(false)
        }
        _ => false,
    }
}

struct Received {
    mailbox: Arc<LatestFrame>,
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
    unsafe impl AVCaptureVideoDataOutputSampleBufferDelegate for Receiver {
        #[unsafe(method(captureOutput:didOutputSampleBuffer:fromConnection:))]
        fn did_output(&self, _: &AVCaptureOutput, sample: &CMSampleBuffer, _: &AVCaptureConnection) {
            if let Some(picture) = picture(sample) {
                let received = self.ivars();
                received
                    .mailbox
                    .put(VideoFrame::new(picture, received.clock.now()));
            }
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

/// A running session; stopped when dropped.
struct Running {
    session: Retained<AVCaptureSession>,
    _receiver: Retained<Receiver>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: the session was started by the thread that drops it.
        unsafe { self.session.stopRunning() };
    }
}

fn open_session(
    id: &CameraId,
    wanted: CaptureFormat,
    clock: MediaClock,
) -> Result<(CaptureFormat, Reader), SourceError> {
    if !allowed(video()?) {
        return Err(SourceError::Denied);
    }
    // SAFETY: a query without preconditions.
    let device = unsafe { AVCaptureDevice::deviceWithUniqueID(&NSString::from_str(&id.0)) }
        .ok_or(SourceError::Missing)?;
    // SAFETY: the device is alive; failing to take it is an error we handle.
    let input = unsafe { AVCaptureDeviceInput::deviceInputWithDevice_error(&device) }.map_err(|error| {
        // SAFETY: a plain property of a live object.
        if unsafe { device.isInUseByAnotherApplication() } {
            SourceError::Busy
        } else {
            SourceError::Unsupported(error.localizedDescription().to_string())
        }
    })?;
    let mailbox = Arc::new(LatestFrame::new());
    let receiver = Receiver::new(Received {
        mailbox: mailbox.clone(),
        clock,
    });
    let queue = DispatchQueue::new("camera", None);
    // SAFETY: one thread builds and starts the session as AVFoundation asks: inputs and outputs are added only after it
    // said it can, and the delegate outlives the session in `Running`. The key is a CFString, which is an NSString.
    let session = unsafe {
        let output = AVCaptureVideoDataOutput::new();
        let key: &NSString = &*std::ptr::from_ref(kCVPixelBufferPixelFormatTypeKey).cast();
        let format = NSNumber::new_u32(NV12);
        let settings: Retained<NSDictionary<NSString, AnyObject>> =
            NSDictionary::from_slices(&[key], &[&**format as &AnyObject]);
        output.setVideoSettings(Some(&settings));
        output.setAlwaysDiscardsLateVideoFrames(true);
        output.setSampleBufferDelegate_queue(Some(ProtocolObject::from_ref(&*receiver)), Some(&queue));
        let session = AVCaptureSession::new();
        let preset = if wanted.height >= 720 {
            AVCaptureSessionPreset1280x720
        } else {
            AVCaptureSessionPreset640x480
        };
        if session.canSetSessionPreset(preset) {
            session.setSessionPreset(preset);
        }
        if !session.canAddInput(&input) || !session.canAddOutput(&output) {
            return Err(SourceError::Unsupported(
                "the camera cannot be joined to a session".into(),
            ));
        }
        session.addInput(&input);
        session.addOutput(&output);
        session.startRunning();
        session
    };
    let (width, height) = if wanted.height >= 720 {
        (1280, 720)
    } else {
        (640, 480)
    };
    let running = Running {
        session,
        _receiver: receiver,
    };
    let reader = move || -> Result<Option<_>, SourceError> {
        let _keep_running = &running;
        Ok(mailbox
            .wait(WAIT)
            .map(|frame| Arc::unwrap_or_clone(frame.picture)))
    };
    Ok((
        CaptureFormat {
            width,
            height,
            fps: wanted.fps,
        },
        Box::new(reader),
    ))
}
