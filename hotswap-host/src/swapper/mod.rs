//! [`Swapper`], the entry point: owns the live generation and builds its successors.
mod builder;
#[cfg(unix)]
mod cargo;
mod cause;
#[cfg(unix)]
mod child;
mod closing;
mod counts;
mod data_builds;
mod enter;
mod examine;
mod freezing;
mod frozen;
mod handles;
mod health;
mod holders;
mod hooks;
#[cfg(unix)]
mod init;
mod inner;
mod journal;
mod keep;
mod levels;
mod mocking;
mod observe;
mod option_value;
mod options;
mod patch_settings;
mod patches;
mod patching;
mod pinned;
mod plan;
mod policy;
#[cfg(unix)]
mod probe;
mod progress;
mod reload;
mod report;
mod request;
mod requested;
mod requester;
mod restart;
pub(crate) mod retire;
mod scan;
mod sent_manifest;
mod service;
mod smoke;
mod staged;
mod step;
mod stored_build;
mod stored_patches;
mod traces;
mod verdict;
mod window;
mod writer;

pub use builder::Builder;
pub use cause::{Cause, SignalSender};
pub use counts::{CallCounts, CallLatency, CountedCalls, MemoryInUse};
pub(crate) use enter::watch_by_name;
pub use examine::{BuildOrigin, ExaminedBuild, ExaminedSet, Examiner, Refusal};
pub use frozen::Frozen;
pub use health::{HealthCheckError, HealthChecks};
#[cfg(unix)]
pub use init::{init, init_with};
pub(crate) use inner::{Inner, drop_elsewhere};
pub use journal::{Journal, JournalError, Start, Trial, TriedBuild};
pub use keep::{Keep, KeepOf, KeptBuild};
pub use mocking::{Mock, mock_scope};
pub use observe::{ReloadEvent, ReloadEventKind};
pub use options::{Drain, OptionDescription, OptionError, ReloadOptions};
pub use patch_settings::PatchesOnReload;
pub use patches::Patches;
pub use patching::Patch;
pub use pinned::{Hold, Pin};
pub use plan::Change;
pub use report::{Outcome, PluginReport, Report, StateReport};
pub use request::Reload;
pub use requested::Requested;
pub use requester::Requester;
pub use retire::UnloadMode;
pub use sent_manifest::SentManifest;
pub use service::InFlight;
pub use staged::StagedReload;
pub use step::{Step, StepReport};
pub use stored_build::StoredBuild;
pub use stored_patches::StoredPatches;
pub use traces::Trace;
pub use verdict::{Compatibility, Difference, Item, ItemChange, ItemUser, PluginVerdict, Verdict};
pub use window::{RollbackWindow, WindowOutcome};

use crate::artifact::Metadata;
use crate::base::name::PluginName;
use crate::base::paths::{absolute, check_absolute};
use crate::base::time::after;
use crate::call::function::{Dynamic, Function};
use crate::call::interface::Interface;
use crate::call::signature::Signature;
use crate::error::{HandleError, InvokeError, ReloadError};
use crate::generation::{Generation, Listing};
use crate::handle::{Handle, HandleSpec, NewHandle};
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::Pinned;
use crate::reclaim::record;
use crate::retirement::Retirement;
use crate::runtime::HostRecord;
#[cfg(unix)]
use crate::runtime::RuntimeError;
use enter::{with_live_function, with_live_type};
use hotswap_plugin::boundary;
use hotswap_plugin::{LiveData, Value};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use window::Window;

/// Owns the live generation of plugins, and builds its successors.
///
/// Clones share everything. The plugins are retired when the last swapper and the last handle are gone.
/// [`shutdown`](Self::shutdown) does this at a time of your choosing, and waits.
#[derive(Clone)]
pub struct Swapper(Arc<Inner>);

impl Swapper {
    /// Returns a builder, which describes a swapper before it is opened.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Returns a handle to a typed function of a plugin: `swapper.function::<fn(u32) -> String, _>("world", "hum")?`.
    /// The type may also be given on the left-hand side.
    ///
    /// # Errors
    /// There is no such plugin or no such function, or the function has another signature.
    pub fn function<F, A>(&self, plugin: &str, function: &str) -> Result<Function<F>, HandleError>
    where
        F: Signature<A>,
    {
        Ok(Function::new(self.make_handle(
            HandleSpec::typed::<A, F>(plugin, function),
        )?))
    }

    /// Returns a handle to a function that is called with [`Value`]s.
    ///
    /// # Errors
    /// There is no such plugin or no such function.
    pub fn dynamic(&self, plugin: &str, function: &str) -> Result<Dynamic, HandleError> {
        Ok(Dynamic::new(
            self.make_handle(HandleSpec::dynamic(plugin, function))?,
        ))
    }

