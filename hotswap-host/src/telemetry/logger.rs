//! Passes log records of plugins to the host's logger.
use super::contain::contain;
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::telemetry::table::{LogView, level};
use log::{Level, Metadata, Record};

fn level(of: &LogView<'_>) -> Option<Level> {
    Some(match of.level {
        level::ERROR => Level::Error,
        level::WARN => Level::Warn,
        level::INFO => Level::Info,
        level::DEBUG => Level::Debug,
        level::TRACE => Level::Trace,
        _ => return None,
    })
}

/// Returns the level if the host's maximum lets it pass. The logger itself relies on this check.
fn passing(view: &LogView<'_>) -> Option<Level> {
    level(view).filter(|level| *level <= log::STATIC_MAX_LEVEL && *level <= log::max_level())
}

pub(super) extern "C" fn enabled(_: Token, view: &LogView<'_>) -> bool {
    contain(false, || {
        passing(view).is_some_and(|level| {
            let metadata = Metadata::builder()
                .level(level)
                .target(view.target.as_str())
                .build();
            log::logger().enabled(&metadata)
        })
    })
}

pub(super) extern "C" fn log(_: Token, view: &LogView<'_>) {
    contain((), || {
        let Some(level) = passing(view) else { return };
        let message = view.message.as_str();
        log::logger().log(
            &Record::builder()
                .level(level)
                .target(view.target.as_str())
                .module_path(view.module_path.into_option().map(|path| path.as_str()))
                .file(view.file.into_option().map(|file| file.as_str()))
                .line(view.line.into_option())
                .args(format_args!("{message}"))
                .build(),
        );
    });
}

pub(super) extern "C" fn flush(_: Token) {
    contain((), || log::logger().flush());
}
