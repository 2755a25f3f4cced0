//! States of a hearing and of the people in it (field.md §5.2 and §5.3). Each carries the data that belongs to it.

use crate::{
    CommandId, DeviceFault, HearingId, PersonName, RequestId, Role, Seat, SeatId, Seq, TimeMs, Words,
};
use serde::{Deserialize, Serialize};

/// Where the hearing stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HearingState {
    /// 已排期: codes are valid from the start of their window, nobody is let in yet.
    Scheduled,
    /// 候庭.
    Open,
    /// 庭审中.
    InSession {
        /// What the hearing is doing.
        phase: Phase,
    },
    /// 休庭.
    Recess {
        /// Where it goes on.
        phase: Phase,
        /// Said by the judge, for everybody.
        reason: Words,
        /// When the judge means to go on.
        until: Option<TimeMs>,
    },
    /// 技术中断.
    Suspended {
        /// Where it goes on.
        phase: Phase,
        /// Why.
        cause: SuspendCause,
    },
    /// 核对笔录.
    Signing {
        /// Where it goes on if the judge reopens.
        phase: Phase,
    },
    /// 已闭庭.
    Closed,
    /// 已归档.
    Archived,
    /// 已取消.
    Cancelled {
        /// For everybody.
        reason: Words,
    },
    /// 延期开庭.
    Adjourned {
        /// For everybody.
        reason: Words,
    },
    /// 转线下开庭.
    MovedOffline {
        /// For everybody.
        reason: Words,
    },
}

/// Why a hearing was suspended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SuspendCause {
    /// The presiding judge's connection was lost for longer than the grace time.
    JudgeLost,
    /// Somebody of the court said so.
    Technical {
        /// What is broken.
        note: Words,
    },
}

/// What the hearing is doing while it is in session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// 核对身份.
    Opening,
    /// 法庭调查.
    Investigation,
    /// 举证质证.
    Evidence,
    /// 法庭辩论.
    Debate,
    /// 最后陈述.
    FinalStatement,
    /// 法庭调解.
    Mediation,
    /// 宣判.
    Pronouncement,
}

/// Where a person stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ParticipantState {
    /// 未到.
    Invited,
    /// The code was accepted; the case is being checked.
    Coded,
    /// 庭前检测.
    Testing,
    /// 身份验证.
    Identifying,
    /// 法庭纪律.
    Acknowledging,
    /// 候庭, ready.
    Waiting,
    /// 候证: a witness or expert before and after being heard.
    WitnessRoom,
    /// 在庭.
    InCourt,
    /// 已屏蔽, until called.
    Isolated {
        /// Said to the person.
        reason: Words,
        /// Since when.
        since: TimeMs,
    },
    /// 断线. Says nothing about why in law: that is a judge's finding.
    Disconnected {
        /// When the last packet came.
        since: TimeMs,
        /// What the server saw of it.
        cause: DropCause,
        /// What the person's own program said of it, then or on coming back: their word, beside what was seen and never
        /// in its place.
        #[serde(default)]
        told: Option<DropCause>,
        /// Where the person returns to.
        resume: Box<ParticipantState>,
    },
    /// 已退庭, with leave.
    Left,
    /// 责令退出法庭.
    Removed {
        /// Said to the person.
        reason: Words,
    },
}

/// Evidence of why a connection ended; a fact, never a finding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum DropCause {
    /// Nothing came any more, and the client has not come back to say why.
    Silence,
    /// The operating system reset the connection.
    ConnectionReset,
    /// The person closed the window or the page.
    WindowClosed,
    /// The machine went to sleep.
    Sleep,
    /// The client ended in a crash.
    Crash,
    /// The server stopped or restarted.
    ServerRestart,
    /// What arrived was not the protocol.
    ProtocolError,
}

/// Identity check of a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Identity {
    /// 未核验.
    #[default]
    None,
    /// 待核验: asked for by the court.
    Requested,
    /// 待核验: the person has answered.
    Pending,
    /// 已核验.
    Passed,
    /// 核验未通过.
    Failed,
    /// 免于核验, by the judge.
    Waived,
}

/// Result of the device check.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum TestScore {
    /// 未检测.
    #[default]
    Unknown,
    /// 通过.
    Good,
    /// 可改善.
    Usable,
    /// 不通过.
    Bad,
}

/// Network quality of a person as the others see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum NetQuality {
    /// Not measured yet.
    #[default]
    Unknown,
    /// 良好.
    Good,
    /// 不稳.
    Poor,
    /// 很差.
    Bad,
}

