//! Screens on Linux with X11, by `x11rb` (no C library): monitors by RandR, windows by the window manager's list, pixels
//! through shared memory where the server offers it, the pointer by XFixes. See docs/adr/0002.
//!
//! Under Wayland only X11 windows (XWayland) can be seen; without any X server this says so.

use std::time::Duration;

use memmap2::Mmap;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ConnectError, ReplyError, ReplyOrIdError};
use x11rb::protocol::composite::{self, ConnectionExt as _, Redirect};
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, Drawable, ImageFormat, ImageOrder, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

use crate::clock::MediaClock;
use crate::screen::{ScreenId, ScreenInfo, ScreenKind, ScreenSource};
use crate::video::convert::{PixelFormat, RawPicture, to_i420};
use crate::video::frame::{I420, VideoFrame};
use crate::video::source::{CaptureFormat, FrameSource, Pace, SourceError};

/// Windows smaller than this are tool tips and the like.
const MIN_WINDOW: u16 = 64;
/// Longest title read, in 32-bit units.
const TITLE: u32 = 256;

/// Connects to a display; `None` is the one the environment names.
fn connect(display: Option<&str>) -> Result<(RustConnection, usize), SourceError> {
    RustConnection::connect(display).map_err(|error| match error {
        ConnectError::SetupAuthenticate(_) | ConnectError::SetupFailed(_) => SourceError::Denied,
        other => SourceError::Unsupported(format!("no X11 display: {other}")),
    })
}

fn reply_error(error: ReplyError) -> SourceError {
    match error {
        // BadWindow, BadDrawable, BadMatch: it is gone, or no longer shown.
        ReplyError::X11Error(_) => SourceError::Missing,
        ReplyError::ConnectionError(e) => SourceError::Unsupported(format!("X11 connection: {e}")),
    }
}

fn id_error(error: ReplyOrIdError) -> SourceError {
    match error {
        ReplyOrIdError::X11Error(_) => SourceError::Missing,
        other => SourceError::Unsupported(format!("X11: {other}")),
    }
}

fn lost(error: impl std::fmt::Display) -> SourceError {
    SourceError::Unsupported(format!("X11 connection: {error}"))
}

/// What is captured: a rectangle of the root window, or a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Monitor { x: i16, y: i16 },
    Window(Window),
}

pub(super) fn screens() -> Result<Vec<ScreenInfo>, SourceError> {
    let (connection, screen) = connect(None)?;
    Ok(list(&connection, screen)?
        .into_iter()
        .map(|(info, _)| info)
        .collect())
}

fn list(connection: &RustConnection, screen: usize) -> Result<Vec<(ScreenInfo, Target)>, SourceError> {
    let mut found = monitors(connection, screen)?;
    for window in client_windows(connection, screen)? {
        // A window may vanish while it is being looked at.
        if let Ok(Some(info)) = window_info(connection, window) {
            found.push((info, Target::Window(window)));
        }
    }
    Ok(found)
}

fn monitors(connection: &RustConnection, screen: usize) -> Result<Vec<(ScreenInfo, Target)>, SourceError> {
    let root = &connection.setup().roots[screen];
    let mut found = Vec::new();
    if let Ok(reply) = connection
        .randr_get_monitors(root.root, true)
        .map_err(lost)?
        .reply()
    {
        for monitor in reply.monitors {
            let name = connection
                .get_atom_name(monitor.name)
                .map_err(lost)?
                .reply()
                .map_err(reply_error)?
                .name;
            let title = String::from_utf8_lossy(&name).into_owned();
            let info = ScreenInfo {
                id: ScreenId(format!("x11:monitor:{title}")),
                kind: ScreenKind::Monitor,
                title,
                width: u32::from(monitor.width),
                height: u32::from(monitor.height),
                is_primary: monitor.primary,
            };
            found.push((
                info,
                Target::Monitor {
                    x: monitor.x,
                    y: monitor.y,
                },
            ));
        }
    }
    if found.is_empty() {
        let info = ScreenInfo {
            id: ScreenId("x11:monitor:screen".into()),
            kind: ScreenKind::Monitor,
            title: "screen".into(),
            width: u32::from(root.width_in_pixels),
            height: u32::from(root.height_in_pixels),
            is_primary: true,
        };
        found.push((info, Target::Monitor { x: 0, y: 0 }));
    }
    found.sort_by_key(|(info, _)| !info.is_primary);
    Ok(found)
}

