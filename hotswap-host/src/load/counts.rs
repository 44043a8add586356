//! The counts of an object of a plugin that others own: who has how many.
use super::library::Library;
use std::sync::Arc;

/// The counts of an object that others own.
#[derive(Default)]
pub(super) struct Counts {
    /// The owners with the number of their counts. An owner is the library of a plugin, or the host.
    pub(super) by: Vec<(Option<Arc<Library>>, usize)>,
    /// The number of futures that borrow the object and have not been dropped.
    pub(super) futures: usize,
    /// The object has been dropped, or is being dropped.
    pub(super) dropped: bool,
}

impl Counts {
    /// Returns the place of this owner in the list.
    pub(super) fn entry(&mut self, by: Option<&Arc<Library>>) -> Option<usize> {
        let same = |known: &Option<Arc<Library>>| match (known.as_ref(), by) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        self.by.iter().position(|(known, _)| same(known))
    }

    pub(super) fn add(&mut self, by: Option<Arc<Library>>) {
        match self.entry(by.as_ref()) {
            Some(at) => self.by[at].1 += 1,
            None => self.by.push((by, 1)),
        }
    }

    pub(super) fn remove(&mut self, by: Option<&Arc<Library>>, count: usize) {
        let Some(at) = self.entry(by) else { return };
        self.by[at].1 = self.by[at].1.saturating_sub(count);
        if self.by[at].1 == 0 {
            self.by.swap_remove(at);
        }
    }
}
