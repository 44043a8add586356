//! One opened library, and the host's side of the thread functions that its plugin uses.
//!
//! A plugin that is linked into the program has one too, of which nothing was opened: the program's own thread functions serve
//! it, and it never leaves memory.
//!
//! The library's [`Token`] is the address of its [`Library`]. It is handed out before any other code of the plugin
//! runs, and stays valid as long as that code can run: who unmaps the library drops it afterwards, and who cannot
//! unmap it leaks it.
use crate::artifact::BuildId;
use crate::live::activity::Activity;
use crate::live::record;
use crate::load::copy::PrivateCopy;
use crate::platform;
use crate::swapper::WeakSwapper;
use hotswap_plugin::contract::shim::{
    ATTACH_SYMBOL, Attach, Destructor, Early, Key, ShimTable, StartRoutine, Thread, Token,
};
use libloading::os::unix as dl;
use std::collections::BTreeSet;
use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An opened library.
pub(crate) struct Library {
    shim: ShimTable,
    /// Nothing where the plugin is linked into the program.
    opened: Option<Opened>,
    plugin: String,
    build_id: BuildId,
    path: PathBuf,
    range: Range<usize>,
    keys: Mutex<Vec<(Key, Option<Destructor>)>>,
    /// Ids of the plugin's threads that run now.
    threads: Mutex<BTreeSet<i32>>,
    activity: Activity,
    /// Another build, or none, has taken its place.
    replaced: AtomicBool,
    destructors_run: AtomicUsize,
    destructors_skipped: AtomicUsize,
    /// Whose plugin it is.
    owner: WeakSwapper,
}

/// What was opened.
struct Opened {
    /// Closed by [`Library::close`] alone.
    handle: ManuallyDrop<dl::Library>,
    attach: Attach,
    /// The private copy; given back once the library has left memory.
    copy: Mutex<Option<PrivateCopy>>,
}

impl Library {
    /// Opens the private copy at `path` and lends it the thread functions.
    ///
    /// # Errors
    /// What the dynamic linker says, or that the file lacks the entry point.
    pub(crate) fn open(
        copy: PrivateCopy,
        plugin: &str,
        build_id: BuildId,
        owner: WeakSwapper,
    ) -> Result<Arc<Library>, libloading::Error> {
        let path = copy.path().to_owned();
        // SAFETY: opening runs the constructors of the library and of what it needs. Loading a plugin is trusting
        // its code; the contract asks that constructors do not unwind.
        let handle = unsafe { dl::Library::open(Some(&path), dl::RTLD_NOW | dl::RTLD_LOCAL) }?;
        // SAFETY: the contract's version was checked, which fixes this symbol's type.
        let attach = unsafe { *handle.get::<Attach>(ATTACH_SYMBOL)? };
        let opened = Opened {
            handle: ManuallyDrop::new(handle),
            attach,
            copy: Mutex::new(Some(copy)),
        };
        let library = Library::new(Some(opened), plugin, build_id, path, owner);
        // SAFETY: the table lives in the `Library`, which outlives the plugin's code.
        unsafe { attach(&library.shim) };
        Ok(library)
    }

    /// Stands for a plugin that is linked into the program. Its token is good for ever, if this is [kept](Self::keep).
    pub(crate) fn linked(
        plugin: &str,
        build_id: BuildId,
        program: &Path,
        owner: WeakSwapper,
    ) -> Arc<Library> {
        Library::new(None, plugin, build_id, program.to_owned(), owner)
    }

    fn new(
        opened: Option<Opened>,
        plugin: &str,
        build_id: BuildId,
        path: PathBuf,
        owner: WeakSwapper,
    ) -> Arc<Library> {
        let range = opened.as_ref().and(platform::mapped_range(&path));
        Arc::new_cyclic(|me: &std::sync::Weak<Library>| Library {
            shim: ShimTable {
                token: me.as_ptr().cast(),
                thread_atexit,
                key_create,
                key_delete,
                key_set,
                thread_create,
            },
            opened,
            plugin: plugin.to_owned(),
            build_id,
            range: range.unwrap_or_default(),
            path,
            keys: Mutex::default(),
            threads: Mutex::default(),
            activity: Activity::new(),
            replaced: AtomicBool::new(false),
            destructors_run: AtomicUsize::new(0),
            destructors_skipped: AtomicUsize::new(0),
            owner,
        })
    }

