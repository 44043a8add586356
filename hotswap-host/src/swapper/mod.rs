//! The host's handle to everything: holds the live generation, makes the next.
mod builder;
mod reload;
mod report;
mod scan;
mod stage;

pub use builder::Builder;
pub use reload::{Change, GenerationView, Reload};
pub use report::{Outcome, PluginReport, Report};

use crate::error::{CallError, HandleError, InvokeError, ReloadError};
use crate::function::{self, Dynamic, Function, Handle, HandleSpec, Signature};
use crate::generation::{Generation, Listing, Target};
use crate::instance::Instance;
use crate::live::pin::{Held, Live, Pinned};
use crate::live::record;
use crate::live::retire::Retirer;
use crate::load::copy::CopyDir;
use crate::name::PluginName;
use crate::provide::Provided;
use crate::retirement::Retirement;
use crate::runtime::{HostDir, HostRecord, RuntimeError, StoredReport};
use crate::telemetry::Levels;
use hotswap_plugin::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// Holds the live generation of plugins, and makes the next.
///
/// Clones share everything. The plugins are retired when the last of swappers and handles is gone;
/// [`shutdown`](Self::shutdown) does it at a time of your choosing, and waits.
#[derive(Clone)]
pub struct Swapper(Arc<Inner>);

/// What swappers, handles and holds share.
pub(crate) struct Inner {
    live: Live<Generation>,
    /// Handles, by number. Taken for making one, and for the switch; never while plugin code runs.
    handles: Mutex<Vec<Weak<HandleSpec>>>,
    /// Taken by whoever makes the next generation: reloads queue here.
    writer: Mutex<Writer>,
    provided: Arc<Provided>,
    copies: CopyDir,
    /// None where no directory for it could be made.
    host_dir: Option<Arc<HostDir>>,
    retirer: Retirer,
    limit: Duration,
    toolchain: bool,
    /// A reload that a plugin asked for is about to run.
    requested: AtomicBool,
}

/// What the next generation is made from.
struct Writer {
    plugin_dir: PathBuf,
    allowed: Option<BTreeSet<PluginName>>,
    /// Plugins that [`Swapper::load`] added, with their files.
    added: BTreeMap<PluginName, PathBuf>,
    /// Plugins that [`Swapper::unload`] took out.
    removed: BTreeSet<PluginName>,
    load_data: crate::load_data::LoadDataBox,
    host: HostRecord,
    /// Attempts so far.
    attempts: u64,
    shut_down: bool,
}

impl Swapper {
    /// Describes a swapper before it is opened.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A handle to a typed function of a plugin: `swapper.function::<fn(u32) -> String, _>("world", "hum")?`, or with
    /// the type on the left.
    ///
    /// # Errors
    /// No such plugin, no such function, or another signature.
    pub fn function<F, A>(&self, plugin: &str, function: &str) -> Result<Function<F>, HandleError>
    where
        F: Signature<A>,
    {
        Ok(Function::new(
            self.handle(HandleSpec::typed::<A, F>(plugin, function))?,
        ))
    }

    /// A handle to a function that is called with [`Value`]s.
    ///
    /// # Errors
    /// No such plugin, or no such function.
    pub fn dynamic(&self, plugin: &str, function: &str) -> Result<Dynamic, HandleError> {
        Ok(Dynamic::new(
            self.handle(HandleSpec::dynamic(plugin, function))?,
        ))
    }

    fn handle(&self, spec: HandleSpec) -> Result<Handle, HandleError> {
        let mut handles = self.0.handles();
        let pinned = self.0.live.pin();
        let target = spec.resolve(&pinned)?;
        let known = handles.iter().enumerate().find_map(|(index, known)| {
            let known = known.upgrade().filter(|known| known.same(&spec))?;
            Some((index, known))
        });
        let (index, spec) = known.unwrap_or_else(|| {
            let spec = Arc::new(spec);
            // The number of a handle that is gone can be used again: nobody reads its binding.
            let index = handles
                .iter()
                .position(|known| known.strong_count() == 0)
                .unwrap_or(handles.len());
            if index == handles.len() {
                handles.push(Arc::downgrade(&spec));
            } else {
                handles[index] = Arc::downgrade(&spec);
            }
            pinned.bindings.set(index, target);
            (index, spec)
        });
        Ok(Handle::new(self.0.clone(), index, spec))
    }

    /// Calls a function of the live generation by names. [`dynamic`](Self::dynamic) saves looking them up each time.
    ///
    /// # Errors
    /// No such plugin or function, arguments that do not fit, the function's own error, a panic.
    pub fn invoke(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        invoke_in(&self.0.live.pin(), plugin, function, args)
    }

