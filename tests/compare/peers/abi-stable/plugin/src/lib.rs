//! The plugin, for libloading and abi_stable.

// The static that the macro adds has no documentation.
#![allow(missing_docs)]

use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::std_types::RStr;
use abi_stable::{export_root_module, sabi_extern_fn};
use hum_abi_stable_interface::{Hum, HumRef};

/// The driver edits this number.
const VERSION: u64 = 0;

/// Returns the functions.
#[export_root_module]
pub fn root_module() -> HumRef {
    Hum { add, hum, version }.leak_into_prefix()
}

#[sabi_extern_fn]
fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

#[sabi_extern_fn]
fn hum(name: RStr<'_>, times: u64) -> u64 {
    (name.len() as u64).wrapping_mul(times)
}

#[sabi_extern_fn]
fn version() -> u64 {
    VERSION
}
