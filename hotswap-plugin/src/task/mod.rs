//! Background tasks on the plugin's own [tokio](https://docs.rs/tokio) runtime, with the feature `tokio`.
//!
//! With the feature, a plugin has a small runtime of its own, from before `new` until after `Drop`. Its hooks, and the
//! code that its functions `.await`, may use tokio as in any program: timers, sockets, `spawn`, `spawn_blocking`, and
//! channels. A function that is not `async` reaches the runtime through [`handle`].
//!
//! ```toml
//! [dependencies]
//! hotswap-plugin = { version = "0.1", features = ["tokio"] }
//! tokio = { version = "1", features = ["net", "sync", "time"] }
//! ```
//!
//! A task that is spawned with this module has a name, and ends with the build that spawned it:
//!
//! ```
//! use hotswap_plugin::{prelude::*, task};
//! use std::time::Duration;
//!
//! #[derive(Default)]
//! struct Ticker;
//!
//! #[plugin]
//! impl Ticker {
//!     fn on_start(&self) {
//!         // Cancelled when the plugin is replaced.
//!         task::spawn("ticker", async {
//!             loop {
//!                 tokio::time::sleep(Duration::from_secs(1)).await;
//!                 info!("tick");
//!             }
//!         });
//!     }
//!
//!     #[invoke]
//!     async fn send(&self, text: String) {
//!         // May take its time, also when the plugin is replaced meanwhile.
//!         task::named("sending").finish_within(Duration::from_secs(10)).spawn(async move {
//!             tokio::time::sleep(Duration::from_millis(1)).await;
//!             info!("sent {text}");
//!         });
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! # When the plugin is replaced
//! After `on_stop`, the tasks are cancelled at their next `.await`, except for those that may
//! [finish](Named::finish_within). The host waits for these before `on_free`, up to their limit, and then cancels them,
//! too. Until a task has ended, its build stays in memory, and the host names it (`1 task: ticker`). A task that never
//! comes to an `.await` cannot be cancelled, only named.
//!
//! A task that was spawned by `tokio::spawn` itself has no name. It ends when the runtime is shut down. That happens
//! after the plugin's `Drop`. If the plugin and others own objects of each other, it happens before `on_free`, and
//! `on_free` and `Drop` find another runtime.
mod list;

use crate::runtime;
pub(crate) use list::{begin, finish, stop};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Returns a handle to the plugin's runtime. In a unit test, with nothing loaded, returns a handle to the runtime of
/// the calling thread.
///
/// # Panics
/// Panics in a unit test that has no runtime.
pub fn handle() -> tokio::runtime::Handle {
    runtime::handle().expect("no tokio runtime: in a unit test, write `#[tokio::test]`")
}

/// Spawns a task that is cancelled when the plugin is replaced.
///
/// # Panics
/// Panics in a unit test that has no runtime.
pub fn spawn<F>(name: &str, future: F) -> Task<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    named(name).spawn(future)
}

/// Names a task before it is spawned.
pub fn named(name: &str) -> Named<'_> {
    Named { name, limit: None }
}

/// A named task that is not spawned yet.
#[derive(Clone, Debug)]
#[must_use = "it does nothing unless it is spawned"]
pub struct Named<'n> {
    name: &'n str,
    limit: Option<Duration>,
}

impl Named<'_> {
    /// Lets the task finish when the plugin is replaced. It is cancelled after `limit`, counted from then.
    pub fn finish_within(self, limit: Duration) -> Self {
        Named {
            limit: Some(limit),
            ..self
        }
    }

    /// Spawns the task.
    ///
    /// # Panics
    /// Panics in a unit test that has no runtime.
    pub fn spawn<F>(self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let entry = list::Entry::begin(self.name, self.limit);
        let id = entry.id();
        let join = handle().spawn(async move {
            // Dropped together with the future, also if that never ran, and after it, so that nothing of the task is
            // left by then.
            let _entry = entry;
            future.await
        });
        list::set_abort(id, join.abort_handle());
        Task(join)
    }
}

/// A task that was spawned. Await it for its result. Dropping it does not cancel the task.
pub struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    /// Cancels the task at its next `.await`.
    pub fn cancel(&self) {
        self.0.abort();
    }

    /// Returns true if the task has ended.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = Pin::new(&mut self.0).poll(cx);
        joined.map_err(|error| match error.is_cancelled() {
            true => TaskError::Cancelled,
            false => TaskError::Panicked,
        })
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finished = self.is_finished();
        f.debug_struct("Task").field("finished", &finished).finish()
    }
}

/// The reason why a task has no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TaskError {
    /// The task was cancelled.
    Cancelled,
    /// The task panicked. The host's log has the message of the panic.
    Panicked,
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TaskError::Cancelled => "the task was cancelled",
            TaskError::Panicked => "the task panicked",
        })
    }
}

impl std::error::Error for TaskError {}
