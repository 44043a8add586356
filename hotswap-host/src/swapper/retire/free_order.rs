//! The order in which the replaced instances of one generation are freed.
use std::sync::{Arc, Weak};

/// An instance's place in the order: after those that import it, and otherwise the last constructed first.
///
/// A turn that is dropped passes to the next. Nobody waits for it for longer than the limit: an instance that hangs, or
/// that somebody holds, does not keep strangers in memory. Those that it imports wait all the same, since it owns them.
pub(super) struct FreeOrder {
    before: Weak<()>,
    own: Arc<()>,
}

impl FreeOrder {
    /// That of an instance which waits for no other.
    pub(super) fn first() -> Self {
        FreeOrder {
            before: Weak::new(),
            own: Arc::new(()),
        }
    }

    /// The turn after this one.
    pub(super) fn next(&self) -> Self {
        FreeOrder {
            before: Arc::downgrade(&self.own),
            ..FreeOrder::first()
        }
    }

    /// Whether the turn before has passed.
    pub(super) fn is_due(&self) -> bool {
        self.before.strong_count() == 0
    }
}
