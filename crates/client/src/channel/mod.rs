//! The hearing channel: one WebSocket to the court for a seat, kept up by itself.
//!
//! It carries frames and commands and decides when to try again; what frames mean for media is the session's business.

pub mod outbox;

use crate::reconnect;
use futures_util::{SinkExt, StreamExt};
use outbox::Outbox;
use protocol::{
    ByeReason, ClientFrame, DropCause, FRAME_LIMIT, LinkState, NetReport, Outcome, PROTOCOL_VERSION,
    SILENCE_LIMIT_MS, SeatTaken, SendCommand, Seq, ServerFrame, TimeMs,
};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use tokio_util::task::TaskTracker;
use url::Url;

/// A connection that held for so long was a good one: the next loss is tried again at once.
const STEADY: Duration = Duration::from_secs(5);
/// Pings go out this often: three in the time after which silence counts as gone.
pub const PING_EVERY: Duration = Duration::from_millis(SILENCE_LIMIT_MS / 3);
/// Connecting and being welcomed may take so long together.
const WELCOME_LIMIT: Duration = Duration::from_secs(7);

/// Whether to connect again after the server said goodbye. Pure.
pub fn comes_back(reason: ByeReason) -> bool {
    match reason {
        ByeReason::ProtocolError | ByeReason::Restarting | ByeReason::TooSlow | ByeReason::TooOften => true,
        ByeReason::Replaced
        | ByeReason::Removed
        | ByeReason::Left
        | ByeReason::HearingEnded
        | ByeReason::BadToken
        | ByeReason::UpdateNeeded => false,
    }
}

/// What the channel says.
#[expect(
    clippy::large_enum_variant,
    reason = "few exist at a time, and nearly all of them are frames"
)]
#[derive(Clone, PartialEq, Debug)]
pub enum ChannelEvent {
    /// As it is now.
    Link(LinkState),
    /// A frame as it came; replies are among them.
    Frame(ServerFrame),
    /// Round trip in milliseconds.
    RoundTrip(u32),
}

/// What the channel needs.
pub struct ChannelSetup {
    /// The court's server.
    pub server: Url,
    /// The seat and its token.
    pub seat: SeatTaken,
    /// For the technician.
    pub client: String,
    /// Jitter.
    pub rng: ChaCha8Rng,
}

enum Order {
    Command(SendCommand, oneshot::Sender<Outcome>),
    Report(NetReport),
    Refresh,
    Retry,
    Break,
    Goodbye(DropCause),
}

/// The way to a running channel.
#[derive(Clone)]
pub struct ChannelHandle {
    orders: mpsc::UnboundedSender<Order>,
}

impl ChannelHandle {
    /// Sends a command; the answer comes over reconnects too, and never when the channel has ended.
    pub fn command(&self, command: SendCommand) -> oneshot::Receiver<Outcome> {
        let (answer, answered) = oneshot::channel();
        let _ = self.orders.send(Order::Command(command, answer));
        answered
    }

    /// What was measured; lost when not connected.
    pub fn report(&self, report: NetReport) {
        let _ = self.orders.send(Order::Report(report));
    }

    /// Asks for a fresh snapshot.
    pub fn refresh(&self) {
        let _ = self.orders.send(Order::Refresh);
    }

    /// Tries again now; nothing unless it waits for the next try.
    pub fn retry_now(&self) {
        let _ = self.orders.send(Order::Retry);
    }

    /// Drops the connection without a word, as a dead network would; for tests.
    pub fn sever(&self) {
        let _ = self.orders.send(Order::Break);
    }

    /// Says why the silence that follows, and ends.
    pub fn goodbye(&self, cause: DropCause) {
        let _ = self.orders.send(Order::Goodbye(cause));
    }
}

