//! Reports of device checks: who may send one for which seat, who reads them, and that the court sees the score at once.

use crate::kit::{Court, START};
use protocol::{
    Command, Event, SeatTaken, Secret, SelfTest, SelfTestsRead, SendSelfTest, TestFacts, TestPart, TestScore,
    TestSender, TimeMs,
};
use serde_json::{Value, json};

fn report(score: TestScore) -> SelfTest {
    let part = || TestPart {
        score,
        findings: Vec::new(),
        remedies: Vec::new(),
    };
    SelfTest {
        taken_at: TimeMs(1),
        took_ms: 16_000,
        version: "0.1.0".into(),
        facts: TestFacts::default(),
        camera: part(),
        microphone: part(),
        speaker: part(),
        network: part(),
        computer: part(),
        permissions: part(),
        overall: part(),
    }
}

fn by_code(code: &str, report: SelfTest) -> Value {
    let by = TestSender::Code {
        code: Secret::new(code),
    };
    serde_json::to_value(SendSelfTest { by, report }).expect("JSON")
}

fn by_seat(seat: &SeatTaken, report: SelfTest) -> Value {
    let by = TestSender::Seat { seat: seat.clone() };
    serde_json::to_value(SendSelfTest { by, report }).expect("JSON")
}

async fn send(court: &Court, body: &Value) -> (u16, Value) {
    court
        .request("POST", "/api/v1/self-tests", "203.0.113.9", None, Some(body))
        .await
}

async fn read(court: &Court, hearing: &str, seat: &SeatTaken) -> (u16, Value) {
    let path = format!("/api/v1/hearings/{hearing}/self-tests");
    court
        .request("GET", &path, "203.0.113.9", Some(seat.token.expose()), None)
        .await
}

async fn read_well(court: &Court, seat: &SeatTaken) -> SelfTestsRead {
    let (status, answer) = read(court, court.hearing.as_str(), seat).await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_value(answer).expect("SelfTestsRead")
}

#[tokio::test]
async fn the_clerk_sees_a_report_that_was_sent_by_code_days_before_and_another_party_does_not() {
    let court = Court::open().await;
    let code = court.people["plaintiff"].code.clone();
    let (status, answer) = send(&court, &by_code(&code, report(TestScore::Usable))).await;
    assert_eq!((status, answer), (200, Value::Null));
    let clerk = court.take("clerk").await;
    let tests = read_well(&court, &clerk).await.tests;
    assert_eq!(tests.len(), 1);
    assert_eq!((tests[0].seat.as_str(), tests[0].sent_at), ("plaintiff", START));
    assert_eq!(tests[0].report, report(TestScore::Usable));
    let party = court.take("defendant").await;
    assert_eq!(read(&court, court.hearing.as_str(), &party).await.0, 403);
    assert_eq!(read(&court, "h-other", &clerk).await.0, 404, "another hearing");
}

#[tokio::test]
async fn a_score_reaches_the_clerk_who_is_there_and_survives_a_restart() {
    let court = Court::open().await;
    let mut clerk = court.connect("clerk").await;
    let plaintiff = court.take("plaintiff").await;
    let (status, _) = send(&court, &by_seat(&plaintiff, report(TestScore::Bad))).await;
    assert_eq!(status, 200);
    let told = clerk
        .until(|envelope| matches!(envelope.event, Event::ParticipantTest { .. }))
        .await;
    let Event::ParticipantTest { seat, score } = told.event else {
        unreachable!("what was waited for");
    };
    assert_eq!((seat.as_str(), score), ("plaintiff", TestScore::Bad));
    drop(clerk);
    let court = court.restart().await;
    let clerk = court.take("clerk").await;
    assert_eq!(read_well(&court, &clerk).await.tests.len(), 1);
}

#[tokio::test]
async fn only_the_newest_of_a_seat_are_kept() {
    let court = Court::open().await;
    let code = court.people["plaintiff"].code.clone();
    for taken_at in 0..u64::from(SelfTestsRead::KEPT) + 3 {
        let report = SelfTest {
            taken_at: TimeMs(taken_at),
            ..report(TestScore::Good)
        };
        assert_eq!(send(&court, &by_code(&code, report)).await.0, 200);
    }
    let clerk = court.take("clerk").await;
    let kept: Vec<u64> = read_well(&court, &clerk)
        .await
        .tests
        .iter()
        .map(|test| test.report.taken_at.0)
        .collect();
    let newest: Vec<u64> = (3..u64::from(SelfTestsRead::KEPT) + 3).rev().collect();
    assert_eq!(kept, newest);
}

#[tokio::test]
async fn who_shows_nothing_right_sends_nothing() {
    let court = Court::open().await;
    let plaintiff = court.take("plaintiff").await;
    let other_seat = SeatTaken {
        seat: "defendant".into(),
        ..plaintiff.clone()
    };
    let guessed = SeatTaken {
        token: Secret::new("guessed"),
        ..plaintiff
    };
    let too_long = SelfTest {
        version: "x".repeat(20_000),
        ..report(TestScore::Good)
    };
    let code = court.people["plaintiff"].code.clone();
    for (body, status) in [
        (by_code("00000000", report(TestScore::Good)), 404),
        (by_code("no code", report(TestScore::Good)), 404),
        (by_seat(&other_seat, report(TestScore::Good)), 401),
        (by_seat(&guessed, report(TestScore::Good)), 401),
        (by_code(&code, too_long), 400),
        (json!({ "by": { "name": "code", "code": code } }), 400),
    ] {
        assert_eq!(send(&court, &body).await.0, status, "{body}");
    }
    let clerk = court.take("clerk").await;
    assert!(read_well(&court, &clerk).await.tests.is_empty());
}

#[tokio::test]
async fn codes_are_guessed_here_as_slowly_as_where_they_are_typed() {
    let court = Court::open().await;
    let mut answers = Vec::new();
    for _ in 0..25 {
        answers.push(
            send(&court, &by_code("00000000", report(TestScore::Good)))
                .await
                .0,
        );
    }
    assert_eq!(answers.last(), Some(&429), "{answers:?}");
    let typed = json!({ "code": court.people["plaintiff"].code });
    let asked = court.request("POST", "/api/v1/enter", "203.0.113.9", None, Some(&typed));
    assert_eq!(asked.await.0, 429, "one book for both");
}

#[tokio::test]
async fn a_hearing_that_is_over_takes_no_report() {
    let court = Court::open().await;
    let (mut judge, ..) = court.in_session().await;
    judge.done(Command::HearingClose).await;
    let code = court.people["plaintiff"].code.clone();
    assert_eq!(
        send(&court, &by_code(&code, report(TestScore::Good))).await.0,
        410
    );
}
