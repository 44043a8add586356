//! Tests the protocol of pins, holds, records, and looks under loom, which runs each test with every schedule, and with
//! every value that a load may return by the rules of the language's memory model.
//!
//! The code under test is the shipped one: `reclaim` compiles the host's own files. `load` and `platform` stand for a
//! library and for the operating system.
//!
//! Loom knows fences, but not `membarrier`. Here, both barriers are fences, as on systems without it. The tests show
//! that the protocol is right if the barriers keep the promise of the module `barrier`, and that each of them is
//! needed. Whether the machine's barriers keep the promise depends on the kernel, and is what the test `machine`
//! checks.
extern crate self as hotswap_plugin;

/// The names of hotswap-plugin that the shipped files use.
mod contract {
    pub(crate) mod shim {
        pub(crate) type Destructor = unsafe extern "C" fn(*mut std::ffi::c_void);
        pub(crate) type Key = u32;
    }
}

mod gate;
mod load;
mod looks;
mod pins;
mod platform;
#[allow(dead_code, reason = "the host uses more of it")]
mod reclaim;

use loom::thread::{JoinHandle, spawn};

/// Checks all executions with at most this many preemptions, or all executions for `None`.
fn check(preemptions: Option<usize>, run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(run);
}

/// Starts a thread that ends as threads of the operating system do, with thread-exit functions.
fn thread<T: 'static>(run: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    spawn(|| {
        let result = run();
        platform::end_thread();
        result
    })
}
