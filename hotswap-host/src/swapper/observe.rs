//! The one place that every new generation passes, whoever asked for it: the host's checks, and those who are told.
use super::plan::{Cause, Change};
use super::report::Report;
use crate::error::ReloadError;
use crate::hook_thread;
use crate::telemetry::contain;
use std::fmt;

/// Something that has become of an attempt to make a generation, as [observers](crate::Builder::observe) are told.
///
/// Events arrive one at a time, in their order.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReloadEvent<'a> {
    /// The attempt that it belongs to. The first load has number 0, and each later one the next, also where it fails or changes
    /// nothing.
    pub attempt: u64,
    /// Who asked for the attempt.
    pub cause: &'a Cause,
    /// What has happened.
    pub kind: ReloadEventKind<'a>,
}

/// What has happened in an attempt to make a generation.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReloadEventKind<'a> {
    /// The attempt has succeeded. Where it has found nothing new, [`Report::changed`] is false.
    Completed(&'a Report),
    /// The attempt was refused: the generation before goes on. Where the cause is [`Cause::Open`], there is none.
    Refused(&'a ReloadError),
}

/// `signal 10: world: reloaded`
impl fmt::Display for ReloadEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ReloadEventKind::Completed(report) => write!(f, "{}: {report}", self.cause),
            ReloadEventKind::Refused(error) => write!(f, "{}: refused: {error}", self.cause),
        }
    }
}

type StandingCheck = dyn Fn(&Change<'_>) -> Result<(), String> + Send + Sync;

/// The checks of every generation.
#[derive(Default)]
pub(super) struct Checks(Vec<Box<StandingCheck>>);

impl Checks {
    pub(super) fn add<E: fmt::Display>(
        &mut self,
        check: impl Fn(&Change<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) {
        self.0.push(Box::new(move |change| {
            check(change).map_err(|error| error.to_string())
        }));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The checks, in the order in which they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = &StandingCheck> {
        self.0.iter().map(|check| &**check)
    }
}

type Observer = dyn Fn(&ReloadEvent<'_>) + Send + Sync;

/// Those who are told what becomes of each attempt.
#[derive(Default)]
pub(super) struct Observers(Vec<Box<Observer>>);

impl Observers {
    pub(super) fn add(&mut self, observer: impl Fn(&ReloadEvent<'_>) + Send + Sync + 'static) {
        self.0.push(Box::new(observer));
    }

    /// Tells all of them, whatever becomes of the others.
    pub(super) fn tell(&self, event: &ReloadEvent<'_>) {
        for observer in &self.0 {
            let told = hook_thread::callback(|| {
                observer(event);
                Ok(())
            });
            if let Err(error) = told {
                contain(
                    (),
                    || tracing::error!(target: "hotswap", "an observer of reloads {error}"),
                );
            }
        }
    }
}
