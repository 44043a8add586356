//! The plugins that this process has known, by name. Each has a number, and counts that go on over its builds.
use super::failures::Totals;
use crate::base::lock_order::{Ordered, Rank};
use crate::base::name::PluginName;
use crate::reclaim::slot::CallTarget;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone)]
struct Known {
    target: CallTarget,
    totals: Arc<Totals>,
}

static PLUGINS: Mutex<BTreeMap<PluginName, Known>> = Mutex::new(BTreeMap::new());

fn known(name: &PluginName) -> Known {
    let mut plugins = Ordered::lock(Rank::KnownPlugins, &PLUGINS);
    let next = plugins.len() as u32;
    let new = || Known {
        target: CallTarget::plugin(next),
        totals: Arc::default(),
    };
    plugins.entry(name.clone()).or_insert_with(new).clone()
}

/// Returns the call target of the plugin with this name.
pub(crate) fn call_target(name: &PluginName) -> CallTarget {
    known(name).target
}

/// Returns the failures of all builds of the plugin with this name.
pub(super) fn totals(name: &str) -> Arc<Totals> {
    known(&name.into()).totals
}

/// Returns all plugins that have or had a library, or a handle of the host, in the order of their names.
pub(crate) fn all() -> Vec<(PluginName, CallTarget, Arc<Totals>)> {
    let plugins = Ordered::lock(Rank::KnownPlugins, &PLUGINS);
    let plugins = plugins.iter();
    plugins
        .map(|(name, known)| (name.clone(), known.target, known.totals.clone()))
        .collect()
}
