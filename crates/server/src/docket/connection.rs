//! The way from a hearing's task to one connection: a queue with a budget, and one last word.
//!
//! The task never waits for a connection. A client that does not read exhausts its budget, is told so and cut off; it
//! can come back and resume.

use axum::extract::ws::Utf8Bytes;
use protocol::{ByeReason, ServerFrame};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

/// How many bytes may wait for one connection; a busy hearing makes about one kilobyte a second.
const BUDGET: usize = 2 * 1024 * 1024;
/// What a waiting frame costs besides its text.
const FRAME_COST: usize = 64;

/// The last word to a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Send what waits, then this.
    Bye(ByeReason),
    /// Its client reads too slowly: throw away what waits, and say so if that can still be written.
    TooSlow,
    /// Nobody listens there any more; close without a word.
    Cut,
}

/// Held by the hearing's task.
pub(crate) struct Outbox {
    frames: mpsc::UnboundedSender<Utf8Bytes>,
    waiting: Arc<AtomicUsize>,
    end: oneshot::Sender<End>,
}

/// Held by the connection.
pub(crate) struct Inbox {
    frames: mpsc::UnboundedReceiver<Utf8Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// The two ends of one connection's queue, and where its last word arrives; that errs when the task is gone.
pub(crate) fn queue() -> (Outbox, Inbox, oneshot::Receiver<End>) {
    let (frames, incoming) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    (
        Outbox {
            frames,
            waiting: waiting.clone(),
            end,
        },
        Inbox {
            frames: incoming,
            waiting,
        },
        ended,
    )
}

/// The budget is used up, or the connection is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Overflow;

impl Outbox {
    pub(crate) fn send(&self, text: Utf8Bytes) -> Result<(), Overflow> {
        let cost = text.len() + FRAME_COST;
        if self.waiting.fetch_add(cost, Ordering::Relaxed) + cost > BUDGET {
            return Err(Overflow);
        }
        self.frames.send(text).map_err(|_| Overflow)
    }

    pub(crate) fn end(self, end: End) {
        // A connection that is gone needs no last word.
        let _gone = self.end.send(end);
    }
}

impl Inbox {
    /// The next frame; pends for ever once the task is gone (then `end` speaks).
    pub(crate) async fn next(&mut self) -> Utf8Bytes {
        match self.frames.recv().await {
            Some(text) => self.taken(text),
            None => std::future::pending().await,
        }
    }

    /// The next frame that waits already.
    pub(crate) fn waiting(&mut self) -> Option<Utf8Bytes> {
        let text = self.frames.try_recv().ok()?;
        Some(self.taken(text))
    }

    fn taken(&self, text: Utf8Bytes) -> Utf8Bytes {
        self.waiting.fetch_sub(text.len() + FRAME_COST, Ordering::Relaxed);
        text
    }
}

/// The text of a frame.
pub(crate) fn text(frame: &ServerFrame) -> Utf8Bytes {
    serde_json::to_string(frame)
        .expect("server frames always serialise")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_does_not_read_overflows_and_one_that_reads_does_not() {
        let frame = Utf8Bytes::from("x".repeat(64 * 1024));
        let (outbox, mut inbox, mut end) = queue();
        for _ in 0..1_000 {
            assert_eq!(outbox.send(frame.clone()), Ok(()));
            assert!(inbox.waiting().is_some());
        }
        let fitted = (0..1_000)
            .take_while(|_| outbox.send(frame.clone()).is_ok())
            .count();
        assert!((30..=32).contains(&fitted), "{fitted}");
        outbox.end(End::TooSlow);
        assert_eq!(end.try_recv(), Ok(End::TooSlow));
    }
}
