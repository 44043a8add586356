//! The functions of the plugin.
use abi_stable::std_types::RStr;

/// The functions of the plugin.
pub trait Exports {
    /// Adds two numbers.
    fn add(a: i64, b: i64) -> i64;
    /// Returns the number of bytes of a name that is hummed so many times.
    fn hum(name: RStr<'_>, times: u64) -> u64;
    /// Returns the number in the source.
    fn version() -> u64;
}
