//! The code of a library: opening and closing it, its tables, and the functions that it registers to be called later.
//!
//! Unsafe code: the dynamic linker returns addresses, and the contract says what is there.
#![allow(unsafe_code)]
use crate::platform::{self, LoadedObject, dl};
use crate::reclaim::code::Code;
use crate::reclaim::look::Quiet;
use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{
    CheckingGlobals, check_layout_compatibility_with_globals,
};
use abi_stable::library::AbiHeaderRef;
use hotswap_plugin::contract::entry::ROOT_SYMBOL;
use hotswap_plugin::contract::linked::Linked;
use hotswap_plugin::contract::shim::{Destructor, ForkHandler, Token};
use hotswap_plugin::contract::{HostTableRef, LiveDesc, PluginDesc, PluginEntryRef, Remains};
use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Mutex, PoisonError};

/// A library that the dynamic linker has mapped. Dropping it leaves it mapped; [`close`](Self::close) unmaps it.
pub(super) struct Mapped {
    /// The handle, until it is closed.
    handle: Mutex<Option<ManuallyDrop<dl::Library>>>,
    path: PathBuf,
    range: Range<usize>,
    is_gone: AtomicBool,
    /// Memory that its code may use while it is mapped.
    kept: Mutex<Vec<Kept>>,
}

/// Memory that is freed once the library that has it is gone. Dropping it leaves it allocated.
struct Kept(Remains);

// SAFETY: nothing but the library uses the memory, on any of its threads.
unsafe impl Send for Kept {}

/// The reason why a private copy could not be opened.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// The dynamic linker's error.
    Linker(libloading::Error),
    /// The dynamic linker took the copy for this library, which is already loaded.
    TakenFor(PathBuf),
}

impl Mapped {
    /// Opens a private copy. The calling thread has to be one that never ends: a constructor of the library may remember
    /// it as the first thread of the process.
    ///
    /// # Errors
    /// See [`NotOpened`]. Nothing of the copy is mapped then.
    pub(super) fn open(path: &Path) -> Result<Self, NotOpened> {
        // SAFETY: opening runs the constructors of the library and of the libraries that it needs. The host trusts the
        // code of the plugins that it loads, and the contract requires that constructors do not unwind.
        #[cfg_attr(windows, allow(unused_unsafe))]
        let handle = unsafe { platform::open_library(path) };
        let handle = handle.map_err(NotOpened::Linker)?;
        match platform::loaded_object(handle, path) {
            (handle, Some(LoadedObject { name, range })) if name == path => Ok(Mapped {
                handle: Mutex::new(Some(ManuallyDrop::new(handle))),
                path: name,
                range,
                is_gone: AtomicBool::new(false),
                kept: Mutex::default(),
            }),
            // It has the device and inode of a library that is already loaded. Dropping the handle undoes the count.
            (_, other) => {
                let name = other.map(|object| object.name);
                Err(NotOpened::TakenFor(name.unwrap_or_default()))
            }
        }
    }

    /// The path of the private copy.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The addresses that the library occupies.
    pub(super) fn range(&self) -> &Range<usize> {
        &self.range
    }

    /// Returns true once the library has left memory.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(SeqCst)
    }

    /// Unmaps the library. Returns false if it stays, or if it was closed before.
    ///
    /// `quiet` is the proof that no code of the library runs or can be called: the instance has been freed by now, and
    /// what the library's own destructors ask for is barred. The module `swapper::retire` has the whole argument.
    ///
    /// # Panics
    /// Panics if the proof is of another library, or if the library is not barred.
    pub(super) fn close(&self, library: &dyn Code, quiet: &Quiet) -> bool {
        assert!(quiet.is_of(library), "a look has found nothing of it");
        assert!(library.activity().is_barred(), "it is barred");
        let handle = self
            .handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(handle) = handle else { return false };
        // An error leaves the library mapped, which the next line checks.
        let _ = ManuallyDrop::into_inner(handle).close();
        let is_gone = !platform::is_loaded(&self.path);
        self.is_gone.store(is_gone, SeqCst);
        if is_gone {
            self.free_kept();
        }
        is_gone
    }

    fn free_kept(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for Kept(Remains { at, size, align }) in kept.drain(..) {
            if let Ok(layout) = Layout::from_size_align(size, align) {
                // SAFETY: by the contract of `Remains`, the memory is of `System` and has this layout, and only the
                // library used it, which is gone. `System` of all copies of std is the C library's `malloc`, or the
                // heap of the process on Windows.
                unsafe { System.dealloc(at, layout) };
            }
        }
    }

    /// Takes over memory that the library has returned, and frees it once the library has left memory.
    pub(super) fn keep(&self, remains: Remains) {
        if !remains.at.is_null() {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(Kept(remains));
        }
    }

    /// Returns a symbol of the library.
    ///
    /// # Safety
    /// `T` is the type of the symbol.
    pub(super) unsafe fn symbol<T: Copy>(&self, name: &[u8]) -> Result<T, String> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = handle.as_ref().ok_or("it was closed")?;
        // SAFETY: the caller guarantees the type, and `handle` is open.
        let symbol = unsafe { handle.get::<T>(name) };
        symbol.map(|symbol| *symbol).map_err(|error| said(&error))
    }
}

