//! Decides which plugins go on, which follow others, and in which order they come.
use super::candidate::Candidate;
use super::scan::{Candidates, Failures};
use crate::artifact::ImportKind;
use crate::base::name::PluginName;
use crate::error::{PluginErrorKind, ReloadError};
use crate::generation::Generation;
use crate::instance::Instance;
use crate::resolve::{self, Node};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The plugins of the next generation.
pub(super) struct Arranged {
    pub(super) candidates: Candidates,
    /// Their names, each after those that it imports.
    pub(super) order: Vec<PluginName>,
    /// The plugins that go on as new instances of the same build because an import of theirs does not stay, with that
    /// import.
    pub(super) followers: BTreeMap<PluginName, PluginName>,
}

impl Arranged {
    /// Returns true if this is the live generation.
    pub(super) fn is_live(&self, live: &Generation) -> bool {
        let goes_on = |candidate: &Candidate| candidate.live().is_some();
        self.followers.is_empty()
            && self.candidates.len() == live.plugins.len()
            && self.candidates.values().all(goes_on)
    }
}

/// Arranges the next generation without the new builds of optional plugins that failed. Their running instances go on
/// if nothing changes for them.
///
/// # Errors
/// No plugin exports an import, or none does any more, or there is a cycle, or a plugin would have to be replaced but
/// is not reloadable.
pub(super) fn arrange(
    mut candidates: Candidates,
    failures: &Failures,
    live: &Generation,
) -> Result<Arranged, ReloadError> {
    for (name, error) in failures {
        match live.plugin(name) {
            None => drop(candidates.remove(name)),
            Some(running) => {
                let kept = Candidate::Kept {
                    live: running.clone(),
                    error: error.to_string(),
                };
                candidates.insert(running.name().clone(), kept);
            }
        }
    }
    loop {
        let is_kept = |name: &PluginName| matches!(candidates[name], Candidate::Kept { .. });
        let (order, followers) = match order(&candidates, failures, live) {
            Ok(ordered) => ordered,
            Err(error) => {
                let kept = error.culprits().into_iter().find(|name| is_kept(name));
                candidates.remove(&kept.ok_or(error)?);
                continue;
            }
        };
        if let Some(name) = followers.keys().find(|name| is_kept(name)).cloned() {
            candidates.remove(&name);
            continue;
        }
        for (name, leader) in &followers {
            check_may_follow(&candidates, name, leader)?;
        }
        return Ok(Arranged {
            candidates,
            order,
            followers,
        });
    }
}

type Ordered = (Vec<PluginName>, BTreeMap<PluginName, PluginName>);

fn order(
    candidates: &Candidates,
    failures: &Failures,
    live: &Generation,
) -> Result<Ordered, ReloadError> {
    check_left_out(candidates, failures)?;
    check_removed(candidates, live)?;
    let nodes = candidates.iter().map(|(name, candidate)| {
        let (metadata, file) = (candidate.metadata(), candidate.file());
        (name.clone(), Node { metadata, file })
    });
    let order = resolve::order(&nodes.collect())?;
    let followers = followers(&order, candidates);
    Ok((order, followers))
}

/// Returns an error if a plugin that failed and is left out is needed by another one.
fn check_left_out(candidates: &Candidates, failures: &Failures) -> Result<(), ReloadError> {
    let mut left_out = failures
        .keys()
        .filter(|name| !candidates.contains_key(*name));
    let needed = left_out.find_map(|name| Some((name, users(name, candidates).next()?)));
    match needed {
        None => Ok(()),
        Some((name, user)) => {
            let kind = PluginErrorKind::Import {
                import: name.to_string(),
                message: "it failed".into(),
            };
            Err(kind.of(user, candidates[user].file()).into())
        }
    }
}

/// Returns an error if a plugin that is removed is needed by another one.
fn check_removed(candidates: &Candidates, live: &Generation) -> Result<(), ReloadError> {
    let removed = live.plugins.iter().map(|plugin| plugin.name());
    for name in removed.filter(|name| !candidates.contains_key(*name)) {
        let users: Vec<_> = users(name, candidates).cloned().collect();
        if !users.is_empty() {
            return Err(ReloadError::InUse {
                name: name.clone(),
                users,
            });
        }
    }
    Ok(())
}

/// Returns the plugins that need this one.
fn users<'c>(
    name: &PluginName,
    candidates: &'c Candidates,
) -> impl Iterator<Item = &'c PluginName> {
    let needs = |candidate: &Candidate| {
        let mut imports = candidate.metadata().imports.iter();
        imports.any(|import| import.from.as_ref() == Some(name) && !import.optional)
    };
    let users = candidates
        .iter()
        .filter(move |(_, candidate)| needs(candidate));
    users.map(|(user, _)| user)
}

/// Returns the live instances that cannot go on as they are, with the plugin that each follows.
fn followers(order: &[PluginName], candidates: &Candidates) -> BTreeMap<PluginName, PluginName> {
    let mut followers = BTreeMap::new();
    for name in order {
        if let Some(leader) = leader(&candidates[name], candidates, &followers) {
            followers.insert(name.clone(), leader);
        }
    }
    followers
}

/// Returns the first plugin that a live instance was made with and that does not stay, or that it was made without and
/// that is there now.
///
/// An instance goes on without a new plugin if it would not import that plugin when it is made again.
fn leader(
    candidate: &Candidate,
    candidates: &Candidates,
    followers: &BTreeMap<PluginName, PluginName>,
) -> Option<PluginName> {
    let instance = candidate.live()?;
    let may_gain = instance.is_reloadable() && !matches!(candidate, Candidate::Kept { .. });
    let stays = |import: &Arc<Instance>| {
        let live = candidates.get(import.name()).and_then(Candidate::live);
        live.is_some_and(|live| Arc::ptr_eq(live, import)) && !followers.contains_key(import.name())
    };
    let moved = |from: &PluginName| {
        let mut imports = instance.imports().iter();
        match imports.find(|import| import.name() == from) {
            Some(import) => (!stays(import)).then(|| import.name().clone()),
            None if may_gain => Some(candidates.get_key_value(from)?.0.clone()),
            None => None,
        }
    };
    // A plugin that only has to come first is not called.
    let imports = instance.metadata().imports.iter();
    let called = imports.filter(|import| import.kind == ImportKind::Plugin);
    called
        .filter_map(|import| import.from.as_ref())
        .find_map(moved)
}

/// Returns an error if a plugin that is not reloadable would have to follow another.
fn check_may_follow(
    candidates: &Candidates,
    name: &PluginName,
    leader: &PluginName,
) -> Result<(), ReloadError> {
    let candidate = &candidates[name];
    if candidate.live().is_none_or(|live| live.is_reloadable()) {
        return Ok(());
    }
    Err(match candidates.contains_key(leader) {
        false => ReloadError::InUse {
            name: leader.clone(),
            users: vec![name.clone()],
        },
        true => {
            let chain = vec![name.clone(), leader.clone()];
            PluginErrorKind::NotReloadable { chain }
                .of(name, candidate.file())
                .into()
        }
    })
}
