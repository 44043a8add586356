//! The shipped files, with the checker's types in `sync`.
#[path = "../../../../../hotswap-host/src/live/activity.rs"]
pub(crate) mod activity;
#[path = "../../../../../hotswap-host/src/live/barrier.rs"]
mod barrier;
#[path = "../../../../../hotswap-host/src/live/pin/mod.rs"]
pub(crate) mod pin;
#[path = "../../../../../hotswap-host/src/live/record/mod.rs"]
pub(crate) mod record;
pub(crate) mod retire;
mod sync;
