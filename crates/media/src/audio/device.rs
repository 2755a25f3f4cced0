//! Microphones and speakers, by `cpal`: listing them by stable id, opening them, and turning whatever sample format and
//! channels they have into rings of mono `f32`.
//!
//! Callbacks run on the device's thread and do nothing that blocks: they copy into or out of a ring and count.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, DeviceId, ErrorKind, FromSample, Host, Sample, SampleFormat, SizedSample, Stream,
    StreamConfig, SupportedStreamConfig,
};
use ringbuf::HeapRb;

use crate::audio::stream::{DeviceCapture, DevicePlayback, Gauge, ring_size};
use crate::audio::{AudioError, RATE};
use crate::deadline::within;

/// Longest wait for a device or the sound server to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// A stable identifier of a sound device, as the operating system names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AudioDeviceId(pub String);

/// A sound device that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioDeviceInfo {
    /// Stable identifier, for settings.
    pub id: AudioDeviceId,
    /// The name its maker gave it, for people.
    pub name: String,
    /// Whether it is the system's default for its direction.
    pub is_default: bool,
}

/// Capture or playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Capture,
    Playback,
}

/// The microphones of this machine, the default one first. No microphone is an empty list.
///
/// # Errors
/// [`AudioError::Hung`] when the sound server does not answer, others as it says.
pub fn inputs() -> Result<Vec<AudioDeviceInfo>, AudioError> {
    list_within(Direction::Capture)
}

/// The speakers of this machine, the default one first. No speaker is an empty list.
///
/// # Errors
/// As [`inputs`].
pub fn outputs() -> Result<Vec<AudioDeviceInfo>, AudioError> {
    list_within(Direction::Playback)
}

fn list_within(direction: Direction) -> Result<Vec<AudioDeviceInfo>, AudioError> {
    within("audio-list", ANSWER, move || {
        list(&cpal::default_host(), direction)
    })
    .unwrap_or(Err(AudioError::Hung { after: ANSWER }))
}

pub(crate) fn audio_error(error: cpal::Error) -> AudioError {
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => AudioError::Missing,
        ErrorKind::DeviceBusy => AudioError::Busy,
        ErrorKind::PermissionDenied => AudioError::Denied,
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => {
            AudioError::Unsupported(error.to_string())
        }
        _ => AudioError::Device(error.to_string()),
    }
}

/// Lists devices of one direction, the default first.
pub(crate) fn list(host: &Host, direction: Direction) -> Result<Vec<AudioDeviceInfo>, AudioError> {
    let default = default_id(host, direction);
    let mut found: Vec<AudioDeviceInfo> = host
        .devices()
        .map_err(audio_error)?
        .filter(|d| match direction {
            Direction::Capture => d.supports_input(),
            Direction::Playback => d.supports_output(),
        })
        .filter_map(|device| info(&device, default.as_ref()))
        .collect();
    found.sort_by_key(|d| !d.is_default);
    Ok(found)
}

/// ALSA's device that hears silence and plays to nobody. It is on every machine, and whoever chose it would look for the fault
/// elsewhere.
const NOBODY: &str = "alsa:null";

fn info(device: &Device, default: Option<&AudioDeviceId>) -> Option<AudioDeviceInfo> {
    let id = AudioDeviceId(device.id().ok()?.to_string());
    if id.0 == NOBODY {
        return None;
    }
    let name = device
        .description()
        .map_or_else(|_| id.0.clone(), |d| d.name().to_owned());
    let is_default = default == Some(&id);
    Some(AudioDeviceInfo { id, name, is_default })
}

/// The id of the system's default device.
pub(crate) fn default_id(host: &Host, direction: Direction) -> Option<AudioDeviceId> {
    let device = match direction {
        Direction::Capture => host.default_input_device(),
        Direction::Playback => host.default_output_device(),
    }?;
    device.id().ok().map(|id| AudioDeviceId(id.to_string()))
}

fn find(host: &Host, id: Option<&AudioDeviceId>, direction: Direction) -> Result<Device, AudioError> {
    match id {
        None => match direction {
            Direction::Capture => host.default_input_device(),
            Direction::Playback => host.default_output_device(),
        },
        Some(id) => DeviceId::from_str(&id.0)
            .ok()
            .and_then(|id| host.device_by_id(&id)),
    }
    .ok_or(AudioError::Missing)
}

