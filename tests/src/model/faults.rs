//! The faults of plugins that import each other.
use super::reload::{Fates, Found};
use super::{Build, Conduct, Fate, Fault, Model, Place, Plugin};
use hotswap_host::Hook;
use std::collections::{BTreeMap, BTreeSet};

impl Model {
    /// Returns the imports that are missing, and the circles.
    pub(super) fn import_faults(&self, found: &Found) -> Vec<Fault> {
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

    /// Returns the plugins that may fail first while new builds are made, and the handles whose plugins would be gone.
    pub(super) fn stage_faults(&self, found: &Found, fates: &Fates) -> Vec<Fault> {
        let all = found.values().map(|(_, build)| build);
        let fresh = all.filter(|build| !fates[&build.plugin].stays());
        let mut stages: [BTreeMap<_, _>; 3] = Default::default();
        for build in fresh {
            let plugin = build.plugin;
            match build.conduct {
                Conduct::Fixed => {
                    let mut moving = build.calls(found);
                    moving.retain(|import| found[import].1.conduct != Conduct::Fixed);
                    if !moving.is_empty() {
                        stages[0].insert(plugin, Fault::NotReloadable(plugin, moving));
                    }
                }
                Conduct::Fails(hook) | Conduct::Panics(hook) => {
                    let panics = build.conduct == Conduct::Panics(hook);
                    let stage = match hook {
                        Hook::OnInit => 2,
                        Hook::OnLoad => 1,
                        _ => 0,
                    };
                    stages[stage].insert(plugin, Fault::Hook(plugin, hook, panics));
                }
                _ => {}
            }
        }
        // All plugins are made before one is loaded, and all are loaded before one is initialised. Each comes after its
        // imports.
        let faults = stages.into_iter().find(|faults| !faults.is_empty());
        let faults = faults.unwrap_or_default();
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
}

impl Fault {
    /// Returns the plugins that may be the cause: without one of them, the fault might not exist.
    pub(super) fn culprits(&self) -> BTreeSet<Plugin> {
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

/// Returns the plugins that would have to be replaced, and may not be.
pub(super) fn follow_faults(found: &Found, fates: &Fates) -> Vec<Fault> {
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

/// Returns all plugins that this one imports, directly or not.
fn behind(found: &Found, plugin: Plugin) -> BTreeSet<Plugin> {
    let mut all = found[&plugin].1.imports(found);
    for _ in found {
        let further = all.iter().flat_map(|import| found[import].1.imports(found));
        all = further.chain(all.iter().copied()).collect();
    }
    all
}

/// Returns the faults as an error, if there are any.
pub(super) fn none(faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}
