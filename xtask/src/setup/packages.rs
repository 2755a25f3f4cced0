//! The Debian packages that the project needs, each with its reason. What apt brings along by itself is not named.

use super::Need;

/// One package and why it is here.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    /// The smallest need that includes it.
    pub(crate) need: Need,
}

const fn package(need: Need, name: &'static str, why: &'static str) -> Package {
    Package { name, why, need }
}

/// In the order in which they are explained.
pub(crate) const PACKAGES: &[Package] = &[
    package(
        Need::Build,
        "build-essential",
        "C and C++ compiler for Opus, OpenH264, SQLite and the crypto libraries",
    ),
    package(Need::Build, "cmake", "builds Opus and the crypto library"),
    package(
        Need::Build,
        "nasm",
        "assembler of OpenH264; without it encoding costs three times as much",
    ),
    package(Need::Build, "pkg-config", "finds the libraries below"),
    package(Need::Build, "libasound2-dev", "sound devices"),
    package(
        Need::Build,
        "libclang-dev",
        "reads the kernel's camera header for the V4L2 bindings",
    ),
    package(
        Need::Build,
        "libwebkit2gtk-4.1-dev",
        "the desktop window and its webview",
    ),
    package(Need::Demo, "espeak-ng", "speaks for the players of the demo"),
    package(Need::Demo, "fonts-noto-cjk", "Chinese characters in the window"),
    package(Need::Demo, "gstreamer1.0-libav", "H.264 decoder of the webview"),
    package(
        Need::Demo,
        "gstreamer1.0-plugins-bad",
        "H.264 parser of the webview",
    ),
    package(Need::Demo, "libasound2-plugins", "ALSA programs reach PulseAudio"),
    package(Need::Test, "chromium", "the browser of the browser tests"),
    package(
        Need::Test,
        "pulseaudio",
        "null sinks that stand in for a sound card",
    ),
    package(
        Need::Test,
        "pulseaudio-utils",
        "makes and removes those sinks while a test runs",
    ),
    package(Need::Test, "dbus-daemon", "a message bus for the desktop window"),
    package(Need::Test, "webkit2gtk-driver", "drives the desktop window"),
    package(Need::Test, "xauth", "xvfb-run needs it"),
    package(Need::Test, "xvfb", "a display for the desktop window"),
    package(
        Need::Test,
        "iproute2",
        "a network of its own for the media servers of the benches; a bad line in the tests' own kernel",
    ),
    package(
        Need::Kernel,
        "alsa-utils",
        "plays into and holds the sound card of the tests' own kernel",
    ),
    package(
        Need::Kernel,
        "busybox-static",
        "first program of the tests' own kernel",
    ),
    package(
        Need::Kernel,
        "kmod",
        "finds and loads modules of the tests' own kernel",
    ),
    package(Need::Kernel, "qemu-system-x86", "runs the tests' own kernel"),
    package(
        Need::Kernel,
        "v4l-utils",
        "sets, breaks and holds the camera of the tests' own kernel",
    ),
    package(Need::Bench, "janus", "a media server to compare ours with"),
    package(
        Need::Cross,
        "cargo-web",
        "Debian's cargo, beside the standard library's source",
    ),
    package(
        Need::Cross,
        "g++-mingw-w64-x86-64",
        "C and C++ compiler and libraries for Windows",
    ),
    package(Need::Cross, "lld", "links for Windows"),
    package(
        Need::Cross,
        "rust-web-src",
        "the standard library's source, compiled for the other systems",
    ),
    package(
        Need::Cross,
        "rustc-web",
        "Debian's compiler of the same version as that source",
    ),
    package(Need::Cross, "wine", "runs the Windows participant"),
    package(Need::Cross, "wine64", "the 64-bit half of it"),
];
