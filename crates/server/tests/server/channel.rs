//! The hearing channel: coming back, being replaced, saying nonsense, not reading, and the server going away.

use crate::kit::{Client, Court, START, next_frame, send_frame, socket};
use futures_util::SinkExt;
use protocol::{
    ByeReason, ClientFrame, Command, CommandId, DropCause, Event, FRAME_LIMIT, HearingState, NetQuality,
    NetReport, Outcome, PROTOCOL_VERSION, ParticipantState, Refusal, SILENCE_LIMIT_MS, Secret, ServerFrame,
    TimeMs, Words,
};
use server::clock::Clock;
use tokio_tungstenite::tungstenite::Message;

fn is_message(event: &Event) -> bool {
    matches!(event, Event::Message { .. })
}

fn dropped(event: &Event, who: &str) -> Option<(TimeMs, DropCause)> {
    match event {
        Event::ParticipantState {
            seat,
            to: ParticipantState::Disconnected { since, cause, .. },
            ..
        } if seat.as_str() == who => Some((*since, *cause)),
        _ => None,
    }
}

#[tokio::test]
async fn who_comes_back_gets_the_picture_and_what_was_missed() {
    let court = Court::open().await;
    let (mut judge, mut plaintiff, mut defendant) = court.in_session().await;
    let known = judge.say("一").await;
    plaintiff.until(|e| e.seq == known).await;
    plaintiff.settle().await;
    let (last, seat) = (plaintiff.last_seq(), plaintiff.seat.clone());
    plaintiff
        .send(&ClientFrame::Goodbye {
            cause: DropCause::Sleep,
        })
        .await;
    drop(plaintiff);
    let gone = judge.until(|e| dropped(&e.event, "plaintiff").is_some()).await;
    // A dropped socket is what was seen, a machine going to sleep what was said of it.
    let Event::ParticipantState {
        to: ParticipantState::Disconnected { cause, told, .. },
        ..
    } = &gone.event
    else {
        panic!("found")
    };
    assert_eq!(
        (*cause, *told),
        (DropCause::ConnectionReset, Some(DropCause::Sleep))
    );
    let missed = [judge.say("二").await, defendant.say("三").await];
    let mut back = Client::hello(court.address, &seat, Some(last), Some(DropCause::Sleep))
        .await
        .expect("welcome");
    assert!(back.snapshot.seq > missed[1]);
    assert!(back.media.is_some());
    back.settle().await;
    let log = &back.snapshot.log;
    let messages = log.iter().filter(|e| is_message(&e.event)).map(|e| e.seq);
    let messages: Vec<_> = messages.filter(|seq| *seq > last).collect();
    assert_eq!(messages, missed, "what was missed is in the picture");
    assert_eq!(back.events, [], "and nothing comes twice");
    let own = back
        .snapshot
        .participants
        .iter()
        .find(|p| p.seat.id.as_str() == "plaintiff")
        .expect("oneself");
    assert_eq!(own.state, ParticipantState::InCourt);
    let seqs: Vec<_> = back.snapshot.log.iter().map(|e| e.seq).collect();
    assert!(seqs.is_sorted(), "{seqs:?}");
}

#[tokio::test]
async fn the_same_command_is_carried_out_once_whatever_happens_to_the_connection() {
    let court = Court::open().await;
    let (judge, ..) = court.in_session().await;
    let mut judge = judge;
    let id = CommandId::from("once");
    let say = Command::MessageSend {
        text: Words::new("只说一次"),
    };
    let first = judge.command_as(id.clone(), say.clone()).await;
    assert!(matches!(first, Outcome::Accepted { .. }));
    let mut judge = judge
        .resume(Some(DropCause::ConnectionReset))
        .await
        .expect("welcome");
    assert_eq!(judge.command_as(id.clone(), say).await, first);
    let other = Command::MessageSend {
        text: Words::new("别的"),
    };
    let reused = judge.command_as(id, other).await;
    judge.settle().await;
    let all = judge.snapshot.log.iter().chain(&judge.events);
    let said: std::collections::BTreeSet<_> = all.filter(|e| is_message(&e.event)).map(|e| e.seq).collect();
    assert_eq!(said.len(), 1, "{reused:?}");
}

