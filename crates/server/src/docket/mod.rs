//! The hearings that are in memory: one task each, started when somebody needs it and loaded from its log.
//!
//! The docket starts and finds tasks; it never looks into a hearing.

mod connection;
mod fan_out;
mod message;
mod task;

pub(crate) use connection::{End, Inbox, queue, text};
pub(crate) use message::{Attach, HearingMessage, Look, TakeRefusal};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::rooms::Rooms;
use crate::storage::{Store, StoreError};
use hearing::{Hearing, HearingSetup};
use protocol::{HearingId, HearingState, SeatId, Seq, TimeMs};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::task::TaskTracker;

/// Messages that wait for one hearing; connections wait when there are more.
const MAILBOX: usize = 256;

/// What every hearing task needs of the world.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) rooms: Arc<dyn Rooms>,
    pub(crate) metrics: Arc<Metrics>,
    /// Told to clients in [`protocol::MediaAccess::url`].
    pub(crate) media_url: Arc<str>,
    /// When a server before this one was last known to be alive.
    pub(crate) last_alive: Option<TimeMs>,
}

/// Finds hearings.
#[derive(Clone)]
pub(crate) struct Docket(Arc<Inner>);

struct Inner {
    world: World,
    tracker: TaskTracker,
    tasks: Mutex<HashMap<HearingId, mpsc::Sender<HearingMessage>>>,
    closing: AtomicBool,
}

/// Why a hearing did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocketError {
    /// There is no such hearing.
    #[error("no such hearing")]
    NoSuchHearing,
    /// The server is going down, or the hearing's task ended twice in a row.
    #[error("the hearing is not available now")]
    Unavailable,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Docket {
    pub(crate) fn new(world: World, tracker: TaskTracker) -> Self {
        Self(Arc::new(Inner {
            world,
            tracker,
            tasks: Mutex::default(),
            closing: AtomicBool::new(false),
        }))
    }

    /// The mailbox of a hearing; loads it when it is not in memory.
    pub(crate) async fn mailbox(&self, id: &HearingId) -> Result<mpsc::Sender<HearingMessage>, DocketError> {
        let mut tasks = self.0.tasks.lock().await;
        if self.0.closing.load(Ordering::Acquire) {
            return Err(DocketError::Unavailable);
        }
        if let Some(mailbox) = tasks.get(id).filter(|m| !m.is_closed()) {
            return Ok(mailbox.clone());
        }
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        // Loaded before by this server: its task ended just now. Else: a server before this one had it.
        let lost_at = self.0.world.last_alive.filter(|_| !tasks.contains_key(id));
        let lost_at = lost_at.unwrap_or_else(|| self.0.world.clock.now());
        let task = load(&self.0.world, id, lost_at)
            .await?
            .ok_or(DocketError::NoSuchHearing)?;
        self.0.tracker.spawn(task.run(inbox));
        tasks.insert(id.clone(), mailbox.clone());
        Ok(mailbox)
    }

    /// Asks a hearing something and waits for the answer. A task that was just ending is loaded again once.
    pub(crate) async fn ask<T>(
        &self,
        id: &HearingId,
        mut message: impl FnMut(oneshot::Sender<T>) -> HearingMessage,
    ) -> Result<T, DocketError> {
        for _ in 0..2 {
            let mailbox = self.mailbox(id).await?;
            let (reply, answer) = oneshot::channel();
            if mailbox.send(message(reply)).await.is_ok()
                && let Ok(answer) = answer.await
            {
                return Ok(answer);
            }
        }
        Err(DocketError::Unavailable)
    }

    /// What a seat looks like now, if its hearing is in memory.
    pub(crate) async fn look_if_loaded(&self, id: &HearingId, seat: &SeatId) -> Option<Look> {
        let mailbox = self.0.tasks.lock().await.get(id).cloned()?;
        let (reply, answer) = oneshot::channel();
        mailbox
            .send(HearingMessage::Look {
                seat: seat.clone(),
                reply,
            })
            .await
            .ok()?;
        answer.await.ok().flatten()
    }

    /// Loads the hearings that were under way when the last server stopped, so that their deadlines run again.
    pub(crate) async fn wake(&self) -> Result<(), StoreError> {
        for (id, state) in self.0.world.store.hearings_with_events().await? {
            if !is_over(&state) {
                match self.mailbox(&id).await {
                    Ok(_) => {}
                    Err(DocketError::Store(error)) => return Err(error),
                    Err(DocketError::NoSuchHearing | DocketError::Unavailable) => {}
                }
            }
        }
        Ok(())
    }

    /// Tells every hearing to say goodbye to everybody and end. New ones are not started any more.
    pub(crate) async fn close(&self) {
        let mut tasks = self.0.tasks.lock().await;
        self.0.closing.store(true, Ordering::Release);
        for (_, mailbox) in tasks.drain() {
            // A task that has ended already needs no telling.
            let _ended = mailbox.send(HearingMessage::Shutdown).await;
        }
    }
}

/// The hearing can never be in session again.
pub(crate) fn is_over(state: &HearingState) -> bool {
    match state {
        HearingState::Scheduled
        | HearingState::Open
        | HearingState::InSession { .. }
        | HearingState::Recess { .. }
        | HearingState::Suspended { .. }
        | HearingState::Signing { .. } => false,
        HearingState::Closed
        | HearingState::Archived
        | HearingState::Cancelled { .. }
        | HearingState::Adjourned { .. }
        | HearingState::MovedOffline { .. } => true,
    }
}

async fn load(
    world: &World,
    id: &HearingId,
    lost_at: TimeMs,
) -> Result<Option<task::HearingTask>, StoreError> {
    let Some(stored) = world.store.hearing(id).await? else {
        return Ok(None);
    };
    let log = world.store.events(id, Seq(0)).await?;
    let setup = HearingSetup {
        id: stored.id,
        case: stored.case,
        settings: stored.settings,
        seats: stored.seats,
    };
    let mut hearing = Hearing::scheduled(setup.clone());
    for envelope in &log {
        hearing.apply(envelope);
    }
    Ok(Some(task::HearingTask::new(
        world.clone(),
        setup,
        hearing,
        lost_at,
    )))
}
