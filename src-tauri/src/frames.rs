//! The frame socket: carries pictures to the page over a loopback WebSocket (layout: [`protocol::FrameSocket`]).
//!
//! It never waits for the page: a page that falls behind loses frames up to the next key frame of that track.
//! It serves one page at a time, from our own origin, with a token that works once.
//! It is also how a page is missed: one that stops answering hangs, one that goes and does not come back is dead.

use bytes::{BufMut, Bytes, BytesMut};
use client::{DecodedFrame, EncodedFrame};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use protocol::{FrameRequest, FrameSocket, Secret};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::MissedTickBehavior;
use tokio_tungstenite::tungstenite::{
    self, Message, Utf8Bytes,
    handshake::server::{ErrorResponse, Request, Response},
    http::StatusCode,
    protocol::WebSocketConfig,
};

/// Frames that may wait for the page before it counts as behind: a quarter of a second of six tiles at 25 Hz.
const QUEUE: usize = 40;
/// The page only sends small requests.
const REQUEST_LIMIT: usize = 1024;
/// A page says its token at once; whoever does not is something else.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// How often the page is asked whether it lives. What it gets wakes it even while its own timers are held back.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// A page that leaves so many questions in a row unanswered hangs. Questions are counted and not seconds: a computer that
/// was asleep has asked none.
const UNANSWERED: u32 = 5;
/// Each hang doubles the patience with the next page, up to so many times: a machine that is too busy for its page is not
/// helped by loading it again and again.
const DOUBLINGS: u32 = 4;
/// A page that has answered so often, for ten minutes, ends that.
const CALM_ANSWERS: u32 = 300;
/// A page that loads again or lost only its socket is back within this; each further wait is twice as long.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// The longest of those waits.
const LONGEST_WAIT: Duration = Duration::from_secs(240);
/// Pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Length of the header before each picture.
const HEADER: usize = 24;
/// Where our page can come from: WebKitGTK and WKWebView, then WebView2.
const ORIGINS: [&str; 3] = [
    "tauri://localhost",
    "http://tauri.localhost",
    "https://tauri.localhost",
];

/// One picture on its way to the page.
pub(crate) struct Picture {
    pub(crate) slot: u32,
    kind: Kind,
    width: u16,
    height: u16,
    number: u32,
    captured_us: u64,
    data: Bytes,
}

enum Kind {
    H264 { key: bool },
    I420,
}

impl From<EncodedFrame> for Picture {
    fn from(frame: EncodedFrame) -> Self {
        Self {
            slot: frame.slot,
            kind: Kind::H264 { key: frame.key },
            width: frame.width,
            height: frame.height,
            number: frame.seq,
            captured_us: frame.ts_us,
            data: frame.data,
        }
    }
}

impl From<DecodedFrame> for Picture {
    fn from(frame: DecodedFrame) -> Self {
        Self {
            slot: frame.slot,
            kind: Kind::I420,
            width: frame.width,
            height: frame.height,
            number: frame.seq,
            captured_us: frame.ts_us,
            data: frame.data,
        }
    }
}

impl Picture {
    /// A page can begin with it.
    fn stands_alone(&self) -> bool {
        matches!(self.kind, Kind::I420 | Kind::H264 { key: true })
    }
}

/// Hands pictures to whichever page is connected. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FrameHub(Arc<Mutex<Hub>>);

struct Hub {
    token: Option<Secret>,
    page: Option<Page>,
    /// How many pages have shown a token so far: whoever waits for the next one sees it here.
    pages: watch::Sender<u64>,
    /// How many pages have hung since one was calm.
    hangs: u32,
}

/// How a page was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lost {
    /// It is there and answers nothing.
    Hung,
    /// Its socket is closed and no page came after it.
    Gone,
}

struct Page {
    frames: mpsc::Sender<Bytes>,
    /// Tracks that lost a frame and wait for a key frame.
    waiting_for_key: HashSet<u32>,
}

