//! Frames of the hearing channel.

use super::every_variant;
use super::state::{self, NOW};
use protocol::*;

pub(crate) fn client() -> Vec<ClientFrame> {
    every_variant!(vec![
        ClientFrame::Hello {
            protocol: PROTOCOL_VERSION,
            token: Secret::new("seat-token"),
            resume_after: None,
            drop_cause: None,
            client: "mingting 0.1.0; Windows 10; WebView2 140".into(),
        },
        ClientFrame::Hello {
            protocol: PROTOCOL_VERSION,
            token: Secret::new("seat-token"),
            resume_after: Some(Seq(41)),
            drop_cause: Some(DropCause::Sleep),
            client: "mingting 0.1.0; Debian 12; WebKitGTK 2.50".into(),
        },
        ClientFrame::Command {
            command_id: "c1".into(),
            expected_seq: Some(Seq(42)),
            command: Command::SelfMic { on: true },
        },
        ClientFrame::Command { command_id: "c2".into(), expected_seq: None, command: Command::HearingStart },
        ClientFrame::Ping { sent_at: NOW },
        ClientFrame::Refresh,
        ClientFrame::NetReport(NetReport { rtt_ms: 80, loss: 0.25, jitter_ms: 12 }),
        ClientFrame::Goodbye { cause: DropCause::WindowClosed },
    ], ClientFrame: Hello Command Ping Refresh NetReport Goodbye)
}

pub(crate) fn server() -> Vec<ServerFrame> {
    let media = || MediaAccess {
        url: String::new(),
        token: Secret::new("media-token"),
        expires_at: NOW.plus(3_600_000),
    };
    let snapshot = || Box::new(state::snapshot());
    let envelope = super::event::all().remove(0);
    every_variant!(vec![
        ServerFrame::Welcome { connection: "k1".into(), snapshot: snapshot(), media: Some(media()) },
        ServerFrame::Welcome { connection: "k1".into(), snapshot: snapshot(), media: None },
        ServerFrame::Snapshot { snapshot: snapshot() },
        ServerFrame::Media { media: media() },
        ServerFrame::Event { envelope },
        ServerFrame::Reply { command_id: "c1".into(), outcome: Outcome::Accepted { seq: Seq(43) } },
        ServerFrame::Reply { command_id: "c2".into(), outcome: Outcome::Rejected { code: Refusal::NotAllowed } },
        ServerFrame::Pong { sent_at: NOW, server_time: NOW.plus(40) },
        ServerFrame::Bye { reason: ByeReason::Replaced },
    ], ServerFrame: Welcome Snapshot Media Event Reply Pong Bye)
}

pub(crate) fn outcomes() -> Vec<Outcome> {
    let refusals = every_variant!(vec![
        Refusal::NotAllowed, Refusal::AskFirst, Refusal::WrongHearingState, Refusal::NotInCourt,
        Refusal::WrongTargetState, Refusal::UnknownSeat, Refusal::UnknownRequest, Refusal::Stale,
        Refusal::LockedByCourt, Refusal::NeedsLeave, Refusal::NeedsHandOver, Refusal::Invalid,
        Refusal::NothingToDo, Refusal::CommandIdReused, Refusal::Unavailable, Refusal::TooFast,
    ], Refusal:
        NotAllowed AskFirst WrongHearingState NotInCourt WrongTargetState UnknownSeat UnknownRequest Stale
        LockedByCourt NeedsLeave NeedsHandOver Invalid NothingToDo CommandIdReused Unavailable TooFast);
    let mut outcomes = vec![Outcome::Accepted { seq: Seq(43) }];
    outcomes.extend(refusals.into_iter().map(|code| Outcome::Rejected { code }));
    outcomes
}

pub(crate) fn bye_reasons() -> Vec<ByeReason> {
    every_variant!(vec![
        ByeReason::Replaced, ByeReason::Removed, ByeReason::Left, ByeReason::HearingEnded, ByeReason::BadToken,
        ByeReason::UpdateNeeded, ByeReason::ProtocolError, ByeReason::Restarting, ByeReason::TooSlow, ByeReason::TooOften,
    ], ByeReason: Replaced Removed Left HearingEnded BadToken UpdateNeeded ProtocolError Restarting TooSlow TooOften)
}