#[tokio::test]
async fn silence_and_a_broken_line_are_drops_with_evidence_and_never_a_leave() {
    let court = Court::open().await;
    let (mut judge, plaintiff, defendant) = court.in_session().await;
    let heard_at = court.clock.now();
    court.clock.advance(SILENCE_LIMIT_MS - 1);
    judge.settle().await;
    let mut defendant = defendant;
    defendant.settle().await;
    court.clock.advance(1);
    let gone = judge.until(|e| dropped(&e.event, "plaintiff").is_some()).await;
    assert_eq!(
        dropped(&gone.event, "plaintiff"),
        Some((heard_at, DropCause::Silence))
    );
    drop(plaintiff);
    drop(defendant);
    let gone = judge.until(|e| dropped(&e.event, "defendant").is_some()).await;
    assert_eq!(
        dropped(&gone.event, "defendant").expect("found").1,
        DropCause::ConnectionReset
    );
}

#[tokio::test]
async fn a_token_that_waits_for_its_device_is_not_voided_by_the_older_device() {
    let court = Court::open().await;
    let (_judge, plaintiff, _defendant) = court.in_session().await;
    let older = plaintiff.seat.clone();
    let newer = court.take("plaintiff").await;
    // The older device's line flickers before the newer one has said hello.
    let plaintiff = plaintiff.resume(None).await.expect("still its seat");
    drop(plaintiff);
    let plaintiff = Client::hello(court.address, &older, None, None)
        .await
        .expect("still its seat");
    let mut plaintiff = plaintiff;
    let byes = async { plaintiff.bye().await };
    let (court, _restarting) = tokio::join!(court.restart(), byes);
    // A server that has just started does not know which device was the last.
    let plaintiff = Client::hello(court.address, &older, None, None)
        .await
        .expect("still its seat");
    let mut taken_over = Client::hello(court.address, &newer, None, None)
        .await
        .expect("the newer one is good");
    taken_over.settle().await;
    drop(plaintiff);
    let refused = Client::hello(court.address, &older, None, None).await.err();
    assert_eq!(refused, Some(ByeReason::BadToken), "and now the older one is not");
    taken_over.settle().await;
}

#[tokio::test]
async fn the_newer_device_has_the_seat_also_where_the_clock_was_set_back_meanwhile() {
    let mut court = Court::open().await;
    let older = court.take("plaintiff").await;
    court.clock = Clock::manual(TimeMs(START.0 - 3_600_000));
    let court = court.restart().await;
    let newer = court.take("plaintiff").await;
    let mut newest = Client::hello(court.address, &newer, None, None)
        .await
        .expect("welcome");
    newest.settle().await;
    let refused = Client::hello(court.address, &older, None, None).await.err();
    assert_eq!(refused, Some(ByeReason::BadToken));
}

#[tokio::test]
async fn a_lost_judge_suspends_the_hearing_after_the_grace_time() {
    let court = Court::open().await;
    let (judge, mut plaintiff, _defendant) = court.in_session().await;
    drop(judge);
    plaintiff.until(|e| dropped(&e.event, "judge").is_some()).await;
    // The others go on pinging.
    for _ in 0..5 {
        court.clock.advance(3_000);
        plaintiff.settle().await;
    }
    let suspended = plaintiff
        .until(|e| matches!(e.event, Event::HearingState { .. }) && e.actor.is_none())
        .await;
    assert!(
        matches!(
            suspended.event,
            Event::HearingState {
                to: protocol::HearingState::Suspended { .. },
                ..
            }
        ),
        "{suspended:?}"
    );
    assert!(
        !court.rooms.rights("plaintiff").subscribe,
        "nothing passes in a suspended hearing"
    );
}

