//! Closes a gate, waits until nobody is behind it, and opens it: see [`gate`](crate::reclaim::gate).
use crate::generation::Generation;
use crate::hook_thread;
use crate::instance::Instance;
use crate::load::library::Library;
use crate::reclaim::code::Code;
use crate::reclaim::gate::{Gate, Group};
use crate::reclaim::pin::{Holding, Retired};
use crate::reclaim::record::{self, Inside, entered};
use crate::retirement::Holder;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The end of the gate that closes and opens it.
pub(super) struct Closing {
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
    pub(super) fn begin(
        live: &Holding<Generation>,
        leaving: Vec<Arc<Retired<Generation>>>,
        handed: &[Arc<Instance>],
        next: Vec<Arc<Library>>,
        limit: Duration,
        switch: impl FnOnce(Arc<Gate>) -> Arc<Retired<Generation>>,
    ) -> Self {
        let groups = leaving
            .iter()
            .filter_map(|leaving| group_of(leaving.address(), leaving.get(), handed));
        // The live one comes first: it has all members that can be called from now on.
        let own = group_of(live.address(), live, handed);
        let is_member = |plugin: &&Arc<Instance>| {
            let own = own.as_ref();
            own.is_some_and(|group| group.has(plugin.call_target()))
        };
        let members = live.plugins.iter().filter(is_member);
        let libraries: Vec<_> = members.map(|plugin| plugin.library().clone()).collect();
        let lets_in = move || {
            let is_member = |code: &dyn Code| {
                let mut libraries = libraries.iter();
                libraries.any(|library| std::ptr::addr_eq(Arc::as_ptr(library), code))
            };
            record::mine().is_started_by(is_member)
                || hook_thread::runs_hook_of(&libraries)
                || hook_thread::runs_hook_of(&next)
        };
        let groups = own.into_iter().chain(groups).collect();
        let closed = Instant::now();
        let gate = Arc::new(Gate::new(groups, closed + limit, lets_in));
        let old = switch(gate.clone());
        let with_members =
            |retired: &Arc<Retired<Generation>>| gate.has_members_in(retired.address());
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
    pub(super) fn wait_until_left(&self) -> Result<(), Vec<Holder>> {
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
            if Instant::now() >= self.gate.deadline() {
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
        holds.sum::<usize>() + self.gate.passes()
    }

    /// The async calls of the group's that have not ended.
    fn async_calls(&self) -> usize {
        let generations = self.generations.iter().map(|(generation, _)| generation);
        let counts = generations.map(|generation| {
            let inside = |plugin: &Instance| {
                self.gate
                    .is_inside(generation.address(), plugin.call_target())
            };
            let generation = generation.get();
            generation.async_calls.count(&generation.plugins, inside)
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
                Some(generation.holder_of(inside))
            })
            .collect();
        if unnamed != 0 {
            holders.push(Holder::Holds { count: unnamed });
        }
        for (generation, _) in &self.generations {
            let inside = |plugin: &Instance| {
                self.gate
                    .is_inside(generation.address(), plugin.call_target())
            };
            let generation = generation.get();
            holders.extend(generation.async_calls.holders(&generation.plugins, inside));
        }
        holders
    }

    /// The gate that is closed.
    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// The hand-over is complete: nobody opens the gate any more but [`open`](Self::open). False when time is up.
    #[must_use]
    pub(super) fn commit(&self) -> bool {
        self.gate.commit()
    }

    /// The next generation is live, if the hand-over was committed, or one without a gate in place of the twin: all who
    /// wait begin again. Returns how long the gate was closed.
    pub(super) fn open(self) -> Duration {
        let closed_for = self.closed.elapsed();
        self.gate.open();
        closed_for
    }
}

/// The part of a gate's group that is in a generation. `handed` are the instances whose state is handed over.
fn group_of(at: *const (), generation: &Generation, handed: &[Arc<Instance>]) -> Option<Group> {
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
    let members: BTreeSet<_> = reached.iter().map(|plugin| plugin.call_target()).collect();
    (!members.is_empty()).then(|| Group::new(at, members))
}
