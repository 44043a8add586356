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
//! `tracing`, since these are already set; a *scoped* subscriber (`tracing::subscriber::with_default`) works, and keeps
//! what happens in its scope from the host.
mod callsites;
mod logger;
mod memo;
mod panic;
mod subscriber;
pub mod table;
mod values;

pub use table::TelemetryTable;

use crate::contract::shim::Token;
use crate::glue;

/// Where everything goes.
#[derive(Clone, Copy)]
struct Link {
    token: Token,
    table: &'static TelemetryTable,
}

/// The host's functions; `None` where the crate is linked as an ordinary library.
fn link() -> Option<Link> {
    glue::host().map(|host| Link {
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
pub(crate) fn set_levels(log: u32, trace: u32) {
    logger::set_level(log);
    subscriber::set_level(trace);
}
