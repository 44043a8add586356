//! [`Requested`], changes of a host with who asked for them.
use super::Swapper;
use super::cause::Cause;
use super::observe::ReloadEventKind;
use super::progress::Progress;
use super::report::Report;
use super::requester::Requester;
use crate::error::{PatchError, ReloadError};
use std::time::Duration;

/// Changes of a host that somebody outside of its code asks for, for example through its control socket. Their events have
/// [`Cause::Request`], and so the history knows who asked.
///
/// [`Reload::requested_by`](crate::Reload::requested_by) does this for a reload.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// use hotswap_host::Requester;
///
/// # fn run(swapper: &Swapper) -> Result<(), ReloadError> {
/// let operator = Requester::new("the operator on duty").reason("the disk is full");
/// let operator = swapper.requested_by(operator);
/// operator.take_out_of_service("recorder", "the disk is full")?;
/// // …
/// operator.resume("recorder")?;
/// # Ok(())
/// # }
/// ```
#[must_use = "this changes nothing until one of its methods is called"]
pub struct Requested<'s> {
    swapper: &'s Swapper,
    by: Requester,
    cause: Cause,
}

impl Swapper {
    /// Says who asks for the changes that the result makes, and why.
    pub fn requested_by(&self, by: impl Into<Requester>) -> Requested<'_> {
        let by = by.into();
        Requested {
            swapper: self,
            cause: Cause::Request(by.clone()),
            by,
        }
    }

    pub(super) fn confirm_because_of(&self, cause: &Cause) -> Result<(), ReloadError> {
        let mut writer = self.0.writer()?;
        let window = writer.window.as_ref().ok_or(ReloadError::NoWindow)?;
        self.0.check_not_frozen()?;
        let journal = self.0.journal.as_deref();
        let progress = Progress::new(&self.0.observers, journal, window.attempt, cause);
        progress.tell(ReloadEventKind::Confirmed);
        let mut unwatched = false;
        window.shared.change(|state| {
            state.confirmed = true;
            unwatched = state.unwatched;
        });
        if unwatched {
            self.0.promote(&mut writer);
            self.0.run_deferred(writer);
        }
        Ok(())
    }
}

impl Requested<'_> {
    /// Reverts the last reload: see [`Swapper::rollback`]. The cause of the attempt is [`Cause::Revert`], whose reason is
    /// the request.
    ///
    /// # Errors
    /// Those of [`Swapper::rollback`].
    pub fn rollback(&self) -> Result<Report, ReloadError> {
        let reason = format!("of a request by {}", self.by);
        self.swapper.revert_for(reason, self.by.deployment.clone())
    }

    /// Makes the last reload permanent: see [`Swapper::confirm`].
    ///
    /// # Errors
    /// Those of [`Swapper::confirm`].
    pub fn confirm(&self) -> Result<(), ReloadError> {
        self.swapper.confirm_because_of(&self.cause)
    }

    /// Takes a plugin out of service: see [`Swapper::take_out_of_service`].
    ///
    /// # Errors
    /// Those of [`Swapper::take_out_of_service`].
    pub fn take_out_of_service(&self, plugin: &str, reason: &str) -> Result<(), ReloadError> {
        self.swapper.take_out(plugin, reason, &self.cause)
    }

    /// Takes a plugin out of service, and waits until its running calls have ended: see [`Swapper::drain`].
    ///
    /// # Errors
    /// Those of [`Swapper::drain`].
    pub fn drain(&self, plugin: &str, reason: &str, limit: Duration) -> Result<(), ReloadError> {
        self.take_out_of_service(plugin, reason)?;
        self.swapper.wait_until_idle(plugin, limit)
    }

    /// Refuses all changes: see [`Swapper::freeze`].
    ///
    /// # Errors
    /// Those of [`Swapper::freeze`].
    pub fn freeze(&self, reason: &str) -> Result<(), ReloadError> {
        self.swapper.freeze_because_of(reason, &self.cause)
    }

    /// Accepts changes again: see [`Swapper::unfreeze`].
    ///
    /// # Errors
    /// Those of [`Swapper::unfreeze`].
    pub fn unfreeze(&self) -> Result<bool, ReloadError> {
        self.swapper.unfreeze_because_of(&self.cause)
    }

    /// Rolls back the last `count` patches of a plugin, and returns the version that is live then: see
    /// [`Patches::rollback`](crate::Patches::rollback). The history has a note of it.
    ///
    /// # Errors
    /// Those of [`Patches::rollback`](crate::Patches::rollback).
    pub fn rollback_patches(&self, plugin: &str, count: usize) -> Result<u64, PatchError> {
        let version = self.swapper.patches(plugin).rollback(count)?;
        self.note_patches(plugin, version, count);
        Ok(version)
    }

    /// Applies the last `count` patches of a plugin again that were rolled back, and returns the version that is live then:
    /// see [`Patches::redo`](crate::Patches::redo). The history has a note of it.
    ///
    /// # Errors
    /// Those of [`Patches::redo`](crate::Patches::redo).
    pub fn redo_patches(&self, plugin: &str, count: usize) -> Result<u64, PatchError> {
        let version = self.swapper.patches(plugin).redo(count)?;
        self.note_patches(plugin, version, count);
        Ok(version)
    }

    /// Takes all patches of a plugin away: see [`Patches::reset`](crate::Patches::reset). The history has a note of it.
    ///
    /// # Errors
    /// Those of [`Patches::reset`](crate::Patches::reset).
    pub fn reset_patches(&self, plugin: &str) -> Result<(), PatchError> {
        let patches = self.swapper.patches(plugin);
        let count = patches.list().len() + patches.undone().len();
        patches.reset()?;
        self.note_patches(plugin, 0, count);
        Ok(())
    }

    /// Notes the version at which the patches of a plugin are, if they have changed.
    fn note_patches(&self, plugin: &str, version: u64, changed: usize) {
        let inner = &self.swapper.0;
        if changed == 0 {
            return;
        }
        // It has changed, so a host that ends meanwhile is no error.
        if let Ok(writer) = inner.writer() {
            let text = format!("it is at version {version} of its patches");
            let (plugin, text) = (&plugin.into(), text.as_str());
            inner.tell(
                &writer,
                &self.cause,
                ReloadEventKind::Noted { plugin, text },
            );
        }
    }

    /// Puts a plugin back into service: see [`Swapper::resume`].
    ///
    /// # Errors
    /// Those of [`Swapper::resume`].
    pub fn resume(&self, plugin: &str) -> Result<bool, ReloadError> {
        self.swapper.put_back(plugin, &self.cause)
    }
}