/// The windows the window manager lists; without one, the children of the root window.
fn client_windows(connection: &RustConnection, screen: usize) -> Result<Vec<Window>, SourceError> {
    let root = connection.setup().roots[screen].root;
    let atom = connection
        .intern_atom(true, b"_NET_CLIENT_LIST")
        .map_err(lost)?
        .reply()
        .map_err(reply_error)?
        .atom;
    if atom != x11rb::NONE {
        let listed = connection
            .get_property(false, root, atom, AtomEnum::WINDOW, 0, 1024)
            .map_err(lost)?
            .reply()
            .map_err(reply_error)?;
        if let Some(windows) = listed.value32() {
            let windows: Vec<Window> = windows.collect();
            if !windows.is_empty() {
                return Ok(windows);
            }
        }
    }
    Ok(connection
        .query_tree(root)
        .map_err(lost)?
        .reply()
        .map_err(reply_error)?
        .children)
}

/// What a window is called and how large it is; `None` when it cannot be seen or has no title.
fn window_info(connection: &RustConnection, window: Window) -> Result<Option<ScreenInfo>, SourceError> {
    let attributes = connection
        .get_window_attributes(window)
        .map_err(lost)?
        .reply()
        .map_err(reply_error)?;
    let geometry = connection
        .get_geometry(window)
        .map_err(lost)?
        .reply()
        .map_err(reply_error)?;
    if attributes.map_state != MapState::VIEWABLE
        || geometry.width < MIN_WINDOW
        || geometry.height < MIN_WINDOW
    {
        return Ok(None);
    }
    let Some(title) = title(connection, window)? else {
        return Ok(None);
    };
    Ok(Some(ScreenInfo {
        id: ScreenId(format!("x11:window:{window}")),
        kind: ScreenKind::Window,
        title,
        width: u32::from(geometry.width),
        height: u32::from(geometry.height),
        is_primary: false,
    }))
}

fn title(connection: &RustConnection, window: Window) -> Result<Option<String>, SourceError> {
    let net_name = connection
        .intern_atom(true, b"_NET_WM_NAME")
        .map_err(lost)?
        .reply()
        .map_err(reply_error)?
        .atom;
    for property in [net_name, AtomEnum::WM_NAME.into()] {
        if property == x11rb::NONE {
            continue;
        }
        let name = connection
            .get_property(false, window, property, AtomEnum::ANY, 0, TITLE)
            .map_err(lost)?
            .reply()
            .map_err(reply_error)?
            .value;
        if !name.is_empty() {
            return Ok(Some(String::from_utf8_lossy(&name).into_owned()));
        }
    }
    Ok(None)
}

fn find(
    connection: &RustConnection,
    screen: usize,
    id: &ScreenId,
) -> Result<(ScreenInfo, Target), SourceError> {
    list(connection, screen)?
        .into_iter()
        .find(|(info, _)| info.id == *id)
        .ok_or(SourceError::Missing)
}

pub(super) fn still(id: &ScreenId) -> Result<I420, SourceError> {
    let (connection, screen) = connect(None)?;
    let (info, target) = find(&connection, screen, id)?;
    Grabber::new(connection, screen, target)
        .grab((info.width, info.height))
        .map(|(picture, _)| picture)
}

pub(super) fn open(id: &ScreenId, fps: f32, clock: MediaClock) -> Result<Box<dyn ScreenSource>, SourceError> {
    let (connection, screen) = connect(None)?;
    let (info, target) = find(&connection, screen, id)?;
    let mut source = X11Screen {
        info,
        fps,
        pace: Pace::new(clock, fps),
        grabber: Grabber::new(connection, screen, target),
    };
    // The first picture now, so that a choice that cannot work fails here.
    source.grab()?;
    Ok(Box::new(source))
}

struct X11Screen {
    info: ScreenInfo,
    fps: f32,
    pace: Pace,
    grabber: Grabber,
}

impl X11Screen {
    fn grab(&mut self) -> Result<I420, SourceError> {
        let (picture, size) = self.grabber.grab((self.info.width, self.info.height))?;
        (self.info.width, self.info.height) = size;
        Ok(picture)
    }
}

impl FrameSource for X11Screen {
    fn format(&self) -> CaptureFormat {
        CaptureFormat {
            width: self.info.width,
            height: self.info.height,
            fps: self.fps,
        }
    }

    fn next_frame(&mut self, timeout: Duration) -> Result<VideoFrame, SourceError> {
        let captured = self.pace.wait(timeout)?;
        match self.grab() {
            Ok(picture) => Ok(VideoFrame::new(picture, captured)),
            // A window that was there when it was opened and is not now was closed.
            Err(SourceError::Missing) => Err(SourceError::Ended),
            Err(error) => Err(error),
        }
    }
}

