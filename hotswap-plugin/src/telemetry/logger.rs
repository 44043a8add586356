//! The plugin's logger.
use super::table::{LogView, level};
use crate::host::any_host;
use abi_stable::std_types::{ROption, RStr};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

struct Forward;

static INSTALLED: AtomicBool = AtomicBool::new(false);

pub(super) fn install() {
    // A constructor of the library may have set a logger of its own. That one stays.
    let _ = log::set_logger(&Forward);
    INSTALLED.store(true, Relaxed);
}

pub(super) fn set_level(log: u32) {
    if !INSTALLED.load(Relaxed) {
        return;
    }
    log::set_max_level(match log {
        level::OFF => LevelFilter::Off,
        level::ERROR => LevelFilter::Error,
        level::WARN => LevelFilter::Warn,
        level::INFO => LevelFilter::Info,
        level::DEBUG => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    });
}

const fn number(of: Level) -> u32 {
    match of {
        Level::Error => level::ERROR,
        Level::Warn => level::WARN,
        Level::Info => level::INFO,
        Level::Debug => level::DEBUG,
        Level::Trace => level::TRACE,
    }
}

fn view<'a>(metadata: &'a Metadata<'a>) -> LogView<'a> {
    LogView {
        level: number(metadata.level()),
        target: RStr::from_str(metadata.target()),
        message: RStr::from_str(""),
        module_path: ROption::RNone,
        file: ROption::RNone,
        line: ROption::RNone,
    }
}

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        any_host().is_some_and(|host| host.log_enabled(&view(metadata)))
    }

    fn log(&self, record: &Record<'_>) {
        let Some(host) = any_host() else { return };
        let mut formatted = String::new();
        let message = record.args().as_str().unwrap_or_else(|| {
            // After a `Display` that fails, the text is incomplete, which is better than no record.
            let _ = formatted.write_fmt(*record.args());
            &formatted
        });
        let view = LogView {
            message: RStr::from_str(message),
            module_path: record.module_path().map(RStr::from_str).into(),
            file: record.file().map(RStr::from_str).into(),
            line: record.line().into(),
            ..view(record.metadata())
        };
        host.log(&view);
    }

    fn flush(&self) {
        if let Some(host) = any_host() {
            host.log_flush();
        }
    }
}
