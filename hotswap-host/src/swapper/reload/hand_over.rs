//! Hands the state of live instances to their successors, behind a closed gate, just before the switch.
use super::keeping::{Keeping, Room};
use crate::artifact::SmokeTime;
use crate::base::fail_point;
use crate::base::name::PluginName;
use crate::error::{Hook, HookFailure, ReloadError};
use crate::generation::Generation;
use crate::hook_thread::{self, HookThread, NotRun};
use crate::instance::Instance;
use crate::invoke;
use crate::load::library::Library;
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::Holding;
use crate::retirement::Holder;
use crate::saved_state::SavedState;
use crate::swapper::closing::Closing;
use crate::swapper::handles::{Bound, Handles};
use crate::swapper::hooks::{each_in_turn, refused};
use crate::swapper::inner::Inner;
use crate::swapper::options::{Drain, ReloadOptions};
use crate::swapper::report::StateReport;
use crate::swapper::window::{Replaced, is_among};
use crate::telemetry::{caught, contain};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// A switch behind a closed gate: running calls end before it, and state goes from instances to their successors.
pub(super) struct HandOver {
    /// The instances whose state goes to their successors, in the order of the generation.
    pairs: Vec<Pair>,
    /// The instances whose running calls are waited for. They include those with state.
    from: Vec<Arc<Instance>>,
    /// The new instances of the generation.
    next: Vec<Arc<Library>>,
    drain: Drain,
    /// True if the smoke tests of the new instances run that are for the state.
    smoke: bool,
    /// The memory for the states that are kept.
    room: Room,
    /// The longest time that the gate may be closed.
    limit: Duration,
}

struct Pair {
    from: Arc<Instance>,
    /// The successor, or `None` if the state is only kept.
    to: Option<Arc<Instance>>,
    /// True if the state is kept for a rollback.
    keeps: bool,
    /// The place of `from` in its generation.
    place: usize,
}

/// The result of a switch behind a gate.
pub(super) struct Switched {
    pub(super) states: BTreeMap<PluginName, StateReport>,
    /// The states that are kept for a rollback.
    pub(super) saved: BTreeMap<PluginName, SavedState>,
    /// The time for which calls could not begin.
    pub(super) gate: Duration,
    /// The time at which nothing was left to wait for.
    pub(super) drained: Instant,
    pub(super) replaced: Replaced,
}

