//! One hearing channel: the WebSocket of one seat, from hello to goodbye.
//!
//! It reads frames and hands them to the hearing's task, and writes what the task has for it. It decides nothing about
//! the hearing. Whatever a client sends ends at most its own connection, and always with a reason.

use crate::app::Shared;
use crate::docket::{Attach, End, HearingMessage, Inbox, queue, text};
use crate::doorway::Standing;
use crate::http::Device;
use crate::keyed_hash::Purpose;
use crate::pace::Pace;
use crate::storage::{AuditEntry, AuditKind, Token, TokenKind};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use protocol::{
    ByeReason, ClientFrame, ConnectionId, DropCause, HearingId, Outcome, PROTOCOL_VERSION, Refusal,
    SILENCE_LIMIT_MS, SeatId, Secret, Seq, ServerFrame, TimeMs,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{mpsc, oneshot};

/// The hello comes within this time.
pub(crate) const HELLO_LIMIT_MS: u64 = 5_000;
/// A frame that cannot be written within this time means that nobody reads. Real time: it is about a socket.
const WRITE_LIMIT: Duration = Duration::from_millis(SILENCE_LIMIT_MS);
/// The last word is worth waiting for, but not long.
const BYE_LIMIT: Duration = Duration::from_secs(2);
/// The client's description of itself is cut at this length.
const CLIENT_TEXT_LIMIT: usize = 200;

/// Runs a connection to its end.
pub(crate) async fn run(
    mut socket: WebSocket,
    shared: Arc<Shared>,
    hearing: HearingId,
    device: Device,
    stranger: Standing,
) {
    shared.metrics.connections.up();
    if let Err(reason) = enter(&mut socket, &shared, hearing, device, stranger).await {
        if reason == ByeReason::ProtocolError {
            shared.metrics.protocol_errors.up();
        }
        say_goodbye(&mut socket, reason).await;
    }
    shared.metrics.connections.down();
}

/// What a hello says, once its token was found good.
struct Hello {
    seat: SeatId,
    token: Token,
    resume_after: Option<Seq>,
    drop_cause: Option<DropCause>,
    client: String,
}

/// From the hello on. `Err`: the connection ends with this.
async fn enter(
    socket: &mut WebSocket,
    shared: &Arc<Shared>,
    hearing: HearingId,
    device: Device,
    stranger: Standing,
) -> Result<(), ByeReason> {
    let hello = tokio::select! {
        frame = socket.recv() => read_hello(shared, &hearing, frame).await?,
        () = shared.clock.sleep_until(shared.clock.now().plus(HELLO_LIMIT_MS)) => return Err(ByeReason::ProtocolError),
        () = shared.soft.cancelled() => return Err(ByeReason::Restarting),
    };
    drop(stranger);
    let (outbox, inbox, end) = queue();
    let (reply, answer) = oneshot::channel();
    let attach = Attach {
        seat: hello.seat.clone(),
        token_hash: hello.token.hash.clone(),
        issued_at: hello.token.issued_at,
        resume_after: hello.resume_after,
        drop_cause: hello.drop_cause,
        outbox,
        reply,
    };
    // A hearing that is just being unloaded, and a server that goes down, look alike from here: come again.
    let mailbox = shared
        .docket
        .mailbox(&hearing)
        .await
        .map_err(|_| ByeReason::Restarting)?;
    mailbox
        .send(HearingMessage::Attach(attach))
        .await
        .map_err(|_| ByeReason::Restarting)?;
    let connection = answer.await.map_err(|_| ByeReason::Restarting)??;
    let place = (hearing, hello.seat.clone());
    shared
        .audit(device.entry(AuditKind::Connected).at(&place).detail(hello.client))
        .await;
    let talk = Talk {
        shared,
        connection,
        seat: hello.seat,
        mailbox,
        commands: Pace::commands(shared.clock.now()),
        frames: Pace::frames(shared.clock.now()),
        refreshes: Pace::refreshes(shared.clock.now()),
        refresh_at: None,
        goodbye: None,
        last_heard: shared.clock.now(),
    };
    let cause = talk.run(socket, inbox, end).await;
    shared
        .audit(
            AuditEntry::new(AuditKind::ConnectionEnded)
                .at(&place)
                .detail(format!("{cause:?}")),
        )
        .await;
    Ok(())
}

async fn read_hello(
    shared: &Arc<Shared>,
    hearing: &HearingId,
    frame: Option<Result<Message, axum::Error>>,
) -> Result<Hello, ByeReason> {
    let Some(Ok(Message::Text(frame))) = frame else {
        return Err(ByeReason::ProtocolError);
    };
    // Another version may say hello in another way; only its number must be where it always is.
    #[derive(serde::Deserialize)]
    struct AnyHello {
        r#type: String,
        protocol: u32,
    }
    let any: AnyHello = serde_json::from_str(&frame).map_err(|_| ByeReason::ProtocolError)?;
    if any.r#type == "hello" && any.protocol != PROTOCOL_VERSION {
        return Err(ByeReason::UpdateNeeded);
    }
    let Ok(ClientFrame::Hello {
        protocol: _,
        token,
        resume_after,
        drop_cause,
        client,
    }) = serde_json::from_str(&frame)
    else {
        return Err(ByeReason::ProtocolError);
    };
    let token = find_token(shared, &token).await?;
    let TokenKind::Seat(of, seat) = &token.kind else {
        return Err(ByeReason::BadToken);
    };
    if of != hearing {
        return Err(ByeReason::BadToken);
    }
    let seat = seat.clone();
    let client = client.chars().take(CLIENT_TEXT_LIMIT).collect();
    Ok(Hello {
        seat,
        token,
        resume_after,
        drop_cause: drop_cause.filter(|cause| is_the_clients_to_say(*cause)),
        client,
    })
}

