//! 屏蔽: an isolated person is told nothing, over no socket, and nothing passes in the media room.

use crate::kit::Court;
use protocol::{Command, Event, ParticipantState, Words};

#[tokio::test]
async fn an_isolated_person_receives_nothing_then_and_learns_nothing_later() {
    let court = Court::open().await;
    let (mut judge, mut plaintiff, mut defendant) = court.in_session().await;
    judge.say("之前").await;
    plaintiff.settle().await;
    judge
        .done(Command::SeatIsolate {
            seat: "plaintiff".into(),
            reason: Words::new("证人作证"),
        })
        .await;
    plaintiff.settle().await;
    let picture = plaintiff.renewed.take().expect("a new picture");
    let own = picture
        .participants
        .iter()
        .find(|p| p.seat.id.as_str() == "plaintiff")
        .expect("oneself");
    assert!(matches!(own.state, ParticipantState::Isolated { .. }));
    assert!(
        !picture
            .participants
            .iter()
            .any(|p| p.seat.id.as_str() == "defendant")
    );
    let rights = court.rooms.rights("plaintiff");
    assert!(rights.enter && !rights.subscribe && !rights.publish.mic && !rights.publish.camera);

    plaintiff.events.clear();
    let secret = [judge.say("不可告人").await, defendant.say("也不可告人").await];
    plaintiff.settle().await;
    assert_eq!(plaintiff.events, [], "nothing while isolated");
    let mut plaintiff = plaintiff.resume(None).await.expect("welcome");
    plaintiff.settle().await;
    let told = |client: &crate::kit::Client| {
        let all = client
            .snapshot
            .log
            .iter()
            .chain(client.renewed.iter().flat_map(|s| &s.log))
            .chain(&client.events);
        all.filter(|e| matches!(e.event, Event::Message { .. }))
            .map(|e| e.seq)
            .collect::<Vec<_>>()
    };
    assert!(
        told(&plaintiff).iter().all(|seq| !secret.contains(seq)),
        "nothing by coming back"
    );

    judge
        .done(Command::SeatRecall {
            seat: "plaintiff".into(),
        })
        .await;
    plaintiff.settle().await;
    assert!(court.rooms.rights("plaintiff").subscribe);
    let after = judge.say("之后").await;
    plaintiff.until(|e| e.seq == after).await;
    let seqs = told(&plaintiff);
    assert!(
        seqs.contains(&after) && seqs.iter().all(|seq| !secret.contains(seq)),
        "nor after the recall"
    );
    let plaintiff = plaintiff.resume(None).await.expect("welcome");
    assert!(
        told(&plaintiff).iter().all(|seq| !secret.contains(seq)),
        "nor by coming back then"
    );
}

#[tokio::test]
async fn a_witness_waits_outside_and_sees_nothing_of_the_hearing() {
    let court = Court::open().await;
    let (mut judge, plaintiff, _defendant) = court.in_session().await;
    let mut witness = court.waiting("witness").await;
    let rights = court.rooms.rights("witness");
    assert!(rights.enter && !rights.subscribe && !rights.publish.mic);
    judge.say("证人听不到").await;
    witness.settle().await;
    assert!(
        !witness
            .events
            .iter()
            .any(|e| matches!(e.event, Event::Message { .. }))
    );
    assert!(
        !plaintiff
            .snapshot
            .participants
            .iter()
            .any(|p| p.seat.id.as_str() == "witness")
    );
    judge
        .done(Command::SeatCallWitness {
            seat: "witness".into(),
        })
        .await;
    witness.settle().await;
    assert!(court.rooms.rights("witness").subscribe);
}