    /// Pins the live generation on this thread: until the pin is dropped nothing of it leaves memory, and
    /// [`Function::on`] calls just that generation.
    #[track_caller]
    pub fn pin(&self) -> Pin<'_> {
        let pinned = self.0.live.pin();
        if let Some(record) = pinned.record() {
            record.set_pinned_at(Some(Location::caller()));
        }
        Pin {
            pinned,
            inner: &self.0,
        }
    }

    /// The plugins of the live generation.
    pub fn listing(&self) -> Listing {
        self.0.live.pin().listing()
    }

    /// The number of the live generation.
    pub fn generation(&self) -> u64 {
        self.0.live.pin().number
    }

    /// How many reloads that changed something have completed.
    pub fn reloads(&self) -> u64 {
        self.0.live.pin().reloads
    }

    /// Reads the plugin directory again, and makes a generation of what has changed, live if everything succeeds.
    ///
    /// # Errors
    /// See [`ReloadError`]: the live generation is untouched, and nothing of the new one is left.
    pub fn reload(&self) -> Result<Report, ReloadError> {
        self.prepare_reload().run()
    }

    /// Describes a reload with data or a check.
    pub fn prepare_reload(&self) -> Reload<'_> {
        Reload::new(self)
    }

    /// Adds a plugin from a file outside the plugin directory, or replaces the one of its name. It stays part of later
    /// generations.
    ///
    /// # Errors
    /// As [`reload`](Self::reload).
    pub fn load(&self, file: impl AsRef<Path>) -> Result<Report, ReloadError> {
        self.prepare_reload().add(file.as_ref()).run()
    }

    /// Makes a generation without this plugin. It stays out of later generations until it is [loaded](Self::load)
    /// again or the plugin directory is set.
    ///
    /// # Errors
    /// As [`reload`](Self::reload); also when it is not loaded, or others import it.
    pub fn unload(&self, plugin: &str) -> Result<Report, ReloadError> {
        self.prepare_reload().remove(plugin).run()
    }

    /// Makes another directory the plugin directory, from the next reload on, and forgets what
    /// [`load`](Self::load) and [`unload`](Self::unload) changed.
    ///
    /// # Errors
    /// From inside a reload.
    pub fn set_plugin_dir(&self, dir: impl Into<PathBuf>) -> Result<(), ReloadError> {
        let mut writer = self.0.writer()?;
        writer.plugin_dir = dir.into();
        writer.host = HostRecord {
            reload_signal: writer.host.reload_signal,
            ..HostRecord::of_this_process(&writer.plugin_dir)
        };
        writer.added.clear();
        writer.removed.clear();
        self.0.publish(&writer);
        Ok(())
    }

    /// The plugin directory.
    pub fn plugin_dir(&self) -> PathBuf {
        self.0
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .plugin_dir
            .clone()
    }

    /// Replaced plugins on their way out of memory, those that are kept, and the last that have left.
    pub fn retirements(&self) -> Vec<Retirement> {
        self.0.retirer.list()
    }

    /// Waits until every replaced plugin has left memory or is known to stay, and returns those for which that takes
    /// longer than `timeout`.
    ///
    /// Destructors of a plugin's thread-locals run when their thread next calls a plugin: this thread does so here.
    pub fn wait_retired(&self, timeout: Duration) -> Vec<Retirement> {
        self.0.retirer.wait(timeout)
    }

    /// Replaces the live generation by an empty one, and waits until its plugins have left memory or are known to stay.
    /// Calls fail from now on. Returns the plugins for which that takes longer than `timeout`.
    ///
    /// # Errors
    /// From inside a call, a hook or a callback.
    pub fn shutdown(&self, timeout: Duration) -> Result<Vec<Retirement>, ReloadError> {
        {
            let mut writer = self.0.writer()?;
            writer.shut_down = true;
            if let Some(dir) = &self.0.host_dir {
                dir.withdraw();
            }
            self.0.switch_to_nothing();
        }
        Ok(self.wait_retired(timeout))
    }

    pub(crate) fn set_levels(&self, levels: Levels) {
        for plugin in &self.0.live.pin().plugins {
            plugin.entry().set_levels()(levels.log, levels.trace);
        }
    }

    /// Tells the tools beside the host which signal makes it reload.
    pub(crate) fn set_reload_signal(&self, signal: Option<i32>) -> Result<(), ReloadError> {
        let mut writer = self.0.writer()?;
        writer.host.reload_signal = signal;
        self.0.publish(&writer);
        Ok(())
    }

    /// A swapper that does not keep the plugins loaded.
    pub(crate) fn downgrade(&self) -> WeakSwapper {
        WeakSwapper(Arc::downgrade(&self.0))
    }
}

/// A swapper that does not keep the plugins loaded.
#[derive(Clone)]
pub(crate) struct WeakSwapper(Weak<Inner>);

impl WeakSwapper {
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    pub(crate) fn upgrade(&self) -> Option<Swapper> {
        self.0.upgrade().map(Swapper)
    }
}

