//! The builds that are not live any more, and stay loaded for the live data that they have saved.
use super::Swapper;
use super::inner::{Inner, drop_elsewhere};
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::telemetry::caught;
use crate::vault::DataBuild;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// The time between two counts of the live data that is left.
const PERIOD: Duration = Duration::from_secs(1);

impl Swapper {
    /// Lists the builds that stay loaded for the live data that they have saved, because they know newer versions of live types
    /// than the builds that are live. Before that, those leave whose data is [counted](crate::Builder::count_live_data) and
    /// used up.
    pub fn data_builds(&self) -> Vec<DataBuild> {
        self.0.drop_drained();
        self.0.lowering.builds()
    }

    /// Lets the builds of this plugin leave that stay loaded for their live data. Data that they have saved, and that the
    /// live build does not understand, cannot be read from then on, until a build that knows its version is live. Returns
    /// the builds.
    ///
    /// # Errors
    /// The caller is inside a reload, a call, or a hook, or the swapper was shut down.
    pub fn drop_data_builds(
        &self,
        plugin: impl Into<PluginName>,
    ) -> Result<Vec<DataBuild>, ReloadError> {
        let plugin = plugin.into();
        // The journal is called by one thread at a time.
        let _writer = self.0.writer()?;
        let gone = self.0.lowering.remove(|build| build.plugin == plugin);
        let builds = gone.iter().map(|build| build.build_id);
        self.0.forget_for_data(builds);
        Ok(gone)
    }
}

impl Inner {
    /// Lets the builds leave that have no data left, unless another thread is making a generation.
    fn drop_drained(&self) {
        if !self.lowering.counts() || !self.lowering.builds().iter().any(DataBuild::is_drained) {
            return;
        }
        let Ok(Some(_writer)) = self.writer_until(Some(Instant::now())) else {
            return;
        };
        let gone = self.lowering.remove(DataBuild::is_drained);
        for build in &gone {
            tracing::info!(target: "hotswap", "no live data is left for which it stays loaded: {build}");
        }
        self.forget_for_data(gone.iter().map(|build| build.build_id));
    }

    /// Counts the data from time to time, for as long as builds stay loaded for it.
    pub(super) fn watch_data_builds(self: &Arc<Self>) {
        if !self.lowering.counts() || self.counting.swap(true, SeqCst) {
            return;
        }
        let inner = Arc::downgrade(self);
        let run = move || {
            loop {
                std::thread::park_timeout(PERIOD);
                let Some(inner) = inner.upgrade() else {
                    return;
                };
                // The count is the host's code.
                let counted = caught(|| inner.drop_drained());
                let goes_on = match inner.lowering.has_any() && counted.is_ok() {
                    true => true,
                    false => {
                        inner.counting.store(false, SeqCst);
                        // A build may have been added just now.
                        inner.lowering.has_any()
                            && counted.is_ok()
                            && !inner.counting.swap(true, SeqCst)
                    }
                };
                drop_elsewhere(inner);
                if !goes_on {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("hotswap-data".into());
        if let Err(error) = thread.spawn(run) {
            self.counting.store(false, SeqCst);
            tracing::warn!(target: "hotswap", "cannot start a thread that counts live data, so only `Swapper::data_builds` does: {error}");
        }
    }
}
