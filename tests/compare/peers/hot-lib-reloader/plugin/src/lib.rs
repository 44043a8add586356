//! The plugin, for hot-lib-reloader.

/// The driver edits this number.
const VERSION: u64 = 0;

/// Adds two numbers.
#[unsafe(no_mangle)]
pub fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// Returns the number of bytes of a name that is hummed so many times.
#[unsafe(no_mangle)]
pub fn hum(name: &str, times: u64) -> u64 {
    (name.len() as u64).wrapping_mul(times)
}

/// Returns the number in the source.
#[unsafe(no_mangle)]
pub fn version() -> u64 {
    VERSION
}
