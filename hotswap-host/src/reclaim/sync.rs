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

/// Declares a reference that each thread has for itself. There is none at first. It exists before, during, and after the
/// end of thread-locals.
macro_rules! per_thread {
    ($(#[$meta:meta])* $name:ident: $type:ty;) => {
        thread_local! {
            $(#[$meta])*
            static $name: std::cell::Cell<Option<&'static $type>> = const { std::cell::Cell::new(None) };
        }
    };
}

pub(super) use {locked, per_thread};
