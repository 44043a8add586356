//! Builds of the plugin that has live items.
use hotswap_tests::fixture::{Build, renamed, variant};

/// Returns the office as it is.
pub fn office() -> Vec<u8> {
    Build::Live.bytes("office")
}

/// Returns the same code as another build.
pub fn office_numbered(number: u8) -> Vec<u8> {
    numbered(&office(), number)
}

/// Returns a library of the office as another build.
pub fn numbered(library: &[u8], number: u8) -> Vec<u8> {
    variant(library, "office 00", &format!("office {number:02}"))
}

/// Returns the same plugin under another name, with the same live items.
pub fn annex() -> Vec<u8> {
    renamed(&office(), r#"{"name":"office""#, r#"{"name":"annexe""#)
}
