//! The shipped files for this machine.
#[path = "../../../../hotswap-host/src/platform/linux.rs"]
mod linux;
#[path = "../../../../hotswap-host/src/platform/membarrier.rs"]
pub(crate) mod membarrier;
#[path = "../../../../hotswap-host/src/platform/proc.rs"]
#[allow(dead_code)]
mod proc;
#[path = "../../../../hotswap-host/src/platform/thread_key.rs"]
pub(crate) mod thread_key;

pub(crate) use linux::*;