/// The tables of a plugin: the functions that the host calls, and what the plugin offers and needs.
///
/// They are constants of its library. Whoever has this keeps the library.
pub(crate) struct Tables {
    entry: PluginEntryRef,
    desc: &'static PluginDesc,
}

// SAFETY: the tables are constants, and their functions may be called from any thread: the contract of `PluginEntry` and
// of `FunctionDesc::new`.
unsafe impl Send for Tables {}
// SAFETY: the tables are constants, and their functions may be called from several threads at once: the contract of
// `PluginEntry` and of `FunctionDesc::new`.
unsafe impl Sync for Tables {}

impl Tables {
    /// Checks the layout of a library's contract, and lends the plugin the host's table. `token` is the token of the
    /// library.
    ///
    /// The errors are texts, because those of `abi_stable` point into the library.
    ///
    /// # Errors
    /// The library has no tables, or a layout differs.
    pub(super) fn of_mapped(
        mapped: &Mapped,
        token: Token,
        host: HostTableRef,
    ) -> Result<Self, String> {
        // SAFETY: `Artifact::read` has checked the contract's version, which fixes the type of this symbol.
        Tables::connect(unsafe { mapped.symbol(ROOT_SYMBOL) }?, token, host)
    }

    /// Does the same for a plugin that is linked into the program.
    ///
    /// # Errors
    /// A layout differs.
    pub(super) fn of_linked(
        linked: &Linked,
        token: Token,
        host: HostTableRef,
    ) -> Result<Self, String> {
        // SAFETY: `Artifact::described` has checked the contract's version, which fixes the type of the header.
        Tables::connect(unsafe { linked.header() }, token, host)
    }

    fn connect(header: AbiHeaderRef, token: Token, host: HostTableRef) -> Result<Self, String> {
        let header = header.upgrade().map_err(|e| first_line(&e.to_string()))?;
        let layout = header.layout().ok_or("its tables have no layout")?;
        // Each comparison has its own globals: the process-wide ones of `abi_stable` would keep pointers into the
        // library.
        check_layout_compatibility_with_globals(
            PluginEntryRef::LAYOUT,
            layout,
            &CheckingGlobals::new(),
        )
        .map_err(|e| first_line(&e.to_string()))?;
        // SAFETY: the layout has just been compared.
        let entry = unsafe { header.init_root_module_with_unchecked_layout::<PluginEntryRef>() }
            .map_err(|e| first_line(&e.to_string()))?;
        // SAFETY: the callers pass the token of the library, whose `Library` lives as long as its code, and the table is
        // a constant of the host. By the contract of `PluginEntry::describe`, the description is a constant `PluginDesc`
        // of the library, which the owner of `Tables` keeps.
        unsafe {
            entry.connect()(token, host);
            let desc = &*entry.describe()().0.cast::<PluginDesc>();
            Ok(Tables { entry, desc })
        }
    }

    /// The functions that the host calls.
    pub(crate) fn entry(&self) -> PluginEntryRef {
        self.entry
    }

    /// The plugin's own functions, its exports, and its imports.
    pub(crate) fn desc(&self) -> &PluginDesc {
        self.desc
    }

    /// Returns copies of the descriptions of the live functions and types that the library has.
    pub(super) fn live(&self) -> Vec<LiveDesc> {
        // SAFETY: the layout of the entry was compared, so the library has this version of the contract, and the owner
        // of `Tables` keeps it open.
        unsafe { self.entry.live()().get() }.to_vec()
    }
}

/// An exit function that a library has registered, with its argument.
pub(super) struct ExitFunction {
    run: Destructor,
    argument: *mut c_void,
}

// SAFETY: the argument is only passed to the function, and exit functions may be called on any thread.
unsafe impl Send for ExitFunction {}

impl ExitFunction {
    pub(super) fn new(run: Destructor, argument: *mut c_void) -> Self {
        ExitFunction { run, argument }
    }

    pub(super) fn call(self) {
        // SAFETY: the library has registered the function with this argument, and it runs once, because `self` is
        // consumed. The library is mapped: `retire::close` closes none that has exit functions, and the retirement waits
        // for the thread that runs those it has taken.
        unsafe { (self.run)(self.argument) };
    }
}

/// A fork handler that a library has registered.
#[derive(Clone, Copy)]
pub(super) struct ForkFunction(ForkHandler);

impl ForkFunction {
    pub(super) fn new(run: ForkHandler) -> Self {
        ForkFunction(run)
    }

    pub(super) fn call(self) {
        // SAFETY: the library has registered the handler, and it is mapped, because `load::fork` has counted the library
        // before it calls its handlers.
        unsafe { (self.0)() };
    }
}

/// Returns the message of the dynamic linker. The error itself only says which of its functions failed.
pub(super) fn said(error: &libloading::Error) -> String {
    match error.source() {
        Some(said) => said.to_string(),
        None => error.to_string(),
    }
}

fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("unknown difference")
        .to_owned()
}
