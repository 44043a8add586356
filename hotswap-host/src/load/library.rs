//! One opened library, and everything that the host knows of it.
//!
//! A plugin that is linked into the program has a `Library`, too, for which nothing was opened. The program's own
//! thread functions serve it, and it never leaves memory.
//!
//! The library's [`Token`] is the address of its [`Library`]. The file itself leads to it before any code of the
//! library runs, so the `Library` is made before its file is opened. One of its counts belongs to the token. Only
//! [`Library::forget`] gives it up, and only when no code of the library is mapped. A `Library` whose code is never unmapped is
//! never freed.
use super::copy::{Patch, PrivateCopy};
use super::failures::Failures;
use super::known;
use super::mapped::{Mapped, NotOpened};
use super::own_runtime::OwnRuntime;
use super::table::{self, Table};
use crate::artifact::{BuildId, UnloadBlocker};
use crate::error::Hook;
use crate::platform;
use crate::reclaim::activity::Activity;
use crate::reclaim::code::Code;
use crate::reclaim::look::Quiet;
use hotswap_plugin::contract::Remains;
use hotswap_plugin::contract::shim::{Destructor, Key, Token};
use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::c_int;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// An opened library.
pub(crate) struct Library {
    shim: Table,
    place: OnceLock<Place>,
    plugin: String,
    build_id: BuildId,
    /// The place in the file that contains the address of `shim`.
    shim_range: Range<u64>,
    /// The properties of the file that would keep it in memory. They are read from its bytes, because the file may be
    /// gone later.
    unload_blockers: Vec<UnloadBlocker>,
    keys: Mutex<Vec<(Key, Option<Destructor>)>>,
    /// The ids of the plugin's running threads.
    threads: Mutex<BTreeSet<i32>>,
    /// The number of times that it has installed a handler of its own in a chain.
    handlers: AtomicUsize,
    /// The signals, as bits, for which it has ever installed a handler that is in no chain.
    handled: AtomicU64,
    activity: Activity,
    own_runtime: OnceLock<OwnRuntime>,
    /// True once another build, or none, has taken its place.
    replaced: AtomicBool,
    /// True while it is closed: only its destructors run.
    parting: AtomicBool,
    destructors_run: AtomicUsize,
    destructors_skipped: AtomicUsize,
    /// The hooks of its plugin that are running. There are two if the host no longer waits for the first.
    hooks: Mutex<Vec<Hook>>,
    /// The failures of its code, which a rollback window outlives.
    failures: Arc<Failures>,
    /// The swapper that loaded it.
    owner: Weak<dyn Owner>,
    /// The token's count of this value itself.
    token: Mutex<Option<Arc<Library>>>,
}

/// The owner of a library, which made it and answers what its code asks of the host.
pub(crate) trait Owner: Any + Send + Sync {
    /// Passes on the wish of the plugin with this name for a reload.
    fn request_reload(self: Arc<Self>, plugin: &str);

    /// Passes on the wish of the plugin with this name that one of its functions answers the calls of another one.
    ///
    /// # Errors
    /// The owner does not allow that.
    fn request_patch(
        self: Arc<Self>,
        plugin: &str,
        function: String,
        by: String,
    ) -> Result<(), String>;
}

/// The place of a library's code.
enum Place {
    /// The code is in the program.
    Linked(PathBuf),
    /// The code is in a private copy.
    Opened(Opened),
}

/// An opened private copy.
struct Opened {
    mapped: Mapped,
    /// The private copy, which is removed once the library has left memory.
    copy: Mutex<Option<PrivateCopy>>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Library({} {})", self.plugin, self.build_id.short())
    }
}