    /// Whether the plugin is linked into the program.
    pub(crate) fn is_linked(&self) -> bool {
        self.opened.is_none()
    }

    /// Keeps it for ever: its code may still be called with its token.
    pub(crate) fn keep(self: &Arc<Self>) {
        std::mem::forget(self.clone());
    }

    /// What the plugin hands back in every call of the host.
    pub(crate) fn token(&self) -> Token {
        self.shim.token
    }

    /// The library that a token names.
    ///
    /// # Safety
    /// The token was handed to a plugin whose code is running.
    pub(crate) unsafe fn of(token: Token) -> Arc<Library> {
        let library: *const Library = token.cast();
        // SAFETY: made from an `Arc`, which is alive as long as the plugin's code can run.
        unsafe {
            Arc::increment_strong_count(library);
            Arc::from_raw(library)
        }
    }

    /// The library that a token names; none for the host's, which is null.
    ///
    /// # Safety
    /// As [`of`](Self::of).
    pub(crate) unsafe fn of_any(token: Token) -> Option<Arc<Library>> {
        // SAFETY: the caller's promise.
        (!token.is_null()).then(|| unsafe { Library::of(token) })
    }

    /// A symbol of the library; `None` where nothing was opened.
    ///
    /// # Safety
    /// `T` is its type.
    pub(crate) unsafe fn symbol<T: Copy>(
        &self,
        name: &[u8],
    ) -> Option<Result<T, libloading::Error>> {
        let handle = &self.opened.as_ref()?.handle;
        // SAFETY: the caller's promise.
        Some(unsafe { handle.get::<T>(name).map(|symbol| *symbol) })
    }

    /// The plugin's name.
    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The hash of the artifact's bytes.
    pub(crate) fn build_id(&self) -> BuildId {
        self.build_id
    }

    /// The private copy that is mapped, or the program.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The addresses it occupies, where they are its own.
    pub(crate) fn range(&self) -> &Range<usize> {
        &self.range
    }

    /// What was used before the host's table was attached.
    pub(crate) fn early(&self) -> Early {
        let Some(opened) = &self.opened else {
            return Early::default();
        };
        // SAFETY: null asks for the counts alone; the library is open.
        unsafe { (opened.attach)(null()) }
    }

    /// Whose plugin it is.
    pub(crate) fn owner(&self) -> &WeakSwapper {
        &self.owner
    }

    /// What is to be said of the private copy, if anything.
    pub(crate) fn copy_note(&self) -> Option<String> {
        let copy = lock(&self.opened.as_ref()?.copy);
        let reason = copy.as_ref()?.fallback()?.to_owned();
        Some(format!("its private copy is in memory: {reason}"))
    }

    /// Gives back the private copy of a library that has left memory.
    pub(crate) fn remove_copy(&self) {
        if let Some(opened) = &self.opened {
            lock(&opened.copy).take();
        }
    }

    /// What could still run code of it.
    pub(crate) fn activity(&self) -> &Activity {
        &self.activity
    }

    pub(crate) fn set_replaced(&self) {
        self.replaced.store(true, SeqCst);
    }

    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced.load(SeqCst)
    }

    /// The plugin's threads that run now, as reports name them.
    pub(crate) fn thread_names(&self) -> Vec<String> {
        let named = |tid: &i32| format!("{tid} \"{}\"", platform::thread_name(*tid));
        lock(&self.threads).iter().map(named).collect()
    }

    /// The calling thread, which the plugin started, has run its last destructor.
    pub(crate) fn thread_ended(&self) {
        lock(&self.threads).remove(&platform::thread_id());
        self.activity.thread_gone();
    }

    pub(crate) fn key_destructor(&self, key: Key) -> Option<Destructor> {
        lock(&self.keys).iter().find(|known| known.0 == key)?.1
    }

    pub(crate) fn count_destructors_run(&self, n: usize) {
        self.destructors_run.fetch_add(n, Relaxed);
    }

    pub(crate) fn count_destructors_skipped(&self, n: usize) {
        self.destructors_skipped.fetch_add(n, Relaxed);
    }

    /// How many destructors of thread-locals have run, and how many were skipped.
    pub(crate) fn destructor_counts(&self) -> (usize, usize) {
        (
            self.destructors_run.load(Relaxed),
            self.destructors_skipped.load(Relaxed),
        )
    }

    /// Gives back the keys that the plugin never deleted.
    fn delete_keys(&self) {
        for (key, _) in std::mem::take(&mut *lock(&self.keys)) {
            // SAFETY: created for this plugin, which is barred and has no threads.
            unsafe { libc::pthread_key_delete(key) };
        }
    }

    /// Unmaps the library. Returns whether it is gone; not where nothing was opened.
    ///
    /// # Safety
    /// No code of the library runs or can be called any more, and nobody uses its data: it is barred, and its threads
    /// and destructors are gone.
    pub(crate) unsafe fn close(&self) -> bool {
        let Some(opened) = &self.opened else {
            return false;
        };
        self.delete_keys();
        // SAFETY: closed once, by the contract of this function; the field is not used afterwards.
        let handle = unsafe { std::ptr::read(&*opened.handle) };
        // An error leaves the library mapped, which is what is looked at.
        let _ = handle.close();
        platform::mapped_range(&self.path).is_none()
    }
}

