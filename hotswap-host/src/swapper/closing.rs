//! Closes a gate, waits until no thread is behind it, and opens it: see [`gate`](crate::reclaim::gate).
use crate::base::time::after;
use crate::generation::Generation;
use crate::hook_thread;
use crate::instance::Instance;
use crate::load::library::Library;
use crate::reclaim::code::Code;
use crate::reclaim::gate::{Gate, Group};
use crate::reclaim::pin::{Holding, Retired};
use crate::reclaim::record::{self, Inside, entered};
use crate::reclaim::slot::Address;
use crate::retirement::Holder;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The side of a gate that closes and opens it.
pub(super) struct Closing {
    gate: Arc<Gate>,
    closed: Instant,
    /// The generations that have members of the group, with the number of holds that this side has of each. They are
    /// kept, so that their addresses are not reused.
    generations: Vec<(Arc<Retired<Generation>>, usize)>,
}

/// The number of looks at who is inside before each look is followed by a sleep.
const LOOKS: u32 = 32;
const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

impl Closing {
    /// Makes a gate for the instances whose state is handed over. `switch` closes it by switching to the gated copy of
    /// `live`. `leaving` are the earlier generations that still exist, and `next` are the libraries of the instances
    /// that take over.
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
        // The live generation comes first, because it has all members that can be called from now on.
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
        let gate = Arc::new(Gate::new(groups, after(closed, limit), lets_in));
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

    /// Waits until no thread is in the group.
    ///
    /// # Errors
    /// The time is over. The error names those that are still inside, as far as possible.
    pub(super) fn wait_until_left(&self) -> Result<(), Vec<Holder>> {
        let is_ordered = |(leaving, _): &(Arc<Retired<_>>, _)| leaving.is_ordered();
        if !self.generations.iter().all(is_ordered) {
            let reason =
                "calls that the host cannot see, because the process may no longer call membarrier";
            return Err(vec![Holder::Other {
                reason: reason.into(),
            }]);
        }
        let mut pause = SHORTEST_PAUSE;
        for look in 0_u32.. {
            let inside = entered::inside(|at, entered| self.gate.is_inside(at, entered));
            // The holds come after the slots: see the module's documentation.
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
        unreachable!("the loop returns when the time is over")
    }

    fn holds(&self) -> usize {
        let generations = self.generations.iter();
        let holds = generations.map(|(generation, own)| generation.holds() - own);
        holds.sum::<usize>() + self.gate.passes()
    }

    /// The number of async calls of the group that have not ended.
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
        let of = |at: Address| {
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

    /// Commits the hand-over, which is complete: from now on, only [`open`](Self::open) opens the gate. Returns false
    /// if the time is up.
    #[must_use]
    pub(super) fn commit(&self) -> bool {
        self.gate.commit()
    }

    /// Opens the gate, and all waiting threads begin again. If the hand-over was committed, the next generation is
    /// live; otherwise, a generation without a gate has replaced the gated copy. Returns how long the gate was closed.
    pub(super) fn open(self) -> Duration {
        let closed_for = self.closed.elapsed();
        self.gate.open();
        closed_for
    }
}

/// Returns the part of a gate's group that is in a generation. `handed` are the instances whose state is handed over.
fn group_of(at: Address, generation: &Generation, handed: &[Arc<Instance>]) -> Option<Group> {
    let is_handed = |plugin: &Arc<Instance>| handed.iter().any(|one| Arc::ptr_eq(one, plugin));
    let reached = generation.reaching(is_handed);
    let members: BTreeSet<_> = reached.iter().map(|plugin| plugin.call_target()).collect();
    (!members.is_empty()).then(|| Group::new(at, members))
}
