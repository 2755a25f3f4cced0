//! 设备自检: what was measured of a person's devices and line, and what was concluded from it.
//!
//! Facts are measured; findings, remedies and scores follow from them by one policy (`client::selftest::judge`). People read
//! sentences that the page has for each code; nothing here is text for people but names of devices.

use crate::{DeviceFault, SeatId, TestScore, TimeMs};
use serde::{Deserialize, Serialize};

/// One whole self-test. What was not tested (interrupted, or not possible in this host) has no facts and the score
/// [`TestScore::Unknown`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SelfTest {
    /// When it began.
    pub taken_at: TimeMs,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The program's version.
    pub version: String,
    /// What was measured.
    pub facts: TestFacts,
    /// 摄像头.
    pub camera: TestPart,
    /// 麦克风.
    pub microphone: TestPart,
    /// 扬声器和回声.
    pub speaker: TestPart,
    /// 网络.
    pub network: TestPart,
    /// 电脑性能.
    pub computer: TestPart,
    /// 系统权限.
    pub permissions: TestPart,
    /// All of it: the worst of the parts, and the steps that matter most.
    pub overall: TestPart,
}

/// What a self-test is to measure; the computer and the system's switches always are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TestPlan {
    /// The camera, which nothing else may hold.
    pub camera: bool,
    /// Microphone and loudspeaker, which nothing else may hold.
    pub sound: bool,
    /// The line to the court.
    pub network: bool,
}

/// What a person read aloud, as it was heard; the sound itself is kept for playing it back and nowhere else.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Voice {
    /// What was measured of it.
    pub facts: MicrophoneFacts,
    /// Its loudness over time, oldest first, 0 to 1; empty where nothing was recorded.
    pub shape: Vec<f32>,
}

/// A report at the court, as its staff read it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SeatTest {
    /// Whose seat it was sent for.
    pub seat: SeatId,
    /// When it came, by the server's clock.
    pub sent_at: TimeMs,
    /// The report.
    pub report: SelfTest,
}

/// What is measured side by side or one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum TestStep {
    /// The computer, before anything keeps it busy.
    Computer,
    /// The camera.
    Camera,
    /// Microphone and loudspeaker.
    Sound,
    /// The line to the court.
    Network,
}

/// How far a self-test is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SelfTestProgress {
    /// What is over.
    pub over: Vec<TestStep>,
    /// What is being measured now.
    pub running: Vec<TestStep>,
    /// What follows from all that is known so far.
    pub report: SelfTest,
    /// Nothing more comes.
    pub done: bool,
}

/// What was concluded about one part.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TestPart {
    /// Good, usable, bad; unknown where nothing was tested.
    pub score: TestScore,
    /// What is wrong, the gravest first; empty where all is well.
    pub findings: Vec<TestFinding>,
    /// What to do, in this order; three steps at most.
    pub remedies: Vec<TestRemedy>,
}

/// Everything measured.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct TestFacts {
    /// See [`CameraFacts`].
    pub camera: Option<CameraFacts>,
    /// See [`MicrophoneFacts`].
    pub microphone: Option<MicrophoneFacts>,
    /// See [`SpeakerFacts`].
    pub speaker: Option<SpeakerFacts>,
    /// See [`NetworkFacts`].
    pub network: Option<NetworkFacts>,
    /// See [`ComputerFacts`].
    pub computer: Option<ComputerFacts>,
    /// See [`PermissionFacts`].
    pub permissions: Option<PermissionFacts>,
}

