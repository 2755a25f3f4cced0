//! Who may do what, and when: field.md §5.4 as one table. A row for each command, a column for each group of roles,
//! and the states of the hearing in which the command is legal at all.
//!
//! It says nothing about the person a command is about, nor about what the sender saw: that is `command`.
//! Later issues add their rows (evidence, transcript, signing, record) with their commands; nothing else changes here.

use protocol::{Command, HearingSettings, HearingState, Refusal, Request, Role};

/// One cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Never.
    No,
    /// Yes.
    Yes,
    /// About oneself only; the command names nobody else.
    SelfOnly,
    /// Yes, once the person is in court.
    WhenInCourt,
    /// Only if so configured.
    If(Setting),
    /// Freely if so configured; otherwise with a grant.
    FreeIf(Setting),
    /// Only with a grant of the court, see `request.*`.
    MayRequest,
    /// In session, only after the seat's duty was handed over.
    AfterHandOver,
    /// In session, only with leave.
    WithLeave,
}

/// What a hearing can configure (see [`HearingSettings`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// The clerk runs what is marked so.
    ClerkAssists,
    /// The technician suspends and stops the broadcast.
    TechnicianMaySuspend,
    /// Parties share without asking.
    PartiesShareFreely,
    /// Panel members share.
    PanelMayShare,
}

impl Setting {
    fn holds(self, settings: &HearingSettings) -> bool {
        match self {
            Setting::ClerkAssists => settings.clerk_assists,
            Setting::TechnicianMaySuspend => settings.technician_may_suspend,
            Setting::PartiesShareFreely => settings.parties_share_freely,
            Setting::PanelMayShare => settings.panel_may_share,
        }
    }
}

/// The columns. The assistant (法官助理) has the clerk's; agents have their parties'; experts the witnesses'.
fn column(role: Role) -> usize {
    match role {
        Role::PresidingJudge => 0,
        Role::PanelMember => 1,
        Role::Clerk | Role::Assistant => 2,
        Role::Technician => 3,
        Role::Plaintiff | Role::Defendant | Role::ThirdParty | Role::Agent => 4,
        Role::Witness | Role::Expert => 5,
        Role::Interpreter => 6,
        Role::Observer => 7,
    }
}

/// Where the sender has to stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum From {
    /// In court. Court staff also in the waiting room, where they are until the hearing is opened.
    Court,
    /// Anywhere, with a live connection.
    Anywhere,
}

/// Sets of hearing states, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct States(u16);

impl States {
    const fn and(self, other: States) -> States {
        States(self.0 | other.0)
    }

    /// The state is one of these.
    pub fn contains(self, state: &HearingState) -> bool {
        let bit = match state {
            HearingState::Scheduled => SCHED,
            HearingState::Open => OPEN,
            HearingState::InSession { .. } => SESSION,
            HearingState::Recess { .. } => RECESS,
            HearingState::Suspended { .. } => SUSP,
            HearingState::Signing { .. } => SIGN,
            HearingState::Closed => CLOSED,
            HearingState::Archived
            | HearingState::Cancelled { .. }
            | HearingState::Adjourned { .. }
            | HearingState::MovedOffline { .. } => return false,
        };
        self.0 & bit.0 != 0
    }
}

const SCHED: States = States(1);
const OPEN: States = States(2);
const SESSION: States = States(4);
const RECESS: States = States(8);
const SUSP: States = States(16);
const SIGN: States = States(32);
const CLOSED: States = States(64);
/// Sound and picture pass: what happens in the courtroom can happen.
const LIVE: States = OPEN.and(SESSION).and(SIGN);
/// It has started and is not over.
const BEGUN: States = SESSION.and(RECESS).and(SUSP).and(SIGN);
/// People can be in court.
const HELD: States = OPEN.and(BEGUN);
/// Not over.
const ALL: States = SCHED.and(HELD);

const N: Cell = Cell::No;
const Y: Cell = Cell::Yes;
const S: Cell = Cell::SelfOnly;
const W: Cell = Cell::WhenInCourt;
const R: Cell = Cell::MayRequest;
const C: Cell = Cell::If(Setting::ClerkAssists);
const T: Cell = Cell::If(Setting::TechnicianMaySuspend);
const P: Cell = Cell::If(Setting::PanelMayShare);
const F: Cell = Cell::FreeIf(Setting::PartiesShareFreely);
const H: Cell = Cell::AfterHandOver;
const L: Cell = Cell::WithLeave;

