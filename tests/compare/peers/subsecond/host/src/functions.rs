//! The functions that are patched.

/// The driver edits this number.
const VERSION: u64 = 0;

/// Adds two numbers.
pub fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// Returns the number of bytes of a name that is hummed so many times.
pub fn hum(name: &str, times: u64) -> u64 {
    (name.len() as u64).wrapping_mul(times)
}

/// Returns the number in the source.
pub fn version() -> u64 {
    VERSION
}
