//! Codes and names: who gets in, who does not, and what either can learn.

use crate::kit::{Client, Court, START};
use protocol::{ByeReason, Command, JoinCode, Words};
use serde_json::{Value, json};

fn wrong_code(court: &Court) -> String {
    let taken: Vec<&str> = court.people.values().map(|p| p.code.as_str()).collect();
    (1..)
        .map(|n| JoinCode::from_number(n).expose())
        .find(|c| !taken.contains(&c.as_str()))
        .expect("there are many")
}

#[tokio::test]
async fn a_code_and_a_name_open_a_seat() {
    let court = Court::open().await;
    let entered = court.enter("plaintiff").await;
    assert_eq!(entered.seat.id.as_str(), "plaintiff");
    assert_eq!(entered.hearing, court.hearing);
    assert!(!entered.in_use);
    let invited = &court.people["plaintiff"].name;
    assert_eq!(
        entered.seat.name,
        protocol::PersonName::new(invited.as_str()).masked(),
        "the code does not tell the name that is asked for next"
    );
    let others: Vec<&str> = entered.others.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(
        others,
        ["judge", "clerk", "plaintiff-agent", "defendant"],
        "never the witness"
    );
    let client = court.connect("plaintiff").await;
    assert_eq!(client.snapshot.you.as_str(), "plaintiff");
    assert!(client.media.is_none(), "not before the steps are done");
}

#[tokio::test]
async fn every_seat_of_the_demo_can_be_taken_by_its_code() {
    let court = Court::open().await;
    let mut seats: Vec<&String> = court.people.keys().collect();
    seats.sort();
    for seat in seats {
        assert_eq!(court.connect(seat).await.snapshot.you.as_str(), seat);
    }
}

#[tokio::test]
async fn wrong_malformed_and_unknown_codes_get_one_answer() {
    let court = Court::open().await;
    let right = &court.people["plaintiff"].code;
    let last = (right.as_bytes()[7] - b'0' + 1) % 10;
    let bad = [
        wrong_code(&court),
        format!("{}{last}", &right[..7]),
        "".into(),
        "庭审码".into(),
        "1".repeat(3_000),
    ];
    for code in bad {
        let answer = court.post("/api/v1/enter", &json!({ "code": code })).await;
        let expected = json!({ "code": "codeNotAccepted", "retryAfterMs": null, "validFrom": null });
        assert_eq!(answer, (404, expected), "{code}");
    }
    let typed = format!(" {}　{}", &right[..4], &right[4..]);
    assert_eq!(
        court.post("/api/v1/enter", &json!({ "code": typed })).await.0,
        200,
        "as people type it"
    );
}

#[tokio::test]
async fn one_address_tries_twenty_times_in_ten_minutes() {
    let court = Court::open().await;
    let body = json!({ "code": wrong_code(&court) });
    let right = json!({ "code": court.people["plaintiff"].code });
    let from = "198.51.100.4";
    let enter = async |from: &str, body: &Value| {
        court
            .request("POST", "/api/v1/enter", from, None, Some(body))
            .await
    };
    for _ in 0..20 {
        assert_eq!(enter(from, &body).await.0, 404);
    }
    let (status, answer) = enter(from, &right).await;
    assert_eq!(
        (status, &answer["code"]),
        (429, &json!("tooManyTries")),
        "a right code helps nothing"
    );
    assert_eq!(answer["retryAfterMs"], 600_000);
    assert_eq!(
        enter("198.51.100.5", &right).await.0,
        200,
        "other addresses are not held up"
    );
    court.clock.advance(599_999);
    assert_eq!(enter(from, &right).await.0, 429);
    court.clock.advance(1);
    assert_eq!(enter(from, &right).await.0, 200);
}

#[tokio::test]
async fn a_seat_takes_ten_wrong_names_in_ten_minutes_from_all_addresses_together() {
    let court = Court::open().await;
    let entered = court.enter("plaintiff").await;
    let right = court.claim("plaintiff", entered.ticket, false);
    let mut wrong = right.clone();
    wrong["name"] = json!("李样本");
    let take = async |from: &str, body: &Value| {
        court
            .request("POST", "/api/v1/seat", from, None, Some(body))
            .await
    };
    for n in 0..10 {
        let (status, answer) = take(&format!("198.51.100.{n}"), &wrong).await;
        assert_eq!((status, &answer["code"]), (422, &json!("nameMismatch")));
    }
    assert_eq!(take("198.51.100.99", &right).await.0, 429);
    let defendant = court.enter("defendant").await;
    let body = court.claim("defendant", defendant.ticket, false);
    assert_eq!(
        take("198.51.100.99", &body).await.0,
        200,
        "the other seats are not held up"
    );
    court.clock.advance(600_000);
    assert_eq!(take("198.51.100.99", &right).await.0, 200);
}

