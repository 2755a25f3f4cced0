//! The command line.

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use client::studio::MediaSetup;
use client::{FrameSink, MediaSetup as Setup};
use media::audio::{CaptureChoice, PlaybackChoice};
use media::clock::MediaClock;
use media::video::{CameraChoice, CaptureFormat};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use url::Url;

/// A participant of a hearing (or of any LiveKit room) without a window.
#[derive(Parser, Debug, Clone)]
#[command(version, about, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(group(ArgGroup::new("way").required(true).args(["code", "staff", "livekit"])))]
pub(crate) struct Args {
    /// Something else than taking part.
    #[command(subcommand)]
    pub(crate) instead: Option<Instead>,
    /// Address of the court's server.
    #[arg(
        long,
        env = "MINGTING_SERVER",
        value_name = "URL",
        required_unless_present = "livekit"
    )]
    pub(crate) server: Option<Url>,
    /// The eight-digit hearing code of the seat.
    #[arg(
        long,
        env = "MINGTING_CODE",
        value_name = "CODE",
        hide_env_values = true,
        requires = "name"
    )]
    pub(crate) code: Option<String>,
    /// The name to give: the one that was invited with the code.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// In what capacity the seat is taken; by the seat's role if left out.
    #[arg(long, value_enum)]
    pub(crate) capacity: Option<CapacityKind>,
    /// For an agent: the seat that is represented; what the seat says if left out.
    #[arg(long, value_name = "SEAT")]
    pub(crate) represents: Option<String>,
    /// Take the seat although it is in use elsewhere.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Sign in as court staff with this account; the password is in MINGTING_PASSWORD.
    #[arg(long, value_name = "ACCOUNT", requires = "hearing")]
    pub(crate) staff: Option<String>,
    /// The hearing to take a staff seat in.
    #[arg(long, value_name = "ID")]
    pub(crate) hearing: Option<String>,
    /// Enter a LiveKit room on this server instead of a hearing.
    #[arg(long, value_name = "URL", requires = "token", conflicts_with = "server")]
    pub(crate) livekit: Option<Url>,
    /// Access token of the LiveKit room.
    #[arg(long, value_name = "JWT", env = "MINGTING_ROOM_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,

    /// Picture to send: synthetic[:SEED], y4m:PATH, device or none.
    #[arg(long, value_name = "SOURCE", default_value = "synthetic")]
    pub(crate) video: Video,
    /// Size of a synthetic picture.
    #[arg(long, value_name = "WxH", default_value = "640x360")]
    pub(crate) size: Size,
    /// Frames a second of a synthetic picture.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) fps: u32,
    /// Sound to send: tone:HZ, wav:PATH (loops), silence, device or none.
    #[arg(long, value_name = "SOURCE", default_value = "silence")]
    pub(crate) audio: Audio,
    /// Use the machine's real camera, microphone and loudspeaker.
    #[arg(long)]
    pub(crate) devices: bool,
    /// Look for a tone of so many Hz in everything received.
    #[arg(long, value_name = "HZ")]
    pub(crate) listen_for: Option<f32>,
    /// Write received sound to a WAV file per seat in this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) record_wav: Option<PathBuf>,
    /// Pretended tile size of every remote picture.
    #[arg(long, value_name = "WxH", default_value = "640x360")]
    pub(crate) view: Size,

    /// Leave after so many seconds.
    #[arg(long = "for", visible_alias = "duration", value_name = "SECONDS")]
    pub(crate) seconds: Option<f64>,
    /// Play a part of the demo hearing.
    #[arg(long, value_enum)]
    pub(crate) script: Option<Script>,
    /// Agree to whatever the court offers to put right (一键修复), and carry it out.
    #[arg(long)]
    pub(crate) agree_fixes: bool,
    /// Read JSON lines on stdin, write JSON lines on stdout.
    #[arg(long)]
    pub(crate) drive: bool,
    /// Write events as JSON lines; `-` is stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<String>,
    /// Write the report as JSON at the end; `-` is stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<String>,
}

/// Something else than taking part.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Instead {
    /// Tests camera, microphone, loudspeaker, network and computer (设备自检). Exit status 0 good, 1 usable, 2 bad.
    Selftest(SelftestArgs),
}

/// What a self-test tests; by default everything that a person at this machine would use.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct SelftestArgs {
    /// Address of the court's server; without it the network is left out.
    #[arg(long, env = "MINGTING_SERVER", value_name = "URL")]
    pub(crate) server: Option<Url>,
    /// Send the report to the court for the seat of this hearing code.
    #[arg(
        long,
        env = "MINGTING_CODE",
        value_name = "CODE",
        hide_env_values = true,
        requires = "server"
    )]
    pub(crate) code: Option<String>,
    /// Print the whole result as JSON instead of one line a part.
    #[arg(long)]
    pub(crate) json: bool,
    /// Camera: device, synthetic[:SEED], y4m:PATH or none.
    #[arg(long, value_name = "SOURCE", default_value = "device")]
    pub(crate) video: Video,
    /// Microphone: device, tone:HZ, wav:PATH (loops), silence, or none to leave out all sound.
    #[arg(long, value_name = "SOURCE", default_value = "device")]
    pub(crate) audio: Audio,
    /// Folder with the program's files: the disk under it must have room.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data: PathBuf,
}