fn invoke_in(
    generation: &Generation,
    plugin: &str,
    function: &str,
    args: &[Value],
) -> Result<Value, InvokeError> {
    let Some(instance) = generation.plugin_called(plugin) else {
        return Err(CallError::NotLoaded {
            plugin: plugin.to_owned(),
            function: function.to_owned(),
        });
    };
    function::invoke(instance, function, args)
}

impl Inner {
    #[inline(always)]
    pub(crate) fn live(&self) -> &Live<Generation> {
        &self.live
    }

    fn handles(&self) -> MutexGuard<'_, Vec<Weak<HandleSpec>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to make the next generation, once those before have finished.
    fn writer(&self) -> Result<MutexGuard<'_, Writer>, ReloadError> {
        if reload::is_running_here() {
            return Err(ReloadError::Reentrant(
                "from inside a hook or a callback of a reload",
            ));
        }
        if record::mine().has_pin() {
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
    fn publish(&self, writer: &Writer) {
        self.write(|dir| dir.publish(&writer.host));
    }

    fn store(&self, report: &StoredReport) {
        self.write(|dir| dir.store(report));
    }

    fn write(&self, write: impl FnOnce(&HostDir) -> Result<(), RuntimeError>) {
        if let Some(Err(error)) = self.host_dir.as_deref().map(write) {
            tracing::warn!(target: "hotswap", "{error}");
        }
    }

    /// Binds every handle in the next generation, and makes it live.
    fn switch(&self, next: Generation) -> Result<(), ReloadError> {
        let handles = self.handles();
        bind_all(&handles, &next)?;
        self.switch_bound(next, handles);
        Ok(())
    }

    fn switch_to_nothing(&self) {
        let (number, reloads) = {
            let live = self.live.pin();
            (live.number + 1, live.reloads)
        };
        let empty = Generation::new(number, reloads, Vec::new());
        let handles = self.handles();
        (0..handles.len()).for_each(|index| empty.bindings.set(index, Target::NONE));
        self.switch_bound(empty, handles);
    }

    fn switch_bound(&self, next: Generation, handles: MutexGuard<'_, Vec<Weak<HandleSpec>>>) {
        let stays: Vec<_> = next.plugins.iter().map(Arc::as_ptr).collect();
        let old = self.live.switch(next);
        drop(handles);
        let plugins = old.get().plugins.iter();
        let replaced: Vec<_> = plugins
            .filter(|p| !stays.contains(&Arc::as_ptr(p)))
            .cloned()
            .collect();
        stop(&replaced);
        self.retirer.generation(old, replaced);
    }
}

/// Runs `on_stop`, on a thread that ends with it where this one does not.
fn stop(replaced: &[Arc<Instance>]) {
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

fn bind_all(handles: &[Weak<HandleSpec>], next: &Generation) -> Result<(), ReloadError> {
    for (index, handle) in handles.iter().enumerate() {
        let target = match handle.upgrade() {
            None => Target::NONE,
            Some(spec) => spec.resolve(next).map_err(|error| ReloadError::Handle {
                plugin: spec.plugin.clone(),
                function: spec.function.clone(),
                message: error.to_string(),
            })?,
        };
        next.bindings.set(index, target);
    }
    Ok(())
}

/// A pinned generation. Stays on its thread.
pub struct Pin<'s> {
    pinned: Pinned<'s, Generation>,
    inner: &'s Arc<Inner>,
}

impl Pin<'_> {
    /// The number of the pinned generation.
    pub fn generation(&self) -> u64 {
        self.pinned.number
    }

    /// The plugins of the pinned generation.
    pub fn listing(&self) -> Listing {
        self.pinned.listing()
    }

    /// Calls a function of the pinned generation by names.
    ///
    /// # Errors
    /// As [`Swapper::invoke`].
    pub fn invoke(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        invoke_in(&self.pinned, plugin, function, args)
    }

    /// Keeps the pinned generation in memory from any thread.
    pub fn hold(&self) -> Hold {
        Hold {
            held: self.pinned.hold(),
            _inner: self.inner.clone(),
        }
    }

    pub(crate) fn generation_ref(&self) -> &Generation {
        &self.pinned
    }

    pub(crate) fn belongs_to(&self, inner: &Arc<Inner>) -> bool {
        Arc::ptr_eq(self.inner, inner)
    }
}

impl Drop for Pin<'_> {
    fn drop(&mut self) {
        if let Some(record) = self.pinned.record() {
            record.set_pinned_at(None);
        }
    }
}

/// Keeps a generation in memory, from any thread: a pin that may move.
#[derive(Clone)]
pub struct Hold {
    held: Held<Generation>,
    _inner: Arc<Inner>,
}

impl Hold {
    /// The number of the held generation.
    pub fn generation(&self) -> u64 {
        self.held.number
    }

    /// The plugins of the held generation.
    pub fn listing(&self) -> Listing {
        self.held.listing()
    }

    /// Calls a function of the held generation by names.
    ///
    /// # Errors
    /// As [`Swapper::invoke`].
    pub fn invoke(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        invoke_in(&self.held, plugin, function, args)
    }
}