impl Library {
    /// Makes the library of a build, without opening anything. `table` makes the table of functions by which the
    /// library finds the host.
    pub(crate) fn new(
        plugin: &str,
        build_id: BuildId,
        shim_range: Range<u64>,
        unload_blockers: Vec<UnloadBlocker>,
        owner: Weak<dyn Owner>,
        table: impl FnOnce(Token) -> Table,
    ) -> Arc<Library> {
        let library = Arc::new_cyclic(|me: &Weak<Library>| Library {
            shim: table(me.as_ptr().cast()),
            place: OnceLock::new(),
            plugin: plugin.to_owned(),
            build_id,
            shim_range,
            unload_blockers,
            keys: Mutex::default(),
            threads: Mutex::default(),
            handlers: AtomicUsize::new(0),
            handled: AtomicU64::new(0),
            activity: Activity::new(),
            own_runtime: OnceLock::new(),
            replaced: AtomicBool::new(false),
            parting: AtomicBool::new(false),
            destructors_run: AtomicUsize::new(0),
            destructors_skipped: AtomicUsize::new(0),
            hooks: Mutex::default(),
            failures: Arc::new(Failures::new(known::totals(plugin))),
            owner,
            token: Mutex::default(),
        });
        *lock(&library.token) = Some(library.clone());
        library
    }

    /// Makes a library for which nothing is opened.
    #[cfg(test)]
    pub(crate) fn unopened() -> Arc<Library> {
        Library::without_owner("unopened", BuildId::of(b""))
    }

    /// Makes a library that no swapper owns.
    #[cfg(test)]
    pub(crate) fn without_owner(plugin: &str, build_id: BuildId) -> Arc<Library> {
        struct NoOwner;
        impl Owner for NoOwner {
            fn request_reload(self: Arc<Self>, _: &str) {}
            fn request_patch(self: Arc<Self>, _: &str, _: String, _: String) -> Result<(), String> {
                Ok(())
            }
        }
        let owner = Weak::<NoOwner>::new();
        let table = super::watched_functions::table;
        Library::new(plugin, build_id, 0..0, Vec::new(), owner, table)
    }

    /// The bytes that the private copy has in place of those of the artifact: the address of the host's table.
    pub(crate) fn patch(&self) -> Patch {
        Patch {
            at: self.shim_range.clone(),
            bytes: (&raw const self.shim).addr().to_le_bytes(),
        }
    }

    /// The place in the file that contains the address of the host's table.
    pub(crate) fn shim_range(&self) -> Range<u64> {
        self.shim_range.clone()
    }

    /// Opens the private copy, which has been [patched](Self::patch). The calling thread has to be one that never ends:
    /// a constructor of the library may remember it as the first thread of the process.
    ///
    /// # Errors
    /// See [`NotOpened`]. Nothing of the copy is mapped then, and the copy is removed.
    pub(crate) fn open(&self, copy: PrivateCopy) -> Result<(), NotOpened> {
        match Mapped::open(copy.path()) {
            Ok(mapped) => {
                let copy = Mutex::new(Some(copy));
                let place = self.place.set(Place::Opened(Opened { mapped, copy }));
                assert!(place.is_ok(), "a library is opened only once");
                Ok(())
            }
            Err(error) => {
                copy.remove();
                Err(error)
            }
        }
    }

    /// Notes that the plugin is linked into this program.
    pub(crate) fn is_part_of(&self, program: &Path) {
        let place = self.place.set(Place::Linked(program.to_owned()));
        assert!(place.is_ok(), "a library is opened only once");
    }

    fn opened(&self) -> Option<&Opened> {
        match self.place.get()? {
            Place::Linked(_) => None,
            Place::Opened(opened) => Some(opened),
        }
    }

    /// Returns true if the plugin is linked into the program.
    pub(crate) fn is_linked(&self) -> bool {
        matches!(self.place.get(), Some(Place::Linked(_)))
    }

    /// Gives up the token's count, unless code of the library is mapped, which has the token.
    pub(crate) fn forget(&self) {
        let is_mapped = match self.place.get() {
            None => false,
            Some(Place::Linked(_)) => true,
            Some(Place::Opened(opened)) => !opened.mapped.is_gone(),
        };
        if !is_mapped {
            let count = lock(&self.token).take();
            drop(count);
        }
    }

