//! [`StagedReload`], a reload that only lacks the switch.
use super::inner::Inner;
use super::reload::Prepared;
use super::report::Report;
use crate::error::ReloadError;
use crate::load_data::LoadDataBox;
use std::fmt;
use std::sync::Arc;

/// A reload that only lacks the switch: see [`Reload::stage`](crate::Reload::stage).
///
/// If it is dropped, the new plugins are freed, and nothing has happened. It may be moved to another thread, and kept for
/// as long as you like. The plugins that it imports stay in memory meanwhile.
#[must_use = "a staged reload does nothing until `commit` is called"]
pub struct StagedReload {
    // It comes before `inner`, which it needs when it is dropped.
    prepared: Prepared,
    data: Option<Arc<LoadDataBox>>,
    inner: Arc<Inner>,
}

impl StagedReload {
    pub(super) fn new(
        inner: Arc<Inner>,
        prepared: Prepared,
        data: Option<Arc<LoadDataBox>>,
    ) -> Self {
        StagedReload {
            prepared,
            data,
            inner,
        }
    }

    /// Makes the staged generation live, on the calling thread. What is left to do is to hand over state, if there is
    /// any, the switch, `on_stop` of the old instances, and `on_start` of the new ones.
    ///
    /// # Errors
    /// Another generation has become live since ([`ReloadError::Overtaken`]), the state could not be handed over, or a
    /// handle that the host has made since finds nothing in the new generation. After an error, the live generation is
    /// untouched, and nothing of the new one is left.
    pub fn commit(self) -> Result<Report, ReloadError> {
        let StagedReload {
            prepared,
            data,
            inner,
        } = self;
        let mut writer = inner.writer()?;
        let report = inner.commit(&mut writer, prepared)?;
        data.into_iter().for_each(|data| writer.load_data = data);
        Ok(report)
    }
}

impl fmt::Debug for StagedReload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StagedReload").field(&self.prepared).finish()
    }
}