/// In what capacity a seat is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CapacityKind {
    Party,
    Agent,
    Other,
}

/// A part of the demo hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Script {
    #[value(name = "demo-judge")]
    Judge,
    #[value(name = "demo-clerk")]
    Clerk,
    #[value(name = "demo-defendant")]
    Defendant,
}

/// What to show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Video {
    Synthetic(u64),
    Y4m(PathBuf),
    Device,
    None,
}

impl FromStr for Video {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "device" => Ok(Self::Device),
            None if text == "synthetic" => Ok(Self::Synthetic(1)),
            Some(("synthetic", seed)) => seed
                .parse()
                .map(Self::Synthetic)
                .map_err(|_| format!("{seed}: not a number")),
            Some(("y4m", path)) => Ok(Self::Y4m(path.into())),
            None if text.ends_with(".y4m") => Ok(Self::Y4m(text.into())),
            _ => Err("synthetic[:SEED], y4m:PATH, device or none".into()),
        }
    }
}

impl Video {
    /// The camera that it stands for.
    pub(crate) fn camera(&self) -> Option<CameraChoice> {
        match self {
            Self::Synthetic(seed) => Some(CameraChoice::Synthetic { seed: *seed }),
            Self::Y4m(path) => Some(CameraChoice::Y4m(path.clone())),
            Self::Device => Some(CameraChoice::Default),
            Self::None => None,
        }
    }
}

/// What to say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Audio {
    Tone(f32),
    Wav(PathBuf),
    Silence,
    Device,
    None,
}

impl FromStr for Audio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "silence" => Ok(Self::Silence),
            None if text == "device" => Ok(Self::Device),
            Some(("tone", hz)) => match hz.parse() {
                Ok(hz) if (20.0..=20_000.0).contains(&hz) => Ok(Self::Tone(hz)),
                _ => Err(format!("{hz}: not a frequency in Hz")),
            },
            Some(("wav", path)) => Ok(Self::Wav(path.into())),
            None if text.ends_with(".wav") => Ok(Self::Wav(text.into())),
            _ => Err("tone:HZ, wav:PATH, silence, device or none".into()),
        }
    }
}

impl Audio {
    /// The microphone that it stands for.
    pub(crate) fn microphone(&self) -> Option<CaptureChoice> {
        match self {
            Self::Tone(hz) => Some(CaptureChoice::Tone {
                hz: *hz,
                dbfs: TONE_DBFS,
            }),
            Self::Wav(path) => Some(CaptureChoice::Wav { path: path.clone() }),
            Self::Silence => Some(CaptureChoice::Silence),
            Self::Device => Some(CaptureChoice::Default),
            Self::None => None,
        }
    }

    /// Who speaks through a device also listens through one.
    pub(crate) fn speaker(&self) -> PlaybackChoice {
        match self {
            Self::Device => PlaybackChoice::Default,
            _ => PlaybackChoice::Null,
        }
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: not WIDTHxHEIGHT");
        let (width, height) = text.split_once('x').ok_or_else(wrong)?;
        let (width, height) = (
            width.parse().map_err(|_| wrong())?,
            height.parse().map_err(|_| wrong())?,
        );
        if width > 7_680 || height > 4_320 {
            return Err(wrong());
        }
        Ok(Self { width, height })
    }
}

/// Loudness of the tone, in dB below full scale.
const TONE_DBFS: f32 = -12.0;

impl Args {
    /// The devices that the arguments ask for.
    pub(crate) fn media(&self, frames: Arc<dyn FrameSink>, clock: MediaClock) -> Setup {
        if self.devices {
            return MediaSetup::devices(frames, clock);
        }
        MediaSetup {
            format: CaptureFormat {
                width: self.size.width,
                height: self.size.height,
                fps: self.fps as f32,
            },
            speaker: self.audio.speaker(),
            ..MediaSetup::headless(self.video.camera(), self.audio.microphone(), frames, clock)
        }
    }

    /// JSON lines go to stdout.
    pub(crate) fn speaks(&self) -> bool {
        self.drive || self.events.as_deref() == Some("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn sources_are_read_as_documented() {
        assert_eq!("synthetic:7".parse(), Ok(Video::Synthetic(7)));
        assert_eq!("y4m:a.y4m".parse(), Ok(Video::Y4m("a.y4m".into())));
        assert_eq!("tone:440".parse(), Ok(Audio::Tone(440.0)));
        assert_eq!(
            "1280x720".parse(),
            Ok(Size {
                width: 1_280,
                height: 720
            })
        );
        for bad in ["tone:", "tone:1e9", "speech", "synthetic:x"] {
            assert!(
                bad.parse::<Audio>().is_err() && bad.parse::<Video>().is_err(),
                "{bad}"
            );
        }
    }
}
