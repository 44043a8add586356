//! The last look, which decides whether any code of a library can still run. The module [`activity`](super::activity)
//! proves it.
use super::activity::Look;
use super::code::Code;
use super::record::{self, Pending};
use super::slot::Address;

/// Proof that a look at these libraries has found no thread, no object, and no destructor of them that code outside of
/// them could reach, and nothing that has begun meanwhile.
pub(crate) struct Quiet(Vec<Address>);

impl Quiet {
    /// Returns true if this is the proof for the library.
    pub(crate) fn is_of(&self, library: &dyn Code) -> bool {
        self.0.contains(&Address::of(&raw const *library))
    }
}

/// Looks at a library that no caller reaches any more.
///
/// # Errors
/// Some code of the library may still run. The error lists the destructors that were found; their threads have been
/// asked to run them.
pub(crate) fn look(library: &dyn Code, skip: bool) -> Result<Quiet, Pending> {
    let activity = library.activity();
    let look = activity.look();
    if activity.threads() != 0 || activity.objects() != 0 {
        return Err(Pending::default());
    }
    end(&[(library, &look)], skip)
}

/// Ends looks that have found no thread, and no object that anything but these libraries could call.
///
/// # Errors
/// Some code of one of the libraries may still run: see [`look()`].
pub(crate) fn end(looks: &[(&dyn Code, &Look)], skip: bool) -> Result<Quiet, Pending> {
    let mut all = Pending::default();
    // All threads are asked first, so that they run the destructors of all libraries at the same time.
    for (library, look) in looks {
        library.activity().retire(look);
        let pending = record::pending_destructors(*library, skip);
        all.destructors += pending.destructors;
        all.threads.extend(pending.threads);
    }
    let unchanged = |(library, look): &(&dyn Code, &Look)| library.activity().is_unchanged(look);
    if all.destructors == 0 && looks.iter().all(unchanged) {
        let libraries = looks.iter().map(|(library, _)| *library);
        Ok(Quiet(
            libraries.map(|l| Address::of(&raw const *l)).collect(),
        ))
    } else {
        Err(all)
    }
}