/// An open device: dropping it closes it. `failed` is set by the device's error callback.
pub(crate) struct OpenDevice {
    pub(crate) info: AudioDeviceInfo,
    failed: Arc<AtomicBool>,
    _stream: Stream,
}

impl OpenDevice {
    /// Whether it has stopped working: it is to be opened again.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }
}

/// Opens a microphone (the default one for `None`).
pub(crate) fn open_capture(id: Option<AudioDeviceId>) -> Result<(OpenDevice, DeviceCapture), AudioError> {
    within("audio-open", ANSWER, move || {
        let host = cpal::default_host();
        let device = find(&host, id.as_ref(), Direction::Capture)?;
        let config = choose(
            device.default_input_config().map_err(audio_error)?,
            device.supported_input_configs().map_err(audio_error)?,
        );
        open_with(&host, &device, config, Direction::Capture, build_capture)
    })
    .unwrap_or(Err(AudioError::Hung { after: ANSWER }))
}

/// Opens a speaker (the default one for `None`).
pub(crate) fn open_playback(id: Option<AudioDeviceId>) -> Result<(OpenDevice, DevicePlayback), AudioError> {
    within("audio-open", ANSWER, move || {
        let host = cpal::default_host();
        let device = find(&host, id.as_ref(), Direction::Playback)?;
        let config = choose(
            device.default_output_config().map_err(audio_error)?,
            device.supported_output_configs().map_err(audio_error)?,
        );
        open_with(&host, &device, config, Direction::Playback, build_playback)
    })
    .unwrap_or(Err(AudioError::Hung { after: ANSWER }))
}

/// The device's own format, at 48 kHz if it can, in a sample format we convert.
fn choose(
    default: SupportedStreamConfig,
    supported: impl Iterator<Item = cpal::SupportedStreamConfigRange>,
) -> SupportedStreamConfig {
    let usable = |format| {
        matches!(
            format,
            SampleFormat::F32 | SampleFormat::I16 | SampleFormat::I32 | SampleFormat::U8
        )
    };
    let rank = |format| match format {
        SampleFormat::F32 => 0,
        SampleFormat::I16 => 1,
        SampleFormat::I32 => 2,
        _ => 3,
    };
    supported
        .filter(|range| usable(range.sample_format()) && range.channels() == default.channels())
        .filter_map(|range| {
            range
                .try_with_sample_rate(RATE)
                .or_else(|| range.try_with_sample_rate(default.sample_rate()))
        })
        .min_by_key(|config| (config.sample_rate() != RATE, rank(config.sample_format())))
        .unwrap_or(default)
}

type Build<End> =
    fn(&Device, StreamConfig, SampleFormat, Arc<AtomicBool>) -> Result<(Stream, End), AudioError>;

fn open_with<End>(
    host: &Host,
    device: &Device,
    supported: SupportedStreamConfig,
    direction: Direction,
    build: Build<End>,
) -> Result<(OpenDevice, End), AudioError> {
    let failed = Arc::new(AtomicBool::new(false));
    let mut config = supported.config();
    // Ten milliseconds a callback where the device lets us choose; its own size where it does not.
    config.buffer_size = BufferSize::Fixed(config.sample_rate / 100);
    let format = supported.sample_format();
    let opened = build(device, config, format, failed.clone()).or_else(|_| {
        config.buffer_size = BufferSize::Default;
        build(device, config, format, failed.clone())
    });
    let (stream, end) = opened?;
    stream.play().map_err(audio_error)?;
    let info = info(device, default_id(host, direction).as_ref()).ok_or(AudioError::Missing)?;
    // Without its name, which is often its owner's.
    tracing::info!(
        ?direction,
        rate = config.sample_rate,
        channels = config.channels,
        ?format,
        "sound device opened"
    );
    Ok((
        OpenDevice {
            info,
            failed,
            _stream: stream,
        },
        end,
    ))
}

/// What the device reports while running. Glitches are counted by the rings; everything else means: open it again.
fn on_error(failed: Arc<AtomicBool>) -> impl FnMut(cpal::Error) + Send + 'static {
    move |error| match error.kind() {
        ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {
            tracing::debug!(%error, "sound device");
        }
        _ => {
            tracing::warn!(%error, "sound device failed");
            failed.store(true, Ordering::SeqCst);
        }
    }
}