#[tokio::test]
async fn nonsense_ends_only_the_connection_it_comes_from() {
    let court = Court::open().await;
    let (mut judge, ..) = court.in_session().await;
    let nonsense = [
        Message::text("{"),
        Message::text("null"),
        Message::text(
            r#"{"type":"command","commandId":"x","expectedSeq":null,"command":{"type":"hearing.destroy"}}"#,
        ),
        Message::text(
            r#"{"type":"hello","protocol":1,"token":"t","resumeAfter":null,"dropCause":null,"client":""}"#,
        ),
        Message::binary(vec![0u8; 10]),
        Message::text("[".repeat(100_000)),
        Message::text("x".repeat(FRAME_LIMIT + 1)),
    ];
    for message in nonsense {
        let shown: String = message.to_string().chars().take(40).collect();
        let mut defendant = court.connect("defendant").await;
        // The server may close before all of an oversized frame was written.
        let _cut = defendant.socket.send(message).await;
        let reason = defendant.bye().await;
        assert!(
            matches!(reason, Some(ByeReason::ProtocolError) | None),
            "{shown}: {reason:?}"
        );
        let oversized = shown.starts_with("xxxx");
        assert!(reason.is_some() || oversized, "{shown}");
        judge.until(|e| dropped(&e.event, "defendant").is_some()).await;
        judge.events.clear();
    }
    judge.say("庭审继续").await;
}

#[tokio::test]
async fn a_first_frame_that_is_not_a_good_hello_is_answered_with_why() {
    let court = Court::open().await;
    let hello = |protocol, token: &str| ClientFrame::Hello {
        protocol,
        token: Secret::new(token),
        resume_after: None,
        drop_cause: None,
        client: String::new(),
    };
    let token = court.take("plaintiff").await.token;
    let cases = [
        (
            serde_json::to_string(&hello(PROTOCOL_VERSION + 1, token.expose())).expect("JSON"),
            ByeReason::UpdateNeeded,
        ),
        (
            r#"{"type":"hello","protocol":99}"#.to_owned(),
            ByeReason::UpdateNeeded,
        ),
        (
            serde_json::to_string(&hello(PROTOCOL_VERSION, "no token")).expect("JSON"),
            ByeReason::BadToken,
        ),
        (
            serde_json::to_string(&ClientFrame::Refresh).expect("JSON"),
            ByeReason::ProtocolError,
        ),
        ("hello".to_owned(), ByeReason::ProtocolError),
    ];
    for (text, expected) in cases {
        let mut socket = socket(court.address, court.hearing.as_str()).await;
        socket.send(Message::text(text.clone())).await.expect("sent");
        let answer = next_frame(&mut socket).await;
        assert_eq!(answer, Some(ServerFrame::Bye { reason: expected }), "{text}");
        assert_eq!(next_frame(&mut socket).await, None);
    }
}

#[tokio::test]
async fn a_connection_without_a_hello_ends_after_five_seconds() {
    let court = Court::open().await;
    let mut quiet = socket(court.address, court.hearing.as_str()).await;
    // Only when the server has the connection does its time run; a second one shows that it has the first.
    let mut probe = socket(court.address, court.hearing.as_str()).await;
    send_frame(&mut probe, &ClientFrame::Refresh).await;
    assert!(next_frame(&mut probe).await.is_some());
    court.clock.advance(4_999);
    court.clock.advance(1);
    assert_eq!(
        next_frame(&mut quiet).await,
        Some(ServerFrame::Bye {
            reason: ByeReason::ProtocolError
        })
    );
}

#[tokio::test]
async fn too_many_commands_are_refused_one_by_one() {
    let court = Court::open().await;
    let (_judge, mut plaintiff, _defendant) = court.in_session().await;
    court.clock.advance(3_000);
    let mut outcomes = Vec::new();
    for n in 0..60 {
        outcomes.push(plaintiff.command(Command::SelfHand { up: n % 2 == 0 }).await);
    }
    let too_fast = Outcome::Rejected {
        code: Refusal::TooFast,
    };
    assert_eq!(outcomes.iter().position(|o| *o == too_fast), Some(40));
    assert!(outcomes[40..].iter().all(|o| *o == too_fast));
    court.clock.advance(1_000);
    assert_ne!(plaintiff.command(Command::SelfHand { up: true }).await, too_fast);
}