impl FrameHub {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Hub {
            token: None,
            page: None,
            pages: watch::Sender::new(0),
            hangs: 0,
        })))
    }

    fn hub(&self) -> std::sync::MutexGuard<'_, Hub> {
        self.0.lock().expect("no holder of the hub panics")
    }

    /// Takes one picture; returns false when a key frame of its track is needed before the page can go on.
    pub(crate) fn push(&self, frame: &Picture) -> bool {
        let mut hub = self.hub();
        let Some(page) = hub.page.as_mut() else {
            return true;
        };
        let key = frame.stands_alone();
        if page.waiting_for_key.contains(&frame.slot) && !key {
            return true;
        }
        match page.frames.try_send(encode(frame)) {
            Ok(()) => {
                page.waiting_for_key.remove(&frame.slot);
                true
            }
            Err(mpsc::error::TrySendError::Full(_)) => {
                page.waiting_for_key.insert(frame.slot);
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                hub.page = None;
                true
            }
        }
    }

    /// Makes a new token; an older one that was not used is void.
    pub(crate) fn issue(&self, token: Secret, port: u16) -> FrameSocket {
        self.hub().token = Some(token.clone());
        FrameSocket {
            url: format!("ws://127.0.0.1:{port}"),
            token,
        }
    }

    fn redeem(&self, offered: &str) -> Option<Admitted> {
        let mut hub = self.hub();
        let right = hub.token.as_ref()?.expose().as_bytes().ct_eq(offered.as_bytes());
        if !bool::from(right) {
            return None;
        }
        hub.token = None;
        let (frames, pictures) = mpsc::channel(QUEUE);
        hub.page = Some(Page {
            frames,
            waiting_for_key: HashSet::new(),
        });
        hub.pages.send_modify(|pages| *pages += 1);
        Some(Admitted {
            pictures,
            next: hub.pages.subscribe(),
            patience: UNANSWERED << hub.hangs.min(DOUBLINGS),
        })
    }

    fn hung(&self) {
        self.hub().hangs += 1;
    }

    fn calm(&self) {
        self.hub().hangs = 0;
    }
}

/// A page that showed the token.
struct Admitted {
    pictures: mpsc::Receiver<Bytes>,
    /// Tells when another page comes.
    next: watch::Receiver<u64>,
    /// How many questions it may leave unanswered.
    patience: u32,
}

fn encode(frame: &Picture) -> Bytes {
    let kind = match frame.kind {
        Kind::H264 { .. } => 0,
        Kind::I420 => 1,
    };
    let mut out = BytesMut::with_capacity(HEADER + frame.data.len());
    out.put_u8(kind);
    out.put_u8(u8::from(frame.stands_alone()));
    out.put_u16_le(frame.width);
    out.put_u16_le(frame.height);
    out.put_u16_le(0);
    out.put_u32_le(frame.slot);
    out.put_u32_le(frame.number);
    out.put_u64_le(frame.captured_us);
    out.extend_from_slice(&frame.data);
    out.freeze()
}

/// Serves pages until the program ends. `request` gets what the page asks for, `lost` is told when the page is missed.
pub(crate) async fn serve(
    listener: TcpListener,
    hub: FrameHub,
    request: impl Fn(FrameRequest) + Clone + Send + 'static,
    lost: impl Fn(Lost) + Clone + Send + 'static,
) {
    // Connections run side by side until they show the token; the newest page that did has the pictures.
    let mut pages = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of file descriptors, most likely: asking again at once would only burn the processor.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let (hub, request, lost) = (hub.clone(), request.clone(), lost.clone());
                pages.spawn(async move {
                    match serve_page(stream, &hub, request).await {
                        Ok(End::Replaced) => {}
                        Ok(End::Hung(next)) => {
                            hub.hung();
                            lost(Lost::Hung);
                            missed(next, lost).await;
                        }
                        Ok(End::Left(next)) => missed(next, lost).await,
                        Err(error) => tracing::debug!(%error, "turned away from the frame socket"),
                    }
                });
            }
            Some(_) = pages.join_next() => {}
        }
    }
}

