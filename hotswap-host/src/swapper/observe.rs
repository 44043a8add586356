//! The checks that every new generation passes, and the observers of all attempts.
use super::cause::Cause;
use super::plan::Change;
use super::report::Report;
use super::step::StepReport;
use super::window::WindowOutcome;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::generation::OutOfService;
use crate::hook_thread;
use crate::telemetry::contain;
use std::fmt;

/// An event of an attempt to make a generation, as [observers](crate::Builder::observe) receive it.
///
/// Events arrive one at a time. The last event of an attempt, before the events of its rollback window, is its outcome.
/// Plugins that go out of service and come back have events, too.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReloadEvent<'a> {
    /// The number of the attempt. The first load has number 0. Each later attempt has the next number, even if it fails
    /// or changes nothing. An event that belongs to no attempt has the number of the last one.
    pub attempt: u64,
    /// The cause of the attempt.
    pub cause: &'a Cause,
    /// What has happened.
    pub kind: ReloadEventKind<'a>,
}

/// What has happened in an attempt to make a generation.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReloadEventKind<'a> {
    /// A step of the attempt has ended.
    Step(&'a StepReport),
    /// The attempt has succeeded. If it has found nothing new, [`Report::changed`] is false.
    Completed(&'a Report),
    /// The attempt was refused, and the previous generation goes on. If the cause is [`Cause::Open`], there is none.
    Refused(&'a ReloadError),
    /// The rollback window of the attempt has closed.
    WindowClosed(&'a WindowOutcome),
    /// The attempt, whose rollback window is open, was [confirmed](crate::Swapper::confirm). The cause is that of the
    /// confirmation.
    Confirmed,
    /// The host refuses all changes from now on: [`Swapper::freeze`](crate::Swapper::freeze). This belongs to no attempt.
    Frozen {
        /// The reason.
        reason: &'a str,
    },
    /// The host accepts changes again: [`Swapper::unfreeze`](crate::Swapper::unfreeze). This belongs to no attempt.
    Unfrozen,
    /// A plugin was [taken out of service](crate::Swapper::take_out_of_service). This belongs to no attempt.
    OutOfService(&'a OutOfService),
    /// A plugin was [put back into service](crate::Swapper::resume). This belongs to no attempt.
    InService(&'a PluginName),
    /// Somebody has [noted](crate::Swapper::note) something about a plugin. This belongs to no attempt.
    Noted {
        /// The plugin.
        plugin: &'a PluginName,
        /// The text.
        text: &'a str,
    },
}

/// For example, `signal 10: world: reloaded`.
impl fmt::Display for ReloadEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ReloadEventKind::Step(report) => write!(f, "{}: {report}", self.cause),
            ReloadEventKind::Completed(report) => write!(f, "{}: {report}", self.cause),
            ReloadEventKind::Refused(error) => write!(f, "{}: refused: {error}", self.cause),
            ReloadEventKind::WindowClosed(outcome) => write!(f, "{}: {outcome}", self.cause),
            ReloadEventKind::Confirmed => write!(f, "{}: confirmed", self.cause),
            ReloadEventKind::Frozen { .. } => write!(f, "{}: the host is frozen", self.cause),
            ReloadEventKind::Unfrozen => {
                write!(f, "{}: the host accepts changes again", self.cause)
            }
            ReloadEventKind::OutOfService(out) => {
                write!(
                    f,
                    "{}: {} is out of service: {}",
                    self.cause, out.plugin, out.reason
                )
            }
            ReloadEventKind::InService(plugin) => {
                write!(f, "{}: {plugin} is back in service", self.cause)
            }
            ReloadEventKind::Noted { plugin, text } => {
                write!(f, "{}: {plugin}: {text}", self.cause)
            }
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

/// The observers of all attempts.
#[derive(Default)]
pub(super) struct Observers(Vec<Box<Observer>>);

impl Observers {
    pub(super) fn add(&mut self, observer: impl Fn(&ReloadEvent<'_>) + Send + Sync + 'static) {
        self.0.push(Box::new(observer));
    }

    /// Tells all observers, even if some of them panic.
    pub(super) fn tell(&self, event: &ReloadEvent<'_>) {
        for observer in &self.0 {
            tell("an observer of reloads", || observer(event));
        }
    }
}

/// Tells somebody of an event. The reload goes on after a panic, which is logged.
pub(super) fn tell(who: &str, tell: impl FnOnce()) {
    let told = hook_thread::callback(|| {
        tell();
        Ok(())
    });
    if let Err(error) = told {
        contain((), || tracing::error!(target: "hotswap", "{who} {error}"));
    }
}
