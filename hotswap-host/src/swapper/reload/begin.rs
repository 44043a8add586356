//! Reloads that nobody calls for: at the start of the host, on a plugin's request, and after a rollback window.
use crate::base::fail_point;
use crate::error::ReloadError;
use crate::load::library::Owner;
use crate::swapper::cause::Cause;
use crate::swapper::inner::{Inner, drop_elsewhere};
use crate::swapper::plan::Plan;
use crate::swapper::report::Report;
use crate::swapper::writer::Writer;
use crate::telemetry::{contain, guarded};
use std::sync::Arc;
use std::sync::atomic::Ordering::*;

impl Inner {
    /// Reloads everything that has changed in the plugin directory.
    pub(super) fn reload_because(self: &Arc<Self>, cause: Cause) -> Result<Report, ReloadError> {
        let mut writer = self.writer()?;
        let plan = Plan {
            cause,
            ..Plan::new(self.options.clone())
        };
        self.reload(&mut writer, plan, None)
    }

    /// Makes the first generation: of the builds that the journal has, or else of those in the plugin directory. In the
    /// first case, the directory is tried afterwards, if it has changed since it was tried before.
    pub(in crate::swapper) fn first_load(
        self: &Arc<Self>,
        writer: &mut Writer,
    ) -> Result<(), ReloadError> {
        let plan = || Plan {
            cause: Cause::Open,
            ..Plan::new(self.options.clone())
        };
        let start = match &self.journal {
            None => None,
            Some(journal) => journal.start()?.map(|start| (journal, start)),
        };
        let Some((journal, start)) = start else {
            self.reload(writer, plan(), None)?;
            return Ok(());
        };
        writer.held = start.held.into_iter().collect();
        writer.added = start.added;
        writer.removed = start.removed.into_iter().collect();
        writer.patches = start.patches;
        self.patching.set_numbers(writer.patches.numbers());
        let mut permanent = Plan {
            builds: Some(start.builds),
            ..plan()
        };
        // They have passed their tests.
        permanent.options.smoke = false;
        if let Err(error) = self.reload(writer, permanent, None) {
            // These builds run, but the host is set not to go on without one of its patches.
            if matches!(error, ReloadError::Patch { .. }) {
                return Err(error);
            }
            let reason = error.to_string();
            contain(
                (),
                || tracing::warn!(target: "hotswap", "the host starts with its plugin directory, because the builds that ran before do not run in it: {reason}"),
            );
            journal.misfit(&reason)?;
            self.reload(writer, plan(), None)?;
            return Ok(());
        }
        self.reload_for_data(start.data_builds, &writer.examination);
        if let Some(frozen) = start.frozen {
            let reason = &frozen.reason;
            contain(
                (),
                || tracing::warn!(target: "hotswap", "the host is frozen, and does not try the builds in its plugin directory: {reason}"),
            );
            self.set_frozen(Some(frozen));
            return Ok(());
        }
        writer.tried = start.tried;
        match self.reload(writer, plan(), None) {
            Ok(_) => {}
            Err(error) => contain((), || {
                tracing::warn!(target: "hotswap", "the host starts with the builds that ran before, because those in its plugin directory are refused: {error}");
            }),
        }
        writer.tried = None;
        Ok(())
    }
}

impl Owner for Inner {
    /// Reloads on a thread of its own. Several requests before it begins make one reload.
    fn request_reload(self: Arc<Self>, plugin: &str) {
        if self.requested.swap(true, AcqRel) {
            return;
        }
        let (asked, plugin) = (self.clone(), plugin.into());
        let run = move || {
            self.requested.store(false, Release);
            let reload = || {
                fail_point::reach("hotswap-reload");
                self.reload_because(Cause::Plugin { plugin })
            };
            match guarded("hotswap-reload", reload) {
                Ok(Ok(report)) => contain((), || {
                    tracing::info!(target: "hotswap", "a plugin asked for a reload: {report}");
                }),
                Ok(Err(error)) => contain((), || {
                    tracing::error!(target: "hotswap", "a plugin asked for a reload, which failed: {error}");
                }),
                Err(_) => {}
            }
        };
        if let Err(error) = std::thread::Builder::new()
            .name("hotswap-reload".into())
            .spawn(run)
        {
            tracing::error!(target: "hotswap", "cannot start a thread for the reload that a plugin asked for: {error}");
            asked.requested.store(false, Release);
        }
        // The calling thread may be one that `on_stop` waits for.
        drop_elsewhere(asked);
    }

    fn request_patch(
        self: Arc<Self>,
        plugin: &str,
        function: String,
        by: String,
    ) -> Result<(), String> {
        let patched = self.patch_for(plugin, function, by);
        // The calling thread may be one that `on_stop` waits for.
        drop_elsewhere(self);
        patched
    }
}
