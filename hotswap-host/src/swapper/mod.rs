//! The host's handle to everything: holds the live generation, makes the next.
mod builder;
mod closing;
mod enter;
mod handles;
mod holders;
mod hooks;
mod inner;
mod levels;
mod observe;
mod pinned;
mod plan;
mod policy;
mod reload;
mod report;
mod request;
pub(crate) mod retire;
mod writer;

pub use builder::Builder;
pub(crate) use inner::{Inner, drop_elsewhere};
pub use observe::{ReloadEvent, ReloadEventKind};
pub use pinned::{Hold, Pin};
pub use plan::{Cause, Change};
pub use report::{Outcome, PluginReport, Report, StateReport};
pub use request::Reload;
pub use retire::UnloadMode;

use crate::base::name::PluginName;
use crate::base::paths::{absolute, check_absolute};
use crate::call::function::{Dynamic, Function};
use crate::call::interface::Interface;
use crate::call::signature::Signature;
use crate::error::{HandleError, InvokeError, ReloadError};
use crate::generation::{Generation, Listing};
use crate::handle::{Handle, HandleSpec};
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::Pinned;
use crate::reclaim::record;
use crate::retirement::Retirement;
use crate::runtime::HostRecord;
use hotswap_plugin::boundary;
use hotswap_plugin::{LiveData, Value};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Holds the live generation of plugins, and makes the next.
///
/// Clones share everything. The plugins are retired when the last of swappers and handles is gone;
/// [`shutdown`](Self::shutdown) does it at a time of your choosing, and waits.
#[derive(Clone)]
pub struct Swapper(Arc<Inner>);

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
        Ok(Function::new(self.make_handle(
            HandleSpec::typed::<A, F>(plugin, function),
        )?))
    }

    /// A handle to a function that is called with [`Value`]s.
    ///
    /// # Errors
    /// No such plugin, or no such function.
    pub fn dynamic(&self, plugin: &str, function: &str) -> Result<Dynamic, HandleError> {
        Ok(Dynamic::new(
            self.make_handle(HandleSpec::dynamic(plugin, function))?,
        ))
    }

    /// A handle to an interface that a plugin exports: `swapper.interface::<dyn Alpha>("alpha")?`.
    ///
    /// # Errors
    /// No such plugin, no such export, or another version of the interface.
    pub fn interface<I>(&self, plugin: &str) -> Result<Interface<I>, HandleError>
    where
        I: boundary::Interface + ?Sized,
    {
        Ok(Interface::new(
            self.make_handle(HandleSpec::interface(plugin, I::DESC))?,
        ))
    }

    /// A handle to a live function, whichever plugin has it:
    /// `swapper.live_function::<fn(&str) -> String, _>("roll_call")?`.
    ///
    /// # Errors
    /// No live function of this name, or another signature.
    pub fn live_function<F, A>(&self, name: &str) -> Result<Function<F>, HandleError>
    where
        F: Signature<A>,
    {
        Ok(Function::new(
            self.make_handle(HandleSpec::live::<A, F>(name))?,
        ))
    }

    pub(crate) fn make_handle(&self, spec: HandleSpec) -> Result<Handle, HandleError> {
        // Before the lock: destructors may make handles, too.
        record::mine().run_pending_destructors();
        let mut handles = self.0.handles();
        let pinned = self.0.live.pin_quietly();
        let target = pinned.at_gate(spec.resolve(&pinned)?);
        let known = handles.iter().enumerate().find_map(|(index, known)| {
            let known = known.upgrade().filter(|known| known.same(&spec))?;
            Some((index, known))
        });
        let (index, spec) = known.unwrap_or_else(|| {
            let spec = Arc::new(spec.since(&pinned));
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
        let pinned = self
            .0
            .enter_plugin(|live| live.plugin_called(plugin).map(|plugin| &**plugin));
        pinned.invoke(plugin, function, args)
    }

    /// Calls a live function of the live generation, whichever plugin has it.
    ///
    /// # Errors
    /// No such function, arguments that do not fit, the function's own error, a panic.
    pub fn invoke_live(&self, name: &str, args: &[Value]) -> Result<Value, InvokeError> {
        self.0.enter_live_function(name).invoke_live(name, args)
    }

    /// Hands live data to the [handler](hotswap_plugin::live::Handler) of its type in the live generation: a job that was
    /// queued by one build is done by the code of another.
    ///
    /// # Errors
    /// No live type of this name, or one without a handler; data that does not fit it; the handler's own error, a panic.
    /// None of them consumes the data.
    pub fn handle(&self, data: &LiveData) -> Result<Value, InvokeError> {
        self.0.enter_live_type(data.type_name()).handle(data)
    }

    /// Calls a function of this name in every plugin of the live generation that has it, each after those it imports:
    /// see [`Generation::invoke_each`].
    pub fn invoke_each(
        &self,
        function: &str,
        args: &[Value],
    ) -> Vec<(PluginName, Result<Value, InvokeError>)> {
        self.0.enter_anything().invoke_each(function, args)
    }

    /// As [`invoke_each`](Self::invoke_each), each before those it imports.
    pub fn invoke_each_backward(
        &self,
        function: &str,
        args: &[Value],
    ) -> Vec<(PluginName, Result<Value, InvokeError>)> {
        let pinned = self.0.enter_anything();
        pinned.invoke_each_backward(function, args)
    }

    /// Pins the live generation on this thread: until the pin is dropped nothing of it leaves memory, and
    /// [`Function::on`] and [`Interface::on`] call just that generation.
    #[track_caller]
    pub fn pin(&self) -> Pin<'_> {
        Pin::new(&self.0, Location::caller())
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

    /// Whether the plugins are linked into the program, by `cargo hotswap build --static`: then none of them can be replaced or
    /// removed, and none added, while it runs.
    pub fn is_static(&self) -> bool {
        self.0.is_static
    }

    /// Reads the plugin directory again, and makes a generation of what has changed, live if everything succeeds.
    ///
    /// # Errors
    /// See [`ReloadError`]: the live generation is untouched, and nothing of the new one is left.
    pub fn reload(&self) -> Result<Report, ReloadError> {
        self.prepare_reload().run()
    }

    /// As [`reload`](Self::reload), but looks at these plugins only, in whichever order they are named:
    /// `swapper.reload_only(["alpha", "beta"])?`. All others keep their instances, whatever became of their files; those
    /// that import a reloaded one follow it as usual. One that is named and whose file is gone is removed.
    ///
    /// # Errors
    /// As [`reload`](Self::reload); also for a name that is neither loaded nor in the plugin directory.
    pub fn reload_only<N: Into<PluginName>>(
        &self,
        plugins: impl IntoIterator<Item = N>,
    ) -> Result<Report, ReloadError> {
        self.prepare_reload().only(plugins).run()
    }

    /// Describes a reload of some plugins, with data, or with a check.
    pub fn prepare_reload(&self) -> Reload<'_> {
        Reload::new(&self.0)
    }

    /// Adds a plugin from a file outside the plugin directory, or replaces the one of its name. It stays part of later
    /// generations. A relative path is that of the working directory of now.
    ///
    /// # Errors
    /// As [`reload`](Self::reload).
    pub fn load(&self, file: impl AsRef<Path>) -> Result<Report, ReloadError> {
        self.prepare_reload().add(file.as_ref()).run()
    }

    /// Makes a generation without this plugin. It stays out of later generations until it is [loaded](Self::load)
    /// again or the plugin directory is set; until then it does not matter what becomes of its files.
    ///
    /// # Errors
    /// As [`reload`](Self::reload); also when it is not loaded, or others import it.
    pub fn unload(&self, plugin: &str) -> Result<Report, ReloadError> {
        self.prepare_reload().remove(plugin).run()
    }

    /// Makes another directory the plugin directory, from the next reload on, and forgets what
    /// [`load`](Self::load) and [`unload`](Self::unload) changed. A relative one is that of the working directory of now.
    ///
    /// # Errors
    /// From inside a reload; where the plugins are linked into the program; for a relative path where the working directory is gone.
    pub fn set_plugin_dir(&self, dir: impl Into<PathBuf>) -> Result<(), ReloadError> {
        // Made absolute before anything is waited for.
        let dir = absolute(dir);
        check_absolute(&dir)?;
        let mut writer = self.0.writer()?;
        writer.check_may_change()?;
        writer.host = HostRecord {
            reload_signal: writer.host.reload_signal,
            ..HostRecord::of_this_process(&dir)
        };
        self.0.set_plugin_dir(dir);
        writer.added.clear();
        writer.removed.clear();
        self.0.publish(&writer);
        Ok(())
    }

    /// The plugin directory: an absolute path, in which links are as they were given.
    pub fn plugin_dir(&self) -> PathBuf {
        self.0.plugin_dir()
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
    /// From inside a call, a hook or a callback; a reload that is running and does not end in time, after which nothing has
    /// changed.
    pub fn shutdown(&self, timeout: Duration) -> Result<Vec<Retirement>, ReloadError> {
        let end = Instant::now() + timeout;
        let inner = &self.0;
        // A reload that waits for a hook does so no longer.
        inner.interrupt.set(true);
        let writer = inner.writer_until(Some(end));
        let Some(mut writer) = writer.inspect_err(|_| inner.interrupt.set(false))? else {
            inner.interrupt.set(false);
            return Err(ReloadError::Busy { limit: timeout });
        };
        writer.shut_down = true;
        if let Some(dir) = &inner.host_dir {
            dir.withdraw();
        }
        inner.switch_to_nothing(Some(end));
        drop(writer);
        Ok(self.wait_retired(end.saturating_duration_since(Instant::now())))
    }

    /// Pins the live generation, to call its plugin of this name.
    ///
    /// # Errors
    /// The gate that the plugin is behind.
    pub(crate) fn enter_plugin_or_gate(
        &self,
        plugin: &str,
    ) -> Result<Pinned<'_, Generation>, Arc<Gate>> {
        let inner = &self.0;
        inner.enter_plugin_or_gate(|live| live.plugin_called(plugin).map(|plugin| &**plugin))
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
        WeakSwapper::of(&self.0)
    }
}

/// A swapper that does not keep the plugins loaded.
#[derive(Clone)]
pub(crate) struct WeakSwapper(Weak<Inner>);

impl WeakSwapper {
    fn of(inner: &Arc<Inner>) -> Self {
        WeakSwapper(Arc::downgrade(inner))
    }

    pub(crate) fn upgrade(&self) -> Option<Swapper> {
        self.0.upgrade().map(Swapper)
    }
}
