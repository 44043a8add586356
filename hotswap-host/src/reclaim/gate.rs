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
use super::async_waiters::AsyncWaiters;
use super::record::{self, CallTarget};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A gate, as those see it who come to it.
pub(crate) struct Gate {
    /// The members of the group, in the generations that have any.
    groups: Vec<Group>,
    /// Whether the calling thread may enter the group, as one that somebody within waits for.
    lets_in: Box<dyn Fn() -> bool + Send + Sync>,
    deadline: Instant,
    state: Mutex<GateState>,
    changed: Condvar,
    passes: AtomicUsize,
    async_waiters: AsyncWaiters,
}

#[derive(Clone, Copy, PartialEq)]
enum GateState {
    Closed,
    /// The next generation is about to be switched to.
    Committed,
    /// The next generation is live.
    Opened,
    /// The old instances go on.
    GivenUp,
}

/// The part of the group that is in one generation.
pub(crate) struct Group {
    /// What a slot holds that holds the generation.
    at: usize,
    members: BTreeSet<CallTarget>,
}

impl Group {
    /// What a slot holds that holds the generation at `at`, of which these are members.
    pub(crate) fn new(at: *const (), members: BTreeSet<CallTarget>) -> Self {
        Group {
            at: at.addr(),
            members,
        }
    }

    /// Whether a slot that holds this holds the generation.
    pub(crate) fn is_at(&self, at: *const ()) -> bool {
        self.at == at.addr()
    }

    pub(crate) fn has(&self, entered: CallTarget) -> bool {
        entered.is_anything() || self.members.contains(&entered)
    }
}

impl Gate {
    /// A closed gate. The first of the groups is that of the live generation: it has all members that can be called from now
    /// on. `lets_in` says whether the calling thread is one that somebody in the group, or the hand-over, waits for.
    pub(crate) fn new(
        groups: Vec<Group>,
        deadline: Instant,
        lets_in: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Gate {
            groups,
            lets_in: Box::new(lets_in),
            deadline,
            state: Mutex::new(GateState::Closed),
            changed: Condvar::new(),
            passes: AtomicUsize::new(0),
            async_waiters: AsyncWaiters::default(),
        }
    }

    /// Whether the generation that a slot holds by this has members of the group.
    pub(crate) fn has_members_in(&self, at: *const ()) -> bool {
        self.groups.iter().any(|group| group.is_at(at))
    }

    /// How many hold the twin who were let in.
    pub(crate) fn passes(&self) -> usize {
        self.passes.load(Acquire)
    }

    /// The hand-over is complete: nobody gives up any more. False when the time is up.
    #[must_use]
    pub(crate) fn commit(&self) -> bool {
        let mut state = self.state();
        let in_time = *state == GateState::Closed && Instant::now() < self.deadline;
        if in_time {
            *state = GateState::Committed;
        }
        in_time
    }

    /// The next generation is live, if the hand-over was committed, or one without a gate in place of the twin: all who
    /// wait begin again.
    pub(crate) fn open(&self) {
        let mut state = self.state();
        *state = match *state {
            GateState::Committed => GateState::Opened,
            _ => GateState::GivenUp,
        };
        self.changed.notify_all();
    }

    /// When callers wait no longer.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns true once the time is up.
    pub(crate) fn is_over(&self) -> bool {
        *self.state() != GateState::Closed || Instant::now() >= self.deadline
    }

    /// Whether a plugin is in the group of the live generation, or what is called may be.
    pub(crate) fn covers(&self, entering: CallTarget) -> bool {
        self.groups.first().is_some_and(|live| live.has(entering))
    }

    /// Whether the calling thread has to let go of the twin, and to [wait](Self::wait), before it enters this.
    pub(crate) fn stops(&self, entering: CallTarget) -> bool {
        if !self.covers(entering) {
            return false;
        }
        match *self.state() {
            GateState::GivenUp => false,
            GateState::Opened => true,
            GateState::Closed | GateState::Committed => {
                let record = record::mine();
                let inside = |at, entered| self.is_inside(at, entered);
                !record.is_inside(inside) && !(self.lets_in)()
            }
        }
    }

    /// Whether this is in the group. The twin, under which nobody enters the group from outside, does not count.
    pub(crate) fn is_inside(&self, at: *const (), entered: CallTarget) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.is_at(at) && group.has(entered))
    }

    /// Waits until the gate is open. Whoever has waited until the limit opens it.
    pub(crate) fn wait(&self) {
        let mut state = self.state();
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            state = match *state {
                GateState::Opened | GateState::GivenUp => return,
                GateState::Closed if left.is_zero() => {
                    *state = GateState::GivenUp;
                    self.changed.notify_all();
                    return;
                }
                GateState::Closed => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                // A switch takes microseconds, and cannot fail.
                GateState::Committed => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Those who wait without a thread.
    pub(crate) fn async_waiters(&self) -> &AsyncWaiters {
        &self.async_waiters
    }

    /// Whether the state may be saved, or is being.
    pub(crate) fn is_closed(&self) -> bool {
        *self.state() == GateState::Closed
    }

    /// Counts somebody who was let in, and goes on to hold the twin.
    pub(crate) fn pass(self: &Arc<Self>) -> Pass {
        self.passes.fetch_add(1, Relaxed);
        Pass(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
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
