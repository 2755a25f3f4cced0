//! The server as one value: everything it is made of, put together in one place, with the world passed in.
//!
//! The binary and the tests build the same [`App`]. It owns every task that it starts and waits for them.

use crate::clock::Clock;
use crate::config::Config;
use crate::docket::{Docket, World};
use crate::doorway::Doorway;
use crate::entropy::Entropy;
use crate::http;
use crate::http::Failure;
use crate::keyed_hash::{Purpose, ServerKey};
use crate::metrics::Metrics;
use crate::passwords::Passwords;
use crate::practice::PracticeRooms;
use crate::rooms::{PRACTISES, PracticeRoom, Rooms};
use crate::storage::{AuditEntry, Store, StoreError, Token, TokenKind};
use crate::tries::{Tries, TryKey};
use axum::Router;
use axum::http::HeaderValue;
use futures_util::future::BoxFuture;
use protocol::{ApiErrorCode, Secret};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the server notes that it is alive, and so how exactly a crash is dated.
const ALIVE_EVERY_MS: u64 = 5_000;
/// Hearing channels without a good hello at once: from one address, and in all. A courthouse that comes back after an
/// outage is one address.
const STRANGERS: (usize, usize) = (128, 1024);
/// How often expired tokens are dropped.
const SWEEP_EVERY_MS: u64 = 3_600_000;

/// The media plane as the server needs it.
pub struct MediaParts {
    /// Rights and tokens.
    pub rooms: Arc<dyn Rooms>,
    /// Its own routes: signalling and RoomService.
    pub router: Router,
    /// Its counters in the Prometheus text format.
    pub metrics: MediaMetrics,
}

/// Reads the media plane's counters.
pub type MediaMetrics = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// What every handler and connection needs.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) key: ServerKey,
    pub(crate) docket: Docket,
    pub(crate) tries: Tries,
    pub(crate) rooms: Arc<dyn Rooms>,
    pub(crate) practice: PracticeRooms,
    /// Hearing channels whose hello has not been found good.
    pub(crate) hall: Arc<Doorway>,
    pub(crate) passwords: Passwords,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) media_metrics: MediaMetrics,
    /// Sent with every answer.
    pub(crate) content_security_policy: HeaderValue,
    /// Tasks and connections that a shutdown waits for.
    pub(crate) tracker: TaskTracker,
    /// Cancelled when the server begins to go down.
    pub(crate) soft: CancellationToken,
}

impl Shared {
    /// Issues a token and stores its hash.
    pub(crate) async fn issue(&self, kind: TokenKind, ttl_ms: u64) -> Result<Secret, Failure> {
        let token = self.entropy.token();
        let stored = Token {
            hash: self.key.hash(Purpose::Token, token.expose()),
            kind,
            issued_at: self.clock.stamp(),
            expires_at: self.clock.now().plus(ttl_ms),
        };
        self.store
            .issue(&stored)
            .await
            .map_err(|e| self.internal("token", &e))?;
        Ok(token)
    }

    /// Begins a try, or says how long to wait. On success forgive it.
    pub(crate) fn begin_try(&self, keys: &[TryKey], now: protocol::TimeMs) -> Result<(), Failure> {
        self.tries.begin(keys, now).map_err(|wait| {
            self.metrics.tries_refused.up();
            Failure::too_many_tries(wait)
        })
    }

    /// Writes to the court's trail. A trail that cannot be written is logged and does not stop a hearing.
    pub(crate) async fn audit(&self, entry: AuditEntry) {
        if let Err(error) = self.store.audit(&entry, self.clock.now()).await {
            self.store_failed("audit", &error);
        }
    }

    /// Counts and logs a failure of the database.
    pub(crate) fn store_failed(&self, what: &'static str, error: &StoreError) {
        self.metrics.store_failures.up();
        tracing::error!(what, %error, "the database failed");
    }

    /// The same, as the answer to a request.
    pub(crate) fn internal(&self, what: &'static str, error: &StoreError) -> Failure {
        self.store_failed(what, error);
        ApiErrorCode::Internal.into()
    }
}

/// The server.
pub struct App {
    shared: Arc<Shared>,
    router: Router,
    services: TaskTracker,
}

/// What the world is for the server.
pub struct Outside {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The open and migrated database.
    pub store: Store,
    /// Keys the hashes of codes and tokens.
    pub key: ServerKey,
    /// Media.
    pub media: MediaParts,
}

/// Derives the secret that signs media tokens from the server's own, when none is configured.
pub fn media_secret(config: &Config, key: &ServerKey) -> Secret {
    config.media_secret.clone().unwrap_or_else(|| {
        let bytes = key.hash(Purpose::MediaSecret, &config.media_key);
        Secret::new(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>())
    })
}