impl ScreenSource for X11Screen {
    fn info(&self) -> &ScreenInfo {
        &self.info
    }
}

/// A shared-memory segment of the X server mapped here.
struct Segment {
    id: shm::Seg,
    map: Mmap,
}

/// Fetches pixels of one target.
struct Grabber {
    connection: RustConnection,
    root: Window,
    target: Target,
    segment: Option<Segment>,
    shared_memory: bool,
    composited: bool,
    pointer: bool,
}

impl Grabber {
    fn new(connection: RustConnection, screen: usize, target: Target) -> Self {
        let root = connection.setup().roots[screen].root;
        let has = |name| {
            connection
                .extension_information(name)
                .is_ok_and(|found| found.is_some())
        };
        let shared_memory = has(shm::X11_EXTENSION_NAME)
            && connection
                .shm_query_version()
                .ok()
                .and_then(|c| c.reply().ok())
                .is_some_and(|v| (v.major_version, v.minor_version) >= (1, 2));
        // A redirected window keeps its own pixels even where another covers it.
        let composited = match target {
            Target::Monitor { .. } => false,
            Target::Window(window) => {
                has(composite::X11_EXTENSION_NAME)
                    && connection
                        .composite_query_version(0, 4)
                        .ok()
                        .is_some_and(|c| c.reply().is_ok())
                    && connection
                        .composite_redirect_window(window, Redirect::AUTOMATIC)
                        .ok()
                        .is_some_and(|c| c.check().is_ok())
            }
        };
        let pointer = connection
            .xfixes_query_version(5, 0)
            .ok()
            .is_some_and(|c| c.reply().is_ok());
        Self {
            connection,
            root,
            target,
            segment: None,
            shared_memory,
            composited,
            pointer,
        }
    }

    /// The pixels now and their size; `size` is what is known of a monitor, a window is asked.
    fn grab(&mut self, size: (u32, u32)) -> Result<(I420, (u32, u32)), SourceError> {
        let (width, height, (x, y), origin) = match self.target {
            Target::Monitor { x, y } => (size.0, size.1, (x, y), (x, y)),
            Target::Window(window) => {
                let geometry = self
                    .connection
                    .get_geometry(window)
                    .map_err(lost)?
                    .reply()
                    .map_err(reply_error)?;
                let at = self
                    .connection
                    .translate_coordinates(window, self.root, 0, 0)
                    .map_err(lost)?
                    .reply()
                    .map_err(reply_error)?;
                (
                    u32::from(geometry.width),
                    u32::from(geometry.height),
                    (0, 0),
                    (at.dst_x, at.dst_y),
                )
            }
        };
        let drawable = match self.target {
            Target::Monitor { .. } => self.root,
            Target::Window(window) if self.composited => {
                let pixmap = self.connection.generate_id().map_err(id_error)?;
                self.connection
                    .composite_name_window_pixmap(window, pixmap)
                    .map_err(lost)?
                    .check()
                    .map_err(reply_error)?;
                pixmap
            }
            Target::Window(window) => window,
        };
        let pixels = self.pixels(drawable, (x, y), (width, height));
        if self.composited {
            self.connection.free_pixmap(drawable).map_err(lost)?;
        }
        let mut pixels = pixels?;
        if self.connection.setup().image_byte_order != ImageOrder::LSB_FIRST {
            return Err(SourceError::Unsupported(
                "an X server with big-endian pictures".into(),
            ));
        }
        if self.pointer {
            self.draw_pointer(&mut pixels, (width, height), origin);
        }
        let raw = RawPicture {
            format: PixelFormat::Bgra,
            width,
            height,
            stride: width as usize * 4,
            data: &pixels,
        };
        let picture = to_i420(&raw).map_err(|e| SourceError::Unsupported(e.to_string()))?;
        Ok((picture, (width, height)))
    }

