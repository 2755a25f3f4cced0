//! What the page and the desktop shell say to each other. The browser host implements the same surface in
//! TypeScript. Commands are [`HostCommands`] in TypeScript; everything the shell says by itself is a [`HostEvent`].
//!
//! Pictures do not pass here: see [`FrameSocket`].

use crate::{
    ApiError, ClientFrame, Command, CommandId, NetQuality, SeatId, SeatTaken, Secret, Seq, ServerFrame,
    TrackSource,
};
#[cfg(feature = "ts")]
use crate::{Enter, Entered, Outcome, StaffSignIn, StaffSignedIn, StaffTakeSeat, TakeSeat};
use serde::{Deserialize, Serialize};

/// What the page is told when it starts, also after a reload.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StartInfo {
    /// The program's version.
    pub version: String,
    /// The court's server, as configured.
    pub server: String,
    /// A code from a link or the command line, to be filled in.
    pub code: Option<Secret>,
    /// Where encoded pictures come from.
    pub frames: FrameSocket,
    /// The seat that this program holds: the page was reloaded and goes straight back to it.
    pub session: Option<SeatTaken>,
}

/// The loopback WebSocket that carries pictures to the page: binary messages, each a 24-byte header and a payload.
///
/// | offset | bytes | content (little endian) |
/// |---|---|---|
/// | 0 | 1 | 0 = H.264 access unit, Annex B; 1 = I420 planes, tightly packed |
/// | 1 | 1 | bit 0: key frame |
/// | 2 | 2 | width |
/// | 4 | 2 | height |
/// | 6 | 2 | reserved, 0 |
/// | 8 | 4 | [`TrackView::slot`] |
/// | 12 | 4 | number of the frame on this slot, from 0; a gap means that frames were dropped up to this key frame |
/// | 16 | 8 | capture time, microseconds |
///
/// An empty text message asks whether the page lives.
///
/// The page answers with text messages, each a [`FrameRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FrameSocket {
    /// `ws://127.0.0.1:PORT`.
    pub url: String,
    /// Sent as the first text message; good for one connection. A new one comes with [`StartInfo`].
    pub token: Secret,
}

/// From the page over the frame socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FrameRequest {
    /// The decoder needs a key frame.
    Key {
        /// Of which track.
        slot: u32,
    },
    /// The page lives; its answer to an empty message. A page that gives none for some seconds is loaded again.
    Alive,
    /// The page cannot decode H.264 (probed at start): send I420.
    NativeDecode {
        /// On, or back to access units.
        on: bool,
    },
}

/// One track that can be shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TrackInfo {
    /// Number of the track while this page lives.
    pub slot: u32,
    /// Whose.
    pub seat: SeatId,
    /// What of theirs.
    pub source: TrackSource,
    /// One's own preview.
    pub own: bool,
    /// The sender has it muted: show the name instead of the last picture.
    pub muted: bool,
    /// Size of the original picture; 0 while unknown.
    pub width: u32,
    /// Size of the original picture; 0 while unknown.
    pub height: u32,
}

/// How large a track is shown now, in device pixels; the layer follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TrackView {
    /// Which track.
    pub slot: u32,
    /// Device pixels; 0 when it is not on screen.
    pub width: u32,
    /// Device pixels; 0 when it is not on screen.
    pub height: u32,
}

/// Camera, microphone or loudspeaker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum DeviceKind {
    /// 摄像头.
    Camera,
    /// 麦克风.
    Microphone,
    /// 扬声器.
    Speaker,
}

/// One device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// Stable while it stays plugged in, and across starts where the system allows it.
    pub id: String,
    /// What it is.
    pub kind: DeviceKind,
    /// As the system calls it.
    pub name: String,
    /// The system's default.
    pub default: bool,
}

/// All devices, and which are in use.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DeviceList {
    /// Everything that was found.
    pub devices: Vec<DeviceInfo>,
    /// In use or last asked for.
    pub camera: Option<String>,
    /// In use or last asked for.
    pub microphone: Option<String>,
    /// In use or last asked for.
    pub speaker: Option<String>,
}

/// How one of one's own devices is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DeviceState {
    /// Switched off by its owner.
    Off,
    /// Being opened.
    Opening,
    /// Running.
    On {
        /// Which.
        device: String,
        /// Measured size; 0 for sound.
        width: u32,
        /// Measured size; 0 for sound.
        height: u32,
        /// Measured frames a second; 0 for sound.
        fps: u32,
    },
    /// It does not run.
    Failed {
        /// Why.
        fault: DeviceFault,
    },
}

