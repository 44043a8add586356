//! The generation that is being made, as a plugin sees it and adds to it in `on_init`.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use super::host_table::{RawArgs, RawOut};
use crate::boundary::{HeldView, Status, StrView};
use abi_stable::StableAbi;
use abi_stable::std_types::{RSlice, RStr};

/// The data and functions of a [`Vault`](crate::Vault). The functions take [`making`](Self::making) as their first
/// argument, and may be called from any thread until `on_init` returns.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct VaultView<'a> {
    /// The generation's number.
    pub generation: u64,
    /// The names of all its plugins; each comes after those that it imports.
    pub plugins: RSlice<'a, RStr<'a>>,
    /// The host's name for the generation, and for the plugin whose hook runs.
    pub making: Making,
    /// Puts an entry into the data bag. `value` is `*const` the view of a [`BagValue`](crate::BagValue), and `out` is
    /// `*mut Out` of a `Result<(), BagError>`.
    pub bag_set: unsafe extern "C" fn(Making, name: StrView, value: RawArgs, out: RawOut) -> Status,
    /// Looks up an entry of the data bag. `out` is `*mut Out` of an `Option<BagValue>`.
    pub bag_get: unsafe extern "C" fn(Making, name: StrView, out: RawOut) -> Status,
    /// Fills slots of an extension. `slots` is `*const SliceView<FilledSlot>`, and `out` is `*mut Out` of a `Result<(),
    /// ExtensionError>`.
    pub extend: unsafe extern "C" fn(
        Making,
        extension: ExtensionRef,
        slots: RawArgs,
        out: RawOut,
    ) -> Status,
}

/// The host's name for a generation that is being made.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct Making(pub *const ());

/// A `&'static ExtensionDesc`. The tree below it is compared by hash and by content, not by `abi_stable`.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct ExtensionRef(pub *const ());

/// A slot that a plugin has filled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FilledSlot {
    /// Its number among the slots of the extension.
    pub index: usize,
    /// True if it was filled more than once.
    pub again: bool,
    /// The object in it.
    pub object: HeldView,
}
