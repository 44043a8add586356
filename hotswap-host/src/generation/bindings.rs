//! The targets of the host's handles in one generation.
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};
use std::sync::{Mutex, PoisonError};

/// The targets of the host's handles in one generation, in a table by the handle's number.
///
/// The table of the live generation grows while it is being read. When it is full, a larger one replaces it; the old
/// ones are kept until the generation goes.
#[derive(Default)]
pub(crate) struct Bindings {
    table: AtomicPtr<Binding>,
    len: AtomicUsize,
    tables: Mutex<Vec<Box<[Binding]>>>,
}

/// A function of a plugin, and the instance to call it with. Both are null if the plugin or the function does not
/// exist.
#[derive(Default)]
pub(crate) struct Binding {
    call: AtomicPtr<()>,
    this: AtomicPtr<()>,
}

/// A copy of a [`Binding`].
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) call: *const (),
    pub(crate) this: *const (),
}

impl Target {
    pub(crate) const NONE: Target = Target {
        call: std::ptr::null(),
        this: std::ptr::null(),
    };
}

impl Bindings {
    /// Returns the target of the handle with this number, if this generation knows the handle.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Target> {
        if index >= self.len.load(Acquire) {
            return None;
        }
        // SAFETY: `set` published a table with more than `index` entries before it raised the length, and tables live
        // as long as the generation.
        Some(unsafe { self.get_published(index) })
    }

    /// Returns the target of the handle with this number in the live generation, without a check that the handle is
    /// known.
    ///
    /// # Safety
    /// The binding was set before the handle was given out, and the handle has reached this thread since; or this
    /// generation was made live after that.
    #[inline(always)]
    pub(crate) unsafe fn get_published(&self, index: usize) -> Target {
        let table = self.table.load(Acquire);
        // SAFETY: the caller guarantees that the binding was set. The entry was written before the table or the length
        // was published.
        let binding = unsafe { &*table.add(index) };
        Target {
            call: binding.call.load(Relaxed),
            this: binding.this.load(Relaxed),
        }
    }

    /// Sets the target of a handle. The number is the next one, or that of a handle that does not exist any more. The
    /// caller holds the swapper's lock of handles.
    pub(crate) fn set(&self, index: usize, target: Target) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.len.load(Relaxed);
        if tables.last().is_none_or(|table| table.len() <= index) {
            let room = (2 * index).max(16);
            let mut larger: Box<[Binding]> = (0..room).map(|_| Binding::default()).collect();
            for (index, binding) in larger.iter_mut().take(len).enumerate() {
                // SAFETY: the index is below the length.
                let old = unsafe { self.get_published(index) };
                *binding = Binding {
                    call: old.call.cast_mut().into(),
                    this: old.this.cast_mut().into(),
                };
            }
            tables.push(larger);
        }
        let Some(table) = tables.last() else { return };
        table[index].call.store(target.call.cast_mut(), Relaxed);
        table[index].this.store(target.this.cast_mut(), Relaxed);
        let table = table.as_ptr().cast_mut();
        if table != self.table.load(Relaxed) {
            self.table.store(table, Release);
        }
        self.len.store(len.max(index + 1), Release);
    }
}
