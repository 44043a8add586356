//! The last look: whether any code of a library can still run. Why it is right is said in `activity`.
use super::activity::Look;
use super::code::Code;
use super::record::{self, Pending};

/// Looks at a library that nothing calls any more.
///
/// # Errors
/// Some code of it may run; these destructors are known, and their threads have been asked to run them.
pub(crate) fn look(library: &dyn Code, skip: bool) -> Result<(), Pending> {
    let activity = library.activity();
    let look = activity.look();
    if activity.threads() != 0 || activity.objects() != 0 {
        return Err(Pending::default());
    }
    end(&[(library, &look)], skip)
}

/// Ends looks that have found no thread, and no object that could be called but by these libraries.
///
/// # Errors
/// As [`look()`].
pub(crate) fn end(looks: &[(&dyn Code, &Look)], skip: bool) -> Result<(), Pending> {
    let mut all = Pending::default();
    // All are asked, so that threads run the destructors of all of them at once.
    for (library, look) in looks {
        library.activity().retire(look);
        let pending = record::pending_destructors(*library, skip);
        all.destructors += pending.destructors;
        all.threads.extend(pending.threads);
    }
    let unchanged = |(library, look): &(&dyn Code, &Look)| library.activity().is_unchanged(look);
    if all.destructors == 0 && looks.iter().all(unchanged) {
        Ok(())
    } else {
        Err(all)
    }
}
