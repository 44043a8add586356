//! Takes plugins out of service and puts them back, and counts the calls that are running.
use super::Swapper;
use super::cause::Cause;
use super::handles::rebind;
use super::inner::Inner;
use super::observe::ReloadEventKind;
use super::progress::Progress;
use super::window::Replaced;
use super::writer::Writer;
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::base::time::after;
use crate::error::ReloadError;
use crate::generation::{Generation, OutList, OutOfService};
use crate::instance::Instance;
use crate::reclaim::record::entered;
use crate::reclaim::slot::{Address, CallTarget};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The running calls of one build of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InFlight {
    /// The build.
    pub build_id: BuildId,
    /// True if it is the live build.
    pub live: bool,
    /// The number of calls that the host's threads have begun, and of async calls that have not ended.
    pub calls: usize,
}

const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

impl Swapper {
    /// Takes a plugin out of service without unloading it. From now on, the host's calls of it return
    /// [`CallError::OutOfService`](crate::CallError::OutOfService), with this reason; running calls go on. It stays out
    /// of service over reloads, until it is [put back](Self::resume).
    ///
    /// Calls that other plugins make through their imports are not affected, and neither is what the plugin does by
    /// itself.
    ///
    /// # Errors
    /// No such plugin is loaded, or the caller is inside a reload or a call.
    pub fn take_out_of_service(&self, plugin: &str, reason: &str) -> Result<(), ReloadError> {
        self.take_out(plugin, reason, &Cause::Code)
    }

    /// Puts a plugin back into service. Returns false if it was in service.
    ///
    /// # Errors
    /// The caller is inside a reload or a call.
    pub fn resume(&self, plugin: &str) -> Result<bool, ReloadError> {
        self.put_back(plugin, &Cause::Code)
    }

    /// Tells the observers and the history something about a plugin, in words: what an operator has found out or done. It
    /// changes nothing.
    ///
    /// # Errors
    /// No such plugin is loaded, or the caller is inside a reload or a call.
    pub fn note(&self, plugin: &str, text: &str) -> Result<(), ReloadError> {
        let writer = self.0.writer()?;
        let name = self.0.loaded(plugin)?.1;
        let plugin = &name;
        let event = ReloadEventKind::Noted { plugin, text };
        self.0.tell(&writer, &Cause::Code, event);
        Ok(())
    }

    /// Takes a plugin out of service, and waits until its running calls have ended, in all of its builds.
    ///
    /// # Errors
    /// The errors of [`take_out_of_service`](Self::take_out_of_service). If calls are still running after `limit`,
    /// [`ReloadError::Drain`] names their holders; the plugin stays out of service.
    pub fn drain(&self, plugin: &str, reason: &str, limit: Duration) -> Result<(), ReloadError> {
        self.take_out_of_service(plugin, reason)?;
        self.wait_until_idle(plugin, limit)
    }

    /// Lists the plugins that are out of service.
    pub fn out_of_service(&self) -> Vec<OutOfService> {
        self.0.live.pin_quietly().out.iter().cloned().collect()
    }

    /// Counts the running calls of a plugin, for the live build and for those that are on their way out of memory. A
    /// build without a running call is not listed, unless it is live.
    ///
    /// The counts change all the time. Calls that another plugin makes through its import, and calls inside of other
    /// calls, are not counted.
    pub fn in_flight(&self, plugin: &str) -> Vec<InFlight> {
        let name = PluginName::from(plugin);
        let live = self.0.live.pin_quietly().hold();
        let mut counts: Vec<(Arc<Instance>, usize)> = Vec::new();
        let mut count = |generation: &Generation, address: Address| {
            if let Some(instance) = generation.plugin(&name) {
                let calls = calls_of(generation, address, instance);
                match counts
                    .iter_mut()
                    .find(|(known, _)| Arc::ptr_eq(known, instance))
                {
                    Some((_, known)) => *known += calls,
                    None => counts.push((instance.clone(), calls)),
                }
            }
        };
        count(&live, live.address());
        for older in self.0.retirer.leaving() {
            count(older.get(), older.address());
        }
        let build = |(instance, calls): (Arc<Instance>, usize)| {
            let live = live.has(&instance);
            (live || calls != 0).then_some(InFlight {
                build_id: instance.build_id(),
                live,
                calls,
            })
        };
        counts.into_iter().filter_map(build).collect()
    }
}

