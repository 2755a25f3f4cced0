//! YUV4MPEG2 files as a camera, played in a loop. Only 8-bit 4:2:0 is read; anything else is refused by name.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use crate::clock::MediaClock;
use crate::video::frame::{I420, VideoFrame, check_size};
use crate::video::source::{
    CameraId, CameraInfo, CameraSource, CaptureFormat, FrameSource, Pace, SourceError,
};

/// Longest header line accepted, in bytes.
const MAX_HEADER: usize = 1024;

/// What a Y4M stream header says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Y4mHeader {
    /// Size and frame rate.
    pub format: CaptureFormat,
    /// Bytes of the header line, with its line feed.
    pub header_len: usize,
}

/// Reads the stream header from the first bytes of a file. Total over any bytes.
///
/// # Errors
/// [`SourceError::File`] when it is not a Y4M header, [`SourceError::Unsupported`] for other colour layouts.
pub fn parse_header(bytes: &[u8]) -> Result<Y4mHeader, SourceError> {
    let bad = |what: &str| SourceError::File(format!("not a usable Y4M header: {what}"));
    let end = bytes
        .iter()
        .take(MAX_HEADER)
        .position(|&b| b == b'\n')
        .ok_or_else(|| bad("no end of line"))?;
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| bad("not text"))?;
    let mut fields = line.split(' ');
    if fields.next() != Some("YUV4MPEG2") {
        return Err(bad("signature missing"));
    }
    let (mut width, mut height, mut fps) = (None, None, 25.0_f32);
    for field in fields.filter(|f| !f.is_empty()) {
        let (tag, value) = field.split_at(field.chars().next().map_or(0, char::len_utf8));
        match tag {
            "W" => width = value.parse::<u32>().ok(),
            "H" => height = value.parse::<u32>().ok(),
            "F" => {
                let (num, den) = value.split_once(':').ok_or_else(|| bad("frame rate"))?;
                let rate = num
                    .parse::<f32>()
                    .ok()
                    .zip(den.parse::<f32>().ok())
                    .map(|(n, d)| n / d);
                fps = rate
                    .filter(|r| (0.1..=240.0).contains(r))
                    .ok_or_else(|| bad("frame rate"))?;
            }
            "C" if !matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv") => {
                return Err(SourceError::Unsupported(format!("Y4M colour layout {value:?}")));
            }
            _ => {}
        }
    }
    let (width, height) = width.zip(height).ok_or_else(|| bad("no size"))?;
    check_size(width, height).map_err(|e| bad(&e.to_string()))?;
    Ok(Y4mHeader {
        format: CaptureFormat { width, height, fps },
        header_len: end + 1,
    })
}

/// A Y4M file as a camera.
#[derive(Debug)]
pub struct Y4mCamera {
    info: CameraInfo,
    header: Y4mHeader,
    file: BufReader<File>,
    pace: Pace,
    delivered: bool,
}

impl Y4mCamera {
    /// Opens a file.
    ///
    /// # Errors
    /// [`SourceError::Missing`] when there is none, otherwise as [`parse_header`].
    pub fn open(path: &Path, clock: MediaClock) -> Result<Self, SourceError> {
        let file = File::open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => SourceError::Missing,
            std::io::ErrorKind::PermissionDenied => SourceError::Denied,
            _ => SourceError::File(e.to_string()),
        })?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let header = parse_header(file.fill_buf().map_err(|e| SourceError::File(e.to_string()))?)?;
        file.consume(header.header_len);
        let name = path
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Self {
            info: CameraInfo {
                id: CameraId(format!("y4m:{name}")),
                name,
                is_default: false,
            },
            header,
            file,
            pace: Pace::new(clock, header.format.fps),
            delivered: false,
        })
    }

    /// The next picture, from the start again after the last one.
    fn read_picture(&mut self) -> Result<I420, SourceError> {
        let file_error = |e: std::io::Error| SourceError::File(e.to_string());
        if self.file.fill_buf().map_err(file_error)?.is_empty() {
            if !self.delivered {
                return Err(SourceError::File("the Y4M file holds no picture".into()));
            }
            self.file
                .seek(SeekFrom::Start(self.header.header_len as u64))
                .map_err(file_error)?;
        }
        let mut line = Vec::new();
        (&mut self.file)
            .take(MAX_HEADER as u64)
            .read_until(b'\n', &mut line)
            .map_err(file_error)?;
        if !line.starts_with(b"FRAME") || line.last() != Some(&b'\n') {
            return Err(SourceError::File("the Y4M file is damaged: no FRAME line".into()));
        }
        let mut picture = I420::black(self.header.format.width, self.header.format.height);
        let (y, u, v) = picture.planes_mut();
        for plane in [y, u, v] {
            self.file.read_exact(plane).map_err(file_error)?;
        }
        self.delivered = true;
        Ok(picture)
    }
}

impl FrameSource for Y4mCamera {
    fn format(&self) -> CaptureFormat {
        self.header.format
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<VideoFrame, SourceError> {
        let captured = self.pace.wait(timeout)?;
        Ok(VideoFrame::new(self.read_picture()?, captured))
    }
}

impl CameraSource for Y4mCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_header_is_read() {
        let header =
            parse_header(b"YUV4MPEG2 W640 H360 F30000:1001 Ip A1:1 C420jpeg XYSCSS=420JPEG\nFRAME\n")
                .expect("valid");
        assert_eq!((header.format.width, header.format.height), (640, 360));
        assert!((header.format.fps - 29.97).abs() < 0.01);
        assert!(matches!(
            parse_header(b"YUV4MPEG2 W2 H2 C444\n"),
            Err(SourceError::Unsupported(_))
        ));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "YUV4MPEG2( [A-Z\u{e9}][0-9:a-z]{0,8}){0,6}\n") {
            let _ = parse_header(&bytes);
            let _ = parse_header(text.as_bytes());
        }
    }

    #[test]
    fn a_file_loops() {
        let mut file = tempfile::NamedTempFile::new().expect("a scratch file");
        file.write_all(b"YUV4MPEG2 W4 H2 F240:1 C420\n").expect("written");
        for level in [50_u8, 60] {
            file.write_all(b"FRAME\n").expect("written");
            file.write_all(&[level; 12]).expect("written");
        }
        let mut camera = Y4mCamera::open(file.path(), MediaClock::start()).expect("valid");
        let levels: Vec<u8> = (0..5)
            .map(|_| {
                camera
                    .next_frame(Duration::from_secs(1))
                    .expect("looped")
                    .picture
                    .y()[0]
            })
            .collect();
        assert_eq!(levels, [50, 60, 50, 60, 50]);
        assert_eq!(
            Y4mCamera::open(Path::new("no such file"), MediaClock::start()).err(),
            Some(SourceError::Missing)
        );
    }
}
