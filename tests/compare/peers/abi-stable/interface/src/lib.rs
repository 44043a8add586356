//! The interface that the host and the plugin of abi_stable share.
use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::RStr;

/// The functions of the plugin.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HumRef)))]
pub struct Hum {
    /// Adds two numbers.
    pub add: extern "C" fn(i64, i64) -> i64,
    /// Returns the number of bytes of a name that is hummed so many times.
    pub hum: extern "C" fn(RStr<'_>, u64) -> u64,
    /// Returns the number in the source.
    #[sabi(last_prefix_field)]
    pub version: extern "C" fn() -> u64,
}

impl RootModule for HumRef {
    abi_stable::declare_root_module_statics! {HumRef}
    const BASE_NAME: &'static str = "hum_abi_stable";
    const NAME: &'static str = "hum_abi_stable";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
