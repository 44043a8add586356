//! Log records, spans and panics of a plugin, on their way to the host.
//!
//! A plugin has its own copies of `log` and `tracing`. When the host connects it, they get a logger and a subscriber
//! that hand everything to the host's, and std gets a panic hook that does the same. What arrives there, and what does
//! not, is documented in `hotswap_host::telemetry`.
//!
//! - [`table`] is the contract: what crosses, and how.
//! - A record that the host's level switches off costs what it costs in any program: one load and one comparison of
//!   a static, the plugin's own. The host tells the plugin when that level changes.
//! - Values are formatted here, into text, before the host is called. A `Debug` that panics therefore unwinds through
//!   the plugin's frames alone.
//! - What a plugin remembers of the host's answers lies in statics of its library, and leaves memory with it.
//!
//! An author may replace the panic hook at any time. A logger or subscriber of an author's own is refused by `log` and
//! `tracing`, since these are already set, and `already` adds what to do to the text of that error or panic; a *scoped* subscriber (`tracing::subscriber::with_default`) works, and keeps
//! what happens in its scope from the host.
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

use crate::contract::shim::Token;
use crate::host;
use std::any::TypeId;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Where everything goes.
#[derive(Clone, Copy)]
struct Link {
    token: Token,
    table: &'static TelemetryTable,
}

/// The host's functions; `None` where the crate is linked as an ordinary library.
fn link() -> Option<Link> {
    host::any_host().map(|host| Link {
        token: host.token,
        table: host.table.telemetry(),
    })
}

/// Installs the logger, the subscriber and the panic hook. Called once, when the plugin is connected.
pub(crate) fn install() {
    logger::install();
    subscriber::install();
    panic::install();
}

/// Tells this library's `log` and `tracing` how verbose the host's are, as a number of [`table::level`]; `tracing` also
/// asks again about each callsite.
///
/// What does not come here (`log` and `tracing` of a host that the plugin is linked into) is left alone.
pub(crate) fn set_levels(log: u32, trace: u32) {
    logger::set_level(log);
    subscriber::set_level(trace);
}

/// Names the copies of `log` and of `tracing` that a copy of this crate was built with. Two that are equal are one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facades {
    /// Of `log`.
    pub log: u64,
    /// Of `tracing`.
    pub tracing: u64,
}

/// Those of this copy.
pub extern "C" fn facades() -> Facades {
    // A type's id is that of its crate, as it was compiled. Within one program all see the same std, and so the same hash.
    fn of<T: 'static>() -> u64 {
        BuildHasherDefault::<DefaultHasher>::default().hash_one(TypeId::of::<T>())
    }
    Facades {
        log: of::<log::Metadata<'static>>(),
        tracing: of::<tracing_core::Metadata<'static>>(),
    }
}

/// Installs the logger, the subscriber, or both. For a plugin that is linked into its host, where its copies are not the
/// host's own: cargo builds the two apart, and perhaps with other features.
pub(crate) extern "C" fn forward(log: bool, trace: bool) {
    if log {
        logger::install();
    }
    if trace {
        subscriber::install();
    }
}
