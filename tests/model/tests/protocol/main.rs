//! The protocol of pins, holds, records and looks under loom, which runs each test with every schedule, and with every
//! value that a load may return by the rules of the language's memory model.
//!
//! What is checked is the shipped code: `reclaim` compiles the host's own files. Around them, `load` and `platform` are
//! what a library and the operating system do there.
//!
//! Loom knows fences, not `membarrier`: here both barriers are fences, as on systems without it. What is shown is that
//! the protocol is right if the barriers keep the promise of the module `barrier`, and that each of them is needed. That
//! the machine's barriers keep it is up to the kernel, and to the test `machine`.
extern crate self as hotswap_plugin;

/// The names of hotswap-plugin's that the shipped files use.
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

/// Checks all executions with at most this many preemptions; `None` for all there are.
fn check(preemptions: Option<usize>, run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(run);
}

/// A thread whose end is a thread's.
fn thread<T: 'static>(run: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    spawn(|| {
        let result = run();
        platform::end_thread();
        result
    })
}
