//! An instance of a plugin: what it is, and what it uses of other plugins and the host. Its calls are in [`made`].
pub(crate) mod begun;
pub(crate) mod exports;
pub(crate) mod made;

use crate::artifact::{BuildId, Deployed, Fingerprint, Metadata, Note};
use crate::base::name::PluginName;
use crate::error::{Hook, HookFailure};
use crate::load::library::Library;
use crate::load::loaded::Loaded;
use crate::provide::Provided;
use crate::reclaim::slot::CallTarget;
use crate::telemetry::contain;
use exports::Exports;
use hotswap_plugin::boundary::{ExportDesc, InterfaceDesc, RawObject};
use hotswap_plugin::contract::state::StateDesc;
use hotswap_plugin::contract::{ContextView, LiveDesc, PluginDesc};
use made::Made;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

/// An instance of a plugin. [`destroy`](Self::destroy) frees it; dropping it leaks it.
pub(crate) struct Instance {
    made: Made,
    /// The tables of its exports. Plugins that import the instance call it through them, so they stay as long as it does.
    export_tables: ManuallyDrop<Arc<Exports>>,
    uses: Uses,
    /// The number of times that it has been stopped.
    stops: AtomicUsize,
    /// A plugin that imports this one and whose code stays mapped for ever.
    needed_by: OnceLock<String>,
    /// The plugins whose [`Uses`] have this instance.
    users: Mutex<Vec<Weak<str>>>,
}

/// Keeps everything outside of a plugin that its code may call: instances of other plugins, and objects of the host.
///
/// The plugin's threads may outlive its instance and go on calling. Therefore nothing is freed when this is dropped. It
/// is [released](Self::release) when the plugin's library has left memory, or [left](Self::leave) to a library that
/// stays.
#[derive(Clone, Default)]
pub(crate) struct Uses(ManuallyDrop<Used>);

#[derive(Clone, Default)]
struct Used {
    imports: Vec<Arc<Instance>>,
    /// The name of the plugin, which its imports know for as long as this exists.
    _user: Option<Arc<str>>,
    _provided: Arc<Provided>,
}

impl Uses {
    /// Keeps what the plugin `user` uses.
    pub(crate) fn new(user: &str, imports: Vec<Arc<Instance>>, provided: Arc<Provided>) -> Self {
        let user: Arc<str> = user.into();
        imports.iter().for_each(|import| import.add_user(&user));
        Uses(ManuallyDrop::new(Used {
            imports,
            _user: Some(user),
            _provided: provided,
        }))
    }

    /// The instances of other plugins.
    pub(crate) fn imports(&self) -> &[Arc<Instance>] {
        &self.0.imports
    }

    /// Releases what the plugin's code has used, because none of that code is mapped or can run.
    pub(crate) fn release(self) {
        drop(ManuallyDrop::into_inner(self.0));
    }

    /// Leaves all of it to the code of the plugin `user`, which stays mapped and may call it. The instances are never
    /// freed.
    pub(crate) fn leave(self, user: &str) {
        self.imports()
            .iter()
            .for_each(|import| import.set_needed_by(user));
    }
}

/// The calls of the plugin.
impl Deref for Instance {
    type Target = Made;

    fn deref(&self) -> &Made {
        &self.made
    }
}

impl Instance {
    /// Makes an instance. `objects` are in the order of the plugin's imports, and have the types that are described
    /// there.
    ///
    /// # Errors
    /// The constructor returned an error or panicked. The error gives back the library, to be unmapped, and what
    /// threads that the library has started may use until then.
    pub(crate) fn construct(
        loaded: Loaded,
        cx: &ContextView<'_>,
        objects: &[RawObject],
        uses: Uses,
    ) -> Result<Instance, Box<(Loaded, Uses, HookFailure)>> {
        match Made::construct(loaded, cx, objects) {
            Ok(made) => Ok(Instance {
                export_tables: ManuallyDrop::new(Exports::of(&made)),
                made,
                uses,
                stops: AtomicUsize::new(0),
                needed_by: OnceLock::new(),
                users: Mutex::default(),
            }),
            Err(failed) => {
                let (loaded, failure) = *failed;
                Err(Box::new((loaded, uses, failure)))
            }
        }
    }

    pub(crate) fn name(&self) -> &PluginName {
        &self.loaded().name
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.loaded().metadata
    }

    /// Returns true if the author has written this hook. Other hooks do nothing.
    pub(crate) fn has_hook(&self, hook: Hook) -> bool {
        let name = hook.to_string();
        self.metadata().hooks.contains(&name)
    }

    pub(crate) fn file(&self) -> &Path {
        &self.loaded().file
    }

    pub(crate) fn build_id(&self) -> BuildId {
        self.loaded().build_id
    }

    pub(crate) fn note(&self) -> Option<&Note> {
        self.loaded().note.as_ref()
    }

