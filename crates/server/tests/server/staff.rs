//! Court staff: signing in, their hearings, their seat.

use crate::kit::{Client, Court};
use protocol::SeatTaken;
use serde_json::{Value, json};

async fn sign_in(court: &Court, login: &str, password: &str) -> (u16, Value) {
    court
        .post(
            "/api/v1/staff/sign-in",
            &json!({ "account": login, "password": password }),
        )
        .await
}

#[tokio::test]
async fn a_judge_signs_in_and_takes_the_seat() {
    let court = Court::open().await;
    let (status, answer) = sign_in(&court, "judge-demo", &court.passwords["judge-demo"]).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["token"].as_str().expect("a token");
    assert_eq!(answer["hearings"][0]["hearing"], court.hearing.as_str());
    assert_eq!(answer["hearings"][0]["seat"], "judge");
    let (status, list) = court
        .request("GET", "/api/v1/staff/hearings", "203.0.113.9", Some(token), None)
        .await;
    assert_eq!((status, &list["hearings"]), (200, &answer["hearings"]));
    let body = json!({ "hearing": court.hearing.as_str(), "takeOver": false });
    let (status, taken) = court
        .request(
            "POST",
            "/api/v1/staff/seat",
            "203.0.113.9",
            Some(token),
            Some(&body),
        )
        .await;
    assert_eq!(status, 200, "{taken}");
    let taken: SeatTaken = serde_json::from_value(taken).expect("a SeatTaken");
    let _judge = Client::hello(court.address, &taken, None, None)
        .await
        .expect("welcome");
    let (_, list) = court
        .request("GET", "/api/v1/staff/hearings", "203.0.113.9", Some(token), None)
        .await;
    assert_eq!(list["hearings"][0]["inUse"], true);
    let (status, answer) = court
        .request(
            "POST",
            "/api/v1/staff/seat",
            "203.0.113.9",
            Some(token),
            Some(&body),
        )
        .await;
    assert_eq!((status, &answer["code"]), (409, &json!("seatInUse")));
    court.clock.advance(12 * 3_600_000);
    let (status, _) = court
        .request("GET", "/api/v1/staff/hearings", "203.0.113.9", Some(token), None)
        .await;
    assert_eq!(status, 401, "a session lasts a working day");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_one_answer() {
    let court = Court::open().await;
    let wrong = sign_in(&court, "judge-demo", "wrong").await;
    assert_eq!((wrong.0, &wrong.1["code"]), (401, &json!("signInFailed")));
    assert_eq!(sign_in(&court, "nobody", "wrong").await, wrong);
    assert_eq!(sign_in(&court, "", "").await, wrong);
}

/// From one of a street's addresses. Gives the status.
async fn sign_in_from(court: &Court, n: u8, account: &str, password: &str) -> u16 {
    let body = json!({ "account": account, "password": password });
    let from = format!("198.51.100.{n}");
    court
        .request("POST", "/api/v1/staff/sign-in", &from, None, Some(&body))
        .await
        .0
}

#[tokio::test]
async fn an_account_takes_ten_wrong_passwords_in_ten_minutes_from_one_address_and_is_open_from_all_others() {
    let court = Court::open().await;
    let try_from = async |n: u8, password: &str| sign_in_from(&court, n, "judge-demo", password).await;
    for _ in 0..10 {
        assert_eq!(try_from(1, "wrong").await, 401);
    }
    let right = court.passwords["judge-demo"].clone();
    assert_eq!(try_from(1, &right).await, 429);
    // The judge, elsewhere: the answer is held back for a second by then, and it is a yes.
    let mut answer = std::pin::pin!(try_from(2, &right));
    let another = async {
        // Each takes as long as the judge's would.
        for n in 3..6 {
            assert_eq!(sign_in_from(&court, n, "clerk-demo", "wrong").await, 401);
        }
    };
    tokio::select! {
        biased;
        status = &mut answer => panic!("answered at once: {status}"),
        () = another => {}
    }
    court.clock.advance(1_000);
    assert_eq!(answer.await, 200);
    court.clock.advance(600_000);
    assert_eq!(try_from(1, &right).await, 200);
}

#[tokio::test]
async fn somebody_elses_hearing_is_not_there() {
    let court = Court::open().await;
    let (_, answer) = sign_in(&court, "clerk-demo", &court.passwords["clerk-demo"]).await;
    let token = answer["token"].as_str().expect("a token");
    let body = json!({ "hearing": "h-elsewhere", "takeOver": true });
    let (status, answer) = court
        .request(
            "POST",
            "/api/v1/staff/seat",
            "203.0.113.9",
            Some(token),
            Some(&body),
        )
        .await;
    assert_eq!((status, &answer["code"]), (404, &json!("notFound")));
}
