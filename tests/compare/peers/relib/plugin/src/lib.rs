//! The plugin, for relib.

// The generated bindings have no imports here.
#![allow(dead_code, unused_imports, unused_variables)]

use abi_stable::std_types::RStr;
use hum_relib_interface::exports::Exports;

relib_interface::include_exports!();
relib_interface::include_imports!();

use gen_exports::ModuleExportsImpl;
// The host looks for symbols of this crate.
use relib_module as _;

/// The driver edits this number.
const VERSION: u64 = 0;

impl Exports for ModuleExportsImpl {
    fn add(a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    fn hum(name: RStr<'_>, times: u64) -> u64 {
        (name.len() as u64).wrapping_mul(times)
    }

    fn version() -> u64 {
        VERSION
    }
}
