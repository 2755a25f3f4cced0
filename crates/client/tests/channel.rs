//! The hearing channel against a scripted court on a real socket: what was not answered is sent again, a goodbye
//! ends it or does not, and what was applied is said on the way back in.

use client::channel::{ChannelEvent, ChannelHandle, ChannelSetup, open};
use futures_util::{SinkExt, StreamExt};
use protocol::*;
use rand::SeedableRng;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};
use tokio_util::task::TaskTracker;

/// Nothing here waits for more than a back-off or two.
const LIMIT: Duration = Duration::from_secs(10);

struct Court {
    listener: TcpListener,
}

struct Seat {
    socket: WebSocketStream<TcpStream>,
}

impl Court {
    async fn new() -> (Self, url::Url) {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let url = format!(
            "http://{}",
            listener.local_addr().expect("a bound socket has an address")
        );
        (Self { listener }, url.parse().expect("a URL"))
    }

    /// Accepts the next connection and reads its hello.
    async fn hello(&self) -> (Seat, Option<Seq>, Option<DropCause>) {
        let (stream, _) = timeout(LIMIT, self.listener.accept())
            .await
            .expect("a connection")
            .expect("a connection");
        let mut seat = Seat {
            socket: accept_async(stream).await.expect("a WebSocket"),
        };
        match seat.next().await {
            ClientFrame::Hello {
                resume_after,
                drop_cause,
                token,
                ..
            } => {
                assert_eq!(token.expose(), "seat-token");
                (seat, resume_after, drop_cause)
            }
            other => panic!("the first frame is a hello, not {other:?}"),
        }
    }
}

impl Seat {
    /// The next frame that is not a ping.
    async fn next(&mut self) -> ClientFrame {
        loop {
            let message = timeout(LIMIT, self.socket.next())
                .await
                .expect("a frame")
                .expect("open")
                .expect("a frame");
            let Message::Text(text) = message else { continue };
            match serde_json::from_str(&text).expect("a client frame") {
                ClientFrame::Ping { sent_at } => {
                    self.say(ServerFrame::Pong {
                        sent_at,
                        server_time: TimeMs(0),
                    })
                    .await;
                }
                frame => return frame,
            }
        }
    }

    async fn say(&mut self, frame: ServerFrame) {
        let text = serde_json::to_string(&frame).expect("a frame serialises");
        self.socket.send(Message::text(text)).await.expect("sent");
    }

    async fn welcome(&mut self, seq: u64) {
        let snapshot = Box::new(Snapshot {
            hearing: "h".into(),
            seq: Seq(seq),
            server_time: TimeMs(0),
            you: "plaintiff".into(),
            case: CaseInfo {
                number: "（2026）示01民初1号".into(),
                cause: "买卖合同纠纷".into(),
                court: "示范市人民法院".into(),
                courtroom: "第一法庭".into(),
                starts_at: TimeMs(0),
                public: true,
            },
            settings: HearingSettings::default(),
            state: HearingState::Open,
            state_since: TimeMs(0),
            started_at: None,
            participants: Vec::new(),
            floor: None,
            requests: Vec::new(),
            recording: RecordingState::Unavailable,
            broadcasting: false,
            log: Vec::new(),
        });
        self.say(ServerFrame::Welcome {
            connection: "c".into(),
            snapshot,
            media: None,
        })
        .await;
    }

    async fn command(&mut self) -> CommandId {
        match self.next().await {
            ClientFrame::Command { command_id, .. } => command_id,
            other => panic!("a command, not {other:?}"),
        }
    }
}

fn connect(url: url::Url) -> (ChannelHandle, mpsc::Receiver<ChannelEvent>, TaskTracker) {
    let tasks = TaskTracker::new();
    let seat = SeatTaken {
        hearing: "h".into(),
        seat: "plaintiff".into(),
        token: Secret::new("seat-token"),
    };
    let rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let setup = ChannelSetup {
        server: url,
        seat,
        client: "test".into(),
        rng,
    };
    let (handle, events) = open(setup, &tasks);
    (handle, events, tasks)
}

fn hand(id: &str) -> SendCommand {
    SendCommand {
        command_id: id.into(),
        expected_seq: None,
        command: Command::SelfHand { up: true },
    }
}

/// Reads events until one fits.
async fn until(
    events: &mut mpsc::Receiver<ChannelEvent>,
    fits: impl Fn(&ChannelEvent) -> bool,
) -> ChannelEvent {
    loop {
        let event = timeout(LIMIT, events.recv())
            .await
            .expect("an event in time")
            .expect("the channel is open");
        if fits(&event) {
            return event;
        }
    }
}

