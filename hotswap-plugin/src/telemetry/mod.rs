//! Log records, spans, and panics of a plugin, on their way to the host.
//!
//! A plugin has its own copies of `log` and `tracing`. When the host connects it, they get a logger and a subscriber
//! that pass everything to the host, and std gets a panic hook that does the same. `hotswap_host::telemetry` documents
//! what arrives there and what does not.
//!
//! - [`table`] is the contract: the data that crosses, and the functions that take it.
//! - A record that the host's level switches off costs what it costs in any program: one load and one comparison of
//!   a static, the plugin's own. The host tells the plugin when that level changes.
//! - Values are formatted here, into text, before the host is called. A `Debug` that panics therefore unwinds through
//!   the plugin's frames alone.
//! - What a plugin remembers of the host's answers lies in statics of its library, and leaves memory with it.
//!
//! An author may replace the panic hook at any time. `log` and `tracing` refuse a logger or subscriber of the author's
//! own, since these are already set, and `already` adds advice to the text of that error or panic. A *scoped*
//! subscriber (`tracing::subscriber::with_default`) works, and keeps the events of its scope from the host.
mod already;
mod callsites;
mod logger;
mod memo;
mod panic;
mod subscriber;
pub mod table;
mod values;

pub(crate) use already::explained;
pub use table::TelemetryTable;

use std::any::TypeId;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Installs the logger, the subscriber and the panic hook. Called once, when the plugin is connected.
pub(crate) fn install() {
    logger::install();
    subscriber::install();
    panic::install();
}

/// Sets the levels of this library's `log` and `tracing` to those of the host, as numbers of [`table::level`].
/// `tracing` also asks again about each callsite.
///
/// Does not change facades that do not report here: the `log` and `tracing` of a host that the plugin is linked into.
pub(crate) fn set_levels(log: u32, trace: u32) {
    logger::set_level(log);
    subscriber::set_level(trace);
}

/// Identifies the copies of `log` and of `tracing` that a copy of this crate was built with. Equal numbers mean the
/// same copy.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facades {
    /// The number of `log`.
    pub log: u64,
    /// The number of `tracing`.
    pub tracing: u64,
}

/// Returns the numbers of this copy of the crate.
pub extern "C" fn facades() -> Facades {
    // The id of a type identifies its crate as it was compiled. All code of one program has the same std, and so the
    // same hash.
    fn of<T: 'static>() -> u64 {
        BuildHasherDefault::<DefaultHasher>::default().hash_one(TypeId::of::<T>())
    }
    Facades {
        log: of::<log::Metadata<'static>>(),
        tracing: of::<tracing_core::Metadata<'static>>(),
    }
}

/// Installs the logger, the subscriber, or both. For a plugin that is linked into its host with copies of the facades
/// that are not the host's own: Cargo builds the two apart, and perhaps with other features.
pub(crate) extern "C" fn forward(log: bool, trace: bool) {
    if log {
        logger::install();
    }
    if trace {
        subscriber::install();
    }
}