/// Tells again and again that the page is gone, until one comes.
async fn missed(mut next: watch::Receiver<u64>, lost: impl Fn(Lost)) {
    let mut wait = BACK_WITHIN;
    while tokio::time::timeout(wait, next.changed()).await.is_err() {
        lost(Lost::Gone);
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// How serving a page ended.
enum End {
    /// A newer page took its place.
    Replaced,
    /// Its socket closed. Tells when a next page comes.
    Left(watch::Receiver<u64>),
    /// It stopped answering.
    Hung(watch::Receiver<u64>),
}

/// Fails for whoever shows no valid token.
async fn serve_page(
    stream: TcpStream,
    hub: &FrameHub,
    request: impl Fn(FrameRequest),
) -> anyhow::Result<End> {
    stream.set_nodelay(true)?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(REQUEST_LIMIT))
        .max_frame_size(Some(REQUEST_LIMIT));
    let greeting = async {
        let mut socket =
            tokio_tungstenite::accept_hdr_async_with_config(stream, check_origin, Some(limits)).await?;
        let first = socket.next().await.transpose()?;
        anyhow::Ok((socket, first))
    };
    let (mut socket, first) = tokio::time::timeout(GREETING_LIMIT, greeting).await??;
    let admitted = match &first {
        Some(Message::Text(token)) => hub.redeem(token),
        _ => None,
    };
    let Some(Admitted {
        pictures,
        next,
        patience,
    }) = admitted
    else {
        socket.close(None).await?;
        anyhow::bail!("no valid token");
    };
    let (sink, messages) = socket.split();
    let questions = &Questions::default();
    let request = move |asked| {
        if questions.answered() == CALM_ANSWERS {
            hub.calm();
        }
        request(asked);
    };
    // Side by side, because a page that hangs does not read either: writing then waits for ever.
    Ok(tokio::select! {
        replaced = write(sink, pictures, questions) => if replaced { End::Replaced } else { End::Left(next) },
        () = read(messages, request) => End::Left(next),
        () = questions.unanswered(patience, ASK_EVERY) => End::Hung(next),
    })
}

/// Asking a page whether it lives.
#[derive(Default)]
struct Questions {
    ask: Notify,
    open: AtomicU32,
    answers: AtomicU32,
}

impl Questions {
    /// Asks every `pause`; ends when the page owes `patience` answers.
    async fn unanswered(&self, patience: u32, pause: Duration) {
        let mut again = tokio::time::interval(pause);
        // After a sleep of the computer once, and not once for every pause that was slept through.
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            if self.open.fetch_add(1, Relaxed) == patience {
                return;
            }
            self.ask.notify_one();
        }
    }

    /// The page said something. How often it has.
    fn answered(&self) -> u32 {
        self.open.store(0, Relaxed);
        self.answers.fetch_add(1, Relaxed) + 1
    }
}

/// Sends pictures and questions. True at the end when a newer page took the hub.
async fn write(
    mut sink: impl Sink<Message> + Unpin,
    mut pictures: mpsc::Receiver<Bytes>,
    questions: &Questions,
) -> bool {
    loop {
        let message = tokio::select! {
            picture = pictures.recv() => match picture {
                Some(picture) => Message::Binary(picture),
                None => return true,
            },
            () = questions.ask.notified() => Message::Text(Utf8Bytes::default()),
        };
        if sink.send(message).await.is_err() {
            return false;
        }
    }
}

/// Hands on what the page asks for, until it leaves or says what is not the protocol.
async fn read(
    mut messages: impl Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
    request: impl Fn(FrameRequest),
) {
    while let Some(Ok(message)) = messages.next().await {
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(asked) => request(asked),
                Err(error) => {
                    return tracing::error!(%error, "the page asked for what the shell does not know");
                }
            },
            Message::Close(_) => return,
            _ => {}
        }
    }
}

