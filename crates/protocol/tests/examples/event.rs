//! Events, each in its envelope.

use super::state::{self, NOW};
use super::{every_variant, name, words};
use protocol::*;

pub(crate) fn all() -> Vec<Envelope> {
    let wrap = |(at, event): (usize, Event)| Envelope {
        hearing_id: "h1".into(),
        seq: Seq(at as u64 + 1),
        server_time: NOW.plus(at as u64),
        // Every third was noticed by the server itself.
        actor: (at % 3 != 2).then(|| Actor {
            seat: "s1".into(),
            role: Role::PresidingJudge,
            title: "审判长".into(),
            name: name("王示例"),
        }),
        event,
        caused_by: (at % 3 != 2).then(|| CommandId(format!("c{at}"))),
    };
    events().into_iter().enumerate().map(wrap).collect()
}

fn events() -> Vec<Event> {
    let seat = || SeatId::from("s3");
    every_variant!(vec![
        Event::HearingState { from: HearingState::Open, to: HearingState::InSession { phase: Phase::Opening } },
        Event::Message { text: words("请看第三页") },
        Event::ParticipantState {
            seat: seat(),
            from: ParticipantState::InCourt,
            to: ParticipantState::Isolated { reason: words("隔离质证"), since: NOW },
        },
        Event::ParticipantShown { participant: Box::new(state::person()) },
        Event::ParticipantHidden { seat: seat() },
        Event::ParticipantMedia {
            seat: seat(),
            media: MediaSwitches { mic_locked: true, asked_to_unmute: false, ..MediaSwitches::default() },
        },
        Event::ParticipantHand { seat: seat(), up: true },
        Event::ParticipantSeat { seat: state::seat() },
        Event::ParticipantReplaced { seat: seat() },
        Event::ParticipantTest { seat: seat(), score: TestScore::Bad },
        Event::ParticipantDevices { seat: seat(), devices: state::person().devices },
        Event::ParticipantFix { seat: seat(), fix: Some(state::fix(DeviceFix::NextMicrophone, FixState::Offered)) },
        Event::ParticipantFix { seat: seat(), fix: None },
        Event::IdentityState { seat: seat(), identity: Identity::Passed },
        Event::FloorState { floor: Some(Floor { seat: seat(), since: NOW }) },
        Event::FloorState { floor: None },
        Event::ShareState { seat: seat(), on: true },
        Event::RequestMade { request: state::request() },
        Event::RequestEnded { id: "r7".into(), seat: seat(), outcome: RequestOutcome::Granted },
        Event::Help { seat: seat(), text: words("听不到声音") },
        Event::RecordingState { state: RecordingState::On { since: NOW } },
        Event::BroadcastState { on: true },
        Event::NetHealth { seat: seat(), net: NetQuality::Bad },
        Event::FindingMade { seat: seat(), finding: state::finding() },
    ], Event:
        HearingState ParticipantState ParticipantShown ParticipantHidden ParticipantMedia ParticipantHand
        ParticipantSeat ParticipantReplaced ParticipantTest ParticipantDevices ParticipantFix IdentityState FloorState ShareState RequestMade
        RequestEnded Message Help RecordingState BroadcastState NetHealth FindingMade)
}
