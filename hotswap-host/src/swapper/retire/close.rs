//! The last step of a retirement: unmaps a library that is no longer used, or says why it stays.
use super::log::RetirementLog;
use super::settings::{Settings, UnloadMode};
use crate::environment;
use crate::instance::Uses;
use crate::load::library::Library;
use crate::load::signals::{self, Withdrawn};
use crate::load::{exit, fork};
use crate::platform;
use crate::reclaim::code::Code;
use crate::reclaim::look::{Quiet, look};
use crate::reclaim::record::Pending;
use crate::retirement::{Holder, RetirementState};
use crate::telemetry::{self, contain};
use std::sync::Arc;

/// The decision whether a library can be unmapped, after a look has found nothing that leads to it.
pub(super) enum Verdict {
    /// It is part of the program.
    Linked,
    /// It stays, for these reasons.
    Stays(Vec<Holder>),
    /// It can leave.
    Leaves,
}

impl Verdict {
    pub(super) fn of(library: &Library, settings: &Settings) -> Self {
        if library.is_linked() {
            return Verdict::Linked;
        }
        let reasons = match not_wanted(settings) {
            Some(reason) => vec![Holder::Other { reason }],
            None => reasons_to_keep(library),
        };
        match reasons.is_empty() {
            true => Verdict::Leaves,
            false => Verdict::Stays(reasons),
        }
    }
}

/// Takes the signal handlers out of a library that is to leave memory. This has to come before the last look.
///
/// # Errors
/// A handler is still running.
pub(super) fn withdraw_handlers(
    library: &Arc<Library>,
    settings: &Settings,
) -> Result<Withdrawn, Holder> {
    if library.handlers() == 0 || !matches!(Verdict::of(library, settings), Verdict::Leaves) {
        return Ok(Withdrawn::nothing());
    }
    signals::withdraw(library).map_err(|signal| Holder::Other {
        reason: format!("its handler of signal {signal}, which has not returned"),
    })
}

/// Unmaps a library for which a look has found nothing since its signal handlers were withdrawn.
///
/// # Errors
/// Code of the library has begun to run meanwhile, or the process is ending. The library stays as it is.
pub(super) fn close(
    library: &Arc<Library>,
    (handlers, quiet): (Withdrawn, Quiet),
    settings: &Settings,
) -> Result<Closed, Pending> {
    library.activity().bar();
    let fork_handlers = fork::take(library);
    let mut quiet = if fork_handlers.is_empty() {
        Ok(quiet)
    } else {
        look_again(library, settings)
    };
    if !handlers.are_all_of(library) {
        quiet = Err(Pending::default());
    }
    let closed = quiet.map(|quiet| exit::unless_ending(|| library.close(&quiet)));
    match closed {
        Ok(Some(true)) => {}
        Ok(Some(false)) => {
            // It stays, and so does whatever its handlers protect in a fork.
            fork::give_back(library, fork_handlers);
            return Ok(Closed::StillMapped);
        }
        Ok(None) | Err(_) => {
            fork::give_back(library, fork_handlers);
            library.activity().unbar();
            return Err(closed.err().unwrap_or_default());
        }
    }
    if settings.mode == UnloadMode::Quarantine {
        let lost = platform::quarantine(library.range());
        if lost != 0 {
            contain((), || {
                tracing::debug!(target: "hotswap", "could not quarantine {lost} bytes: another thread has taken them");
            });
        }
    }
    telemetry::close_all_of(library.token());
    Ok(Closed::Gone)
}

/// Looks again at a library whose fork handlers have been taken. A fork that has begun has counted the library. A fork
/// that has ended since the previous look has run a handler, which may have left anything that code of the library can
/// leave.
///
/// # Errors
/// There is something new to wait for.
fn look_again(library: &Arc<Library>, settings: &Settings) -> Result<Quiet, Pending> {
    let quiet = look(&**library, false)?;
    match Verdict::of(library, settings) {
        Verdict::Leaves if !exit::has_functions(library) => Ok(quiet),
        _ => Err(Pending::default()),
    }
}

