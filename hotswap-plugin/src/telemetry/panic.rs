//! The plugin's panic hook.
//!
//! It takes no backtrace: the symbolizer of std reads the library's debug information into memory that is never freed,
//! 35 MB for each version of a plugin. The host walks the same stack if it wants a backtrace.
use super::explained;
use super::table::PanicView;
use crate::host::any_host;
use abi_stable::std_types::RStr;
use std::panic::{Location, PanicHookInfo};

pub(super) fn install() {
    std::panic::set_hook(Box::new(hook));
}

fn hook(info: &PanicHookInfo<'_>) {
    let Some(host) = any_host() else { return };
    let payload = info.payload();
    let message = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "non-string panic payload",
    };
    let message = explained(message);
    let location = info.location();
    let view = PanicView {
        message: RStr::from_str(&message),
        file: RStr::from_str(location.map_or("", Location::file)),
        line: location.map_or(0, Location::line),
        column: location.map_or(0, Location::column),
    };
    host.panicked(&view);
}