#[tokio::test]
async fn who_does_not_read_is_told_and_cut_off_and_the_others_go_on() {
    let court = Court::open().await;
    let (mut judge, mut plaintiff, mut defendant) = court.in_session().await;
    // Enough said that every snapshot is as large as a frame may be.
    for n in 0..120 {
        judge.say(&"长".repeat(1_000)).await;
        if n % 30 == 29 {
            court.clock.advance(2_000);
            plaintiff.settle().await;
            defendant.settle().await;
        }
    }
    // Every call back to court is a whole picture. Enough of them for all buffers on the way and the budget.
    for n in 0..400 {
        let isolate = Command::SeatIsolate {
            seat: "defendant".into(),
            reason: Words::new("另案"),
        };
        let recall = Command::SeatRecall {
            seat: "defendant".into(),
        };
        judge.command(isolate).await;
        judge.command(recall).await;
        if judge
            .events
            .iter()
            .any(|e| dropped(&e.event, "defendant").is_some())
        {
            break;
        }
        if n % 15 == 14 {
            court.clock.advance(2_000);
            plaintiff.settle().await;
            // Not read as long as the server cannot write to it; then it counts as a sign of life.
            defendant.send(&ClientFrame::Ping { sent_at: TimeMs(1) }).await;
        }
    }
    let gone = judge.until(|e| dropped(&e.event, "defendant").is_some()).await;
    assert_eq!(
        dropped(&gone.event, "defendant").expect("found").1,
        DropCause::Silence
    );
    assert_eq!(
        defendant.bye().await,
        Some(ByeReason::TooSlow),
        "once it reads again"
    );
    judge.say("庭审继续").await;
    plaintiff.settle().await;
    assert!(plaintiff.events.iter().filter(|e| is_message(&e.event)).count() > 120);
    let back = defendant.resume(None).await.expect("it can come back");
    assert!(!back.snapshot.log.is_empty());
}

#[tokio::test]
async fn pictures_of_the_whole_hearing_are_sent_once_a_second_and_the_last_request_is_answered() {
    let court = Court::open().await;
    let (_judge, mut plaintiff, _defendant) = court.in_session().await;
    let in_session = |picture: &protocol::Snapshot| matches!(picture.state, HearingState::InSession { .. });
    while !plaintiff.renewed.as_ref().is_some_and(in_session) {
        plaintiff.next().await.expect("the connection stays");
    }
    for _ in 0..50 {
        plaintiff.send(&ClientFrame::Refresh).await;
    }
    plaintiff.send(&ClientFrame::Ping { sent_at: TimeMs(1) }).await;
    let (mut pictures, mut pong) = (0, false);
    while !pong || pictures < 3 {
        match plaintiff.next().await.expect("the connection stays") {
            ServerFrame::Snapshot { .. } => pictures += 1,
            ServerFrame::Pong { .. } => pong = true,
            _ => {}
        }
    }
    plaintiff.renewed = None;
    plaintiff.settle().await;
    assert_eq!(plaintiff.renewed, None, "three at once and no more");
    court.clock.advance(1_000);
    while plaintiff.renewed.is_none() {
        plaintiff.next().await.expect("the connection stays");
    }
    plaintiff.renewed = None;
    court.clock.advance(5_000);
    plaintiff.settle().await;
    assert_eq!(plaintiff.renewed, None, "one for all that waited");
}

#[tokio::test]
async fn a_seat_that_connects_all_the_time_is_asked_to_wait() {
    let court = Court::open().await;
    let (_judge, plaintiff, defendant) = court.in_session().await;
    let seat = plaintiff.seat.clone();
    let mut last = plaintiff;
    let mut welcomed = 1;
    let refused = loop {
        match Client::hello(court.address, &seat, Some(last.last_seq()), None).await {
            Ok(client) => last = client,
            Err(reason) => break reason,
        }
        welcomed += 1;
    };
    assert_eq!((welcomed, refused), (20, ByeReason::TooOften));
    last.settle().await;
    defendant
        .resume(None)
        .await
        .expect("another seat is not meant")
        .settle()
        .await;
    court.clock.advance(3_000);
    Client::hello(court.address, &seat, Some(last.last_seq()), None)
        .await
        .expect("a little later it is welcome");
}