macro_rules! rows {
    ($($kind:ident $name:literal [$($cell:ident)*] $from:ident $states:expr;)*) => {
        /// What a command is, for the table: its name without its content.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[expect(missing_docs, reason = "each is the row of its name below")]
        pub enum Kind { $($kind),* }

        impl Kind {
            /// Every row.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// As the wire and the lawyers' table have it.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name),* }
            }

            fn row(self) -> (&'static [Cell; 8], From, States) {
                match self { $(Kind::$kind => (&[$($cell),*], From::$from, $states)),* }
            }
        }
    };
}

#[rustfmt::skip]
rows! {
//  kind             name                   J P C T Pa W I O  sender    states of the hearing
    HearingOpen      "hearing.open"        [Y N Y N N N N N] Court     SCHED;
    HearingStart     "hearing.start"       [Y N N N N N N N] Court     OPEN;
    HearingRecess    "hearing.recess"      [Y N C N R N N N] Court     SESSION;
    HearingResume    "hearing.resume"      [Y N N N N N N N] Court     RECESS.and(SUSP).and(SIGN);
    HearingSuspend   "hearing.suspend"     [Y N Y T N N N N] Court     SESSION;
    HearingSign      "hearing.sign"        [Y N C N N N N N] Court     SESSION.and(RECESS);
    HearingClose     "hearing.close"       [Y N N N N N N N] Court     SESSION.and(RECESS).and(SIGN);
    HearingArchive   "hearing.archive"     [Y N Y N N N N N] Court     CLOSED;
    HearingCancel    "hearing.cancel"      [Y N N N N N N N] Court     ALL;
    HearingAdjourn   "hearing.adjourn"     [Y N N N N N N N] Court     ALL;
    HearingMove      "hearing.moveOffline" [Y N N N N N N N] Court     ALL;
    HearingHandOver  "hearing.handOver"    [Y N N N N N N N] Court     HELD;
    PhaseSet         "phase.set"           [Y N C N R R N N] Court     SESSION;
    FloorGive        "floor.give"          [Y N C N R R R N] Court     LIVE;
    SeatAdmit        "seat.admit"          [Y N C N N N N N] Court     HELD;
    SeatCallWitness  "seat.callWitness"    [Y N C N N N N N] Court     SESSION;
    SeatDismiss      "seat.dismiss"        [Y N C N N N N N] Court     HELD;
    SeatIsolate      "seat.isolate"        [Y N C N N N N N] Court     HELD;
    SeatRecall       "seat.recall"         [Y N C N N N N N] Court     HELD;
    SeatRemove       "seat.remove"         [Y N N N N N N N] Court     HELD;
    MediaLock        "media.lock"          [Y N C N N N N N] Court     HELD;
    MediaUnlock      "media.unlock"        [Y N C N N N N N] Court     HELD;
    MediaBlock       "media.block"         [Y N C N N N N N] Court     HELD;
    MediaUnblock     "media.unblock"       [Y N C N N N N N] Court     HELD;
    MediaAskUnmute   "media.askUnmute"     [Y N C N N N N N] Court     LIVE;
    SelfMic          "self.mic"            [S S S S S S S N] Anywhere  ALL;
    SelfCamera       "self.camera"         [S S S S S S S N] Anywhere  ALL;
    SelfDevices      "self.devices"        [S S S S S S S S] Anywhere  ALL;
    FixOffer         "fix.offer"           [Y N Y Y N N N N] Court     ALL;
    FixAnswer        "fix.answer"          [S S S S S S S S] Anywhere  ALL;
    FixDone          "fix.done"            [S S S S S S S S] Anywhere  ALL;
    SelfHand         "self.hand"           [S S S S S S S N] Court     LIVE;
    HandLowerAll     "hand.lowerAll"       [Y N C N N N N N] Court     LIVE;
    StepBegin        "step.begin"          [N N N N S S S S] Anywhere  ALL;
    StepTested       "step.tested"         [N N N N S S S S] Anywhere  ALL;
    StepIdentified   "step.identified"     [N N N N S S S S] Anywhere  ALL;
    StepAcknowledged "step.acknowledged"   [N N N N S S S S] Anywhere  ALL;
    StepRetest       "step.retest"         [N N N N S S S S] Anywhere  ALL;
    IdentityRequest  "identity.request"    [Y N C N N N N N] Court     ALL;
    IdentitySubmit   "identity.submit"     [N N N N S S S S] Anywhere  ALL;
    IdentityConfirm  "identity.confirm"    [Y N C N N N N N] Court     ALL;
    IdentityWaive    "identity.waive"      [Y N N N N N N N] Court     ALL;
    ShareStart       "share.start"         [Y P Y N F R N N] Court     LIVE;
    ShareStop        "share.stop"          [S S S S S S S N] Court     LIVE;
    ShareStopOther   "share.stop (other)"  [Y N C N N N N N] Court     LIVE;
    RequestFloor     "request.floor"       [S S S S S S S N] Court     LIVE;
    RequestRecess    "request.recess"      [N N N N S N N N] Court     SESSION;
    RequestPhase     "request.phase"       [N N N N S S N N] Court     SESSION;
    RequestShare     "request.share"       [N N N N S S N N] Court     LIVE;
    RequestLeave     "request.leave"       [N N N N S S S N] Anywhere  BEGUN;
    RequestWithdraw  "request.withdraw"    [S S S S S S S N] Anywhere  ALL;
    RequestDecide    "request.decide"      [Y N C N N N N N] Court     ALL;
    MessageSend      "message.send"        [Y Y Y N Y W Y N] Court     HELD;
    HelpAsk          "help.ask"            [Y Y Y Y Y Y Y Y] Anywhere  ALL;
    HelpAnswer       "help.ask (answer)"   [Y Y Y Y N N N N] Anywhere  ALL;
    RecordPause      "record.pause"        [Y N C N N N N N] Court     SESSION.and(SIGN);
    RecordResume     "record.resume"       [Y N C N N N N N] Court     SESSION.and(SIGN);
    BroadcastStart   "broadcast.start"     [Y N N N N N N N] Court     OPEN.and(SESSION);
    BroadcastStop    "broadcast.stop"      [Y N Y T N N N N] Court     HELD;
    FindingMake      "finding.make"        [Y N N N N N N N] Court     BEGUN;
    Leave            "leave"               [H Y H Y L L L Y] Anywhere  ALL;
}

