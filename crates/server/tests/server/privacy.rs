//! Nothing of a person reaches the log, at the most talkative level there is.

use crate::kit::{Client, Court, logged};
use protocol::{ClientFrame, Command, DropCause, Words};
use serde_json::json;

#[tokio::test]
async fn no_name_code_token_word_or_address_is_logged() {
    let court = Court::open().await;
    let (mut judge, mut plaintiff, _defendant) = court.in_session().await;
    let address = "198.51.100.77";
    let wrong = json!({ "code": "5550 1234" });
    let _refused = court
        .request("POST", "/api/v1/enter", address, None, Some(&wrong))
        .await;
    let entered = court.enter("witness").await;
    let mut claim = court.claim("witness", entered.ticket.clone(), false);
    claim["name"] = json!("冒名顶替");
    let _refused = court.post("/api/v1/seat", &claim).await;
    let _refused = court
        .post("/api/v1/seat", &json!({ "ticket": "坏请求", "name": 7 }))
        .await;
    let body = json!({ "account": "judge-demo", "password": court.passwords["judge-demo"] });
    let (_, signed_in) = court.post("/api/v1/staff/sign-in", &body).await;
    let staff = signed_in["token"].as_str().expect("a token").to_owned();
    judge.say("这句话不进日志").await;
    judge
        .done(Command::SeatIsolate {
            seat: "plaintiff".into(),
            reason: Words::new("这个理由不进日志"),
        })
        .await;
    plaintiff
        .send(&ClientFrame::Goodbye {
            cause: DropCause::WindowClosed,
        })
        .await;
    let token = plaintiff.seat.token.clone();
    let mut plaintiff = plaintiff.resume(Some(DropCause::Sleep)).await.expect("welcome");
    plaintiff.settle().await;
    let media = judge.media.clone().expect("the judge is in court");
    let mut stranger = plaintiff.seat.clone();
    stranger.token = protocol::Secret::new("a stranger's token");
    assert!(Client::hello(court.address, &stranger, None, None).await.is_err());
    drop(judge);
    let court = court.restart().await;

    let log = logged();
    assert!(
        log.contains(court.hearing.as_str()),
        "the log says something about this hearing"
    );
    let mut secrets: Vec<String> = vec![
        "这句话不进日志".into(),
        "这个理由不进日志".into(),
        "冒名顶替".into(),
        "坏请求".into(),
        "55501234".into(),
        "5550 1234".into(),
        "a stranger's token".into(),
        "民初1234号".into(),
        "judge-demo".into(),
        address.into(),
        "203.0.113.9".into(),
        staff,
        token.expose().into(),
        entered.ticket.expose().into(),
        media.token.expose().into(),
    ];
    secrets.extend(
        court
            .people
            .values()
            .flat_map(|p| [p.name.clone(), p.code.clone()]),
    );
    secrets.extend(court.passwords.values().cloned());
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}
