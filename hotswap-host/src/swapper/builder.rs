//! [`Builder`], which collects the settings with which a swapper is opened.
use super::Swapper;
use super::examine::{Examination, Examiner};
use super::inner::Inner;
use super::journal::Journal;
use super::levels;
use super::observe::{Checks, Observers, ReloadEvent};
use super::options::ReloadOptions;
use super::patch_settings::{PatchSettings, PatchesOnReload};
use super::plan::Change;
use super::smoke::SmokeTests;
use super::stored_patches::StoredPatches;
use super::writer::{Writer, WriterLock};
use crate::base::name::PluginName;
use crate::base::paths::{absolute, check_absolute};
use crate::environment::{Variable, signals_are_on};
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::host_table::TABLE;
use crate::linked::{LinkedPlugins, LinkedSet};
use crate::load::copy::{CopyDir, IN_MEMORY};
use crate::load_data::LoadDataBox;
use crate::platform;
use crate::provide::{Provided, Provider};
use crate::reclaim::pin::Live;
use crate::runtime::{HostDir, HostRecord, RuntimeError};
use crate::swapper::retire::{Retirer, Settings, UnloadMode};
use crate::vault::{Contents, CountData, ExtensionKinds, Lowering, Prefill, Prefills};
use hotswap_plugin::Extension;
use hotswap_plugin::boundary::{Interface, Shared};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Describes a [`Swapper`] before it is opened.
#[must_use]
pub struct Builder {
    plugin_dir: Option<PathBuf>,
    linked: LinkedPlugins,
    allowed: Option<BTreeSet<PluginName>>,
    allow_empty: bool,
    optional: BTreeSet<PluginName>,
    provided: Provided,
    extensions: ExtensionKinds,
    load_data: LoadDataBox,
    settings: Settings,
    gate_limit: Duration,
    hook_limit: Duration,
    toolchain: bool,
    require_private: bool,
    prefills: Prefills,
    checks: Checks,
    observers: Observers,
    smoke: SmokeTests,
    journal: Option<Arc<dyn Journal>>,
    examination: Examination,
    options: ReloadOptions,
    patching: PatchSettings,
    count_live_data: Option<Box<CountData>>,
    signals: bool,
}

impl Builder {
    pub(super) fn new() -> Self {
        Builder {
            plugin_dir: None,
            linked: LinkedPlugins::default(),
            allowed: None,
            allow_empty: false,
            optional: BTreeSet::new(),
            provided: Provided::default(),
            extensions: ExtensionKinds::default(),
            load_data: LoadDataBox::default(),
            settings: Settings {
                mode: UnloadMode::default(),
                free_delay: Duration::ZERO,
                limit: Duration::from_secs(1),
                skip_destructors: false,
            },
            gate_limit: Duration::from_secs(1),
            hook_limit: Duration::from_secs(30),
            toolchain: false,
            require_private: false,
            prefills: Prefills::default(),
            checks: Checks::default(),
            observers: Observers::default(),
            smoke: SmokeTests::default(),
            journal: None,
            examination: Examination::default(),
            options: ReloadOptions::default(),
            patching: PatchSettings::default(),
            count_live_data: None,
            signals: true,
        }
    }

    /// Lets signals make the host reload, if it [listens](crate::signal::reload_on) for them. By default, they do, unless the
    /// environment variable `HOTSWAP_SIGNALS` is `off`; if either says no, the host refuses
    /// ([`ReloadError::SignalsOff`]). A signal cannot say why it was sent, so an operator who wants a reason for each change
    /// turns them off.
    pub fn signals(mut self, allow: bool) -> Self {
        self.signals = allow;
        self
    }

