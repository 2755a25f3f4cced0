//! Cameras on Linux, by Video4Linux2 (crate `v4l`), memory-mapped, in the device's own pixel format.
//!
//! Not by nokhwa here: it wraps the same crate but refuses cameras whose present frame rate is not whole, panics on
//! duplicate nodes, and hides which of "missing", "busy" and "denied" an error was.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use v4l::buffer::{Flags as BufferFlags, Metadata, Type};
use v4l::capability::Flags;
use v4l::control::Value;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC};

use crate::clock::MediaClock;
use crate::video::convert::{PixelFormat, RawPicture, to_i420};
use crate::video::source::driver::{DrivenCamera, Reader};
use crate::video::source::mode::{Mode, best};
use crate::video::source::{CameraId, CameraInfo, CameraSource, CaptureFormat, SourceError};

/// Buffers between driver and us; pictures are taken as they come, so few are enough.
const BUFFERS: u32 = 4;
/// One wait for a picture; short, so that closing is noticed.
const WAIT: Duration = Duration::from_millis(200);
/// `POLLIN` of poll(2).
const READABLE: i16 = 1;
/// `V4L2_CID_VFLIP`: the camera mirrors its picture upside down.
const VERTICAL_FLIP: u32 = 0x0098_0915;

/// The formats we take, cheapest first.
const FORMATS: [(&[u8; 4], PixelFormat); 4] = [
    (b"NV12", PixelFormat::Nv12),
    (b"YU12", PixelFormat::I420),
    (b"YUYV", PixelFormat::Yuyv),
    (b"MJPG", PixelFormat::Mjpeg),
];

fn source_error(error: &io::Error) -> SourceError {
    // Numbers of errno(3): kinds for them came to Rust one by one and do not cover all.
    match error.raw_os_error() {
        Some(2 | 6 | 19) => SourceError::Missing,
        Some(16) => SourceError::Busy,
        Some(1 | 13) => SourceError::Denied,
        _ => SourceError::Unsupported(error.to_string()),
    }
}

/// A capture node and what is known of it without opening a stream.
struct Node {
    path: PathBuf,
    id: CameraId,
    name: String,
}

/// Capture nodes in order of their numbers. A node we may not open is listed all the same, so that opening it says why.
fn nodes() -> Vec<Node> {
    let mut found: Vec<(usize, Node)> = v4l::context::enum_devices()
        .into_iter()
        .filter_map(|node| {
            let path = node.path().to_owned();
            let caps = match Device::with_path(&path).and_then(|device| device.query_caps()) {
                Ok(caps) => Some(caps),
                Err(error) if source_error(&error) == SourceError::Denied => None,
                Err(_) => return None,
            };
            if caps
                .as_ref()
                .is_some_and(|c| !c.capabilities.contains(Flags::VIDEO_CAPTURE))
            {
                return None;
            }
            // A metadata node of a camera claims to capture but has no picture format.
            if caps.is_some()
                && Device::with_path(&path)
                    .and_then(|d| d.enum_formats())
                    .is_ok_and(|f| f.is_empty())
            {
                return None;
            }
            let name = caps
                .as_ref()
                .map_or_else(|| path.to_string_lossy().into_owned(), |c| c.card.clone());
            let bus = caps.map_or_else(|| path.to_string_lossy().into_owned(), |c| c.bus);
            Some((
                node.index(),
                Node {
                    path,
                    id: CameraId(format!("v4l2:{bus}:{name}")),
                    name,
                },
            ))
        })
        .collect();
    found.sort_by_key(|(index, _)| *index);
    let mut nodes: Vec<Node> = Vec::new();
    for (index, mut node) in found {
        // Two inputs of one device share bus and name: the number tells them apart.
        if nodes.iter().any(|n| n.id == node.id) {
            node.id.0 = format!("{}:{index}", node.id.0);
        }
        nodes.push(node);
    }
    nodes
}

pub(super) fn cameras() -> Result<Vec<CameraInfo>, SourceError> {
    Ok(nodes()
        .into_iter()
        .enumerate()
        .map(|(at, n)| CameraInfo {
            id: n.id,
            name: n.name,
            is_default: at == 0,
        })
        .collect())
}

pub(super) fn open(
    id: Option<&CameraId>,
    wanted: CaptureFormat,
    clock: MediaClock,
    deadline: Duration,
) -> Result<Box<dyn CameraSource>, SourceError> {
    let (at, node) = nodes()
        .into_iter()
        .enumerate()
        .find(|(_, node)| id.is_none_or(|id| *id == node.id))
        .ok_or(SourceError::Missing)?;
    let info = CameraInfo {
        id: node.id,
        name: node.name,
        is_default: at == 0,
    };
    let path = node.path;
    let is_flipped = Arc::new(AtomicBool::new(false));
    let found = is_flipped.clone();
    let mut camera = DrivenCamera::start(info, clock, deadline, move || open_stream(&path, wanted, &found))?;
    camera.is_flipped = is_flipped.load(Ordering::SeqCst);
    Ok(Box::new(camera))
}