impl HandOver {
    /// Plans the switch from the live generation to the next one. Returns `None` if no call has to be waited for. Also
    /// returns the plugins that start without state, because only one of their two builds has any.
    pub(super) fn plan<'i>(
        inner: &Inner,
        live: &Generation,
        next: &Generation,
        fresh: impl Iterator<Item = &'i Arc<Instance>>,
        options: &ReloadOptions,
        keeping: &Keeping,
    ) -> (Option<Self>, BTreeMap<PluginName, StateReport>) {
        let (mut pairs, mut reset) = (Vec::new(), BTreeMap::new());
        let cold = keeping.instances();
        let pair = |from: &Arc<Instance>, to: Option<&Arc<Instance>>| Pair {
            from: from.clone(),
            to: to.cloned(),
            keeps: is_among(from, &cold),
            place: live
                .plugins
                .iter()
                .take_while(|p| !Arc::ptr_eq(p, from))
                .count(),
        };
        for to in fresh {
            let Some(from) = live.plugin(to.name()) else {
                continue;
            };
            match (from.state(), to.state()) {
                (Some(_), Some(_)) => pairs.push(pair(from, Some(to))),
                (None, None) => {}
                _ => drop(reset.insert(to.name().clone(), StateReport::Reset)),
            }
        }
        for from in cold.iter().filter(|from| from.state().is_some()) {
            if !pairs
                .iter()
                .any(|pair: &Pair| Arc::ptr_eq(&pair.from, from))
            {
                pairs.push(pair(from, None));
            }
        }
        let drained = options.drain != Drain::Off && live.number != 0;
        let leaves = |plugin: &&Arc<Instance>| !next.has(plugin);
        let from: Vec<_> = match drained {
            true => live.plugins.iter().filter(leaves).cloned().collect(),
            false => pairs.iter().map(|pair: &Pair| pair.from.clone()).collect(),
        };
        if from.is_empty() {
            return (None, reset);
        }
        let to = next.plugins.iter().filter(|plugin| !live.has(plugin));
        let hand_over = HandOver {
            next: to.map(|plugin| plugin.library().clone()).collect(),
            drain: options.drain,
            smoke: options.smoke,
            room: keeping.room.clone(),
            limit: match (drained, pairs.is_empty()) {
                (true, true) => options.drain_limit,
                (true, false) => options.drain_limit.max(inner.gate_limit),
                (false, _) => inner.gate_limit,
            },
            pairs,
            from,
        };
        (Some(hand_over), reset)
    }

    /// Makes the next generation live with the state of the previous one.
    ///
    /// # Errors
    /// The hand-over took too long, a hook failed, or a handle cannot be bound in the next generation. The live
    /// instances go on with the state that they have.
    pub(super) fn switch(
        self,
        inner: &Inner,
        live: &Holding<Generation>,
        next: Generation,
        bound: Bound,
        hooks: &mut HookThread,
    ) -> Result<Switched, ReloadError> {
        let closing = inner.close_gate(live, &self.from, self.next.clone(), self.limit);
        hooks.set_end(Some(closing.gate().deadline()));
        // Whatever happens, the gate is opened.
        let committed = caught(|| {
            let passed = self.pass_on(&closing, hooks);
            hooks.set_end(None);
            let passed = passed?;
            let handles = self.commit(inner, &closing, bound, &next)?;
            Ok((passed, handles))
        });
        hooks.set_end(None);
        match committed.unwrap_or_else(|message| Err(ReloadError::Panicked { message })) {
            Ok((passed, handles)) => {
                let drained = Instant::now();
                let gated_copy = inner.make_live(next, handles);
                let gate = closing.open();
                let replaced = Replaced {
                    stopped: self.pairs.into_iter().map(|pair| pair.from).collect(),
                    ..Replaced::whole(gated_copy)
                };
                Ok(Switched {
                    states: passed.states,
                    saved: passed.saved,
                    gate,
                    drained,
                    replaced,
                })
            }
            Err(error) => {
                inner.open_unchanged(closing, hooks);
                Err(error)
            }
        }
    }

    /// Waits for the running calls, stops the old instances, and passes the state of each to its successor.
    ///
    /// # Errors
    /// It took too long, or a hook failed. The instances that were stopped have been started again.
    fn pass_on(&self, closing: &Closing, hooks: &mut HookThread) -> Result<Passed, ReloadError> {
        let limit = self.limit;
        match closing.wait_until_left() {
            Err(inside) if !self.pairs.is_empty() => return Err(self.late(limit, inside)),
            Err(inside) if self.drain == Drain::OrFail => {
                return Err(self.not_drained(inside));
            }
            Err(inside) => {
                let holders: Vec<_> = inside.iter().map(ToString::to_string).collect();
                contain(
                    (),
                    || tracing::warn!(target: "hotswap", "running calls have not ended within {limit:?}, and end in the old generation: {}", holders.join(", ")),
                );
            }
            Ok(()) => {}
        }
        if self.pairs.is_empty() {
            return Ok(Passed::default());
        }
        let job = Passing {
            pairs: self.pairs.iter().map(Parties::of).collect(),
            gate: closing.gate().clone(),
            stopped: Arc::default(),
            smoke: self.smoke,
            room: self.room.clone(),
        };
        let stopped = job.stopped.clone();
        // An instance that was still stopping when the hand-over was given up goes on, too, unless it has been stopped
        // again since.
        let too_late = |passed: Result<_, NotPassed>| {
            let stopping = passed.err().and_then(|not_passed| not_passed.stopping);
            let goes_on = stopping.filter(|(instance, stops)| instance.stops() == *stops);
            if let Some(Err(failure)) = goes_on.map(|(instance, _)| instance.on_start()) {
                contain((), || tracing::error!(target: "hotswap", "{failure}"));
            }
        };
        let error = match hooks.run(move || job.run(), too_late) {
            Ok(Ok(passed)) => return Ok(passed),
            Ok(Err(not_passed)) => match not_passed.problem {
                Problem::Failed(failure) => failure.into(),
                Problem::NoRoom(error) => *error,
                Problem::Late(hook) => self.late(limit, vec![hook]),
            },
            Err(not_run) => {
                if let NotRun::Late(run) | NotRun::Interrupted(run) = &not_run
                    && run.hook == Hook::OnStop
                {
                    let stopping = |of: &Arc<Instance>| Arc::ptr_eq(of.library(), &run.library);
                    lock(&stopped).retain(|instance| !stopping(instance));
                }
                match not_run {
                    NotRun::Late(run) => self.late(limit, vec![late_hook(&run.plugin, run.hook)]),
                    not_run => refused(not_run, limit),
                }
            }
        };
        hooks.set_end(None);
        let again = std::mem::take(&mut *lock(&stopped)).into_iter().rev();
        each_in_turn(hooks, again.collect(), |instance| instance.on_start());
        Err(error)
    }

    /// Binds the handles that are new in the next generation, and makes sure that there is still time for the switch.
    fn commit<'i>(
        &self,
        inner: &'i Inner,
        closing: &Closing,
        mut bound: Bound,
        next: &Generation,
    ) -> Result<Handles<'i>, ReloadError> {
        let handles = inner.handles();
        bound.complete(&handles, next)?;
        // Without state, nothing happens behind the gate, and nothing is wrong if it has been given up.
        let proceeds = self.pairs.is_empty() && self.drain == Drain::OrProceed;
        if closing.commit() || proceeds {
            return Ok(handles);
        }
        let reason = "the handles of the host".into();
        let waited_for = vec![Holder::Other { reason }];
        Err(match self.pairs.is_empty() {
            true => self.not_drained(waited_for),
            false => self.late(self.limit, waited_for),
        })
    }

    fn not_drained(&self, waited_for: Vec<Holder>) -> ReloadError {
        let plugins = self.from.iter().map(|plugin| plugin.name().clone());
        ReloadError::Drain {
            plugins: plugins.collect(),
            limit: self.limit,
            waited_for,
        }
    }

    fn late(&self, limit: Duration, waited_for: Vec<Holder>) -> ReloadError {
        let plugins = self.pairs.iter().map(|pair| pair.from.name().clone());
        ReloadError::HandOver {
            plugins: plugins.collect(),
            limit,
            waited_for,
        }
    }
}

