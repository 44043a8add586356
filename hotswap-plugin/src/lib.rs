//! The crate that a hotswap plugin links: the attribute macros, the types that may cross between a plugin and its host,
//! and the contract that both are built on.
//!
//! A host loads plugins from shared libraries, calls them, and replaces them with newer builds while calls are running.
//! A plugin is an ordinary library crate with one annotated `impl`. It builds, lints, and tests with nothing loaded:
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
//! `cargo hotswap build` makes a shared library of it, and a host with the crate `hotswap_host` loads that. The
//! [`prelude`] has what the source of a plugin usually needs.
//!
//! # What to look for where
//! | for | see |
//! |---|---|
//! | the plugin, its options and hooks | [`#[plugin]`](macro@plugin), [`Context`], [`LoadData`] |
//! | types of your own in signatures | [`#[shared]`](macro@shared), [`Value`] |
//! | traits that plugins and the host offer each other | [`#[interface]`](macro@interface), [`Import`](derive@Import), [`Imported`], [`Held`] |
//! | objects that plugins register with the host | [`mod@extension`], [`Vault`] |
//! | data that another version of the code restores | [`mod@live_data`] |
//! | functions and types that are found by their names | [`mod@live`], [`VaultHandle`] |
//! | `async fn`s and background tasks | [`#[plugin]`](macro@plugin), `task` (with the feature `tokio`) |
//! | logs, spans, and panics | [`telemetry`] |
//! | how values cross, and the C ABI | [`boundary`], [`contract`] |
//!
//! # Safety
//! A plugin needs no `unsafe` code of its own. Nothing that owns memory crosses between two libraries, and nothing
//! whose layout Rust does not promise. A value crosses as a borrowed `repr(C)` view, and the receiver copies it with
//! its own allocator: see [`boundary`]. So the host and the plugin may be built by different compilers. Both sides
//! compare signatures and types before a call, and a reload is refused where they differ.
//!
//! Three things are up to the author: threads of a plugin end with its build, addresses of the build do not outlive it,
//! and process-wide resources belong to the host. [The rules][rules] say how to keep to that.
//!
//! # Platforms
//! Plugins are loaded, replaced, and unloaded on Linux with glibc. On other Unixes they are loaded and replaced as far
//! as `dlopen` goes, but old builds stay in memory. On Windows they are linked into the host's program. [Platforms]
//! says what is tested.
//!
//! # Limits
//! - Functions that cross take at most eight parameters, and have no type parameters, no lifetimes, and no `&mut`.
//! - Globals belong to one build: a new build starts with their initial values.
//! - A panic has to unwind: a plugin with `panic = "abort"` is refused.
//! - Plugins share the address space of the host. Do not load code that you do not trust.
//!
//! [rules]: https://github.com/hotswap-rs/hotswap/blob/main/book/src/rules.md
//! [Platforms]: https://github.com/hotswap-rs/hotswap/blob/main/hotswap-host/docs/platforms.md
#![deny(missing_docs, unsafe_code, unsafe_op_in_unsafe_fn)]

pub mod boundary;
pub mod contract;
pub mod extension;
pub mod live;
pub mod live_data;
pub mod telemetry;

mod context;
#[doc(hidden)]
pub mod expand;
mod health;
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
pub use health::Health;
pub use hotswap_macros::{Import, extension, interface, live, live_data, plugin, shared};
pub use live::{Handler, LiveItem, LiveKind, VaultError, VaultHandle};
pub use live_data::{Fields, LiveData, LiveDataError, LiveType};
pub use load_data::LoadData;
pub use plugin::{Early, Plugin};
#[cfg(unix)]
pub use state::Handed;
pub use vault::{BagError, BagValue, Vault};

/// The items that the source of a plugin usually needs.
pub mod prelude {
    #[cfg(unix)]
    pub use crate::Handed;
    pub use crate::{
        Context, Error, Fields, Handler, Health, Held, Import, Imported, LiveData, LoadData,
        Result, Slot, Value, Vault, VaultError, VaultHandle, extension, interface, live, live_data,
        plugin, shared,
    };
    pub use tracing::{debug, error, info, trace, warn};
}

/// Items to which generated code refers. They are not for people, and no promise of stability covers them.
#[doc(hidden)]
pub mod __private {
    pub use crate::expand::shim;
    pub use crate::host::is_loaded;
    pub use crate::{boundary, contract};
    pub use abi_stable;
    pub use hotswap_macros::linked_plugins;
    pub use linkme;
    pub use serde;
}
