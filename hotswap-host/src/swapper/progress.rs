//! The stream of events that tells of the steps of a reload.
use super::cause::Cause;
use super::journal::Journal;
use super::observe::{Observers, ReloadEvent, ReloadEventKind, tell};
use super::step::{Step, StepReport};
use std::time::{Duration, Instant};

/// Measures the steps of one attempt, and tells the observers when each has ended.
pub(super) struct Progress<'a> {
    observers: &'a Observers,
    journal: Option<&'a dyn Journal>,
    attempt: u64,
    cause: &'a Cause,
    steps: Vec<StepReport>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(
        observers: &'a Observers,
        journal: Option<&'a dyn Journal>,
        attempt: u64,
        cause: &'a Cause,
    ) -> Self {
        Progress {
            observers,
            journal,
            attempt,
            cause,
            steps: Vec::new(),
        }
    }

    /// Runs a step.
    ///
    /// # Errors
    /// The error of the step.
    pub(super) fn step<R, E>(
        &mut self,
        step: Step,
        run: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let began = Instant::now();
        let result = run();
        self.ended(step, began, result.is_err());
        result
    }

    /// Notes that a step has ended, which began at `began`.
    pub(super) fn ended(&mut self, step: Step, began: Instant, failed: bool) {
        self.took(step, began.elapsed(), failed);
    }

    /// Notes that a step has ended, which took this time.
    pub(super) fn took(&mut self, step: Step, took: Duration, failed: bool) {
        let report = StepReport { step, took, failed };
        self.tell(ReloadEventKind::Step(&report));
        self.steps.push(report);
    }

    /// Tells the journal and the observers of this attempt.
    pub(super) fn tell(&self, kind: ReloadEventKind<'_>) {
        let event = ReloadEvent {
            attempt: self.attempt,
            cause: self.cause,
            kind,
        };
        if let Some(journal) = self.journal {
            tell("the journal of this host", || journal.event(&event));
        }
        self.observers.tell(&event);
    }

    /// The number of the attempt.
    pub(super) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Goes on after the steps of an earlier part of the reload, of which the observers have been told.
    pub(super) fn resume(&mut self, steps: Vec<StepReport>) {
        self.steps = steps;
    }

    /// The steps that have ended.
    pub(super) fn take(&mut self) -> Vec<StepReport> {
        std::mem::take(&mut self.steps)
    }
}
