//! Waits for what comes from a host, until the command is interrupted.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::session::Session;

/// How long it takes at most until an interruption is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// Passes each item to `each` until that returns false, or there are no more. The items are waited for on a thread of
/// their own, because nothing interrupts that.
///
/// # Errors
/// Returns the error of `each`, or that the command was interrupted.
pub(crate) fn follow<T: Send + 'static>(
    session: &Session,
    items: impl Iterator<Item = T> + Send + 'static,
    mut each: impl FnMut(T) -> Result<bool, Error>,
) -> Result<(), Error> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for item in items {
            if sender.send(item).is_err() {
                return;
            }
        }
    });
    loop {
        session.interrupt.check()?;
        match receiver.recv_timeout(SLICE) {
            Ok(item) => {
                if !each(item)? {
                    return Ok(());
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// Returns the result of `work`, which runs on a thread of its own, because nothing interrupts it.
///
/// # Errors
/// The command was interrupted. The work goes on until the process ends.
///
/// # Panics
/// The work panics.
pub(crate) fn interruptible<T: Send + 'static>(
    session: &Session,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let mut result = None;
    follow(session, std::iter::once_with(work), |done| {
        result = Some(done);
        Ok(false)
    })?;
    Ok(result.expect("the work has ended without a panic"))
}
