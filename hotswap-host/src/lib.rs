//! Loads, calls, swaps, and unloads the plugins of a running program. A host links this crate; its plugins link
//! [`hotswap_plugin`].
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
//! - **No call fails because of a swap.** A call that is running ends in the build in which it began. A new call goes
//!   to the new build.
//! - **A bad build never replaces a good one.** Everything that can fail happens before the switch, and the switch is
//!   one pointer.
//! - **Old code leaves memory** when its last user is gone. Until then, [`Swapper::retirements`] says what holds it.
//!
//! # What to look for where
//! | for | see |
//! |---|---|
//! | opening, reloading, and watching a reload | [`Swapper`], [`Builder`], [`Reload`], [`Report`] |
//! | calls | [`Function`], [`Interface`], [`AsyncFunction`], [`Dynamic`] |
//! | one build for several calls | [`Pin`], [`Hold`] |
//! | other code for single functions of a live plugin | [`Swapper::patch`], [`Patch`], [`Patches`] |
//! | mocks of functions, in tests | [`Swapper::mock`], [`Mock`], [`mock_scope`] |
//! | calls of a function, one by one | [`Swapper::trace`], [`Trace`], [`TracedCall`] |
//! | what the host offers its plugins | [`Provider`], [`Extension`], [`BagItem`] |
//! | builds that are on their way out of memory | [`Retirement`], [`UnloadMode`] |
//! | artifacts, without running their code | [`artifact`], [`graph`] |
//! | plugins that are linked into the program | [`linked`] |
//! | logs, spans, and panics of plugins | [`telemetry`] |
//! | the tools outside of the host | [`runtime`], `signal` (on Unix) |
//!
//! # Safety
//! The interface is safe. Plugins are trusted code: they share the address space of the host, and what they do with
//! `unsafe` code, or with resources of the whole process, the host cannot undo. Before code of an artifact is called,
//! the host compares the contract, the signatures, and the types on both sides. A library is unmapped only when nothing
//! can call into it any more; [how unloading works][soundness] is the argument, with the test for each step.
//!
//! # Platforms
//! Loading, swapping, and unloading work on Linux with glibc. On other Unixes, loading and swapping work as far as
//! `dlopen` goes, and old builds stay mapped. On Windows, plugins are [linked into the program](linked). [Platforms]
//! says what is tested.
//!
//! # Limits
//! - A signature has at most eight parameters.
//! - A call cannot wait for the replacement of the plugin that it runs in: a reload is requested from outside.
//! - A thread that a plugin does not end, or an object that is not given back, keeps its build in memory.
//! - Hosts and plugins of different contract versions refuse each other: build both with the same version of hotswap.
//!
//! [What is guaranteed][guarantees] lists each claim with the test that would fail.
//!
//! [soundness]: https://github.com/hotswap-rs/hotswap/blob/main/hotswap-host/docs/soundness.md
//! [Platforms]: https://github.com/hotswap-rs/hotswap/blob/main/hotswap-host/docs/platforms.md
//! [guarantees]: https://github.com/hotswap-rs/hotswap/blob/main/hotswap-host/docs/guarantees.md
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]
// The few modules with unsafe code allow it for themselves and say why.
#![deny(unsafe_code)]
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
mod patch;
mod platform;
mod provide;
mod reclaim;
mod requests;
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

pub use artifact::BuildSet;
#[cfg(feature = "fail-points")]
#[doc(hidden)]
pub use base::fail_point;
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
    CallError, CopyError, HandleError, Hook, HookFailure, InvokeError, LivePlace, PatchError,
    PluginError, PluginErrorKind, ReloadError,
};
pub use generation::{Generation, Listing, OutOfService, PluginListing};
pub use hotswap_plugin::{
    BagValue, Extension, Health, Held, LiveData, LiveDataError, LiveItem, LiveKind, Value,
};
pub use linked::LinkedPlugins;
pub use patch::sourced::{PatchSource, Sourced};
pub use patch::stack::PatchVersion;
pub use patch::trace::{TraceOptions, TracedCall};
pub use patch::{Closure, ClosureWith, Next, Original, PatchSignature};
pub use provide::Provider;
pub use retirement::{Holder, Retirement, RetirementState};
pub use swapper::UnloadMode;
pub use swapper::{BuildOrigin, ExaminedBuild, ExaminedSet, Examiner, Refusal, SentManifest};
pub use swapper::{
    Builder, CallCounts, CallLatency, Cause, Change, CountedCalls, Drain, Frozen, HealthCheckError,
    HealthChecks, Hold, InFlight, Journal, JournalError, Keep, KeepOf, KeptBuild, MemoryInUse,
    Mock, OptionDescription, OptionError, Outcome, Patch, Patches, PatchesOnReload, Pin,
    PluginReport, Reload, ReloadEvent, ReloadEventKind, ReloadOptions, Report, Requested,
    Requester, RollbackWindow, SignalSender, StagedReload, Start, StateReport, Step, StepReport,
    StoredBuild, StoredPatches, Swapper, Trial, TriedBuild, WeakSwapper, WindowOutcome,
};
pub use swapper::{Compatibility, Difference, Item, ItemChange, ItemUser, PluginVerdict, Verdict};
pub use swapper::{Trace, mock_scope};
#[cfg(unix)]
pub use swapper::{init, init_with};
pub use vault::{BagItem, DataBuild, DataType, LiveTypeRef, Prefill};

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