impl Swapper {
    pub(super) fn take_out(
        &self,
        plugin: &str,
        reason: &str,
        cause: &Cause,
    ) -> Result<(), ReloadError> {
        let writer = self.0.writer()?;
        self.0.check_not_frozen()?;
        let (target, name) = self.0.loaded(plugin)?;
        let out = OutOfService {
            plugin: name,
            reason: reason.to_owned(),
            since: SystemTime::now(),
        };
        self.0
            .change_service(|list| list.insert(target, out.clone()));
        let event = ReloadEventKind::OutOfService(&out);
        self.0.tell(&writer, cause, event);
        Ok(())
    }

    pub(super) fn put_back(&self, plugin: &str, cause: &Cause) -> Result<bool, ReloadError> {
        let writer = self.0.writer()?;
        self.0.check_not_frozen()?;
        let name = PluginName::from(plugin);
        let was_out = {
            let live = self.0.live.pin_quietly();
            live.out.iter().any(|out| out.plugin == name)
        };
        if was_out {
            self.0.change_service(|list| list.remove(&name));
            let event = ReloadEventKind::InService(&name);
            self.0.tell(&writer, cause, event);
        }
        Ok(was_out)
    }

    /// Waits until the running calls of a plugin have ended, in all of its builds.
    pub(super) fn wait_until_idle(&self, plugin: &str, limit: Duration) -> Result<(), ReloadError> {
        let end = after(Instant::now(), limit);
        let mut pause = SHORTEST_PAUSE;
        while self.in_flight(plugin).iter().any(|build| build.calls != 0) {
            if Instant::now() >= end {
                return Err(ReloadError::Drain {
                    plugins: vec![plugin.into()],
                    limit,
                    waited_for: self.holders(plugin).unwrap_or_default(),
                });
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
        Ok(())
    }
}

/// Returns the number of running calls of an instance that have entered this generation.
fn calls_of(generation: &Generation, address: Address, instance: &Arc<Instance>) -> usize {
    let target = instance.call_target();
    let inside = entered::inside(|at, entered| at == address && entered.without_nested() == target);
    let is_it = |plugin: &Instance| std::ptr::eq(plugin, &**instance);
    inside.len() + generation.async_calls.count(&generation.plugins, is_it)
}

impl Inner {
    /// Finds a live plugin.
    ///
    /// # Errors
    /// No such plugin is loaded.
    fn loaded(&self, plugin: &str) -> Result<(CallTarget, PluginName), ReloadError> {
        let live = self.live.pin_quietly();
        let found = live.plugin_called(plugin);
        let found = found.ok_or_else(|| ReloadError::NotLoaded {
            name: plugin.into(),
            loaded: live.names(),
        })?;
        Ok((found.call_target(), found.name().clone()))
    }

    /// Tells everybody of an event that belongs to no attempt.
    pub(super) fn tell(&self, writer: &Writer, cause: &Cause, kind: ReloadEventKind<'_>) {
        let last = writer.attempts.saturating_sub(1);
        Progress::new(&self.observers, self.journal.as_deref(), last, cause).tell(kind);
    }

    /// Makes a copy of the live generation live in which other plugins are out of service. The caller has the writer.
    fn change_service(&self, change: impl FnOnce(&mut OutList)) {
        let mut next = self.live.pin_quietly().gated_copy(None);
        let mut out = (*next.out).clone();
        change(&mut out);
        next.out = Arc::new(out);
        self.replace_by_copy(next);
    }

    /// Makes a copy of the live generation live. The caller has the writer.
    pub(super) fn replace_by_copy(&self, copy: Generation) {
        let handles = self.handles();
        rebind(&handles, &copy);
        let replaced = Replaced::whole(self.make_live(copy, handles));
        let mut hooks = self.hook_thread();
        self.retire(replaced, None, &mut hooks);
    }
}
