//! What comes of a reload: what is there, what that needs, what it makes.
use super::{
    Build, Conduct, Fate, Fault, Id, Instance, Model, Next, Place, Plugin, Plugins, Request,
};
use hotswap_host::Hook;
use std::collections::{BTreeMap, BTreeSet};

/// The plugins that there are, where and of which build.
pub(super) type Found = BTreeMap<Plugin, (Place, Build)>;
type Fates = BTreeMap<Plugin, Fate>;
type Made = (Fates, Plugins);

impl Build {
    /// What it calls of those that are there.
    fn calls(&self, found: &Found) -> BTreeSet<Plugin> {
        let all = self.needs.iter().chain(&self.wants).copied();
        all.filter(|plugin| found.contains_key(plugin)).collect()
    }

    /// What it imports of those that are there.
    fn imports(&self, found: &Found) -> BTreeSet<Plugin> {
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
    /// All that may come of a reload: what it makes, or what the host names as the reason why it does not. Where one
    /// thing is wrong, or nothing, there is no choice.
    pub fn predict(&self, request: &Request) -> Vec<Result<Next, Fault>> {
        let (mut added, mut removed) = (self.added.clone(), self.removed.clone());
        match request {
            Request::Reload | Request::Only(_) => {}
            Request::Load(plugin) => {
                added.insert(*plugin);
                removed.remove(plugin);
            }
            Request::Unload(plugin) => {
                added.remove(plugin);
                removed.insert(*plugin);
            }
        }
        let (found, failed) = match self.look(request, &added, &removed) {
            Ok(looked) => looked,
            Err(faults) => return faults.into_iter().map(Err).collect(),
        };
        let next = |(fates, plugins): Made| Next {
            changed: self.generation == 0 || ids(&plugins) != ids(&self.plugins),
            // What was not replaced stays part of later generations as it is.
            added: added
                .iter()
                .copied()
                .filter(|plugin| {
                    plugins
                        .get(plugin)
                        .is_none_or(|instance| instance.place == Place::Outside(*plugin))
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

    /// What the host did.
    pub fn accept(&mut self, next: Next) {
        self.generation += u64::from(next.changed);
        self.born += next.plugins.len() as Id;
        (self.plugins, self.added, self.removed) = (next.plugins, next.added, next.removed);
    }

    /// What comes of it without new builds of those that failed, and without those of other optional ones that fail.
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

    /// What comes of these plugins. Those that failed are there as they run, if that can be.
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
        if let Some(kept) = failed.iter().find(follows) {
            return without(kept);
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

    /// What becomes of each, if nothing is wrong, with the builds that are then live.
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
        // Who follows may itself be followed.
        for plugin in found.keys().cycle().take(found.len() * found.len()) {
            let leaders = self.leaders(&found, &fates, failed, *plugin);
            let follows = fates[plugin].stays() || matches!(fates[plugin], Fate::Followed(_));
            if follows && !leaders.is_empty() {
                fates.insert(*plugin, Fate::Followed(leaders));
            }
        }
        (found, fates)
    }

    /// What the running instance of the plugin cannot go on with: imports that are new, or no longer there.
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
        // What is not made anew goes on without an import that it was made without.
        let gained = match live.build.conduct == Conduct::Fixed || failed.contains(&plugin) {
            true => BTreeSet::new(),
            false => live.build.calls(found),
        };
        let calls = live.calls.keys().copied().chain(gained);
        calls.filter(|import| !stays(import)).collect()
    }

    fn import_faults(&self, found: &Found) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut lost: BTreeMap<Plugin, BTreeSet<Plugin>> = BTreeMap::new();
        for (plugin, (_, build)) in found {
            let needs = build.needs.iter().chain(&build.waits);
            for import in needs.filter(|import| !found.contains_key(import)) {
                match self.plugins.contains_key(import) {
                    true => _ = lost.entry(*import).or_default().insert(*plugin),
                    false => faults.push(Fault::Import(*plugin, *import)),
                }
            }
        }
        faults.extend(
            lost.into_iter()
                .map(|(import, users)| Fault::InUse(import, users)),
        );
        let imports =
            |(plugin, (_, build)): (&Plugin, &(Place, Build))| (*plugin, build.imports(found));
        let mut circles: BTreeMap<_, _> = found.iter().map(imports).collect();
        circles.retain(|plugin, _| behind(found, *plugin).contains(plugin));
        if !circles.is_empty() {
            faults.push(Fault::Cycle(circles));
        }
        faults
    }

    fn stage_faults(&self, found: &Found, fates: &Fates) -> Vec<Fault> {
        let all = found.values().map(|(_, build)| build);
        let fresh = all.filter(|build| !fates[&build.plugin].stays());
        let (mut early, mut late) = (BTreeMap::new(), BTreeMap::new());
        for build in fresh {
            let plugin = build.plugin;
            match build.conduct {
                Conduct::Fixed => {
                    let mut moving = build.calls(found);
                    moving.retain(|import| found[import].1.conduct != Conduct::Fixed);
                    if !moving.is_empty() {
                        early.insert(plugin, Fault::NotReloadable(plugin, moving));
                    }
                }
                Conduct::Fails(hook) | Conduct::Panics(hook) => {
                    let panics = build.conduct == Conduct::Panics(hook);
                    let faults = if hook == Hook::OnInit {
                        &mut late
                    } else {
                        &mut early
                    };
                    faults.insert(plugin, Fault::Hook(plugin, hook, panics));
                }
                _ => {}
            }
        }
        // All are loaded before one is initialised, and each after those it imports.
        let faults = if early.is_empty() { late } else { early };
        let first = |plugin: &Plugin| {
            behind(found, *plugin)
                .iter()
                .all(|import| !faults.contains_key(import))
        };
        let first: Vec<_> = faults
            .iter()
            .filter(|(plugin, _)| first(plugin))
            .map(|(_, fault)| fault.clone())
            .collect();
        let lost = self
            .handles
            .iter()
            .filter(|plugin| !found.contains_key(plugin));
        first
            .into_iter()
            .chain(lost.map(|plugin| Fault::Handle(*plugin)))
            .collect()
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
    /// Whether the instance goes on.
    fn stays(&self) -> bool {
        matches!(self, Fate::Unchanged | Fate::NotReloadable | Fate::Kept)
    }
}

impl Fault {
    /// The plugins without any of which it might not be there.
    fn culprits(&self) -> BTreeSet<Plugin> {
        match self {
            Fault::InUse(_, users) => users.clone(),
            Fault::Cycle(imports) => imports.keys().copied().collect(),
            Fault::Import(plugin, _)
            | Fault::NotReloadable(plugin, _)
            | Fault::Hook(plugin, ..)
            | Fault::Handle(plugin) => [*plugin].into(),
            _ => BTreeSet::new(),
        }
    }
}

fn ids(plugins: &Plugins) -> BTreeSet<Id> {
    plugins.values().map(|instance| instance.id).collect()
}

fn with(plugins: &BTreeSet<Plugin>, plugin: Plugin) -> BTreeSet<Plugin> {
    plugins.iter().copied().chain([plugin]).collect()
}

/// Those that would have to be replaced, and may not be.
fn follow_faults(found: &Found, fates: &Fates) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (plugin, (_, build)) in found {
        if let (Conduct::Fixed, Fate::Followed(leaders)) = (build.conduct, &fates[plugin]) {
            let gone = leaders.iter().filter(|leader| !found.contains_key(leader));
            faults.extend(gone.map(|leader| Fault::InUse(*leader, [*plugin].into())));
            faults.push(Fault::NotReloadable(*plugin, leaders.clone()));
        }
    }
    faults
}

/// All that the plugin imports, directly or not.
fn behind(found: &Found, plugin: Plugin) -> BTreeSet<Plugin> {
    let mut all = found[&plugin].1.imports(found);
    for _ in found {
        let further = all.iter().flat_map(|import| found[import].1.imports(found));
        all = further.chain(all.iter().copied()).collect();
    }
    all
}

/// The faults as an error, if there are any.
pub(super) fn none(faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}