    /// Returns the state of the artifact's file when it was known to hold this build, or `None` while a later change
    /// could look the same.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        *self.fingerprint_slot()
    }

    /// Remembers the state of the artifact's file.
    pub(crate) fn set_fingerprint(&self, fingerprint: Option<Fingerprint>) {
        *self.fingerprint_slot() = fingerprint;
    }

    fn fingerprint_slot(&self) -> MutexGuard<'_, Option<Fingerprint>> {
        self.loaded()
            .fingerprint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn loaded_at(&self) -> SystemTime {
        self.loaded().loaded_at
    }

    /// Returns what the plugin directory had for the plugin when this build was deployed, if it was.
    pub(crate) fn deployed(&self) -> Option<Deployed> {
        self.loaded().deployed
    }

    /// Returns true if this build was deployed over this one of the plugin directory, or over nothing.
    pub(crate) fn is_deployed_over(&self, build: Option<BuildId>) -> bool {
        self.deployed() == Some(Deployed::over(build))
    }

    pub(crate) fn is_reloadable(&self) -> bool {
        self.loaded().is_reloadable
    }

    /// The target that a thread enters when it calls the instance.
    pub(crate) fn call_target(&self) -> CallTarget {
        self.loaded().call_target
    }

    pub(crate) fn imports(&self) -> &[Arc<Instance>] {
        self.uses.imports()
    }

    /// Notes that the plugin `user`, which imports this one, stays mapped. So this one stays, too, with everything that
    /// it imports.
    pub(crate) fn set_needed_by(&self, user: &str) {
        if self.needed_by.set(user.to_owned()).is_ok() {
            let imports = self.imports().iter();
            imports.for_each(|import| import.set_needed_by(user));
        }
    }

    /// Notes that `user` may use the instance, for as long as that name exists.
    fn add_user(&self, user: &Arc<str>) {
        let mut users = self.user_list();
        users.retain(|user| user.strong_count() != 0);
        users.push(Arc::downgrade(user));
    }

    /// Returns the plugins that may use the instance: those that import it and have not left memory.
    pub(crate) fn users(&self) -> Vec<Arc<str>> {
        self.user_list().iter().filter_map(Weak::upgrade).collect()
    }

    fn user_list(&self) -> MutexGuard<'_, Vec<Weak<str>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a plugin that imports this one and stays mapped for ever.
    pub(crate) fn needed_by(&self) -> Option<&str> {
        self.needed_by.get().map(String::as_str)
    }

    pub(crate) fn library(&self) -> &Arc<Library> {
        &self.loaded().library
    }

    pub(crate) fn desc(&self) -> &PluginDesc {
        self.loaded().tables.desc()
    }

    /// The live functions and types.
    pub(crate) fn live(&self) -> &[LiveDesc] {
        &self.loaded().live
    }

    /// The tables through which plugins that import the instance call its exports.
    pub(crate) fn export_tables(&self) -> &Arc<Exports> {
        &self.export_tables
    }

    /// Returns the export that is this interface, or another version of it.
    pub(crate) fn export(&self, interface: &InterfaceDesc) -> Option<&ExportDesc> {
        self.desc().exports.get(self.export_index(interface)?)
    }

    /// Returns the number of that export.
    pub(crate) fn export_index(&self, interface: &InterfaceDesc) -> Option<usize> {
        let exports = || self.desc().exports.iter().map(|e| e.interface);
        let named = |e: &InterfaceDesc| e.name == interface.name;
        let exact = exports().position(|e| named(e) && e.origin == interface.origin);
        exact.or_else(|| exports().position(named))
    }

    /// The names of the exports.
    pub(crate) fn exports(&self) -> impl Iterator<Item = &str> {
        let exports = self.desc().exports.iter();
        exports.map(|export| export.interface.name.as_str())
    }

    /// Runs `on_start`.
    ///
    /// # Errors
    /// The hook returned an error or panicked.
    pub(crate) fn on_start(&self) -> Result<(), HookFailure> {
        let started = self.made.on_start();
        // A panic has been counted already.
        if started.as_ref().is_err_and(|failure| !failure.panicked) {
            self.library().failures().add();
        }
        started
    }

    /// Runs `on_stop`.
    ///
    /// # Errors
    /// The hook panicked.
    pub(crate) fn on_stop(&self) -> Result<(), HookFailure> {
        self.stops.fetch_add(1, SeqCst);
        self.made.on_stop()
    }

    /// The number of times that `on_stop` has begun.
    pub(crate) fn stops(&self) -> usize {
        self.stops.load(SeqCst)
    }

    /// Returns the bytes of memory that the plugin's own allocator has in use, or `None` if it does not count them.
    pub(crate) fn memory(&self) -> Option<u64> {
        let memory = self.loaded().tables.entry().memory()();
        memory.counted.then_some(memory.bytes)
    }

    /// The description of the state, if the plugin has any.
    pub(crate) fn state(&self) -> Option<&StateDesc> {
        self.desc().state
    }

    /// Runs `on_free`, drops the instance, and flushes the plugin's stdout. Nothing uses the instance any more, because
    /// whatever uses it has an `Arc` of it. Returns the library, and what must not be freed before it has left memory.
    pub(crate) fn destroy(self) -> (Loaded, Uses, Vec<HookFailure>) {
        let (loaded, failures) = self.made.destroy();
        let tables = ManuallyDrop::into_inner(self.export_tables);
        // The patches know the instance. The last reference drops closures of the host, which may panic.
        contain((), || drop(tables.live().set(None, false)));
        (loaded, self.uses, failures)
    }
}
