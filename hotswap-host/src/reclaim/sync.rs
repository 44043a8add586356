//! The types that threads share, for the files whose protocol is model-checked. The model compiles these files with the
//! checker's types in place of these.
pub(super) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence,
};
pub(super) use std::sync::{Mutex, MutexGuard};

/// Declares statics behind locks. They are empty at first.
macro_rules! locked {
    ($($(#[$meta:meta])* $name:ident: $type:ty;)+) => {
        $($(#[$meta])* static $name: Mutex<$type> = Mutex::new(<$type>::new());)+
    };
}

/// Declares a pointer that each thread has for itself. It is null at first, and exists before, during, and after the
/// end of thread-locals.
macro_rules! per_thread {
    ($(#[$meta:meta])* $name:ident: *const $type:ty;) => {
        thread_local! {
            $(#[$meta])*
            static $name: std::cell::Cell<*const $type> = const { std::cell::Cell::new(std::ptr::null()) };
        }
    };
}

pub(super) use {locked, per_thread};
