//! Plugins that form chains: the fixture `link` under many names.
//!
//! # Panics
//! All functions panic if the fixture does not build, or if a name does not have six letters.
use crate::fixture::{Build, renamed, variant};
use std::sync::OnceLock;

/// Returns a link of this name, of six letters, which imports nothing.
pub fn head(name: &str) -> Vec<u8> {
    static HEAD: OnceLock<Vec<u8>> = OnceLock::new();
    let head = HEAD.get_or_init(|| Build::Head.bytes("link"));
    renamed(head, "link-a", name)
}

/// Returns a link of this name, which imports the one before it.
pub fn link(name: &str, before: &str) -> Vec<u8> {
    link_after(name, before, before)
}

/// Returns the same link, with a further plugin that has to be there first.
pub fn link_after(name: &str, before: &str, first: &str) -> Vec<u8> {
    static LINK: OnceLock<Vec<u8>> = OnceLock::new();
    let link = LINK.get_or_init(|| Build::First.bytes("link"));
    [("link-a", name), ("link-b", before), ("link-c", first)]
        .iter()
        .fold(link.clone(), |link, (text, by)| renamed(&link, text, by))
}

/// Returns another build of a link.
pub fn build(link: &[u8], number: u8) -> Vec<u8> {
    variant(link, "build 00", &format!("build {number:02}"))
}

/// Returns the link that imports nothing.
pub fn bottom() -> Vec<u8> {
    head("bottom")
}

/// Returns the link that imports the bottom.
pub fn middle() -> Vec<u8> {
    link("middle", "bottom")
}

/// Returns the link that imports the middle.
pub fn summit() -> Vec<u8> {
    link("summit", "middle")
}
