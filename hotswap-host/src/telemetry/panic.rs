//! Reports panics of plugins as records of the host.
use super::backtrace;
use super::contain::contain;
use crate::load::library::Library;
use crate::platform;
use crate::requests::ReportPanic;
use hotswap_plugin::telemetry::table::PanicView;
use std::fmt::Write;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use tracing::Level;

/// The target of the records that report panics of plugins.
pub const PANIC_TARGET: &str = "hotswap::panic";

/// Says whether the report of a plugin's panic has a backtrace.
///
/// For a backtrace, the host walks the stack and reads the debug information of its own executable and of the plugin's
/// private copy. This takes between a few and some hundred milliseconds, and keeps nothing in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Backtraces {
    /// As the environment variable `RUST_BACKTRACE` says: none if it is unset or `0`, and whole ones if it is `full`.
    #[default]
    FromEnv,
    /// No backtraces.
    Off,
    /// Backtraces without the frames of the panic itself and of the start of the thread.
    Short,
    /// Backtraces with all frames.
    Full,
}

static BACKTRACES: AtomicU8 = AtomicU8::new(Backtraces::FromEnv as u8);

/// Sets whether reports of panics have a backtrace, for all plugins of this process.
pub fn set_backtraces(backtraces: Backtraces) {
    BACKTRACES.store(backtraces as u8, Relaxed);
}

/// Returns off, short, or full.
fn backtraces() -> Backtraces {
    const OFF: u8 = Backtraces::Off as u8;
    const SHORT: u8 = Backtraces::Short as u8;
    const FULL: u8 = Backtraces::Full as u8;
    match BACKTRACES.load(Relaxed) {
        OFF => Backtraces::Off,
        SHORT => Backtraces::Short,
        FULL => Backtraces::Full,
        _ => match std::env::var_os("RUST_BACKTRACE") {
            None => Backtraces::Off,
            Some(value) if value == "0" => Backtraces::Off,
            Some(value) if value == "full" => Backtraces::Full,
            Some(_) => Backtraces::Short,
        },
    }
}

/// Reports panics as records.
pub(super) struct Records;

impl ReportPanic for Records {
    fn report(library: &Library, view: &PanicView<'_>) {
        contain((), || {
            library.failures().add_panic();
            let backtrace = match backtraces() {
                Backtraces::Off => None,
                Backtraces::Full => Some(backtrace::here(false)),
                _ => Some(backtrace::here(true)),
            };
            let (plugin, build) = (library.plugin(), library.build_id());
            let message = text(plugin, &build.short(), view);
            emit(plugin, &build.to_string(), &message, backtrace.as_deref());
        });
    }
}

fn text(plugin: &str, build: &str, view: &PanicView<'_>) -> String {
    let mut text = format!("plugin {plugin} (build {build}) panicked");
    if !view.file.is_empty() {
        let _ = write!(text, " at {}:{}:{}", view.file, view.line, view.column);
    }
    let _ = write!(text, ": {}", view.message);
    text
}

fn emit(plugin: &str, build: &str, message: &str, backtrace: Option<&str>) {
    if tracing::enabled!(target: PANIC_TARGET, Level::ERROR) {
        let thread = platform::thread_name(platform::thread_id());
        let backtrace = backtrace.map(tracing::field::display);
        tracing::error!(target: PANIC_TARGET, plugin, build, thread, backtrace, "{message}");
        return;
    }
    let lines = backtrace.map_or(String::new(), |frames| format!("\nbacktrace:\n{frames}"));
    if log::log_enabled!(target: PANIC_TARGET, log::Level::Error) {
        log::error!(target: PANIC_TARGET, "{message}{lines}");
    } else {
        eprintln!("{message}{lines}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi_stable::std_types::RStr;

    #[test]
    fn the_text_names_plugin_build_place_and_message() {
        let mut view = PanicView {
            message: RStr::from_str("boom"),
            file: RStr::from_str("src/lib.rs"),
            line: 12,
            column: 5,
        };
        let whole = text("world", "1a2b3c4d", &view);
        assert_eq!(
            whole,
            "plugin world (build 1a2b3c4d) panicked at src/lib.rs:12:5: boom"
        );
        view.file = RStr::from_str("");
        assert_eq!(
            text("world", "1a", &view),
            "plugin world (build 1a) panicked: boom"
        );
    }
}
