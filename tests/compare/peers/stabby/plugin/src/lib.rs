//! The plugin, for stabby.

// The functions that the macro adds have no documentation.
#![allow(missing_docs)]

use stabby::str::Str;

/// The driver edits this number.
const VERSION: u64 = 0;

/// Adds two numbers.
#[stabby::export]
pub extern "C" fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// Returns the number of bytes of a name that is hummed so many times.
#[stabby::export(canaries)]
pub extern "C" fn hum(name: Str<'_>, times: u64) -> u64 {
    (name.len() as u64).wrapping_mul(times)
}

/// Returns the number in the source.
#[stabby::export]
pub extern "C" fn version() -> u64 {
    VERSION
}
