//! The functions that are given to the kernel, and to plugins that ask, in place of the plugins' handlers.
//!
//! A handler does not learn the address by which it was called, so each slot has functions of its own: one for handlers
//! with `SA_SIGINFO`, and one for handlers that take only the signal.
use super::slots::{self, COUNT};
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

type WithInfo = unsafe extern "C-unwind" fn(c_int, *mut libc::siginfo_t, *mut c_void);
type Plain = unsafe extern "C-unwind" fn(c_int);

unsafe extern "C-unwind" fn with_info<const AT: usize>(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    // SAFETY: these are the arguments that the kernel passes to such a handler, or a handler that hands the signal on.
    unsafe { slots::run(AT, signal, info, context) };
}

unsafe extern "C-unwind" fn plain<const AT: usize>(signal: c_int) {
    // SAFETY: this is the argument that the kernel passes to such a handler, or a handler that hands the signal on.
    unsafe { slots::run(AT, signal, null_mut(), null_mut()) };
}

macro_rules! row {
    ($of:ident, $from:literal) => {
        row!(@ $of, $from, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $of:ident, $from:literal, $($more:literal)*) => { [$($of::<{ $from + $more }>),*] };
}
macro_rules! rows {
    ($of:ident: $($from:literal)*) => { [$(row!($of, $from)),*] };
}

const ROWS: usize = COUNT / 16;
// These are statics, so that each function has one address.
static WITH_INFO: [[WithInfo; 16]; ROWS] =
    rows!(with_info: 0 16 32 48 64 80 96 112 128 144 160 176 192 208 224 240);
static PLAIN: [[Plain; 16]; ROWS] =
    rows!(plain: 0 16 32 48 64 80 96 112 128 144 160 176 192 208 224 240);

/// Returns the function of a slot, for a handler with or without `SA_SIGINFO`.
pub(super) fn of(slot: usize, has_info: bool) -> usize {
    match has_info {
        true => WITH_INFO.as_flattened()[slot] as usize,
        false => PLAIN.as_flattened()[slot] as usize,
    }
}

/// Returns the slot that a function belongs to, or `None` if the address is not such a function.
pub(super) fn slot_of(address: usize) -> Option<usize> {
    (0..COUNT).find(|slot| [true, false].map(|info| of(*slot, info)).contains(&address))
}