/// Sound or picture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum MediaKind {
    /// The microphone.
    Audio,
    /// The camera.
    Video,
}

/// One source of a person, as the media plane knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum TrackSource {
    /// 麦克风.
    Microphone,
    /// 摄像头.
    Camera,
    /// 共享屏幕.
    Screen,
}

/// Switches of one person; what the person wants and what the court imposes are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MediaSwitches {
    /// The person has the microphone on.
    pub mic: bool,
    /// The person has the camera on.
    pub camera: bool,
    /// The court holds the microphone closed (静音并锁定).
    pub mic_locked: bool,
    /// The court holds the camera closed.
    pub camera_locked: bool,
    /// The court hides the sound from the others (屏蔽声音).
    pub audio_blocked: bool,
    /// The court hides the picture from the others (屏蔽画面).
    pub video_blocked: bool,
    /// The court has asked the person to open the microphone; only the person can.
    pub asked_to_unmute: bool,
}

/// How one of a person's devices is, as their own program says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DeviceCondition {
    /// Nothing was said of it.
    #[default]
    Unknown,
    /// Switched off by its owner.
    Off,
    /// It runs.
    Fine,
    /// The microphone is on and hears nothing at all.
    Silent,
    /// What the loudspeaker plays comes back to the others.
    Echo,
    /// It does not run.
    Failed {
        /// Why.
        fault: DeviceFault,
    },
}

/// A person's devices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DeviceConditions {
    /// 摄像头.
    pub camera: DeviceCondition,
    /// 麦克风.
    pub microphone: DeviceCondition,
    /// 扬声器.
    pub speaker: DeviceCondition,
}

/// 一键修复: what a person's program can do for them once they agree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum DeviceFix {
    /// 换一个摄像头.
    NextCamera,
    /// 换一个麦克风.
    NextMicrophone,
    /// 换一个扬声器.
    NextSpeaker,
    /// 调高麦克风音量.
    RaiseInput,
    /// 重新打开摄像头.
    RestartCamera,
    /// 重新打开麦克风.
    RestartMicrophone,
    /// 重新连接.
    Reconnect,
}

/// How far an offered fix is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum FixState {
    /// The person has not answered.
    Offered,
    /// The person agreed; their program is at it.
    Agreed,
    /// The person does not want it.
    Declined,
    /// It was done.
    Done,
    /// It did not work.
    Failed,
}

/// The court's offer to put a person's device right. Nothing is done before the person agrees.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FixOffer {
    /// What would be done.
    pub fix: DeviceFix,
    /// How far it is.
    pub state: FixState,
    /// Who offered it.
    pub by: SeatId,
    /// Since when it is in that state.
    pub at: TimeMs,
}

/// One person as a snapshot shows them to a viewer who may see them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    pub seat: Seat,
    /// Where they stand.
    pub state: ParticipantState,
    /// Their switches.
    pub media: MediaSwitches,
    /// 举手.
    pub hand: bool,
    /// 正在共享屏幕.
    pub sharing: bool,
    /// Identity check.
    pub identity: Identity,
    /// Device check.
    pub test: TestScore,
    /// Network as measured by the server.
    pub net: NetQuality,
    /// Their devices, as their own program says; the court's and their own to see.
    #[serde(default)]
    pub devices: DeviceConditions,
    /// The court's last offer to put a device right; the court's and their own to see.
    #[serde(default)]
    pub fix: Option<FixOffer>,
    /// The judge's findings about this person, oldest first.
    pub findings: Vec<Finding>,
}

/// A judge's finding about a person's presence; software never makes one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// In the judge's words.
    pub note: Words,
    /// When.
    pub at: TimeMs,
}

/// Kinds of findings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum FindingKind {
    /// 缺席.
    Absent,
    /// 中途退庭.
    WithdrewWithoutLeave,
    /// 因网络故障、设备损坏、停电或不可抗力断线.
    ExcusedDrop,
}

/// What a person asks the court for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Request {
    /// 申请发言 (举手).
    Floor,
    /// 申请休庭.
    Recess {
        /// Why.
        note: Words,
    },
    /// 申请退庭.
    Leave {
        /// Why.
        note: Words,
    },
    /// 申请共享屏幕.
    Share,
    /// 申请进入另一阶段.
    Phase {
        /// Which.
        phase: Phase,
    },
}

