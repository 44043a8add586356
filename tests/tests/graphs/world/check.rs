//! Compares the host with the model after each reload.
use super::{World, letter};
use crate::library::name;
use hotswap_host::prelude::*;
use hotswap_host::{
    Outcome, PluginError, PluginErrorKind, PluginName, PluginReport, Report, RetirementState,
};
use hotswap_tests::model::{Fate, Fault, Id, Instance, Next, Plugin, Plugins};
use hotswap_tests::{model, process, until};
use std::collections::{BTreeMap, BTreeSet};

/// The result of a reload, in short.
pub(super) fn fates(
    expected: &[Result<Next, Fault>],
) -> Vec<Result<&BTreeMap<Plugin, Fate>, &Fault>> {
    let fates = expected.iter().map(Result::as_ref);
    fates.map(|next| next.map(|next| &next.fates)).collect()
}

fn letters<'a>(names: impl IntoIterator<Item = &'a PluginName>) -> Vec<Plugin> {
    names
        .into_iter()
        .map(|name| letter(name.as_str()))
        .collect()
}

fn same(names: &[PluginName], plugins: impl Iterator<Item = Plugin>) -> bool {
    letters(names).into_iter().collect::<BTreeSet<_>>() == plugins.collect()
}

impl World {
    /// Returns true if the error says that this is wrong.
    pub(super) fn is(&self, error: &ReloadError, fault: &Fault) -> bool {
        let live = || self.model.plugins.keys().copied();
        match (error, fault) {
            (ReloadError::Artifact(error), Fault::File(place)) => error.file == self.path(*place),
            (ReloadError::Duplicate { name: of, .. }, Fault::Duplicate(plugin)) => {
                *of == *name(*plugin)
            }
            (ReloadError::Empty { live: are, .. }, Fault::Empty) => same(are, live()),
            (ReloadError::NotLoaded { name: of, loaded }, Fault::NotLoaded(plugin)) => {
                *of == *name(*plugin) && same(loaded, live())
            }
            (
                ReloadError::InUse {
                    name: of,
                    users: by,
                },
                Fault::InUse(plugin, users),
            ) => *of == *name(*plugin) && same(by, users.iter().copied()),
            (ReloadError::Plugin(PluginError { plugin, kind, .. }), fault) => match (kind, fault) {
                (PluginErrorKind::Import { import, .. }, Fault::Import(by, of)) => {
                    *plugin == *name(*by) && letter(&import.to_lowercase()) == *of
                }
                (
                    PluginErrorKind::NotReloadable { chain },
                    Fault::NotReloadable(fixed, imports),
                ) => {
                    let chain = letters(chain);
                    *plugin == *name(*fixed) && chain[0] == *fixed && imports.contains(&chain[1])
                }
                _ => false,
            },
            (ReloadError::Needed { plugin, reason, .. }, _) => {
                let failed = letter(plugin.as_str());
                let is = match (&**reason, fault) {
                    (
                        ReloadError::Plugin(PluginError {
                            plugin: by,
                            kind: PluginErrorKind::Import { .. },
                            ..
                        }),
                        Fault::InUse(of, users),
                    ) => failed == *of && users.contains(&letter(by.as_str())),
                    (reason, fault) => self.is(reason, fault),
                };
                self.model.optional.contains(&failed) && is
            }
            (ReloadError::Unknown { name: of, .. }, Fault::Unknown(plugin)) => {
                *of == *name(*plugin)
            }
            (ReloadError::Cycle { chain }, Fault::Cycle(imports)) => {
                let chain = letters(chain);
                let imported = chain
                    .windows(2)
                    .all(|pair| imports[&pair[0]].contains(&pair[1]));
                imported && chain.len() > 1 && chain.first() == chain.last()
            }
            (ReloadError::Hook(failure), Fault::Hook(plugin, hook, panicked)) => {
                failure.plugin == *name(*plugin)
                    && (failure.hook, failure.panicked) == (*hook, *panicked)
            }
            (ReloadError::Handle { plugin, .. }, Fault::Handle(lost)) => *plugin == *name(*lost),
            _ => false,
        }
    }

    /// Returns the one of the possible outcomes that the report shows.
    pub(super) fn reported(&self, report: &Report, expected: Vec<Result<Next, Fault>>) -> Next {
        let text = format!("{report}\nexpected: {:?}", fates(&expected));
        let mut nexts: Vec<_> = expected.into_iter().flatten().collect();
        let fits = |next: &Next| {
            let became = |plugin: &PluginReport| {
                let fate = next.fates.get(&letter(plugin.name.as_str()));
                fate.is_some_and(|fate| self.became(plugin, fate, &next.plugins))
            };
            report.plugins.len() == next.fates.len() && report.plugins.iter().all(became)
        };
        let at = nexts.iter().position(fits);
        let next = nexts.swap_remove(at.unwrap_or_else(|| panic!("{text}")));
        let generation = self.model.generation + u64::from(next.changed);
        assert_eq!(
            (report.generation, report.reloads),
            (generation, generation - 1),
            "{report}"
        );
        assert_eq!(report.changed(), next.changed, "{report}");
        let all = letters(report.plugins.iter().map(|plugin| &plugin.name));
        let (there, gone) = all.split_at(next.plugins.len());
        assert_eq!(there, self.order(), "{report}");
        assert!(
            gone.iter().all(|plugin| !next.plugins.contains_key(plugin)),
            "{report}"
        );
        next
    }

