//! What swappers, handles and holds share, and the switch.
use super::reload;
use crate::bindings::Target;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::handle::HandleSpec;
use crate::instance::Instance;
use crate::linked::LinkedSet;
use crate::live::pin::{Live, Retired};
use crate::live::record;
use crate::live::retire::Retirer;
use crate::load::copy::CopyDir;
use crate::load_data::LoadDataBox;
use crate::name::PluginName;
use crate::provide::Provided;
use crate::runtime::{HostDir, HostRecord, RuntimeError, StoredReport};
use crate::vault::{Contents, ExtensionKinds};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// What swappers, handles and holds share.
pub(crate) struct Inner {
    pub(super) live: Live<Generation>,
    /// Handles, by number. Taken for making one, and for the switch; never while plugin code runs.
    pub(super) handles: Mutex<Vec<Weak<HandleSpec>>>,
    /// Taken by whoever makes the next generation: reloads queue here.
    pub(super) writer: Mutex<Writer>,
    pub(super) provided: Arc<Provided>,
    pub(super) extensions: ExtensionKinds,
    pub(super) copies: CopyDir,
    /// Read while a generation is made, so not the writer's.
    pub(super) plugin_dir: Mutex<PathBuf>,
    /// None where no directory for it could be made.
    pub(super) host_dir: Option<Arc<HostDir>>,
    pub(super) retirer: Retirer,
    pub(super) limit: Duration,
    /// How long a gate may be closed.
    pub(super) gate_limit: Duration,
    pub(super) toolchain: bool,
    /// The plugins are linked into the program.
    pub(super) is_static: bool,
    /// A reload that a plugin asked for is about to run.
    pub(super) requested: AtomicBool,
}

/// What the next generation is made from.
pub(super) struct Writer {
    pub(super) allowed: Option<BTreeSet<PluginName>>,
    pub(super) allow_empty: bool,
    /// The plugins that are linked into the program: then the directory does not matter.
    pub(super) linked: Option<LinkedSet>,
    /// Plugins that the host can do without.
    pub(super) optional: BTreeSet<PluginName>,
    /// Plugins that [`Swapper::load`] added, with their files.
    pub(super) added: BTreeMap<PluginName, PathBuf>,
    /// Plugins that [`Swapper::unload`] took out.
    pub(super) removed: BTreeSet<PluginName>,
    pub(super) load_data: LoadDataBox,
    pub(super) host: HostRecord,
    /// Attempts so far.
    pub(super) attempts: u64,
    pub(super) shut_down: bool,
}

impl Writer {
    /// # Errors
    /// The plugins are linked into the program.
    pub(super) fn check_may_change(&self) -> Result<(), ReloadError> {
        match &self.linked {
            None => Ok(()),
            Some(linked) => Err(ReloadError::Static {
                program: linked.program().to_owned(),
            }),
        }
    }
}

/// All handles, locked.
pub(super) type Handles<'i> = MutexGuard<'i, Vec<Weak<HandleSpec>>>;

impl Inner {
    #[inline(always)]
    pub(crate) fn live(&self) -> &Live<Generation> {
        &self.live
    }

    /// The plugin directory.
    pub(super) fn plugin_dir(&self) -> PathBuf {
        self.plugin_dir
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set_plugin_dir(&self, dir: PathBuf) {
        *self
            .plugin_dir
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = dir;
    }

    pub(super) fn handles(&self) -> Handles<'_> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to make the next generation, once those before have finished.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Writer>, ReloadError> {
        if reload::is_running_here() {
            return Err(ReloadError::Reentrant(
                "from inside a hook or a callback of a reload",
            ));
        }
        // Before the lock: destructors may ask for a reload, too.
        record::mine().attend();
        if record::mine().has_pin() || record::mine().polls() {
            return Err(ReloadError::Reentrant(
                "from inside a call, or while this thread holds a pin",
            ));
        }
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.shut_down {
            Err(ReloadError::ShutDown)
        } else {
            Ok(writer)
        }
    }

