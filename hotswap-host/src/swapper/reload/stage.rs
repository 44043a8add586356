//! Makes the next generation beside the live one. Everything that can fail happens here.
use super::arrange::Arranged;
use super::candidate::{Candidate, Opening};
use super::construct::{Construction, Told};
use super::patches::{carry, with_mocks_of};
use crate::base::name::PluginName;
use crate::base::time::after;
use crate::error::{Hook, PluginErrorKind, ReloadError};
use crate::generation::Generation;
use crate::generation::patched::Patched;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::load_data::LoadDataBox;
use crate::patch::stack::Stacks;
use crate::swapper::hooks::refused;
use crate::swapper::inner::Inner;
use crate::swapper::patch_settings::PatchesOnReload;
use crate::swapper::report::{Outcome, PluginReport, StateReport};
use crate::swapper::stored_patches::{PatchesByPlugin, StoredPatches, patches_by_plugin};
use crate::swapper::window::Kept;
use crate::swapper::writer::Writer;
use crate::telemetry::{self, Levels};
use crate::vault::{Contents, Vault, check_duplicates};
use abi_stable::std_types::RStr;
use hotswap_plugin::contract::metadata::RUSTC;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

/// A generation that is ready to become live. If it is dropped without being taken, it frees everything that was made
/// for it.
pub(super) struct Staged {
    inner: Arc<Inner>,
    plugins: Vec<Arc<Instance>>,
    /// The names of the new plugins.
    fresh: BTreeSet<PluginName>,
    reports: Vec<PluginReport>,
    contents: Arc<Contents>,
    /// The plugins before the reload.
    before: PatchesByPlugin,
    /// The patches before the reload.
    stacks: Arc<Stacks>,
    /// Those of the live generation, when this was begun.
    live_stacks: Arc<Stacks>,
    /// Those of the next generation.
    patched: Arc<Patched>,
    told: Told,
    hooks: HookThread,
    taken: bool,
}