impl Kind {
    /// The row of a command.
    pub fn of(command: &Command) -> Kind {
        match command {
            Command::HearingOpen => Kind::HearingOpen,
            Command::HearingStart => Kind::HearingStart,
            Command::HearingRecess { .. } => Kind::HearingRecess,
            Command::HearingResume => Kind::HearingResume,
            Command::HearingSuspend { .. } => Kind::HearingSuspend,
            Command::HearingSign => Kind::HearingSign,
            Command::HearingClose => Kind::HearingClose,
            Command::HearingArchive => Kind::HearingArchive,
            Command::HearingCancel { .. } => Kind::HearingCancel,
            Command::HearingAdjourn { .. } => Kind::HearingAdjourn,
            Command::HearingMoveOffline { .. } => Kind::HearingMove,
            Command::HearingHandOver { .. } => Kind::HearingHandOver,
            Command::PhaseSet { .. } => Kind::PhaseSet,
            Command::FloorGive { .. } => Kind::FloorGive,
            Command::SeatAdmit { .. } => Kind::SeatAdmit,
            Command::SeatCallWitness { .. } => Kind::SeatCallWitness,
            Command::SeatDismiss { .. } => Kind::SeatDismiss,
            Command::SeatIsolate { .. } => Kind::SeatIsolate,
            Command::SeatRecall { .. } => Kind::SeatRecall,
            Command::SeatRemove { .. } => Kind::SeatRemove,
            Command::MediaLock { .. } => Kind::MediaLock,
            Command::MediaUnlock { .. } => Kind::MediaUnlock,
            Command::MediaBlock { .. } => Kind::MediaBlock,
            Command::MediaUnblock { .. } => Kind::MediaUnblock,
            Command::MediaAskUnmute { .. } => Kind::MediaAskUnmute,
            Command::SelfMic { .. } => Kind::SelfMic,
            Command::SelfCamera { .. } => Kind::SelfCamera,
            Command::SelfDevices { .. } => Kind::SelfDevices,
            Command::FixOffer { .. } => Kind::FixOffer,
            Command::FixAnswer { .. } => Kind::FixAnswer,
            Command::FixDone { .. } => Kind::FixDone,
            Command::SelfHand { .. } => Kind::SelfHand,
            Command::HandLowerAll => Kind::HandLowerAll,
            Command::StepBegin => Kind::StepBegin,
            Command::StepTested { .. } => Kind::StepTested,
            Command::StepIdentified { .. } => Kind::StepIdentified,
            Command::StepAcknowledged => Kind::StepAcknowledged,
            Command::StepRetest => Kind::StepRetest,
            Command::IdentityRequest { .. } => Kind::IdentityRequest,
            Command::IdentitySubmit => Kind::IdentitySubmit,
            Command::IdentityConfirm { .. } => Kind::IdentityConfirm,
            Command::IdentityWaive { .. } => Kind::IdentityWaive,
            Command::ShareStart => Kind::ShareStart,
            Command::ShareStop { seat: None } => Kind::ShareStop,
            Command::ShareStop { seat: Some(_) } => Kind::ShareStopOther,
            Command::RequestMake { request } => match request {
                Request::Floor => Kind::RequestFloor,
                Request::Recess { .. } => Kind::RequestRecess,
                Request::Leave { .. } => Kind::RequestLeave,
                Request::Share => Kind::RequestShare,
                Request::Phase { .. } => Kind::RequestPhase,
            },
            Command::RequestWithdraw { .. } => Kind::RequestWithdraw,
            Command::RequestDecide { .. } => Kind::RequestDecide,
            Command::MessageSend { .. } => Kind::MessageSend,
            Command::HelpAsk { to: None, .. } => Kind::HelpAsk,
            Command::HelpAsk { to: Some(_), .. } => Kind::HelpAnswer,
            Command::RecordPause { .. } => Kind::RecordPause,
            Command::RecordResume => Kind::RecordResume,
            Command::BroadcastStart => Kind::BroadcastStart,
            Command::BroadcastStop => Kind::BroadcastStop,
            Command::FindingMake { .. } => Kind::FindingMake,
            Command::Leave => Kind::Leave,
        }
    }

