//! A plugin's instance: its hooks, and what it uses of other plugins and the host.
use crate::artifact::{BuildId, Fingerprint, Metadata, Note};
use crate::base::name::PluginName;
use crate::error::{Hook, HookFailure};
use crate::load::library::Library;
use crate::load::loaded::Loaded;
use crate::provide::Provided;
use crate::reclaim::record::CallTarget;
use crate::saved_state::SavedState;
use hotswap_plugin::boundary::{ExportDesc, FunctionDesc, InterfaceDesc, RawObject};
use hotswap_plugin::contract::state::StateDesc;
use hotswap_plugin::contract::{
    ContextView, LiveDesc, LoadDataView, PluginDesc, PluginEntryRef, VaultView,
};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

/// A plugin's instance. [`destroy`](Self::destroy) frees it; dropping it without leaks it.
pub(crate) struct Instance {
    loaded: Loaded,
    this: *mut (),
    uses: Uses,
    /// How often it has been stopped.
    stops: AtomicUsize,
    /// A plugin that imports it, and whose code stays mapped for ever.
    needed_by: OnceLock<String>,
    /// The plugins whose [`Uses`] have it.
    users: Mutex<Vec<Weak<str>>>,
}

/// Keeps what a plugin's code may call besides itself: instances of other plugins, and objects of the host.
///
/// Its threads outlive its instance and call on. So this frees nothing when it is dropped: it is
/// [released](Self::release) when the plugin's library has left memory, or [left](Self::leave) to a library that stays.
#[derive(Clone, Default)]
pub(crate) struct Uses(ManuallyDrop<Used>);

#[derive(Clone, Default)]
struct Used {
    imports: Vec<Arc<Instance>>,
    /// The name of the plugin, which its imports know for as long as this is there.
    _user: Option<Arc<str>>,
    _provided: Arc<Provided>,
}

impl Uses {
    /// What the plugin `user` uses.
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

    /// Gives up what the plugin's code has used: none of it is mapped, or can run.
    pub(crate) fn release(self) {
        drop(ManuallyDrop::into_inner(self.0));
    }

    /// Leaves it all to the code of the plugin `user`, which stays mapped and may call it. The instances are never freed.
    pub(crate) fn leave(self, user: &str) {
        self.imports()
            .iter()
            .for_each(|import| import.set_needed_by(user));
    }
}

// SAFETY: `#[plugin]` demands `Send + Sync` of the type behind `this`.
unsafe impl Send for Instance {}
// SAFETY: `#[plugin]` demands `Send + Sync` of the type behind `this`.
unsafe impl Sync for Instance {}

impl Instance {
    /// Makes an instance. `objects` are in the order of the plugin's imports, and of the types described there.
    ///
    /// # Errors
    /// The constructor's error or panic; gives the library back, to be unmapped, and what threads that it has started
    /// may use until then.
    pub(crate) fn construct(
        loaded: Loaded,
        cx: &ContextView<'_>,
        objects: &[RawObject],
        uses: Uses,
    ) -> Result<Instance, Box<(Loaded, Uses, HookFailure)>> {
        let mut this = null_mut();
        // SAFETY: the objects match the imports' descriptions; `Instance` keeps alive what they belong to.
        let run = loaded.run(Hook::New, |sink| unsafe {
            loaded.entry.construct()(cx, objects.into(), &mut this, sink)
        });
        match run {
            Ok(()) => Ok(Instance {
                loaded,
                this,
                uses,
                stops: AtomicUsize::new(0),
                needed_by: OnceLock::new(),
                users: Mutex::default(),
            }),
            Err(failure) => Err(Box::new((loaded, uses, failure))),
        }
    }

    pub(crate) fn name(&self) -> &PluginName {
        &self.loaded.name
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.loaded.metadata
    }