/// The modes a device lists, for every format we take.
fn modes(device: &Device, wanted: CaptureFormat) -> Vec<Mode> {
    let offered = device.enum_formats().unwrap_or_default();
    let mut modes = Vec::new();
    for (rank, (code, _)) in FORMATS.iter().enumerate() {
        let fourcc = FourCC::new(code);
        if !offered.iter().any(|f| f.fourcc == fourcc) {
            continue;
        }
        for size in device.enum_framesizes(fourcc).unwrap_or_default() {
            let (width, height) = match size.size {
                FrameSizeEnum::Discrete(d) => (d.width, d.height),
                FrameSizeEnum::Stepwise(s) => (
                    wanted.width.clamp(s.min_width, s.max_width),
                    wanted.height.clamp(s.min_height, s.max_height),
                ),
            };
            let fps = device
                .enum_frameintervals(fourcc, width, height)
                .unwrap_or_default()
                .into_iter()
                .map(|interval| match interval.interval {
                    FrameIntervalEnum::Discrete(d) => d.denominator as f32 / d.numerator.max(1) as f32,
                    FrameIntervalEnum::Stepwise(s) => {
                        s.min.denominator as f32 / s.min.numerator.max(1) as f32
                    }
                })
                .min_by(|a, b| (a - wanted.fps).abs().total_cmp(&(b - wanted.fps).abs()))
                // Some drivers list sizes but no rates: assume it can.
                .unwrap_or(wanted.fps);
            modes.push(Mode {
                rank,
                width,
                height,
                fps,
            });
        }
    }
    modes
}

/// Whether somebody has set the device to turn its picture upside down; most have no such control. A sensor that is built in upside
/// down is turned by default.
fn is_flipped(device: &Device) -> bool {
    let Ok(control) = device.control(VERTICAL_FLIP) else {
        return false;
    };
    let is_on = matches!(control.value, Value::Boolean(true) | Value::Integer(1));
    let controls = device.query_controls().unwrap_or_default();
    let described = controls.iter().find(|known| known.id == VERTICAL_FLIP);
    is_on && described.is_none_or(|known| known.default == 0)
}

/// A stream that may pause.
///
/// The crate's own `next` gives the last buffer back and then waits for the next one. After a wait in vain it would give the
/// same buffer back again, which the driver refuses: so it is called only when a picture is there.
struct Pictures {
    stream: Stream<'static>,
    begun: bool,
    /// The driver has every buffer, the last one too, which `next` would give back.
    lent: bool,
}

impl Pictures {
    /// Waits [`WAIT`] at most for the next picture.
    fn next(&mut self) -> io::Result<Option<(&[u8], &Metadata)>> {
        if self.lent {
            // The crate does not show a picture that is taken so: the first one of a camera that was slow to begin is passed over.
            return match CaptureStream::dequeue(&mut self.stream) {
                Ok(_) => {
                    self.lent = false;
                    Ok(None)
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
                Err(error) => Err(error),
            };
        }
        if self.begun && self.stream.handle().poll(READABLE, WAIT.as_millis() as i32)? == 0 {
            return Ok(None);
        }
        self.begun = true;
        match CaptureStream::next(&mut self.stream) {
            Ok(picture) => Ok(Some(picture)),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.lent = true;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn open_stream(
    path: &Path,
    wanted: CaptureFormat,
    flipped: &AtomicBool,
) -> Result<(CaptureFormat, Reader), SourceError> {
    let device = Device::with_path(path).map_err(|e| source_error(&e))?;
    flipped.store(is_flipped(&device), Ordering::SeqCst);
    let mode = best(&modes(&device, wanted), wanted)
        .ok_or_else(|| SourceError::Unsupported("no pixel format we can use".into()))?;
    let (code, pixel) = FORMATS[mode.rank];
    let asked = Format::new(mode.width, mode.height, FourCC::new(code));
    // The driver answers with what it will really deliver.
    let got = device.set_format(&asked).map_err(|e| source_error(&e))?;
    if got.fourcc != FourCC::new(code) {
        return Err(SourceError::Unsupported(format!(
            "the camera insists on {}",
            got.fourcc
        )));
    }
    let fps = device
        .set_params(&Parameters::with_fps(mode.fps.round().max(1.0) as u32))
        .ok()
        .map(|p| p.interval.denominator as f32 / p.interval.numerator.max(1) as f32)
        .filter(|fps| fps.is_finite() && *fps > 0.0)
        .unwrap_or(mode.fps);
    let mut stream =
        Stream::with_buffers(&device, Type::VideoCapture, BUFFERS).map_err(|e| source_error(&e))?;
    stream.set_timeout(WAIT);
    let mut pictures = Pictures {
        stream,
        begun: false,
        lent: false,
    };
    let format = CaptureFormat {
        width: got.width,
        height: got.height,
        fps,
    };
    tracing::info!(?format, pixel = %got.fourcc, "camera opened");
    let stride = if pixel == PixelFormat::Mjpeg {
        0
    } else {
        got.stride as usize
    };
    let reader = move || -> Result<Option<_>, SourceError> {
        // The stream works on the device's handle and does not keep it open.
        let _keep_open = &device;
        let (data, meta) = match pictures.next() {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(None),
            Err(error) => return Err(source_error(&error)),
        };
        if meta.flags.contains(BufferFlags::ERROR) {
            tracing::debug!("the camera marked a picture as torn");
            return Ok(None);
        }
        let data = &data[..data.len().min(meta.bytesused as usize)];
        match to_i420(&RawPicture {
            format: pixel,
            width: got.width,
            height: got.height,
            stride,
            data,
        }) {
            Ok(picture) => Ok(Some(picture)),
            Err(error) => {
                // Cameras deliver broken pictures after opening; the next one is whole.
                tracing::debug!(%error, "a camera picture was passed over");
                Ok(None)
            }
        }
    };
    Ok((format, Box::new(reader)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_is_not_there_is_missing() {
        let id = CameraId("v4l2:nowhere:nothing".into());
        let opened = open(
            Some(&id),
            CaptureFormat::HD,
            MediaClock::start(),
            Duration::from_secs(5),
        );
        assert_eq!(opened.err(), Some(SourceError::Missing));
    }
}
