//! The gate makes calls wait while the state of plugins passes from one instance to the next.
//!
//! # What it does
//! The *group* consists of the plugins whose state is handed over, and of all plugins that reach one of them through
//! imports. While the gate is closed, only a thread that is already in the group enters it, and the state is saved when
//! no thread is in it.
//!
//! # Closing the gate costs calls nothing
//! The host switches to a *gated copy* of the live generation. The copy has the same instances under the same number,
//! but its table lacks the functions of the group. A call notices that anyway. It then finds the gate, lets go of the
//! copy, waits, and begins again with the generation that is live by then. Calls of other plugins go on. Code that
//! looks up functions by name asks the gate each time.
//!
//! # No thread is in the group when the state is saved
//! Code of the group runs in one of these ways:
//! - under a *pin* of a generation that has an instance of the group. This is the generation that was live, or an older
//!   one, since instances are kept across generations. The thread's record says which plugin it has entered; the
//!   argument that none is missed is in `pin`. In an older generation the group may have other members: the plugins
//!   that reached the instances there.
//! - under a *hold* of such a generation. Holds are counted. A hold of a generation that is not live can only be made
//!   from a pin or from another hold of it. Therefore slots are looked at first, and holds afterwards.
//! - in an *async call* that has begun and has not ended. These are counted for each plugin, in the generation in which
//!   they began, under a pin of it: see `async_call`. Therefore they, too, are looked at after the slots.
//! - under a pin or a hold of the *gated copy*, by a thread that was let in (see below). These are counted as
//!   [`Pass`]es.
//!
//! Objects that plugins have handed out, and threads that a plugin of the group has started, do not go through the
//! gate. `on_stop` runs before `save`, and it has to end everything that changes the state.
//!
//! # Which threads are let in
//! A thread that waits at the gate must not be one that the group waits for. A thread that is in the group learns this
//! from its own record and is let in: it calls the instances that have always been there. Threads that the group has
//! started are let in, too, because `on_stop` may wait for them. So is a thread that runs a hook of the group, or of
//! the instances that take over. Other hooks are not waited for: a hook that has not returned within its limit may be
//! calling long after its reload.
//!
//! The group may also wait for threads of others, in ways that the host cannot see. Therefore there is a limit. After
//! it, the first waiting thread opens the gate, the hand-over can no longer be *committed*, and the old instances,
//! which still exist, go on. One lock decides whether the hand-over is committed or given up.
use super::async_waiters::AsyncWaiters;
use super::record;
use super::slot::{Address, CallTarget};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A gate, as seen by callers that come to it.
pub(crate) struct Gate {
    /// The members of the group, for each generation that has any.
    groups: Vec<Group>,
    /// Returns true if the calling thread may enter the group because a thread within it waits for the caller.
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
    /// The host is about to switch to the next generation.
    Committed,
    /// The next generation is live.
    Opened,
    /// The old instances go on.
    GivenUp,
}

/// The part of the group that is in one generation.
pub(crate) struct Group {
    /// The address of the generation, as hazard slots hold it.
    at: Address,
    members: BTreeSet<CallTarget>,
}

impl Group {
    /// The group of the generation whose address in hazard slots is `at`.
    pub(crate) fn new(at: Address, members: BTreeSet<CallTarget>) -> Self {
        Group { at, members }
    }

    /// Returns true if a slot that holds `at` holds the generation of this group.
    pub(crate) fn is_at(&self, at: Address) -> bool {
        self.at == at
    }

    pub(crate) fn has(&self, entered: CallTarget) -> bool {
        entered.is_anything() || self.members.contains(&entered)
    }
}

impl Gate {
    /// A closed gate. The first group is that of the live generation: it has all members that can be called from now
    /// on. `lets_in` says whether the group or the hand-over waits for the calling thread.
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

    /// Returns true if the generation at this address has members of the group.
    pub(crate) fn has_members_in(&self, at: Address) -> bool {
        self.groups.iter().any(|group| group.is_at(at))
    }

    /// The number of callers that were let in and hold the gated copy.
    pub(crate) fn passes(&self) -> usize {
        self.passes.load(Acquire)
    }

    /// Commits the hand-over, which is complete: from now on, no waiting thread gives up. Returns false if the time is
    /// up.
    #[must_use]
    pub(crate) fn commit(&self) -> bool {
        let mut state = self.state();
        let in_time = *state == GateState::Closed && Instant::now() < self.deadline;
        if in_time {
            *state = GateState::Committed;
        }
        in_time
    }

    /// Opens the gate, and all waiting threads begin again. If the hand-over was committed, the next generation is
    /// live; otherwise, a generation without a gate has replaced the gated copy.
    pub(crate) fn open(&self) {
        let mut state = self.state();
        *state = match *state {
            GateState::Committed => GateState::Opened,
            _ => GateState::GivenUp,
        };
        self.changed.notify_all();
    }

    /// The time at which callers stop waiting.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns true once the time is up.
    pub(crate) fn is_over(&self) -> bool {
        *self.state() != GateState::Closed || Instant::now() >= self.deadline
    }

    /// Returns true if the group of the live generation has, or may have, the target.
    pub(crate) fn covers(&self, entering: CallTarget) -> bool {
        self.groups.first().is_some_and(|live| live.has(entering))
    }

    /// Returns true if the calling thread has to let go of the gated copy and to [wait](Self::wait) before it enters
    /// the target.
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

    /// Returns true if the target is in the group. The gated copy does not count, because no thread enters the group
    /// from outside under it.
    pub(crate) fn is_inside(&self, at: Address, entered: CallTarget) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.is_at(at) && group.has(entered))
    }

    /// Waits until the gate is open. A thread that has waited until the limit opens it.
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
                // A switch takes microseconds and cannot fail.
                GateState::Committed => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// The tasks that wait without a thread.
    pub(crate) fn async_waiters(&self) -> &AsyncWaiters {
        &self.async_waiters
    }

    /// Returns true if the state may be saved, or is being saved.
    pub(crate) fn is_closed(&self) -> bool {
        *self.state() == GateState::Closed
    }

    /// Counts a caller that was let in and goes on to hold the gated copy.
    pub(crate) fn pass(self: &Arc<Self>) -> Pass {
        self.passes.fetch_add(1, Relaxed);
        Pass(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The count of one caller that was let in and holds the gated copy. It is counted as a hold is: see `pin`.
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