    /// The token that the plugin passes to every function of the host.
    pub(crate) fn token(&self) -> Token {
        table::token(&self.shim)
    }

    /// The library in memory, if it was opened.
    pub(super) fn mapped(&self) -> Option<&Mapped> {
        Some(&self.opened()?.mapped)
    }

    /// The name of the plugin.
    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The hash of the artifact's bytes.
    pub(crate) fn build_id(&self) -> BuildId {
        self.build_id
    }

    /// The path of the private copy that is mapped, or of the program.
    pub(crate) fn path(&self) -> &Path {
        match self.place.get() {
            Some(Place::Opened(opened)) => opened.mapped.path(),
            Some(Place::Linked(program)) => program,
            None => Path::new(""),
        }
    }

    /// The addresses that the library occupies. The range is empty for a linked plugin.
    pub(crate) fn range(&self) -> Range<usize> {
        self.opened()
            .map(|opened| opened.mapped.range().clone())
            .unwrap_or_default()
    }

    /// The properties of its file that keep it in memory.
    pub(crate) fn unload_blockers(&self) -> &[UnloadBlocker] {
        &self.unload_blockers
    }

    /// The owner of the library.
    pub(crate) fn owner(&self) -> &Weak<dyn Owner> {
        &self.owner
    }

    /// Notes that a hook of its plugin begins.
    /// The failures of its code.
    pub(crate) fn failures(&self) -> &Arc<Failures> {
        &self.failures
    }

    pub(crate) fn hook_begins(&self, hook: Hook) {
        lock(&self.hooks).push(hook);
    }

    /// Notes that a hook of its plugin has returned.
    pub(crate) fn hook_ended(&self, hook: Hook) {
        let mut hooks = lock(&self.hooks);
        if let Some(at) = hooks.iter().rposition(|running| *running == hook) {
            hooks.remove(at);
        }
    }

    /// Returns the hook of its plugin that has been running for the longest time.
    pub(crate) fn running_hook(&self) -> Option<Hook> {
        lock(&self.hooks).first().copied()
    }

    /// Returns a remark on the private copy, if there is one.
    pub(crate) fn copy_note(&self) -> Option<String> {
        let copy = lock(&self.opened()?.copy);
        let reason = copy.as_ref()?.fallback()?.to_owned();
        Some(format!("its private copy is in memory: {reason}"))
    }

    /// Sets the runtime of the plugin, which is connected and may have one of its own.
    pub(crate) fn set_own_runtime(&self, runtime: OwnRuntime) {
        let _ = self.own_runtime.set(runtime);
    }

    pub(crate) fn own_runtime(&self) -> Option<OwnRuntime> {
        self.own_runtime.get().copied()
    }