/// The camera.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CameraFacts {
    /// It gives no picture.
    Failed {
        /// Why.
        fault: DeviceFault,
        /// What it is called, where that is known.
        device: Option<String>,
        /// Programs that hold it, where the system tells.
        held_by: Vec<String>,
    },
    /// It gives pictures.
    Seen {
        /// What it is called.
        device: String,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Pictures a second, counted.
        fps: f32,
        /// From opening to the first picture, in milliseconds.
        first_ms: u32,
        /// Mean luma, 0 black to 1 white.
        brightness: f32,
        /// Part of the pixels that are burnt out.
        burnt: f32,
        /// Standard deviation of luma, 0 to 0.5; next to nothing where something covers the lens.
        contrast: f32,
        /// Variance of the Laplacian of the picture at 320 pixels of width, in squared 8-bit steps.
        sharpness: f32,
        /// Part of the pictures that were the same as the one before.
        frozen: f32,
        /// The camera is set to turn its picture upside down, and tells so.
        #[serde(default)]
        flipped: bool,
    },
}

/// The microphone.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MicrophoneFacts {
    /// It gives no sound.
    Failed {
        /// Why.
        fault: DeviceFault,
        /// What it is called, where that is known.
        device: Option<String>,
    },
    /// It runs.
    Heard {
        /// What it is called.
        device: String,
        /// Level of what was said, in dBFS; none where nothing stood out of the noise.
        speech_db: Option<f32>,
        /// Level of the background, in dBFS.
        noise_db: f32,
        /// Highest sample, in dBFS.
        peak_db: f32,
        /// Part of the samples at full scale.
        clipped: f32,
        /// Another microphone that hears something while this one is silent.
        live: Option<String>,
    },
}

/// The loudspeaker, and what of it comes back into the microphone.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SpeakerFacts {
    /// It cannot play.
    Failed {
        /// Why.
        fault: DeviceFault,
        /// What it is called, where that is known.
        device: Option<String>,
    },
    /// It plays.
    Played {
        /// What it is called.
        device: String,
        /// What the person answered; none without an answer.
        heard: Option<bool>,
        /// It is a headset, as the person says or the device does; none where neither does.
        #[serde(default)]
        headset: Option<bool>,
        /// The test sound in the microphone; none where it was not found there, as with a headset.
        echo: Option<EchoFacts>,
    },
}

/// The way of sound from loudspeaker to microphone.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EchoFacts {
    /// From playing to hearing, devices included, in milliseconds.
    pub delay_ms: f32,
    /// What is heard against what is played, in dB.
    pub level_db: f32,
    /// The same after the echo canceller, in dB.
    pub residual_db: f32,
}

/// One way to the court.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum TestPath {
    /// Not tried, or cannot be known here.
    #[default]
    Untested,
    /// It works.
    Open,
    /// It does not.
    Closed,
}

/// The line to the court's server.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NetworkFacts {
    /// The server's name is known.
    pub name: TestPath,
    /// A TCP connection to it.
    pub reach: TestPath,
    /// TLS, with a certificate that is trusted; untested for a server on this computer.
    pub tls: TestPath,
    /// It is a court's server, and answers as one.
    pub answer: TestPath,
    /// A WebSocket, as the hearing channel is.
    pub channel: TestPath,
    /// Media over UDP.
    pub udp: TestPath,
    /// Media over TCP.
    pub tcp: TestPath,
    /// Media inside a WebSocket to the server's own address: what passes where only web pages do.
    #[serde(default)]
    pub tunnel: TestPath,
    /// The system sends what goes to the web through a proxy.
    pub proxy: bool,
    /// Round trip of media, in milliseconds.
    pub rtt_ms: Option<f32>,
    /// Variation of the delay of media (RFC 3550 §6.4.1), in milliseconds.
    pub jitter_ms: Option<f32>,
    /// Part of media packets that did not arrive, 0 to 1, before repairs.
    pub loss: Option<f32>,
    /// Most that came through upwards, in bits per second.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub up_bps: Option<u64>,
    /// Most that came through downwards, in bits per second.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub down_bps: Option<u64>,
    /// How far this computer's clock is ahead of the server's, in milliseconds.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub skew_ms: Option<i64>,
}

