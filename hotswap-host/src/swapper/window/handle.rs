//! [`RollbackWindow`], by which a caller waits for the verdict on a reload.
use crate::base::lock_order::{Held, Rank};
use crate::base::time::after;
use crate::load::failures::Watcher;
use crate::swapper::keep::KeptBuild;
use serde::Serialize;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The rollback window of a reload. While it is open, the previous generation stays whole beside the new one, and
/// [`Swapper::rollback`](crate::Swapper::rollback) goes back to it.
#[derive(Clone)]
pub struct RollbackWindow(pub(super) Arc<Shared>);

/// How a rollback window has closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WindowOutcome {
    /// The new generation is permanent: it was healthy for long enough, or it was confirmed.
    Permanent,
    /// The previous generation is live again.
    Reverted {
        /// The reason.
        reason: String,
    },
    /// The reload was to be reverted, but a plugin that was [kept cold](crate::Keep::Cold) could not be made again. The new
    /// generation goes on, and is not permanent.
    NotReverted {
        /// The reason to revert it.
        reason: String,
        /// The error.
        error: String,
    },
    /// Another reload has replaced the new generation, whose window it has closed.
    Superseded,
    /// The host was shut down.
    ShutDown,
}

impl fmt::Display for WindowOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WindowOutcome::Permanent => f.write_str("permanent"),
            WindowOutcome::Reverted { reason } => write!(f, "reverted, because {reason}"),
            WindowOutcome::NotReverted { reason, error } => write!(
                f,
                "not reverted, although {reason}, and the new builds go on: {error}"
            ),
            WindowOutcome::Superseded => f.write_str("superseded by another reload"),
            WindowOutcome::ShutDown => f.write_str("closed by the shutdown of the host"),
        }
    }
}

/// The state that the handles, the watching thread, and the failing threads share.
pub(in crate::swapper) struct Shared {
    /// The number of the generation that is on trial.
    generation: u64,
    pub(in crate::swapper) opened: Instant,
    pub(super) deadline: Instant,
    /// What is kept for a rollback.
    kept: Vec<KeptBuild>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(in crate::swapper) struct State {
    pub(in crate::swapper) outcome: Option<WindowOutcome>,
    /// True once the reload was confirmed.
    pub(in crate::swapper) confirmed: bool,
    /// True if there is no thread that watches. Whoever confirms the reload has to close the window.
    pub(in crate::swapper) unwatched: bool,
    /// True if something has failed since the watching thread last looked.
    woken: bool,
    /// The number of failures that others have reported.
    reported: u64,
    /// The last of these.
    last_reported: Option<String>,
}

impl Shared {
    pub(super) fn new(generation: u64, length: Duration, kept: Vec<KeptBuild>) -> Self {
        let opened = Instant::now();
        Shared {
            generation,
            opened,
            deadline: after(opened, length),
            kept,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time until the window closes by itself.
    pub(in crate::swapper) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Changes the state, and wakes everybody who waits.
    pub(in crate::swapper) fn change(&self, change: impl FnOnce(&mut State)) {
        {
            let _held = Held::of(Rank::Window);
            change(&mut self.state());
        }
        self.changed.notify_all();
    }

    /// Waits until something happens that the watching thread has to look at, or until `end`.
    pub(super) fn wait_for_work(&self, end: Instant) -> MutexGuard<'_, State> {
        let left = end.saturating_duration_since(Instant::now());
        let idle = |state: &mut State| !state.woken && !state.confirmed && state.outcome.is_none();
        let waited = self.changed.wait_timeout_while(self.state(), left, idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.woken = false;
        state
    }
}

impl Shared {
    /// The number of failures that others have reported, with the last of them.
    pub(super) fn reported(&self) -> (u64, Option<String>) {
        let state = self.state();
        (state.reported, state.last_reported.clone())
    }
}

impl Watcher for Shared {
    fn wake(&self) {
        self.change(|state| state.woken = true);
    }
}

impl RollbackWindow {
    /// Returns how the window has closed, or `None` while it is open.
    pub fn outcome(&self) -> Option<WindowOutcome> {
        self.0.state().outcome.clone()
    }

    /// Waits until the window has closed. Returns `None` if it is still open after `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<WindowOutcome> {
        let open = |state: &mut State| state.outcome.is_none();
        let shared = &*self.0;
        let waited = shared
            .changed
            .wait_timeout_while(shared.state(), timeout, open);
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .outcome
            .clone()
    }

    /// Reports a failure of the new generation that the host itself does not see. It counts like a panic toward
    /// [`failure_limit`](crate::ReloadOptions::failure_limit), and the reason is part of that of the revert. Returns
    /// false if the window has closed, and then nothing happens.
    pub fn report_failure(&self, reason: &str) -> bool {
        let mut open = false;
        self.0.change(|state| {
            open = state.outcome.is_none();
            if open {
                state.reported += 1;
                state.last_reported = Some(reason.to_owned());
                state.woken = true;
            }
        });
        open
    }

    pub(in crate::swapper) fn of(shared: Arc<Shared>) -> Self {
        RollbackWindow(shared)
    }

    /// The number of the generation that is on trial. It is live somewhat earlier than its window is open.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// The time until the window closes by itself.
    pub fn left(&self) -> Duration {
        self.0.left()
    }

    /// The builds that are kept for a rollback, with what they took in memory when the window was opened. Plugins that did
    /// not change are not among them.
    pub fn kept(&self) -> &[KeptBuild] {
        &self.0.kept
    }
}

impl fmt::Debug for RollbackWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RollbackWindow")
            .field("left", &self.left())
            .field("outcome", &self.outcome())
            .finish()
    }
}
