//! A hearing between native participants: everybody sees and hears the others by content, and what the court orders is
//! seen in the media, not only in the events.

use anyhow::Result;
use protocol::{
    ByeReason, Command, Event, HostEvent, LinkState, MediaKind, Outcome, ParticipantState, Refusal, Words,
};
use scenarios::{SOON, court::Plan, player::Said, session::Session};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn participants_see_and_hear_each_other() -> Result<()> {
    let session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let seen = session.party.sees_moving(0, &session.judge.seat).await?;
    assert!(
        seen.width >= 160 && seen.latency_ms.is_some_and(|ms| ms < 2_000),
        "{seen:?}"
    );

    let report = session.party.leave().await?;
    for field in ["join_ms", "first_video_ms", "video_frames", "audio_received_ms"] {
        assert!(
            report[field].as_u64().is_some_and(|number| number > 0),
            "{field}: {report}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolated_person_sees_nobody_and_is_seen_by_nobody_until_recalled() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let party = session.party.seat.clone();

    let mark = session.party.mark();
    let reason = Words::new("等待传唤");
    session
        .judge
        .does(&Command::SeatIsolate {
            seat: party.clone(),
            reason,
        })
        .await?;
    session
        .party
        .sees_standing(mark, &party, "isolated", |state| {
            matches!(state, ParticipantState::Isolated { .. })
        })
        .await?;
    let Session {
        judge,
        clerk,
        party: isolated,
        ..
    } = &session;
    Session::nothing_comes(judge, &party, judge, &clerk.seat).await?;
    Session::nothing_comes(isolated, &judge.seat, judge, &clerk.seat).await?;
    Session::nothing_comes(isolated, &clerk.seat, judge, &clerk.seat).await?;

    session.judge.does(&Command::SeatRecall { seat: party }).await?;
    session.media_flows().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_microphone_is_silent_and_only_its_owner_opens_it_again() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let party = session.party.seat.clone();

    session
        .judge
        .does(&Command::MediaLock {
            seat: Some(party.clone()),
            kind: MediaKind::Audio,
        })
        .await?;
    let answer = session.party.command(&Command::SelfMic { on: true }).await?;
    assert_eq!(
        answer,
        Outcome::Rejected {
            code: Refusal::LockedByCourt
        }
    );
    no_tone(&session).await?;

    session
        .judge
        .does(&Command::MediaUnlock {
            seat: Some(party.clone()),
            kind: MediaKind::Audio,
        })
        .await?;
    // Unlocking opens nothing by itself.
    no_tone(&session).await?;
    let mark = session.judge.mark();
    session.party.tell(json!({ "do": "mic", "on": true })).await?;
    session.judge.hears_tone(mark, &party).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_locked_microphone_the_camera_comes_back_after_every_drop() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let party = session.party.seat.clone();
    let lock = Command::MediaLock {
        seat: Some(party.clone()),
        kind: MediaKind::Audio,
    };
    session.judge.does(&lock).await?;
    // Sound and picture are asked for in any order, so once proves little.
    for _ in 0..4 {
        let mark = session.party.mark();
        session.party.tell(json!({ "do": "drop" })).await?;
        session
            .party
            .wait_from(mark, SOON, "the media room is entered again", |said| match said {
                Said::Host(event) => match event.as_ref() {
                    HostEvent::MediaLink {
                        state: LinkState::Live,
                    } => Some(()),
                    _ => None,
                },
                _ => None,
            })
            .await?;
        let mark = session.judge.mark();
        session.judge.sees_moving(mark, &party).await?;
    }
    let unlock = Command::MediaUnlock {
        seat: Some(party.clone()),
        kind: MediaKind::Audio,
    };
    session.judge.does(&unlock).await?;
    let mark = session.judge.mark();
    session.party.tell(json!({ "do": "mic", "on": true })).await?;
    session.judge.hears_tone(mark, &party).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_picture_is_hidden_from_the_others_while_the_sound_goes_on() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let party = session.party.seat.clone();

    session
        .judge
        .does(&Command::MediaBlock {
            seat: party.clone(),
            kind: MediaKind::Video,
        })
        .await?;
    // Five reports of more sound without one more picture between them.
    let (mut frames, mut sound, mut in_a_row) = (0, 0, 0);
    session
        .judge
        .wait_from(
            session.judge.mark(),
            SOON,
            "sound of the party without pictures",
            |said| {
                match said {
                    Said::Seen(seen) if seen.seat == party && seen.frames > frames => {
                        frames = seen.frames;
                        in_a_row = 0;
                    }
                    Said::Heard(heard) if heard.seat == party && heard.received_ms > sound => {
                        sound = heard.received_ms;
                        in_a_row += 1;
                    }
                    _ => {}
                }
                (in_a_row == 5).then_some(())
            },
        )
        .await?;

    session
        .judge
        .does(&Command::MediaUnblock {
            seat: party.clone(),
            kind: MediaKind::Video,
        })
        .await?;
    let mark = session.judge.mark();
    session.judge.sees_moving(mark, &party).await?;
    Ok(())
}

/// Waits until the clerk's picture has come three times without the party's tone being heard in between.
async fn no_tone(session: &Session) -> Result<()> {
    let mut pictures = 0;
    session
        .judge
        .wait_from(session.judge.mark(), SOON, "the party is not heard", |said| {
            match said {
                Said::Heard(heard) if heard.seat == session.party.seat && heard.tone > 0.1 => pictures = 0,
                Said::Seen(seen) if seen.seat == session.clerk.seat => pictures += 1,
                _ => {}
            }
            (pictures == 4).then_some(())
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_hearing_is_closed_the_media_link_ends_for_good() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let mark = session.party.mark();
    session.judge.does(&Command::HearingClose).await?;
    session
        .party
        .wait_from(mark, SOON, "the media link has ended", |said| match said {
            Said::Host(event) => match event.as_ref() {
                HostEvent::MediaLink {
                    state:
                        LinkState::Ended {
                            reason: ByeReason::HearingEnded,
                        },
                } => Some(()),
                _ => None,
            },
            _ => None,
        })
        .await?;
    let report = session.party.leave().await?;
    let links: Vec<&str> = report["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| event["type"].as_str())
        .filter(|kind| kind.starts_with("mediaLink:"))
        .collect();
    assert_eq!(links.last(), Some(&"mediaLink:ended"), "{links:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn test_sounds_are_not_played_while_the_room_hears_the_microphone() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let busy = json!({ "name": "device", "fault": "busy" });
    for what in ["loop", "replay"] {
        assert_eq!(check(&mut session, what).await?["error"], busy, "{what}");
    }
    // Listening disturbs nobody, and the court's record of the microphone stays as it was.
    let mark = session.judge.mark();
    let heard = check(&mut session, "hear").await?;
    assert_eq!(heard["found"]["facts"]["name"], "heard", "{heard}");
    session.judge.hears_tone(mark, &session.party.seat).await?;

    let mark = session.party.mark();
    session.party.tell(json!({ "do": "mic", "on": false })).await?;
    let party = session.party.seat.clone();
    session
        .party
        .wait_from(
            mark,
            SOON,
            "the microphone is closed on record",
            |said| match said.event()? {
                Event::ParticipantMedia { seat, media } if *seat == party && !media.mic => Some(()),
                _ => None,
            },
        )
        .await?;
    let played = check(&mut session, "replay").await?;
    assert!(played["error"].is_null(), "{played}");
    Ok(())
}

/// Has the party's program carry out a check on its running devices.
async fn check(session: &mut Session, what: &str) -> Result<serde_json::Value> {
    let mark = session.party.mark();
    session.party.tell(json!({ "do": "check", "what": what })).await?;
    session
        .party
        .wait_from(mark, SOON, what, |said| match said {
            Said::Devices(line) if line["what"] == what => Some(line.clone()),
            _ => None,
        })
        .await
}
