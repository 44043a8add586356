//! What the author of a hotswap plugin links: the attribute macros, the types that may cross between a plugin and
//! its host, and the contract the two are built on.
//!
//! A plugin is an ordinary library crate with one annotated type:
//!
//! ```
//! use hotswap_plugin::prelude::*;
//!
//! #[derive(Default)]
//! struct World;
//!
//! #[plugin]
//! impl World {
//!     #[invoke]
//!     fn hum(&self, times: u32) -> String {
//!         "hum ".repeat(times as usize)
//!     }
//! }
//! # assert_eq!(World.hum(2), "hum hum ");
//! ```
//!
//! `cargo hotswap build` turns it into a shared library; everything else about the crate stays as it was: it builds,
//! tests and lints on its own, with nothing loaded.
//!
//! # What may cross
//! Nothing that owns memory, and nothing whose layout Rust does not promise. A value crosses as a borrowed `repr(C)`
//! view, and whoever receives it copies it with its own allocator: see [`boundary`]. Host and plugin may therefore be
//! built by different compilers.
//!
//! # Map
//! [`contract`] is the C ABI, [`boundary`] is how values cross, [`telemetry`] forwards log records, spans and panics,
//! [`mod@live_data`] is values that outlive the code which made them, [`mod@live`] code that is found by its name alone,
//! [`mod@extension`] objects that the host finds in places of its own, `task` (with the feature `tokio`) work that goes on
//! beside calls, [`Plugin`] is what `#[plugin]` implements.
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

pub mod boundary;
pub mod contract;
pub mod extension;
pub mod live;
pub mod live_data;
pub mod telemetry;

mod context;
#[doc(hidden)]
pub mod expand;
mod host;
mod load_data;
mod plugin;
mod runtime;
#[doc(hidden)]
pub mod state;
#[cfg(feature = "tokio")]
pub mod task;
mod vault;

pub use boundary::{Error, Held, Import, Imported, Result, UnknownFunction, Value};
pub use context::Context;
pub use extension::{Extension, ExtensionError, Slot};
pub use hotswap_macros::{Import, extension, interface, live, live_data, plugin, shared};
pub use live::{Handler, LiveItem, LiveKind, VaultError, VaultHandle};
pub use live_data::{Fields, LiveData, LiveDataError, LiveType};
pub use load_data::LoadData;
pub use plugin::{Early, Plugin};
#[cfg(unix)]
pub use state::Handed;
pub use vault::{BagError, BagValue, Vault};

/// Everything a plugin's source usually needs.
pub mod prelude {
    #[cfg(unix)]
    pub use crate::Handed;
    pub use crate::{
        Context, Error, Fields, Handler, Held, Import, Imported, LiveData, LoadData, Result, Slot,
        Value, Vault, VaultError, VaultHandle, extension, interface, live, live_data, plugin,
        shared,
    };
    pub use tracing::{debug, error, info, trace, warn};
}

/// What generated code names. Not for people, and not covered by any promise of stability.
#[doc(hidden)]
pub mod __private {
    pub use crate::expand::shim;
    pub use crate::{boundary, contract};
    pub use abi_stable;
    pub use hotswap_macros::linked_plugins;
    pub use linkme;
    pub use serde;
}
