//! Tests the chains with handlers of libraries that do not exist. Only one test uses each signal, and the slots.
use super::chains::{Chains, Installed, Owner, locked};
use super::kernel::{Call, kernel, set_kernel};
use super::slots::{self, COUNT};
use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

static CALLS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn handle(_: c_int) {
    CALLS.fetch_add(1, SeqCst);
}

fn handler() -> usize {
    let handler: extern "C" fn(c_int) = handle;
    handler as usize
}

/// Installs a handler of this library. Returns the previous handler that it was told of, if there was a place.
fn install(library: usize, signal: c_int) -> Option<usize> {
    match locked(|chains| chains.install(Owner(library), signal, Call::Signal, handler())) {
        Installed::Done(before) => Some(before.sa_sigaction),
        Installed::Full => None,
        Installed::Refused => panic!("the system refuses signal {signal}"),
    }
}

fn leave(library: usize) {
    locked(|chains: &mut Chains| {
        assert_eq!(chains.withdraw(Owner(library)), None);
        chains.forget(Owner(library));
    });
}

fn calls(signal: c_int) -> usize {
    CALLS.store(0, SeqCst);
    signal_hook::low_level::raise(signal).expect("the signal has a handler");
    CALLS.load(SeqCst)
}

fn in_use(signal: c_int) -> usize {
    locked(|chains| chains.in_use(signal))
}

#[test]
fn slots_are_used_again_and_may_be_used_up() {
    let signal = libc::SIGRTMIN() + 20;
    assert_eq!(install(1, signal), Some(libc::SIG_DFL));
    for library in 2..3 * COUNT {
        let before = install(library, signal).expect("there is a place");
        assert!(slots::slot_of(before).is_some());
        leave(library - 1);
        // The handler that it was told of stays until it leaves.
        assert_eq!(in_use(signal), 2);
        assert_eq!(calls(signal), 1);
        // It is installed again and again, each time with another slot.
        assert_eq!(install(library, signal), Some(handler()));
        assert_eq!(in_use(signal), 2);
    }
    leave(3 * COUNT - 1);
    assert_eq!(in_use(signal), 0);

    for library in 1..=COUNT {
        assert!(install(library, signal).is_some());
    }
    assert_eq!(in_use(signal), COUNT);
    assert_eq!(install(COUNT + 1, signal), None);
    for library in (1..=COUNT).filter(|library| library % 2 == 0) {
        leave(library);
    }
    assert_eq!(calls(signal), 1);
    for library in (1..=COUNT).filter(|library| library % 2 == 1) {
        leave(library);
    }
    assert_eq!(in_use(signal), 0);
    let now = locked(|chains| chains.ask(Owner(0), signal));
    let now = now.expect("there is such a signal");
    assert_eq!(now.sa_sigaction, libc::SIG_DFL);

    // The host has asked for the disposition, and puts it back when it has been replaced.
    assert!(install(1, signal).is_some());
    let old = kernel(signal).expect("there is such a signal");
    assert_eq!(install(1, signal), Some(handler()));
    assert!(set_kernel(signal, &old).is_some());
    let before = install(2, signal).expect("there is a place");
    assert_ne!(before, old.sa_sigaction);
    assert!(
        slots::slot_of(before).is_some(),
        "another library's handler"
    );
    assert_eq!(calls(signal), 1);
    leave(2);
    leave(1);
}
