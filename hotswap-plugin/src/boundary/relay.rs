//! Functions that a host has replaced, as callers of an interface find them: relays and routed entries.
//!
//! **Relays** are functions of an interface's table that look up, in a list of the host, what to call. A host that has
//! replaced single methods of a plugin lends its own callers a table of relays instead of the plugin's table.
//!
//! **A routed entry** of a table leads to another function with another first argument. The table that a host lends for
//! an import belongs to the host, which routes single entries of it, and takes that back, while plugins call through it.
//! An entry is one word: the address of a function, or the address of a [`RawFunction`] with a mark. A call reads it
//! once, so it never has the function of one and the first argument of the other.
//!
//! A call through an entry that is not routed takes two instructions more than one through a constant table: a test of the
//! word that it has read anyway, and a branch that is not taken.
//!
//! The caller reads the entry without an order, since most entries never change, and the static tables of plugins are
//! in memory that cannot be written. A fence in the rare case orders what is behind a routed entry.
#![allow(unsafe_code, reason = "it reads lists and entries behind addresses")]
use std::mem::transmute_copy;
use std::sync::atomic::{AtomicPtr, Ordering::*, fence};

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

/// The mark of a routed entry, in a bit that is clear in every address of a program.
const ROUTED: usize = 1 << (usize::BITS - 1);

/// Tells the compiler that the branch with this call is not the usual one.
#[cold]
#[inline]
pub(super) fn rarely() {}

/// Returns the entry of a table that leads calls to this function.
pub fn routed(function: *const RawFunction) -> *const () {
    function.cast::<()>().map_addr(|at| at | ROUTED)
}

/// Reads an entry of a table: returns the function to call, and its first argument, which is `this` unless the entry is
/// routed. `F` is the type of the C function.
///
/// # Safety
/// `entry` is the address of an entry of an interface's table, which is there until the call has returned. It holds the
/// address of an `F`, or what [`routed`] returned for a function that is an `F`. While others write the entry, they do so
/// atomically, and publish what is behind it with `Release`.
#[inline(always)]
pub(super) unsafe fn entered<F: Copy>(entry: *const F, this: *const ()) -> (F, *const ()) {
    const { assert!(size_of::<F>() == size_of::<*const ()>()) };
    // SAFETY: the caller guarantees that the entry is there. It has the size of an address, as the line above checks. A
    // relaxed load of that size is allowed for memory that is only readable, too.
    let found = unsafe { (*entry.cast::<AtomicPtr<()>>()).load(Relaxed) };
    let function = match found.addr() & ROUTED {
        0 => RawFunction { call: found, this },
        _ => {
            rarely();
            fence(Acquire);
            let function = found.map_addr(|at| at & !ROUTED);
            // SAFETY: the mark says that this is the address of a `RawFunction`, which the fence orders after its
            // publication. The caller guarantees that it is there until the call has returned.
            unsafe { *function.cast::<RawFunction>() }
        }
    };
    // SAFETY: the caller guarantees that the function is an `F`, which has the size of an address.
    let call = unsafe { transmute_copy::<*const (), F>(&function.call) };
    (call, function.this)
}
