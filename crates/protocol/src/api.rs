//! HTTP requests and replies outside the hearing channel, all under `/api/v1`.
//!
//! | route | request | reply |
//! |---|---|---|
//! | `POST /enter` | [`Enter`] | [`Entered`] |
//! | `POST /seat` | [`TakeSeat`] | [`SeatTaken`] |
//! | `POST /staff/sign-in` | [`StaffSignIn`] | [`StaffSignedIn`] |
//! | `POST /staff/seat` | [`StaffTakeSeat`] | [`SeatTaken`] |
//! | `GET /staff/hearings` | | [`StaffHearings`] |
//! | `POST /practice` | | [`Practice`] |
//! | `POST /self-tests` | [`SendSelfTest`] | |
//! | `GET /hearings/{id}/self-tests` | | [`SelfTestsRead`] |
//!
//! A failure is an [`ApiError`] with a fitting status.

use crate::{
    CaseInfo, HearingId, HearingState, IdNumber, JoinCode, MediaAccess, PersonName, Role, Seat, SeatId,
    SeatTest, Secret, SelfTest, TimeMs,
};
use serde::{Deserialize, Serialize};

/// 输入庭审码.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Enter {
    /// As typed. A malformed code is answered like a wrong one.
    pub code: Secret,
}

impl Enter {
    /// The code, if it is one.
    pub fn parsed(&self) -> Option<JoinCode> {
        JoinCode::parse(self.code.expose()).ok()
    }
}

/// The code was right: what it opens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Entered {
    /// Shown back in [`TakeSeat`]; valid for thirty minutes.
    pub ticket: Secret,
    /// Which hearing.
    pub hearing: HearingId,
    /// The case, to be checked by the person.
    pub case: CaseInfo,
    /// Where the hearing stands.
    pub state: HearingState,
    /// The seat that the code is for. Its name is masked: whoever takes the seat has to know it.
    pub seat: Seat,
    /// The other seats that the person may know of (never witnesses). Names are masked but for the court's.
    pub others: Vec<Seat>,
    /// The seat is in use on another device now; taking it ends that connection.
    pub in_use: bool,
    /// Identity is one of the steps.
    pub identity_step: bool,
}

/// 我是当事人, 我是代理人: who takes the seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TakeSeat {
    /// From [`Entered`].
    pub ticket: Secret,
    /// The name as typed; must match the invitation.
    pub name: PersonName,
    /// In what capacity.
    pub capacity: Capacity,
    /// Take it although it is in use elsewhere.
    pub take_over: bool,
}

/// In what capacity a person takes a seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Capacity {
    /// 我是当事人.
    Party {
        /// 身份证号, if given.
        id_number: Option<IdNumber>,
    },
    /// 我是代理人.
    Agent {
        /// 代理哪一方.
        represents: SeatId,
        /// 代理人类型.
        kind: AgentKind,
        /// 执业证号, 17 digits, for lawyers and legal workers.
        licence: Option<IdNumber>,
        /// 代理权限.
        authority: AgentAuthority,
    },
    /// Witness, expert, interpreter or observer.
    Other,
}

/// 代理人类型.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum AgentKind {
    /// 律师.
    Lawyer,
    /// 基层法律服务工作者.
    LegalWorker,
    /// 近亲属.
    Relative,
    /// 工作人员.
    Employee,
    /// 推荐的公民.
    Recommended,
}

/// 代理权限.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum AgentAuthority {
    /// 一般授权.
    General,
    /// 特别授权.
    Special,
}

/// The seat was given; the channel is opened with the token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SeatTaken {
    /// Which hearing.
    pub hearing: HearingId,
    /// Which seat.
    pub seat: SeatId,
    /// For [`crate::ClientFrame::Hello`]; valid until the hearing ends.
    pub token: Secret,
}

/// 账号登录 of court staff.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StaffSignIn {
    /// 账号.
    pub account: Secret,
    /// 密码.
    pub password: Secret,
}

/// Signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StaffSignedIn {
    /// `Authorization: Bearer …` of the other staff routes.
    pub token: Secret,
    /// Whose account.
    pub name: PersonName,
    /// Their hearings.
    pub hearings: Vec<StaffHearing>,
}

/// 我的庭审.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StaffHearings {
    /// Their hearings, by starting time.
    pub hearings: Vec<StaffHearing>,
}

/// One hearing in which an account has a seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StaffHearing {
    /// Which hearing.
    pub hearing: HearingId,
    /// The case.
    pub case: CaseInfo,
    /// Where it stands.
    pub state: HearingState,
    /// The account's seat in it.
    pub seat: SeatId,
    /// The account's role in it.
    pub role: Role,
    /// The seat is in use on another device now.
    pub in_use: bool,
}

/// A member of staff takes their seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StaffTakeSeat {
    /// Which hearing.
    pub hearing: HearingId,
    /// Take it although it is in use elsewhere.
    pub take_over: bool,
}

/// A practice room: a media room for whoever asked and nobody else, in no hearing. What is sent with one token is received
/// with the other, over the same way that the media of a hearing goes. It ends when `media` leaves it, or with its tokens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Practice {
    /// The way in, with a token that sends sound and picture and receives nothing.
    pub media: MediaAccess,
    /// A token for the same room that receives and sends nothing.
    pub mirror: Secret,
    /// The server's clock when it answered.
    pub server_time: TimeMs,
}

/// A report goes to the court, because its owner said so.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SendSelfTest {
    /// For which seat.
    pub by: TestSender,
    /// The report.
    pub report: SelfTest,
}

/// Who sends a report: what they show tells the seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TestSender {
    /// Somebody who has not entered: by the 庭审码.
    Code {
        /// As typed.
        code: Secret,
    },
    /// Somebody on the way in or inside.
    Seat {
        /// Their seat.
        seat: SeatTaken,
    },
}

/// The reports of a hearing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SelfTestsRead {
    /// The newest first; at most [`SelfTestsRead::KEPT`] of a seat.
    pub tests: Vec<SeatTest>,
}

impl SelfTestsRead {
    /// How many reports of one seat the server keeps.
    pub const KEPT: u32 = 10;
}

/// Why an HTTP request failed. The page branches on `code` and chooses the words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// What kind of failure.
    pub code: ApiErrorCode,
    /// When to try again, where that makes sense.
    pub retry_after_ms: Option<u32>,
    /// When the code's window opens, for [`ApiErrorCode::CodeNotYetValid`].
    pub valid_from: Option<TimeMs>,
}

/// Kinds of HTTP failures.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ApiErrorCode {
    /// Wrong, malformed or unknown code: one answer for all, so that nothing can be learnt from it.
    CodeNotAccepted,
    /// The code is right and its window has not opened.
    CodeNotYetValid,
    /// The code is right and the hearing is over.
    CodeExpired,
    /// The seat is in use on another device and `take_over` was not said.
    SeatInUse,
    /// The name does not match the invitation.
    NameMismatch,
    /// The capacity does not fit the seat.
    CapacityMismatch,
    /// The ticket is not valid any more; enter the code again.
    TicketExpired,
    /// Wrong account or password.
    SignInFailed,
    /// No valid token.
    NotSignedIn,
    /// Signed in, and not allowed.
    NotAllowed,
    /// There is no such thing.
    NotFound,
    /// The request is not what the route takes.
    BadRequest,
    /// Too many tries; see `retry_after_ms`.
    TooManyTries,
    /// So many do this now that there is no place left; see `retry_after_ms`.
    Busy,
    /// The server failed; nothing was done.
    Internal,
}
