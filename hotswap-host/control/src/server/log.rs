//! The events of a host, of which the last ones are kept.
use crate::api::of_host::seconds;
use crate::api::{Event, EventKind, LastAttempt, Step, Window};
use hotswap_host::{ReloadEvent, ReloadEventKind, RollbackWindow};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::watch;

/// The number of events that are kept for clients that connect again.
const KEPT: usize = 1024;

/// The events: see the module.
pub(super) struct Log {
    state: Mutex<State>,
    /// The number of the last event.
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    last: u64,
    /// The number of the last attempt.
    attempt: u64,
    steps: Vec<Step>,
    last_attempt: Option<LastAttempt>,
    window: Option<RollbackWindow>,
}

/// What a client gets next.
pub(super) enum Next {
    Event(Box<Event>),
    /// Events up to this one are not kept any more.
    Lost {
        up_to: u64,
    },
    Nothing,
}

impl Log {
    pub(super) fn new() -> Self {
        Log {
            state: Mutex::default(),
            last: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event.
    pub(super) fn add(&self, event: &ReloadEvent<'_>) {
        let Some(kind) = EventKind::of(&event.kind) else {
            return;
        };
        let (cause, text) = (event.cause.to_string(), event.to_string());
        let mut state = self.state();
        match &kind {
            EventKind::Step(step) => match &mut state.last_attempt {
                // The steps of a rollback window come after the outcome.
                Some(last) if last.attempt == event.attempt => last.steps.push(step.clone()),
                _ => state.steps.push(step.clone()),
            },
            EventKind::Completed(_) | EventKind::Refused { .. } => {
                let steps = std::mem::take(&mut state.steps);
                let (text, ok) = match &kind {
                    EventKind::Completed(report) => (report.text.clone(), true),
                    EventKind::Refused { error } => (error.clone(), false),
                    _ => (text.clone(), false),
                };
                state.last_attempt = Some(LastAttempt {
                    attempt: event.attempt,
                    cause: cause.clone(),
                    text,
                    ok,
                    steps,
                });
            }
            EventKind::WindowClosed { .. } => state.window = None,
            EventKind::Confirmed
            | EventKind::OutOfService { .. }
            | EventKind::InService { .. }
            | EventKind::Noted { .. }
            | EventKind::Frozen { .. }
            | EventKind::Unfrozen
            | EventKind::Incident { .. }
            | EventKind::Unknown => {}
        }
        if let ReloadEventKind::Completed(report) = &event.kind
            && report.window.is_some()
        {
            state.window.clone_from(&report.window);
        }
        state.attempt = event.attempt;
        self.push(state, cause, text, kind);
    }

    /// Adds something that has happened to a plugin between two attempts.
    #[cfg(feature = "health")]
    pub(super) fn add_incident(&self, incident: &hotswap_operate::Incident) {
        let (plugin, level) = (&incident.plugin, incident.level);
        let text = format!(
            "{plugin} is {level}, and nothing more can be done: {}",
            incident.message
        );
        let cause = format!("the health of {plugin}");
        self.push(self.state(), cause, text, incident.into());
    }

    fn push(&self, mut state: MutexGuard<'_, State>, cause: String, text: String, kind: EventKind) {
        state.last += 1;
        let (id, attempt) = (state.last, state.attempt);
        state.events.push_back(Event {
            id,
            at: seconds(SystemTime::now()),
            attempt,
            cause,
            text,
            kind,
        });
        if state.events.len() > KEPT {
            state.events.pop_front();
        }
        drop(state);
        self.last.send_replace(id);
    }

    /// Returns the first event after the one with this number.
    pub(super) fn next(&self, after: u64) -> Next {
        let state = self.state();
        let Some(first) = state.events.front().map(|event| event.id) else {
            return Next::Nothing;
        };
        if after + 1 < first {
            return Next::Lost { up_to: first - 1 };
        }
        let at = usize::try_from(after + 1 - first).unwrap_or(usize::MAX);
        match state.events.get(at) {
            Some(event) => Next::Event(Box::new(event.clone())),
            None => Next::Nothing,
        }
    }

    /// Returns a receiver of the number of the last event.
    pub(super) fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    pub(super) fn last_attempt(&self) -> Option<LastAttempt> {
        self.state().last_attempt.clone()
    }

    /// Returns the rollback window, if one is open.
    pub(super) fn window(&self) -> Option<Window> {
        let window = self.state().window.clone()?;
        window.outcome().is_none().then(|| Window {
            left: window.left().as_secs_f64(),
            kept: window
                .kept()
                .iter()
                .map(|kept| kept.plugin.to_string())
                .collect(),
        })
    }
}
