//! Running a call into a device driver that may never return.

use std::sync::mpsc;
use std::time::Duration;

/// Runs `call` on its own thread and waits at most `deadline` for it. `None` when it did not return: its thread is left
/// behind, because nothing can end a call that is stuck in a driver.
pub(crate) fn within<T: Send + 'static>(
    name: &str,
    deadline: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || drop(done.send(call())))
        .expect("the system can start a thread");
    result.recv_timeout(deadline).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_call_is_left_behind() {
        assert_eq!(within("quick", Duration::from_secs(20), || 7), Some(7));
        let (hold, held) = mpsc::channel::<()>();
        assert_eq!(
            within("stuck", Duration::from_millis(1), move || held.recv().is_ok()),
            None
        );
        drop(hold);
    }
}
