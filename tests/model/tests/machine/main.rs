//! Tests whether this machine, this kernel, and this compiler keep the promise of the pin's barriers. The shipped pin
//! and switch race on two processors, and the race is lost without the barriers.
//!
//! A pin's store to its slot waits in the processor's store buffer until all stores before it have been carried out.
//! Here, these are stores to memory that no cache holds, so that the slot is written long after the pin has looked at
//! the live value again. Only a barrier makes the store visible before that, or before the switching side looks at the
//! slots.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
extern crate self as hotswap_plugin;

/// The names of hotswap-plugin that the shipped files use.
mod contract {
    pub(crate) mod shim {
        pub(crate) type Destructor = unsafe extern "C" fn(*mut std::ffi::c_void);
        pub(crate) type Key = u32;
    }
}

#[allow(dead_code, reason = "the host uses more of it")]
mod platform;
#[allow(dead_code, unused_imports, reason = "the host uses more of it")]
mod reclaim;
mod sandbox;

use reclaim::pin::Live;
use reclaim::record;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::*};
use std::thread;

const ROUNDS: usize = 5_000;
/// The number of stores that wait in the store buffer before the store to the slot.
const WAITING: usize = 24;
const LINE: usize = 128;
/// More bytes than a processor's own caches hold.
const COLD: usize = 1 << 25;

#[repr(align(128))]
#[derive(Default)]
struct Line(AtomicUsize);

/// Makes two threads start at the same time.
#[derive(Default)]
struct Meeting(Line);

impl Meeting {
    /// Waits for the other thread, for the `n`th time, counted from 1.
    fn meet(&self, n: usize) {
        self.0.0.fetch_add(1, AcqRel);
        let mut spins = 0;
        while self.0.0.load(Acquire) < 2 * n {
            spins += 1;
            match spins % 10_000 {
                // The other thread may wait for this processor.
                0 => thread::yield_now(),
                _ => std::hint::spin_loop(),
            }
        }
    }
}

/// Pins and switches at the same time. Returns the number of rounds in which the pin got the old value, but was not
/// seen.
fn missed(rounds: usize) -> usize {
    let live = Live::new(0);
    let meeting = Meeting::default();
    let pinned_value = Line::default();
    let cold: Vec<AtomicU8> = (0..COLD).map(|_| AtomicU8::new(1)).collect();
    let mut missed = 0;
    thread::scope(|s| {
        s.spawn(|| {
            let mut at = 1_usize;
            for round in 1..=rounds {
                meeting.meet(3 * round - 2);
                for _ in 0..WAITING {
                    at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    cold[(at >> 20) % (COLD / LINE) * LINE].store(round as u8, Relaxed);
                }
                let pinned = live.pin();
                pinned_value.0.store(*pinned, Release);
                meeting.meet(3 * round - 1);
                drop(pinned);
                meeting.meet(3 * round);
            }
        });
        for round in 1..=rounds {
            meeting.meet(3 * round - 2);
            // The delay varies, since it is unknown when the pin takes its second look.
            (0..round % 64).for_each(|_| std::hint::spin_loop());
            let retired = live.switch(round);
            let is_seen = record::is_pinned(retired.address());
            meeting.meet(3 * round - 1);
            let got_the_old = pinned_value.0.load(Acquire) == round - 1;
            missed += usize::from(got_the_old && !is_seen);
            meeting.meet(3 * round);
            assert!(
                retired.into_inner().is_ok(),
                "the value is not pinned any more"
            );
        }
    });
    missed
}

/// The test uses the barriers that this process has.
#[test]
fn a_pin_or_a_switch_is_seen() {
    assert_eq!(sandbox::is_here(), !platform::membarrier::register());
    assert_eq!(missed(ROUNDS), 0, "of {ROUNDS} rounds");
}

#[test]
fn by_fences_where_membarrier_is_forbidden() {
    sandbox::run("a_pin_or_a_switch_is_seen");
}

/// A process may be forbidden `membarrier` after the first pin. Then nothing is freed.
#[test]
fn nothing_is_said_of_pins_where_membarrier_is_forbidden_later() {
    let live = Live::new(1);
    let retired = thread::scope(|s| {
        let switch = || {
            sandbox::enter().unwrap();
            live.switch(2)
        };
        s.spawn(switch).join().unwrap()
    });
    assert!(!retired.is_ordered());
    assert!(retired.into_inner().is_err());
}
