//! HTTP requests and replies.

use super::every_variant;
use super::name;
use super::state::{self, NOW};
use protocol::*;

pub(crate) fn enter() -> Vec<Enter> {
    vec![Enter {
        code: Secret::new("1234 5674"),
    }]
}

pub(crate) fn entered() -> Vec<Entered> {
    vec![Entered {
        ticket: Secret::new("ticket"),
        hearing: "h1".into(),
        case: state::case(),
        state: HearingState::Open,
        seat: state::seat(),
        others: vec![Seat {
            id: "s2".into(),
            role: Role::Plaintiff,
            title: "原告".into(),
            represents: None,
            ..state::seat()
        }],
        in_use: false,
        identity_step: true,
    }]
}

pub(crate) fn take_seat() -> Vec<TakeSeat> {
    let capacities = every_variant!(vec![
        Capacity::Party { id_number: Some(IdNumber::new("110101199001011234")) },
        Capacity::Party { id_number: None },
        Capacity::Agent {
            represents: "s2".into(),
            kind: AgentKind::Lawyer,
            licence: Some(IdNumber::new("11101202010000001")),
            authority: AgentAuthority::Special,
        },
        Capacity::Other,
    ], Capacity: Party Agent Other);
    let take = |capacity| TakeSeat {
        ticket: Secret::new("ticket"),
        name: name("李示例"),
        capacity,
        take_over: false,
    };
    capacities.into_iter().map(take).collect()
}

pub(crate) fn seat_taken() -> Vec<SeatTaken> {
    vec![SeatTaken {
        hearing: "h1".into(),
        seat: "s3".into(),
        token: Secret::new("seat-token"),
    }]
}

pub(crate) fn staff_sign_in() -> Vec<StaffSignIn> {
    vec![StaffSignIn {
        account: Secret::new("wang"),
        password: Secret::new("password"),
    }]
}

pub(crate) fn staff_signed_in() -> Vec<StaffSignedIn> {
    vec![StaffSignedIn {
        token: Secret::new("staff-token"),
        name: name("王示例"),
        hearings: vec![StaffHearing {
            hearing: "h1".into(),
            case: state::case(),
            state: HearingState::Scheduled,
            seat: "s1".into(),
            role: Role::PresidingJudge,
            in_use: false,
        }],
    }]
}

pub(crate) fn practice() -> Vec<Practice> {
    vec![Practice {
        media: MediaAccess {
            url: String::new(),
            token: Secret::new("sending-token"),
            expires_at: NOW.plus(180_000),
        },
        mirror: Secret::new("receiving-token"),
        server_time: NOW,
    }]
}

pub(crate) fn sent_self_tests() -> Vec<SendSelfTest> {
    let senders = every_variant!(vec![
        TestSender::Code { code: Secret::new("26031801") },
        TestSender::Seat { seat: seat_taken().remove(0) },
    ], TestSender: Code Seat);
    let report = super::selftest::all().remove(2);
    let send = |by| SendSelfTest {
        by,
        report: report.clone(),
    };
    senders.into_iter().map(send).collect()
}

pub(crate) fn read_self_tests() -> Vec<SelfTestsRead> {
    vec![SelfTestsRead {
        tests: vec![SeatTest {
            seat: "s3".into(),
            sent_at: NOW,
            report: super::selftest::all().remove(2),
        }],
    }]
}

pub(crate) fn errors() -> Vec<ApiError> {
    let codes = every_variant!(vec![
        ApiErrorCode::CodeNotAccepted, ApiErrorCode::CodeNotYetValid, ApiErrorCode::CodeExpired,
        ApiErrorCode::SeatInUse, ApiErrorCode::NameMismatch, ApiErrorCode::CapacityMismatch,
        ApiErrorCode::TicketExpired, ApiErrorCode::SignInFailed, ApiErrorCode::NotSignedIn, ApiErrorCode::NotAllowed,
        ApiErrorCode::NotFound, ApiErrorCode::BadRequest, ApiErrorCode::TooManyTries, ApiErrorCode::Busy,
        ApiErrorCode::Internal,
    ], ApiErrorCode:
        CodeNotAccepted CodeNotYetValid CodeExpired SeatInUse NameMismatch CapacityMismatch TicketExpired
        SignInFailed NotSignedIn NotAllowed NotFound BadRequest TooManyTries Busy Internal);
    let error = |code| ApiError {
        code,
        retry_after_ms: (code == ApiErrorCode::TooManyTries).then_some(60_000),
        valid_from: (code == ApiErrorCode::CodeNotYetValid).then_some(NOW),
    };
    codes.into_iter().map(error).collect()
}
