//! The right to make the next generation, and the data that it is made from.
use super::cause::Cause;
use super::examine::Examination;
use super::stored_patches::StoredPatches;
use super::window::Window;
use crate::artifact::BuildSet;
use crate::base::lock_order::{Held, Rank};
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::linked::LinkedSet;
use crate::load_data::LoadDataBox;
use crate::runtime::HostRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The data that the next generation is made from.
pub(super) struct Writer {
    pub(super) allowed: Option<BTreeSet<PluginName>>,
    pub(super) allow_empty: bool,
    /// The plugins that are linked into the program. If there are any, the directory does not matter.
    pub(super) linked: Option<LinkedSet>,
    /// The plugins that the host can do without.
    pub(super) optional: BTreeSet<PluginName>,
    /// The plugins that [`Swapper::load`](super::Swapper::load) has added, with their files.
    pub(super) added: BTreeMap<PluginName, PathBuf>,
    /// The plugins that [`Swapper::unload`](super::Swapper::unload) has taken out.
    pub(super) removed: BTreeSet<PluginName>,
    pub(super) load_data: Arc<LoadDataBox>,
    pub(super) host: HostRecord,
    /// True if others may not write to the files that plugins are read from.
    pub(super) require_private: bool,
    /// What sees the builds before they are loaded.
    pub(super) examination: Examination,
    /// The number of attempts so far.
    pub(super) attempts: u64,
    pub(super) shut_down: bool,
    /// The open rollback window.
    pub(super) window: Option<Window>,
    /// The cause of a reload that waits for the end of the window.
    pub(super) deferred: Option<Cause>,
    /// The sets of builds that were reverted, with the reasons.
    pub(super) held: BTreeMap<BuildSet, String>,
    /// The set that was tried last before the host started.
    pub(super) tried: Option<BuildSet>,
    /// The patches that the journal has, or that it had when the host started.
    pub(super) patches: StoredPatches,
}

impl Writer {
    /// Returns an error if the set of plugins cannot change.
    ///
    /// # Errors
    /// The plugins are linked into the program.
    pub(super) fn check_may_change(&self) -> Result<(), ReloadError> {
        match &self.linked {
            None => Ok(()),
            Some(linked) => Err(ReloadError::Static {
                program: linked.program().to_owned(),
            }),
        }
    }
}

/// The place of the [`Writer`] while no thread makes a generation. Reloads queue here.
pub(super) struct WriterLock {
    writer: Mutex<Option<Box<Writer>>>,
    returned: Condvar,
}

impl WriterLock {
    pub(super) fn new(writer: Writer) -> Self {
        WriterLock {
            writer: Mutex::new(Some(Box::new(writer))),
            returned: Condvar::new(),
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Box<Writer>>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the writer once the threads before this one have returned it. Returns `None` if they have not by `end`.
    pub(super) fn take(&self, end: Option<Instant>) -> Option<WriterGuard<'_>> {
        let held = Held::of(Rank::Writer);
        let mut slot = self.slot();
        loop {
            if let Some(writer) = slot.take() {
                return Some(WriterGuard {
                    lock: self,
                    writer: Some(writer),
                    _held: held,
                });
            }
            slot = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => self
                    .returned
                    .wait(slot)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => {
                    let waited = self.returned.wait_timeout(slot, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// The writer, until this is dropped.
pub(super) struct WriterGuard<'l> {
    lock: &'l WriterLock,
    /// The writer. It is `None` only while this is dropped.
    writer: Option<Box<Writer>>,
    _held: Held,
}

impl Deref for WriterGuard<'_> {
    type Target = Writer;
    fn deref(&self) -> &Writer {
        self.writer
            .as_ref()
            .expect("the writer is there until the guard is dropped")
    }
}

impl DerefMut for WriterGuard<'_> {
    fn deref_mut(&mut self) -> &mut Writer {
        self.writer
            .as_mut()
            .expect("the writer is there until the guard is dropped")
    }
}

impl Drop for WriterGuard<'_> {
    fn drop(&mut self) {
        *self.lock.slot() = self.writer.take();
        self.lock.returned.notify_one();
    }
}
