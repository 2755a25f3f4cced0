//! Cameras on Windows, by Media Foundation (crate `nokhwa`), raw buffers in the device's own pixel format.
//!
//! Not run anywhere yet: it is type-checked on Linux and waits for a Windows machine.

use std::time::Duration;

use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};
use nokhwa::{Camera, NokhwaError};

use crate::clock::MediaClock;
use crate::video::convert::{PixelFormat, RawPicture, to_i420};
use crate::video::source::driver::{DrivenCamera, Reader};
use crate::video::source::mode::{Mode, best};
use crate::video::source::{CameraId, CameraInfo, CameraSource, CaptureFormat, SourceError};

/// The formats we take, cheapest first.
const FORMATS: [(FrameFormat, PixelFormat); 3] = [
    (FrameFormat::NV12, PixelFormat::Nv12),
    (FrameFormat::YUYV, PixelFormat::Yuyv),
    (FrameFormat::MJPEG, PixelFormat::Mjpeg),
];

/// Media Foundation's error codes reach us only inside texts.
fn source_error(error: &NokhwaError) -> SourceError {
    let text = error.to_string();
    let says = |codes: &[&str]| codes.iter().any(|code| text.to_ascii_uppercase().contains(code));
    // E_ACCESSDENIED.
    if says(&["80070005"]) {
        SourceError::Denied
    // MF_E_HW_MFT_FAILED_START_STREAMING, MF_E_VIDEO_RECORDING_DEVICE_PREEMPTED.
    } else if says(&["C00D3704", "C00D3EA3"]) {
        SourceError::Busy
    // MF_E_VIDEO_RECORDING_DEVICE_INVALIDATED, ERROR_DEVICE_NOT_CONNECTED.
    } else if says(&["C00D3EA2", "8007048F"]) {
        SourceError::Missing
    } else {
        SourceError::Unsupported(text)
    }
}

fn list() -> Result<Vec<(CameraInfo, CameraIndex)>, SourceError> {
    let found = nokhwa::query(ApiBackend::MediaFoundation).map_err(|e| source_error(&e))?;
    let named = found.into_iter().enumerate().map(|(at, camera)| {
        // `misc` is the device's symbolic link, which stays the same.
        let id = CameraId(format!("mf:{}", camera.misc()));
        (
            CameraInfo {
                id,
                name: camera.human_name(),
                is_default: at == 0,
            },
            camera.index().clone(),
        )
    });
    Ok(named.collect())
}

pub(super) fn cameras() -> Result<Vec<CameraInfo>, SourceError> {
    Ok(list()?.into_iter().map(|(info, _)| info).collect())
}

pub(super) fn open(
    id: Option<&CameraId>,
    wanted: CaptureFormat,
    clock: MediaClock,
    deadline: Duration,
) -> Result<Box<dyn CameraSource>, SourceError> {
    let (info, index) = list()?
        .into_iter()
        .find(|(info, _)| id.is_none_or(|id| *id == info.id))
        .ok_or(SourceError::Missing)?;
    let camera = DrivenCamera::start(info, clock, deadline, move || open_stream(index, wanted))?;
    Ok(Box::new(camera))
}

fn open_stream(index: CameraIndex, wanted: CaptureFormat) -> Result<(CaptureFormat, Reader), SourceError> {
    let formats = FORMATS.map(|(format, _)| format);
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &formats);
    let mut camera =
        Camera::with_backend(index, any, ApiBackend::MediaFoundation).map_err(|e| source_error(&e))?;
    let offered = camera.compatible_camera_formats().map_err(|e| source_error(&e))?;
    let modes: Vec<Mode> = offered
        .iter()
        .filter_map(|offer| {
            let rank = FORMATS.iter().position(|(format, _)| *format == offer.format())?;
            Some(Mode {
                rank,
                width: offer.width(),
                height: offer.height(),
                fps: offer.frame_rate() as f32,
            })
        })
        .collect();
    let mode =
        best(&modes, wanted).ok_or_else(|| SourceError::Unsupported("no pixel format we can use".into()))?;
    let (frame_format, pixel) = FORMATS[mode.rank];
    let exact = CameraFormat::new(
        Resolution::new(mode.width, mode.height),
        frame_format,
        mode.fps as u32,
    );
    camera
        .set_camera_requset(RequestedFormat::with_formats(
            RequestedFormatType::Exact(exact),
            &formats,
        ))
        .map_err(|e| source_error(&e))?;
    camera.open_stream().map_err(|e| source_error(&e))?;
    let format = CaptureFormat {
        width: mode.width,
        height: mode.height,
        fps: mode.fps,
    };
    let reader = move || -> Result<Option<_>, SourceError> {
        let buffer = camera.frame().map_err(|e| source_error(&e))?;
        let (width, height) = (buffer.resolution().width(), buffer.resolution().height());
        let raw = RawPicture {
            format: pixel,
            width,
            height,
            stride: 0,
            data: buffer.buffer(),
        };
        Ok(to_i420(&raw)
            .inspect_err(|error| tracing::debug!(%error, "a camera picture was passed over"))
            .ok())
    };
    Ok((format, Box::new(reader)))
}
