//! The order in which the replaced instances of one generation are freed.
use std::sync::{Arc, Weak};

/// An instance's place in the order. Instances are freed after those that import them, and otherwise in reverse order
/// of construction.
///
/// When a place is dropped, the next one is due. An instance waits for the place before it no longer than the limit, so
/// that an instance that hangs or is held does not keep unrelated ones in memory. The instances that it imports wait
/// all the same, since it owns them.
pub(super) struct FreeOrder {
    before: Weak<()>,
    own: Arc<()>,
}

impl FreeOrder {
    /// Returns the place of an instance that waits for no other.
    pub(super) fn first() -> Self {
        FreeOrder {
            before: Weak::new(),
            own: Arc::new(()),
        }
    }

    /// Returns the place after this one.
    pub(super) fn next(&self) -> Self {
        FreeOrder {
            before: Arc::downgrade(&self.own),
            ..FreeOrder::first()
        }
    }

    /// Returns true if the place before this one has been dropped.
    pub(super) fn is_due(&self) -> bool {
        self.before.strong_count() == 0
    }
}