    /// Returns true if the author has written this hook. Other hooks do nothing.
    pub(crate) fn has_hook(&self, hook: Hook) -> bool {
        let name = hook.to_string();
        self.metadata().hooks.contains(&name)
    }

    pub(crate) fn file(&self) -> &Path {
        &self.loaded.file
    }

    pub(crate) fn build_id(&self) -> BuildId {
        self.loaded.build_id
    }

    pub(crate) fn note(&self) -> Option<&Note> {
        self.loaded.note.as_ref()
    }

    /// How the artifact looked when it was known to hold this build; `None` while a later change could look the same.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        *self.fingerprint_slot()
    }

    /// Remembers how the artifact looks.
    pub(crate) fn set_fingerprint(&self, fingerprint: Option<Fingerprint>) {
        *self.fingerprint_slot() = fingerprint;
    }

    fn fingerprint_slot(&self) -> MutexGuard<'_, Option<Fingerprint>> {
        self.loaded
            .fingerprint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn loaded_at(&self) -> SystemTime {
        self.loaded.loaded_at
    }

    pub(crate) fn is_reloadable(&self) -> bool {
        self.loaded.is_reloadable
    }

    /// What a thread has entered that calls it.
    pub(crate) fn call_target(&self) -> CallTarget {
        self.loaded.call_target
    }

    pub(crate) fn imports(&self) -> &[Arc<Instance>] {
        self.uses.imports()
    }

    /// The plugin `user`, which imports this one, stays mapped, and so does this one, with all that it imports.
    pub(crate) fn set_needed_by(&self, user: &str) {
        if self.needed_by.set(user.to_owned()).is_ok() {
            let imports = self.imports().iter();
            imports.for_each(|import| import.set_needed_by(user));
        }
    }

    /// From now on `user` may use it, for as long as that name is there.
    fn add_user(&self, user: &Arc<str>) {
        let mut users = self.user_list();
        users.retain(|user| user.strong_count() != 0);
        users.push(Arc::downgrade(user));
    }

    /// The plugins that may use it: those that import it, and have not left memory.
    pub(crate) fn users(&self) -> Vec<Arc<str>> {
        self.user_list().iter().filter_map(Weak::upgrade).collect()
    }

    fn user_list(&self) -> MutexGuard<'_, Vec<Weak<str>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A plugin that imports it and stays mapped for ever.
    pub(crate) fn needed_by(&self) -> Option<&str> {
        self.needed_by.get().map(String::as_str)
    }

    pub(crate) fn library(&self) -> &Arc<Library> {
        &self.loaded.library
    }

    pub(crate) fn desc(&self) -> &PluginDesc {
        self.loaded.desc
    }

    /// Its live functions and types.
    pub(crate) fn live(&self) -> &[LiveDesc] {
        &self.loaded.live
    }

    /// The function of this name.
    pub(crate) fn function(&self, name: &str) -> Option<&FunctionDesc> {
        let mut functions = self.desc().functions.iter();
        functions.find(|desc| desc.name.as_str() == name)
    }

    /// The export that is this interface, or another version of it.
    pub(crate) fn export(&self, interface: &InterfaceDesc) -> Option<&ExportDesc> {
        let exports = || self.desc().exports.iter().map(|e| (e, e.interface));
        let named = |(_, e): &(_, &InterfaceDesc)| e.name == interface.name;
        let exact = exports().find(|e| named(e) && e.1.origin == interface.origin);
        Some(exact.or_else(|| exports().find(named))?.0)
    }

    /// The names of its exports.
    pub(crate) fn exports(&self) -> impl Iterator<Item = &str> {
        let exports = self.desc().exports.iter();
        exports.map(|export| export.interface.name.as_str())
    }

    pub(crate) fn entry(&self) -> PluginEntryRef {
        self.loaded.entry
    }

    /// What the plugin's functions are called with.
    pub(crate) fn this(&self) -> *const () {
        self.this
    }

    /// # Errors
    /// The hook's error or panic.
    ///
    /// # Safety
    /// During the call the instance is used by nobody except the instances that import it, and the threads they have started.
    pub(crate) unsafe fn on_load(&self, data: &LoadDataView) -> Result<(), HookFailure> {
        // SAFETY: the caller's promise; the data is valid for the call.
        self.loaded.run(Hook::OnLoad, |sink| unsafe {
            self.entry().on_load()(self.this, data, sink)
        })
    }

    /// # Errors
    /// The hook's error or panic.
    ///
    /// # Safety
    /// As [`on_load`](Self::on_load).
    pub(crate) unsafe fn on_init(&self, vault: &VaultView<'_>) -> Result<(), HookFailure> {
        // SAFETY: the caller's promise; the vault is valid for the call.
        self.loaded.run(Hook::OnInit, |sink| unsafe {
            self.entry().on_init()(self.this, vault, sink)
        })
    }

    /// # Errors
    /// The hook's panic.
    pub(crate) fn on_start(&self) -> Result<(), HookFailure> {
        // SAFETY: the instance is alive.
        self.loaded.run(Hook::OnStart, |sink| unsafe {
            self.entry().on_start()(self.this, sink)
        })
    }

    /// # Errors
    /// The hook's panic.
    pub(crate) fn on_stop(&self) -> Result<(), HookFailure> {
        self.stops.fetch_add(1, SeqCst);
        // SAFETY: the instance is alive.
        self.loaded.run(Hook::OnStop, |sink| unsafe {
            self.entry().on_stop()(self.this, sink)
        })
    }

    /// How often `on_stop` has begun.
    pub(crate) fn stops(&self) -> usize {
        self.stops.load(SeqCst)
    }

    /// What its state is, where it has any.
    pub(crate) fn state(&self) -> Option<&StateDesc> {
        self.desc().state
    }

    /// Its state, for who knows the type of it as of `version`.
    ///
    /// # Errors
    /// The hook's error or panic.
    pub(crate) fn save(&self, version: u32) -> Result<SavedState, HookFailure> {
        let mut saved = SavedState::default();
        // SAFETY: the instance is alive; the sink is that of `saved`.
        self.loaded.run(Hook::Save, |sink| unsafe {
            self.entry().save()(self.this, version, saved.sink(), sink)
        })?;
        Ok(saved)
    }

    /// Gives it the state of another instance.
    ///
    /// # Errors
    /// The hook's error or panic.
    ///
    /// # Safety
    /// As [`on_load`](Self::on_load).
    pub(crate) unsafe fn restore(&self, state: SavedState) -> Result<(), HookFailure> {
        state.lend(|view| {
            // SAFETY: the caller's promise; the view is valid for the call, and its descriptors are the plugin's.
            self.loaded.run(Hook::Restore, |sink| unsafe {
                self.entry().restore()(self.this, view, sink)
            })
        })
    }

    /// Runs `on_free`, drops the instance, and writes out what the plugin's stdout holds back. Returns what remains:
    /// the library, and what is not to be freed before it has left memory.
    ///
    /// # Safety
    /// Nobody uses the instance any more.
    pub(crate) unsafe fn destroy(self) -> (Loaded, Uses, Vec<HookFailure>) {
        let (entry, this) = (self.entry(), self.this);
        // SAFETY: the caller's promise; destroyed once, since `self` is gone afterwards.
        let freed = self
            .loaded
            .run(Hook::OnFree, |sink| unsafe { entry.on_free()(this, sink) });
        // SAFETY: the caller promises that nobody uses the instance; `self` is gone afterwards, so it is destroyed once.
        let dropped = self
            .loaded
            .run(Hook::Drop, |sink| unsafe { entry.destroy()(this, sink) });
        entry.flush()();
        let failures = [freed, dropped]
            .into_iter()
            .filter_map(Result::err)
            .collect();
        (self.loaded, self.uses, failures)
    }
}
