//! What comes of a reload: what is on the disk, what that needs, what it makes.
use super::{
    Build, Conduct, Fate, Fault, File, Id, Instance, Model, Next, Place, Plugin, Plugins, Request,
};
use hotswap_host::Hook;
use std::collections::{BTreeMap, BTreeSet};

type Found = BTreeMap<Plugin, (Place, Build)>;
type Fates = BTreeMap<Plugin, Fate>;

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
    /// What a reload makes, if it succeeds.
    ///
    /// # Errors
    /// What the host may name as the reason why it does not.
    pub fn predict(&self, request: &Request) -> Result<Next, Vec<Fault>> {
        let (mut added, mut removed) = (self.added.clone(), self.removed.clone());
        let mut only = None;
        match request {
            Request::Reload => {}
            Request::Only(plugins) => only = Some(plugins),
            Request::Load(plugin) => {
                added.insert(*plugin);
                removed.remove(plugin);
            }
            Request::Unload(plugin) => {
                added.remove(plugin);
                removed.insert(*plugin);
            }
        }
        let mut found = self.files(&added, only)?;
        found.retain(|plugin, _| !removed.contains(plugin));
        match request {
            Request::Unload(plugin) if !self.plugins.contains_key(plugin) => {
                return Err(vec![Fault::NotLoaded(*plugin)]);
            }
            Request::Only(plugins) => self.keep_others(&mut found, plugins)?,
            _ => {}
        }
        let (fates, plugins) = self.stage(found)?;
        // What was not replaced stays part of later generations as it is.
        added.retain(|plugin| matches!(plugins[plugin].place, Place::Outside(_)));
        Ok(Next {
            changed: self.generation == 0 || fates.values().any(|fate| !fate.stays()),
            plugins,
            fates,
            added,
            removed,
        })
    }

    /// What the host did.
    pub fn accept(&mut self, next: Next) {
        self.generation += u64::from(next.changed);
        self.born += next.plugins.len() as Id;
        (self.plugins, self.added, self.removed) = (next.plugins, next.added, next.removed);
    }

    /// What is on the disk, by plugin.
    fn files(
        &self,
        added: &BTreeSet<Plugin>,
        only: Option<&BTreeSet<Plugin>>,
    ) -> Result<Found, Vec<Fault>> {
        let (mut found, mut faults) = (Found::new(), Vec::new());
        let matters = |plugin: &Plugin| only.is_none_or(|only| only.contains(plugin));
        let inside = |place: &Place| !matches!(place, Place::Outside(_));
        for (place, file) in self.disk.iter().filter(|(place, _)| inside(place)) {
            match file {
                File::Garbage => {
                    let implied = self.implied(*place);
                    if only.is_none() || implied.is_some_and(|plugin| matters(&plugin)) {
                        faults.push(Fault::File(*place));
                    }
                }
                File::Build(build) if !matters(&build.plugin) => {}
                File::Build(build) => {
                    let before = found.insert(build.plugin, (*place, build.clone()));
                    faults.extend(before.map(|_| Fault::Duplicate(build.plugin)));
                }
            }
        }
        for &plugin in added.iter().filter(|plugin| matters(plugin)) {
            let place = Place::Outside(plugin);
            match self.disk.get(&place) {
                Some(File::Build(build)) => _ = found.insert(plugin, (place, build.clone())),
                _ => faults.push(Fault::File(place)),
            }
        }
        if !self.disk.keys().any(inside) && added.is_empty() && only.is_none() {
            faults.push(Fault::Empty);
        }
        none(faults).map(|()| found)
    }

    /// The plugin that a file should hold.
    fn implied(&self, place: Place) -> Option<Plugin> {
        match place {
            Place::Own(plugin) | Place::Outside(plugin) => Some(plugin),
            Place::Other => {
                let live = self.plugins.values().find(|live| live.place == place);
                live.map(|live| live.build.plugin)
            }
        }
    }

    /// All live plugins but these go on as they are; these have to be somewhere.
    fn keep_others(&self, found: &mut Found, only: &BTreeSet<Plugin>) -> Result<(), Vec<Fault>> {
        let others = self
            .plugins
            .iter()
            .filter(|(plugin, _)| !only.contains(plugin));
        found.extend(others.map(|(plugin, live)| (*plugin, (live.place, live.build.clone()))));
        let known =
            |plugin: &Plugin| found.contains_key(plugin) || self.plugins.contains_key(plugin);
        let unknown = only.iter().filter(|plugin| !known(plugin));
        none(
            unknown
                .map(|plugin| match self.removed.contains(plugin) {
                    true => Fault::NotLoaded(*plugin),
                    false => Fault::Unknown(*plugin),
                })
                .collect(),
        )
    }

    fn stage(&self, mut found: Found) -> Result<(Fates, Plugins), Vec<Fault>> {
        let mut fates = Fates::new();
        for (plugin, (place, build)) in &mut found {
            let fate = match self.plugins.get(plugin) {
                None => Fate::Loaded,
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
            let leaders = self.leaders(&found, &fates, *plugin);
            let follows = fates[plugin].stays() || matches!(fates[plugin], Fate::Followed(_));
            if follows && !leaders.is_empty() {
                fates.insert(*plugin, Fate::Followed(leaders));
            }
        }
        none(self.import_faults(&found, &fates))?;
        none(self.stage_faults(&found, &fates))?;
        let plugins = self.construct(&found, &fates);
        let gone = self
            .plugins
            .keys()
            .filter(|plugin| !found.contains_key(plugin));
        fates.extend(gone.map(|plugin| (*plugin, Fate::Removed)));
        Ok((fates, plugins))
    }

    /// What the running instance of the plugin cannot go on with: imports that are new, or no longer there.
    fn leaders(&self, found: &Found, fates: &Fates, plugin: Plugin) -> BTreeSet<Plugin> {
        let Some(live) = self.plugins.get(&plugin) else {
            return BTreeSet::new();
        };
        let stays = |import: &Plugin| fates.get(import).is_some_and(Fate::stays);
        // What may not be replaced goes on without an import that it was made without.
        let gained = match live.build.conduct {
            Conduct::Fixed => BTreeSet::new(),
            _ => live.build.calls(found),
        };
        let calls = live.calls.keys().copied().chain(gained);
        calls.filter(|import| !stays(import)).collect()
    }

    fn import_faults(&self, found: &Found, fates: &Fates) -> Vec<Fault> {
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
            if let (Conduct::Fixed, Fate::Followed(leaders)) = (build.conduct, &fates[plugin]) {
                let gone = leaders.iter().filter(|leader| !found.contains_key(leader));
                faults.extend(gone.map(|leader| Fault::InUse(*leader, BTreeSet::from([*plugin]))));
                faults.push(Fault::NotReloadable(*plugin, leaders.clone()));
            }
        }
        faults.extend(
            lost.into_iter()
                .map(|(import, users)| Fault::InUse(import, users)),
        );
        if found
            .keys()
            .any(|plugin| behind(found, *plugin).contains(plugin))
        {
            let imports =
                |(plugin, (_, build)): (&Plugin, &(Place, Build))| (*plugin, build.imports(found));
            faults.push(Fault::Cycle(found.iter().map(imports).collect()));
        }
        faults
    }

    fn stage_faults(&self, found: &Found, fates: &Fates) -> Vec<Fault> {
        let fresh = found
            .values()
            .map(|(_, build)| build)
            .filter(|build| !fates[&build.plugin].stays());
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
        matches!(self, Fate::Unchanged | Fate::NotReloadable)
    }
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
fn none(faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}