    /// Where the sender has to stand.
    pub fn from(self) -> From {
        self.row().1
    }

    /// The states of the hearing in which it is legal.
    pub fn states(self) -> States {
        self.row().2
    }
}

/// The cell itself, as it is written.
pub fn cell(kind: Kind, role: Role) -> Cell {
    kind.row().0[column(role)]
}

/// May this role do this, as the hearing is configured? `granted` says that the court has granted the sender what
/// the cell asks for. Presence and hand-over are checked by `command`, where the other people are known.
pub fn role_may(kind: Kind, role: Role, settings: &HearingSettings, granted: bool) -> Result<(), Refusal> {
    match cell(kind, role) {
        Cell::Yes | Cell::SelfOnly | Cell::WhenInCourt | Cell::AfterHandOver | Cell::WithLeave => Ok(()),
        Cell::If(setting) if setting.holds(settings) => Ok(()),
        Cell::FreeIf(setting) if setting.holds(settings) || granted => Ok(()),
        Cell::MayRequest if granted => Ok(()),
        Cell::FreeIf(_) | Cell::MayRequest => Err(Refusal::AskFirst),
        Cell::No | Cell::If(_) => Err(Refusal::NotAllowed),
    }
}

/// [`role_may`], and the hearing is in a state for it.
pub fn permits(
    kind: Kind,
    role: Role,
    state: &HearingState,
    settings: &HearingSettings,
    granted: bool,
) -> Result<(), Refusal> {
    role_may(kind, role, settings, granted)?;
    if kind.states().contains(state) {
        Ok(())
    } else {
        Err(Refusal::WrongHearingState)
    }
}
