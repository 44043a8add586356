//! The calling thread's stack, with names and lines, across the executable and all libraries that are mapped now.
//!
//! std's own backtraces remember the list of libraries from the first time on, and do not know libraries that are
//! loaded later. Here nothing is remembered: each report reads the files that it needs, from the paths under which they
//! are mapped.
#[cfg(all(test, target_os = "linux"))]
#[allow(unsafe_code)]
mod tests;

use crate::platform;
use addr2line::{Loader, Location};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

/// The name of a function, and the place in it where the thread is.
struct Frame {
    name: String,
    place: Option<String>,
}

/// std wraps the main function of a thread, and its handling of a panic, in functions with these names. The frames
/// between them are the interesting ones.
const BEGIN: &str = "__rust_begin_short_backtrace";
const END: &str = "__rust_end_short_backtrace";

/// Returns the stack of the calling thread, innermost frame first. With `short`, it leaves out the frames that std
/// would leave out.
pub(super) fn here(short: bool) -> String {
    let frames = symbolise(&platform::calls_here());
    let mut shown = &frames[..];
    if short {
        let within = |name: &str| shown.iter().position(|frame| frame.name.contains(name));
        let first = within(END).map_or(0, |at| at + 1);
        let last = within(BEGIN).unwrap_or(shown.len());
        shown = shown.get(first..last).unwrap_or(shown);
    }
    let mut text = String::new();
    for (index, frame) in shown.iter().enumerate() {
        let _ = writeln!(text, "{index:>4}: {}", frame.name);
        if let Some(place) = &frame.place {
            let _ = writeln!(text, "             at {place}");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn symbolise(addresses: &[usize]) -> Vec<Frame> {
    let mut loaders: HashMap<PathBuf, Option<Loader>> = HashMap::new();
    let mut frames = Vec::new();
    for &address in addresses {
        let Some((file, base)) = platform::file_of(address) else {
            frames.push(Frame {
                name: format!("<unknown> {address:#x}"),
                place: None,
            });
            continue;
        };
        let offset = address - base;
        let before = frames.len();
        let loader = loaders
            .entry(file.clone())
            .or_insert_with_key(|path| Loader::new(path).ok());
        if let Some(loader) = loader {
            inlined(loader, offset as u64, &mut frames);
        }
        if frames.len() == before {
            let file = file.file_name().unwrap_or_default().to_string_lossy();
            frames.push(Frame {
                name: format!("<unknown> {file}+{offset:#x}"),
                place: None,
            });
        }
    }
    frames
}

/// Returns the frames of one address: several if functions were inlined, and none if nothing is known.
fn inlined(loader: &Loader, offset: u64, frames: &mut Vec<Frame>) {
    let before = frames.len();
    if let Ok(mut found) = loader.find_frames(offset) {
        while let Ok(Some(frame)) = found.next() {
            let name = frame
                .function
                .as_ref()
                .and_then(|name| Some(demangle(&name.raw_name().ok()?)));
            frames.push(Frame {
                name: name.unwrap_or_default(),
                place: frame.location.and_then(place),
            });
        }
    }
    // The symbol is that of the outermost function. It has the whole path, which line tables alone do not have.
    if let Some(symbol) = loader.find_symbol(offset).map(demangle) {
        match frames.get_mut(before..).and_then(<[Frame]>::last_mut) {
            Some(outermost) => outermost.name = symbol,
            None => frames.push(Frame {
                name: symbol,
                place: None,
            }),
        }
    }
}

fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

fn place(location: Location<'_>) -> Option<String> {
    let mut text = location.file?.to_owned();
    for number in [location.line, location.column]
        .into_iter()
        .map_while(|number| number)
    {
        let _ = write!(text, ":{number}");
    }
    Some(text)
}
