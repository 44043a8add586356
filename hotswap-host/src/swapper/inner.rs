//! The data that swappers, handles, and holds share, and the switch.
use super::frozen::Frozen;
use super::handles::{Bound, Handles};
use super::journal::Journal;
use super::observe::{Checks, Observers, tell};
use super::options::ReloadOptions;
use super::patch_settings::PatchSettings;
use super::smoke::SmokeTests;
use super::window::{OpenedWindow, Replaced, WindowOutcome};
use super::writer::{Writer, WriterGuard, WriterLock};
use crate::base::lock_order::{Ordered, Rank};
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::generation::bindings::Target;
use crate::handle::HandleSpec;
use crate::hook_thread::{self, HookThread, Interrupt};
use crate::load::copy::CopyDir;
use crate::provide::Provided;
use crate::reclaim::pin::{Live, Retired};
use crate::reclaim::record;
use crate::runtime::{HostDir, RuntimeError, StoredReport, tell_starter};
use crate::swapper::retire::Retirer;
use crate::telemetry::{Levels, contain, guarded};
use crate::vault::{Contents, ExtensionKinds, Lowering, Prefills};
use hotswap_plugin::contract::HostTableRef;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// The data that swappers, handles, and holds share.
pub(crate) struct Inner {
    /// Set while the host refuses all changes. It changes only while somebody has the writer.
    pub(super) frozen: Mutex<Option<Frozen>>,
    pub(super) live: Live<Generation>,
    /// True if signals may make the host reload.
    pub(super) signals: bool,
    /// The handles, by number. The lock is taken to make a handle and for the switch, and never while code of plugins
    /// runs.
    pub(super) handles: Mutex<Vec<Weak<HandleSpec>>>,
    /// The lock of the thread that makes the next generation. Reloads queue here.
    pub(super) writer: WriterLock,
    pub(super) provided: Arc<Provided>,
    pub(super) extensions: ExtensionKinds,
    pub(super) copies: Arc<CopyDir>,
    /// The table by which plugins call the host.
    pub(super) host_table: HostTableRef,
    /// The plugin directory. It is read while a generation is made, so it is not part of the writer.
    pub(super) plugin_dir: Mutex<PathBuf>,
    /// The host's runtime directory, or `None` if it could not be made.
    pub(super) host_dir: Option<Arc<HostDir>>,
    pub(super) retirer: Arc<Retirer>,
    pub(super) limit: Duration,
    /// The longest time for which a gate may be closed.
    pub(super) gate_limit: Duration,
    /// The longest time that a hook may take.
    pub(super) hook_limit: Duration,
    /// Ends the wait for a hook of a reload.
    pub(super) interrupt: Arc<Interrupt>,
    /// The process in which the swapper was opened. A forked child has none of its threads.
    pub(super) process: u32,
    pub(super) toolchain: bool,
    /// True if the plugins are linked into the program.
    pub(super) is_static: bool,
    /// True if a reload that a plugin asked for is about to run.
    pub(super) requested: AtomicBool,
    /// The closures that put values and objects of the host into each generation.
    pub(super) prefills: Prefills,
    /// The checks of every generation.
    pub(super) checks: Checks,
    pub(super) observers: Observers,
    /// The smoke tests of the host.
    pub(super) smoke: SmokeTests,
    /// Remembers what the host runs, if it is to be remembered.
    pub(super) journal: Option<Arc<dyn Journal>>,
    /// The builds that are not live any more, and lower the live data that they have saved.
    pub(super) lowering: Arc<Lowering>,
    /// True while a thread counts that data.
    pub(super) counting: AtomicBool,
    /// The options of reloads that have none of their own.
    pub(super) options: ReloadOptions,
    /// True if the calls of all plugins are counted.
    pub(super) counts_calls: AtomicBool,
    /// The number of those for whom calls are counted meanwhile.
    pub(super) counting_calls: AtomicUsize,
    /// The rollback window that was opened last. It is read without the writer.
    pub(super) open_window: Mutex<Weak<OpenedWindow>>,
    /// The number of mocks.
    pub(crate) mocks: AtomicUsize,
    /// The settings for patches.
    pub(super) patching: PatchSettings,
}

impl Inner {
    #[inline(always)]
    pub(crate) fn live(&self) -> &Live<Generation> {
        &self.live
    }

    /// The plugin directory.
    pub(super) fn plugin_dir(&self) -> PathBuf {
        self.locked_plugin_dir().clone()
    }

