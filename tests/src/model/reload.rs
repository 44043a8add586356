//! The outcomes of a reload: which plugins go on, which ones follow others, and what remains without optional plugins
//! that fail.
use super::faults::follow_faults;
use super::{
    Build, Conduct, Fate, Fault, Id, Instance, Model, Next, Place, Plugin, Plugins, Request,
};
use std::collections::{BTreeMap, BTreeSet};

/// The plugins on the disk, with their places and builds.
pub(super) type Found = BTreeMap<Plugin, (Place, Build)>;
pub(super) type Fates = BTreeMap<Plugin, Fate>;
type Made = (Fates, Plugins);

impl Build {
    /// Returns the plugins that it calls, of those that are there.
    pub(super) fn calls(&self, found: &Found) -> BTreeSet<Plugin> {
        let all = self.needs.iter().chain(&self.wants).copied();
        all.filter(|plugin| found.contains_key(plugin)).collect()
    }

    /// Returns the plugins that it imports, of those that are there.
    pub(super) fn imports(&self, found: &Found) -> BTreeSet<Plugin> {
        let waits = self
            .waits
            .iter()
            .filter(|plugin| found.contains_key(plugin));
        self.calls(found)
            .into_iter()
            .chain(waits.copied())
            .collect()
    }
}

impl Model {
    /// Returns all possible outcomes of a reload: the new plugins, or the fault that the host names. With at most one
    /// fault, there is only one outcome.
    pub fn predict(&self, request: &Request) -> Vec<Result<Next, Fault>> {
        let (mut added, mut removed) = (self.added.clone(), self.removed.clone());
        match request {
            Request::Reload | Request::Only(_) => {}
            Request::Load(plugin) => {
                added.insert(*plugin);
                removed.remove(plugin);
            }
            Request::Unload(plugin) => _ = removed.insert(*plugin),
        }
        let (found, failed) = match self.look(request, &added) {
            Ok(looked) => looked,
            Err(faults) => return faults.into_iter().map(Err).collect(),
        };
        let next = |(fates, plugins): Made| Next {
            changed: self.generation == 0 || ids(&plugins) != ids(&self.plugins),
            // A plugin that may not be replaced goes on as it was.
            added: added
                .difference(&removed)
                .copied()
                .filter(|plugin| {
                    plugins
                        .get(plugin)
                        .is_none_or(|instance| instance.place == Place::Outside(*plugin))
                        || fates[plugin] == Fate::Kept
                })
                .collect(),
            removed: removed.clone(),
            fates,
            plugins,
        };
        self.attempts(&found, &failed)
            .into_iter()
            .map(|made| made.map(next))
            .collect()
    }

    /// Takes over the outcome that the host has chosen.
    pub fn accept(&mut self, next: Next) {
        self.generation += u64::from(next.changed);
        self.born += next.plugins.len() as Id;
        (self.plugins, self.added, self.removed) = (next.plugins, next.added, next.removed);
    }

    /// Returns the outcomes without the new builds of those that failed, and without those of other optional plugins
    /// that fail.
    fn attempts(&self, found: &Found, failed: &BTreeSet<Plugin>) -> Vec<Result<Made, Fault>> {
        let mut there = found.clone();
        for plugin in failed {
            match self.plugins.get(plugin) {
                Some(live) => _ = there.insert(*plugin, (live.place, live.build.clone())),
                None => _ = there.remove(plugin),
            }
        }
        let again = |made: Result<Made, Fault>| {
            let mut culprits = made.as_ref().err().map(Fault::culprits).unwrap_or_default();
            culprits.retain(|plugin| self.optional.contains(plugin) && !failed.contains(plugin));
            if culprits.is_empty() {
                return vec![made];
            }
            let fail = |culprit| self.attempts(found, &with(failed, culprit));
            culprits.into_iter().flat_map(fail).collect()
        };
        self.arrange(&there, failed)
            .into_iter()
            .flat_map(again)
            .collect()
    }