    /// Returns a handle to an interface that a plugin exports: `swapper.interface::<dyn Alpha>("alpha")?`.
    ///
    /// # Errors
    /// There is no such plugin or no such export, or the plugin has another version of the interface.
    pub fn interface<I>(&self, plugin: &str) -> Result<Interface<I>, HandleError>
    where
        I: boundary::Interface + ?Sized,
    {
        Ok(Interface::new(
            self.make_handle(HandleSpec::interface::<I>(plugin))?,
        ))
    }

    /// Returns a handle to a live function, in whichever plugin it is: `swapper.live_function::<fn(&str) -> String,
    /// _>("roll_call")?`.
    ///
    /// # Errors
    /// There is no live function with this name, or it has another signature.
    pub fn live_function<F, A>(&self, name: &str) -> Result<Function<F>, HandleError>
    where
        F: Signature<A>,
    {
        Ok(Function::new(
            self.make_handle(HandleSpec::live::<A, F>(name))?,
        ))
    }

    pub(crate) fn make_handle<K>(&self, new: NewHandle<K>) -> Result<Handle<K>, HandleError> {
        let NewHandle { spec, kind } = new;
        // This comes before the lock, because destructors may make handles, too.
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
            // The number of a handle that is gone can be used again, because its binding is no longer read.
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
        Ok(Handle::new(self.0.clone(), index, spec, kind))
    }

    /// Calls a function of the live generation by the names of the plugin and the function. A handle from
    /// [`dynamic`](Self::dynamic) avoids the look-up in each call.
    ///
    /// # Errors
    /// There is no such plugin or function, the arguments do not fit, the function returned an error, or it panicked.
    pub fn invoke(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        self.0.call_by_name(
            |live| live.plugin_called(plugin).map(|plugin| &**plugin),
            |live, found| live.invoke_found(found, plugin, function, args),
        )
    }

    /// Calls a live function of the live generation, in whichever plugin it is.
    ///
    /// # Errors
    /// There is no such function, the arguments do not fit, the function returned an error, or it panicked.
    pub fn invoke_live(&self, name: &str, args: &[Value]) -> Result<Value, InvokeError> {
        self.0.call_by_name(
            |live| with_live_function(live, name),
            |live, _| live.invoke_live(name, args),
        )
    }

    /// Passes live data to the [handler](hotswap_plugin::live::Handler) of its type in the live generation. In this
    /// way, the code of one build does a job that another build has queued.
    ///
    /// # Errors
    /// There is no live type with this name, the type has no handler, the data does not fit it, the handler returned an
    /// error, or it panicked. None of these errors consumes the data.
    pub fn handle(&self, data: &LiveData) -> Result<Value, InvokeError> {
        self.0.call_by_name(
            |live| with_live_type(live, data.type_name()),
            |live, _| live.handle(data),
        )
    }

    /// Calls the function with this name in every plugin of the live generation that has it, each plugin after those
    /// that it imports: see [`Generation::invoke_each`].
    pub fn invoke_each(
        &self,
        function: &str,
        args: &[Value],
    ) -> Vec<(PluginName, Result<Value, InvokeError>)> {
        self.0.enter_anything().invoke_each(function, args)
    }

    /// Does the same as [`invoke_each`](Self::invoke_each), but calls each plugin before those that it imports.
    pub fn invoke_each_backward(
        &self,
        function: &str,
        args: &[Value],
    ) -> Vec<(PluginName, Result<Value, InvokeError>)> {
        let pinned = self.0.enter_anything();
        pinned.invoke_each_backward(function, args)
    }