// The functions behind `ShimTable`. Each is called by code of the library that the token names. A library that is barred
// is being closed: what still runs of it are its own destructors, and nothing that they begin would find it mapped.

unsafe extern "C" fn thread_atexit(token: Token, run: Destructor, object: *mut c_void) -> c_int {
    // SAFETY: called by the library's code.
    let library = unsafe { Library::of(token) };
    if library.activity.is_barred() {
        library.count_destructors_skipped(1);
        return -1;
    }
    record::mine().add_destructor(library, run, object);
    0
}

unsafe extern "C" fn key_create(
    token: Token,
    key: *mut Key,
    destructor: Option<Destructor>,
) -> c_int {
    // SAFETY: called by the library's code.
    let library = unsafe { Library::of(token) };
    if library.activity.is_barred() {
        return libc::EAGAIN;
    }
    // The real key has no destructor: nothing in the C library points into the plugin.
    // SAFETY: the caller's `key`.
    let result = unsafe { libc::pthread_key_create(key, None) };
    if result == 0 {
        // SAFETY: just written.
        lock(&library.keys).push((unsafe { *key }, destructor));
    }
    result
}

unsafe extern "C" fn key_delete(token: Token, key: Key) -> c_int {
    // SAFETY: called by the library's code.
    let library = unsafe { Library::of(token) };
    lock(&library.keys).retain(|known| known.0 != key);
    // SAFETY: no preconditions.
    unsafe { libc::pthread_key_delete(key) }
}

unsafe extern "C" fn key_set(token: Token, key: Key, value: *const c_void) -> c_int {
    // SAFETY: called by the library's code.
    let library = unsafe { Library::of(token) };
    if !value.is_null() && library.key_destructor(key).is_some() {
        record::mine().add_key(library, key);
    }
    // SAFETY: the caller's promises.
    unsafe { libc::pthread_setspecific(key, value) }
}

struct Boot {
    library: Arc<Library>,
    start: StartRoutine,
    argument: *mut c_void,
}

extern "C" fn thread_main(boot: *mut c_void) -> *mut c_void {
    // SAFETY: `thread_create` passes a box.
    let Boot {
        library,
        start,
        argument,
    } = *unsafe { Box::from_raw(boot.cast::<Boot>()) };
    lock(&library.threads).insert(platform::thread_id());
    // Counted down at the thread's end, after its destructors.
    record::mine().set_started_by(library);
    // SAFETY: what the plugin asked `pthread_create` for.
    unsafe { start(argument) }
}

unsafe extern "C" fn thread_create(
    token: Token,
    thread: *mut Thread,
    attributes: *const c_void,
    start: StartRoutine,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: called by the library's code.
    let library = unsafe { Library::of(token) };
    if library.activity.is_barred() {
        return libc::EAGAIN;
    }
    library.activity.thread_made();
    let boot = Box::into_raw(Box::new(Boot {
        library: library.clone(),
        start,
        argument,
    }));
    // SAFETY: the caller's pointers; `thread_main` takes the box.
    let result =
        unsafe { libc::pthread_create(thread.cast(), attributes.cast(), thread_main, boot.cast()) };
    if result != 0 {
        // SAFETY: no thread was made, so the box is still ours.
        drop(unsafe { Box::from_raw(boot) });
        library.activity.thread_gone();
    }
    result
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
