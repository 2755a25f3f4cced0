//! Pictures and sound, later by a fixed time. Nothing is dropped and the order stays.

use crate::frames::{EncodedFrame, FrameSink};
use crate::room::{Sound, SoundTrack};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

/// Hands on what it is given after `delay`, until the sender is gone and all was handed on.
///
/// The queue holds what a connection brings in that time, and the connection's rate bounds it.
fn later<T: Send + 'static>(
    delay: Duration,
    tasks: &TaskTracker,
    mut hand_on: impl FnMut(T) + Send + 'static,
) -> impl Fn(T) + Send + Sync + 'static {
    let (sender, mut queue) = mpsc::unbounded_channel::<(Instant, T)>();
    tasks.spawn(async move {
        while let Some((due, what)) = queue.recv().await {
            sleep_until(due).await;
            hand_on(what);
        }
    });
    move |what| {
        // The task ends only with this sender.
        let _ = sender.send((Instant::now() + delay, what));
    }
}

/// Pictures.
pub(super) struct DelayedFrames(Box<dyn Fn(EncodedFrame) + Send + Sync>);

impl DelayedFrames {
    pub(super) fn behind(
        sink: Arc<dyn FrameSink>,
        delay: Duration,
        tasks: &TaskTracker,
    ) -> Arc<dyn FrameSink> {
        Arc::new(Self(Box::new(later(delay, tasks, move |frame| {
            sink.frame(frame)
        }))))
    }
}

impl FrameSink for DelayedFrames {
    fn frame(&self, frame: EncodedFrame) {
        (self.0)(frame);
    }
}

/// Sound.
pub(super) struct DelayedSound {
    sound: Arc<dyn Sound>,
    delay: Duration,
    tasks: TaskTracker,
}

impl DelayedSound {
    pub(super) fn behind(sound: Arc<dyn Sound>, delay: Duration, tasks: &TaskTracker) -> Arc<dyn Sound> {
        Arc::new(Self {
            sound,
            delay,
            tasks: tasks.clone(),
        })
    }
}

/// One packet: whether it is RFC 2198, its number, its time, its payload.
type Packet = (bool, u16, u32, Vec<u8>);

struct DelayedTrack(Box<dyn Fn(Packet) + Send + Sync>);

impl SoundTrack for DelayedTrack {
    fn push(&mut self, red: bool, sequence: u16, timestamp: u32, payload: &[u8]) {
        (self.0)((red, sequence, timestamp, payload.to_vec()));
    }
}

impl Sound for DelayedSound {
    fn open(&self, slot: u32, identity: &str) -> Box<dyn SoundTrack> {
        let mut track = self.sound.open(slot, identity);
        Box::new(DelayedTrack(Box::new(later(
            self.delay,
            &self.tasks,
            move |(red, sequence, timestamp, payload): Packet| track.push(red, sequence, timestamp, &payload),
        ))))
    }

    fn close(&self, slot: u32) {
        self.sound.close(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    const DELAY: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn what_comes_in_comes_out_later_in_its_order_and_to_the_last() {
        let (tasks, out) = (TaskTracker::new(), Arc::new(Mutex::new(Vec::new())));
        let delayed = later(DELAY, &tasks, {
            let out = out.clone();
            move |(n, given): (u32, Instant)| out.lock().expect("whole").push((n, given.elapsed()))
        });
        for n in 0..3 {
            delayed((n, Instant::now()));
        }
        drop(delayed);
        tasks.close();
        tasks.wait().await;
        let (order, waited): (Vec<u32>, Vec<Duration>) = out.lock().expect("whole").drain(..).unzip();
        assert_eq!(order, [0, 1, 2]);
        assert!(waited.iter().all(|waited| *waited >= DELAY), "{waited:?}");
    }
}