fn build_capture(
    device: &Device,
    config: StreamConfig,
    format: SampleFormat,
    failed: Arc<AtomicBool>,
) -> Result<(Stream, DeviceCapture), AudioError> {
    match format {
        SampleFormat::F32 => capture_as::<f32>(device, config, failed),
        SampleFormat::I16 => capture_as::<i16>(device, config, failed),
        SampleFormat::I32 => capture_as::<i32>(device, config, failed),
        SampleFormat::U8 => capture_as::<u8>(device, config, failed),
        other => Err(AudioError::Unsupported(format!("sample format {other}"))),
    }
}

fn capture_as<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    failed: Arc<AtomicBool>,
) -> Result<(Stream, DeviceCapture), AudioError>
where
    f32: FromSample<T>,
{
    let (mut ring, consumer) = HeapRb::<f32>::new(ring_size(config.sample_rate)).split();
    let gauge = Arc::new(Gauge::default());
    let end = DeviceCapture::new(consumer, gauge.clone(), config.sample_rate)?;
    let channels = usize::from(config.channels).max(1);
    let on_data = move |data: &[T], info: &cpal::InputCallbackInfo| {
        let frames = data.len() / channels;
        gauge.chunk.fetch_max(frames, Ordering::Relaxed);
        let stamp = info.timestamp();
        let latency = stamp.callback.saturating_duration_since(stamp.capture);
        gauge
            .latency_us
            .store(latency.as_micros() as u64, Ordering::Relaxed);
        let mut mono = data
            .chunks_exact(channels)
            .map(|frame| frame.iter().map(|s| f32::from_sample(*s)).sum::<f32>() / channels as f32);
        if ring.push_iter(&mut mono) < frames {
            gauge.misses.fetch_add(1, Ordering::Relaxed);
        }
    };
    let stream = device
        .build_input_stream(config, on_data, on_error(failed), Some(ANSWER))
        .map_err(audio_error)?;
    Ok((stream, end))
}

fn build_playback(
    device: &Device,
    config: StreamConfig,
    format: SampleFormat,
    failed: Arc<AtomicBool>,
) -> Result<(Stream, DevicePlayback), AudioError> {
    match format {
        SampleFormat::F32 => playback_as::<f32>(device, config, failed),
        SampleFormat::I16 => playback_as::<i16>(device, config, failed),
        SampleFormat::I32 => playback_as::<i32>(device, config, failed),
        SampleFormat::U8 => playback_as::<u8>(device, config, failed),
        other => Err(AudioError::Unsupported(format!("sample format {other}"))),
    }
}

fn playback_as<T: SizedSample + FromSample<f32>>(
    device: &Device,
    config: StreamConfig,
    failed: Arc<AtomicBool>,
) -> Result<(Stream, DevicePlayback), AudioError> {
    let (producer, mut ring) = HeapRb::<f32>::new(ring_size(config.sample_rate)).split();
    let gauge = Arc::new(Gauge::default());
    let end = DevicePlayback::new(producer, gauge.clone(), config.sample_rate)?;
    let channels = usize::from(config.channels).max(1);
    let on_data = move |data: &mut [T], info: &cpal::OutputCallbackInfo| {
        let frames = data.len() / channels;
        gauge.chunk.fetch_max(frames, Ordering::Relaxed);
        let stamp = info.timestamp();
        let latency = stamp.playback.saturating_duration_since(stamp.callback);
        gauge
            .latency_us
            .store(latency.as_micros() as u64, Ordering::Relaxed);
        if ring.len() < frames {
            gauge.misses.fetch_add(1, Ordering::Relaxed);
        }
        for frame in data.chunks_mut(channels) {
            frame.fill(T::from_sample(ring.pop().unwrap_or(0.0)));
        }
    };
    let stream = device
        .build_output_stream(config, on_data, on_error(failed), Some(ANSWER))
        .map_err(audio_error)?;
    Ok((stream, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where nothing answers there is nothing to choose from, and that is well too.
    #[test]
    fn nobody_is_offered_the_device_that_is_nobody() {
        for listed in [inputs(), outputs()] {
            let listed = listed.unwrap_or_default();
            assert!(listed.iter().all(|device| device.id.0 != NOBODY), "{listed:?}");
        }
    }
}
