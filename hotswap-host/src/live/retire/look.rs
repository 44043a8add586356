//! The last look: whether any code of a library can still run.
use crate::live::record::{self, Pending};
use crate::load::library::Library;
use std::sync::Arc;

/// Looks at a library that nothing calls any more. The order is that of `activity`: threads and objects, then the
/// records, then what was counted meanwhile.
///
/// # Errors
/// Some code of it may run; these destructors are known. Their threads have been asked to run them.
pub(super) fn look(library: &Arc<Library>, skip: bool) -> Result<(), Pending> {
    let activity = library.activity();
    let look = activity.look();
    if activity.threads() != 0 || activity.objects() != 0 {
        return Err(Pending::default());
    }
    activity.retire(&look);
    let pending = record::pending_destructors(library, skip);
    if pending.destructors == 0 && activity.is_unchanged(&look) {
        Ok(())
    } else {
        Err(pending)
    }
}