    /// Returns true if this is what became of the plugin.
    fn became(&self, report: &PluginReport, fate: &Fate, next: &Plugins) -> bool {
        let outcome = match (&report.outcome, fate) {
            (Outcome::Reloaded { from }, Fate::Reloaded(number)) => *from == self.build_id(*number),
            (Outcome::Followed { plugin }, Fate::Followed(leaders)) => {
                leaders.contains(&letter(plugin.as_str()))
            }
            (Outcome::Failed { stays, .. }, Fate::Kept | Fate::Left) => {
                *stays == (*fate == Fate::Kept)
            }
            (Outcome::Loaded, Fate::Loaded) | (Outcome::Unchanged, Fate::Unchanged) => true,
            (Outcome::NotReloadable, Fate::NotReloadable) | (Outcome::Removed, Fate::Removed) => {
                true
            }
            _ => false,
        };
        let plugin = letter(report.name.as_str());
        let instance = next
            .get(&plugin)
            .or_else(|| self.model.plugins.get(&plugin));
        let build_id = instance.map(|instance| self.build_id(instance.build.number));
        outcome && report.build_id == build_id && report.notes.is_empty()
    }

    /// Returns the instances that are live or held.
    pub(super) fn alive(&self) -> BTreeMap<Id, Instance> {
        let held = self.holds.iter().map(|(_, plugins)| plugins);
        let all = held
            .chain([&self.model.plugins])
            .flat_map(|plugins| plugins.values());
        all.map(|instance| (instance.id, instance.clone()))
            .collect()
    }

    /// Checks the host's listing, the answers of the plugins, and the libraries in memory.
    pub(super) fn check(&self) {
        let plugins = &self.model.plugins;
        self.check_listing(plugins);
        for (plugin, instance) in plugins {
            let answer = self.stage.swapper.invoke(&name(*plugin), "answer", &[]);
            assert_eq!(
                answer.expect("all calls succeed"),
                Value::from(self.answer(instance))
            );
        }
        for (plugin, handle) in &self.handles {
            assert_eq!(
                handle.call().expect("all calls succeed"),
                self.answer(&plugins[plugin])
            );
        }
        for (hold, held) in &self.holds {
            for (plugin, instance) in held {
                let answer = hold.invoke(&name(*plugin), "answer", &[]);
                assert_eq!(
                    answer.expect("all calls succeed"),
                    Value::from(self.answer(instance))
                );
            }
        }
        self.check_memory();
    }

    fn check_listing(&self, plugins: &Plugins) {
        let listing = self.stage.swapper.listing();
        let generation = self.model.generation;
        assert_eq!(
            (listing.generation, listing.reloads),
            (generation, generation - 1)
        );
        assert_eq!(listing.plugins.len(), plugins.len());
        let order = letters(listing.plugins.iter().map(|plugin| &plugin.name));
        assert_eq!(order, model::order(plugins));
        for (at, plugin) in listing.plugins.iter().enumerate() {
            let instance = &plugins[&order[at]];
            assert_eq!(plugin.build_id, self.build_id(instance.build.number));
            assert_eq!(plugin.file, self.path(instance.place));
            assert!(
                same(&plugin.dependencies, instance.calls.keys().copied()),
                "{plugin:?}"
            );
            let users = plugins
                .values()
                .filter(|user| user.calls.values().any(|id| *id == instance.id));
            assert!(
                same(&plugin.users, users.map(|user| user.build.plugin)),
                "{plugin:?}"
            );
        }
    }

    /// Returns the instance's number, and the answers of the plugins that it imports.
    pub(super) fn answer(&self, instance: &Instance) -> String {
        let all = self.alive();
        let build = &instance.build;
        let needs = build.needs.first().into_iter().chain(build.needs.last());
        let wants = [build.wants.first(), build.wants.get(1)];
        let imports = needs
            .map(Some)
            .chain(wants)
            .map(|import| import.and_then(|import| instance.calls.get(import)));
        let answers: Vec<_> = imports
            .map(|id| id.map_or("-".into(), |id| self.answer(&all[id])))
            .collect();
        format!("{}({})", self.numbers[&instance.id], answers.join(" "))
    }

    fn check_memory(&self) {
        let what = format!("only {:?} to be left", self.used());
        until(&what, || self.is_settled());
    }

    /// Returns the names of the private copies of the libraries in use, without their numbers.
    fn used(&self) -> Vec<String> {
        let copy = |instance: &Instance| {
            let build = &instance.build;
            format!("{}-{:.8}", name(build.plugin), self.build_id(build.number))
        };
        let mut used: Vec<_> = self.alive().values().map(copy).collect();
        used.sort();
        used
    }

    /// Returns true if each library in use has a mapped private copy, and there are no other copies.
    pub(super) fn is_settled(&self) -> bool {
        let retirements = self.stage.swapper.retirements();
        let ended = |state| matches!(state, RetirementState::Gone | RetirementState::InUse);
        let mut copies = self.stage.copies();
        copies.sort();
        let builds = copies.iter().filter_map(|copy| copy.rsplit_once('-'));
        let lines = process::mapped_from(&process::host_dir_of(self.stage.dir()));
        let mapped: BTreeSet<_> = lines
            .iter()
            .filter_map(|line| line.rsplit('/').next())
            .collect();
        retirements.iter().all(|it| ended(it.state))
            && builds.map(|(build, _)| build).eq(&self.used())
            && mapped == copies.iter().map(String::as_str).collect()
    }
}
