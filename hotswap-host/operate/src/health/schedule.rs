//! The thread of the monitor, and the threads of the checks.
//!
//! Each check runs on a thread of its own, which ends with it. So what a plugin leaves in thread-locals goes at once, and a
//! check that hangs holds up nobody: it is given up at its limit, and not begun again before it has returned. The thread of
//! the monitor runs no code of plugins or of the host, and so cannot hang. It calls the host only while it does not hold the
//! lock of the [state](super::state), and nothing that it calls waits for a reload.
use super::HealthLevel;
use super::act::Means;
use super::check::Answer;
use super::state::{Change, Key, Run, State, Subject};
use hotswap_host::{HealthCheckError, RollbackWindow, Swapper, WeakSwapper};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest time until the monitor notices that another instance of a plugin is live.
const LOOK: Duration = Duration::from_millis(500);

/// What the threads of a monitor share.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified when the thread of the monitor has something to look at.
    wake: Condvar,
    /// Notified when a check has answered, or a step was taken.
    answered: Condvar,
    /// What the steps of recoveries need.
    pub(super) means: Means,
}

impl Shared {
    pub(super) fn new(state: State, means: Means) -> Self {
        Shared {
            state: Mutex::new(state),
            means,
            ..Shared::default()
        }
    }

    /// Ends the monitor, and wakes everybody who waits.
    pub(super) fn end(&self) {
        self.change(|state| state.ending = true);
        self.tell_waiting();
    }

    /// Wakes those who wait for a change.
    pub(super) fn tell_waiting(&self) {
        self.answered.notify_all();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and makes the thread of the monitor look at it.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = {
            let mut state = self.state();
            state.woken = true;
            state.version += 1;
            change(&mut state)
        };
        self.wake.notify_all();
        result
    }

    /// Waits until the condition holds. Returns false if it does not within `limit`.
    pub(super) fn wait_until(
        &self,
        limit: Duration,
        mut condition: impl FnMut(&State) -> bool,
    ) -> bool {
        let waits = |state: &mut State| !state.ending && !condition(state);
        let waited = self
            .answered
            .wait_timeout_while(self.state(), limit, waits)
            .unwrap_or_else(PoisonError::into_inner);
        !waited.1.timed_out()
    }

    /// Looks after the health of the host until that ends, or the monitor does.
    pub(super) fn serve(self: &Arc<Self>, host: &WeakSwapper) {
        while let Some(swapper) = host.upgrade() {
            if !self.look(&swapper) {
                return;
            }
            drop(swapper);
            let state = self.state();
            let idle = state.idle_for(Instant::now()).unwrap_or(LOOK).min(LOOK);
            let waits = |state: &mut State| !state.woken && !state.ending;
            let waited = self.wake.wait_timeout_while(state, idle, waits);
            waited.unwrap_or_else(PoisonError::into_inner).0.woken = false;
        }
    }

    /// Begins what is due, and gives up what is late. Returns false once the monitor is to end.
    fn look(self: &Arc<Self>, swapper: &Swapper) -> bool {
        let acts = self.state().acts;
        let (live, out) = (swapper.health_checks(), swapper.out_of_service());
        let window = swapper.open_window();
        let on_trial = window.as_ref().map(RollbackWindow::generation);
        let (runs, (changes, failures), steps) = {
            let mut state = self.state();
            if state.ending {
                return false;
            }
            let now = Instant::now();
            state.version += 1;
            state.sync(&live, &out);
            state.give_up_late(now);
            // If a step has ended meanwhile, what was read before may be older than the step.
            let steps = match state.acts == acts {
                true => state.begin_steps(window.is_some(), now),
                false => Vec::new(),
            };
            (state.begin_due(now), state.changes(on_trial), steps)
        };
        self.answered.notify_all();
        for run in runs {
            self.begin(swapper, run);
        }
        for change in changes {
            tell(&change);
        }
        if let Some(window) = window {
            for failure in failures {
                window.report_failure(&failure);
            }
        }
        for step in steps {
            self.act(swapper, step);
        }
        true
    }

    /// Runs a check on a thread of its own.
    fn begin(self: &Arc<Self>, swapper: &Swapper, run: Run) {
        let Run { key, id, check } = run;
        let (shared, host, of) = (self.clone(), swapper.clone(), key.clone());
        let job = move || {
            let began = Instant::now();
            let answer = catch_unwind(AssertUnwindSafe(|| match check {
                Some(check) => Some(of_host(check())),
                None => of_plugin(&host, &of),
            }));
            let took = began.elapsed();
            let answer = answer.unwrap_or_else(|panic| Some(panicked(&*panic)));
            drop(host);
            shared.ended(&of, id, answer, took);
        };
        let thread = std::thread::Builder::new().name("hotswap-health".into());
        if let Err(error) = thread.spawn(job) {
            let answer = Answer::Failed(format!("it has no thread to run on: {error}"));
            self.ended(&key, id, Some(answer), Duration::ZERO);
        }
    }

    fn ended(&self, key: &Key, id: u64, answer: Option<Answer>, took: Duration) {
        self.change(|state| state.ended(key, id, answer, took));
        self.answered.notify_all();
    }
}

fn of_host(answer: Result<hotswap_host::Health, String>) -> Answer {
    answer.map_or_else(Answer::Failed, Answer::Said)
}

/// Runs a check that a plugin has. Returns `None` if it cannot run now, which says nothing about the plugin.
fn of_plugin(swapper: &Swapper, (subject, check): &Key) -> Option<Answer> {
    let Subject::Plugin(plugin) = subject else {
        return None;
    };
    match swapper.check_health(plugin.as_str(), check) {
        Ok(health) => Some(Answer::Said(health)),
        Err(HealthCheckError::Missing { .. } | HealthCheckError::Gated { .. }) => None,
        Err(error) => Some(Answer::Failed(error.to_string())),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Answer {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Answer::Failed(format!("panicked: {}", text.unwrap_or("with no message")))
}

/// Tells the log.
fn tell(change: &Change) {
    let Change {
        subject,
        from,
        to,
        message,
    } = change;
    match to {
        HealthLevel::Healthy => {
            tracing::info!(target: "hotswap", "{subject} is healthy, and was {from}")
        }
        _ if to.is_bad() => {
            tracing::error!(target: "hotswap", "{subject} is {to}, and was {from}: {message}")
        }
        _ => tracing::warn!(target: "hotswap", "{subject} is {to}, and was {from}: {message}"),
    }
}
