//! The last step: unmapping a library that nobody uses, or saying why it stays.
use super::board::Board;
use super::{Settings, UnloadMode};
use crate::artifact::hindrances;
use crate::live::objects;
use crate::load::library::Library;
use crate::retirement::{Holder, RetirementState};
use crate::{platform, telemetry};
use std::sync::Arc;

/// Whether code of a library can still run.
#[derive(PartialEq)]
pub(super) enum Code {
    /// It has left memory, or is kept though nothing leads to it.
    Dead,
    /// It is kept because something leads to it: what it may call has to stay, too.
    Reachable,
}

/// Unmaps a library that has no instance, no threads and no destructors left, or keeps it for ever.
pub(super) fn close(library: &Arc<Library>, settings: &Settings, board: &Board) -> Code {
    if library.is_linked() {
        library.keep();
        board.update(library, |r| r.advance(RetirementState::Freed));
        return Code::Dead;
    }
    library.activity().bar();
    if let Some(reason) = not_wanted(settings) {
        keep(library, vec![Holder::Other { reason }], board);
        return Code::Dead;
    }
    let reasons = reasons_to_keep(library);
    if !reasons.is_empty() {
        keep(library, reasons, board);
        return Code::Reachable;
    }
    let range = library.range().clone();
    // SAFETY: see the module's documentation; the reasons that it does not cover were just looked for.
    if !unsafe { library.close() } {
        keep(library, vec![Holder::StillMapped], board);
        return Code::Reachable;
    }
    if settings.mode == UnloadMode::Quarantine {
        let lost = platform::quarantine(range);
        if lost != 0 {
            tracing::debug!(target: "hotswap", "{lost} bytes could not be quarantined: another thread has taken them");
        }
    }
    telemetry::close_all_of(library.token());
    take_counts(library);
    library.remove_copy();
    let (run, skipped) = library.destructor_counts();
    board.update(library, |r| {
        (r.destructors_run, r.destructors_skipped) = (run, skipped);
        r.advance(RetirementState::Gone);
    });
    Code::Dead
}

/// Takes the counts that a library which has left memory had of other plugins' objects. That may run code of theirs, so
/// it has a thread of its own.
fn take_counts(library: &Arc<Library>) {
    if !objects::has_counts(library) {
        return;
    }
    let gone = library.clone();
    let thread = std::thread::Builder::new().name("hotswap-free".into());
    if let Err(error) = thread.spawn(move || objects::forget_library(&gone)) {
        tracing::error!(target: "hotswap", "no thread to drop what {} has left: {error}", library.plugin());
    }
}

/// Why no library is unmapped here, if none is.
fn not_wanted(settings: &Settings) -> Option<String> {
    let mode = settings.mode == UnloadMode::Keep;
    mode.then(|| "the unload mode, which is keep".into())
        .or_else(platform::cannot_unmap)
}

fn reasons_to_keep(library: &Library) -> Vec<Holder> {
    let other = |reason: String| Holder::Other { reason };
    let mut reasons = Vec::new();
    if !library.early().is_none() {
        reasons.push(Holder::Early(library.early()));
    }
    if let Some(signal) = platform::signal_handler_in(library.range()) {
        reasons.push(Holder::SignalHandler { signal });
    }
    match std::fs::read(library.path()) {
        Ok(bytes) => reasons.extend(hindrances(&bytes).iter().map(|h| other(h.to_string()))),
        Err(error) => reasons.push(other(format!("its private copy cannot be read: {error}"))),
    }
    reasons
}

/// Leaves the library mapped for ever, and says why.
pub(super) fn keep(library: &Arc<Library>, reasons: Vec<Holder>, board: &Board) {
    library.keep();
    library.activity().unbar();
    let (run, skipped) = library.destructor_counts();
    board.update(library, |r| {
        (r.destructors_run, r.destructors_skipped) = (run, skipped);
        r.held_by = reasons;
        r.advance(RetirementState::Kept);
    });
}
