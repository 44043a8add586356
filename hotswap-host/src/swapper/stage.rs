//! Makes the next generation beside the live one: everything that can fail.
use super::Swapper;
use super::arrange::Arranged;
use super::bind::bind;
use super::candidate::{Candidate, Opening};
use super::inner::{Inner, Writer};
use super::report::{Outcome, PluginReport, StateReport};
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::instance::{Instance, Loaded, Uses};
use crate::linked::Lent;
use crate::load;
use crate::name::PluginName;
use crate::telemetry::{self, Levels};
use crate::vault::{Contents, Vault, check_duplicates};
use abi_stable::std_types::RStr;
use hotswap_plugin::contract::ContextView;
use hotswap_plugin::contract::metadata::RUSTC;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A generation that is ready to become live. Dropped without being taken, it frees what was made for it.
pub(super) struct Staged<'a> {
    inner: &'a Inner,
    plugins: Vec<Arc<Instance>>,
    /// Which of them are new.
    fresh: BTreeSet<PluginName>,
    reports: Vec<PluginReport>,
    contents: Arc<Contents>,
    number: u64,
    reloads: u64,
    /// What the new plugins are told.
    levels: Levels,
    taken: bool,
}

impl<'a> Staged<'a> {
    /// Opens and constructs all that is new, each after those it imports, and then has all of it loaded, and then
    /// initialised, in the same order.
    ///
    /// # Errors
    /// Of the first plugin that fails; those before it are freed.
    pub(super) fn make(
        swapper: &'a Swapper,
        writer: &Writer,
        arranged: &Arranged,
        live: &Generation,
    ) -> Result<Self, ReloadError> {
        let mut staged = Staged {
            inner: &swapper.0,
            plugins: Vec::new(),
            fresh: BTreeSet::new(),
            reports: Vec::new(),
            contents: Arc::default(),
            number: live.number + 1,
            reloads: if live.number == 0 {
                0
            } else {
                live.reloads + 1
            },
            levels: telemetry::levels(),
            taken: false,
        };
        let candidates = || {
            arranged
                .order
                .iter()
                .map(|name| (name, &arranged.candidates[name]))
        };
        check_duplicates(candidates().map(|(name, candidate)| {
            let live = candidate.metadata().live.as_slice();
            (name, candidate.file(), live)
        }))?;
        for (name, candidate) in candidates() {
            match (candidate, candidate.live()) {
                (Candidate::New(opening), _) => {
                    staged.add_fresh(swapper, opening, candidate.outcome())?;
                }
                (_, Some(instance)) => match arranged.followers.get(name) {
                    Some(leader) => {
                        let opening = Opening::again(instance)?;
                        let plugin = leader.clone();
                        let outcome = Outcome::Followed { plugin };
                        staged.add_fresh(swapper, &opening, outcome)?;
                    }
                    None => {
                        let report = PluginReport::new(instance, candidate.outcome());
                        staged.reports.push(report);
                        staged.plugins.push(instance.clone());
                    }
                },
                _ => {}
            }
        }
        staged.load(writer)?;
        staged.init(live)?;
        Ok(staged)
    }

    fn add_fresh(
        &mut self,
        swapper: &Swapper,
        opening: &Opening,
        outcome: Outcome,
    ) -> Result<(), ReloadError> {
        let artifact = opening.artifact.clone();
        if self.inner.toolchain && artifact.metadata.rustc != RUSTC {
            return Err(ReloadError::Toolchain {
                plugin: artifact.metadata.name,
                file: artifact.file,
                found: artifact.metadata.rustc,
                expected: RUSTC.into(),
            });
        }
        let give_back = |library| self.inner.retirer.library(library, Uses::default());
        let loaded = load::open(
            artifact,
            &opening.code,
            opening.fingerprint,
            &self.inner.copies,
            swapper.downgrade(),
            give_back,
        )?;
        let instance = Arc::new(self.construct(loaded)?);
        let notes = instance.library().copy_note().into_iter().collect();
        self.reports.push(PluginReport {
            notes,
            ..PluginReport::new(&instance, outcome)
        });
        self.fresh.insert(instance.name().clone());
        self.plugins.push(instance);
        Ok(())
    }