/// The outcome of closing a library.
pub(super) enum Closed {
    /// It has left memory.
    Gone,
    /// The dynamic linker keeps it.
    StillMapped,
}

/// Notes that a library has left memory, and releases what it has used.
pub(super) fn gone(library: &Arc<Library>, uses: Uses, log: &RetirementLog) {
    let (run, skipped) = library.destructor_counts();
    signals::forget(library);
    library.forget();
    uses.release();
    log.update(library, |r| {
        (r.destructors_run, r.destructors_skipped) = (run, skipped);
        r.advance(RetirementState::Gone);
    });
}

/// Notes that the instance of a linked plugin has been freed. Threads of the plugin have counted handles of their own.
pub(super) fn freed(library: &Arc<Library>, uses: Uses, log: &RetirementLog) {
    uses.release();
    log.update(library, |r| r.advance(RetirementState::Freed));
}

/// Leaves the library mapped for ever, with everything that its code may call, and says why.
pub(super) fn keep(library: &Arc<Library>, uses: Uses, reasons: Vec<Holder>, log: &RetirementLog) {
    uses.leave(library.plugin());
    library.activity().unbar();
    let (run, skipped) = library.destructor_counts();
    log.update(library, |r| {
        (r.destructors_run, r.destructors_skipped) = (run, skipped);
        r.held_by = reasons;
        r.advance(RetirementState::Kept);
    });
}

/// Returns the reason why no library is unmapped here, if there is one.
fn not_wanted(settings: &Settings) -> Option<String> {
    let mode = settings.mode == UnloadMode::Keep;
    mode.then(|| "the unload mode, which is keep".into())
        .or_else(|| platform::cannot_unmap(environment::has_corrected_glibc()))
}

fn reasons_to_keep(library: &Library) -> Vec<Holder> {
    let mut reasons = Vec::new();
    let range = library.range();
    let signal = library.handled_signal();
    if let Some(signal) = signal.or_else(|| platform::signal_handler_in(&range)) {
        reasons.push(Holder::SignalHandler { signal });
    } else if signals::is_below_others(&range) {
        reasons.push(Holder::Other {
            reason: "a signal handler of it that another plugin has replaced".into(),
        });
    }
    reasons.extend(library.unload_blockers().iter().map(|h| Holder::Other {
        reason: h.to_string(),
    }));
    reasons
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
mod tests {
    use super::*;
    use crate::load::watched_functions;
    use crate::swapper::retire::UnloadMode;
    use std::ffi::c_void;
    use std::ptr::null_mut;
    use std::time::Duration;

    unsafe extern "C" fn nothing() {}
    unsafe extern "C" fn exit_function(_: *mut c_void) {}

    /// A fork may begin and end between the last look and the bar.
    #[test]
    fn what_a_fork_handler_has_left_is_seen_before_the_close() {
        let settings = Settings {
            mode: UnloadMode::Unload,
            free_delay: Duration::ZERO,
            limit: Duration::ZERO,
            skip_destructors: false,
        };
        let library = Library::unopened();
        let table = watched_functions::table(library.token());
        let close = || {
            let quiet = look(&*library, false)?;
            close(&library, (Withdrawn::nothing(), quiet), &settings)
        };
        // SAFETY: these are functions of this test that do nothing, and the library has no mapping that could be
        // unmapped.
        unsafe {
            (table.at_fork)(table.token, Some(nothing), None, None);
            (table.at_exit)(table.token, exit_function, null_mut());
        }
        assert!(close().is_err(), "an exit function would be left");
        drop(exit::take(&library));
        assert!(
            matches!(close(), Ok(Closed::StillMapped)),
            "there is nothing to close"
        );
        // It goes on to be part of forks.
        assert_eq!(fork::take(&library).len(), 1);
    }
}
