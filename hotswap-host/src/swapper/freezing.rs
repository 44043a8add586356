//! Makes a host refuse all changes, and accept them again.
use super::Swapper;
use super::cause::Cause;
use super::frozen::Frozen;
use super::inner::Inner;
use super::observe::ReloadEventKind;
use crate::error::ReloadError;
use std::sync::PoisonError;
use std::time::SystemTime;

impl Swapper {
    /// Refuses all changes from now on, after those that were asked for before: reloads, restarts, rollbacks,
    /// confirmations, and patches, whoever asks for them, and plugins that go out of service or come back. A health
    /// monitor goes on to tell, and cannot act. Each change gets [`ReloadError::Frozen`], with this reason, until the host is [unfrozen](Self::unfreeze).
    ///
    /// An open rollback window goes on: the reload becomes permanent, or is reverted, by its options. A host with a
    /// [journal](crate::Builder::journal) stays frozen over restarts. It then starts on its permanent builds, and does not
    /// try what is in the plugin directory.
    ///
    /// # Errors
    /// The journal cannot be written, or the caller is inside a reload or a call.
    pub fn freeze(&self, reason: &str) -> Result<(), ReloadError> {
        self.freeze_because_of(reason, &Cause::Code)
    }

    /// Accepts changes again. Returns false if the host was not frozen.
    ///
    /// # Errors
    /// The journal cannot be written, or the caller is inside a reload or a call.
    pub fn unfreeze(&self) -> Result<bool, ReloadError> {
        self.unfreeze_because_of(&Cause::Code)
    }

    /// Returns why the host refuses changes, if it does.
    pub fn frozen(&self) -> Option<Frozen> {
        self.0.frozen()
    }

    pub(super) fn freeze_because_of(&self, reason: &str, cause: &Cause) -> Result<(), ReloadError> {
        let writer = self.0.writer()?;
        let frozen = Frozen {
            reason: reason.to_owned(),
            since: SystemTime::now(),
        };
        if let Some(journal) = &self.0.journal {
            journal.freeze(Some(&frozen))?;
        }
        self.0.set_frozen(Some(frozen));
        self.0
            .tell(&writer, cause, ReloadEventKind::Frozen { reason });
        Ok(())
    }

    pub(super) fn unfreeze_because_of(&self, cause: &Cause) -> Result<bool, ReloadError> {
        let writer = self.0.writer()?;
        if self.0.frozen().is_none() {
            return Ok(false);
        }
        if let Some(journal) = &self.0.journal {
            journal.freeze(None)?;
        }
        self.0.set_frozen(None);
        self.0.tell(&writer, cause, ReloadEventKind::Unfrozen);
        Ok(true)
    }
}

impl Inner {
    pub(super) fn frozen(&self) -> Option<Frozen> {
        let frozen = self.frozen.lock();
        frozen.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_frozen(&self, frozen: Option<Frozen>) {
        let mut place = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        *place = frozen;
    }

    /// Returns an error if the host refuses all changes. The caller has the writer, so this stays as it is.
    pub(super) fn check_not_frozen(&self) -> Result<(), ReloadError> {
        match self.frozen() {
            Some(Frozen { reason, .. }) => Err(ReloadError::Frozen { reason }),
            None => Ok(()),
        }
    }
}
