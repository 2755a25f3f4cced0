//! The court with real media rooms: what the hearing decides holds at the media server's own door.

use crate::kit::{Client, Court};
use crate::signalling::{Socket, next};
use livekit_protocol as proto;
use proto::DisconnectReason;
use proto::signal_response::Message;
use protocol::{ByeReason, Command, MediaAccess, Words};

async fn dial(court: &Court, media: &MediaAccess) -> Socket {
    let (address, token) = (court.address, media.token.expose());
    let url = format!("ws://{address}/rtc/v1?access_token={token}");
    tokio_tungstenite::connect_async(url).await.expect("upgraded").0
}

/// Why this connection is told to leave.
async fn left_with(socket: &mut Socket) -> DisconnectReason {
    loop {
        if let Message::Leave(leave) = next(socket).await.expect("a reason before the end") {
            return leave.reason();
        }
    }
}

/// A connection that is let in.
async fn joined(court: &Court, media: &MediaAccess) -> Socket {
    let mut socket = dial(court, media).await;
    let first = next(&mut socket).await;
    assert!(matches!(first, Some(Message::Join(_))), "{first:?}");
    socket
}

/// What a connection that is not let in is told.
async fn refused(court: &Court, media: &MediaAccess) -> DisconnectReason {
    match next(&mut dial(court, media).await).await {
        Some(Message::Leave(leave)) => leave.reason(),
        other => panic!("let in: {other:?}"),
    }
}

#[tokio::test]
async fn the_media_token_of_a_replaced_or_removed_device_opens_nothing() {
    let court = Court::with_media().await;
    let (mut judge, mut older, _defendant) = court.in_session().await;
    older.settle().await;
    let of_older = older.media.clone().expect("in court");
    let mut media = joined(&court, &of_older).await;

    let mut newer = court.connect("plaintiff").await;
    assert_eq!(older.bye().await, Some(ByeReason::Replaced));
    assert_eq!(left_with(&mut media).await, DisconnectReason::DuplicateIdentity);
    assert_eq!(
        refused(&court, &of_older).await,
        DisconnectReason::DuplicateIdentity
    );
    newer.settle().await;
    let of_newer = newer.media.clone().expect("in court");
    let mut media = joined(&court, &of_newer).await;
    assert_eq!(
        refused(&court, &of_older).await,
        DisconnectReason::DuplicateIdentity
    );

    judge
        .done(Command::SeatRemove {
            seat: "plaintiff".into(),
            reason: Words::new("扰乱法庭秩序"),
        })
        .await;
    // Also: the older one's last try did not throw the newer one out, or it would have been told so before.
    assert_eq!(left_with(&mut media).await, DisconnectReason::ParticipantRemoved);
    assert_eq!(
        refused(&court, &of_newer).await,
        DisconnectReason::ParticipantRemoved
    );
}

#[tokio::test]
async fn who_lost_the_line_and_then_the_seat_loses_the_media_room_too() {
    let court = Court::with_media().await;
    let (mut judge, mut older, _defendant) = court.in_session().await;
    older.settle().await;
    let of_older = older.media.clone().expect("in court");
    let mut media = joined(&court, &of_older).await;
    let seat = older.seat.clone();
    drop(older);
    judge
        .until(|e| format!("{:?}", e.event).contains("Disconnected"))
        .await;
    // The same device: its media goes on.
    let back = Client::hello(court.address, &seat, Some(judge.last_seq()), None)
        .await
        .expect("welcome");
    drop(back);
    judge.events.clear();
    judge
        .until(|e| format!("{:?}", e.event).contains("Disconnected"))
        .await;
    // Another device, while nobody is connected for the seat.
    let _newer = court.connect("plaintiff").await;
    assert_eq!(left_with(&mut media).await, DisconnectReason::DuplicateIdentity);
    assert_eq!(
        refused(&court, &of_older).await,
        DisconnectReason::DuplicateIdentity
    );
}
