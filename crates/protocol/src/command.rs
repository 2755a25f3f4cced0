//! What a person may ask the server to do in a hearing (field.md §5.4). Who may do what, and when, is the table
//! in the crate `hearing`; here are only the shapes.

use crate::{
    DeviceConditions, DeviceFix, FindingKind, MediaKind, PauseReason, Phase, Request, RequestId, SeatId,
    TestScore, TimeMs, Words,
};
use serde::{Deserialize, Serialize};

/// One command. The wire name is `subject.verb`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum Command {
    /// 开放候庭.
    #[serde(rename = "hearing.open")]
    HearingOpen,
    /// 开庭.
    #[serde(rename = "hearing.start")]
    HearingStart,
    /// 休庭.
    #[serde(rename = "hearing.recess")]
    HearingRecess {
        /// Said to everybody.
        reason: Words,
        /// When the judge means to go on.
        until: Option<TimeMs>,
    },
    /// 恢复庭审, from a recess, a suspension or signing.
    #[serde(rename = "hearing.resume")]
    HearingResume,
    /// 技术中断.
    #[serde(rename = "hearing.suspend")]
    HearingSuspend {
        /// What is broken.
        note: Words,
    },
    /// 进入核对笔录.
    #[serde(rename = "hearing.sign")]
    HearingSign,
    /// 闭庭.
    #[serde(rename = "hearing.close")]
    HearingClose,
    /// 归档, after closing.
    #[serde(rename = "hearing.archive")]
    HearingArchive,
    /// 取消.
    #[serde(rename = "hearing.cancel")]
    HearingCancel {
        /// Said to everybody.
        reason: Words,
    },
    /// 延期.
    #[serde(rename = "hearing.adjourn")]
    HearingAdjourn {
        /// Said to everybody.
        reason: Words,
    },
    /// 转线下.
    #[serde(rename = "hearing.moveOffline")]
    HearingMoveOffline {
        /// Said to everybody.
        reason: Words,
    },
    /// The presiding judge hands over to another court seat before leaving.
    #[serde(rename = "hearing.handOver")]
    HearingHandOver {
        /// To whom.
        to: SeatId,
    },
    /// 进入阶段.
    #[serde(rename = "phase.set")]
    PhaseSet {
        /// Which.
        phase: Phase,
    },
    /// 请发言; none ends the speech.
    #[serde(rename = "floor.give")]
    FloorGive {
        /// To whom.
        seat: Option<SeatId>,
    },
    /// 准许入庭 before or during the session.
    #[serde(rename = "seat.admit")]
    SeatAdmit {
        /// Whom.
        seat: SeatId,
    },
    /// 传唤证人.
    #[serde(rename = "seat.callWitness")]
    SeatCallWitness {
        /// Whom.
        seat: SeatId,
    },
    /// 证人退庭候传: back to the witness room; others back to waiting.
    #[serde(rename = "seat.dismiss")]
    SeatDismiss {
        /// Whom.
        seat: SeatId,
    },
    /// 隔离 (您已被屏蔽，请等待法官传唤).
    #[serde(rename = "seat.isolate")]
    SeatIsolate {
        /// Whom.
        seat: SeatId,
        /// Said to the person.
        reason: Words,
    },
    /// 传唤 back from isolation.
    #[serde(rename = "seat.recall")]
    SeatRecall {
        /// Whom.
        seat: SeatId,
    },
    /// 责令退出法庭.
    #[serde(rename = "seat.remove")]
    SeatRemove {
        /// Whom.
        seat: SeatId,
        /// Said to the person.
        reason: Words,
    },
    /// 静音并锁定; without a seat, everybody but the court (全体静音).
    #[serde(rename = "media.lock")]
    MediaLock {
        /// Whom.
        seat: Option<SeatId>,
        /// What.
        kind: MediaKind,
    },
    /// 解除锁定. The device stays off until its owner opens it.
    #[serde(rename = "media.unlock")]
    MediaUnlock {
        /// Whom.
        seat: Option<SeatId>,
        /// What.
        kind: MediaKind,
    },
    /// 屏蔽声音 or 屏蔽画面 of a person for all the others.
    #[serde(rename = "media.block")]
    MediaBlock {
        /// Whom.
        seat: SeatId,
        /// What.
        kind: MediaKind,
    },
    /// 解除屏蔽.
    #[serde(rename = "media.unblock")]
    MediaUnblock {
        /// Whom.
        seat: SeatId,
        /// What.
        kind: MediaKind,
    },
    /// 请打开麦克风: a question; the court never opens a microphone.
    #[serde(rename = "media.askUnmute")]
    MediaAskUnmute {
        /// Whom.
        seat: SeatId,
    },
    /// Own microphone.
    #[serde(rename = "self.mic")]
    SelfMic {
        /// On or off.
        on: bool,
    },
    /// Own camera.
    #[serde(rename = "self.camera")]
    SelfCamera {
        /// On or off.
        on: bool,
    },
    /// How one's own devices are, whenever that changes.
    #[serde(rename = "self.devices")]
    SelfDevices {
        /// All of them.
        devices: DeviceConditions,
    },
    /// 一键修复: offers to put a device right; none takes the offer back.
    #[serde(rename = "fix.offer")]
    FixOffer {
        /// To whom.
        seat: SeatId,
        /// What would be done.
        fix: Option<DeviceFix>,
    },
    /// The person answers the offer.
    #[serde(rename = "fix.answer")]
    FixAnswer {
        /// 同意.
        agreed: bool,
    },
    /// The person's program has done what was agreed to.
    #[serde(rename = "fix.done")]
    FixDone {
        /// It worked.
        worked: bool,
    },
    /// 举手, 放下. Raising is the request for the floor.
    #[serde(rename = "self.hand")]
    SelfHand {
        /// Up or down.
        up: bool,
    },
    /// 放下全部举手.
    #[serde(rename = "hand.lowerAll")]
    HandLowerAll,
    /// The case was checked; on to the device check.
    #[serde(rename = "step.begin")]
    StepBegin,
    /// Device check done.
    #[serde(rename = "step.tested")]
    StepTested {
        /// How it went.
        score: TestScore,
    },
    /// The identity step was done or skipped by the person.
    #[serde(rename = "step.identified")]
    StepIdentified {
        /// The person skipped; the court sees 未核验.
        skipped: bool,
    },
    /// 我已阅读，并遵守法庭纪律.
    #[serde(rename = "step.acknowledged")]
    StepAcknowledged,
    /// 重新检测设备 from the waiting room.
    #[serde(rename = "step.retest")]
    StepRetest,
    /// 发起身份核验.
    #[serde(rename = "identity.request")]
    IdentityRequest {
        /// Whom.
        seat: SeatId,
    },
    /// The person answers a request.
    #[serde(rename = "identity.submit")]
    IdentitySubmit,
    /// The clerk or judge has compared.
    #[serde(rename = "identity.confirm")]
    IdentityConfirm {
        /// Whom.
        seat: SeatId,
        /// The outcome.
        passed: bool,
    },
    /// 免于核验.
    #[serde(rename = "identity.waive")]
    IdentityWaive {
        /// Whom.
        seat: SeatId,
    },
    /// 开始共享屏幕.
    #[serde(rename = "share.start")]
    ShareStart,
    /// 停止共享; with a seat, the court stops theirs.
    #[serde(rename = "share.stop")]
    ShareStop {
        /// Whose; none for one's own.
        seat: Option<SeatId>,
    },
    /// 申请.
    #[serde(rename = "request.make")]
    RequestMake {
        /// For what.
        request: Request,
    },
    /// 撤回申请.
    #[serde(rename = "request.withdraw")]
    RequestWithdraw {
        /// Which.
        request: RequestId,
    },
    /// 同意, 不同意.
    #[serde(rename = "request.decide")]
    RequestDecide {
        /// Which.
        request: RequestId,
        /// 同意.
        granted: bool,
    },
    /// 文字消息 to everybody in court.
    #[serde(rename = "message.send")]
    MessageSend {
        /// At most [`MESSAGE_LIMIT`] characters.
        text: Words,
    },
    /// 给书记员留言, 求助: to the court staff; the court answers one seat.
    #[serde(rename = "help.ask")]
    HelpAsk {
        /// At most [`MESSAGE_LIMIT`] characters; empty is a plain call for help.
        text: Words,
        /// When the court answers: whom.
        to: Option<SeatId>,
    },
    /// 暂停录制, with a lawful reason.
    #[serde(rename = "record.pause")]
    RecordPause {
        /// Why.
        reason: PauseReason,
    },
    /// 继续录制.
    #[serde(rename = "record.resume")]
    RecordResume,
    /// 开始直播.
    #[serde(rename = "broadcast.start")]
    BroadcastStart,
    /// 停止直播.
    #[serde(rename = "broadcast.stop")]
    BroadcastStop,
    /// 记入认定: absence, withdrawal or an excused drop.
    #[serde(rename = "finding.make")]
    FindingMake {
        /// About whom.
        seat: SeatId,
        /// What.
        kind: FindingKind,
        /// In the judge's words.
        note: Words,
    },
    /// 退庭. In session this needs leave, see [`Request::Leave`].
    #[serde(rename = "leave")]
    Leave,
}