/// A request that waits for the court.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PendingRequest {
    /// Unique within the hearing.
    pub id: RequestId,
    /// Who asks.
    pub seat: SeatId,
    /// For what.
    pub request: Request,
    /// Since when.
    pub at: TimeMs,
}

/// Whether the hearing is being recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RecordingState {
    /// This server has no recorder; the page must not claim a recording.
    Unavailable,
    /// Not started, or ended with the hearing.
    Off,
    /// 录制中.
    On {
        /// Since when.
        since: TimeMs,
    },
    /// 录制已暂停, with a lawful reason.
    Paused {
        /// Why.
        reason: PauseReason,
        /// Who ordered it; none when the hearing itself stopped.
        by: Option<SeatId>,
        /// Since when.
        since: TimeMs,
    },
}

/// The lawful reasons for a gap in the record (法释〔2017〕5号).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum PauseReason {
    /// 休庭.
    Recess,
    /// 不公开质证.
    ClosedEvidence,
    /// 不公开调解.
    Mediation,
    /// 技术中断.
    Suspended,
}

/// Who holds the floor (正在发言).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Floor {
    /// Who.
    pub seat: SeatId,
    /// Since when.
    pub since: TimeMs,
}

/// Facts about the case that everybody in the hearing may read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CaseInfo {
    /// 案号.
    pub number: String,
    /// 案由.
    pub cause: String,
    /// 法院.
    pub court: String,
    /// 法庭.
    pub courtroom: String,
    /// 开庭时间.
    pub starts_at: TimeMs,
    /// 公开审理.
    pub public: bool,
}

/// What is configured for one hearing when it is scheduled (the "c" cells of field.md §5.4).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HearingSettings {
    /// The identity step is part of joining.
    pub identity_step: bool,
    /// The clerk may run what is marked "c" for the clerk: recess, phases, admission, isolation, media locks.
    pub clerk_assists: bool,
    /// The technician may suspend, and stop the broadcast.
    pub technician_may_suspend: bool,
    /// Parties share their screen without asking.
    pub parties_share_freely: bool,
    /// Panel members may share their screen.
    pub panel_may_share: bool,
    /// A witness may read the own part of the transcript when called.
    pub witness_reads_own_part: bool,
    /// A recorder is connected to this server.
    pub recorder: bool,
    /// This server can broadcast (直播).
    #[serde(default)]
    pub broadcaster: bool,
    /// How long the judge may be gone before the hearing is suspended, in milliseconds.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub judge_grace_ms: u64,
}

impl Default for HearingSettings {
    fn default() -> Self {
        Self {
            identity_step: false,
            clerk_assists: true,
            technician_may_suspend: false,
            parties_share_freely: true,
            panel_may_share: true,
            witness_reads_own_part: true,
            recorder: false,
            broadcaster: false,
            judge_grace_ms: 15_000,
        }
    }
}

/// The hearing as one viewer may see it; what it leaves out, the viewer may not know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Which hearing.
    pub hearing: HearingId,
    /// The last event that this snapshot contains.
    pub seq: Seq,
    /// When it was taken.
    pub server_time: TimeMs,
    /// The viewer.
    pub you: SeatId,
    /// The case.
    pub case: CaseInfo,
    /// Its settings.
    pub settings: HearingSettings,
    /// Where it stands.
    pub state: HearingState,
    /// When it came into that state.
    pub state_since: TimeMs,
    /// When the hearing first went into session, if it did.
    pub started_at: Option<TimeMs>,
    /// Everybody the viewer may see, the viewer included.
    pub participants: Vec<Participant>,
    /// Who holds the floor.
    pub floor: Option<Floor>,
    /// Open requests: all of them for the court, their own for the others.
    pub requests: Vec<PendingRequest>,
    /// Recording.
    pub recording: RecordingState,
    /// 直播 is running.
    pub broadcasting: bool,
    /// The public log that the viewer may read, oldest first, at most [`Snapshot::LOG_LIMIT`] entries.
    pub log: Vec<crate::Envelope>,
}

impl Snapshot {
    /// How many log entries a snapshot carries.
    pub const LOG_LIMIT: usize = 200;
}

/// Who did something.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// Which seat.
    pub seat: SeatId,
    /// Its role at that time.
    pub role: Role,
    /// Its title at that time, so that a log line stands alone.
    pub title: String,
    /// Its name at that time.
    pub name: PersonName,
}

/// Ties an event to what caused it.
pub type CausedBy = Option<CommandId>;