    /// Four bytes a pixel (blue, green, red, unused), rows packed.
    fn pixels(
        &mut self,
        drawable: Drawable,
        (x, y): (i16, i16),
        (width, height): (u32, u32),
    ) -> Result<Vec<u8>, SourceError> {
        let bytes = width as usize * height as usize * 4;
        let (w, h) = (width as u16, height as u16);
        let format = ImageFormat::Z_PIXMAP.into();
        if self.shared_memory
            && let Some(segment) = self.segment_of(bytes)
        {
            let reply = self
                .connection
                .shm_get_image(drawable, x, y, w, h, !0, format, segment, 0)
                .map_err(lost)?
                .reply()
                .map_err(reply_error)?;
            check_depth(reply.depth)?;
            let map = &self.segment.as_ref().expect("a segment was made just above").map;
            return Ok(map[..bytes].to_vec());
        }
        let reply = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, drawable, x, y, w, h, !0)
            .map_err(lost)?
            .reply()
            .map_err(reply_error)?;
        check_depth(reply.depth)?;
        if reply.data.len() < bytes {
            return Err(SourceError::Unsupported(
                "an X server with an unusual picture layout".into(),
            ));
        }
        Ok(reply.data)
    }

    /// A shared segment of at least this size, made anew when the target grew. `None`: go without from now on.
    fn segment_of(&mut self, bytes: usize) -> Option<shm::Seg> {
        if let Some(segment) = &self.segment
            && segment.map.len() >= bytes
        {
            return Some(segment.id);
        }
        if let Some(old) = self.segment.take() {
            let _ = self.connection.shm_detach(old.id);
        }
        self.segment = self.make_segment(bytes);
        self.shared_memory = self.segment.is_some();
        self.segment.as_ref().map(|s| s.id)
    }

    fn make_segment(&self, bytes: usize) -> Option<Segment> {
        let id = self.connection.generate_id().ok()?;
        let reply = self
            .connection
            .shm_create_segment(id, u32::try_from(bytes).ok()?, false)
            .ok()?
            .reply()
            .ok()?;
        // SAFETY: the file descriptor is a memory file of `bytes` bytes that the X server made for this segment alone and
        // never shortens. The server writes to it only while it answers `shm_get_image`, and `pixels` copies the bytes
        // out after that answer and before the next request, so they do not change while they are read.
        let map = unsafe { memmap2::MmapOptions::new().len(bytes).map(&reply.shm_fd) }.ok()?;
        Some(Segment { id, map })
    }

    /// Draws the pointer where it is over the picture.
    fn draw_pointer(&self, pixels: &mut [u8], (width, height): (u32, u32), origin: (i16, i16)) {
        let Some(cursor) = self
            .connection
            .xfixes_get_cursor_image()
            .ok()
            .and_then(|c| c.reply().ok())
        else {
            return;
        };
        let left = i32::from(cursor.x) - i32::from(cursor.xhot) - i32::from(origin.0);
        let top = i32::from(cursor.y) - i32::from(cursor.yhot) - i32::from(origin.1);
        for (n, argb) in cursor.cursor_image.iter().enumerate() {
            let col = left + (n % usize::from(cursor.width.max(1))) as i32;
            let row = top + (n / usize::from(cursor.width.max(1))) as i32;
            if col < 0 || row < 0 || col >= width as i32 || row >= height as i32 {
                continue;
            }
            let [blue, green, red, alpha] = argb.to_le_bytes();
            let at = (row as usize * width as usize + col as usize) * 4;
            // The colour is already multiplied by its opacity (XFixes protocol, §6).
            for (pixel, over) in pixels[at..at + 3].iter_mut().zip([blue, green, red]) {
                let under = u32::from(*pixel) * (255 - u32::from(alpha)) / 255;
                *pixel = (under + u32::from(over)).min(255) as u8;
            }
        }
    }
}