#[tokio::test]
async fn a_command_without_an_answer_is_sent_again_with_the_same_id() {
    let (court, url) = Court::new().await;
    let (handle, mut events, _tasks) = connect(url);
    let (mut seat, resume, cause) = court.hello().await;
    assert_eq!((resume, cause), (None, None));
    seat.welcome(7).await;
    until(&mut events, |event| {
        matches!(event, ChannelEvent::Link(LinkState::Live))
    })
    .await;
    let answer = handle.command(hand("c1"));
    assert_eq!(seat.command().await, "c1".into());
    // The connection dies before the answer; a second command is given while there is none.
    drop(seat);
    until(&mut events, |event| {
        matches!(event, ChannelEvent::Link(LinkState::Retrying { .. }))
    })
    .await;
    let second = handle.command(hand("c2"));
    let (mut seat, resume, cause) = court.hello().await;
    assert_eq!((resume, cause), (Some(Seq(7)), Some(DropCause::ConnectionReset)));
    seat.welcome(9).await;
    assert_eq!(seat.command().await, "c1".into());
    assert_eq!(seat.command().await, "c2".into());
    for (id, code) in [
        ("c1", Outcome::Accepted { seq: Seq(8) }),
        (
            "c2",
            Outcome::Rejected {
                code: Refusal::NothingToDo,
            },
        ),
    ] {
        seat.say(ServerFrame::Reply {
            command_id: id.into(),
            outcome: code,
        })
        .await;
    }
    let answers = timeout(LIMIT, async { (answer.await, second.await) })
        .await
        .expect("answers");
    assert_eq!(answers.0, Ok(Outcome::Accepted { seq: Seq(8) }));
    assert_eq!(
        answers.1,
        Ok(Outcome::Rejected {
            code: Refusal::NothingToDo
        })
    );
}

#[tokio::test]
async fn a_restart_is_waited_out_and_a_replacement_is_not() {
    let (court, url) = Court::new().await;
    let (_handle, mut events, _tasks) = connect(url);
    let (mut seat, _, _) = court.hello().await;
    seat.welcome(3).await;
    seat.say(ServerFrame::Bye {
        reason: ByeReason::Restarting,
    })
    .await;
    let (mut seat, resume, cause) = court.hello().await;
    assert_eq!((resume, cause), (Some(Seq(3)), Some(DropCause::ServerRestart)));
    seat.welcome(3).await;
    seat.say(ServerFrame::Bye {
        reason: ByeReason::Replaced,
    })
    .await;
    let ended = until(&mut events, |event| {
        matches!(event, ChannelEvent::Link(LinkState::Ended { .. }))
    })
    .await;
    assert_eq!(
        ended,
        ChannelEvent::Link(LinkState::Ended {
            reason: ByeReason::Replaced
        })
    );
    assert_eq!(timeout(LIMIT, events.recv()).await, Ok(None));
}

#[tokio::test]
async fn what_is_not_the_protocol_ends_the_connection_and_not_the_client() {
    let (court, url) = Court::new().await;
    let (_handle, _events, _tasks) = connect(url);
    for garbage in ["{", "[]", r#"{"type":"nonsense"}"#] {
        let (mut seat, _, _) = court.hello().await;
        seat.socket.send(Message::text(garbage)).await.expect("sent");
    }
    let (_, _, cause) = court.hello().await;
    assert_eq!(cause, Some(DropCause::ProtocolError));
}

#[tokio::test]
async fn a_person_who_asks_for_the_next_try_does_not_wait_for_it() {
    let (court, url) = Court::new().await;
    let (handle, mut events, _tasks) = connect(url);
    // Thrown out without a welcome until the waits are long.
    let wait = loop {
        drop(court.hello().await);
        let event = until(&mut events, |event| {
            matches!(event, ChannelEvent::Link(LinkState::Retrying { .. }))
        })
        .await;
        if let ChannelEvent::Link(LinkState::Retrying { retry_in_ms, .. }) = event
            && retry_in_ms > 1_000
        {
            break Duration::from_millis(retry_in_ms.into());
        }
    };
    handle.retry_now();
    assert!(
        timeout(wait / 2, court.hello()).await.is_ok(),
        "tried before {wait:?} were over"
    );
}

#[tokio::test]
async fn the_first_cause_of_a_drop_is_said_until_the_court_welcomes_again() {
    let (court, url) = Court::new().await;
    let (_handle, _events, _tasks) = connect(url);
    let (mut seat, _, cause) = court.hello().await;
    assert_eq!(cause, None);
    seat.welcome(1).await;
    drop(seat);
    let (mut seat, _, cause) = court.hello().await;
    assert_eq!(cause, Some(DropCause::ConnectionReset));
    // What happens while it is not back is not why it went.
    for reason in [ByeReason::TooOften, ByeReason::Restarting] {
        seat.say(ServerFrame::Bye { reason }).await;
        let cause;
        (seat, _, cause) = court.hello().await;
        assert_eq!(cause, Some(DropCause::ConnectionReset));
    }
    seat.welcome(2).await;
    seat.say(ServerFrame::Bye {
        reason: ByeReason::Restarting,
    })
    .await;
    let (_seat, _, cause) = court.hello().await;
    assert_eq!(cause, Some(DropCause::ServerRestart));
}

#[tokio::test]
async fn a_seat_that_came_too_often_has_no_cause_to_tell() {
    let (court, url) = Court::new().await;
    let (_handle, _events, _tasks) = connect(url);
    let (mut seat, _, _) = court.hello().await;
    seat.say(ServerFrame::Bye {
        reason: ByeReason::TooOften,
    })
    .await;
    assert_eq!(court.hello().await.2, None);
}
