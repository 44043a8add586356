//! Refuses a host or a plugin that contains a plugin's code statically, since it would run a copy that is never
//! swapped.
//!
//! Optional dependencies are allowed: a host links its plugins through them when it is built without swapping.

use std::collections::BTreeSet;

use cargo_metadata::Package;

use crate::Error;
use crate::selection::Group;
use crate::workspace::Workspace;

/// Checks the host and the plugins of `group`.
pub(crate) fn check(workspace: &Workspace, group: &Group<'_>) -> Result<(), Error> {
    let check = |what, package: &Package| match find_plugin(workspace, group, package)? {
        Some(chain) => Err(refusal(what, &chain)),
        None => Ok(()),
    };
    if let Some(host) = group.host {
        check("the host", host)?;
    }
    group
        .plugins
        .iter()
        .try_for_each(|plugin| check("the plugin", plugin))
}

/// Returns the shortest chain of dependencies from `package` to a plugin.
fn find_plugin<'w>(
    workspace: &'w Workspace,
    group: &Group<'w>,
    package: &'w Package,
) -> Result<Option<Vec<&'w Package>>, Error> {
    let mut seen = BTreeSet::from([&package.id]);
    let mut chains = std::collections::VecDeque::from([vec![package]]);
    while let Some(chain) = chains.pop_front() {
        let Some(last) = chain.last() else { continue };
        for next in workspace.dependencies(last) {
            if !seen.insert(&next.id) {
                continue;
            }
            let mut longer = chain.clone();
            longer.push(next);
            if group.plugins.iter().any(|plugin| plugin.id == next.id)
                || workspace.is_plugin(next)?
            {
                return Ok(Some(longer));
            }
            chains.push_back(longer);
        }
    }
    Ok(None)
}

fn refusal(what: &'static str, chain: &[&Package]) -> Error {
    let names: Vec<&str> = chain.iter().map(|package| package.name.as_str()).collect();
    let last_edge = chain.len().saturating_sub(2);
    Error::DependsOnPlugin {
        what,
        from: names.first().copied().unwrap_or_default().to_owned(),
        plugin: names.last().copied().unwrap_or_default().to_owned(),
        chain: names.join(" -> "),
        manifest: chain
            .get(last_edge)
            .map(|package| package.manifest_path.clone().into())
            .unwrap_or_default(),
    }
}
