//! Loads builds once more that give way to older ones, for the live data that they have saved.
//!
//! A build that is reverted leaves memory like any other. If it knows newer versions of live types than the builds that come
//! back, it is loaded again without an instance, before the switch, so that no handler meets data that it cannot read. The
//! same holds where an ordinary reload leads to older builds. It leaves when the host counts no such data any more, when the
//! operator drops it, or when builds are permanent that understand the data. The journal keeps its bytes until then.
use super::candidate::Opening;
use crate::artifact::{BuildId, LiveEntry, Metadata};
use crate::base::name::{PluginName, folded};
use crate::error::ReloadError;
use crate::instance::{Instance, Uses};
use crate::load;
use crate::load::library::Owner;
use crate::load::loaded::Loaded;
use crate::swapper::examine::{BuildOrigin, Examination};
use crate::swapper::hooks::refused;
use crate::swapper::inner::Inner;
use crate::swapper::report::PluginReport;
use crate::swapper::stored_build::StoredBuild;
use crate::telemetry::{self, contain};
use crate::vault::DataType;
use hotswap_plugin::LiveKind;
use std::path::Path;
use std::sync::{Arc, Weak};

/// What was done for the live data of the builds that are about to be replaced.
#[derive(Default)]
pub(super) struct ForData {
    added: Vec<BuildId>,
    /// Remarks for the operator, by plugin.
    pub(super) notes: Vec<(PluginName, String)>,
}

impl ForData {
    /// Logs the remarks, and adds them to the reports.
    pub(super) fn note_in(self, reports: &mut [PluginReport]) {
        for (name, note) in self.notes {
            contain((), || tracing::info!(target: "hotswap", "{name}: {note}"));
            let of = reports.iter_mut().filter(|report| report.name == name);
            of.for_each(|report| report.notes.push(note.clone()));
        }
    }
}