    /// Shows the host to the tools beside it. That they cannot see it is no reason to stop.
    pub(super) fn publish(&self, writer: &Writer) {
        self.write(|dir| dir.publish(&writer.host));
    }

    pub(super) fn store(&self, report: &StoredReport) {
        self.write(|dir| dir.store(report));
    }

    fn write(&self, write: impl FnOnce(&HostDir) -> Result<(), RuntimeError>) {
        if let Some(Err(error)) = self.host_dir.as_deref().map(write) {
            tracing::warn!(target: "hotswap", "{error}");
        }
    }

    /// Binds every handle in the next generation, and makes it live.
    pub(super) fn switch(&self, next: Generation) -> Result<(), ReloadError> {
        let handles = self.handles();
        bind_all(&handles, &next)?;
        self.switch_bound(next, handles);
        Ok(())
    }

    pub(super) fn switch_to_nothing(&self) {
        let (number, reloads) = {
            let live = self.live.pin_quietly();
            (live.number + 1, live.reloads)
        };
        let contents = Arc::new(Contents::empty(&self.extensions));
        let empty = Generation::new(number, reloads, Vec::new(), contents);
        let handles = self.handles();
        (0..handles.len()).for_each(|index| empty.bindings.set(index, Target::NONE));
        self.switch_bound(empty, handles);
    }

    fn switch_bound(&self, next: Generation, handles: Handles<'_>) {
        let old = self.make_live(next, handles);
        self.retire(old, &[]);
    }

    /// Makes the next generation live, in which every handle is bound.
    pub(super) fn make_live(
        &self,
        mut next: Generation,
        handles: Handles<'_>,
    ) -> Retired<Generation> {
        next.serial = self.live.pin_quietly().serial + 1;
        let old = self.live.switch(next);
        drop(handles);
        old
    }

    /// Retires a generation, and stops those of its instances that are not live any more and not `stopped` yet.
    pub(super) fn retire(&self, old: Retired<Generation>, stopped: &[Arc<Instance>]) {
        let live = self.live.pin_quietly();
        let stays = |plugin: &&Arc<Instance>| is_among(plugin, &live.plugins);
        let plugins = old.get().plugins.iter();
        let replaced: Vec<_> = plugins.filter(|plugin| !stays(plugin)).cloned().collect();
        drop(live);
        let runs = replaced.iter().filter(|plugin| !is_among(plugin, stopped));
        stop(&runs.collect::<Vec<_>>());
        self.retirer.generation(old, replaced);
    }
}

fn is_among(plugin: &Arc<Instance>, plugins: &[Arc<Instance>]) -> bool {
    plugins.iter().any(|other| Arc::ptr_eq(other, plugin))
}

/// Runs `on_stop`, on a thread that ends with it where this one does not.
fn stop(replaced: &[&Arc<Instance>]) {
    let stop = || {
        for plugin in replaced.iter().rev() {
            if let Err(failure) = plugin.on_stop() {
                tracing::error!(target: "hotswap", "{failure}");
            }
        }
    };
    let here = reload::is_running_here() || replaced.is_empty();
    if here || reload::on_own_thread(stop).is_err() {
        stop();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(dir) = &self.host_dir {
            dir.withdraw();
        }
        self.switch_to_nothing();
    }
}

/// Sets what each handle means in the next generation.
pub(super) fn bind_all(handles: &[Weak<HandleSpec>], next: &Generation) -> Result<(), ReloadError> {
    for (index, handle) in handles.iter().enumerate() {
        match handle.upgrade() {
            None => next.bindings.set(index, Target::NONE),
            Some(spec) => next
                .bind(index, &spec)
                .map_err(|error| ReloadError::Handle {
                    plugin: spec.plugin(),
                    item: spec.item.clone(),
                    message: error.of_a_held_handle(),
                })?,
        }
    }
    Ok(())
}
