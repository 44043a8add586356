//! Passes log records, spans, events, and panics of plugins to the host's own logger and subscriber.
//!
//! A plugin has its own copies of `log` and `tracing`, which hotswap connects to the host's. A host therefore sets up
//! its logger or subscriber as always, before or after plugins are loaded, and does nothing else.
//!
//! # What arrives
//! - **`log`**: the level, target, module path, file, line, and message, unchanged. Key-value pairs do not arrive.
//! - **Events and spans**: the name, target, level, module path, file, line, field names, and values with the type as
//!   which they were recorded. Values that were recorded through `Debug` or `Display` arrive as text, formatted without
//!   `{:#?}`. An error arrives with the texts of its sources.
//! - **The life of a span**: new, enter, exit, record, follows-from, clone, and close, with contextual, explicit, and
//!   absent parents. A call into a plugin runs on the caller's thread, so a span of the host that is entered around the
//!   call is the parent of the spans that the plugin opens in it, and `Span::current()` in the plugin names that span.
//!   A span is entered and closed in the subscriber that opened it, even when another subscriber is the current one by
//!   then.
//! - **Panics**: one record at level error with the target [`PANIC_TARGET`]. It names the plugin, build, message, and
//!   location, and has a symbolised backtrace if [`Backtraces`] asks for one. It is a `tracing` event (with the fields
//!   `plugin`, `build`, `thread`, `backtrace`) if a subscriber is interested in it, or else a `log` record if the
//!   logger is, or else text on stderr. Each panic is reported exactly once.
//!
//! # Verbosity
//! A plugin follows the host's levels and filters. A record that the host switches off by its level costs one load and
//! one comparison in the plugin; one in which no subscriber is interested costs two. A plugin learns of a change of the
//! host's level or filter within a quarter of a second. Until then, it may leave out records that were just switched
//! on. Records that were just switched off do not arrive, since the host checks again.
//!
//! # What stays
//! Nothing of the host ever points into a plugin. The metadata that subscribers keep is the host's own: there is one
//! copy for each distinct content, which is kept for ever, however many plugins and builds share it. Spans that a
//! plugin leaves open are closed when its library leaves memory.
//!
//! # Limits
//! A plugin's subscriber cannot be downcast to the host's, so libraries that rely on this (`tracing-error`, the span
//! extension of `tracing-opentelemetry`) do not work in plugins. If a logger or subscriber panics, only the record is
//! lost, and [`lost`] counts it. Text that a plugin prints itself goes to the process's stdout and stderr.
mod backtrace;
mod callsite;
mod contain;
mod levels;
mod logger;
mod panic;
mod spans;
#[cfg(test)]
#[allow(unsafe_code)]
pub(crate) mod tests;
mod trace;
mod values;

pub use contain::lost;
pub use panic::{Backtraces, PANIC_TARGET, set_backtraces};

pub(crate) use contain::{caught, contain, guarded};
pub(crate) use levels::{Levels, levels, watch};
pub(crate) use spans::close_all_of;

use crate::requests;
use hotswap_plugin::telemetry::TelemetryTable;

/// The functions that a plugin calls.
pub(crate) const TABLE: &TelemetryTable = &TelemetryTable {
    log_enabled: logger::enabled,
    log: logger::log,
    log_flush: logger::flush,
    callsite: trace::callsite,
    interest: trace::interest,
    enabled: trace::enabled,
    event: trace::event,
    new_span: trace::new_span,
    record: trace::record,
    follows_from: trace::follows_from,
    enter: trace::enter,
    exit: trace::exit,
    clone_span: trace::clone_span,
    close_span: trace::close_span,
    current_span: trace::current_span,
    panicked: requests::panicked::<panic::Records>,
};
