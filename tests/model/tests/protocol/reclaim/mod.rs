//! The shipped files, with the checker's types in `sync`.
#[path = "../../../../../hotswap-host/src/reclaim/activity.rs"]
pub(crate) mod activity;
#[path = "../../../../../hotswap-host/src/reclaim/barrier.rs"]
mod barrier;
#[path = "../../../../../hotswap-host/src/reclaim/code.rs"]
pub(crate) mod code;
#[path = "../../../../../hotswap-host/src/reclaim/look.rs"]
mod look;
#[path = "../../../../../hotswap-host/src/reclaim/pin/mod.rs"]
pub(crate) mod pin;
pub(crate) mod quiet;
#[path = "../../../../../hotswap-host/src/reclaim/record/mod.rs"]
pub(crate) mod record;
#[path = "../../../../../hotswap-host/src/reclaim/slot.rs"]
pub(crate) mod slot;
mod sync;
