//! Commands.

use super::{every_variant, words};
use protocol::*;

pub(crate) fn all() -> Vec<Command> {
    let seat = || SeatId::from("s2");
    every_variant!(vec![
        Command::HearingOpen,
        Command::HearingStart,
        Command::HearingRecess { reason: words("休庭十五分钟"), until: Some(TimeMs(1_792_000_900_000)) },
        Command::HearingRecess { reason: words(""), until: None },
        Command::HearingResume,
        Command::HearingSuspend { note: words("法庭网络故障") },
        Command::HearingSign,
        Command::HearingClose,
        Command::HearingArchive,
        Command::HearingCancel { reason: words("原告撤诉") },
        Command::HearingAdjourn { reason: words("需补充鉴定") },
        Command::HearingMoveOffline { reason: words("线下质证") },
        Command::HearingHandOver { to: seat() },
        Command::PhaseSet { phase: Phase::Investigation },
        Command::FloorGive { seat: Some(seat()) },
        Command::FloorGive { seat: None },
        Command::SeatAdmit { seat: seat() },
        Command::SeatCallWitness { seat: seat() },
        Command::SeatDismiss { seat: seat() },
        Command::SeatIsolate { seat: seat(), reason: words("隔离质证") },
        Command::SeatRecall { seat: seat() },
        Command::SeatRemove { seat: seat(), reason: words("扰乱法庭秩序") },
        Command::MediaLock { seat: None, kind: MediaKind::Audio },
        Command::MediaLock { seat: Some(seat()), kind: MediaKind::Video },
        Command::MediaUnlock { seat: Some(seat()), kind: MediaKind::Audio },
        Command::MediaBlock { seat: seat(), kind: MediaKind::Video },
        Command::MediaUnblock { seat: seat(), kind: MediaKind::Video },
        Command::MediaAskUnmute { seat: seat() },
        Command::SelfMic { on: true },
        Command::SelfCamera { on: false },
        Command::SelfDevices { devices: super::state::person().devices },
        Command::FixOffer { seat: seat(), fix: Some(DeviceFix::RestartMicrophone) },
        Command::FixOffer { seat: seat(), fix: None },
        Command::FixAnswer { agreed: true },
        Command::FixDone { worked: false },
        Command::SelfHand { up: true },
        Command::HandLowerAll,
        Command::StepBegin,
        Command::StepTested { score: TestScore::Good },
        Command::StepIdentified { skipped: true },
        Command::StepAcknowledged,
        Command::StepRetest,
        Command::IdentityRequest { seat: seat() },
        Command::IdentitySubmit,
        Command::IdentityConfirm { seat: seat(), passed: true },
        Command::IdentityWaive { seat: seat() },
        Command::ShareStart,
        Command::ShareStop { seat: None },
        Command::ShareStop { seat: Some(seat()) },
        Command::RequestMake { request: Request::Floor },
        Command::RequestMake { request: Request::Recess { note: words("与当事人商量") } },
        Command::RequestMake { request: Request::Leave { note: words("身体不适") } },
        Command::RequestMake { request: Request::Share },
        Command::RequestMake { request: Request::Phase { phase: Phase::Mediation } },
        Command::RequestWithdraw { request: "r7".into() },
        Command::RequestDecide { request: "r7".into(), granted: false },
        Command::MessageSend { text: words("请看第三页") },
        Command::HelpAsk { text: words("听不到声音"), to: None },
        Command::HelpAsk { text: words("请检查耳机"), to: Some(seat()) },
        Command::RecordPause { reason: PauseReason::ClosedEvidence },
        Command::RecordResume,
        Command::BroadcastStart,
        Command::BroadcastStop,
        Command::FindingMake { seat: seat(), kind: FindingKind::ExcusedDrop, note: words("停电") },
        Command::Leave,
    ], Command:
        HearingOpen HearingStart HearingRecess HearingResume HearingSuspend HearingSign HearingClose HearingArchive
        HearingCancel HearingAdjourn HearingMoveOffline HearingHandOver PhaseSet FloorGive SeatAdmit SeatCallWitness
        SeatDismiss SeatIsolate SeatRecall SeatRemove MediaLock MediaUnlock MediaBlock MediaUnblock MediaAskUnmute
        SelfMic SelfCamera SelfDevices FixOffer FixAnswer FixDone SelfHand HandLowerAll StepBegin StepTested StepIdentified StepAcknowledged StepRetest
        IdentityRequest IdentitySubmit IdentityConfirm IdentityWaive ShareStart ShareStop RequestMake RequestWithdraw
        RequestDecide MessageSend HelpAsk RecordPause RecordResume BroadcastStart BroadcastStop FindingMake Leave)
}
