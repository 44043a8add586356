//! Walks the stack on Linux, with the unwinder that std uses anyway and the dynamic linker's list.
use super::module::Module;
use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Frames beyond this one are left out, because a runaway recursion has a million.
const DEPTH: usize = 256;

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

/// Returns an address within each call that led here, the innermost first.
pub(super) fn addresses() -> Vec<usize> {
    unsafe extern "C" fn visit(context: *mut Context, found: *mut c_void) -> c_int {
        // SAFETY: `found` is the vector that is passed to the unwinder below.
        let found = unsafe { &mut *found.cast::<Vec<usize>>() };
        let mut before = 0;
        // SAFETY: the context comes from the unwinder.
        let address = unsafe { _Unwind_GetIPInfo(context, &mut before) };
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

/// Returns the loaded file that an address belongs to.
pub(super) fn module(address: usize) -> Option<Module> {
    struct Search {
        address: usize,
        found: Option<Module>,
    }
    unsafe extern "C" fn visit(
        info: *mut libc::dl_phdr_info,
        _: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: the dynamic linker passes a valid object, and the search that is passed to `dl_iterate_phdr` below.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
        // SAFETY: the object has as many program headers as it says, at this address.
        let headers =
            unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
        let base = info.dlpi_addr as usize;
        let inside = headers
            .iter()
            .filter(|header| header.p_type == libc::PT_LOAD)
            .any(|header| {
                let start = base + header.p_vaddr as usize;
                (start..start + header.p_memsz as usize).contains(&search.address)
            });
        if !inside {
            return 0;
        }
        // SAFETY: the pointer is null, or leads to a C string of the dynamic linker.
        let name =
            unsafe { info.dlpi_name.as_ref().map(|name| CStr::from_ptr(name)) }.unwrap_or_default();
        let path = match name.to_bytes() {
            b"" => PathBuf::from("/proc/self/exe"),
            name => PathBuf::from(OsStr::from_bytes(name)),
        };
        search.found = Some(Module { path, base });
        1
    }
    let mut search = Search {
        address,
        found: None,
    };
    // SAFETY: the callback gets the search, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.found
}
