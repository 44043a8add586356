//! [`Requested`], changes of a host with who asked for them.
use super::Swapper;
use super::cause::Cause;
use super::observe::ReloadEventKind;
use super::progress::Progress;
use super::report::Report;
use super::requester::Requester;
use crate::error::ReloadError;
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

    /// Puts a plugin back into service: see [`Swapper::resume`].
    ///
    /// # Errors
    /// Those of [`Swapper::resume`].
    pub fn resume(&self, plugin: &str) -> Result<bool, ReloadError> {
        self.swapper.put_back(plugin, &self.cause)
    }
}
