//! What a rollback window keeps.
use super::cold::Cold;
use super::{RollbackWindow, Shared};
use crate::artifact::{BuildId, BuildSet, Metadata, SmokeTime};
use crate::base::name::PluginName;
use crate::generation::Generation;
use crate::instance::Instance;
use crate::patch::stack::Stacks;
use crate::reclaim::pin::Retired;
use crate::saved_state::SavedState;
use crate::swapper::cause::Cause;
use crate::swapper::keep::{Keep, KeptBuild};
use crate::swapper::options::ReloadOptions;
use crate::vault::Contents;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// An open rollback window.
pub(in crate::swapper) struct Window {
    pub(in crate::swapper) shared: Arc<Shared>,
    /// The permanent generation.
    pub(in crate::swapper) kept: Kept,
    /// The options of the reload that has opened the window.
    pub(in crate::swapper) options: ReloadOptions,
    /// The attempt that has opened the window, with its cause.
    pub(in crate::swapper) attempt: u64,
    pub(super) cause: Cause,
}

/// A generation that is not live, and can become live again. There is one of each, so that the last owner of its contents
/// is whoever releases it: the drop of an object in a slot runs code of its plugin.
pub(in crate::swapper) struct Kept {
    pub(in crate::swapper) number: u64,
    /// The plugins, each after those that it imports.
    pub(in crate::swapper) plugins: Vec<KeptPlugin>,
    pub(in crate::swapper) contents: Arc<Contents>,
    /// The patches that it had.
    pub(in crate::swapper) stacks: Arc<Stacks>,
    /// The plugins that were part of it although they are not in the plugin directory.
    pub(in crate::swapper) added: BTreeMap<PluginName, PathBuf>,
    /// The plugins that were left out of it.
    pub(in crate::swapper) removed: BTreeSet<PluginName>,
}

/// A plugin of a generation that is kept.
pub(in crate::swapper) struct KeptPlugin {
    what: What,
    /// The time at which it was replaced, or `None` if it is live in the new generation, too.
    pub(in crate::swapper) replaced: Option<Instant>,
}

/// What is kept of a plugin.
enum What {
    Warm(Arc<Instance>),
    Cold(Box<Cold>),
}

impl Window {
    /// Returns the handle by which callers wait.
    pub(in crate::swapper) fn handle(&self) -> RollbackWindow {
        RollbackWindow(self.shared.clone())
    }
}

impl Kept {
    pub(super) fn of(
        generation: &Generation,
        added: &BTreeMap<PluginName, PathBuf>,
        removed: &BTreeSet<PluginName>,
    ) -> Self {
        let plugins = generation.plugins.iter().map(|plugin| KeptPlugin {
            what: What::Warm(plugin.clone()),
            replaced: None,
        });
        Kept {
            added: added.clone(),
            removed: removed.clone(),
            number: generation.number,
            plugins: plugins.collect(),
            contents: generation.contents.clone(),
            stacks: generation.patched.stacks.clone(),
        }
    }

    /// Takes the generation out of its window.
    pub(in crate::swapper) fn take(&mut self) -> Self {
        let nothing = Kept {
            number: self.number,
            plugins: Vec::new(),
            contents: Arc::default(),
            stacks: Arc::default(),
            added: BTreeMap::new(),
            removed: BTreeSet::new(),
        };
        std::mem::replace(self, nothing)
    }

    /// Notes which plugins are not live any more, and keeps some of these cold. Returns true if there are any.
    pub(super) fn replaced_by(
        &mut self,
        live: &Generation,
        mut cold: BTreeMap<PluginName, Cold>,
    ) -> bool {
        let any = !cold.is_empty();
        for plugin in &mut self.plugins {
            if plugin.warm().is_some_and(|instance| !live.has(instance)) {
                plugin.replaced.get_or_insert_with(Instant::now);
            }
            if let Some(cold) = cold.remove(plugin.name()) {
                plugin.what = What::Cold(Box::new(cold));
            }
        }
        any
    }

    /// The instances of the plugins that are kept warm.
    pub(in crate::swapper) fn warm(&self) -> impl DoubleEndedIterator<Item = &Arc<Instance>> {
        self.plugins.iter().filter_map(KeptPlugin::warm)
    }

