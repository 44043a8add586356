//! The plugin, for hotswap.
use hotswap_plugin::prelude::*;

/// The driver edits this number.
const VERSION: u64 = 0;

/// One loaded build of the plugin.
#[derive(Debug, Default)]
pub struct Hum;

#[plugin]
impl Hum {
    /// Adds two numbers.
    #[invoke]
    pub fn add(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    /// Returns the number of bytes of a name that is hummed so many times.
    #[invoke]
    pub fn hum(&self, name: &str, times: u64) -> u64 {
        (name.len() as u64).wrapping_mul(times)
    }

    /// Returns the number in the source.
    #[invoke]
    pub fn version(&self) -> u64 {
        VERSION
    }
}
