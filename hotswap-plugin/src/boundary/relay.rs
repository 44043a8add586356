//! Relays: the functions of an interface's table that look up, in a list of the host, what to call. A host that has
//! replaced single methods of a plugin lends its callers a table of relays instead of the plugin's own table.
#![allow(unsafe_code, reason = "it reads the list behind an address")]
use std::mem::transmute_copy;

/// A C function, and the first argument to call it with.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawFunction {
    /// The address of the function.
    pub call: *const (),
    /// Its first argument.
    pub this: *const (),
}

// SAFETY: the addresses are only copied. Whoever calls the function says that it may be called from that thread.
unsafe impl Send for RawFunction {}
// SAFETY: the addresses are only copied. Whoever calls the function says that it may be called from that thread.
unsafe impl Sync for RawFunction {}

/// Returns the function that is called for the method with this number, and the first argument to call it with. `F` is
/// the type of the method's C function.
///
/// # Safety
/// `list` is the address of a list of [`RawFunction`]s, one for each method of an interface, in the order of its table.
/// The C function of the method with this number is an `F`.
#[inline(always)]
pub unsafe fn relayed<F: Copy>(list: *const (), method: usize) -> (F, *const ()) {
    const { assert!(size_of::<F>() == size_of::<*const ()>()) };
    // SAFETY: the caller guarantees that the list has an entry for the method, and that its function is an `F`, which is
    // a function pointer and so has the size of an address.
    unsafe {
        let entry = *list.cast::<RawFunction>().add(method);
        (transmute_copy::<*const (), F>(&entry.call), entry.this)
    }
}