/// Longest message, in characters.
pub const MESSAGE_LIMIT: usize = 1_000;
/// Longest reason or note, in characters.
pub const REASON_LIMIT: usize = 200;

/// Why a command was not carried out. It changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Refusal {
    /// This role may not do this.
    NotAllowed,
    /// This role may ask for it, see [`Command::RequestMake`].
    AskFirst,
    /// The hearing is not in a state for it.
    WrongHearingState,
    /// The person who sends it is not in a state for it.
    NotInCourt,
    /// The person it is about is not in a state for it.
    WrongTargetState,
    /// There is no such seat here, or the sender may not know of it.
    UnknownSeat,
    /// There is no such request, or it was decided.
    UnknownRequest,
    /// The state changed since the sender last saw it; look and decide again.
    Stale,
    /// The court holds this device closed.
    LockedByCourt,
    /// In session one leaves with the court's leave.
    NeedsLeave,
    /// The presiding judge hands over first.
    NeedsHandOver,
    /// Text is empty or too long, or a value is out of range.
    Invalid,
    /// It is so already.
    NothingToDo,
    /// Another seat used this `commandId`; the same seat gets its first outcome again.
    CommandIdReused,
    /// This server has no such service (recorder, broadcast).
    Unavailable,
    /// Too many commands in a short time.
    TooFast,
}
