//! The shipped files.
#[path = "../../../../../hotswap-host/src/reclaim/activity.rs"]
pub(crate) mod activity;
#[path = "../../../../../hotswap-host/src/reclaim/barrier.rs"]
mod barrier;
#[path = "../../../../../hotswap-host/src/reclaim/code.rs"]
pub(crate) mod code;
#[path = "../../../../../hotswap-host/src/reclaim/pin/mod.rs"]
pub(crate) mod pin;
#[path = "../../../../../hotswap-host/src/reclaim/record/mod.rs"]
pub(crate) mod record;
#[path = "../../../../../hotswap-host/src/reclaim/slot.rs"]
pub(crate) mod slot;
#[path = "../../../../../hotswap-host/src/reclaim/sync.rs"]
mod sync;
