//! Makes the next generation again without the new builds of optional plugins that fail.
use super::arrange::{Arranged, arrange};
use super::candidate::Candidate;
use super::scan::{Candidates, Failures};
use crate::base::name::PluginName;
use crate::error::{PluginError, PluginErrorKind, ReloadError};
use crate::generation::Generation;
use crate::swapper::report::{Outcome, PluginReport};
use crate::swapper::writer::Writer;
use std::path::Path;

/// An attempt that failed.
pub(super) struct Failed {
    pub(super) error: Box<ReloadError>,
    /// False if another attempt could repeat effects of this one.
    pub(super) may_retry: bool,
}

/// Arranges the candidates and makes something of them, again and again while optional plugins fail.
///
/// # Errors
/// Returns the first error for which no optional plugin can be left out.
pub(super) fn with_fallbacks<R>(
    writer: &Writer,
    live: &Generation,
    candidates: &Candidates,
    mut failures: Failures,
    mut make: impl FnMut(&Arranged, &Failures) -> Result<R, Failed>,
) -> Result<R, ReloadError> {
    loop {
        let arranged = arrange(candidates.clone(), &failures, live);
        let arranged = arranged.map_err(|error| Failed {
            error: Box::new(error),
            may_retry: true,
        });
        let Failed { error, may_retry } = match arranged.and_then(|next| make(&next, &failures)) {
            Ok(made) => return Ok(made),
            Err(failed) => failed,
        };
        let culprit = may_retry.then(|| culprit(&error, writer, candidates, &failures));
        match culprit.flatten() {
            Some(name) => drop(failures.insert(name, *error)),
            None => return Err(explained(*error, failures)),
        }
    }
}

/// Returns the optional plugin without whose new build another attempt is worthwhile. A plugin whose build is new goes
/// first.
fn culprit(
    error: &ReloadError,
    writer: &Writer,
    candidates: &Candidates,
    failures: &Failures,
) -> Option<PluginName> {
    let mut culprits = error.culprits();
    culprits.retain(|name| writer.optional.contains(name) && !failures.contains_key(name));
    let is_new = |name: &PluginName| matches!(candidates.get(name), Some(Candidate::New(_)));
    let at = culprits.iter().position(is_new).unwrap_or(0);
    (!culprits.is_empty()).then(|| culprits.swap_remove(at))
}

/// Returns the error to report when the generation could not be made. If a plugin needs an optional one that failed,
/// this is the error of the optional one.
fn explained(error: ReloadError, mut failures: Failures) -> ReloadError {
    let missing = match &error {
        ReloadError::Handle { plugin, .. } => plugin.clone(),
        ReloadError::Plugin(PluginError {
            kind: PluginErrorKind::Import { import, .. },
            ..
        }) => import.as_str().into(),
        _ => return error,
    };
    match failures.remove(&missing) {
        None => error,
        Some(failure) => ReloadError::Needed {
            plugin: missing,
            failure: Box::new(failure),
            reason: Box::new(error),
        },
    }
}

/// Returns the reports for plugins that the next generation does not have: those that were live, and optional ones that
/// have failed.
pub(super) fn without(
    live: &Generation,
    next: &Candidates,
    failures: &Failures,
) -> Vec<PluginReport> {
    let out = |name: &PluginName| !next.contains_key(name);
    let removed = live.plugins.iter().filter(|p| out(p.name()));
    let removed = removed.filter(|p| !failures.contains_key(p.name()));
    let removed = removed.map(|p| PluginReport::new(p, Outcome::Removed));
    let failed = failures.iter().filter(|(name, _)| out(name));
    let failed = failed.map(|(name, error)| {
        let running = live.plugin(name);
        PluginReport {
            name: running.map_or(name, |running| running.name()).clone(),
            build_id: running.map(|running| running.build_id()),
            file: match running {
                Some(running) => Some(running.file().to_owned()),
                None => error.file().map(Path::to_owned),
            },
            outcome: Outcome::Failed {
                error: error.to_string(),
                stays: false,
            },
            state: None,
            notes: Vec::new(),
        }
    });
    removed.chain(failed).collect()
}
