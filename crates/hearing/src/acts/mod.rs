//! What follows from a command that may be carried out. Each act checks whom it is about, then says the events.
//! Nothing here looks at the sender's role again, except where the table says "only your own".

mod business;
mod devices;
mod person;
mod requests;
mod seats;
mod session;

use crate::HearingSetup;
use crate::draft::Draft;
use protocol::{Command, Refusal, SeatId};
pub(crate) use session::phase;

pub(crate) fn carry_out(
    draft: &mut Draft<'_>,
    setup: &HearingSetup,
    sender: &SeatId,
    command: &Command,
) -> Result<(), Refusal> {
    match command {
        Command::HearingOpen
        | Command::HearingStart
        | Command::HearingRecess { .. }
        | Command::HearingResume
        | Command::HearingSuspend { .. }
        | Command::HearingSign
        | Command::HearingClose
        | Command::HearingArchive
        | Command::HearingCancel { .. }
        | Command::HearingAdjourn { .. }
        | Command::HearingMoveOffline { .. }
        | Command::HearingHandOver { .. }
        | Command::PhaseSet { .. } => session::carry_out(draft, sender, command),

        Command::SeatAdmit { .. }
        | Command::SeatCallWitness { .. }
        | Command::SeatDismiss { .. }
        | Command::SeatIsolate { .. }
        | Command::SeatRecall { .. }
        | Command::SeatRemove { .. }
        | Command::MediaLock { .. }
        | Command::MediaUnlock { .. }
        | Command::MediaBlock { .. }
        | Command::MediaUnblock { .. }
        | Command::MediaAskUnmute { .. }
        | Command::FindingMake { .. } => seats::carry_out(draft, sender, command),

        Command::SelfMic { .. }
        | Command::SelfCamera { .. }
        | Command::StepBegin
        | Command::StepTested { .. }
        | Command::StepIdentified { .. }
        | Command::StepAcknowledged
        | Command::StepRetest
        | Command::IdentityRequest { .. }
        | Command::IdentitySubmit
        | Command::IdentityConfirm { .. }
        | Command::IdentityWaive { .. }
        | Command::Leave => person::carry_out(draft, setup, sender, command),

        Command::SelfDevices { .. }
        | Command::FixOffer { .. }
        | Command::FixAnswer { .. }
        | Command::FixDone { .. } => devices::carry_out(draft, sender, command),

        Command::SelfHand { .. }
        | Command::HandLowerAll
        | Command::FloorGive { .. }
        | Command::RequestMake { .. }
        | Command::RequestWithdraw { .. }
        | Command::RequestDecide { .. } => requests::carry_out(draft, setup, sender, command),

        Command::ShareStart
        | Command::ShareStop { .. }
        | Command::MessageSend { .. }
        | Command::HelpAsk { .. }
        | Command::RecordPause { .. }
        | Command::RecordResume
        | Command::BroadcastStart
        | Command::BroadcastStop => business::carry_out(draft, setup, sender, command),
    }
}
