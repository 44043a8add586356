//! What earlier attempts say about the next one, and what the journal and later attempts get to know of it.
use super::arrange::Arranged;
use super::candidate::Candidate;
use super::scan::added_by;
use crate::artifact::BuildSet;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::swapper::examine::ExaminedSet;
use crate::swapper::journal::{Trial, TriedBuild};
use crate::swapper::plan::Plan;
use crate::swapper::writer::Writer;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Returns an error if a reload may not begin because the rollback window of another one is open.
pub(super) fn check_window(writer: &mut Writer, plan: &Plan) -> Result<(), ReloadError> {
    let Some(window) = &writer.window else {
        return Ok(());
    };
    let left = window.shared.left();
    if !plan.add.is_empty() || !plan.remove.is_empty() || plan.deploy.is_some() {
        return Err(ReloadError::WindowOpen { left });
    }
    if plan.options.supersede {
        return Ok(());
    }
    writer.deferred.get_or_insert(plan.cause.clone());
    Err(ReloadError::Deferred { left })
}

/// Returns an error if this set of builds was reverted.
pub(super) fn check_not_held(
    writer: &Writer,
    arranged: &Arranged,
    plan: &Plan,
) -> Result<(), ReloadError> {
    if writer.held.is_empty() || plan.force {
        return Ok(());
    }
    let set = set_of(arranged);
    match writer.held.get(&set) {
        None => Ok(()),
        Some(reason) => {
            let new = |(name, candidate): (&PluginName, &Candidate)| {
                candidate.live().is_none().then(|| name.clone())
            };
            Err(ReloadError::Held {
                plugins: arranged.candidates.iter().filter_map(new).collect(),
                reason: reason.clone(),
            })
        }
    }
}

/// Returns an error if the host's examiner does not let this set of builds become live.
pub(super) fn check_accepted(
    writer: &Writer,
    arranged: &Arranged,
    live: &Generation,
    plan: &Plan,
    is_dry_run: bool,
) -> Result<(), ReloadError> {
    let has_files = plan.builds.is_none() && plan.restart.is_none() && writer.linked.is_none();
    if !has_files || !writer.examination.is_wanted() {
        return Ok(());
    }
    let set = set_of(arranged);
    let plugins = live.plugins.iter();
    let builds: BuildSet = plugins.map(|p| (p.name().clone(), p.build_id())).collect();
    match live.number != 0 && builds == set {
        true => Ok(()),
        false => writer.examination.accept(&ExaminedSet {
            builds: &set,
            is_dry_run,
            manifest: plan.manifest.as_ref(),
        }),
    }
}

/// Returns the builds of the next generation.
pub(super) fn set_of(arranged: &Arranged) -> BuildSet {
    let builds = arranged.candidates.values();
    let build = |candidate: &Candidate| (candidate.metadata().name.clone(), candidate.build_id());
    builds.map(build).collect()
}

/// Describes an attempt to the journal.
pub(super) fn trial<'a>(
    writer: &'a Writer,
    arranged: &'a Arranged,
    live: &Generation,
    plan: &'a Plan,
    attempt: u64,
) -> Trial<'a> {
    let builds = arranged.candidates.values().map(|candidate| TriedBuild {
        plugin: &candidate.metadata().name,
        file: candidate.file(),
        build_id: candidate.build_id(),
        bytes: candidate.bytes(),
        evidence: candidate.evidence(),
        deployed: candidate.deployed(),
    });
    let plugins = live.plugins.iter();
    let mut added = writer.added.clone();
    added.extend(added_by(plan, &arranged.candidates));
    added.retain(|name, _| !plan.remove.contains(name));
    let removed = writer.removed.iter().chain(&plan.remove);
    let removed = removed.filter(|name| !added.contains_key(*name) && !is_deployed(plan, name));
    let removed = removed.cloned().collect();
    Trial {
        attempt,
        cause: &plan.cause,
        options: &plan.options,
        from: plugins.map(|p| (p.name().clone(), p.build_id())).collect(),
        builds: builds.collect(),
        added,
        removed,
        is_rollback: plan.builds.is_some() && live.number != 0,
    }
}

fn is_deployed(plan: &Plan, name: &PluginName) -> bool {
    let mut builds = plan.deploy.iter().flatten();
    builds.any(|build| build.plugin == *name)
}

/// Remembers which plugins stay part of later generations, and which stay out of them.
pub(super) fn remember(writer: &mut Writer, plan: Plan, added: BTreeMap<PluginName, PathBuf>) {
    for name in plan.remove {
        writer.added.remove(&name);
        writer.removed.insert(name);
    }
    for build in plan.deploy.iter().flatten() {
        writer.removed.remove(&build.plugin);
    }
    for (name, file) in added {
        writer.removed.remove(&name);
        writer.added.insert(name, file);
    }
}
