//! The gate: makes calls wait while the state of plugins goes from one instance to the next.
//!
//! # What it does
//! The *group* are the plugins whose state is handed over, and all that reach one of them through imports. While the
//! gate is closed, nobody enters the group but who is in it already, and the state is saved when nobody is.
//!
//! # Closing it costs calls nothing
//! The host switches to a *twin* of the live generation: the same instances under the same number, but in its table
//! the functions of the group are missing. A call finds that anyway, and finds the gate then, lets go of the twin, waits,
//! and begins again with what is live by then. Calls of other plugins go on. What looks up functions by name asks the
//! gate each time.
//!
//! # Nobody is in the group when the state is saved
//! Code of the group runs
//! - under a *pin* of a generation that has an instance of the group: the one that was live, or an older one, since
//!   instances are kept. Which plugin was entered stands in the thread's record; the argument that none is missed is in
//!   `pin`. In an older generation the group may have other members: what reached the instances there.
//! - under a *hold* of such a generation. Holds are counted; nobody makes one of a generation that is not live, but from
//!   a pin or a hold of it. So slots are looked at first, and holds afterwards.
//! - in an *async call* that has begun and not ended. These are counted for each plugin, in the generation that they began
//!   in, under a pin of it: see `async_call`. So they are looked at after the slots, too.
//! - under a pin or hold of the *twin*, by somebody who was let in, see below: these are counted as [`Pass`].
//!
//! Objects that plugins have handed out, and threads that a plugin of the group has started, do not go through the gate.
//! `on_stop` runs before `save`, and has to end what changes the state.
//!
//! # Who is let in
//! Whoever waits must not be waited for. A thread that is in the group finds that in its own record, and is let in:
//! it calls the instances that have always been there. So are threads that the group has started, which `on_stop` may
//! wait for; and a thread that runs a hook of the group, or of those that take over. Other hooks are not waited for: one that
//! has not returned within its limit may be calling long after its reload.
//!
//! Threads of others may be waited for too, by means that nobody sees. So there is a limit: after that the first
//! who waits opens the gate, the hand-over can no longer be *committed*, and the old instances, which are still there,
//! go on. Whether it is committed or given up is decided under one lock.
use super::pin::{Holding, Retired};
use super::record::{self, Entered, Inside, entered};
use crate::async_call::Crowd;
use crate::generation::Generation;
use crate::hook_thread;
use crate::instance::Instance;
use crate::load::library::Library;
use crate::retirement::Holder;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A gate, as those see it who come to it.
pub(crate) struct Gate {
    /// The members of the group, in the generations that have any.
    groups: Vec<Group>,
    /// Their libraries.
    libraries: Vec<Arc<Library>>,
    /// The libraries of those that take over.
    next: Vec<Arc<Library>>,
    deadline: Instant,
    state: Mutex<State>,
    changed: Condvar,
    passes: AtomicUsize,
    crowd: Crowd,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Closed,
    /// The next generation is about to be switched to.
    Committed,
    /// The next generation is live.
    Opened,
    /// The old instances go on.
    GivenUp,
}

/// The part of the group that is in one generation.
struct Group {
    /// What a slot holds that holds the generation.
    at: usize,
    members: BTreeSet<Entered>,
}

impl Group {
    /// `handed` are the instances whose state is handed over.
    fn of(at: *const (), generation: &Generation, handed: &[Arc<Instance>]) -> Option<Self> {
        let mut reached: Vec<&Arc<Instance>> = Vec::new();
        let among = |instances: &[&Arc<Instance>], one: &Arc<Instance>| {
            instances.iter().any(|instance| Arc::ptr_eq(instance, one))
        };
        // Each comes after those it imports.
        for plugin in &generation.plugins {
            let handed = handed.iter().any(|handed| Arc::ptr_eq(handed, plugin));
            if handed
                || plugin
                    .imports()
                    .iter()
                    .any(|import| among(&reached, import))
            {
                reached.push(plugin);
            }
        }
        let members: BTreeSet<_> = reached.iter().map(|plugin| plugin.entered()).collect();
        (!members.is_empty()).then(|| Group {
            at: at.addr(),
            members,
        })
    }