/// What happened at the server the server knows better: a client's word for it would be false evidence.
fn is_the_clients_to_say(cause: DropCause) -> bool {
    match cause {
        DropCause::Silence
        | DropCause::ConnectionReset
        | DropCause::WindowClosed
        | DropCause::Sleep
        | DropCause::Crash => true,
        DropCause::ServerRestart | DropCause::ProtocolError => false,
    }
}

async fn find_token(shared: &Shared, token: &Secret) -> Result<Token, ByeReason> {
    let hash = shared.key.hash(Purpose::Token, token.expose());
    match shared.store.token(&hash, shared.clock.now()).await {
        Ok(found) => found.ok_or(ByeReason::BadToken),
        Err(error) => {
            shared.store_failed("token", &error);
            Err(ByeReason::Restarting)
        }
    }
}

/// A connection that has its seat.
struct Talk<'a> {
    shared: &'a Shared,
    connection: ConnectionId,
    seat: SeatId,
    mailbox: mpsc::Sender<HearingMessage>,
    commands: Pace,
    frames: Pace,
    refreshes: Pace,
    /// When a refresh that came too early is passed on; those that come meanwhile are the same.
    refresh_at: Option<TimeMs>,
    /// What the client said before it went silent.
    goodbye: Option<DropCause>,
    last_heard: TimeMs,
}

/// How a connection came to its end.
enum Lost {
    /// By itself: for the record of the hearing, and a last word if anybody may still read it.
    Drop(DropCause, Option<ByeReason>),
    /// By the hearing, which knows.
    Ended(End),
}

