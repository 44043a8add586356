//! The rollback window of a reload: keeps the previous generation whole beside the new one, and watches that.
//!
//! The instances that were replaced are stopped and otherwise left as they are. Nothing calls them, because no live
//! generation has them, but what they have in memory is still there. To revert is to make a generation of them that is
//! switched to like any other: see `reload::revert`.
//!
//! A plugin that is kept cold has no instance any more, but what another one is made from: see `cold`.
//!
//! At most two whole generations exist: the permanent one, and the live one. A reload during the window replaces the
//! live one, and the permanent one stays what it was.
mod cold;
mod handle;
mod kept;
mod leave;
mod rates;
mod watch;

pub(super) use cold::{Cold, erase};
pub(super) use handle::Shared as OpenedWindow;
use handle::Shared;
pub use handle::{RollbackWindow, WindowOutcome};
pub(super) use kept::{Kept, KeptPlugin, Replaced, Window, is_among};
pub(super) use rates::{Meter, Rates};
