//! Hands the state of live instances to those that take their place: behind a closed gate, just before the switch.
use super::inner::{Handles, Inner, bind_all};
use super::report::StateReport;
use crate::error::{Hook, ReloadError};
use crate::generation::Generation;
use crate::instance::Instance;
use crate::live::gate::Closing;
use crate::live::pin::Holding;
use crate::name::PluginName;
use crate::retirement::Holder;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of the state of the instances that are replaced.
pub(super) struct HandOver {
    /// In the order of the generation.
    pairs: Vec<Pair>,
    states: BTreeMap<PluginName, StateReport>,
}

struct Pair {
    from: Arc<Instance>,
    to: Arc<Instance>,
}

/// A switch that was made.
pub(super) struct Switched {
    pub(super) states: BTreeMap<PluginName, StateReport>,
    /// For how long calls could not begin; `None` where nothing was handed over.
    pub(super) gate: Option<Duration>,
}

impl HandOver {
    /// From the live generation to the instances that are new in the next.
    pub(super) fn plan<'i>(
        live: &Generation,
        fresh: impl Iterator<Item = &'i Arc<Instance>>,
    ) -> Self {
        let (mut pairs, mut states) = (Vec::new(), BTreeMap::new());
        for to in fresh {
            let Some(from) = live.plugin(to.name()) else {
                continue;
            };
            match (from.state(), to.state()) {
                (Some(_), Some(_)) => pairs.push(Pair {
                    from: from.clone(),
                    to: to.clone(),
                }),
                (None, None) => {}
                _ => drop(states.insert(to.name().clone(), StateReport::Reset)),
            }
        }
        HandOver { pairs, states }
    }

    /// Makes the next generation live, with the state of the one before.
    ///
    /// # Errors
    /// The hand-over took too long, a hook failed, or a handle means nothing in the next generation: the live instances
    /// go on, with the state that they have.
    pub(super) fn switch(
        mut self,
        inner: &Inner,
        live: &Holding<Generation>,
        next: Generation,
    ) -> Result<Switched, ReloadError> {
        if self.pairs.is_empty() {
            inner.switch(next)?;
            return Ok(Switched {
                states: self.states,
                gate: None,
            });
        }
        let from: Vec<_> = self.pairs.iter().map(|pair| pair.from.clone()).collect();
        let closing = inner.close_gate(live, &from);
        let mut stopped = Vec::new();
        let handed = self.pass_on(inner.gate_limit, &closing, &mut stopped);
        match handed.and_then(|()| self.commit(inner, &closing, &next)) {
            Ok(handles) => {
                let twin = inner.make_live(next, handles);
                let gate = closing.open();
                inner.retire(twin, &stopped);
                Ok(Switched {
                    states: self.states,
                    gate: Some(gate),
                })
            }
            Err(error) => {
                for instance in stopped.iter().rev() {
                    if let Err(failure) = instance.on_start() {
                        tracing::error!(target: "hotswap", "{failure}");
                    }
                }
                inner.open_unchanged(closing);
                Err(error)
            }
        }
    }

    /// Waits for the calls that are running, stops the instances before, and has each pass its state on.
    fn pass_on(
        &mut self,
        limit: Duration,
        closing: &Closing,
        stopped: &mut Vec<Arc<Instance>>,
    ) -> Result<(), ReloadError> {
        closing
            .wait_until_left()
            .map_err(|inside| self.late(limit, inside))?;
        let in_time = |of: &Instance, hook: Hook| match closing.is_over() {
            false => Ok(()),
            true => {
                let plugin = of.name().to_string();
                Err(vec![Holder::Hook { plugin, hook }])
            }
        };
        let late = |hook| self.late(limit, hook);
        for Pair { from, .. } in self.pairs.iter().rev() {
            stopped.push(from.clone());
            from.on_stop()?;
            in_time(from, Hook::OnStop).map_err(late)?;
        }
        let mut saved = Vec::new();
        for Pair { from, to } in &self.pairs {
            saved.push(from.save(version_for(from, to))?);
            in_time(from, Hook::Save).map_err(late)?;
        }
        let mut states = BTreeMap::new();
        for (Pair { to, .. }, state) in self.pairs.iter().zip(saved) {
            let bytes = state.size();
            states.insert(to.name().clone(), StateReport::HandedOver { bytes });
            // SAFETY: its other hooks and the calls of the check have returned, and the generation that it is in is not live:
            // those who have its pointer are this thread and the instances that import it.
            unsafe { to.restore(state) }?;
            in_time(to, Hook::Restore).map_err(late)?;
        }
        self.states.extend(states);
        Ok(())
    }

    /// Binds the handles in the next generation, and makes sure that it is still time for that one.
    fn commit<'i>(
        &self,
        inner: &'i Inner,
        closing: &Closing,
        next: &Generation,
    ) -> Result<Handles<'i>, ReloadError> {
        let handles = inner.handles();
        bind_all(&handles, next)?;
        if closing.commit() {
            return Ok(handles);
        }
        let reason = "the handles of the host".into();
        Err(self.late(inner.gate_limit, vec![Holder::Other { reason }]))
    }

    fn late(&self, limit: Duration, waited_for: Vec<Holder>) -> ReloadError {
        let plugins = self.pairs.iter().map(|pair| pair.to.name().clone());
        ReloadError::HandOver {
            plugins: plugins.collect(),
            limit,
            waited_for,
        }
    }
}

/// The version of the state's type that the new instance knows. A type of another name has none in common: the new
/// instance will say so.
fn version_for(from: &Instance, to: &Instance) -> u32 {
    match (from.state(), to.state()) {
        (Some(from), Some(to)) if from.ty() == to.ty() => to.version,
        _ => u32::MAX,
    }
}