impl Staged {
    /// Opens and constructs all new plugins, each after those that it imports. Then runs `on_load` of all, and then
    /// `on_init` of all, in the same order.
    ///
    /// # Errors
    /// The first plugin that fails. Those before it are freed.
    pub(super) fn make(
        inner: &Arc<Inner>,
        writer: &Writer,
        arranged: &Arranged,
        live: &Generation,
    ) -> Result<Self, ReloadError> {
        let mut staged = Staged::beside(inner, live);
        let candidates = || {
            arranged
                .order
                .iter()
                .map(|name| (name, &arranged.candidates[name]))
        };
        check_files(arranged, inner.toolchain)?;
        for (name, candidate) in candidates() {
            match (candidate, candidate.live()) {
                (Candidate::New(opening), _) => {
                    staged.add_fresh(opening.clone(), candidate.outcome())?;
                }
                (_, Some(instance)) => match arranged.followers.get(name) {
                    Some(leader) => {
                        let opening = Arc::new(Opening::again(instance)?);
                        let plugin = leader.clone();
                        let outcome = Outcome::Followed { plugin };
                        staged.add_fresh(opening, outcome)?;
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
        staged.load_and_init(writer, &live.contents)?;
        match live.number {
            0 => staged.start_with(&writer.patches)?,
            _ => staged.carry_patches(inner.patching.on_reload)?,
        }
        Ok(staged)
    }

    /// Makes the `kept` generation again, with new instances of the plugins in `again` and of those that are kept cold.
    ///
    /// # Errors
    /// The first plugin that fails. Those before it are freed.
    pub(super) fn revert(
        inner: &Arc<Inner>,
        writer: &Writer,
        kept: &Kept,
        again: &BTreeSet<PluginName>,
        live: &Generation,
    ) -> Result<Self, ReloadError> {
        let mut staged = Staged::beside(inner, live);
        for plugin in &kept.plugins {
            match plugin.warm().filter(|_| !again.contains(plugin.name())) {
                Some(instance) => {
                    let report = PluginReport::new(instance, Outcome::Unchanged);
                    staged.reports.push(report);
                    staged.plugins.push(instance.clone());
                }
                None => {
                    let opening = Arc::new(inner.reopen(plugin)?);
                    staged.add_fresh(opening, Outcome::Unchanged)?;
                }
            }
        }
        staged.load_and_init(writer, &kept.contents)?;
        staged.stacks = Arc::new(with_mocks_of(&kept.stacks, &live.patched.stacks));
        // These builds had the patches before, so they fit.
        staged.carry_patches(PatchesOnReload::Keep)?;
        Ok(staged)
    }

    /// Begins the generation that comes after the live one.
    fn beside(inner: &Arc<Inner>, live: &Generation) -> Self {
        Staged {
            inner: inner.clone(),
            plugins: Vec::new(),
            fresh: BTreeSet::new(),
            reports: Vec::new(),
            contents: Arc::default(),
            before: patches_by_plugin(live),
            stacks: live.patched.stacks.clone(),
            live_stacks: live.patched.stacks.clone(),
            patched: Arc::default(),
            told: Told {
                number: live.number + 1,
                reloads: if live.number == 0 {
                    0
                } else {
                    live.reloads + 1
                },
                levels: telemetry::levels(),
            },
            hooks: inner.hook_thread(),
            taken: false,
        }
    }

    fn add_fresh(&mut self, opening: Arc<Opening>, outcome: Outcome) -> Result<(), ReloadError> {
        let construction = Construction::new(&self.inner, opening, &self.plugins, self.told);
        let retirer = self.inner.retirer.clone();
        // The error of a construction has freed what it had made.
        let too_late = move |made: Result<Instance, _>| {
            drop(made.map(|instance| retirer.free_now(Arc::new(instance))));
        };
        let made = self.in_time(move || construction.run(), too_late);
        let instance = Arc::new(made??);
        let notes = instance.library().copy_note().into_iter().collect();
        self.reports.push(PluginReport {
            notes,
            ..PluginReport::new(&instance, outcome)
        });
        self.fresh.insert(instance.name().clone());
        self.plugins.push(instance);
        Ok(())
    }

    /// Runs hooks before the switch. A hook that takes too long refuses the generation.
    fn in_time<R: Send + 'static>(
        &mut self,
        job: impl FnOnce() -> R + Send + 'static,
        too_late: impl FnOnce(R) + Send + 'static,
    ) -> Result<R, ReloadError> {
        self.hooks.run(job, too_late).map_err(|not_run| {
            self.inner.hangs(&not_run);
            refused(not_run, self.hooks.limit())
        })
    }

    /// Runs `on_load` of all new instances, and then `on_init`.
    /// They find what the plugins that go on have put into `before`.
    fn load_and_init(&mut self, writer: &Writer, before: &Contents) -> Result<(), ReloadError> {
        let goes_on = |name: &PluginName| {
            let mut plugins = self.plugins.iter();
            plugins.any(|plugin| plugin.name() == name) && !self.fresh.contains(name)
        };
        let mut contents = before.carried(&self.inner.extensions, goes_on);
        let names: Vec<_> = self.plugins.iter().map(|p| p.name().clone()).collect();
        let prefills = &self.inner.prefills;
        prefills.run(&mut contents, self.told.number, &names)?;
        let contents = Arc::new(Mutex::new(contents));
        let with = |hook| {
            let instances = self.fresh_instances().filter(move |i| i.has_hook(hook));
            instances.map(Arc::downgrade).collect::<Vec<_>>()
        };
        let job = Initialisation {
            load: with(Hook::OnLoad),
            init: with(Hook::OnInit),
            load_data: writer.load_data.clone(),
            contents: contents.clone(),
            number: self.told.number,
            names,
        };
        let outcome = match job.is_empty() {
            true => Ok(Ok(())),
            false => self.in_time(move || job.run(), drop),
        };
        // The contents are taken, because a hook that hangs has them, too.
        let contents =
            std::mem::take(&mut *contents.lock().unwrap_or_else(PoisonError::into_inner));
        self.contents = Arc::new(contents);
        outcome?
    }

    /// Carries the patches over to the new instances.
    fn carry_patches(&mut self, on_reload: PatchesOnReload) -> Result<(), ReloadError> {
        let is_fresh = |name: &PluginName| self.fresh.contains(name);
        let settings = &self.inner.patching;
        let carried = carry(
            &self.plugins,
            &is_fresh,
            &self.stacks,
            &self.before,
            settings,
            on_reload,
        )?;
        self.patched = carried.patched;
        self.note(carried.notes);
        Ok(())
    }

    /// Applies the patches of an earlier run of the host, as far as they fit. That is no reload, so the setting to drop all
    /// patches of a plugin that is replaced has no effect.
    ///
    /// # Errors
    /// One does not fit, and the host refuses such a reload.
    fn start_with(&mut self, patches: &StoredPatches) -> Result<(), ReloadError> {
        let settings = &self.inner.patching;
        let (stacks, notes) = patches.stacks(&settings.sticky);
        let on_start = match settings.on_reload {
            PatchesOnReload::Drop => PatchesOnReload::Keep,
            on_reload => on_reload,
        };
        (self.stacks, self.before) = (Arc::new(stacks), patches.loaded());
        self.note(notes);
        self.carry_patches(on_start)
    }

    /// Carries over the patches that the live generation has, if they have changed since this was staged. Returns true if
    /// they have.
    ///
    /// # Errors
    /// A patch does not fit the new build of its plugin, and the host refuses such a reload.
    pub(super) fn carry_patches_of(&mut self, live: &Generation) -> Result<bool, ReloadError> {
        if Arc::ptr_eq(&self.live_stacks, &live.patched.stacks) {
            return Ok(false);
        }
        self.live_stacks = live.patched.stacks.clone();
        self.stacks = live.patched.stacks.clone();
        self.carry_patches(self.inner.patching.on_reload)?;
        Ok(true)
    }

    /// The patches of the next generation.
    pub(super) fn patched(&self) -> Arc<Patched> {
        self.patched.clone()
    }

    /// The new instances.
    pub(super) fn fresh_instances(&self) -> impl DoubleEndedIterator<Item = &Arc<Instance>> {
        self.plugins
            .iter()
            .filter(|plugin| self.fresh.contains(plugin.name()))
    }

    /// Reports the result for the state of the plugins that were replaced.
    pub(super) fn report_states(&mut self, states: BTreeMap<PluginName, StateReport>) {
        for (plugin, state) in states {
            let mut reports = self.reports.iter_mut();
            let report = reports.find(|report| report.name == plugin);
            report
                .into_iter()
                .for_each(|report| report.state = Some(state));
        }
    }

    /// Adds notes to the reports on these plugins.
    pub(super) fn note(&mut self, notes: Vec<(PluginName, String)>) {
        for (plugin, note) in notes {
            let mut reports = self.reports.iter_mut();
            let report = reports.find(|report| report.name == plugin);
            report
                .into_iter()
                .for_each(|report| report.notes.push(note.clone()));
        }
    }

    /// The host's levels that the new plugins were told. The other plugins are told whenever these change.
    pub(super) fn levels(&self) -> Levels {
        self.told.levels
    }

    /// Returns the generation as it would be.
    pub(super) fn generation(&self) -> Generation {
        let (plugins, contents) = (self.plugins.clone(), self.contents.clone());
        let out = self.inner.live.pin_quietly().out.clone();
        let mut generation = Generation {
            out,
            lowering: self.inner.lowering.clone(),
            ..Generation::new(self.told.number, self.told.reloads, plugins, contents)
        };
        generation.patch(self.patched());
        generation
    }

    /// The thread for the remaining hooks.
    pub(super) fn hooks(&mut self) -> &mut HookThread {
        &mut self.hooks
    }

    /// Returns the new instances, the reports, and the thread of the hooks, once the generation is live.
    pub(super) fn take(mut self) -> (Vec<Arc<Instance>>, Vec<PluginReport>, HookThread) {
        self.taken = true;
        let fresh = self.fresh_instances().cloned().collect();
        let hooks = std::mem::replace(&mut self.hooks, self.inner.hook_thread());
        (fresh, std::mem::take(&mut self.reports), hooks)
    }
}

/// Checks what the files of the next generation say, before any of its code runs.
///
/// # Errors
/// Two live items have one name, or a new build was made by another compiler than the host, which the host forbids.
pub(super) fn check_files(arranged: &Arranged, same_toolchain: bool) -> Result<(), ReloadError> {
    let candidates = arranged
        .order
        .iter()
        .map(|name| (name, &arranged.candidates[name]));
    check_duplicates(candidates.clone().map(|(name, candidate)| {
        let live = candidate.metadata().live.as_slice();
        (name, candidate.file(), live)
    }))?;
    let new = candidates.filter(|(_, candidate)| matches!(candidate, Candidate::New(_)));
    let mut foreign = new.filter(|(_, candidate)| candidate.metadata().rustc != RUSTC);
    match foreign.next().filter(|_| same_toolchain) {
        None => Ok(()),
        Some((name, candidate)) => {
            let kind = PluginErrorKind::Toolchain {
                found: candidate.metadata().rustc.clone(),
                expected: RUSTC.into(),
            };
            Err(kind.of(name, candidate.file()).into())
        }
    }
}

/// `on_load` and `on_init` of all new instances. It keeps only the instance whose hook is running, because the hook may
/// never return.
struct Initialisation {
    /// The instances with `on_load`, each after those that it imports.
    load: Vec<Weak<Instance>>,
    /// The instances with `on_init`, in the same order.
    init: Vec<Weak<Instance>>,
    load_data: Arc<LoadDataBox>,
    contents: Arc<Mutex<Contents>>,
    number: u64,
    /// The names of all plugins of the generation.
    names: Vec<PluginName>,
}

impl Initialisation {
    fn is_empty(&self) -> bool {
        self.load.is_empty() && self.init.is_empty()
    }

    fn run(self) -> Result<(), ReloadError> {
        for instance in self.load.iter().filter_map(Weak::upgrade) {
            self.load_data.lend(|data| instance.on_load(data))?;
        }
        let names: Vec<_> = self
            .names
            .iter()
            .map(|name| RStr::from_str(name.as_str()))
            .collect();
        for instance in self.init.iter().filter_map(Weak::upgrade) {
            let vault = Vault::new(instance.name(), &self.contents);
            instance.on_init(&vault.view(self.number, &names))?;
        }
        Ok(())
    }
}

impl Drop for Staged {
    /// Frees the new instances in reverse order. Each is freed once the one before it, which owned its imports, has
    /// left memory.
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let retirer = &self.inner.retirer;
        // The objects in slots belong to the new instances, which wait for their drop.
        retirer.let_go(std::mem::take(&mut self.contents));
        let end = after(Instant::now(), self.inner.limit);
        let wait = || retirer.wait_unlive(end.saturating_duration_since(Instant::now()));
        // An instance that could not be made is already being retired.
        wait();
        while let Some(instance) = self.plugins.pop() {
            if self.fresh.contains(instance.name()) {
                retirer.free_now(instance);
                wait();
            }
        }
    }
}
