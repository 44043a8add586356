//! Builds of the plugin with live items.
use hotswap_tests::fixture::{Build, renamed, variant};

/// The office as it is.
pub fn office() -> Vec<u8> {
    Build::Live.bytes("office")
}

/// The same code as another build.
pub fn office_numbered(number: u8) -> Vec<u8> {
    numbered(&office(), number)
}

/// A library of the office as another build.
pub fn numbered(library: &[u8], number: u8) -> Vec<u8> {
    variant(library, "office 00", &format!("office {number:02}"))
}

/// The same plugin under another name, with the same live items.
pub fn annex() -> Vec<u8> {
    renamed(&office(), r#"{"name":"office""#, r#"{"name":"annexe""#)
}