fn check_depth(depth: u8) -> Result<(), SourceError> {
    if matches!(depth, 24 | 32) {
        Ok(())
    } else {
        Err(SourceError::Unsupported(format!(
            "an X screen of {depth} bits a pixel"
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use x11rb::protocol::xproto::{CreateGCAux, CreateWindowAux, PropMode, Rectangle, WindowClass};
    use x11rb::wrapper::ConnectionExt as _;

    use super::*;

    /// An X server without a screen, on a display number it chose itself; ended when dropped.
    struct Xvfb {
        child: Child,
        display: String,
    }

    impl Xvfb {
        fn start() -> Option<Self> {
            let started = Command::new("Xvfb")
                .args([
                    "-displayfd",
                    "1",
                    "-screen",
                    "0",
                    "800x600x24",
                    "-nolisten",
                    "tcp",
                ])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut child) = started else {
                eprintln!("SKIPPED: Xvfb is not installed, screens are not tested");
                return None;
            };
            let mut number = String::new();
            BufReader::new(child.stdout.take().expect("piped"))
                .read_line(&mut number)
                .expect("it says its number");
            Some(Self {
                child,
                display: format!(":{}", number.trim()),
            })
        }
    }

    impl Drop for Xvfb {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// A window of one colour with a title.
    fn show(
        connection: &RustConnection,
        screen: usize,
        (x, y): (i16, i16),
        colour: u32,
        title: &[u8],
    ) -> Window {
        let root = &connection.setup().roots[screen];
        let window = connection.generate_id().expect("an id");
        let aux = CreateWindowAux::new()
            .background_pixel(colour)
            .override_redirect(1);
        connection
            .create_window(
                0,
                window,
                root.root,
                x,
                y,
                200,
                150,
                0,
                WindowClass::INPUT_OUTPUT,
                0,
                &aux,
            )
            .expect("sent")
            .check()
            .expect("made");
        connection
            .change_property8(
                PropMode::REPLACE,
                window,
                AtomEnum::WM_NAME,
                AtomEnum::STRING,
                title,
            )
            .expect("sent")
            .check()
            .expect("named");
        connection
            .map_window(window)
            .expect("sent")
            .check()
            .expect("shown");
        let gc = connection.generate_id().expect("an id");
        connection
            .create_gc(gc, window, &CreateGCAux::new().foreground(colour))
            .expect("sent");
        let all = Rectangle {
            x: 0,
            y: 0,
            width: 200,
            height: 150,
        };
        connection
            .poly_fill_rectangle(window, gc, &[all])
            .expect("sent")
            .check()
            .expect("painted");
        window
    }

    /// Luma and chroma of a pixel.
    fn pixel(picture: &I420, x: usize, y: usize) -> (u8, u8, u8) {
        let chroma = y / 2 * picture.stride_uv() + x / 2;
        (
            picture.y()[y * picture.stride_y() + x],
            picture.u()[chroma],
            picture.v()[chroma],
        )
    }

    const RED: (u8, u8, u8) = (81, 90, 240);
    const BLUE: (u8, u8, u8) = (41, 240, 110);

    fn near(a: (u8, u8, u8), b: (u8, u8, u8)) -> bool {
        a.0.abs_diff(b.0) < 4 && a.1.abs_diff(b.1) < 4 && a.2.abs_diff(b.2) < 4
    }

    #[test]
    fn monitors_and_covered_windows_are_captured() {
        let Some(server) = Xvfb::start() else { return };
        let display = Some(server.display.as_str());
        let (client, screen) = connect(display).expect("the server runs");
        let below = show(&client, screen, (50, 40), 0x00FF_0000, b"exhibit");
        show(&client, screen, (100, 80), 0x0000_00FF, b"in front");

        let (connection, screen) = connect(display).expect("the server runs");
        let listed = list(&connection, screen).expect("listed");
        let titles: Vec<(ScreenKind, &str)> =
            listed.iter().map(|(i, _)| (i.kind, i.title.as_str())).collect();
        assert_eq!(titles[0].0, ScreenKind::Monitor);
        assert!(titles.contains(&(ScreenKind::Window, "exhibit")), "{titles:?}");
        let (monitor, target) = listed[0].clone();
        assert_eq!((monitor.width, monitor.height), (800, 600));

        let mut whole = Grabber::new(connection, screen, target);
        assert!(whole.shared_memory, "Xvfb has MIT-SHM 1.2");
        let (picture, _) = whole.grab((800, 600)).expect("captured");
        assert!(whole.segment.is_some(), "it went through shared memory");
        assert!(
            near(pixel(&picture, 60, 50), RED),
            "{:?}",
            pixel(&picture, 60, 50)
        );
        assert!(
            near(pixel(&picture, 150, 100), BLUE),
            "the blue window is in front"
        );

        let (connection, screen) = connect(display).expect("the server runs");
        let mut window = Grabber::new(connection, screen, Target::Window(below));
        // Redirection begins now: what was covered before has to be painted again.
        show(&client, screen, (700, 500), 0, b"elsewhere");
        let gc = client.generate_id().expect("an id");
        client
            .create_gc(gc, below, &CreateGCAux::new().foreground(0x00FF_0000))
            .expect("sent");
        let all = Rectangle {
            x: 0,
            y: 0,
            width: 200,
            height: 150,
        };
        client
            .poly_fill_rectangle(below, gc, &[all])
            .expect("sent")
            .check()
            .expect("painted");
        let (picture, size) = window.grab((0, 0)).expect("captured");
        assert_eq!(size, (200, 150));
        assert!(
            near(pixel(&picture, 120, 100), RED),
            "covered, and yet red: {:?}",
            pixel(&picture, 120, 100)
        );

        client.destroy_window(below).expect("sent").check().expect("gone");
        assert_eq!(window.grab((0, 0)).err(), Some(SourceError::Missing));
    }

    #[test]
    fn without_a_display_it_says_so() {
        assert!(matches!(
            connect(Some("/nowhere:99")),
            Err(SourceError::Unsupported(_))
        ));
    }
}
