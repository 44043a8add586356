//! Loads, calls, swaps, and unloads plugins of a running program.
//!
//! ```no_run
//! use hotswap_host::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let swapper = Swapper::builder().plugin_dir("plugins").open()?;
//! let hum: Function<fn(u32) -> String> = swapper.function("world", "hum")?;
//! println!("{}", hum.call(3)?);
//! println!("{}", swapper.reload()?); // world: reloaded
//! println!("{}", hum.call(3)?); // the new build
//! # Ok(())
//! # }
//! ```
//!
//! # How data flows
//! [`artifact`] (find, hash, read without running code) → `load` (private copy, open, check) → `resolve` (imports,
//! order) → `generation` (the plugins that are live together) → [`Swapper`] (stage, switch, call, await) → `reclaim`
//! (pins, thread records, the last look before a library leaves memory). [`telemetry`] has the logs and traces of
//! plugins, [`runtime`] the files for tools outside of the host, [`graph`] the dependencies between artifacts that are
//! not loaded, and [`linked`] the plugins that are part of the program.
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]
// Where plugins have no hidden functions, the code that those would call is unused.
#![cfg_attr(not(all(target_os = "linux", target_env = "gnu")), allow(dead_code))]

pub mod artifact;
mod base;
mod call;
mod environment;
mod error;
mod generation;
pub mod graph;
mod handle;
mod hook_thread;
mod host_table;
mod instance;
mod invoke;
pub mod linked;
mod load;
mod load_data;
mod platform;
mod provide;
mod reclaim;
mod resolve;
mod retirement;
pub mod runtime;
mod saved_state;
pub mod shown;
#[cfg(unix)]
pub mod signal;
mod swapper;
pub mod telemetry;
mod vault;

pub use base::name::PluginName;
pub use call::async_call::{
    AsyncCall0, AsyncCall1, AsyncCall2, AsyncCall3, AsyncCall4, AsyncCall5, AsyncCall6, AsyncCall7,
    AsyncCall8, AsyncFunction, Calling, InterfaceHold,
};
pub use call::function::{
    Bound, Call0, Call1, Call2, Call3, Call4, Call5, Call6, Call7, Call8, Dynamic, Function,
};
pub use call::interface::{BoundInterface, Interface};
pub use call::signature::Signature;
pub use error::{
    CallError, CopyError, HandleError, Hook, HookFailure, InvokeError, LivePlace, ReloadError,
};
pub use generation::{Generation, Listing, PluginListing};
pub use hotswap_plugin::{
    BagValue, Extension, Held, LiveData, LiveDataError, LiveItem, LiveKind, Value,
};
pub use linked::LinkedPlugins;
pub use provide::Provider;
pub use retirement::{Holder, Retirement, RetirementState};
pub use swapper::UnloadMode;
pub use swapper::{
    Builder, Cause, Change, Hold, Outcome, Pin, PluginReport, Reload, ReloadEvent, ReloadEventKind,
    Report, StateReport, Swapper,
};
pub use swapper::{Compatibility, Difference, Item, ItemChange, ItemUser, PluginVerdict, Verdict};
pub use vault::{BagItem, LiveTypeRef, Prefill};

/// The names that the macros use. They are not meant for people, and no promise of stability covers them.
#[doc(hidden)]
pub mod __private {
    pub use hotswap_plugin::__private::linked_plugins;
}

/// The names that a host's source usually needs.
pub mod prelude {
    pub use crate::{
        AsyncCall0 as _, AsyncCall1 as _, AsyncCall2 as _, AsyncCall3 as _, AsyncCall4 as _,
        AsyncCall5 as _, AsyncCall6 as _, AsyncCall7 as _, AsyncCall8 as _, AsyncFunction,
    };
    pub use crate::{
        Call0 as _, Call1 as _, Call2 as _, Call3 as _, Call4 as _, Call5 as _, Call6 as _,
        Call7 as _, Call8 as _, CallError, Dynamic, Function, Interface, LiveData, ReloadError,
        Report, Swapper, Value,
    };
}