#[tokio::test]
async fn a_ticket_lasts_half_an_hour() {
    let court = Court::open().await;
    let entered = court.enter("plaintiff").await;
    court.clock.advance(30 * 60_000);
    let (status, answer) = court
        .post("/api/v1/seat", &court.claim("plaintiff", entered.ticket, false))
        .await;
    assert_eq!((status, &answer["code"]), (401, &json!("ticketExpired")));
}

#[tokio::test]
async fn a_code_ends_with_its_hearing() {
    let court = Court::open().await;
    let mut judge = court.connect("judge").await;
    let ticket = court.enter("plaintiff").await.ticket;
    judge
        .done(Command::HearingCancel {
            reason: Words::new("法庭停电"),
        })
        .await;
    assert_eq!(judge.bye().await, Some(ByeReason::HearingEnded));
    let (status, answer) = court
        .post(
            "/api/v1/enter",
            &json!({ "code": court.people["plaintiff"].code }),
        )
        .await;
    assert_eq!((status, &answer["code"]), (410, &json!("codeExpired")));
    let (status, answer) = court
        .post("/api/v1/seat", &court.claim("plaintiff", ticket, false))
        .await;
    assert_eq!((status, &answer["code"]), (410, &json!("codeExpired")));
}

#[tokio::test]
async fn a_seat_in_use_is_given_only_to_who_says_so_and_the_older_device_is_told() {
    let court = Court::open().await;
    let mut first = court.connect("plaintiff").await;
    let entered = court.enter("plaintiff").await;
    assert!(entered.in_use);
    let body = court.claim("plaintiff", entered.ticket.clone(), false);
    let (status, answer) = court.post("/api/v1/seat", &body).await;
    assert_eq!((status, &answer["code"]), (409, &json!("seatInUse")));
    let mut second = court.connect("plaintiff").await;
    assert_eq!(first.bye().await, Some(ByeReason::Replaced));
    let back = first.resume(None).await;
    assert_eq!(
        back.err(),
        Some(ByeReason::BadToken),
        "the older device does not take the seat back by itself"
    );
    second.settle().await;
}

#[tokio::test]
async fn a_seat_token_opens_one_seat_of_one_hearing() {
    let court = Court::open().await;
    let mut taken = court.take("plaintiff").await;
    taken.hearing = "h-elsewhere".into();
    assert_eq!(
        Client::hello(court.address, &taken, None, None).await.err(),
        Some(ByeReason::BadToken)
    );
    let ticket = court.enter("plaintiff").await.ticket;
    taken.hearing = court.hearing.clone();
    taken.token = ticket;
    assert_eq!(
        Client::hello(court.address, &taken, None, None).await.err(),
        Some(ByeReason::BadToken)
    );
    assert_eq!(court.clock.now(), START);
}

/// A guesser learns nothing from how long the answer takes: the same work is done for every bad code. Medians of
/// alternating tries on a loaded machine still lie within a factor of three; a missing lookup is a factor of ten.
#[tokio::test]
async fn a_malformed_code_takes_as_long_as_a_wrong_one() {
    let court = Court::open().await;
    let wrong = json!({ "code": wrong_code(&court) });
    let malformed = json!({ "code": "12" });
    let mut took = [Vec::new(), Vec::new()];
    for n in 0..60 {
        for (which, body) in [&wrong, &malformed].into_iter().enumerate() {
            let began = tokio::time::Instant::now();
            let from = format!("198.51.{which}.{n}");
            let (status, _) = court
                .request("POST", "/api/v1/enter", &from, None, Some(body))
                .await;
            took[which].push(began.elapsed());
            assert_eq!(status, 404);
        }
    }
    let [wrong, malformed] = took.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    assert!(
        wrong < malformed * 3 && malformed < wrong * 3,
        "{wrong:?} {malformed:?}"
    );
}