/// Opens the channel. The events end when it is over for good; the last one then is `Link(Ended)`, unless this side
/// said goodbye.
pub fn open(setup: ChannelSetup, tasks: &TaskTracker) -> (ChannelHandle, mpsc::Receiver<ChannelEvent>) {
    let (orders, orders_in) = mpsc::unbounded_channel();
    let (events, events_out) = mpsc::channel(256);
    let channel = Channel {
        setup,
        orders: orders_in,
        events,
        outbox: Outbox::default(),
        applied: None,
        cause: None,
        started: Instant::now(),
    };
    tasks.spawn(channel.run());
    (ChannelHandle { orders }, events_out)
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Channel {
    setup: ChannelSetup,
    orders: mpsc::UnboundedReceiver<Order>,
    events: mpsc::Sender<ChannelEvent>,
    outbox: Outbox<oneshot::Sender<Outcome>>,
    applied: Option<Seq>,
    cause: Option<DropCause>,
    started: Instant,
}

enum End {
    /// Try again.
    Lost(DropCause),
    /// Try again; the court is well and so is the line.
    NotYet,
    /// The server ended it for good.
    Bye(ByeReason),
    /// This side ended it.
    Ours,
}

impl Channel {
    async fn run(mut self) {
        self.say(ChannelEvent::Link(LinkState::Connecting)).await;
        let (mut attempt, mut lost_at) = (0, None);
        loop {
            let end = match self.connect().await {
                Ok(socket) => {
                    let opened = Instant::now();
                    let (end, welcomed) = self.converse(socket).await;
                    if welcomed {
                        lost_at = None;
                    }
                    // Welcomed and thrown out again at once is no success: it must not be tried without a pause.
                    if welcomed && opened.elapsed() >= STEADY {
                        attempt = 0;
                    }
                    end
                }
                Err(end) => end,
            };
            match end {
                End::Ours => return,
                End::Bye(reason) => {
                    self.say(ChannelEvent::Link(LinkState::Ended { reason })).await;
                    return;
                }
                // What happens until the court welcomes again is not why it went.
                End::Lost(cause) => _ = self.cause.get_or_insert(cause),
                End::NotYet => {}
            }
            attempt += 1;
            let lost_at = *lost_at.get_or_insert_with(Instant::now);
            let wait = reconnect::delay(attempt, &mut self.setup.rng);
            self.say(ChannelEvent::Link(LinkState::Retrying {
                attempt,
                retry_in_ms: wait.as_millis() as u32,
                lost_for_ms: lost_at.elapsed().as_millis() as u64,
            }))
            .await;
            if self.wait(Instant::now() + wait).await.is_break() {
                return;
            }
        }
    }

    async fn say(&self, event: ChannelEvent) {
        // The session reads until the channel ends; if it is gone, so are we soon.
        let _ = self.events.send(event).await;
    }

    /// Waits, and takes commands meanwhile; they go out with the next connection.
    async fn wait(&mut self, until: Instant) -> std::ops::ControlFlow<()> {
        loop {
            tokio::select! {
                () = sleep_until(until) => return std::ops::ControlFlow::Continue(()),
                order = self.orders.recv() => match order {
                    Some(Order::Command(command, answer)) => { self.outbox.add(command, answer); }
                    Some(Order::Retry) => return std::ops::ControlFlow::Continue(()),
                    Some(Order::Report(_) | Order::Refresh | Order::Break) => {}
                    Some(Order::Goodbye(_)) | None => return std::ops::ControlFlow::Break(()),
                },
            }
        }
    }

    fn address(&self) -> Url {
        let mut url = self.setup.server.clone();
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).expect("http and https become ws and wss");
        let path = format!(
            "{}/api/v1/hearings/{}/channel",
            self.setup.server.path().trim_end_matches('/'),
            self.setup.seat.hearing
        );
        url.set_path(&path);
        url
    }

    async fn connect(&mut self) -> Result<Socket, End> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(FRAME_LIMIT * 4))
            .max_frame_size(Some(FRAME_LIMIT * 4));
        let url = self.address();
        let connecting = timeout(
            WELCOME_LIMIT,
            connect_async_tls_with_config(url.as_str(), Some(config), true, Some(crate::tls::connector())),
        );
        tokio::pin!(connecting);
        loop {
            tokio::select! {
                result = &mut connecting => return match result {
                    Ok(Ok((socket, _))) => Ok(socket),
                    Ok(Err(WsError::Http(response))) if matches!(response.status().as_u16(), 401 | 403) => {
                        Err(End::Bye(ByeReason::BadToken))
                    }
                    Ok(Err(error)) => Err(End::Lost(self.cause.unwrap_or_else(|| cause_of(&error)))),
                    Err(_) => Err(End::Lost(self.cause.unwrap_or(DropCause::Silence))),
                },
                order = self.orders.recv() => match order {
                    Some(Order::Command(command, answer)) => { self.outbox.add(command, answer); }
                    Some(Order::Report(_) | Order::Refresh | Order::Retry | Order::Break) => {}
                    Some(Order::Goodbye(_)) | None => return Err(End::Ours),
                },
            }
        }
    }

    /// Hello to bye. Also says whether the seat was given.
    async fn converse(&mut self, mut socket: Socket) -> (End, bool) {
        let mut welcomed = false;
        let end = self.frames(&mut socket, &mut welcomed).await;
        let _ = timeout(Duration::from_millis(300), socket.close(None)).await;
        (end, welcomed)
    }

    async fn frames(&mut self, socket: &mut Socket, welcomed: &mut bool) -> End {
        let hello = ClientFrame::Hello {
            protocol: PROTOCOL_VERSION,
            token: self.setup.seat.token.clone(),
            resume_after: self.applied,
            drop_cause: self.cause,
            client: self.setup.client.clone(),
        };
        if let Err(error) = send(socket, &hello).await {
            return End::Lost(cause_of(&error));
        }
        let mut heard = Instant::now();
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let silence = Duration::from_millis(SILENCE_LIMIT_MS);
            let limit = heard + if *welcomed { silence } else { WELCOME_LIMIT };
            let sent = tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            let Ok(frame) = serde_json::from_str::<ServerFrame>(&text) else {
                                tracing::warn!("the server sent a frame that is not of this protocol version");
                                return End::Lost(DropCause::ProtocolError);
                            };
                            match self.take(frame, socket, welcomed).await {
                                Ok(None) => Ok(()),
                                Ok(Some(end)) => return end,
                                Err(error) => Err(error),
                            }
                        }
                        Some(Ok(Message::Close(_))) | None => return End::Lost(DropCause::ConnectionReset),
                        Some(Ok(_)) => Ok(()),
                        Some(Err(error)) => Err(error),
                    }
                }
                () = sleep_until(limit) => return End::Lost(DropCause::Silence),
                _ = ping.tick() => {
                    let sent_at = TimeMs(self.started.elapsed().as_millis() as u64);
                    send(socket, &ClientFrame::Ping { sent_at }).await
                }
                order = self.orders.recv() => match order {
                    Some(Order::Command(command, answer)) => match self.outbox.add(command, answer) {
                        Some(frame) if *welcomed => send(socket, &frame).await,
                        _ => Ok(()),
                    },
                    Some(Order::Report(report)) if *welcomed => send(socket, &ClientFrame::NetReport(report)).await,
                    Some(Order::Refresh) if *welcomed => send(socket, &ClientFrame::Refresh).await,
                    Some(Order::Report(_) | Order::Refresh | Order::Retry) => Ok(()),
                    Some(Order::Break) => return End::Lost(DropCause::ConnectionReset),
                    Some(Order::Goodbye(cause)) => {
                        let _ = send(socket, &ClientFrame::Goodbye { cause }).await;
                        return End::Ours;
                    }
                    None => return End::Ours,
                },
            };
            if let Err(error) = sent {
                return End::Lost(cause_of(&error));
            }
        }
    }

    async fn take(
        &mut self,
        frame: ServerFrame,
        socket: &mut Socket,
        welcomed: &mut bool,
    ) -> Result<Option<End>, WsError> {
        match &frame {
            ServerFrame::Welcome { snapshot, .. } => {
                self.applied = Some(snapshot.seq);
                self.cause = None;
                *welcomed = true;
                self.say(ChannelEvent::Link(LinkState::Live)).await;
                self.say(ChannelEvent::Frame(frame)).await;
                let again: Vec<ClientFrame> = self.outbox.again().collect();
                for frame in &again {
                    send(socket, frame).await?;
                }
                return Ok(None);
            }
            ServerFrame::Snapshot { snapshot } => self.applied = self.applied.max(Some(snapshot.seq)),
            ServerFrame::Event { envelope } => self.applied = self.applied.max(Some(envelope.seq)),
            ServerFrame::Reply { command_id, outcome } => {
                for waiter in self.outbox.answered(command_id, outcome) {
                    let _ = waiter.send(*outcome);
                }
            }
            ServerFrame::Pong { sent_at, .. } => {
                let rtt = TimeMs(self.started.elapsed().as_millis() as u64).since(*sent_at);
                self.say(ChannelEvent::RoundTrip(rtt.min(60_000) as u32)).await;
                return Ok(None);
            }
            ServerFrame::Media { .. } => {}
            ServerFrame::Bye { reason } => {
                let reason = *reason;
                self.say(ChannelEvent::Frame(frame)).await;
                return Ok(Some(match reason {
                    reason if !comes_back(reason) => End::Bye(reason),
                    ByeReason::TooOften => End::NotYet,
                    ByeReason::Restarting => End::Lost(DropCause::ServerRestart),
                    ByeReason::TooSlow => End::Lost(DropCause::Silence),
                    _ => End::Lost(DropCause::ProtocolError),
                }));
            }
        }
        self.say(ChannelEvent::Frame(frame)).await;
        Ok(None)
    }
}

async fn send(socket: &mut Socket, frame: &ClientFrame) -> Result<(), WsError> {
    let text = serde_json::to_string(frame).expect("our own frames serialise");
    // A dead path takes nothing more once the socket's buffer is full.
    timeout(
        Duration::from_millis(SILENCE_LIMIT_MS),
        socket.send(Message::text(text)),
    )
    .await
    .map_err(|late| WsError::Io(late.into()))?
}

fn cause_of(error: &WsError) -> DropCause {
    match error {
        WsError::Io(_)
        | WsError::ConnectionClosed
        | WsError::AlreadyClosed
        | WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => DropCause::ConnectionReset,
        WsError::Protocol(_) | WsError::Capacity(_) | WsError::Utf8(_) => DropCause::ProtocolError,
        _ => DropCause::Silence,
    }
}