impl Talk<'_> {
    async fn run(
        mut self,
        socket: &mut WebSocket,
        mut inbox: Inbox,
        mut ended: oneshot::Receiver<End>,
    ) -> Option<DropCause> {
        let lost = loop {
            let silent_at = self.last_heard.plus(SILENCE_LIMIT_MS);
            let refresh_at = self.refresh_at.unwrap_or(TimeMs(u64::MAX));
            let to_write = tokio::select! {
                end = &mut ended => break Lost::Ended(last_word(end)),
                frame = inbox.next() => Some(frame),
                message = socket.recv() => {
                    self.last_heard = self.shared.clock.now();
                    match self.hear(message).await {
                        Ok(answer) => answer.as_ref().map(text),
                        Err(lost) => break lost,
                    }
                }
                () = self.shared.clock.sleep_until(refresh_at), if self.refresh_at.is_some() => {
                    self.refresh_at = None;
                    match self.pass_on(self.refresh()).await {
                        Ok(()) => None,
                        Err(lost) => break lost,
                    }
                }
                () = self.shared.clock.sleep_until(silent_at) => {
                    self.shared.metrics.connections_silent.up();
                    break Lost::Drop(DropCause::Silence, None);
                }
            };
            if let Some(frame) = to_write
                && let Err(lost) = write(socket, frame, &mut ended).await
            {
                break lost;
            }
        };
        match lost {
            Lost::Ended(end) => {
                finish(socket, &mut inbox, end).await;
                None
            }
            Lost::Drop(cause, bye) => {
                let told = self.goodbye;
                let detach = HearingMessage::Detach {
                    seat: self.seat.clone(),
                    connection: self.connection.clone(),
                    since: self.last_heard,
                    cause,
                    told,
                };
                // A hearing that is gone says by itself, when it is loaded again, that everybody was dropped.
                let _gone = self.mailbox.send(detach).await;
                if let Some(reason) = bye {
                    self.shared.metrics.protocol_errors.up();
                    say_goodbye(socket, reason).await;
                }
                Some(cause)
            }
        }
    }

    /// Takes one message in. `Some` is to be answered at once, without the hearing.
    async fn hear(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<ServerFrame>, Lost> {
        let protocol_error = Lost::Drop(DropCause::ProtocolError, Some(ByeReason::ProtocolError));
        let now = self.last_heard;
        if !self.frames.take(now) {
            return Err(protocol_error);
        }
        let frame = match message {
            Some(Ok(Message::Text(frame))) => frame,
            // Answered by the WebSocket layer; a sign of life.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(None),
            Some(Ok(Message::Close(close))) => return Err(Lost::Drop(cause_of_close(close.as_ref()), None)),
            Some(Ok(Message::Binary(_))) => return Err(protocol_error),
            Some(Err(error)) if is_protocol_error(&error) => return Err(protocol_error),
            Some(Err(_)) | None => return Err(Lost::Drop(DropCause::ConnectionReset, None)),
        };
        let Ok(frame) = serde_json::from_str::<ClientFrame>(&frame) else {
            return Err(protocol_error);
        };
        let (seat, connection) = (self.seat.clone(), self.connection.clone());
        let message = match frame {
            ClientFrame::Hello { .. } => return Err(protocol_error),
            ClientFrame::Ping { sent_at } => {
                return Ok(Some(ServerFrame::Pong {
                    sent_at,
                    server_time: now,
                }));
            }
            ClientFrame::Goodbye { cause } => {
                self.goodbye = Some(cause).filter(|cause| is_the_clients_to_say(*cause));
                return Ok(None);
            }
            ClientFrame::Command { command_id, .. } if !self.commands.take(now) => {
                self.shared.metrics.commands_too_fast.up();
                let outcome = Outcome::Rejected {
                    code: Refusal::TooFast,
                };
                return Ok(Some(ServerFrame::Reply { command_id, outcome }));
            }
            ClientFrame::Command {
                command_id,
                expected_seq,
                command,
            } => HearingMessage::Command {
                seat,
                connection,
                id: command_id,
                expected: expected_seq,
                command,
            },
            ClientFrame::Refresh if self.refresh_at.is_some() => return Ok(None),
            ClientFrame::Refresh => match self.refreshes.borrow(1, now) {
                0 => self.refresh(),
                wait => {
                    self.refresh_at = Some(now.plus(wait));
                    return Ok(None);
                }
            },
            ClientFrame::NetReport(report) => HearingMessage::Net {
                seat,
                connection,
                quality: report.quality(),
            },
        };
        self.pass_on(message).await?;
        Ok(None)
    }

    fn refresh(&self) -> HearingMessage {
        let (seat, connection) = (self.seat.clone(), self.connection.clone());
        HearingMessage::Refresh { seat, connection }
    }

    async fn pass_on(&self, message: HearingMessage) -> Result<(), Lost> {
        let sent = self.mailbox.send(message).await;
        sent.map_err(|_| Lost::Ended(End::Bye(ByeReason::Restarting)))
    }
}