// The error type is the WebSocket crate's, and large; it is built once per refused page.
#[expect(clippy::result_large_err, reason = "the signature is tungstenite's callback")]
fn check_origin(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    let origin = request
        .headers()
        .get("origin")
        .and_then(|origin| origin.to_str().ok());
    if origin.is_some_and(|origin| ORIGINS.contains(&origin)) {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::{
        MaybeTlsStream, WebSocketStream,
        tungstenite::{Error, client::IntoClientRequest},
    };

    type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

    async fn connect(url: &str, origin: &'static str) -> Result<Client, Error> {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("origin", http_value(origin));
        Ok(tokio_tungstenite::connect_async(request).await?.0)
    }

    fn http_value(text: &'static str) -> tokio_tungstenite::tungstenite::http::HeaderValue {
        tokio_tungstenite::tungstenite::http::HeaderValue::from_static(text)
    }

    /// From our origin, with a token said first.
    async fn page(url: &str, token: &str) -> Client {
        let mut page = connect(url, ORIGINS[0]).await.expect("our origin is let in");
        page.send(Message::Text(token.into())).await.expect("it listens");
        page
    }

    /// Pushes pictures until the page has one; false when the page was turned away.
    async fn gets_pictures(hub: &FrameHub, page: &mut Client) -> bool {
        let mut again = tokio::time::interval(Duration::from_millis(5));
        loop {
            tokio::select! {
                message = page.next() => match message {
                    Some(Ok(Message::Binary(_))) => return true,
                    // Whether it lives.
                    Some(Ok(Message::Text(_))) => {}
                    _ => return false,
                },
                _ = again.tick() => {
                    hub.push(&Picture::from(EncodedFrame {
                        slot: 1,
                        key: true,
                        width: 16,
                        height: 16,
                        seq: 0,
                        ts_us: 0,
                        data: Bytes::from_static(&[0, 0, 0, 1]),
                    }));
                }
            }
        }
    }

    #[test]
    fn a_page_hangs_that_owes_too_many_answers_and_the_next_is_given_longer() {
        tauri::async_runtime::block_on(async {
            let questions = Questions::default();
            questions.unanswered(3, Duration::from_millis(1)).await;
            assert_eq!(questions.open.load(Relaxed), 4);

            // One that answers each question is left alone for as long as it does. A pause in which also a busy machine
            // comes round to answering.
            let pause = Duration::from_millis(20);
            let (questions, answers) = (Questions::default(), 10);
            let answering = async {
                while questions.answered() < answers {
                    questions.ask.notified().await;
                }
            };
            tokio::select! {
                () = questions.unanswered(3, pause) => panic!("it answered every question"),
                () = answering => {}
            }

            let hub = FrameHub::new();
            let patience = || {
                let token = hub.issue(Secret::new("token"), 1).token;
                hub.redeem(token.expose()).expect("the token is right").patience
            };
            assert_eq!(patience(), UNANSWERED);
            hub.hung();
            assert_eq!(patience(), 2 * UNANSWERED);
            (0..99).for_each(|_| hub.hung());
            assert_eq!(patience(), 16 * UNANSWERED);
            hub.calm();
            assert_eq!(patience(), UNANSWERED);
        });
    }

    #[test]
    fn pictures_go_to_our_own_newest_page_and_to_nobody_else() {
        tauri::async_runtime::block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0")
                .await
                .expect("loopback has a free port");
            let port = listener.local_addr().expect("it is bound").port();
            let hub = FrameHub::new();
            tauri::async_runtime::spawn(serve(listener, hub.clone(), |_| (), |_| ()));
            let url = hub.issue(Secret::new("first"), port).url;

            for stranger in ["https://court.example", "null", "http://localhost"] {
                let refused = connect(&url, stranger).await;
                assert!(
                    matches!(&refused, Err(Error::Http(answer)) if answer.status() == StatusCode::FORBIDDEN),
                    "{stranger}: {refused:?}"
                );
            }
            let mut guesser = page(&url, "fist").await;
            assert!(!gets_pictures(&hub, &mut guesser).await, "a wrong token");
            let mut first = page(&url, "first").await;
            assert!(gets_pictures(&hub, &mut first).await, "the right token");
            let mut twice = page(&url, "first").await;
            assert!(!gets_pictures(&hub, &mut twice).await, "a token works once");

            hub.issue(Secret::new("second"), port);
            let mut second = page(&url, "second").await;
            assert!(
                gets_pictures(&hub, &mut second).await,
                "a page that was loaded again"
            );
            let left =
                async { while let Some(Ok(Message::Binary(_) | Message::Text(_))) = first.next().await {} };
            tokio::time::timeout(Duration::from_secs(5), left)
                .await
                .expect("the older page is let go");
        });
    }
}