    /// The names of the plugins that are kept cold.
    pub(in crate::swapper) fn cold(&self) -> impl Iterator<Item = &PluginName> {
        let cold = self.plugins.iter().filter_map(KeptPlugin::cold);
        cold.map(|cold| &cold.name)
    }

    /// What the plugins that were replaced take in memory.
    pub(in crate::swapper) fn builds(&self) -> Vec<KeptBuild> {
        let replaced = self.plugins.iter().filter(|p| p.replaced.is_some());
        replaced.map(KeptPlugin::kept_build).collect()
    }

    /// The builds of its plugins.
    pub(in crate::swapper) fn set(&self) -> BuildSet {
        let plugins = self.plugins.iter();
        plugins
            .map(|plugin| (plugin.name().clone(), plugin.build_id()))
            .collect()
    }

    pub(in crate::swapper) fn has(&self, instance: &Arc<Instance>) -> bool {
        self.warm().any(|warm| Arc::ptr_eq(warm, instance))
    }
}

impl KeptPlugin {
    pub(in crate::swapper) fn name(&self) -> &PluginName {
        match &self.what {
            What::Warm(instance) => instance.name(),
            What::Cold(cold) => &cold.name,
        }
    }

    /// What its artifact says.
    pub(in crate::swapper) fn metadata(&self) -> &Metadata {
        match &self.what {
            What::Warm(instance) => instance.metadata(),
            What::Cold(cold) => &cold.metadata,
        }
    }

    fn build_id(&self) -> BuildId {
        match &self.what {
            What::Warm(instance) => instance.build_id(),
            What::Cold(cold) => cold.build_id,
        }
    }

    /// Returns its instance, if it is kept warm.
    pub(in crate::swapper) fn warm(&self) -> Option<&Arc<Instance>> {
        match &self.what {
            What::Warm(instance) => Some(instance),
            What::Cold(_) => None,
        }
    }

    /// Returns what another instance is made from, if it is kept cold.
    pub(in crate::swapper) fn cold(&self) -> Option<&Cold> {
        match &self.what {
            What::Warm(_) => None,
            What::Cold(cold) => Some(cold),
        }
    }

    /// True if it has `save` and `restore`.
    pub(in crate::swapper) fn has_state(&self) -> bool {
        self.metadata().state.is_some()
    }

    /// True if it has smoke tests for a new instance.
    pub(in crate::swapper) fn is_tested(&self) -> bool {
        let mut tests = self.metadata().smoke_tests(SmokeTime::Staged);
        tests.next().is_some()
    }

    /// True if it imports one of these plugins.
    pub(in crate::swapper) fn imports_one_of(&self, plugins: &BTreeSet<PluginName>) -> bool {
        match &self.what {
            What::Warm(instance) => {
                let mut imports = instance.imports().iter();
                imports.any(|import| plugins.contains(import.name()))
            }
            What::Cold(cold) => cold.imports.iter().any(|import| plugins.contains(import)),
        }
    }

    fn kept_build(&self) -> KeptBuild {
        let (keep, bytes) = match &self.what {
            What::Warm(instance) => (Keep::Warm, instance.memory()),
            What::Cold(cold) => {
                let saved = cold.saved.as_ref();
                (Keep::Cold, Some(saved.map_or(0, SavedState::size)))
            }
        };
        KeptBuild {
            plugin: self.name().clone(),
            build_id: self.build_id(),
            keep,
            bytes,
        }
    }
}

/// A generation that was just replaced, and whose instances have not been stopped.
#[must_use = "its instances are stopped and retired, or kept"]
pub(in crate::swapper) struct Replaced {
    pub(in crate::swapper) old: Retired<Generation>,
    /// The instances that the hand-over has stopped.
    pub(in crate::swapper) stopped: Vec<Arc<Instance>>,
    /// The plugins whose instances leave, and of which something else is kept.
    pub(in crate::swapper) cold: BTreeMap<PluginName, Cold>,
}

impl Replaced {
    /// A generation of which nothing was stopped, and nothing but instances is kept.
    pub(in crate::swapper) fn whole(old: Retired<Generation>) -> Self {
        Replaced {
            old,
            stopped: Vec::new(),
            cold: BTreeMap::new(),
        }
    }
}

pub(in crate::swapper) fn is_among(plugin: &Arc<Instance>, plugins: &[Arc<Instance>]) -> bool {
    plugins.iter().any(|other| Arc::ptr_eq(other, plugin))
}
