//! cameras, to come
use super::{CameraId, CameraInfo, CameraSource, CaptureFormat, SourceError};
use crate::clock::MediaClock;
use std::time::Duration;

pub(super) fn cameras() -> Result<Vec<CameraInfo>, SourceError> {
    Ok(Vec::new())
}

pub(super) fn open(
    _id: Option<&CameraId>,
    _wanted: CaptureFormat,
    _clock: MediaClock,
    _deadline: Duration,
) -> Result<Box<dyn CameraSource>, SourceError> {
    Err(SourceError::Missing)
}