    /// Sets the directory of the plugins' artifacts. By default it is the value of the environment variable
    /// `HOTSWAP_PLUGIN_DIR`, or else `plugins` beside the executable.
    ///
    /// A relative path starts at the working directory at the time of this call, whatever happens to it later. Links
    /// are followed only when the directory is read: if a link is changed, the next reload reads the other directory.
    ///
    /// Everyone who may write to the directory decides what runs in this process: see
    /// [`require_private_plugin_dir`](Self::require_private_plugin_dir). A program that has more rights than the user
    /// who started it, because it is setuid or has capabilities, has to set an absolute path here. It uses neither the
    /// environment nor the working directory.
    pub fn plugin_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.plugin_dir = Some(absolute(dir));
        self
    }

    /// Uses the plugins that are linked into the program, if there are any, and reads no directory:
    /// `.linked(linked_plugins!())`. In a build that loads its plugins, [`linked_plugins!`](crate::linked_plugins)
    /// returns none, and this changes nothing.
    ///
    /// There is only one set of linked plugins: one swapper of a program has them at a time.
    pub fn linked(mut self, plugins: LinkedPlugins) -> Self {
        self.linked = plugins;
        self
    }

    /// Loads these plugins and no others. Each of them has to be there, unless it is [optional](Self::optional).
    pub fn allow<N: Into<PluginName>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.allowed = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Names plugins that the host can do without. If one of them fails, the generation is made without its new build.
    /// It does not matter whether its file, an import, a hook before the switch, or a handle of the host caused the
    /// failure. The running build stays if nothing that it imports was replaced; otherwise the host runs without the
    /// plugin. The report and a warning in the log say so, and the next reload tries again.
    ///
    /// A plugin that imports it, and not optionally, fails with it.
    ///
    /// The generation is then made from the beginning: the other new plugins are freed and loaded again, and their
    /// hooks run again.
    pub fn optional<N: Into<PluginName>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.optional.extend(names.into_iter().map(Into::into));
        self
    }

    /// Allows an empty plugin directory, in `open` and in reloads. By default it is refused, because more often than
    /// not it is the wrong directory, or one that is just being filled.
    pub fn allow_empty(mut self, allow: bool) -> Self {
        self.allow_empty = allow;
        self
    }

    /// Provides an object that plugins may import: `.provide::<dyn JobQueue>(queue)`. A later object of the same
    /// interface replaces it.
    pub fn provide<I: Interface + ?Sized>(mut self, object: Arc<impl Provider<I>>) -> Self {
        self.provided.add::<I>(object);
        self
    }

    /// Lets the plugins fill the slots of an extension: `.extension::<Sounds>()`. [`Generation::extension`] returns
    /// what they put there.
    pub fn extension<E: Extension>(mut self) -> Self {
        self.extensions.add::<E>();
        self
    }

    /// Puts values and objects of the host into each generation before any plugin's `on_init` runs: values into the
    /// data bag, and objects into the slots of [extensions](Self::extension).
    ///
    /// ```no_run
    /// # use hotswap_host::Swapper;
    /// # use std::error::Error;
    /// # fn main() -> Result<(), Box<dyn Error>> {
    /// let swapper = Swapper::builder()
    ///     .prefill(|next| next.set("port", 8080))
    ///     .open()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The closure runs for each generation that is made, even if that does not become live. An error or a panic
    /// refuses the generation. A later closure runs after the earlier ones. A [`Swapper`] that the closure owns is
    /// never dropped.
    pub fn prefill<E: fmt::Display>(
        mut self,
        prefill: impl Fn(&mut Prefill<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.prefills.add(prefill);
        self
    }

    /// Adds a check that every new generation has to pass: the first one at [`open`](Self::open), and those that
    /// [`Swapper::reload`], a [signal](crate::signal), `cargo hotswap reload`, or a plugin has asked for. The check
    /// runs just before the switch, on a thread of its own. It sees the live generation and the new one, and may call
    /// the new one. An error or a panic refuses the new generation: [`ReloadError::Vetoed`].
    ///
    /// ```no_run
    /// # use hotswap_host::Swapper;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let swapper = Swapper::builder()
    ///     .check(|change| match change.next().listing().plugin("rules") {
    ///         Some(_) => Ok(()),
    ///         None => Err("no host without the rules"),
    ///     })
    ///     .observe(|event| println!("{event}"))
    ///     .open()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A later check runs after the earlier ones, and the [check of a reload](crate::Reload::check) runs after all of
    /// them. If an [optional](Self::optional) plugin fails after the checks, they run again for the generation without
    /// it. A reload that finds nothing new makes no generation. A [`Swapper`] that the closure owns is never dropped.
    pub fn check<E: fmt::Display>(
        mut self,
        check: impl Fn(&Change<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.checks.add(check);
        self
    }

    /// Adds an observer of every attempt to make a generation, whatever its cause. The observer receives an event for
    /// each step that has ended, then one with the report or the error, and one more when a rollback window closes. It is also
    /// told when a plugin is taken out of service or put back. Each event has the number and the cause of the attempt.
    ///
    /// It runs on the thread that made the attempt, before the call that asked for it returns, and before `cargo
    /// hotswap reload` is told. The next attempt waits for it, so pass on anything slow over a channel. A reload that
    /// the observer asks for is refused, and a panic in it is logged. A [`Swapper`] that it owns is never dropped.
    ///
    /// A request that never becomes an attempt is reported to its caller only: a request from inside a call or a hook,
    /// in a forked child, or after the shutdown.
    pub fn observe(mut self, observer: impl Fn(&ReloadEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observers.add(observer);
        self
    }

    /// Adds a smoke test, which every new generation has to pass before it becomes live. It runs on a copy of the
    /// generation that is thrown away, so it may do whatever the plugins allow. An error, a panic, or a test that takes
    /// longer than [`ReloadOptions::smoke_limit`] refuses the reload.
    ///
    /// The copy has new instances of those plugins that the reload replaces. Like these, they import the other plugins
    /// and the host's objects, so the test must not leave anything behind in those. Their hooks up to `on_init` have
    /// run, and `on_start` has not.
    ///
    /// Plugins have smoke tests of their own: functions with `#[smoke]`.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let swapper = Swapper::builder()
    ///     .smoke("a greeting", |next| match next.invoke("world", "hum", &[3_u32.into()]) {
    ///         Ok(_) => Ok(()),
    ///         Err(error) => Err(error.to_string()),
    ///     })
    ///     .open()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn smoke<E: fmt::Display>(
        mut self,
        name: &str,
        test: impl Fn(&Generation) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.smoke.add(name, test);
        self
    }

    /// Remembers what the host runs beyond its end, and starts with the builds that have proven themselves: see
    /// [`Journal`].
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Has each build examined before it is loaded, for instance for a signature: see [`Examiner`]. A later examiner
    /// replaces this one. By default, builds are not examined.
    pub fn examiner(mut self, examiner: impl Examiner + 'static) -> Self {
        self.examination = Examination::by(examiner);
        self
    }

    /// Sets how careful reloads are that have no [options of their own](crate::Reload::options).
    pub fn reload_options(mut self, options: ReloadOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the data that the plugins' `on_load` can read: one value of a shared type.
    pub fn load_data<T: Shared + Send + Sync>(mut self, data: T) -> Self {
        self.load_data = LoadDataBox::new(data);
        self
    }

    /// Sets the time for which a replaced plugin is kept after its last use. By default it is zero.
    pub fn free_delay(mut self, delay: Duration) -> Self {
        self.settings.free_delay = delay;
        self
    }

    /// Sets what happens to libraries that are no longer used.
    pub fn unload_mode(mut self, mode: UnloadMode) -> Self {
        self.settings.mode = mode;
        self
    }

    /// Sets the time that a step out of memory may take before its holders are named. By default it is one second.
    pub fn retire_limit(mut self, limit: Duration) -> Self {
        self.settings.limit = limit;
        self
    }

    /// If true, values of plugins' thread-locals on threads that do not come back to drop them are skipped after the
    /// limit: they are leaked and counted. By default the library stays until the threads come back.
    pub fn skip_late_destructors(mut self, skip: bool) -> Self {
        self.settings.skip_destructors = skip;
        self
    }

    /// Sets how long calls may wait while the state of plugins is handed over: until the running calls have returned,
    /// and `on_stop`, `save`, and `restore` have returned. By default it is one second. At the limit the hand-over is
    /// given up, the running instances go on, and the error of the reload names what it was waiting for.
    pub fn gate_limit(mut self, limit: Duration) -> Self {
        self.gate_limit = limit;
        self
    }

    /// Sets how long each of the hooks `reloadable`, `new`, `on_load`, `on_init`, `on_start`, and `on_stop` may take.
    /// By default it is 30 seconds. A hook that has not returned by then is named, its thread is left to itself, and
    /// its build stays in memory until it returns. Before the switch, the reload is refused, and so is
    /// [`open`](Self::open); after it, the reload goes on. In both cases, later reloads do not wait for the hook.
    ///
    /// While state is handed over, `on_stop`, `save`, and `restore` together also have the [gate's
    /// limit](Self::gate_limit). Nothing waits for `on_free` and `Drop`.
    pub fn hook_limit(mut self, limit: Duration) -> Self {
        self.hook_limit = limit;
        self
    }

    /// Rejects plugins that were built by a different compiler than the host. By default they are accepted.
    pub fn require_same_toolchain(mut self, require: bool) -> Self {
        self.toolchain = require;
        self
    }

    /// Rejects a plugin directory, and files of plugins, that users other than this one and root may write to. By
    /// default a warning in the log names each of them once. There is no warning if only the group of the same number
    /// as this user may write to them: on most systems that group has no other members.
    ///
    /// Links are followed. The directory that is read, the file, and, if the file is reached through a link, the
    /// directory that contains it, all count.
    pub fn require_private_plugin_dir(mut self, require: bool) -> Self {
        self.require_private = require;
        self
    }

    /// Sets the function that counts the live data that the host has, in queues or on disks: it is passed the name of a live
    /// type and a version, and returns the number of values that this version has saved and that are left.
    ///
    /// A build that gives way to an older one stays loaded while such data is left, to [lower](crate::DataBuild) it. Without
    /// this function, it stays until [`Swapper::drop_data_builds`] is called. The function is called from time to time, from any
    /// thread, while there is such a build.
    pub fn count_live_data(
        mut self,
        count: impl Fn(&str, u32) -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.count_live_data = Some(Box::new(count));
        self
    }

    /// Makes a plugin sticky: none of its functions can be [patched](Swapper::patch), and a reload that would replace or
    /// remove it is refused, unless the host [allows](Self::allow_override_sticky) that and the caller asks for it.
    pub fn sticky(mut self, plugin: &str) -> Self {
        self.patching.sticky.add_plugin(plugin.into());
        self
    }

    /// Makes a function of a plugin sticky: it cannot be [patched](Swapper::patch), unless the host
    /// [allows](Self::allow_override_sticky) that and the caller asks for it. A new build of the plugin may change it.
    pub fn sticky_function(mut self, plugin: &str, function: &str) -> Self {
        self.patching.sticky.add_function(plugin.into(), function);
        self
    }

    /// Allows callers to change what is [sticky](Self::sticky), if they ask for it with
    /// [`Patch::override_sticky`](crate::Patch::override_sticky) or
    /// [`Reload::override_sticky`](crate::Reload::override_sticky). By default this is refused.
    pub fn allow_override_sticky(mut self, allow: bool) -> Self {
        self.patching.sticky.set_may_override(allow);
        self
    }

    /// Sets how many [patches](Swapper::patch) a plugin may have at a time. A patch beyond that is refused. By default, the
    /// number is 64.
    pub fn max_patches(mut self, max: usize) -> Self {
        self.patching.max = max;
        self
    }

    /// Sets what a reload does with the [patches](Swapper::patch) of a plugin that it replaces. By default, those that fit
    /// the new build are kept.
    pub fn patches_on_reload(mut self, patches: PatchesOnReload) -> Self {
        self.patching.on_reload = patches;
        self
    }

    /// Lets plugins ask for patches of their own functions, with
    /// [`Context::request_patch`](hotswap_plugin::Context::request_patch): another function of the plugin answers. By default,
    /// this is refused. What is [sticky](Self::sticky) is not patched so.
    pub fn allow_plugin_patches(mut self, allow: bool) -> Self {
        self.patching.for_plugins = allow;
        self
    }

    /// Loads the plugins and makes the first generation.
    ///
    /// # Errors
    /// See [`ReloadError`]. Nothing is left of what was loaded.
    pub fn open(self) -> Result<Swapper, ReloadError> {
        let swapper = self.make(Some(HostDir::create()))?;
        let levels = crate::telemetry::levels();
        let mut writer = swapper.0.writer()?;
        swapper.0.first_load(&mut writer)?;
        swapper.0.publish(&writer);
        drop(writer);
        levels::follow(&swapper.0, levels).map_err(ReloadError::Thread)?;
        Ok(swapper)
    }

    /// Makes a swapper without plugins for a probe, which leaves nothing behind on the disk.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) that have nothing to do with plugins.
    #[cfg(unix)]
    pub(super) fn probing(mut self) -> Result<Swapper, ReloadError> {
        // The host has examined what it sends.
        self.examination = Examination::default();
        self.plugin_dir("/").make(None)
    }

    /// Makes a swapper that has loaded nothing yet.
    fn make(self, host_dir: Option<Result<HostDir, RuntimeError>>) -> Result<Swapper, ReloadError> {
        if cfg!(panic = "abort") {
            return Err(ReloadError::HostAborts);
        }
        // The objects of such a host would be counted by the host around it, and tokens are addresses of one host.
        if hotswap_plugin::__private::is_loaded() {
            return Err(ReloadError::InPlugin);
        }
        if crate::load::exit::is_forked() {
            return Err(ReloadError::Forked);
        }
        let is_static = !self.linked.is_empty();
        let plugin_dir = match self.plugin_dir.map_or_else(default_plugin_dir, Ok) {
            Ok(dir) if is_static || dir.is_absolute() => dir,
            Ok(dir) => return Err(check_absolute(&dir).unwrap_err()),
            // No file is looked for.
            Err(_) if is_static => PathBuf::new(),
            Err(error) => return Err(error),
        };
        let (host_dir, copies) = match host_dir {
            None => (None, CopyDir::in_memory("a probe has no directory")),
            Some(Ok(dir)) => {
                if let Some(why) = dir.exposed() {
                    tracing::warn!(
                        target: "hotswap",
                        "{why}; private copies are made in memory, {IN_MEMORY}"
                    );
                }
                let dir = Arc::new(dir);
                (Some(dir.clone()), CopyDir::new(dir))
            }
            Some(Err(error)) => {
                tracing::warn!(target: "hotswap", "{error}; private copies are made in memory, {IN_MEMORY}");
                (None, CopyDir::in_memory(&error))
            }
        };
        let limit = self.settings.limit;
        let linked = LinkedSet::of(self.linked);
        let contents = Arc::new(Contents::empty(&self.extensions));
        // This comes before the first thread: the kernel needs milliseconds to register a process with several threads for
        // `membarrier`, and nothing for one with a single thread.
        let live = Live::new(Generation::new(0, 0, Vec::new(), contents));
        let retirer = Arc::new(Retirer::start(self.settings).map_err(ReloadError::Thread)?);
        let lowering = Lowering::new(self.count_live_data, retirer.clone());
        Ok(Swapper(Arc::new(Inner {
            live,
            signals: self.signals && signals_are_on(),
            handles: Mutex::default(),
            writer: WriterLock::new(Writer {
                host: HostRecord::of_this_process(&plugin_dir),
                allowed: self.allowed,
                allow_empty: self.allow_empty,
                linked,
                optional: self.optional,
                added: BTreeMap::new(),
                removed: BTreeSet::new(),
                load_data: Arc::new(self.load_data),
                require_private: self.require_private,
                examination: self.examination,
                attempts: 0,
                shut_down: false,
                window: None,
                deferred: None,
                held: BTreeMap::new(),
                tried: None,
                patches: StoredPatches::default(),
            }),
            provided: Arc::new(self.provided),
            extensions: self.extensions,
            copies: Arc::new(copies),
            host_table: TABLE,
            plugin_dir: Mutex::new(plugin_dir.clone()),
            host_dir,
            retirer,
            limit,
            gate_limit: self.gate_limit,
            hook_limit: self.hook_limit,
            interrupt: Arc::default(),
            process: std::process::id(),
            toolchain: self.toolchain,
            is_static,
            requested: AtomicBool::new(false),
            prefills: self.prefills,
            checks: self.checks,
            observers: self.observers,
            smoke: self.smoke,
            journal: self.journal,
            options: self.options,
            mocks: AtomicUsize::new(0),
            patching: self.patching,
            frozen: Mutex::default(),
            lowering: Arc::new(lowering),
            counting: AtomicBool::new(false),
            counts_calls: AtomicBool::new(false),
            counting_calls: AtomicUsize::new(0),
            open_window: Mutex::default(),
        })))
    }
}

/// Returns the plugin directory of a program that does not set one.
fn default_plugin_dir() -> Result<PathBuf, ReloadError> {
    if platform::is_privileged() {
        // The user who started it chose its environment, and may have given the file another name in a directory of
        // their own.
        let reason = "this program has more rights than the user who started it (it is setuid or has capabilities), so neither \
                      HOTSWAP_PLUGIN_DIR nor the place of its file counts";
        return Err(ReloadError::NoPluginDir { reason });
    }
    if let Some(dir) = Variable::PluginDir.path() {
        return Ok(dir);
    }
    let executable = std::env::current_exe().unwrap_or_default();
    let beside = executable.parent().filter(|dir| dir.is_absolute());
    let reason =
        "HOTSWAP_PLUGIN_DIR is not set, and the system does not say where this program's file is";
    let dir = beside.map(|dir| dir.join("plugins"));
    dir.ok_or(ReloadError::NoPluginDir { reason })
}