    /// Pins the live generation on this thread. Until the pin is dropped, nothing of the generation leaves memory, and
    /// [`Function::on`] and [`Interface::on`] can call exactly this generation.
    #[track_caller]
    pub fn pin(&self) -> Pin<'_> {
        Pin::new(&self.0, Location::caller())
    }

    /// Lists the plugins of the live generation.
    pub fn listing(&self) -> Listing {
        self.0.live.pin().listing()
    }

    /// Returns what the live build of a plugin says of itself: its functions with their signatures, its interfaces, its live
    /// items, and its imports. Returns `None` if no such plugin is loaded.
    ///
    /// ```no_run
    /// # fn run(swapper: &hotswap_host::Swapper) {
    /// let world = swapper.metadata("world").expect("the plugin is loaded");
    /// for function in &world.functions {
    ///     println!("{}: {}", function.name, function.signature);
    /// }
    /// # }
    /// ```
    pub fn metadata(&self, plugin: &str) -> Option<Metadata> {
        let live = self.0.live.pin_quietly();
        Some(live.plugin_called(plugin)?.metadata().clone())
    }

    /// The number of the live generation.
    pub fn generation(&self) -> u64 {
        self.0.live.pin().number
    }

    /// The number of completed reloads that changed something.
    pub fn reloads(&self) -> u64 {
        self.0.live.pin().reloads
    }

    /// Returns true if the plugins are linked into the program by `cargo hotswap build --static`. Then none of them can
    /// be replaced or removed, and none can be added, while the program runs.
    pub fn is_static(&self) -> bool {
        self.0.is_static
    }

    /// Reads the plugin directory again, makes a generation of what has changed, and switches to it if everything
    /// succeeds.
    ///
    /// # Errors
    /// See [`ReloadError`]. After an error, the live generation is untouched, and nothing of the new one is left.
    pub fn reload(&self) -> Result<Report, ReloadError> {
        self.prepare_reload().run()
    }

    /// Reloads like [`reload`](Self::reload), but looks only at these plugins, named in any order:
    /// `swapper.reload_only(["alpha", "beta"])?`. All others keep their instances, whatever has happened to their
    /// files; those that import a reloaded plugin follow it as usual. A named plugin whose file is gone is removed.
    ///
    /// # Errors
    /// The errors of [`reload`](Self::reload), and a name that is neither loaded nor in the plugin directory.
    pub fn reload_only<N: Into<PluginName>>(
        &self,
        plugins: impl IntoIterator<Item = N>,
    ) -> Result<Report, ReloadError> {
        self.prepare_reload().only(plugins).run()
    }

    /// Returns a description of a reload, to limit it to some plugins, or to add data or a check.
    pub fn prepare_reload(&self) -> Reload<'_> {
        Reload::new(&self.0)
    }

    /// Makes the last reload permanent, whose rollback window is open. The window closes soon afterwards:
    /// [`RollbackWindow::wait`] waits for that.
    ///
    /// # Errors
    /// No window is open.
    pub fn confirm(&self) -> Result<(), ReloadError> {
        self.confirm_because_of(&Cause::Code)
    }

    /// Reverts the last reload, whose rollback window is open. Plugins without state go on with the instances that were
    /// live before. Plugins with state are made again from their old builds, and receive the state as it is now. The
    /// builds that were reverted are refused by later reloads, unless those are [forced](Reload::force).
    ///
    /// # Errors
    /// No window is open, or a plugin that was [kept cold](Keep::Cold) cannot be made again
    /// ([`ReloadError::NotReverted`]). Otherwise, this is never refused.
    pub fn rollback(&self) -> Result<Report, ReloadError> {
        self.rollback_because("it was asked for")
    }

    /// Does the same as [`rollback`](Self::rollback), with a reason for the log, the events, and the history.
    ///
    /// # Errors
    /// The errors of [`rollback`](Self::rollback).
    pub fn rollback_because(&self, reason: &str) -> Result<Report, ReloadError> {
        self.revert_for(reason.into(), None)
    }

    fn revert_for(
        &self,
        reason: String,
        deployment: Option<String>,
    ) -> Result<Report, ReloadError> {
        let mut writer = self.0.writer()?;
        self.0.check_not_frozen()?;
        let report = self.0.revert(&mut writer, reason, deployment);
        self.0.run_deferred(writer);
        report
    }

    /// Returns the open rollback window, if there is one.
    ///
    /// # Errors
    /// The caller is inside a reload or a call, or the swapper was shut down.
    pub fn window(&self) -> Result<Option<RollbackWindow>, ReloadError> {
        let writer = self.0.writer()?;
        Ok(writer.window.as_ref().map(Window::handle))
    }

    /// Returns how careful the reloads of this host are that do not say otherwise.
    pub fn reload_options(&self) -> &ReloadOptions {
        &self.0.options
    }

    /// Binds a socket in the host's runtime directory, by which tools find the host: the crate `hotswap-control` serves
    /// it. Only this user can connect to it. A socket that was bound before is replaced, so there is one.
    ///
    /// # Errors
    /// The host has no runtime directory, or the socket cannot be made there.
    #[cfg(unix)]
    pub fn bind_control(&self) -> Result<UnixListener, RuntimeError> {
        match &self.0.host_dir {
            Some(dir) => dir.bind_control(),
            None => Err(RuntimeError::NoDirectory),
        }
    }

    /// Returns true if the socket of [`bind_control`](Self::bind_control) is where tools look for it. Something may have
    /// removed it with the whole directory, such as the end of a login session.
    #[cfg(unix)]
    pub fn has_control(&self) -> bool {
        let dir = self.0.host_dir.as_ref();
        dir.is_some_and(|dir| dir.has_control())
    }

    /// Returns the open rollback window like [`window`](Self::window), but never waits for a reload. While a reload is
    /// running, this is the window of the one before it.
    pub fn open_window(&self) -> Option<RollbackWindow> {
        let shared = self.0.open_window().upgrade()?;
        Some(RollbackWindow::of(shared)).filter(|window| window.outcome().is_none())
    }

    /// Adds a plugin from a file outside the plugin directory, or replaces the plugin with its name. It stays part of
    /// later generations. A relative path starts at the current working directory.
    ///
    /// # Errors
    /// The errors of [`reload`](Self::reload).
    pub fn load(&self, file: impl AsRef<Path>) -> Result<Report, ReloadError> {
        self.prepare_reload().add(file.as_ref()).run()
    }

    /// Makes a generation without this plugin. The plugin stays out of later generations, whatever happens to its
    /// files, until it is [loaded](Self::load) again or the plugin directory is set.
    ///
    /// # Errors
    /// The errors of [`reload`](Self::reload), and a plugin that is not loaded or that others import.
    pub fn unload(&self, plugin: &str) -> Result<Report, ReloadError> {
        self.prepare_reload().remove(plugin).run()
    }

    /// Sets the plugin directory from the next reload on, and forgets the changes of [`load`](Self::load) and
    /// [`unload`](Self::unload). A relative path starts at the current working directory.
    ///
    /// # Errors
    /// The caller is inside a reload, the plugins are linked into the program, or the path is relative and the working
    /// directory is gone.
    pub fn set_plugin_dir(&self, dir: impl Into<PathBuf>) -> Result<(), ReloadError> {
        // The path is made absolute before anything is waited for.
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

    /// The plugin directory. The path is absolute, and links in it are as they were given.
    pub fn plugin_dir(&self) -> PathBuf {
        self.0.plugin_dir()
    }

    /// Lists the replaced plugins that are on their way out of memory, those that are kept, and the last ones that have
    /// left.
    pub fn retirements(&self) -> Vec<Retirement> {
        self.0.retirer.list()
    }

    /// Waits until every replaced plugin has left memory or is known to stay. Returns those for which this takes longer
    /// than `timeout`.
    ///
    /// Destructors of a plugin's thread-locals run when their thread next calls a plugin. The calling thread runs its
    /// own here.
    pub fn wait_retired(&self, timeout: Duration) -> Vec<Retirement> {
        self.0.retirer.wait(timeout)
    }

    /// Replaces the live generation by an empty one, and waits until its plugins have left memory or are known to stay.
    /// Calls fail from now on. Returns the plugins for which this takes longer than `timeout`.
    ///
    /// # Errors
    /// The caller is inside a call, a hook, or a callback, or a running reload does not end in time. In the latter case
    /// nothing has changed.
    pub fn shutdown(&self, timeout: Duration) -> Result<Vec<Retirement>, ReloadError> {
        let end = after(Instant::now(), timeout);
        let inner = &self.0;
        // A reload that waits for a hook stops waiting.
        inner.interrupt.set(true);
        let writer = inner.writer_until(Some(end));
        let Some(mut writer) = writer.inspect_err(|_| inner.interrupt.set(false))? else {
            inner.interrupt.set(false);
            return Err(ReloadError::Busy { limit: timeout });
        };
        writer.shut_down = true;
        inner.end_journal();
        if let Some(dir) = &inner.host_dir {
            dir.withdraw();
        }
        inner.switch_to_nothing(&mut writer, Some(end));
        drop(writer);
        Ok(self.wait_retired(end.saturating_duration_since(Instant::now())))
    }

    /// Pins the live generation to call its plugin with this name.
    ///
    /// # Errors
    /// The plugin is behind this gate.
    pub(crate) fn enter_plugin_or_gate(
        &self,
        plugin: &str,
    ) -> Result<Pinned<'_, Generation>, Arc<Gate>> {
        let inner = &self.0;
        inner.enter_plugin_or_gate(|live| live.plugin_called(plugin).map(|plugin| &**plugin))
    }

    /// Tells the tools outside of the host which signal makes it reload.
    /// Returns true if signals may make the host reload.
    #[cfg(unix)]
    pub(crate) fn reloads_on_signals(&self) -> bool {
        self.0.signals
    }

    pub(crate) fn set_reload_signal(&self, signal: Option<i32>) -> Result<(), ReloadError> {
        let mut writer = self.0.writer()?;
        writer.host.reload_signal = signal;
        self.0.publish(&writer);
        Ok(())
    }

    /// Returns a swapper that does not keep the plugins loaded, for a thread that goes on for as long as the host does.
    pub fn downgrade(&self) -> WeakSwapper {
        WeakSwapper::of(&self.0)
    }
}

/// A swapper that does not keep the plugins loaded: see [`Swapper::downgrade`].
#[derive(Clone)]
pub struct WeakSwapper(Weak<Inner>);

impl WeakSwapper {
    fn of(inner: &Arc<Inner>) -> Self {
        WeakSwapper(Arc::downgrade(inner))
    }

    /// Returns the swapper, unless all swappers and handles are gone.
    pub fn upgrade(&self) -> Option<Swapper> {
        self.0.upgrade().map(Swapper)
    }
}