#[tokio::test]
async fn a_bad_network_is_told_once_it_lasts() {
    let court = Court::open().await;
    let (mut judge, mut plaintiff, _defendant) = court.in_session().await;
    let report = |loss| {
        ClientFrame::NetReport(NetReport {
            rtt_ms: 30,
            loss,
            jitter_ms: 2,
        })
    };
    for loss in [0.0, 0.3, 0.0, 0.3, 0.3] {
        plaintiff.send(&report(loss)).await;
    }
    plaintiff.settle().await;
    let is_net = |e: &protocol::Envelope| match &e.event {
        Event::NetHealth { seat, net } if seat.as_str() == "plaintiff" => Some(*net),
        _ => None,
    };
    judge.until(|e| is_net(e) == Some(NetQuality::Bad)).await;
    let told: Vec<_> = judge.events.iter().filter_map(is_net).collect();
    assert_eq!(told, [NetQuality::Good, NetQuality::Bad]);
}

#[tokio::test]
async fn a_media_token_is_renewed_before_it_ends() {
    let court = Court::open().await;
    let mut judge = court.connect("judge").await;
    judge.done(Command::HearingOpen).await;
    let first = judge.media.clone().expect("the court is in court");
    let mut ms = 0;
    while ms < 12 * 60_000 {
        court.clock.advance(5_000);
        ms += 5_000;
        judge.settle().await;
    }
    while judge.media.as_ref() == Some(&first) {
        judge.next().await.expect("the connection stays");
    }
    assert!(judge.media.expect("renewed").expires_at > first.expires_at);
}

#[tokio::test]
async fn a_removed_person_is_told_and_stays_out() {
    let court = Court::open().await;
    let (mut judge, _plaintiff, mut defendant) = court.in_session().await;
    judge
        .done(Command::SeatRemove {
            seat: "defendant".into(),
            reason: Words::new("扰乱法庭秩序"),
        })
        .await;
    assert_eq!(defendant.bye().await, Some(ByeReason::Removed));
    assert_eq!(defendant.resume(None).await.err(), Some(ByeReason::Removed));
    assert!(
        court
            .rooms
            .removed
            .lock()
            .expect("whole")
            .contains(&"defendant".into())
    );
}

#[tokio::test]
async fn at_the_end_the_media_room_is_closed_over_everybody_and_nobody_is_sent_out_of_it() {
    let court = Court::open().await;
    let (mut judge, mut plaintiff, mut defendant) = court.in_session().await;
    judge.done(Command::HearingClose).await;
    assert_eq!(plaintiff.bye().await, Some(ByeReason::HearingEnded));
    assert_eq!(defendant.bye().await, Some(ByeReason::HearingEnded));
    assert!(*court.rooms.closed.lock().expect("whole"));
    assert!(court.rooms.removed.lock().expect("whole").is_empty());
}

#[tokio::test]
async fn a_restart_says_goodbye_and_everybody_comes_back_to_their_place() {
    let court = Court::open().await;
    let (mut judge, mut plaintiff, _defendant) = court.in_session().await;
    let said = judge.say("重启之前").await;
    plaintiff.until(|e| e.seq == said).await;
    let seats = [judge.seat.clone(), plaintiff.seat.clone()];
    let last = plaintiff.last_seq();
    let byes = async { (judge.bye().await, plaintiff.bye().await) };
    let (court, byes) = tokio::join!(court.restart(), byes);
    assert_eq!(byes, (Some(ByeReason::Restarting), Some(ByeReason::Restarting)));
    let judge = Client::hello(court.address, &seats[0], None, None)
        .await
        .expect("welcome");
    let mut plaintiff = Client::hello(court.address, &seats[1], Some(last), None)
        .await
        .expect("welcome");
    plaintiff.settle().await;
    assert!(plaintiff.snapshot.log.iter().any(|e| e.seq == said));
    for (client, who) in [(&judge, "judge"), (&plaintiff, "plaintiff")] {
        let own = client
            .snapshot
            .participants
            .iter()
            .find(|p| p.seat.id.as_str() == who)
            .expect("oneself");
        assert_eq!(own.state, ParticipantState::InCourt);
    }
    let mut log = plaintiff.snapshot.log.iter().rev();
    let restart = log.find_map(|e| dropped(&e.event, "judge"));
    assert_eq!(restart.expect("the record says why").1, DropCause::ServerRestart);
}