/// Speed with pictures of one size.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CodecSpeed {
    /// Lines of the picture.
    pub height: u32,
    /// Pictures a second that this computer encodes.
    pub encode_fps: f32,
    /// Pictures a second that this computer decodes.
    pub decode_fps: f32,
}

/// Where the computer's power comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TestPower {
    /// From the wall.
    Mains,
    /// From its battery.
    Battery {
        /// What is left.
        percent: u8,
    },
}

/// The computer.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ComputerFacts {
    /// The operating system and its version.
    pub system: String,
    /// Version of what shows the page.
    pub webview: Option<String>,
    /// Logical processors.
    pub cores: u32,
    /// Part of them that was busy while nothing was tested, 0 to 1.
    pub busy: Option<f32>,
    /// All memory, in MiB.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub memory_mib: Option<u64>,
    /// Memory that can be had, in MiB.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub free_memory_mib: Option<u64>,
    /// Room on the disk with the program's data, in MiB.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub free_disk_mib: Option<u64>,
    /// Where its power comes from.
    pub power: Option<TestPower>,
    /// The system saves power and slows programs down.
    pub saver: Option<bool>,
    /// Smallest picture first.
    pub codec: Vec<CodecSpeed>,
}

/// What the operating system says of a device, read and not guessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum TestGrant {
    /// This system has no such switch, or does not tell.
    #[default]
    Unknown,
    /// Allowed.
    Granted,
    /// Refused.
    Denied,
    /// It will ask.
    NotAsked,
}

/// The operating system's switches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PermissionFacts {
    /// May this program use the camera.
    pub camera: TestGrant,
    /// May this program use the microphone.
    pub microphone: TestGrant,
}

/// What is wrong. The facts hold the figures.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum TestFinding {
    /// No camera.
    CameraMissing,
    /// Another program has it.
    CameraBusy,
    /// The system or the user refused it.
    CameraDenied,
    /// It was pulled out.
    CameraUnplugged,
    /// It does not answer, or fails in another way.
    CameraBroken,
    /// Its picture is black: covered, or kept back by another program.
    CameraBlack,
    /// Its picture stands still.
    CameraFrozen,
    /// Too little light.
    CameraDark,
    /// Too much light.
    CameraBright,
    /// The picture is not sharp.
    CameraBlurred,
    /// Few pictures a second.
    CameraSlow,
    /// The picture is small.
    CameraSmall,
    /// The picture is upside down.
    CameraUpsideDown,
    /// No microphone.
    MicrophoneMissing,
    /// Another program has it.
    MicrophoneBusy,
    /// The system or the user refused it.
    MicrophoneDenied,
    /// It was pulled out.
    MicrophoneUnplugged,
    /// It does not answer, or fails in another way.
    MicrophoneBroken,
    /// Not even noise comes from it: a switch on it is off.
    MicrophoneDead,
    /// Another microphone hears what this one does not.
    MicrophoneOther,
    /// Nobody spoke, or it did not hear them.
    MicrophoneNoSpeech,
    /// What was said is too quiet.
    MicrophoneQuiet,
    /// What was said is cut off at the top.
    MicrophoneClipped,
    /// The background is loud.
    MicrophoneNoisy,
    /// No loudspeaker.
    SpeakerMissing,
    /// Another program has it.
    SpeakerBusy,
    /// It does not answer, or fails in another way.
    SpeakerBroken,
    /// The person did not hear the test sound.
    SpeakerNotHeard,
    /// The others will hear themselves.
    Echo,
    /// The test sound comes back, and is taken out well.
    LoudspeakerHeard,
    /// The server's name is not known.
    NameUnknown,
    /// Nothing answers at the server's address.
    ServerUnreachable,
    /// No TLS, or a certificate that is not trusted.
    TlsRefused,
    /// What answers is no court's server.
    NotTheCourt,
    /// The hearing channel does not come through.
    ChannelClosed,
    /// UDP is blocked; media goes over TCP.
    UdpClosed,
    /// Media goes only through the tunnel that looks like a web page.
    OnlyTunnel,
    /// No media comes through at all.
    MediaClosed,
    /// Long round trip.
    NetworkSlow,
    /// The delay varies.
    NetworkUneven,
    /// Packets are lost.
    NetworkLossy,
    /// So many are lost that sound suffers too.
    NetworkVeryLossy,
    /// Too little upwards for a large picture.
    UplinkNarrow,
    /// Too little upwards for sound and the smallest picture.
    UplinkTooNarrow,
    /// Too little downwards for everybody's picture.
    DownlinkNarrow,
    /// Too little downwards for sound and one picture.
    DownlinkTooNarrow,
    /// The computer's clock is wrong.
    ClockWrong,
    /// Cannot encode 720 lines in time.
    ComputerSlow,
    /// Cannot encode even 360 lines in time.
    ComputerTooSlow,
    /// Other programs keep it busy.
    ComputerBusy,
    /// Little memory is left.
    MemoryShort,
    /// Little room on the disk is left.
    DiskShort,
    /// It runs from its battery, which is nearly empty.
    BatteryLow,
    /// It saves power.
    PowerSaving,
    /// The system keeps the camera from this program.
    PermissionCamera,
    /// The system keeps the microphone from this program.
    PermissionMicrophone,
    /// Camera, microphone or line was not tested to the end: of the whole, nothing good can be said yet.
    Unfinished,
}

