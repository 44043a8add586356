//! Live functions and types: with `#[live]`, they are found by their names, whichever plugin of the newest generation
//! has them.
//!
//! A job that one build has queued as "name and data" finds the code of the build that is live when its turn comes. The
//! host looks names up through its `Swapper`, and a plugin through its [`VaultHandle`].
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