/// The hooks of a hand-over, on their thread. It keeps only the instance whose hook is running, because the hook may
/// never return.
struct Passing {
    pairs: Vec<Parties>,
    gate: Arc<Gate>,
    /// The instances whose `on_stop` has begun.
    stopped: Arc<Mutex<Vec<Arc<Instance>>>>,
    smoke: bool,
    room: Room,
}

/// The result of the hooks of a hand-over.
#[derive(Default)]
struct Passed {
    states: BTreeMap<PluginName, StateReport>,
    /// The states that are kept for a rollback.
    saved: BTreeMap<PluginName, SavedState>,
}

/// A pair of instances, for a thread that may have to do without it.
struct Parties {
    from: Weak<Instance>,
    /// The successor, or nothing if the state is only kept.
    to: Weak<Instance>,
    /// The version of the state that `to` knows.
    version: u32,
    keeps: bool,
    place: usize,
}

impl Parties {
    fn of(pair: &Pair) -> Self {
        Parties {
            from: Arc::downgrade(&pair.from),
            to: pair.to.as_ref().map(Arc::downgrade).unwrap_or_default(),
            version: version_for(&pair.from, pair.to.as_deref()),
            keeps: pair.keeps,
            place: pair.place,
        }
    }
}

/// The reason why the state was not passed on.
struct NotPassed {
    problem: Problem,
    /// The instance whose `on_stop` ran last, if nothing came after it, and the number of times that it has been
    /// stopped, including this one.
    stopping: Option<(Arc<Instance>, usize)>,
}