/// Why a device does not run; each has its own remedy on the page.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum DeviceFault {
    /// There is none.
    Missing,
    /// Another program holds it.
    Busy,
    /// The system's privacy settings refuse it.
    Denied,
    /// It did not answer in time.
    Hung,
    /// It was unplugged while running.
    Unplugged,
    /// Anything else; the log has it.
    Broken,
    /// It runs here and cannot be sent: this browser has no encoder for it.
    NotSent,
}

/// One thing that can be shared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ScreenInfo {
    /// Handed back to `share.start`.
    pub id: String,
    /// Its title.
    pub name: String,
    /// A whole monitor, else one window.
    pub monitor: bool,
    /// A small picture as a `data:` address, when one could be taken.
    pub thumbnail: Option<String>,
}

/// The state of the connection to the court.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LinkState {
    /// First connection under way.
    Connecting,
    /// Connected.
    Live,
    /// Lost; trying again by itself.
    Retrying {
        /// The coming try, from 1.
        attempt: u32,
        /// Until the coming try, in milliseconds.
        retry_in_ms: u32,
        /// How long it has been lost, in milliseconds.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        lost_for_ms: u64,
    },
    /// Over; the program does not try again.
    Ended {
        /// Why.
        reason: crate::ByeReason,
    },
}

/// Said by the host without being asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HostEvent {
    /// The hearing channel.
    Link {
        /// As it is now.
        state: LinkState,
    },
    /// The media connection (sound and picture), apart from the channel.
    MediaLink {
        /// As it is now.
        state: LinkState,
    },
    /// A frame of the hearing channel, as it came.
    Channel {
        /// The frame.
        frame: ServerFrame,
    },
    /// All tracks that can be shown now, one's own preview included.
    Tracks {
        /// Complete, not a change.
        tracks: Vec<TrackInfo>,
    },
    /// Who speaks, loudest first; empty when nobody does.
    Speakers {
        /// Seats.
        seats: Vec<SeatId>,
    },
    /// Level of one's own microphone while it is open or tested: thirty times a second in the shell, and fewer for a page that
    /// is behind.
    Level {
        /// Root mean square over a window that slides, about the last 100 ms (the shell's has a time constant of 60 ms), in
        /// dB below full scale (0 is loudest, -90 is silence).
        rms_db: f32,
        /// Largest sample of late, likewise: it rises at once and falls slowly, by 20 dB a second in the shell.
        peak_db: f32,
        /// Speech was found while the microphone is muted.
        talking_while_muted: bool,
    },
    /// The device list or the devices in use changed.
    Devices {
        /// Complete.
        list: DeviceList,
    },
    /// One's own camera or microphone changed state.
    Device {
        /// Which.
        kind: DeviceKind,
        /// As it is now.
        state: DeviceState,
    },
    /// One's own network, every five seconds in the media room.
    Network {
        /// Graded.
        quality: NetQuality,
        /// In milliseconds.
        rtt_ms: u32,
        /// 0.0 to 1.0.
        loss: f32,
        /// In kilobits a second.
        sending_kbps: u32,
        /// In kilobits a second.
        receiving_kbps: u32,
    },
    /// Whether the others are heard. A browser plays no sound on a page that was loaded again until the person touches
    /// it; the desktop shell never says this.
    Playback {
        /// Sound waits for a touch.
        blocked: bool,
    },
    /// A self-test that the page asked for: each change, the last with `done`.
    SelfTest {
        /// As it is now.
        progress: Box<crate::SelfTestProgress>,
    },
    /// The share ended without the page asking (window closed, court stopped it).
    ShareEnded,
    /// A `mingting://join/…` link was opened while the program runs.
    OpenCode {
        /// To be filled in.
        code: Secret,
    },
}

/// Why a host command failed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HostError {
    /// The server answered with a refusal.
    Api {
        /// Its answer.
        error: ApiError,
    },
    /// The server cannot be reached.
    Unreachable,
    /// A device does not do what was asked.
    Device {
        /// Why.
        fault: DeviceFault,
    },
    /// There is no session to do this in.
    NoSession,
    /// The system refuses to share its screen.
    ShareDenied,
    /// A bug; the log has it.
    Internal,
}

/// Arguments of `hearing.command`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SendCommand {
    /// See [`ClientFrame::Command`].
    pub command_id: CommandId,
    /// See [`ClientFrame::Command`].
    pub expected_seq: Option<Seq>,
    /// What.
    pub command: Command,
}

impl From<SendCommand> for ClientFrame {
    fn from(send: SendCommand) -> Self {
        Self::Command {
            command_id: send.command_id,
            expected_seq: send.expected_seq,
            command: send.command,
        }
    }
}

/// Arguments of `devices.choose`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ChooseDevice {
    /// Which kind.
    pub kind: DeviceKind,
    /// From [`DeviceInfo::id`]; none follows the system's default.
    pub id: Option<String>,
}

