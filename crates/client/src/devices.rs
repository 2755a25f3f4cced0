//! Lists of devices and of what can be shared, as the page shows them. Blocking; run off the async threads.

use media::audio::{inputs, outputs};
use media::screen::{ScreenId, ScreenKind, screens, thumbnail};
use media::video::cameras;
use protocol::{DeviceInfo, DeviceKind, DeviceList, ScreenInfo};

/// Everything that is plugged in. A kind that cannot be listed is left out, and the log says why.
pub fn list() -> DeviceList {
    let mut devices = Vec::new();
    match cameras() {
        Ok(found) => devices.extend(found.into_iter().map(|camera| DeviceInfo {
            id: camera.id.0,
            kind: DeviceKind::Camera,
            name: camera.name,
            default: camera.is_default,
        })),
        Err(error) => tracing::warn!(%error, "cameras cannot be listed"),
    }
    for (kind, found) in [
        (DeviceKind::Microphone, inputs()),
        (DeviceKind::Speaker, outputs()),
    ] {
        match found {
            Ok(found) => devices.extend(found.into_iter().map(|device| DeviceInfo {
                id: device.id.0,
                kind,
                name: device.name,
                default: device.is_default,
            })),
            Err(error) => tracing::warn!(%error, ?kind, "sound devices cannot be listed"),
        }
    }
    DeviceList {
        devices,
        ..DeviceList::default()
    }
}

/// Screens and windows that can be shared, each with a small picture where one could be taken.
pub fn shareable() -> Vec<ScreenInfo> {
    let found = screens().unwrap_or_else(|error| {
        tracing::warn!(%error, "screens cannot be listed");
        Vec::new()
    });
    found
        .into_iter()
        .map(|screen| ScreenInfo {
            thumbnail: picture(&screen.id),
            name: screen.title,
            monitor: matches!(screen.kind, ScreenKind::Monitor),
            id: screen.id.0,
        })
        .collect()
}

/// Largest side of a thumbnail, in pixels.
const THUMBNAIL: u32 = 240;

/// A thumbnail as a `data:` address: an uncompressed BMP, which every page can show and which needs no codec.
fn picture(id: &ScreenId) -> Option<String> {
    use base64::Engine;
    let small = thumbnail(id, THUMBNAIL, THUMBNAIL).ok()?;
    let mut rgba = Vec::new();
    media::video::to_rgba(&small, &mut rgba);
    let bmp = bmp(small.width(), small.height(), &rgba);
    Some(format!(
        "data:image/bmp;base64,{}",
        base64::engine::general_purpose::STANDARD.encode(bmp)
    ))
}

/// A 24-bit BMP (BITMAPINFOHEADER, bottom-up rows padded to four bytes).
fn bmp(width: u32, height: u32, rgba: &[u8]) -> Vec<u8> {
    let row = (width as usize * 3).next_multiple_of(4);
    let size = 54 + row * height as usize;
    let mut out = Vec::with_capacity(size);
    out.extend(b"BM");
    out.extend((size as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(54u32.to_le_bytes());
    out.extend(40u32.to_le_bytes());
    out.extend(width.to_le_bytes());
    out.extend(height.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(24u16.to_le_bytes());
    out.extend([0; 24]);
    for line in rgba.chunks_exact((width as usize * 4).max(1)).rev() {
        let start = out.len();
        out.extend(
            line.chunks_exact(4)
                .flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]),
        );
        out.resize(start + row, 0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bmp_has_the_size_it_says() {
        let rgba = [1u8, 2, 3, 255].repeat(15);
        let picture = bmp(5, 3, &rgba);
        assert_eq!(picture.len(), 54 + 16 * 3);
        assert_eq!(
            u32::from_le_bytes([picture[2], picture[3], picture[4], picture[5]]) as usize,
            picture.len()
        );
        assert_eq!(picture[54..57], [3, 2, 1]);
    }
}
