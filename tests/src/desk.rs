//! The desk, which the tests' hosts provide for their plugins.
use crate::LIMIT;
use hotswap_host::Swapper;
use shapes::{Everything, Refused, Shape};
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Records what plugins tell, and has gates at which they wait.
#[derive(Default)]
pub struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    told: Vec<String>,
    open: Vec<String>,
    waiting: Vec<String>,
    swapper: Option<Swapper>,
    /// If set, a call of `tell` makes a handle and calls it.
    curious: bool,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the swapper that `reload` uses.
    pub(crate) fn set_swapper(&self, swapper: Option<Swapper>) {
        // The old swapper is dropped without the lock, since plugins that are freed by that may tell something.
        let _before = std::mem::replace(&mut self.state().swapper, swapper);
    }

    /// From now on, every call of `tell` calls a plugin.
    pub fn be_curious(&self) {
        self.state().curious = true;
    }

    /// Opens a gate for good.
    pub fn open(&self, gate: &str) {
        self.state().open.push(gate.to_owned());
        self.changed.notify_all();
    }

    /// Returns once a plugin waits at the gate.
    ///
    /// # Panics
    /// Panics if none comes.
    pub fn until_waiting(&self, gate: &str) {
        self.until(|state| state.waiting.iter().any(|at| at == gate), gate);
    }

    /// Returns once a plugin has told this.
    ///
    /// # Panics
    /// Panics if none does.
    pub fn until_told(&self, text: &str) {
        self.until(|state| state.told.iter().any(|told| told == text), text);
    }

    /// Returns true if a plugin has told this, and `told` has not taken it yet.
    pub fn has_told(&self, text: &str) -> bool {
        self.state().told.iter().any(|told| told == text)
    }

    /// Takes the texts that were told since the last time that this was called.
    pub fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.state().told)
    }

    fn until(&self, done: impl Fn(&State) -> bool, what: &str) {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), LIMIT, |state| !done(state));
        let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            !result.timed_out(),
            "waited for {what:?}; told: {:?}",
            state.told
        );
    }
}

impl shapes::Desk for Desk {
    fn everything(&self, value: &Everything) -> Result<Everything, Refused> {
        match value.text.as_str() {
            "" => Err(Refused::No("nothing to read".into())),
            _ => Ok(value.clone()),
        }
    }

    fn shapes(&self, name: &str, shapes: &[Shape]) -> HashMap<String, Vec<Shape>> {
        HashMap::from([(name.to_owned(), shapes.to_vec())])
    }

    fn panic(&self, text: &str) -> String {
        panic!("{text}");
    }

    fn tell(&self, text: &str) {
        let (curious, swapper) = {
            let state = self.state();
            (state.curious, state.swapper.clone())
        };
        if let Some(swapper) = swapper.filter(|_| curious) {
            // The result does not matter, but the call has to return.
            let _ = swapper
                .dynamic("probe", "count")
                .map(|count| count.call(&[]));
        }
        self.state().told.push(text.to_owned());
        self.changed.notify_all();
    }

    fn wait(&self, gate: &str) {
        self.state().waiting.push(gate.to_owned());
        self.changed.notify_all();
        self.until(|state| state.open.iter().any(|open| open == gate), gate);
        self.state().waiting.retain(|at| at != gate);
    }

    fn reload(&self) -> String {
        let swapper = self.state().swapper.clone().expect("the stage is open");
        match swapper.reload() {
            Ok(report) => report.to_string(),
            Err(error) => error.to_string(),
        }
    }
}