    /// Returns the outcomes for these plugins. Those that failed stay with their running builds, if that is possible.
    fn arrange(&self, found: &Found, failed: &BTreeSet<Plugin>) -> Vec<Result<Made, Fault>> {
        let without = |plugin: &Plugin| {
            let mut less = found.clone();
            less.remove(plugin);
            self.arrange(&less, failed)
        };
        let (there, fates) = self.fates(found, failed);
        let in_the_way = |fault: Fault| {
            let kept: Vec<_> = fault.culprits().intersection(failed).copied().collect();
            match kept.is_empty() {
                true => vec![Err(fault)],
                false => kept.iter().flat_map(without).collect(),
            }
        };
        let faults = self.import_faults(&there);
        if !faults.is_empty() {
            return faults.into_iter().flat_map(in_the_way).collect();
        }
        let follows = |plugin: &&Plugin| matches!(fates.get(plugin), Some(Fate::Followed(_)));
        let kept: Vec<_> = failed.iter().filter(follows).collect();
        if !kept.is_empty() {
            return kept.into_iter().flat_map(without).collect();
        }
        for faults in [
            follow_faults(&there, &fates),
            self.stage_faults(&there, &fates),
        ] {
            if !faults.is_empty() {
                return faults.into_iter().map(Err).collect();
            }
        }
        let plugins = self.construct(&there, &fates);
        let all = self
            .plugins
            .keys()
            .chain(failed)
            .filter(|plugin| !there.contains_key(plugin));
        let gone = all.map(|plugin| match failed.contains(plugin) {
            true => (*plugin, Fate::Left),
            false => (*plugin, Fate::Removed),
        });
        let fates = gone.chain(fates.clone()).collect();
        vec![Ok((fates, plugins))]
    }

    /// Returns the fate of each plugin if there is no fault, together with the builds that are then live.
    fn fates(&self, found: &Found, failed: &BTreeSet<Plugin>) -> (Found, Fates) {
        let (mut found, mut fates) = (found.clone(), Fates::new());
        for (plugin, (place, build)) in &mut found {
            let fate = match self.plugins.get(plugin) {
                None => Fate::Loaded,
                Some(_) if failed.contains(plugin) => Fate::Kept,
                Some(live) if (live.place, &live.build) == (*place, build) => Fate::Unchanged,
                Some(live) if live.build.conduct == Conduct::Fixed => {
                    (*place, *build) = (live.place, live.build.clone());
                    Fate::NotReloadable
                }
                Some(live) => Fate::Reloaded(live.build.number),
            };
            fates.insert(*plugin, fate);
        }
        // A plugin that follows may be followed itself.
        for plugin in found.keys().cycle().take(found.len() * found.len()) {
            let leaders = self.leaders(&found, &fates, failed, *plugin);
            let follows = fates[plugin].stays() || matches!(fates[plugin], Fate::Followed(_));
            if follows && !leaders.is_empty() {
                fates.insert(*plugin, Fate::Followed(leaders));
            }
        }
        (found, fates)
    }

    /// Returns the imports with which the running instance of the plugin cannot go on, because they are new or gone.
    fn leaders(
        &self,
        found: &Found,
        fates: &Fates,
        failed: &BTreeSet<Plugin>,
        plugin: Plugin,
    ) -> BTreeSet<Plugin> {
        let Some(live) = self.plugins.get(&plugin) else {
            return BTreeSet::new();
        };
        let stays = |import: &Plugin| fates.get(import).is_some_and(Fate::stays);
        // An instance that is not made anew goes on without an import that it was made without.
        let gained = match live.build.conduct == Conduct::Fixed || failed.contains(&plugin) {
            true => BTreeSet::new(),
            false => live.build.calls(found),
        };
        let calls = live.calls.keys().copied().chain(gained);
        calls.filter(|import| !stays(import)).collect()
    }

    fn construct(&self, found: &Found, fates: &Fates) -> Plugins {
        let ids: BTreeMap<Plugin, Id> = (self.born..)
            .zip(found.keys())
            .map(|(new, plugin)| match fates[plugin].stays() {
                true => (*plugin, self.plugins[plugin].id),
                false => (*plugin, new),
            })
            .collect();
        let instance = |(plugin, (place, build)): (&Plugin, &(Place, Build))| {
            let of = |imports: BTreeSet<Plugin>| {
                imports.into_iter().map(|import| (import, ids[&import]))
            };
            let fresh = Instance {
                id: ids[plugin],
                build: build.clone(),
                place: *place,
                calls: of(build.calls(found)).collect(),
                after: of(build.imports(found)).map(|(_, id)| id).collect(),
            };
            let instance = if fates[plugin].stays() {
                self.plugins[plugin].clone()
            } else {
                fresh
            };
            (*plugin, instance)
        };
        found.iter().map(instance).collect()
    }
}

impl Fate {
    /// Returns true if the instance goes on.
    pub(super) fn stays(&self) -> bool {
        matches!(self, Fate::Unchanged | Fate::NotReloadable | Fate::Kept)
    }
}

fn ids(plugins: &Plugins) -> BTreeSet<Id> {
    plugins.values().map(|instance| instance.id).collect()
}

fn with(plugins: &BTreeSet<Plugin>, plugin: Plugin) -> BTreeSet<Plugin> {
    plugins.iter().copied().chain([plugin]).collect()
}
