//! What is found by its name alone: functions and types with `#[live]`, whichever plugin of the newest generation they are
//! in.
//!
//! A job that was queued by one build as "name and data" finds the code of the build that is live when its turn comes.
//! The host looks names up through its `Swapper`, a plugin through its [`VaultHandle`].
mod error;
#[doc(hidden)]
pub mod generated;
mod handler;
mod item;
mod vault_handle;

pub use error::VaultError;
pub use handler::Handler;
pub use item::{LiveItem, LiveKind};
pub use vault_handle::VaultHandle;
