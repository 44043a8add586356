//! Loom's types in place of std's.
pub(super) use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence,
};
pub(super) use loom::sync::{Mutex, MutexGuard};
use loom::thread::LocalKey;
use std::cell::Cell;

macro_rules! locked {
    ($($(#[$meta:meta])* $name:ident: $type:ty;)+) => {
        loom::lazy_static! {
            $($(#[$meta])* static ref $name: Mutex<$type> = Mutex::new(<$type>::new());)+
        }
    };
}

macro_rules! per_thread {
    ($(#[$meta:meta])* $name:ident: $type:ty;) => {
        $(#[$meta])*
        static $name: $crate::reclaim::sync::PerThread<$type> = {
            loom::thread_local! {
                static KEY: std::cell::Cell<Option<&'static $type>> = std::cell::Cell::new(None);
            }
            $crate::reclaim::sync::PerThread(&KEY)
        };
    };
}

pub(super) use {locked, per_thread};

pub(super) struct PerThread<T: 'static>(pub(super) &'static LocalKey<Cell<Option<&'static T>>>);

impl<T> PerThread<T> {
    pub(super) fn get(&self) -> Option<&'static T> {
        self.0.with(Cell::get)
    }

    pub(super) fn set(&self, value: Option<&'static T>) {
        self.0.with(|cell| cell.set(value));
    }
}