enum Problem {
    Failed(HookFailure),
    /// What would be kept for a rollback takes too much memory.
    NoRoom(Box<ReloadError>),
    /// This hook returned after the end.
    Late(Holder),
}

impl Passing {
    fn run(self) -> Result<Passed, NotPassed> {
        fail_point::reach("hand-over");
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.place));
        for from in pairs.into_iter().filter_map(|pair| pair.from.upgrade()) {
            lock(&self.stopped).push(from.clone());
            let stops = from.stops() + 1;
            let stopped = self.in_time(&from, Hook::OnStop, from.on_stop());
            stopped.map_err(|problem| NotPassed {
                problem,
                stopping: Some((from, stops)),
            })?;
        }
        self.pass().map_err(|problem| NotPassed {
            problem,
            stopping: None,
        })
    }

    fn pass(&self) -> Result<Passed, Problem> {
        let (mut saved, mut kept) = (Vec::new(), BTreeMap::new());
        for pair in &self.pairs {
            if let Some(from) = pair.from.upgrade() {
                let state = self.in_time(&from, Hook::Save, from.save(pair.version))?;
                if pair.keeps {
                    let copy =
                        self.in_time(&from, Hook::Save, kept_copy(&from, &state, pair.version))?;
                    kept.insert(from.name().clone(), copy);
                }
                saved.push((&pair.to, state));
            }
        }
        let room = self.room.check(&kept);
        room.map_err(|error| Problem::NoRoom(Box::new(error)))?;
        let mut states = BTreeMap::new();
        let saved = saved.into_iter();
        for (to, state) in saved.filter_map(|(to, state)| Some((to.upgrade()?, state))) {
            let bytes = state.size();
            states.insert(to.name().clone(), StateReport::HandedOver { bytes });
            self.in_time(&to, Hook::Restore, to.restore(state))?;
        }
        for to in self.pairs.iter().filter_map(|pair| pair.to.upgrade()) {
            let tests = to.metadata().smoke_tests(SmokeTime::Restored);
            for test in tests.filter(|_| self.smoke) {
                self.in_time(&to, Hook::Smoke, invoke::smoke(&to, test))?;
            }
        }
        let saved = kept;
        Ok(Passed { states, saved })
    }

    fn in_time<R>(
        &self,
        of: &Instance,
        hook: Hook,
        result: Result<R, HookFailure>,
    ) -> Result<R, Problem> {
        let result = result.map_err(Problem::Failed)?;
        match self.gate.is_over() || hook_thread::is_given_up() {
            false => Ok(result),
            true => Err(Problem::Late(late_hook(of.name(), hook))),
        }
    }
}

fn late_hook(plugin: &PluginName, hook: Hook) -> Holder {
    let plugin = plugin.to_string();
    Holder::Hook { plugin, hook }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the state that is kept for another instance of the same build. A state that was lowered for the successor is
/// saved again, because it may have lost something.
fn kept_copy(from: &Instance, state: &SavedState, version: u32) -> Result<SavedState, HookFailure> {
    let own = from.state().map_or(0, |state| state.version);
    if version < own {
        return from.save(own);
    }
    state.try_clone().map_err(|error| {
        let message = format!("a descriptor of the state cannot be duplicated: {error}");
        from.loaded().failure(Hook::Save, false, message)
    })
}

/// Returns the version of the state's type that the new instance knows. If its type has another name, there is no such
/// version, and the new instance says so.
fn version_for(from: &Instance, to: Option<&Instance>) -> u32 {
    match (from.state(), to.and_then(Instance::state)) {
        (Some(from), Some(to)) if from.ty() == to.ty() => to.version,
        _ => u32::MAX,
    }
}