/// The hearing's task is gone without a word: to the client that is a restart.
fn last_word(end: Result<End, RecvError>) -> End {
    end.unwrap_or(End::Bye(ByeReason::Restarting))
}

/// Writes one frame. A client that does not read does not keep the hearing's last word from taking effect.
async fn write(
    socket: &mut WebSocket,
    frame: Utf8Bytes,
    ended: &mut oneshot::Receiver<End>,
) -> Result<(), Lost> {
    let mut sending = std::pin::pin!(tokio::time::timeout(
        WRITE_LIMIT,
        socket.send(Message::Text(frame))
    ));
    let sent = tokio::select! {
        sent = &mut sending => sent,
        end = ended => {
            let said = last_word(end);
            let limit = match said {
                End::Bye(_) => BYE_LIMIT,
                End::TooSlow => WRITE_LIMIT,
                End::Cut => return Err(Lost::Ended(said)),
            };
            // A frame that is half written must be finished before anything can follow it.
            let finished = tokio::time::timeout(limit, sending).await;
            return Err(Lost::Ended(match finished {
                Ok(Ok(Ok(()))) => said,
                _ => End::Cut,
            }));
        }
    };
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Lost::Drop(DropCause::ConnectionReset, None)),
        Err(_) => Err(Lost::Drop(DropCause::Silence, None)),
    }
}

/// Browsers close with 1001 when the page goes away, programs with 1000 when they end.
fn cause_of_close(close: Option<&CloseFrame>) -> DropCause {
    match close.map(|c| c.code) {
        Some(close_code::NORMAL | close_code::AWAY) => DropCause::WindowClosed,
        _ => DropCause::ConnectionReset,
    }
}

/// Tells a broken rule of the WebSocket protocol (a frame over the limit, text that is not UTF-8) from a broken line.
pub(crate) fn is_protocol_error(error: &axum::Error) -> bool {
    use std::error::Error as _;
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref::<std::io::Error>().is_some() {
            return false;
        }
        source = cause.source();
    }
    !error.to_string().contains("without closing handshake")
}

async fn finish(socket: &mut WebSocket, inbox: &mut Inbox, end: End) {
    match end {
        End::Cut => {
            let close = CloseFrame {
                code: close_code::AGAIN,
                reason: "nobody reads here".into(),
            };
            let _gone = tokio::time::timeout(BYE_LIMIT, socket.send(Message::Close(Some(close)))).await;
        }
        End::TooSlow => say_goodbye_within(WRITE_LIMIT, socket, ByeReason::TooSlow).await,
        End::Bye(reason) => {
            let rest = async {
                while let Some(frame) = inbox.waiting() {
                    socket.send(Message::Text(frame)).await?;
                }
                Ok::<_, axum::Error>(())
            };
            if matches!(tokio::time::timeout(BYE_LIMIT, rest).await, Ok(Ok(()))) {
                say_goodbye(socket, reason).await;
            }
        }
    }
}

async fn say_goodbye(socket: &mut WebSocket, reason: ByeReason) {
    say_goodbye_within(BYE_LIMIT, socket, reason).await;
}

async fn say_goodbye_within(limit: Duration, socket: &mut WebSocket, reason: ByeReason) {
    let farewell = async {
        socket
            .send(Message::Text(text(&ServerFrame::Bye { reason })))
            .await?;
        socket
            .send(Message::Close(Some(CloseFrame {
                code: close_code::NORMAL,
                reason: "".into(),
            })))
            .await?;
        // A socket closed with something unread is reset, and the reset overtakes the last word (RFC 1122 §4.2.2.13).
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<_, axum::Error>(())
    };
    // Who does not listen to the last word loses nothing but the reason.
    let _gone = tokio::time::timeout(limit, farewell).await;
}
