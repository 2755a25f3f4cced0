//! Practice rooms: each for one person, so many at once, and over by themselves; no hearing notices.

use crate::kit::{Court, PATIENCE, START};
use crate::signalling::{Socket, next};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::SinkExt;
use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_request::Message as Request;
use proto::signal_response::Message;
use protocol::{Practice, Secret};
use serde_json::{Value, json};

async fn asked(court: &Court, from: &str) -> (u16, Value) {
    court.request("POST", "/api/v1/practice", from, None, None).await
}

async fn practice(court: &Court) -> Practice {
    let (status, answer) = asked(court, "203.0.113.9").await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_value(answer).expect("a Practice")
}

async fn dial(court: &Court, token: &Secret) -> Socket {
    let url = format!("ws://{}/rtc/v1?access_token={}", court.address, token.expose());
    tokio_tungstenite::connect_async(url).await.expect("upgraded").0
}

async fn join(court: &Court, token: &Secret) -> (Socket, proto::JoinResponse) {
    let mut socket = dial(court, token).await;
    match next(&mut socket).await {
        Some(Message::Join(join)) => (socket, join),
        other => panic!("not let in: {other:?}"),
    }
}

async fn say_goodbye(socket: &mut Socket) {
    let leave = proto::SignalRequest {
        message: Some(Request::Leave(proto::LeaveRequest::default())),
    };
    let frame = tokio_tungstenite::tungstenite::Message::binary(leave.encode_to_vec());
    socket.send(frame).await.expect("sent");
}

fn permission(join: &proto::JoinResponse) -> (bool, bool) {
    let me = join.participant.clone().expect("oneself");
    let permission = me.permission.expect("what one may do");
    (permission.can_publish, permission.can_subscribe)
}

fn claims(token: &Secret) -> Value {
    let part = token.expose().split('.').nth(1).expect("three parts").to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("claims")
}

async fn counters(court: &Court) -> String {
    let (_, text) = court.request("GET", "/metrics", "127.0.0.1", None, None).await;
    text.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn one_token_sends_and_the_other_receives_in_a_room_of_ones_own() {
    let court = Court::with_media().await;
    let (mine, other) = (practice(&court).await, practice(&court).await);
    let (_me, joined) = join(&court, &mine.media.token).await;
    assert_eq!(permission(&joined), (true, false));
    assert!(joined.other_participants.is_empty());
    let (_mirror, joined) = join(&court, &mine.mirror).await;
    assert_eq!(permission(&joined), (false, true));
    assert_eq!(joined.other_participants.len(), 1, "the one who practises");
    let (_stranger, joined) = join(&court, &other.mirror).await;
    assert!(joined.other_participants.is_empty(), "another's room");

    for token in [&mine.media.token, &mine.mirror] {
        for method in ["ListRooms", "ListParticipants", "DeleteRoom"] {
            let path = format!("/twirp/livekit.RoomService/{method}");
            let body = json!({ "room": court.hearing.as_str() });
            let asked = court.request("POST", &path, "203.0.113.9", Some(token.expose()), Some(&body));
            assert_eq!(asked.await.0, 403, "{method}");
        }
        let claims = claims(token);
        let lives = claims["exp"].as_u64().expect("an end") - claims["nbf"].as_u64().expect("a beginning");
        assert_eq!(lives, 180, "{claims}");
        let room = claims["video"]["room"].as_str().expect("a room").to_owned();
        assert!(
            room != court.hearing.as_str() && room.starts_with("practice-"),
            "{room}"
        );
    }
    let now = mine.server_time.0;
    assert!(mine.media.expires_at.0 >= now + 179_000 && mine.media.expires_at.0 <= now + 180_000);
    let counters = counters(&court).await;
    assert!(
        counters.contains("mingting_practice_rooms_total 2\n"),
        "{counters}"
    );
}

#[tokio::test]
async fn the_room_ends_when_the_one_who_practises_leaves_and_its_tokens_with_it() {
    let court = Court::with_media().await;
    let room = practice(&court).await;
    let (mut mirror, _) = join(&court, &room.mirror).await;
    let (mut me, _) = join(&court, &room.media.token).await;
    // Coming in anew is no end, nor is it when the mirror goes: the room is there for the next.
    let (mut again, _) = join(&court, &room.media.token).await;
    say_goodbye(&mut mirror).await;
    while next(&mut mirror).await.is_some() {}
    while next(&mut me).await.is_some() {}
    let (mut mirror, _) = join(&court, &room.mirror).await;
    say_goodbye(&mut again).await;
    let told = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Message::Leave(leave) = next(&mut mirror).await.expect("a reason before the end") {
                return leave.reason();
            }
        }
    });
    assert_eq!(
        told.await.expect("told in time"),
        proto::DisconnectReason::RoomDeleted
    );
    let first = next(&mut dial(&court, &room.media.token).await).await;
    assert!(
        matches!(first, Some(Message::Leave(_))),
        "let in again: {first:?}"
    );
}

#[tokio::test]
async fn rooms_are_limited_for_each_address_and_for_all_and_end_by_themselves() {
    let court = Court::open().await;
    let open = || court.rooms.practice.lock().expect("whole").len();
    let house = |n: u32| format!("203.0.113.{n}");
    for n in 0..48 {
        assert_eq!(asked(&court, &house(1)).await.0, 200, "{n}");
    }
    let (status, answer) = asked(&court, &house(1)).await;
    assert_eq!((status, &answer["code"]), (503, &json!("busy")), "{answer}");
    assert!(answer["retryAfterMs"].as_u64().expect("when to ask again") > 0);
    for n in 48..192 {
        assert_eq!(asked(&court, &house(n)).await.0, 200, "others are let in: {n}");
    }
    assert_eq!(
        asked(&court, &house(200)).await.1["code"],
        "busy",
        "no place is left"
    );
    assert_eq!(open(), 192);

    court.clock.advance(180_000);
    tokio::time::timeout(PATIENCE, async {
        while open() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all rooms end");
    // The places are free again only after the rooms are closed; and who had 49 asks of 180 has 131 left.
    let mut let_in = 0;
    let refused = loop {
        let (status, answer) = asked(&court, &house(1)).await;
        if status != 200 {
            break answer;
        }
        let_in += 1;
        if let_in % 48 == 0 {
            court.clock.advance(180_000);
            tokio::time::timeout(PATIENCE, async {
                while open() > 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .expect("all rooms end");
        }
    };
    assert_eq!(refused["code"], "tooManyTries", "{refused}");
    assert_eq!(let_in, 180 - 49);
    assert!(court.clock.now() > START);
}