impl Inner {
    /// Loads those of the `leaving` builds once more that know newer versions of live types than the next ones.
    pub(super) fn keep_for_data<'a>(
        self: &Arc<Self>,
        leaving: impl Iterator<Item = &'a Arc<Instance>>,
        next: impl Iterator<Item = &'a Metadata>,
    ) -> ForData {
        let mut done = ForData::default();
        let has_types = |plugin: &&Arc<Instance>| {
            let mut items = plugin.metadata().live.iter();
            items.any(|item| item.kind == LiveKind::Type)
        };
        let mut leaving = leaving.filter(has_types).peekable();
        if leaving.peek().is_none() {
            return done;
        }
        let known: Vec<_> = next.flat_map(|metadata| &metadata.live).collect();
        for plugin in leaving {
            let types = newer_types(plugin.metadata(), &known);
            if types.is_empty() || self.lowering.has(plugin.build_id()) {
                continue;
            }
            let (name, build) = (plugin.name().clone(), plugin.build_id());
            let loaded = Opening::again(plugin).map_err(ReloadError::from);
            let loaded = loaded.and_then(|opening| self.load_for_data(opening, &types));
            done.notes
                .push((name.clone(), remark(build, &types, loaded.as_ref().err())));
            if loaded.is_ok() {
                done.added.push(build);
                self.remember_for_data(&name, plugin.file(), build);
            }
        }
        done
    }

    /// Takes back what [`keep_for_data`](Self::keep_for_data) has done, because the builds stay live.
    pub(super) fn need_no_data_builds(&self, done: &ForData) {
        let gone = self
            .lowering
            .remove(|build| done.added.contains(&build.build_id));
        self.forget_for_data(gone.iter().map(|build| build.build_id));
    }

    /// Lets builds leave whose data the live builds, which are permanent, understand by themselves.
    pub(in crate::swapper) fn drop_understood(&self) {
        if !self.lowering.has_any() {
            return;
        }
        let live = self.live.pin_quietly().hold();
        let understands = |ty: &DataType| {
            let live = live.type_named(&ty.name);
            live.is_some_and(|live| live.version() >= ty.version)
        };
        let gone = self
            .lowering
            .remove(|build| build.types.iter().all(understands));
        self.forget_for_data(gone.iter().map(|build| build.build_id));
    }

    /// Loads the builds that the journal has kept for their live data, as far as the live builds need them.
    pub(super) fn reload_for_data(
        self: &Arc<Self>,
        builds: Vec<StoredBuild>,
        examination: &Examination,
    ) {
        let live = self.live.pin_quietly().hold();
        let known: Vec<_> = live
            .plugins
            .iter()
            .flat_map(|p| &p.metadata().live)
            .collect();
        for build in builds {
            let name = build.plugin.clone();
            let opening = Opening::stored(&build).map_err(ReloadError::from);
            let loaded = opening.and_then(|opening| {
                examination.of_stored(&opening.artifact, &build, BuildOrigin::Start)?;
                let types = newer_types(&opening.artifact.metadata, &known);
                if types.is_empty() {
                    self.forget_for_data([opening.artifact.build_id]);
                    return Ok(());
                }
                self.load_for_data(opening, &types)
            });
            if let Err(error) = loaded {
                contain((), || {
                    tracing::warn!(target: "hotswap", "an earlier build of {name} cannot be loaded for the live data that it has saved: {error}");
                });
            }
        }
    }

    /// Loads a build without an instance, for these types.
    ///
    /// # Errors
    /// It cannot be opened.
    fn load_for_data(
        self: &Arc<Self>,
        opening: Opening,
        types: &[String],
    ) -> Result<(), ReloadError> {
        let retirer = self.retirer.clone();
        let retire = move |library| retirer.library(library, Uses::default());
        let owner: Weak<dyn Owner> = Arc::<Inner>::downgrade(self);
        let (copies, host_table) = (self.copies.clone(), self.host_table);
        let (give_back, late) = (retire.clone(), retire);
        let open = move || {
            let Opening { artifact, code, .. } = opening;
            load::open(artifact, &code, None, &copies, owner, host_table, give_back)
        };
        let too_late = move |opened: Result<Loaded, _>| {
            drop(opened.map(|loaded| late(loaded.library)));
        };
        let mut hooks = self.hook_thread();
        let opened = hooks.run(open, too_late).map_err(|not_run| {
            self.hangs(&not_run);
            refused(not_run, hooks.limit())
        });
        let loaded = opened??;
        let levels = telemetry::levels();
        loaded.tables.entry().set_levels()(levels.log, levels.trace);
        let items = loaded.live.iter().enumerate();
        let wanted = items.filter(|(_, item)| {
            let name = item.name.as_str();
            item.kind() == LiveKind::Type && types.iter().any(|ty| ty == name)
        });
        let wanted = wanted.map(|(index, _)| index).collect();
        self.lowering.add(loaded, wanted);
        self.watch_data_builds();
        Ok(())
    }

    fn remember_for_data(&self, plugin: &PluginName, file: &Path, build: BuildId) {
        let journal = self.journal.iter();
        let kept = journal.map(|journal| journal.keep_data_build(plugin, file, build));
        for error in kept.filter_map(Result::err) {
            contain((), || {
                tracing::error!(target: "hotswap", "the next start of the host does not know the build {} of {plugin} for the live data that it has saved: {error}", build.short());
            });
        }
    }

    /// Lets the journal forget builds.
    pub(in crate::swapper) fn forget_for_data(&self, builds: impl IntoIterator<Item = BuildId>) {
        for build in builds {
            let journal = self.journal.iter();
            let dropped = journal.map(|journal| journal.drop_data_build(build));
            for error in dropped.filter_map(Result::err) {
                contain((), || tracing::error!(target: "hotswap", "{error}"));
            }
        }
    }
}

/// Returns the names of the live types of a build that are newer than those that are known.
fn newer_types(build: &Metadata, known: &[&LiveEntry]) -> Vec<String> {
    let is_newer = |ty: &&LiveEntry| {
        let mut known = known.iter().filter(|known| known.kind == LiveKind::Type);
        known.any(|known| {
            let mut names = std::iter::once(&ty.name).chain(&ty.was);
            known.version < ty.version && names.any(|name| folded(name) == folded(&known.name))
        })
    };
    let types = build.live.iter().filter(|ty| ty.kind == LiveKind::Type);
    types.filter(is_newer).map(|ty| ty.name.clone()).collect()
}

/// Returns the remark on a plugin whose build has newer types than the one that replaces it.
fn remark(build: BuildId, types: &[String], error: Option<&ReloadError>) -> String {
    let (build, types) = (build.short(), types.join(", "));
    match error {
        None => format!(
            "its build {build} stays loaded to lower the live data that it has saved: {types}; see `Swapper::data_builds`"
        ),
        Some(error) => format!(
            "live data that its build {build} has saved cannot be lowered ({types}): {error}"
        ),
    }
}