/// Arguments of `media.switch`: one's own microphone or camera. In a hearing the court learns of it by the matching
/// `self.mic` or `self.camera` command, which the host sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SwitchMedia {
    /// Which.
    pub kind: crate::MediaKind,
    /// On or off.
    pub on: bool,
}

/// Result of the short device check before the hearing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct QuickCheck {
    /// The camera delivers pictures.
    pub camera: DeviceState,
    /// The microphone runs.
    pub microphone: DeviceState,
    /// Loudest 100 ms heard during the check, in dB below full scale.
    pub loudest_db: f32,
    /// The server answers.
    pub server_reachable: bool,
    /// Round trip to the server, in milliseconds.
    pub rtt_ms: Option<u32>,
    /// Media ports answer, where the check can know it.
    pub media_reachable: Option<bool>,
}

macro_rules! host_commands {
    ($($(#[$doc:meta])* $name:literal: $args:ty => $reply:ty;)*) => {
        /// The name, arguments and reply of every command from page to host. `codegen` makes the TypeScript
        /// interface `HostCommands` from it, and a test holds the shell's handlers against it.
        pub const HOST_COMMANDS: &[&str] = &[$($name),*];

        /// Calls `visit(name, arguments, reply)` with the TypeScript name of each type.
        #[cfg(feature = "ts")]
        pub fn visit_host_commands(config: &ts_rs::Config, mut visit: impl FnMut(&str, String, String)) {
            use ts_rs::TS;
            $(visit($name, <$args as TS>::name(config), <$reply as TS>::name(config));)*
        }
    };
}

host_commands! {
    /// First call of every page.
    "app.start": () => StartInfo;
    /// 输入庭审码.
    "court.enter": Enter => Entered;
    /// 当事人 or 代理人 takes the seat.
    "court.takeSeat": TakeSeat => SeatTaken;
    /// 账号登录.
    "court.signIn": StaffSignIn => StaffSignedIn;
    /// A member of staff takes the seat.
    "court.staffSeat": StaffTakeSeat => SeatTaken;
    /// Opens the hearing channel; frames follow as events. Again after a reload: a snapshot follows.
    "hearing.join": SeatTaken => ();
    /// Sends a command and waits for its reply, over reconnects too.
    "hearing.command": SendCommand => Outcome;
    /// Tries the lost way to the court now instead of after the wait; nothing while it is not lost.
    "hearing.retryNow": () => ();
    /// Ends this program's part in the hearing and closes all devices.
    "hearing.end": () => ();
    /// All devices.
    "devices.list": () => DeviceList;
    /// Another device, also while running.
    "devices.choose": ChooseDevice => DeviceList;
    /// Own microphone or camera on or off.
    "media.switch": SwitchMedia => ();
    /// How large each track is shown; tracks left out are not shown.
    "media.views": Vec<TrackView> => ();
    /// Plays the test sound.
    "check.playSound": () => ();
    /// Watches camera, microphone and network for three seconds.
    "check.quick": () => QuickCheck;
    /// 开始检测: closes what the check has open and measures everything; [`HostEvent::SelfTest`] follows.
    "check.start": crate::TestPlan => ();
    /// 停止检测: what is known so far is the report.
    "check.stop": () => ();
    /// Reports that were made on this computer, the newest first.
    "check.history": () => Vec<crate::SelfTest>;
    /// Keeps a report that the page put together.
    "check.keep": crate::SelfTest => ();
    /// Sends a report to the court, with the person's consent.
    "check.send": crate::SendSelfTest => ();
    /// Looks at the running camera's pictures for two seconds.
    "check.look": () => crate::CameraFacts;
    /// Listens to the running microphone for five seconds while the person reads, and keeps that for `check.replay`.
    "check.hear": () => crate::Voice;
    /// Plays what was heard on the loudspeaker; answers when it is over.
    "check.replay": () => ();
    /// Plays test sounds on the loudspeaker in use and listens for them with the running microphone.
    "check.loop": () => crate::SpeakerFacts;
    /// Reads the system's switches.
    "check.permissions": () => crate::PermissionFacts;
    /// Opens the system's settings for a device.
    "check.settings": DeviceKind => ();
    /// Turns the own picture upside down, or back.
    "camera.turn": bool => ();
    /// What the others of this hearing have sent of their devices; court staff only.
    "court.selfTests": () => Vec<crate::SeatTest>;
    /// Carries out what the person agreed to; fails when it did not help.
    "fix.apply": crate::DeviceFix => ();
    /// 练习: enters a room in which oneself comes back after a second; tracks follow as events.
    "practice.start": () => ();
    /// Leaves it.
    "practice.stop": () => ();
    /// What can be shared.
    "share.sources": () => Vec<ScreenInfo>;
    /// Shares one of them.
    "share.start": String => ();
    /// Stops sharing.
    "share.stop": () => ();
}