    pub(crate) fn set_replaced(&self) {
        self.replaced.store(true, SeqCst);
    }

    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced.load(SeqCst)
    }

    /// Returns true while the library is being closed.
    pub(crate) fn is_parting(&self) -> bool {
        self.parting.load(SeqCst)
    }

    /// Returns true if a signal handler at this address is code of the library.
    pub(super) fn is_own_handler(&self, handler: usize) -> bool {
        // While the library is being opened, its addresses are not known yet.
        let opened = self.opened();
        opened.is_none_or(|opened| opened.mapped.range().contains(&handler))
    }

    /// Counts a handler of its own that the library is about to install in a chain: see `signals`.
    pub(super) fn count_handler(&self) {
        self.handlers.fetch_add(1, SeqCst);
    }

    /// The number of handlers that the library has installed in chains.
    pub(crate) fn handlers(&self) -> usize {
        self.handlers.load(SeqCst)
    }

    /// Notes that the library is about to install a handler of its own for this signal that is in no chain.
    pub(super) fn add_handler(&self, signal: c_int) {
        if (1..=64).contains(&signal) {
            self.handled.fetch_or(1 << (signal - 1), Relaxed);
        }
    }

    /// Returns the first signal for which the library has ever installed a handler that is in no chain. Code that has
    /// asked for the handler since may call it, even after it has been replaced, and it may be running.
    pub(crate) fn handled_signal(&self) -> Option<c_int> {
        let handled = self.handled.load(Relaxed);
        (handled != 0).then(|| handled.trailing_zeros() as c_int + 1)
    }

    /// Notes that the calling thread, which the plugin started, begins.
    pub(super) fn thread_begins(&self) {
        lock(&self.threads).insert(platform::thread_id());
    }

    /// The plugin's running threads, as reports name them.
    pub(crate) fn thread_names(&self) -> Vec<String> {
        let named = |tid: &i32| format!("{tid} \"{}\"", platform::thread_name(*tid));
        lock(&self.threads).iter().map(named).collect()
    }

    pub(super) fn add_key(&self, key: Key, destructor: Option<Destructor>) {
        lock(&self.keys).push((key, destructor));
    }

    pub(super) fn forget_key(&self, key: Key) {
        lock(&self.keys).retain(|known| known.0 != key);
    }

    /// The numbers of destructors of thread-locals that have run and that were skipped.
    pub(crate) fn destructor_counts(&self) -> (usize, usize) {
        (
            self.destructors_run.load(Relaxed),
            self.destructors_skipped.load(Relaxed),
        )
    }

    /// Gives back the keys that the plugin never deleted. This must not happen before it has left memory: its
    /// destructors may use and delete its keys, and the system reuses the number of a deleted key.
    fn delete_keys(&self) {
        for (key, _) in std::mem::take(&mut *lock(&self.keys)) {
            // The plugin has left memory, so no other code knows the key.
            platform::delete_key(key);
        }
    }

    /// Takes over memory that the library has returned, and frees it once the library has left memory.
    pub(crate) fn keep(&self, remains: Remains) {
        if let Some(opened) = self.opened() {
            opened.mapped.keep(remains);
        }
    }

    /// Unmaps the library and removes its copy. Returns true if the library is gone, and false if nothing was opened.
    ///
    /// # Panics
    /// Panics if the proof is of another library, or if the library is not barred: see [`Mapped::close`].
    pub(crate) fn close(&self, quiet: &Quiet) -> bool {
        let Some(opened) = self.opened() else {
            return false;
        };
        self.parting.store(true, SeqCst);
        if !opened.mapped.close(self, quiet) {
            self.parting.store(false, SeqCst);
            return false;
        }
        self.delete_keys();
        if let Some(copy) = lock(&opened.copy).take() {
            copy.remove();
        }
        true
    }
}

impl Code for Library {
    fn activity(&self) -> &Activity {
        &self.activity
    }

    fn key_destructor(&self, key: Key) -> Option<Destructor> {
        lock(&self.keys).iter().find(|known| known.0 == key)?.1
    }

    fn count_destructors_run(&self, n: usize) {
        self.destructors_run.fetch_add(n, Relaxed);
    }

    fn count_destructors_skipped(&self, n: usize) {
        self.destructors_skipped.fetch_add(n, Relaxed);
    }

