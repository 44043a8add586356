//! What swappers, handles and holds share, and the switch.
use super::observe::{Checks, Observers};
use super::reload::each_in_turn;
use super::writer::{Writer, WriterGuard, WriterLock};
use crate::bindings::Target;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::handle::HandleSpec;
use crate::hook_thread::{self, HookThread, Interrupt};
use crate::instance::Instance;
use crate::live::pin::{Live, Retired};
use crate::live::record;
use crate::live::retire::Retirer;
use crate::load::copy::CopyDir;
use crate::provide::Provided;
use crate::runtime::{HostDir, RuntimeError, StoredReport, tell_starter};
use crate::telemetry::contain;
use crate::vault::{Contents, ExtensionKinds, Prefills};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// What swappers, handles and holds share.
pub(crate) struct Inner {
    /// Dropped where it may be: see [`Drop`].
    pub(super) live: ManuallyDrop<Live<Generation>>,
    /// Handles, by number. Taken for making one, and for the switch; never while plugin code runs.
    pub(super) handles: Mutex<Vec<Weak<HandleSpec>>>,
    /// Taken by whoever makes the next generation: reloads queue here.
    pub(super) writer: WriterLock,
    pub(super) provided: Arc<Provided>,
    pub(super) extensions: ExtensionKinds,
    pub(super) copies: Arc<CopyDir>,
    /// Read while a generation is made, so not the writer's.
    pub(super) plugin_dir: Mutex<PathBuf>,
    /// None where no directory for it could be made.
    pub(super) host_dir: Option<Arc<HostDir>>,
    pub(super) retirer: Arc<Retirer>,
    pub(super) limit: Duration,
    /// How long a gate may be closed.
    pub(super) gate_limit: Duration,
    /// How long a hook may take.
    pub(super) hook_limit: Duration,
    /// Ends the wait for a hook of a reload.
    pub(super) interrupt: Arc<Interrupt>,
    /// The process that it was made in: a forked child has none of its threads.
    pub(super) process: u32,
    pub(super) toolchain: bool,
    /// The plugins are linked into the program.
    pub(super) is_static: bool,
    /// A reload that a plugin asked for is about to run.
    pub(super) requested: AtomicBool,
    /// What the host puts into each generation.
    pub(super) prefills: Prefills,
    /// The checks of every generation.
    pub(super) checks: Checks,
    pub(super) observers: Observers,
}

/// All handles, locked.
pub(super) type Handles<'i> = MutexGuard<'i, Vec<Weak<HandleSpec>>>;

impl Inner {
    #[inline(always)]
    pub(crate) fn live(&self) -> &Live<Generation> {
        &self.live
    }

    /// The plugin directory.
    pub(super) fn plugin_dir(&self) -> PathBuf {
        self.plugin_dir
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set_plugin_dir(&self, dir: PathBuf) {
        *self
            .plugin_dir
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = dir;
    }

    pub(super) fn handles(&self) -> Handles<'_> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to make the next generation, once those before have finished.
    ///
    /// # Errors
    /// From inside of a reload, a call or a forked child; after the shutdown.
    pub(super) fn writer(&self) -> Result<WriterGuard<'_>, ReloadError> {
        match self.writer_until(None)? {
            Some(writer) => Ok(writer),
            None => unreachable!("it waits without a limit"),
        }
    }

    /// The same; none where they have not finished by `end`.
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
        // Before the lock: destructors may ask for a reload, too.
        record::mine().attend();
        if record::mine().has_pin() || record::mine().polls() {
            return Err(ReloadError::Reentrant(
                "from inside a call, or while this thread holds a pin",
            ));
        }
        match self.writer.take(end) {
            Some(writer) if writer.shut_down => Err(ReloadError::ShutDown),
            writer => Ok(writer),
        }
    }

    /// Whether this process is a forked child of the one that the swapper was opened in.
    pub(super) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// A thread for the hooks of a reload.
    pub(super) fn hook_thread(&self) -> HookThread {
        HookThread::new(self.hook_limit).interrupted_by(&self.interrupt)
    }

    /// Shows the host to the tools beside it. That they cannot see it is no reason to stop.
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

    /// Binds every handle in the next generation, and makes it live.
    pub(super) fn switch(
        &self,
        next: Generation,
        hooks: &mut HookThread,
    ) -> Result<(), ReloadError> {
        let handles = self.handles();
        bind_all(&handles, &next)?;
        self.switch_bound(next, handles, hooks);
        Ok(())
    }

    /// Makes an empty generation live. After `end`, nobody waits for hooks.
    pub(super) fn switch_to_nothing(&self, end: Option<Instant>) {
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
        self.switch_bound(empty, handles, &mut hooks);
    }

    fn switch_bound(&self, next: Generation, handles: Handles<'_>, hooks: &mut HookThread) {
        let old = self.make_live(next, handles);
        self.retire(old, &[], hooks);
    }

    /// Makes the next generation live, in which every handle is bound.
    pub(super) fn make_live(
        &self,
        mut next: Generation,
        handles: Handles<'_>,
    ) -> Retired<Generation> {
        next.serial = self.live.pin_quietly().serial + 1;
        let old = self.live.switch(next);
        drop(handles);
        old
    }

    /// Retires a generation, and stops those of its instances that are not live any more and not `stopped` yet.
    pub(super) fn retire(
        &self,
        old: Retired<Generation>,
        stopped: &[Arc<Instance>],
        hooks: &mut HookThread,
    ) {
        let live = self.live.pin_quietly();
        let stays = |plugin: &&Arc<Instance>| is_among(plugin, &live.plugins);
        let plugins = old.get().plugins.iter();
        let replaced: Vec<_> = plugins.filter(|plugin| !stays(plugin)).cloned().collect();
        drop(live);
        let runs = replaced.iter().filter(|plugin| !is_among(plugin, stopped));
        let runs = runs.rev().cloned().collect();
        each_in_turn(hooks, runs, |plugin| plugin.on_stop());
        self.retirer.generation(old, replaced);
    }
}

fn is_among(plugin: &Arc<Instance>, plugins: &[Arc<Instance>]) -> bool {
    plugins.iter().any(|other| Arc::ptr_eq(other, plugin))
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.is_forked() {
            // The runtime directory is the parent's, and the threads are not here: all that is loaded stays as it is.
            return;
        }
        if let Some(dir) = &self.host_dir {
            dir.withdraw();
        }
        self.switch_to_nothing(None);
        // SAFETY: this is the end of it; the field is not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.live) };
    }
}

/// Sets what each handle means in the next generation.
pub(super) fn bind_all(handles: &[Weak<HandleSpec>], next: &Generation) -> Result<(), ReloadError> {
    for (index, handle) in handles.iter().enumerate() {
        match handle.upgrade() {
            None => next.bindings.set(index, Target::NONE),
            Some(spec) => next
                .bind(index, &spec)
                .map_err(|error| ReloadError::Handle {
                    plugin: spec.plugin(),
                    item: spec.item.clone(),
                    message: error.of_a_held_handle(),
                })?,
        }
    }
    Ok(())
}
