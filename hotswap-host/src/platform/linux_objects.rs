//! The objects that Linux's dynamic linker has mapped, and the calls that led to the current one.
//!
//! Unsafe code: the dynamic linker and the unwinder pass addresses to callbacks.
#![allow(unsafe_code)]
use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

#[cfg(target_env = "gnu")]
pub(crate) use glibc::{LoadedObject, is_loaded, loaded_object};
#[cfg(not(target_pointer_width = "64"))]
use libc::Elf32_Phdr as Header;
#[cfg(target_pointer_width = "64")]
use libc::Elf64_Phdr as Header;

/// An object that the dynamic linker has mapped, while it is being looked at.
struct Object<'a> {
    /// The value to subtract from an address in memory to get the address in the file.
    base: usize,
    /// The path by which it was first opened. That of the executable is empty.
    name: &'a OsStr,
    headers: &'a [Header],
}

impl Object<'_> {
    /// Returns the address ranges of its segments.
    fn segments(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let loaded = |header: &&Header| header.p_type == libc::PT_LOAD;
        self.headers.iter().filter(loaded).map(|header| {
            let start = self.base + header.p_vaddr as usize;
            start..start + header.p_memsz as usize
        })
    }
}

/// Returns the first result of `look` at an object.
fn find<R, F: FnMut(Object<'_>) -> Option<R>>(look: F) -> Option<R> {
    struct Search<R, F> {
        look: F,
        found: Option<R>,
    }
    unsafe extern "C" fn visit<R, F: FnMut(Object<'_>) -> Option<R>>(
        info: *mut libc::dl_phdr_info,
        _: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: the dynamic linker passes a valid object, and the search that `find` passes to `dl_iterate_phdr`.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search<R, F>>()) };
        let has_name = !info.dlpi_name.is_null();
        // SAFETY: a name that the dynamic linker passes is a C string. The object has as many program headers as it
        // says, at this address.
        let (name, headers) = unsafe {
            (
                has_name.then(|| CStr::from_ptr(info.dlpi_name)),
                std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize),
            )
        };
        search.found = (search.look)(Object {
            base: info.dlpi_addr as usize,
            name: OsStr::from_bytes(name.map_or(&[], CStr::to_bytes)),
            headers,
        });
        c_int::from(search.found.is_some())
    }
    let mut search = Search { look, found: None };
    // SAFETY: `visit` gets the search, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit::<R, F>), (&raw mut search).cast()) };
    search.found
}

/// Returns the path of the file that an address belongs to, and the value to subtract from the address to get the
/// address in the file.
pub(crate) fn file_of(address: usize) -> Option<(PathBuf, usize)> {
    find(|object| {
        let mut segments = object.segments();
        segments.find(|segment| segment.contains(&address))?;
        let path = match object.name.is_empty() {
            true => OsStr::new("/proc/self/exe"),
            false => object.name,
        };
        Some((path.into(), object.base))
    })
}

/// Frames beyond this one are left out, because a runaway recursion has a million.
const DEPTH: usize = 256;

/// Returns an address within each call that led here, the innermost first.
pub(crate) fn calls_here() -> Vec<usize> {
    #[repr(C)]
    struct Context {
        _opaque: [u8; 0],
    }
    const NO_REASON: c_int = 0;
    const END_OF_STACK: c_int = 5;
    unsafe extern "C" {
        fn _Unwind_Backtrace(
            visit: unsafe extern "C" fn(*mut Context, *mut c_void) -> c_int,
            argument: *mut c_void,
        ) -> c_int;
        fn _Unwind_GetIPInfo(context: *mut Context, before: *mut c_int) -> usize;
    }
    unsafe extern "C" fn visit(context: *mut Context, found: *mut c_void) -> c_int {
        let mut before = 0;
        // SAFETY: `found` is the vector that is passed to the unwinder below, and the unwinder passes a context that is
        // valid during this call.
        let (found, address) = unsafe {
            let found = &mut *found.cast::<Vec<usize>>();
            (found, _Unwind_GetIPInfo(context, &mut before))
        };
        // A return address belongs to the instruction after the call, which may be part of another line or function.
        found.push(if before == 0 {
            address.wrapping_sub(1)
        } else {
            address
        });
        if found.len() < DEPTH {
            NO_REASON
        } else {
            END_OF_STACK
        }
    }
    let mut found: Vec<usize> = Vec::with_capacity(DEPTH);
    // SAFETY: the callback gets the vector, which outlives the call, and never makes it grow.
    unsafe { _Unwind_Backtrace(visit, (&raw mut found).cast()) };
    found
}

#[cfg(target_env = "gnu")]
mod glibc {
    use super::{Object, find};
    use libloading::os::unix as dl;
    use std::ffi::{CStr, OsStr, c_char};
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

    impl LoadedObject {
        fn of(object: &Object<'_>) -> Self {
            let end = object.segments().map(|segment| segment.end).max();
            let end = end.unwrap_or(object.base);
            LoadedObject {
                name: object.name.into(),
                range: object.base..end.next_multiple_of(rustix::param::page_size()),
            }
        }
    }

    /// The beginning of the dynamic linker's `struct link_map`, which a handle points to.
    #[repr(C)]
    struct LinkMap {
        address: usize,
        name: *const c_char,
    }

    /// Returns the object that the dynamic linker has opened, or `None` if it does not say.
    pub(crate) fn loaded_object(
        library: dl::Library,
        _: &Path,
    ) -> (dl::Library, Option<LoadedObject>) {
        let handle = library.into_raw();
        let mut map: *const LinkMap = null();
        // SAFETY: `handle` is open, and this request writes one pointer into `map`.
        let known =
            unsafe { libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast()) } == 0;
        let object = known.then(|| {
            // SAFETY: `dlinfo` has set `map` to a link map of the dynamic linker, which exists as long as the handle;
            // its name is a C string.
            let (address, name) = unsafe { ((*map).address, CStr::from_ptr((*map).name)) };
            let name = OsStr::from_bytes(name.to_bytes());
            find(|object| {
                let same = object.base == address && object.name == name;
                same.then(|| LoadedObject::of(&object))
            })
        });
        // SAFETY: `handle` comes from `into_raw` above and is used once.
        (unsafe { dl::Library::from_raw(handle) }, object.flatten())
    }

    /// Returns true if a library is loaded that was first opened by this path.
    pub(crate) fn is_loaded(path: &Path) -> bool {
        find(|object| (object.name == path.as_os_str()).then_some(())).is_some()
    }
}