    fn thread_ended(&self) {
        lock(&self.threads).remove(&platform::thread_id());
        self.activity.thread_gone();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
mod tests {
    use super::{Code, Library, NotOpened, Patch};
    use crate::artifact::testing;
    use crate::artifact::{Artifact, BuildId};
    use crate::load::copy::CopyDir;
    use crate::reclaim::look::look;
    use crate::runtime::HostDir;
    use std::ffi::{CString, c_void};
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::ptr::null_mut;
    use std::sync::Arc;

    fn library(build_id: BuildId) -> Arc<Library> {
        Library::without_owner("world", build_id)
    }

    /// Closes a library of which no code runs.
    fn close(library: &Arc<Library>) -> bool {
        library.activity().bar();
        let Ok(quiet) = look(&**library, false) else {
            panic!("no code of it runs");
        };
        library.close(&quiet)
    }

    /// File systems count inodes in 32 bits, and descriptor numbers are reused. The dynamic linker may then return an
    /// old library in place of the one that it was asked for.
    #[test]
    fn a_copy_that_is_taken_for_another_library_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let file = testing::library(base.path(), "libworld.so", &testing::section());
        let bytes = fs::read(&file).unwrap();
        let artifact = Artifact::from_bytes(&file, &bytes).unwrap();
        let copies = CopyDir::new(Arc::new(HostDir::create_in(base.path()).unwrap()));
        let copy = || copies.make(&artifact, &bytes, &Patch::default()).unwrap();

        let first = library(artifact.build_id);
        first.open(copy()).unwrap();
        assert!(!first.range().is_empty());
        // This is another path to the same file.
        let same = copy();
        fs::remove_file(same.path()).unwrap();
        fs::hard_link(first.path(), same.path()).unwrap();
        let path = same.path().to_owned();
        let second = library(artifact.build_id);
        let refused = second.open(same);
        assert!(
            matches!(&refused, Err(NotOpened::TakenFor(other)) if other == first.path()),
            "{refused:?}"
        );
        assert!(!path.exists() && second.range().is_empty());

        // The first library was not affected by that.
        assert!(close(&first) && !close(&first));
        let third = library(artifact.build_id);
        third.open(copy()).unwrap();
        assert!(close(&third));
    }

    /// The destructors of allocators delete their keys.
    #[test]
    fn the_keys_of_a_library_are_its_own_until_it_has_left_memory() {
        let base = tempfile::tempdir().unwrap();
        let source = "#include <pthread.h>\n\
                      pthread_key_t key; void **seen;\n\
                      __attribute__((destructor)) static void part(void) {\n\
                          *seen = pthread_getspecific(key);\n\
                      }\n";
        let file = testing::compile(base.path(), "libpart.so", source, &["-shared", "-fPIC"]);
        let bytes = fs::read(file).unwrap();
        // The artifact only gives the copy its name.
        let other = testing::library(base.path(), "libworld.so", &testing::section());
        let artifact = Artifact::read(&other).unwrap();
        let copies = CopyDir::new(Arc::new(HostDir::create_in(base.path()).unwrap()));
        let (mut key, mut seen) = (0, null_mut::<c_void>());
        let value = (&raw const key).cast::<c_void>();
        for stays in [true, false] {
            let library = library(artifact.build_id);
            let copy = copies.make(&artifact, &bytes, &Patch::default()).unwrap();
            library.open(copy).unwrap();
            let path = CString::new(library.path().as_os_str().as_bytes()).unwrap();
            // SAFETY: the symbols have these types, and only the library uses the key.
            let again = unsafe {
                assert_eq!(libc::pthread_key_create(&mut key, None), 0);
                assert_eq!(libc::pthread_setspecific(key, value), 0);
                library.add_key(key, None);
                let mapped = library.mapped().unwrap();
                let symbol = |name: &[u8]| mapped.symbol::<*mut c_void>(name).unwrap();
                symbol(b"key\0").cast::<libc::pthread_key_t>().write(key);
                symbol(b"seen\0")
                    .cast::<*mut *mut c_void>()
                    .write(&mut seen);
                stays.then(|| libc::dlopen(path.as_ptr(), libc::RTLD_NOW))
            };
            assert_eq!(close(&library), !stays);
            // SAFETY: this asks for the value of a key, which is valid whether there is one or not.
            let left = unsafe { libc::pthread_getspecific(key) };
            let Some(again) = again else {
                assert_eq!(seen.cast_const(), value, "its destructor still has its key");
                assert!(left.is_null(), "the key is given back");
                continue;
            };
            assert_eq!(
                left.cast_const(),
                value,
                "a library that stays keeps its keys"
            );
            // SAFETY: the library was opened just above.
            assert_eq!(unsafe { libc::dlclose(again) }, 0);
        }
    }
}
