//! The queue of news about reloads that systemd has to be told, in the order in which they happened.
use hotswap_host::{Cause, ReloadEvent, ReloadEventKind, Step};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The queue between the host, which must not wait for systemd, and the thread that sends notices.
#[derive(Default)]
pub(super) struct Progress {
    state: Mutex<State>,
    /// Notified when there is something to send, or the thread is to end.
    wake: Condvar,
}

#[derive(Default)]
struct State {
    is_ready: bool,
    is_ending: bool,
    /// The last attempt whose outcome is known. Its steps that come afterwards are those of its rollback window.
    concluded: Option<u64>,
    /// True while systemd believes, or is about to believe, that the service reloads.
    is_reloading: bool,
    waiting: VecDeque<Told>,
}

/// Something that systemd is to be told.
pub(super) enum Told {
    /// A reload has begun.
    Reloading {
        /// Its cause.
        cause: String,
    },
    /// A reload has ended.
    Reloaded {
        /// The error, if the host has refused it.
        refused: Option<String>,
    },
    /// The state of the host is another one.
    Changed,
}

/// The reason why the thread wakes.
pub(super) enum Woken {
    Told(Told),
    /// The time has come.
    Due,
    Ending,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to keep what is to be told.
    pub(super) fn start(&self) {
        self.state().is_ready = true;
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.state().is_ending = true;
        self.wake.notify_all();
    }

    /// Notes an event of the host.
    pub(super) fn note(&self, event: &ReloadEvent<'_>) {
        let mut state = self.state();
        match &event.kind {
            ReloadEventKind::Step(step) => {
                if state.concluded < Some(event.attempt) && is_under_way(event.cause, step.step) {
                    state.begin(event.cause);
                }
            }
            ReloadEventKind::Completed(_) => state.conclude(event, None),
            ReloadEventKind::Refused(error) => state.conclude(event, Some(error.to_string())),
            ReloadEventKind::Noted { .. } => {}
            _ => state.tell(Told::Changed),
        }
        drop(state);
        self.wake.notify_all();
    }

    /// Waits until there is something to tell, the time has come, or the thread is to end.
    pub(super) fn next(&self, due: Option<Instant>) -> Woken {
        let mut state = self.state();
        loop {
            if state.is_ending {
                return Woken::Ending;
            }
            if let Some(told) = state.waiting.pop_front() {
                return Woken::Told(told);
            }
            let Some(due) = due else {
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Woken::Due;
            }
            let waited = self.wake.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn tell(&mut self, told: Told) {
        if self.is_ready {
            self.waiting.push_back(told);
        }
    }

    fn begin(&mut self, cause: &Cause) {
        if self.is_ready && !self.is_reloading {
            self.is_reloading = true;
            let cause = cause.to_string();
            self.tell(Told::Reloading { cause });
        }
    }

    fn conclude(&mut self, event: &ReloadEvent<'_>, refused: Option<String>) {
        // systemd waits for the beginning of each reload for which it has sent a signal, also of one that is refused at once.
        self.begin(event.cause);
        self.is_reloading = false;
        self.concluded = Some(event.attempt);
        self.tell(Told::Reloaded { refused });
    }
}

/// Returns true if an attempt with this cause, in which this step has ended, is a reload that will have an outcome. The host's
/// own code can stage a reload and then give it up, and systemd would wait for its end for ever.
fn is_under_way(cause: &Cause, step: Step) -> bool {
    match cause {
        Cause::Code => step >= Step::Drain,
        _ => true,
    }
}
