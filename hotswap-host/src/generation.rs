//! A generation: all plugins that are live together, and what the host's handles mean in it.
use crate::artifact::{BuildId, Note};
use crate::instance::Instance;
use crate::name::PluginName;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// All plugins that are live together. Nothing of it changes, but that handles are added to its table.
pub(crate) struct Generation {
    pub(crate) number: u64,
    /// How many reloads the host had completed when it was made.
    pub(crate) reloads: u64,
    /// Each after those it imports.
    pub(crate) plugins: Vec<Arc<Instance>>,
    pub(crate) bindings: Bindings,
}

impl Generation {
    pub(crate) fn new(number: u64, reloads: u64, plugins: Vec<Arc<Instance>>) -> Self {
        Generation {
            number,
            reloads,
            plugins,
            bindings: Bindings::default(),
        }
    }

    /// The plugin of this name.
    pub(crate) fn plugin(&self, name: &PluginName) -> Option<&Arc<Instance>> {
        self.plugins.iter().find(|plugin| plugin.name() == name)
    }

    /// The plugin of this name, found without an allocation where it is written as the plugin writes it.
    pub(crate) fn plugin_called(&self, name: &str) -> Option<&Arc<Instance>> {
        let exact = self
            .plugins
            .iter()
            .find(|plugin| plugin.name().as_str() == name);
        exact.or_else(|| self.plugin(&name.into()))
    }

    pub(crate) fn names(&self) -> Vec<PluginName> {
        self.plugins
            .iter()
            .map(|plugin| plugin.name().clone())
            .collect()
    }

    /// A listing for people and programs.
    pub(crate) fn listing(&self) -> Listing {
        let plugins = self.plugins.iter().map(|plugin| PluginListing {
            name: plugin.name().clone(),
            version: plugin.metadata().version.clone(),
            file: plugin.file().to_owned(),
            build_id: plugin.build_id(),
            loaded_at: plugin.loaded_at(),
            note: plugin.note().cloned(),
            dependencies: plugin
                .imports()
                .iter()
                .map(|import| import.name().clone())
                .collect(),
            users: self.users_of(plugin),
        });
        Listing {
            generation: self.number,
            reloads: self.reloads,
            plugins: plugins.collect(),
        }
    }

    fn users_of(&self, plugin: &Arc<Instance>) -> Vec<PluginName> {
        let uses = |user: &&Arc<Instance>| {
            user.imports()
                .iter()
                .any(|import| Arc::ptr_eq(import, plugin))
        };
        self.plugins
            .iter()
            .filter(uses)
            .map(|user| user.name().clone())
            .collect()
    }
}

/// The plugins of a generation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Listing {
    /// The generation's number: 1 for what was opened, one more with each switch.
    pub generation: u64,
    /// How many reloads that changed something the host had completed.
    pub reloads: u64,
    /// Its plugins, each after those it imports.
    pub plugins: Vec<PluginListing>,
}

/// One plugin of a generation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginListing {
    /// Its name.
    pub name: PluginName,
    /// The version of its crate.
    pub version: String,
    /// The artifact it was loaded from. The file may have changed since.
    pub file: PathBuf,
    /// The hash of the artifact's bytes.
    pub build_id: BuildId,
    /// When this instance was loaded.
    pub loaded_at: SystemTime,
    /// What `cargo hotswap build` knew of the sources.
    pub note: Option<Note>,
    /// The plugins that it imports.
    pub dependencies: Vec<PluginName>,
    /// The plugins that import it.
    pub users: Vec<PluginName>,
}

/// What the host's handles mean in one generation: a table, by the handle's number.
///
/// The table of the live generation grows while it is read, so it is replaced by a larger one when it is full; the old
/// ones are kept until the generation goes.
#[derive(Default)]
pub(crate) struct Bindings {
    table: AtomicPtr<Binding>,
    len: AtomicUsize,
    tables: Mutex<Vec<Box<[Binding]>>>,
}

/// A function of a plugin, and the instance to call it with. Null where the plugin or the function is not there.
#[derive(Default)]
pub(crate) struct Binding {
    call: AtomicPtr<()>,
    this: AtomicPtr<()>,
}

/// A copy of a [`Binding`].
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) call: *const (),
    pub(crate) this: *const (),
}

impl Target {
    pub(crate) const NONE: Target = Target {
        call: std::ptr::null(),
        this: std::ptr::null(),
    };
}

impl Bindings {
    /// What handle `index` means, if this generation knows it.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Target> {
        if index >= self.len.load(Acquire) {
            return None;
        }
        // SAFETY: `set` published a table with more than `index` entries before it raised the length, and tables
        // live as long as the generation.
        Some(unsafe { self.get_published(index) })
    }

    /// What handle `index` means in the live generation, without looking whether it is known.
    ///
    /// # Safety
    /// The binding was set before the handle was given out, and the handle reached this thread since; or this
    /// generation was made live after that.
    #[inline(always)]
    pub(crate) unsafe fn get_published(&self, index: usize) -> Target {
        let table = self.table.load(Acquire);
        // SAFETY: the caller's promise; the entry was written before the table or the length was published.
        let binding = unsafe { &*table.add(index) };
        Target {
            call: binding.call.load(Relaxed),
            this: binding.this.load(Relaxed),
        }
    }

    /// Sets a handle's meaning: a new one's, the next number, or that of a handle which nobody has any more. Called
    /// under the swapper's lock of handles.
    pub(crate) fn set(&self, index: usize, target: Target) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.len.load(Relaxed);
        if tables.last().is_none_or(|table| table.len() <= index) {
            let room = (2 * index).max(16);
            let mut larger: Box<[Binding]> = (0..room).map(|_| Binding::default()).collect();
            for (index, binding) in larger.iter_mut().take(len).enumerate() {
                // SAFETY: below the length.
                let old = unsafe { self.get_published(index) };
                *binding = Binding {
                    call: old.call.cast_mut().into(),
                    this: old.this.cast_mut().into(),
                };
            }
            tables.push(larger);
        }
        let Some(table) = tables.last() else { return };
        table[index].call.store(target.call.cast_mut(), Relaxed);
        table[index].this.store(target.this.cast_mut(), Relaxed);
        let table = table.as_ptr().cast_mut();
        if table != self.table.load(Relaxed) {
            self.table.store(table, Release);
        }
        self.len.store(len.max(index + 1), Release);
    }
}
