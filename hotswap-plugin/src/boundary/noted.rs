//! `NotedErrors`, which notes that a method of an object has returned an error.
use crate::boundary::shared::Return;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The errors that methods have returned through one handle to an object. The host watches them: a call of an interface
/// has failed if one of its methods has returned an error.
#[derive(Default)]
pub struct NotedErrors {
    /// True once a method has returned an error.
    any: AtomicBool,
    count: Option<&'static dyn CountErrors>,
}

/// Counts the handles through which a method has returned an error.
pub trait CountErrors: Send + Sync {
    /// Counts one. Called at the first error of each handle.
    fn count_error(&self);
}

impl NotedErrors {
    /// Returns a note of no errors. `count` counts it at the first one.
    pub(crate) fn counted_by(count: &'static dyn CountErrors) -> Self {
        NotedErrors {
            count: Some(count),
            ..NotedErrors::default()
        }
    }

    /// Notes the result of a method.
    #[inline(always)]
    pub(crate) fn note<R: Return>(&self, result: &R) {
        if result.is_error() {
            self.note_one();
        }
    }

    #[cold]
    #[inline(never)]
    fn note_one(&self) {
        // Threads that share the handle write this once, and only read it afterwards.
        let first = !self.any.load(Relaxed) && !self.any.swap(true, Relaxed);
        if let Some(count) = self.count.filter(|_| first) {
            count.count_error();
        }
    }

    /// Returns true if a method has returned an error.
    #[inline(always)]
    pub fn any(&self) -> bool {
        self.any.load(Relaxed)
    }
}

impl fmt::Debug for NotedErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NotedErrors").field(&self.any()).finish()
    }
}