impl App {
    /// Puts the server together and loads the hearings that were under way.
    pub async fn build(config: Config, outside: Outside) -> Result<Self, StoreError> {
        let Outside {
            clock,
            entropy,
            store,
            key,
            media,
        } = outside;
        let metrics = Arc::new(Metrics::default());
        let tracker = TaskTracker::new();
        let world = World {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            rooms: media.rooms.clone(),
            metrics: metrics.clone(),
            media_url: config.media_url.as_str().into(),
            last_alive: store.last_alive().await?,
        };
        let shared = Arc::new(Shared {
            docket: Docket::new(world, tracker.clone()),
            passwords: Passwords::new(tracker.clone(), &entropy),
            content_security_policy: http::content_security_policy(&config.media_url),
            config,
            store,
            clock,
            entropy,
            key,
            tries: Tries::default(),
            rooms: media.rooms,
            practice: PracticeRooms::new(),
            hall: Doorway::new(STRANGERS.0, STRANGERS.1),
            metrics,
            media_metrics: media.metrics,
            tracker,
            soft: CancellationToken::new(),
        });
        shared.clock.stamp_after(shared.store.newest_token().await?);
        shared.store.note_alive(shared.clock.now()).await?;
        shared.docket.wake().await?;
        let services = TaskTracker::new();
        services.spawn(housekeeping(shared.clone()));
        Ok(Self {
            router: http::router(&shared, media.router),
            shared,
            services,
        })
    }

    /// The router, for tests that need no socket.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Cancelled when the server begins to go down.
    pub fn going_down(&self) -> CancellationToken {
        self.shared.soft.clone()
    }

    /// Serves until [`App::shut_down`] was called and the last connection has ended.
    pub async fn serve(&self, listener: TcpListener) -> std::io::Result<()> {
        let service = self
            .router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service)
            .with_graceful_shutdown(self.shared.soft.clone().cancelled_owned())
            .await
    }

    /// Counts what the media plane tells. Ends with the server.
    pub fn watch_media(&self, mut events: tokio::sync::broadcast::Receiver<crate::media::MediaEvent>) {
        let shared = self.shared.clone();
        self.services.spawn(async move {
            use crate::media::{LeaveCause, MediaEvent};
            use tokio::sync::broadcast::error::RecvError;
            loop {
                let event = tokio::select! {
                    event = events.recv() => event,
                    () = shared.soft.cancelled() => return,
                };
                match event {
                    Ok(MediaEvent::Active { room, .. }) => {
                        if PracticeRoom::named(&room).is_none() {
                            shared.metrics.media_joined.up();
                        }
                    }
                    Ok(MediaEvent::Left {
                        room,
                        identity,
                        cause,
                        ..
                    }) => {
                        if let Some(room) = PracticeRoom::named(&room) {
                            if identity == PRACTISES && cause == LeaveCause::ClientLeft {
                                shared.practice.left(&room);
                            }
                        } else if matches!(
                            cause,
                            LeaveCause::PeerTimeout | LeaveCause::SignalLost | LeaveCause::ProtocolError(_)
                        ) {
                            shared.metrics.media_lost.up();
                            tracing::info!(hearing = %room, seat = %identity, "media connection lost");
                        }
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    /// Goes down in order: no new requests, every connection is told, logs are complete, the database is closed.
    /// Takes at most `drain_ms`; false when something did not end in time.
    pub async fn shut_down(&self) -> bool {
        self.shared.soft.cancel();
        let drained = tokio::time::timeout(Duration::from_millis(self.shared.config.drain_ms), async {
            self.shared.docket.close().await;
            self.shared.tracker.close();
            self.shared.tracker.wait().await;
            self.services.close();
            self.services.wait().await;
            if let Err(error) = self.shared.store.note_alive(self.shared.clock.now()).await {
                self.shared.store_failed("sign of life", &error);
            }
            self.shared.store.close().await;
        });
        drained.await.is_ok()
    }
}

/// Notes that the server is alive, and drops what has expired.
async fn housekeeping(shared: Arc<Shared>) {
    let mut swept_at = shared.clock.now();
    loop {
        let next = shared.clock.now().plus(ALIVE_EVERY_MS);
        tokio::select! {
            () = shared.clock.sleep_until(next) => {}
            () = shared.soft.cancelled() => return,
        }
        let now = shared.clock.now();
        if let Err(error) = shared.store.note_alive(now).await {
            shared.store_failed("sign of life", &error);
        }
        if now.since(swept_at) >= SWEEP_EVERY_MS {
            swept_at = now;
            if let Err(error) = shared.store.forget_expired(now).await {
                shared.store_failed("expired tokens", &error);
            }
        }
    }
}
