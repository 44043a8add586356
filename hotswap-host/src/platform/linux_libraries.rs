//! The libraries that glibc has opened, and its functions that take a signal and a handler.
use super::linux::page_size;
use hotswap_plugin::contract::shim::SignalCall;
use libloading::os::unix as dl;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::null;

/// A library, as the dynamic linker knows it.
#[derive(Debug)]
pub(crate) struct LoadedObject {
    /// The path by which it was first opened.
    pub(crate) name: PathBuf,
    /// The addresses that it occupies.
    pub(crate) range: Range<usize>,
}

/// The beginning of the dynamic linker's `struct link_map`, which a handle points to.
#[repr(C)]
struct LinkMap {
    address: usize,
    name: *const c_char,
}

/// Returns the object that the dynamic linker has opened, or `None` if it does not say.
pub(crate) fn loaded_object(library: dl::Library, _: &Path) -> (dl::Library, Option<LoadedObject>) {
    let handle = library.into_raw();
    let mut map: *const LinkMap = null();
    // SAFETY: `handle` is open, and this request writes one pointer into `map`.
    let known = unsafe { libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast()) } == 0;
    let object = known.then(|| {
        // SAFETY: `dlinfo` has set `map` to a link map of the dynamic linker, which exists as long as the handle; its
        // name is a C string.
        let (address, name) = unsafe { ((*map).address, CStr::from_ptr((*map).name)) };
        find_object(|info, other| info.dlpi_addr as usize == address && other == name)
    });
    // SAFETY: `handle` comes from `into_raw` above and is used once.
    (unsafe { dl::Library::from_raw(handle) }, object.flatten())
}

/// Returns true if a library is loaded that was first opened by this path.
pub(crate) fn is_loaded(path: &Path) -> bool {
    find_object(|_, name| name.to_bytes() == path.as_os_str().as_bytes()).is_some()
}

/// Returns the first loaded object that `is` accepts by its information and its name.
fn find_object<F>(is: F) -> Option<LoadedObject>
where
    F: FnMut(&libc::dl_phdr_info, &CStr) -> bool,
{
    struct Search<F> {
        is: F,
        found: Option<LoadedObject>,
    }
    unsafe extern "C" fn visit<F: FnMut(&libc::dl_phdr_info, &CStr) -> bool>(
        info: *mut libc::dl_phdr_info,
        _: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: the dynamic linker passes a valid object, and the search that is passed to `dl_iterate_phdr` below.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search<F>>()) };
        if info.dlpi_name.is_null() {
            return 0;
        }
        // SAFETY: the dynamic linker's name is a C string.
        let name = unsafe { CStr::from_ptr(info.dlpi_name) };
        if !(search.is)(info, name) {
            return 0;
        }
        // SAFETY: the object has as many program headers as it says, at this address.
        let headers =
            unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
        let base = info.dlpi_addr as usize;
        let ends = headers.iter().filter(|h| h.p_type == libc::PT_LOAD);
        let end = ends
            .map(|h| base + (h.p_vaddr + h.p_memsz) as usize)
            .max()
            .unwrap_or(base);
        search.found = Some(LoadedObject {
            name: PathBuf::from(OsStr::from_bytes(name.to_bytes())),
            range: base..end.next_multiple_of(page_size()),
        });
        1
    }
    let mut search = Search { is, found: None };
    // SAFETY: the callback gets the search, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit::<F>), (&raw mut search).cast()) };
    search.found
}

/// Calls one of the C library's functions that take a signal and a handler.
///
/// # Safety
/// The requirements of the function apply.
pub(crate) unsafe fn signal(call: SignalCall, signal: c_int, handler: usize) -> usize {
    unsafe extern "C" {
        fn __sysv_signal(signal: c_int, handler: usize) -> usize;
        fn sigset(signal: c_int, handler: usize) -> usize;
    }
    // SAFETY: the caller keeps the requirements of the function.
    unsafe {
        match call {
            SignalCall::Bsd => libc::signal(signal, handler),
            SignalCall::SystemV => __sysv_signal(signal, handler),
            SignalCall::Set => sigset(signal, handler),
        }
    }
}