/// What a person can do about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum TestRemedy {
    /// Connect a camera, or switch on the one there is.
    ConnectCamera,
    /// Close programs that use the camera.
    CloseCameraPrograms,
    /// Allow the camera in the system's settings.
    AllowCamera,
    /// Open the cover of the lens.
    OpenCover,
    /// Let antivirus and privacy programs allow the camera.
    CheckAntivirus,
    /// Pull the plug and put it in again.
    Replug,
    /// Choose another device.
    ChooseOther,
    /// More light from the front.
    MoreLight,
    /// No window or lamp behind or into the lens.
    LessLight,
    /// Wipe the lens and keep still.
    WipeLens,
    /// Turn the picture, by the button for it.
    TurnPicture,
    /// Connect a microphone or headset.
    ConnectMicrophone,
    /// Close programs that use the microphone.
    CloseMicrophonePrograms,
    /// Allow the microphone in the system's settings.
    AllowMicrophone,
    /// Switch on the switch on headset, cable or keyboard.
    HardwareSwitch,
    /// Take the microphone that hears.
    TakeLiveMicrophone,
    /// Read the sentence aloud again.
    SpeakAgain,
    /// Go closer, or raise the input level.
    RaiseLevel,
    /// Go away a little, or lower the input level.
    LowerLevel,
    /// Close the window, switch off what makes noise.
    QuietRoom,
    /// Connect a headset or loudspeaker.
    ConnectSpeaker,
    /// Turn up the volume; look whether the sound is off.
    TurnUp,
    /// Use a headset.
    UseHeadset,
    /// Look whether other web pages open.
    CheckInternet,
    /// Ask the clerk for the right address.
    AskAddress,
    /// Leave the VPN or proxy.
    LeaveProxy,
    /// Ask the network's administrator to open UDP to the court.
    AskAdministratorUdp,
    /// Ask the network's administrator to let the court's addresses through.
    AskAdministrator,
    /// Use the phone's hotspot.
    UsePhoneNetwork,
    /// Go to the router, or use a cable.
    UseCable,
    /// Stop downloads and videos.
    StopDownloads,
    /// Let the system set the clock.
    SetClock,
    /// Close other programs.
    ClosePrograms,
    /// Delete what is not needed.
    FreeDisk,
    /// Plug in the power supply.
    PlugIn,
    /// Switch off power saving.
    LeavePowerSaving,
    /// Use another computer, or a phone.
    UseOtherComputer,
    /// Let the test run to its end.
    TestAgain,
    /// Call the clerk.
    CallClerk,
}