    fn has(&self, entered: Entered) -> bool {
        entered.is_anything() || self.members.contains(&entered)
    }
}

impl Gate {
    /// When callers wait no longer.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns true once the time is up.
    pub(crate) fn is_over(&self) -> bool {
        *self.state() != State::Closed || Instant::now() >= self.deadline
    }

    /// Whether a plugin is in the group of the live generation, or what is called may be.
    pub(crate) fn covers(&self, entering: Entered) -> bool {
        self.groups.first().is_some_and(|live| live.has(entering))
    }

    /// Whether the calling thread has to let go of the twin, and to [wait](Self::wait), before it enters this.
    pub(crate) fn stops(&self, entering: Entered) -> bool {
        if !self.covers(entering) {
            return false;
        }
        match *self.state() {
            State::GivenUp => false,
            State::Opened => true,
            State::Closed | State::Committed => {
                let record = record::mine();
                let inside = |at, entered| self.is_inside(at, entered);
                let is_let_in = record.is_inside(inside)
                    || record.is_started_by(&self.libraries)
                    || hook_thread::runs_hook_of(&self.libraries)
                    || hook_thread::runs_hook_of(&self.next);
                !is_let_in
            }
        }
    }

    /// Whether this is in the group. The twin, under which nobody enters the group from outside, does not count.
    fn is_inside(&self, at: *const (), entered: Entered) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.at == at.addr() && group.has(entered))
    }

    /// Waits until the gate is open. Whoever has waited until the limit opens it.
    pub(crate) fn wait(&self) {
        let mut state = self.state();
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            state = match *state {
                State::Opened | State::GivenUp => return,
                State::Closed if left.is_zero() => {
                    *state = State::GivenUp;
                    self.changed.notify_all();
                    return;
                }
                State::Closed => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                // A switch takes microseconds, and cannot fail.
                State::Committed => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Those who wait without a thread.
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// Whether the state may be saved, or is being.
    pub(crate) fn is_closed(&self) -> bool {
        *self.state() == State::Closed
    }

    /// Counts somebody who was let in, and goes on to hold the twin.
    pub(crate) fn pass(self: &Arc<Self>) -> Pass {
        self.passes.fetch_add(1, Relaxed);
        Pass(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who was let in and holds the twin. Counted as holds are: see `pin`.
pub(crate) struct Pass(Arc<Gate>);

impl Clone for Pass {
    fn clone(&self) -> Self {
        self.0.pass()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.passes.fetch_sub(1, Release);
    }
}

/// The end of the gate that closes and opens it.
pub(crate) struct Closing {
    gate: Arc<Gate>,
    closed: Instant,
    /// Those that have members of the group, with their holds by whoever closes the gate. They are kept, so that their
    /// addresses mean nothing else.
    generations: Vec<(Arc<Retired<Generation>>, usize)>,
}

/// Before a look at who is inside becomes a nap.
const LOOKS: u32 = 32;
const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

impl Closing {
    /// Makes a gate for the instances whose state is handed over, and has `switch` close it, by switching to the twin of
    /// `live`. `leaving` are the generations before, as far as they are still there; `next` are the libraries of those that take
    /// over.
    pub(crate) fn begin(
        live: &Holding<Generation>,
        leaving: Vec<Arc<Retired<Generation>>>,
        handed: &[Arc<Instance>],
        next: Vec<Arc<Library>>,
        limit: Duration,
        switch: impl FnOnce(Arc<Gate>) -> Arc<Retired<Generation>>,
    ) -> Self {
        let groups = leaving
            .iter()
            .filter_map(|leaving| Group::of(leaving.address(), leaving.get(), handed));
        // The live one comes first: it has all members that can be called from now on.
        let groups: Vec<_> = Group::of(live.address(), live, handed)
            .into_iter()
            .chain(groups)
            .collect();
        let members = |plugin: &&Arc<Instance>| groups[0].has(plugin.entered());
        let libraries = live.plugins.iter().filter(members);
        let libraries = libraries.map(|plugin| plugin.library().clone()).collect();
        let closed = Instant::now();
        let gate = Arc::new(Gate {
            libraries,
            next,
            deadline: closed + limit,
            state: Mutex::new(State::Closed),
            changed: Condvar::new(),
            passes: AtomicUsize::new(0),
            crowd: Crowd::default(),
            groups,
        });
        let old = switch(gate.clone());
        let with_members = |retired: &Arc<Retired<Generation>>| {
            let at = retired.address().addr();
            gate.groups.iter().any(|group| group.at == at)
        };
        let leaving = leaving.into_iter().filter(with_members);
        let generations = leaving.map(|leaving| (leaving, 0)).chain([(old, 1)]);
        Closing {
            generations: generations.collect(),
            closed,
            gate,
        }
    }

    /// Waits until nobody is in the group.
    ///
    /// # Errors
    /// Who still is when the time is over, as far as they can be named.
    pub(crate) fn wait_until_left(&self) -> Result<(), Vec<Holder>> {
        let is_ordered = |(leaving, _): &(Arc<Retired<_>>, _)| leaving.is_ordered();
        if !self.generations.iter().all(is_ordered) {
            let reason =
                "calls that nobody can see, since the process may no longer call membarrier";
            return Err(vec![Holder::Other {
                reason: reason.into(),
            }]);
        }
        let mut pause = SHORTEST_PAUSE;
        for look in 0_u32.. {
            let inside = entered::inside(|at, entered| self.gate.is_inside(at, entered));
            // After the slots: see the module's documentation.
            let held = self.holds();
            if inside.is_empty() && held == 0 && self.async_calls() == 0 {
                return Ok(());
            }
            if Instant::now() >= self.gate.deadline {
                return Err(self.holders(inside, held));
            }
            if look < LOOKS {
                std::thread::yield_now();
            } else {
                std::thread::sleep(pause);
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
        }
        unreachable!("it looks until the time is over")
    }

    fn holds(&self) -> usize {
        let generations = self.generations.iter();
        let holds = generations.map(|(generation, own)| generation.holds() - own);
        holds.sum::<usize>() + self.gate.passes.load(Acquire)
    }

    /// The async calls of the group's that have not ended.
    fn async_calls(&self) -> usize {
        let generations = self.generations.iter().map(|(generation, _)| generation);
        let counts = generations.map(|generation| {
            let inside =
                |plugin: &Instance| self.gate.is_inside(generation.address(), plugin.entered());
            generation.get().async_calls.count(generation.get(), inside)
        });
        counts.sum()
    }

    fn holders(&self, inside: Vec<Inside>, held: usize) -> Vec<Holder> {
        let of = |at: *const ()| {
            let mut generations = self.generations.iter().map(|(generation, _)| generation);
            generations.find(|generation| generation.address() == at)
        };
        let nested = entered::held(|at, _| of(at).is_some());
        let unnamed = held.saturating_sub(nested.len());
        let named = inside.into_iter().chain(nested);
        let mut holders: Vec<_> = named
            .filter_map(|inside| {
                let generation = of(inside.at)?.get();
                Some(Holder::of_slot(inside, generation))
            })
            .collect();
        if unnamed != 0 {
            holders.push(Holder::Holds { count: unnamed });
        }
        for (generation, _) in &self.generations {
            let inside =
                |plugin: &Instance| self.gate.is_inside(generation.address(), plugin.entered());
            let generation = generation.get();
            holders.extend(generation.async_calls.holders(generation, inside));
        }
        holders
    }

    /// The gate that is closed.
    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// The hand-over is complete: nobody opens the gate any more but [`open`](Self::open). False when time is up.
    #[must_use]
    pub(crate) fn commit(&self) -> bool {
        let mut state = self.gate.state();
        let in_time = *state == State::Closed && Instant::now() < self.gate.deadline;
        if in_time {
            *state = State::Committed;
        }
        in_time
    }

    /// The next generation is live, if the hand-over was committed, or one without a gate in place of the twin: all who
    /// wait begin again.
    pub(crate) fn open(self) -> Duration {
        let closed_for = self.closed.elapsed();
        let mut state = self.gate.state();
        *state = match *state {
            State::Committed => State::Opened,
            _ => State::GivenUp,
        };
        self.gate.changed.notify_all();
        closed_for
    }
}