    fn locked_plugin_dir(&self) -> Ordered<'_, PathBuf> {
        Ordered::lock(Rank::PluginDir, &self.plugin_dir)
    }

    pub(super) fn set_plugin_dir(&self, dir: PathBuf) {
        *self.locked_plugin_dir() = dir;
    }

    pub(super) fn handles(&self) -> Handles<'_> {
        Ordered::lock(Rank::Handles, &self.handles)
    }

    /// The rollback window that was opened last.
    pub(super) fn open_window(&self) -> Ordered<'_, Weak<OpenedWindow>> {
        Ordered::lock(Rank::OpenWindow, &self.open_window)
    }

    /// Takes the right to make the next generation, once the threads before this one have finished.
    ///
    /// # Errors
    /// The caller is inside a reload, a call, or a forked child, or the swapper was shut down.
    pub(super) fn writer(&self) -> Result<WriterGuard<'_>, ReloadError> {
        match self.writer_until(None)? {
            Some(writer) => Ok(writer),
            None => unreachable!("the wait has no limit"),
        }
    }

    /// Does the same as [`writer`](Self::writer), but returns `None` if the threads before this one have not finished
    /// by `end`.
    pub(super) fn writer_until(
        &self,
        end: Option<Instant>,
    ) -> Result<Option<WriterGuard<'_>>, ReloadError> {
        if self.is_forked() {
            return Err(ReloadError::Forked);
        }
        if hook_thread::is_running_here() {
            return Err(ReloadError::Reentrant(
                "from inside a hook or a callback of a reload",
            ));
        }
        // This comes before the lock, because destructors may ask for a reload, too.
        record::mine().run_pending_destructors();
        if record::mine().slot().has_pin() || record::mine().slot().polls() {
            return Err(ReloadError::Reentrant(
                "from inside a call, or while this thread holds a pin",
            ));
        }
        match self.writer.take(end) {
            Some(writer) if writer.shut_down => Err(ReloadError::ShutDown),
            writer => Ok(writer),
        }
    }

    /// Returns true if this process is a forked child of the one in which the swapper was opened.
    pub(super) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Returns a thread for the hooks of a reload.
    pub(super) fn hook_thread(&self) -> HookThread {
        HookThread::new(self.hook_limit).interrupted_by(&self.interrupt)
    }

    /// Tells the live plugins the host's levels.
    pub(crate) fn set_levels(&self, levels: Levels) {
        for plugin in &self.live.pin().plugins {
            plugin.loaded().tables.entry().set_levels()(levels.log, levels.trace);
        }
    }

    /// Publishes the host for the tools outside of it. If this fails, the host goes on.
    pub(super) fn publish(&self, writer: &Writer) {
        self.write(|dir| dir.publish(&writer.host));
    }

    pub(super) fn store(&self, report: &StoredReport) {
        self.write(|dir| dir.store(report));
        tell_starter(report);
    }

    fn write(&self, write: impl FnOnce(&HostDir) -> Result<(), RuntimeError>) {
        if let Some(Err(error)) = self.host_dir.as_deref().map(write) {
            contain((), || tracing::warn!(target: "hotswap", "{error}"));
        }
    }

    /// Tells the journal that the host ends in an orderly way.
    pub(super) fn end_journal(&self) {
        if let Some(journal) = &self.journal {
            tell("the journal of this host", || journal.shut_down());
        }
    }

    /// Makes the next generation live.
    ///
    /// # Errors
    /// A handle that was made since the others were bound cannot be bound in it.
    pub(super) fn switch(
        &self,
        next: Generation,
        mut bound: Bound,
    ) -> Result<Replaced, ReloadError> {
        let handles = self.handles();
        bound.complete(&handles, &next)?;
        Ok(Replaced::whole(self.make_live(next, handles)))
    }

    /// Makes an empty generation live. Hooks are not waited for after `end`.
    pub(super) fn switch_to_nothing(&self, writer: &mut Writer, end: Option<Instant>) {
        let (number, reloads) = {
            let live = self.live.pin_quietly();
            (live.number + 1, live.reloads)
        };
        let contents = Arc::new(Contents::empty(&self.extensions));
        let empty = Generation::new(number, reloads, Vec::new(), contents);
        let handles = self.handles();
        (0..handles.len()).for_each(|index| empty.bindings.set(index, Target::NONE));
        let mut hooks = HookThread::new(self.hook_limit);
        hooks.set_end(end);
        let replaced = Replaced::whole(self.make_live(empty, handles));
        let kept = self.close_window(writer, WindowOutcome::ShutDown);
        self.retire(replaced, kept.as_ref(), &mut hooks);
        kept.into_iter().for_each(|kept| self.release(kept));
        self.lowering.clear();
    }

    /// Makes the next generation live. Every handle is bound in it.
    pub(super) fn make_live(
        &self,
        mut next: Generation,
        handles: Handles<'_>,
    ) -> Retired<Generation> {
        next.serial = self.live.pin_quietly().serial + 1;
        let before = next.goes_live();
        let old = self.live.switch(next);
        drop(handles);
        // This may drop closures of the host.
        contain((), || drop(before));
        old
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.is_forked() {
            // The runtime directory belongs to the parent, and the threads do not exist here, so everything that is
            // loaded stays as it is.
            self.live.leave();
            return;
        }
        if let Some(dir) = &self.host_dir {
            dir.withdraw();
        }
        // Nobody else has the writer: a thread that has it also has a reference to `self`. If that were not so, the live
        // generation would have to stay, because calls that have not ended may use it.
        let Some(mut writer) = self.writer.take(Some(Instant::now())) else {
            return self.live.leave();
        };
        if !writer.shut_down {
            self.end_journal();
        }
        self.switch_to_nothing(&mut writer, None);
    }
}

/// Drops `inner`. If it is the last reference, this happens on a thread of its own, because `on_stop` may wait for the
/// calling thread.
pub(crate) fn drop_elsewhere(inner: Arc<Inner>) {
    if let Some(inner) = Arc::into_inner(inner) {
        // If the thread cannot be started, `inner` is dropped here.
        let _ = std::thread::Builder::new()
            .name("hotswap-drop".into())
            .spawn(move || guarded("hotswap-drop", || drop(inner)));
    }
}
