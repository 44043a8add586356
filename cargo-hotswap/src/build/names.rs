//! Refuses plugins of a host that have the same name, or live items with the same name, before any plugin is installed.

use hotswap_host::ReloadError;
use hotswap_host::artifact::{self, Artifact};
use hotswap_host::graph::Graph;

use super::Compiled;
use crate::Error;
use crate::cargo::Calls;
use crate::output::out_dir;
use crate::selection::Group;

/// Checks what the host would find after the installation: the plugins that were compiled, and those that are there and
/// stay. A group without a host need not fit together, and neither need a directory that the user has named.
///
/// # Errors
/// Returns an error if two plugins, two live functions, or two live types have the same name.
pub(super) fn check(
    calls: &Calls<'_>,
    group: &Group<'_>,
    compiled: &[Compiled<'_>],
) -> Result<(), Error> {
    if group.host.is_none() {
        return Ok(());
    }
    let of_group = |compiled: &&Compiled<'_>| {
        let mut plugins = group.plugins.iter();
        plugins.any(|plugin| plugin.id == compiled.package.id)
    };
    let new: Vec<_> = compiled.iter().filter(of_group).collect();
    let mut set: Vec<Artifact> = new
        .iter()
        .filter_map(|compiled| compiled.artifact.clone())
        .collect();
    if !group.complete && calls.options.out_dir.is_none() {
        let directory = out_dir(calls.session, calls.workspace, calls.options, group.host);
        // The host refuses a file that cannot be read. This check passes over it.
        let there = artifact::find(&directory).unwrap_or_default().into_iter();
        let stays = there.filter(|file| {
            let name = file.file_name().unwrap_or_default();
            !new.iter()
                .any(|compiled| name == compiled.file_name.as_str())
        });
        set.extend(stays.filter_map(|file| Artifact::read(&file).ok()));
    }
    let problems = match Graph::of(&set) {
        Ok(graph) => graph.problems,
        Err(duplicate) => vec![duplicate],
    };
    let mut problems = problems.into_iter();
    let is_name = |problem: &ReloadError| {
        matches!(
            problem,
            ReloadError::Duplicate { .. } | ReloadError::LiveDuplicate { .. }
        )
    };
    match problems.find(is_name) {
        Some(problem) => Err(Error::Set(Box::new(problem))),
        None => Ok(()),
    }
}