    fn construct(&self, mut loaded: Loaded) -> Result<Instance, ReloadError> {
        let (name, version) = (loaded.name.clone(), loaded.metadata.version.clone());
        let build_id = loaded.build_id.to_string();
        let cx = ContextView {
            name: RStr::from_str(name.as_str()),
            version: RStr::from_str(&version),
            build_id: RStr::from_str(&build_id),
            generation: self.number,
            reloads: self.reloads,
            token: loaded.library.token(),
        };
        loaded.entry.set_levels()(self.levels.log, self.levels.trace);
        let retirer = &self.inner.retirer;
        let give_back = |loaded: Loaded| retirer.library(loaded.library, Uses::default());
        match loaded.reloadable(&cx) {
            Ok(reloadable) => loaded.is_reloadable = reloadable,
            Err(failure) => {
                give_back(loaded);
                return Err(failure.into());
            }
        }
        let (mut objects, imports) = match bind(&loaded, &self.plugins, &self.inner.provided) {
            Ok(bound) => bound,
            Err(error) => {
                give_back(loaded);
                return Err(error);
            }
        };
        let uses = Uses::new(imports, self.inner.provided.clone());
        let _lent = loaded
            .library
            .is_linked()
            .then(|| Lent::count(&mut objects, &uses));
        loaded.construct(&cx, &objects, uses).map_err(|failed| {
            let (loaded, uses, failure) = *failed;
            retirer.library(loaded.library, uses);
            failure.into()
        })
    }

    fn load(&self, writer: &Writer) -> Result<(), ReloadError> {
        for instance in self.fresh_instances() {
            let load = |data: &_| {
                // SAFETY: this thread runs one hook after the other, and the instance is in no generation yet: those who have
                // its pointer are this thread and the instances that import it.
                unsafe { instance.on_load(data) }
            };
            writer.load_data.lend(load)?;
        }
        Ok(())
    }

    fn init(&mut self, live: &Generation) -> Result<(), ReloadError> {
        let names: Vec<_> = self
            .plugins
            .iter()
            .map(|p| RStr::from_str(p.name().as_str()))
            .collect();
        let goes_on = |name: &PluginName| {
            let mut plugins = self.plugins.iter();
            plugins.any(|plugin| plugin.name() == name) && !self.fresh.contains(name)
        };
        let contents = live.contents.carried(&self.inner.extensions, goes_on);
        let contents = Mutex::new(contents);
        for instance in self.fresh_instances() {
            let vault = Vault::new(instance.name(), &contents);
            // SAFETY: this thread runs one hook after the other, and the instance is in no generation yet: those who have its
            // pointer are this thread and the instances that import it.
            unsafe { instance.on_init(&vault.view(self.number, &names)) }?;
        }
        let contents = contents.into_inner();
        self.contents = Arc::new(contents.unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// The new ones.
    pub(super) fn fresh_instances(&self) -> impl DoubleEndedIterator<Item = &Arc<Instance>> {
        self.plugins
            .iter()
            .filter(|plugin| self.fresh.contains(plugin.name()))
    }

    /// Reports what became of the state of those that were replaced.
    pub(super) fn report_states(&mut self, states: &BTreeMap<PluginName, StateReport>) {
        for report in &mut self.reports {
            report.state = states.get(&report.name).copied();
        }
    }

    /// What the new plugins were told of the host's levels. The others are told whenever those change.
    pub(super) fn levels(&self) -> Levels {
        self.levels
    }

    /// The generation as it would be.
    pub(super) fn generation(&self) -> Generation {
        let (plugins, contents) = (self.plugins.clone(), self.contents.clone());
        Generation::new(self.number, self.reloads, plugins, contents)
    }

    /// The new instances and the reports, once the generation is live.
    pub(super) fn take(mut self) -> (Vec<Arc<Instance>>, Vec<PluginReport>) {
        self.taken = true;
        let fresh = self.fresh_instances().cloned().collect();
        (fresh, std::mem::take(&mut self.reports))
    }
}

impl Drop for Staged<'_> {
    /// Frees the new instances, the last first: each once the one before has left memory, which owned what it imports.
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        // Objects in slots first: they are counted.
        self.contents = Arc::default();
        let retirer = &self.inner.retirer;
        let end = Instant::now() + self.inner.limit;
        let wait = || retirer.wait_unlive(end.saturating_duration_since(Instant::now()));
        // One that could not be made is on its way out already.
        wait();
        while let Some(instance) = self.plugins.pop() {
            if self.fresh.contains(instance.name()) {
                retirer.free_now(instance);
                wait();
            }
        }
    }
}
