//! TypeScript declarations of every wire type, for `cargo xtask codegen`. Never written by hand on the other side.

use crate::*;
use ts_rs::{Config, TS};

/// One TypeScript module with every wire type and the interface `HostCommands`.
pub fn module() -> String {
    let config = Config::default();
    let mut out = String::from(
        "// Made by `cargo xtask codegen` from crates/protocol. Do not edit: change the Rust type and run it again.\n\n",
    );
    out.push_str(&format!("export const PROTOCOL_VERSION = {PROTOCOL_VERSION};\n"));
    out.push_str(&format!("export const MESSAGE_LIMIT = {MESSAGE_LIMIT};\n"));
    out.push_str(&format!("export const REASON_LIMIT = {REASON_LIMIT};\n\n"));
    macro_rules! declare {
        ($($name:ident),* $(,)?) => {
            $(
                out.push_str("export ");
                out.push_str(&<$name as TS>::decl(&config));
                out.push_str("\n\n");
            )*
        };
    }
    declare!(
        PersonName,
        IdNumber,
        Secret,
        NetAddress,
        Words,
        HearingId,
        SeatId,
        ConnectionId,
        CommandId,
        RequestId,
        Seq,
        TimeMs,
        Role,
        Side,
        Seat,
        HearingState,
        SuspendCause,
        Phase,
        ParticipantState,
        DropCause,
        Identity,
        TestScore,
        NetQuality,
        MediaKind,
        TrackSource,
        MediaSwitches,
        Participant,
        Finding,
        FindingKind,
        Request,
        PendingRequest,
        RecordingState,
        PauseReason,
        Floor,
        CaseInfo,
        HearingSettings,
        Snapshot,
        Actor,
        Command,
        Refusal,
        Envelope,
        Event,
        RequestOutcome,
        DeviceCondition,
        DeviceConditions,
        DeviceFix,
        FixState,
        FixOffer,
        ClientFrame,
        NetReport,
        ServerFrame,
        Outcome,
        ByeReason,
        MediaAccess,
        Enter,
        Entered,
        TakeSeat,
        Capacity,
        AgentKind,
        AgentAuthority,
        SeatTaken,
        StaffSignIn,
        StaffSignedIn,
        StaffHearings,
        StaffHearing,
        StaffTakeSeat,
        Practice,
        SendSelfTest,
        TestSender,
        SelfTestsRead,
        ApiError,
        ApiErrorCode,
        StartInfo,
        FrameSocket,
        FrameRequest,
        TrackInfo,
        TrackView,
        DeviceKind,
        DeviceInfo,
        DeviceList,
        DeviceState,
        DeviceFault,
        ScreenInfo,
        LinkState,
        HostEvent,
        HostError,
        SendCommand,
        ChooseDevice,
        SwitchMedia,
        QuickCheck,
        SelfTest,
        TestPlan,
        Voice,
        SeatTest,
        TestStep,
        SelfTestProgress,
        TestPart,
        TestFacts,
        CameraFacts,
        MicrophoneFacts,
        SpeakerFacts,
        EchoFacts,
        TestPath,
        NetworkFacts,
        CodecSpeed,
        TestPower,
        ComputerFacts,
        TestGrant,
        PermissionFacts,
        TestFinding,
        TestRemedy,
    );
    out.push_str("/** Every command from page to host: its arguments and its reply. */\nexport interface HostCommands {\n");
    visit_host_commands(&config, |name, args, reply| {
        out.push_str(&format!("  '{name}': {{ args: {args}; reply: {reply} }};\n"));
    });
    out.push_str("}\n");
    out
}
