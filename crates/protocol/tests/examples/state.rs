//! States, people, settings.

use super::{every_variant, name, words};
use protocol::*;

pub(crate) const NOW: TimeMs = TimeMs(1_792_000_000_000);

pub(crate) fn hearing() -> Vec<HearingState> {
    let phase = Phase::Debate;
    every_variant!(vec![
        HearingState::Scheduled,
        HearingState::Open,
        HearingState::InSession { phase },
        HearingState::Recess { phase, reason: words("休庭"), until: Some(NOW.plus(900_000)) },
        HearingState::Suspended { phase, cause: SuspendCause::JudgeLost },
        HearingState::Suspended { phase, cause: SuspendCause::Technical { note: words("网络故障") } },
        HearingState::Signing { phase },
        HearingState::Closed,
        HearingState::Archived,
        HearingState::Cancelled { reason: words("原告撤诉") },
        HearingState::Adjourned { reason: words("需补充鉴定") },
        HearingState::MovedOffline { reason: words("线下质证") },
    ], HearingState:
        Scheduled Open InSession Recess Suspended Signing Closed Archived Cancelled Adjourned MovedOffline)
}

pub(crate) fn participant() -> Vec<ParticipantState> {
    every_variant!(vec![
        ParticipantState::Invited,
        ParticipantState::Coded,
        ParticipantState::Testing,
        ParticipantState::Identifying,
        ParticipantState::Acknowledging,
        ParticipantState::Waiting,
        ParticipantState::WitnessRoom,
        ParticipantState::InCourt,
        ParticipantState::Isolated { reason: words("隔离质证"), since: NOW },
        ParticipantState::Disconnected {
            since: NOW,
            cause: DropCause::ConnectionReset,
            told: Some(DropCause::Sleep),
            resume: Box::new(ParticipantState::InCourt),
        },
        ParticipantState::Left,
        ParticipantState::Removed { reason: words("扰乱法庭秩序") },
    ], ParticipantState:
        Invited Coded Testing Identifying Acknowledging Waiting WitnessRoom InCourt Isolated Disconnected Left Removed)
}

pub(crate) fn recording() -> Vec<RecordingState> {
    every_variant!(vec![
        RecordingState::Unavailable,
        RecordingState::Off,
        RecordingState::On { since: NOW },
        RecordingState::Paused { reason: PauseReason::Mediation, by: Some("s1".into()), since: NOW },
        RecordingState::Paused { reason: PauseReason::Suspended, by: None, since: NOW },
    ], RecordingState: Unavailable Off On Paused)
}

pub(crate) fn settings() -> Vec<HearingSettings> {
    vec![HearingSettings::default()]
}

pub(crate) fn roles() -> Vec<Role> {
    Role::ALL.to_vec()
}

pub(crate) fn seat() -> Seat {
    Seat {
        id: "s3".into(),
        role: Role::Agent,
        title: "原告代理人".into(),
        name: name("李示例"),
        represents: Some("s2".into()),
        side: Side::Plaintiff,
    }
}

pub(crate) fn person() -> Participant {
    Participant {
        seat: seat(),
        state: ParticipantState::InCourt,
        media: MediaSwitches {
            mic: true,
            camera: true,
            audio_blocked: true,
            ..MediaSwitches::default()
        },
        hand: true,
        sharing: false,
        identity: Identity::Pending,
        test: TestScore::Usable,
        net: NetQuality::Poor,
        devices: DeviceConditions {
            camera: DeviceCondition::Fine,
            microphone: DeviceCondition::Silent,
            speaker: DeviceCondition::Unknown,
        },
        fix: Some(fix(DeviceFix::RaiseInput, FixState::Agreed)),
        findings: vec![finding()],
    }
}

pub(crate) fn fix(fix: DeviceFix, state: FixState) -> FixOffer {
    FixOffer {
        fix,
        state,
        by: "s1".into(),
        at: NOW,
    }
}

pub(crate) fn fixes() -> Vec<FixOffer> {
    let kinds = every_variant!(vec![
        DeviceFix::NextCamera, DeviceFix::NextMicrophone, DeviceFix::NextSpeaker, DeviceFix::RaiseInput,
        DeviceFix::RestartCamera, DeviceFix::RestartMicrophone, DeviceFix::Reconnect,
    ], DeviceFix:
        NextCamera NextMicrophone NextSpeaker RaiseInput RestartCamera RestartMicrophone Reconnect);
    let states = every_variant!(vec![
        FixState::Offered, FixState::Agreed, FixState::Declined, FixState::Done, FixState::Failed,
    ], FixState: Offered Agreed Declined Done Failed);
    kinds
        .into_iter()
        .zip(states.into_iter().cycle())
        .map(|(kind, state)| fix(kind, state))
        .collect()
}

pub(crate) fn conditions() -> Vec<DeviceCondition> {
    every_variant!(vec![
        DeviceCondition::Unknown, DeviceCondition::Off, DeviceCondition::Fine, DeviceCondition::Silent,
        DeviceCondition::Echo, DeviceCondition::Failed { fault: DeviceFault::Unplugged },
    ], DeviceCondition: Unknown Off Fine Silent Echo Failed)
}

pub(crate) fn finding() -> Finding {
    Finding {
        kind: FindingKind::ExcusedDrop,
        note: words("停电"),
        at: NOW,
    }
}

pub(crate) fn case() -> CaseInfo {
    CaseInfo {
        number: "（2026）京0491民初1号".into(),
        cause: "买卖合同纠纷".into(),
        court: "示例法院".into(),
        courtroom: "第一法庭".into(),
        starts_at: NOW,
        public: true,
    }
}

pub(crate) fn request() -> PendingRequest {
    PendingRequest {
        id: "r7".into(),
        seat: "s3".into(),
        request: Request::Floor,
        at: NOW,
    }
}

pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        hearing: "h1".into(),
        seq: Seq(42),
        server_time: NOW.plus(5_000),
        you: "s3".into(),
        case: case(),
        settings: HearingSettings::default(),
        state: HearingState::InSession {
            phase: Phase::Evidence,
        },
        state_since: NOW,
        started_at: Some(NOW),
        participants: vec![person()],
        floor: Some(Floor {
            seat: "s2".into(),
            since: NOW,
        }),
        requests: vec![request()],
        recording: RecordingState::On { since: NOW },
        broadcasting: false,
        log: super::event::all().into_iter().take(2).collect(),
    }
}
