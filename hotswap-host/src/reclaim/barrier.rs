//! A pair of barriers: [`light`](Barriers::light) is cheap and is part of every pin, and [`heavy`](Barriers::heavy) is
//! expensive and is part of every switch.
//!
//! # What they guarantee
//! For each execution of `light` on one thread and of `heavy` on another, one of these two statements holds:
//! - everything that the first thread stored before `light` is visible to what the second one loads after `heavy`, or
//! - everything that the second thread stored before `heavy` is visible to what the first one loads after `light`.
//!
//! # Why
//! Two `SeqCst` fences guarantee exactly this, and where the kernel offers nothing better, both barriers are fences. On
//! x86-64, such a fence is most of the cost of a call.
//!
//! Linux has `membarrier`. Its private expedited command returns after every running thread of the process has gone
//! through a full barrier. (A running thread is interrupted on its processor; a thread that is not running went through
//! a barrier when it was switched out.) That barrier falls somewhere between the instructions of the other thread. If
//! it falls after `light`, the stores before `light` are visible to everything after `heavy`. Otherwise it falls before
//! `light`, so the loads after `light` come after the barrier, which comes after the beginning of `heavy`. Therefore
//! `light` only has to keep the compiler from moving accesses across it.
//!
//! `tests/model` checks the two halves of this. A model checker, for which both barriers are fences, shows what follows
//! from the guarantee, and that both sides need it. A race of a pin and a switch, with fences and with `membarrier`,
//! shows that the machine keeps the guarantee.
//!
//! [`Barriers::of_this_process`] decides once: a process that may not call `membarrier` uses fences on both sides.
use super::sync::fence;
use crate::platform::membarrier;
use std::sync::OnceLock;
use std::sync::atomic::{Ordering::*, compiler_fence};

/// The two barriers. The thread that pins and the thread that switches have to use the same pair.
#[derive(Clone, Copy)]
pub(super) struct Barriers {
    /// True if `membarrier` does the work of both sides.
    asymmetric: bool,
}

impl Barriers {
    /// Returns the best barriers that this process can use.
    pub(super) fn of_this_process() -> Self {
        static ASYMMETRIC: OnceLock<bool> = OnceLock::new();
        Barriers {
            asymmetric: *ASYMMETRIC.get_or_init(membarrier::register),
        }
    }

    /// The cheap side.
    #[inline(always)]
    pub(super) fn light(self) {
        if self.asymmetric {
            compiler_fence(SeqCst);
        } else {
            light_fence();
        }
    }

    /// The expensive side. Where it saves the other side its fence, it takes a microsecond or several.
    ///
    /// Returns false if it did nothing: a sandbox that the process entered after the decision forbids `membarrier`.
    /// Nothing is known then about what other threads see.
    #[must_use]
    pub(super) fn heavy(self) -> bool {
        fence(SeqCst);
        !self.asymmetric || membarrier::run()
    }
}

/// This function is cold, so that it does not cost those who use `membarrier`.
#[cold]
#[inline(never)]
fn light_fence() {
    fence(SeqCst);
}

#[cfg(all(test, not(hotswap_model)))]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering::*, fence};
    use std::thread;

    #[repr(align(128))]
    struct Line(AtomicUsize);

    /// Two threads each store, run a barrier, and load, at the same time. Returns how often neither saw the other's
    /// store.
    fn both_missed(rounds: usize, light: impl Fn() + Sync, heavy: impl Fn() + Sync) -> usize {
        let (x, y) = (&Line(AtomicUsize::new(0)), &Line(AtomicUsize::new(0)));
        let (seen, meet) = (&Line(AtomicUsize::new(0)), &Barrier::new(2));
        let turn = &Line(AtomicUsize::new(0));
        // This spins, because a barrier of std would let the threads start too far apart.
        let together = |round: usize| {
            turn.0.fetch_add(1, SeqCst);
            while turn.0.load(Relaxed) < 2 * round {
                std::hint::spin_loop();
            }
        };
        let mut missed = 0;
        thread::scope(|s| {
            let (together, light) = (&together, &light);
            s.spawn(move || {
                meet.wait();
                for round in 1..=rounds {
                    together(2 * round - 1);
                    x.0.store(round, Relaxed);
                    light();
                    seen.0.store(y.0.load(Relaxed), Relaxed);
                    together(2 * round);
                }
            });
            meet.wait();
            for round in 1..=rounds {
                together(2 * round - 1);
                y.0.store(round, Relaxed);
                heavy();
                let other = x.0.load(Relaxed);
                together(2 * round);
                missed += usize::from(other < round && seen.0.load(Relaxed) < round);
            }
        });
        missed
    }

    const ROUNDS: usize = 3_000;

    #[test]
    fn one_side_always_sees_the_other() {
        let barriers = super::Barriers::of_this_process();
        assert_eq!(
            both_missed(ROUNDS, || barriers.light(), || assert!(barriers.heavy())),
            0
        );
        assert_eq!(
            both_missed(ROUNDS, || fence(SeqCst), || fence(SeqCst)),
            0,
            "fences on both sides"
        );
    }

    /// The test above can fail: this is what it would see on a processor with a store buffer and at least two cores.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn without_barriers_both_miss() {
        if thread::available_parallelism().map_or(1, usize::from) < 2 {
            return;
        }
        let nothing = || std::sync::atomic::compiler_fence(SeqCst);
        // Sooner or later, both threads run at the same time, however busy the machine is.
        while both_missed(ROUNDS, nothing, nothing) == 0 {}
    }
}
