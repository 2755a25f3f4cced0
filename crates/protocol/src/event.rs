//! What happened in a hearing: the log that the server keeps and every client follows (field.md §5.5).

use crate::{
    Actor, CausedBy, DeviceConditions, Finding, FixOffer, Floor, HearingId, HearingState, Identity,
    MediaSwitches, NetQuality, Participant, ParticipantState, PendingRequest, RecordingState, RequestId,
    Seat, SeatId, Seq, TestScore, TimeMs, Words,
};
use serde::{Deserialize, Serialize};

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Which hearing.
    pub hearing_id: HearingId,
    /// Position in the log. A viewer who may not see everything sees gaps.
    pub seq: Seq,
    /// The server's clock.
    pub server_time: TimeMs,
    /// Who did it; none when the server itself noticed it.
    pub actor: Option<Actor>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// The command behind it.
    pub caused_by: CausedBy,
}

/// What happened. Every event carries the new value, so that applying it needs no other knowledge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", content = "payload", rename_all_fields = "camelCase")]
pub enum Event {
    /// The hearing came into a state. Also says a phase change, which is a new `InSession`.
    #[serde(rename = "hearing.state")]
    HearingState {
        /// Where it came from.
        from: HearingState,
        /// Where it stands.
        to: HearingState,
    },
    /// A person came into a state.
    #[serde(rename = "participant.state")]
    ParticipantState {
        /// Who.
        seat: SeatId,
        /// Where they came from.
        from: ParticipantState,
        /// Where they stand.
        to: ParticipantState,
    },
    /// The viewer may now see a person it could not see before (a witness who was called), whole.
    #[serde(rename = "participant.shown")]
    ParticipantShown {
        /// The person.
        participant: Box<Participant>,
    },
    /// The viewer may no longer see a person (a witness who went back).
    #[serde(rename = "participant.hidden")]
    ParticipantHidden {
        /// Who.
        seat: SeatId,
    },
    /// Switches changed.
    #[serde(rename = "participant.media")]
    ParticipantMedia {
        /// Whose.
        seat: SeatId,
        /// All of them, as they are now.
        media: MediaSwitches,
    },
    /// 举手, 放下.
    #[serde(rename = "participant.hand")]
    ParticipantHand {
        /// Who.
        seat: SeatId,
        /// Up or down.
        up: bool,
    },
    /// A seat took another role or title (hand-over).
    #[serde(rename = "participant.seat")]
    ParticipantSeat {
        /// The seat as it is now.
        seat: Seat,
    },
    /// A second connection took the seat; the older was told.
    #[serde(rename = "participant.replaced")]
    ParticipantReplaced {
        /// Whose.
        seat: SeatId,
    },
    /// Device check.
    #[serde(rename = "participant.test")]
    ParticipantTest {
        /// Who.
        seat: SeatId,
        /// How it went.
        score: TestScore,
    },
    /// Somebody's devices changed. Seen by the court and by the person.
    #[serde(rename = "participant.devices")]
    ParticipantDevices {
        /// Whose.
        seat: SeatId,
        /// All of them, as they are now.
        devices: DeviceConditions,
    },
    /// 一键修复 was offered, answered, carried out or taken back. Seen by the court and by the person.
    #[serde(rename = "participant.fix")]
    ParticipantFix {
        /// To whom.
        seat: SeatId,
        /// As it stands; none when it was taken back.
        fix: Option<FixOffer>,
    },
    /// Identity check.
    #[serde(rename = "identity.state")]
    IdentityState {
        /// Who.
        seat: SeatId,
        /// As it is now.
        identity: Identity,
    },
    /// 正在发言 changed.
    #[serde(rename = "floor")]
    FloorState {
        /// Who holds it.
        floor: Option<Floor>,
    },
    /// Sharing began or ended.
    #[serde(rename = "share.state")]
    ShareState {
        /// Who.
        seat: SeatId,
        /// Sharing now.
        on: bool,
    },
    /// Somebody asks the court. Seen by the court and by the asker.
    #[serde(rename = "request.made")]
    RequestMade {
        /// The request.
        request: PendingRequest,
    },
    /// A request ended. Seen by the court and by the asker.
    #[serde(rename = "request.ended")]
    RequestEnded {
        /// Which.
        id: RequestId,
        /// Whose.
        seat: SeatId,
        /// How.
        outcome: RequestOutcome,
    },
    /// 文字消息 to everybody in court.
    #[serde(rename = "message")]
    Message {
        /// The words.
        text: Words,
    },
    /// 求助, 留言: seen by the court staff and the person.
    #[serde(rename = "help")]
    Help {
        /// The person it is about: the asker, or whom the court answers.
        seat: SeatId,
        /// The words; empty is a plain call for help.
        text: Words,
    },
    /// Recording changed.
    #[serde(rename = "recording.state")]
    RecordingState {
        /// As it is now.
        state: RecordingState,
    },
    /// 直播 began or ended.
    #[serde(rename = "broadcast.state")]
    BroadcastState {
        /// Broadcasting now.
        on: bool,
    },
    /// The measured network quality of a person changed.
    #[serde(rename = "net.health")]
    NetHealth {
        /// Who.
        seat: SeatId,
        /// As it is now.
        net: NetQuality,
    },
    /// A judge's finding.
    #[serde(rename = "finding")]
    FindingMade {
        /// About whom.
        seat: SeatId,
        /// The finding.
        finding: Finding,
    },
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum RequestOutcome {
    /// 同意.
    Granted,
    /// 不同意.
    Refused,
    /// 撤回.
    Withdrawn,
    /// It became pointless: the asker left, or the hearing moved on.
    Lapsed,
}
