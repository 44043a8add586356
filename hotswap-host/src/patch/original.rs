//! The call of an `async fn` below a patch.
use hotswap_plugin::boundary::{Later, Return, raise};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// The call that a patch is put [around](crate::Patch::around_async): a future of its result. The function has its
/// parameters, and begins when this is first polled.
///
/// It ends with the call that it belongs to.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Original<T>(Arc<Mutex<Option<Later<T>>>>);

/// Ends the [`Original`], wherever that is by then, since only the call keeps what it needs.
pub(super) struct Started<T>(Arc<Mutex<Option<Later<T>>>>);

impl<T: Return> Original<T> {
    /// Returns the call of this future, and what ends it.
    pub(super) fn begin(later: Later<T>) -> (Started<T>, Self) {
        let shared = Arc::new(Mutex::new(Some(later)));
        (Started(shared.clone()), Original(shared))
    }
}

fn locked<T>(later: &Mutex<Option<Later<T>>>) -> MutexGuard<'_, Option<Later<T>>> {
    later.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Return> Future for Original<T> {
    type Output = T;

    /// # Panics
    /// Panics if the function panicked, or if the call has ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut later = locked(&self.0);
        let running = later.as_mut();
        let polled = running
            .expect("the call that this belongs to has ended")
            .try_poll(cx);
        if polled.is_ready() {
            *later = None;
        }
        drop(later);
        polled.map(|ended| ended.unwrap_or_else(|panicked| raise(panicked.text)))
    }
}

impl<T> Drop for Started<T> {
    fn drop(&mut self) {
        let later = locked(&self.0).take();
        drop(later);
    }
}

impl<T> fmt::Debug for Original<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").finish_non_exhaustive()
    }
}
