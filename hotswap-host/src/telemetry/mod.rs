//! Log records, spans, events and panics of plugins, as the host's own logger and subscriber see them.
//!
//! A plugin has its own copies of `log` and `tracing`; hotswap connects them to the host's. A host therefore sets up
//! its logger or subscriber as always, before or after plugins are loaded, and does nothing else.
//!
//! # What arrives
//! - **`log`**: level, target, module path, file, line and message, unchanged. Key-value pairs do not.
//! - **Events and spans**: name, target, level, module path, file, line, field names; values with the type they were
//!   recorded as. What was recorded through `Debug` or `Display` arrives as text, formatted without `{:#?}`; an error
//!   arrives with the texts of its sources.
//! - **The life of a span**: new, enter, exit, record, follows-from, clone and close, with contextual, explicit and
//!   absent parents. A call into a plugin runs on the caller's thread, so a span of the host's that is entered around
//!   the call is the parent of what the plugin opens in it; `Span::current()` in the plugin names that span. A span is
//!   entered and closed where it was opened, even when another subscriber is the current one by then.
//! - **Panics**: one record at level error with target [`PANIC_TARGET`], naming plugin, build, message and location,
//!   with a symbolised backtrace where [`Backtraces`] asks for one. It is a `tracing` event (with the fields
//!   `plugin`, `build`, `thread`, `backtrace`) if a subscriber wants it, else a `log` record if the logger wants it,
//!   else text on stderr: once, and never nowhere.
//!
//! # Verbosity
//! A plugin follows the host's levels and filters. What the host switches off by level costs one load and one
//! comparison in the plugin; what a subscriber has no interest in, two. After a change of the host's level or filter a
//! plugin learns of it within a quarter of a second. Until then it may leave out what was just switched on; what was
//! just switched off does not arrive, since the host checks again.
//!
//! # What stays
//! Nothing of the host ever points into a plugin. Metadata that subscribers keep is the host's own: one copy for
//! each distinct content, kept for good, however many plugins and builds share it. Spans that a plugin leaves open are
//! closed when its library leaves memory.
//!
//! # Limits
//! A plugin's subscriber cannot be downcast to the host's, so what relies on that (`tracing-error`,
//! `tracing-opentelemetry`'s span extension) does not work in plugins. A logger or subscriber that panics loses the
//! record and nothing else: [`lost`] counts. Text that a plugin prints itself goes to the process's stdout and stderr.
mod backtrace;
mod callsite;
mod contain;
mod levels;
mod logger;
mod panic;
mod spans;
#[cfg(test)]
pub(crate) mod tests;
mod trace;
mod values;

pub use contain::lost;
pub use panic::{Backtraces, PANIC_TARGET, set_backtraces};

pub(crate) use contain::{caught, contain};
pub(crate) use levels::{Levels, levels, watch};
pub(crate) use spans::close_all_of;

use hotswap_plugin::telemetry::TelemetryTable;

/// What a plugin calls.
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
    panicked: panic::panicked,
};
