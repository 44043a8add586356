//! What a plugin sees of the generation that is being made, and what it puts into it.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use super::host_table::{RawArgs, RawOut};
use crate::boundary::held::HeldView;
use crate::boundary::{Status, StrView};
use abi_stable::StableAbi;
use abi_stable::std_types::{RSlice, RStr};

/// What [`Vault`](crate::Vault) shows. The functions want [`making`](Self::making) first, and may be called from any thread
/// until `on_init` returns.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct VaultView<'a> {
    /// The generation's number.
    pub generation: u64,
    /// The names of all its plugins, in dependency order.
    pub plugins: RSlice<'a, RStr<'a>>,
    /// The host's name for the generation, and for the plugin whose hook runs.
    pub making: Making,
    /// Puts something into the data bag. `value` is `*const` the view of a [`BagValue`](crate::BagValue), `out` is `*mut Out`
    /// of a `Result<(), BagError>`.
    pub bag_set: unsafe extern "C" fn(Making, name: StrView, value: RawArgs, out: RawOut) -> Status,
    /// Looks something up in the data bag. `out` is `*mut Out` of an `Option<BagValue>`.
    pub bag_get: unsafe extern "C" fn(Making, name: StrView, out: RawOut) -> Status,
    /// Fills slots of an extension. `slots` is `*const SliceView<FilledSlot>`, `out` is `*mut Out` of a
    /// `Result<(), ExtensionError>`.
    pub extend: unsafe extern "C" fn(
        Making,
        extension: ExtensionRef,
        slots: RawArgs,
        out: RawOut,
    ) -> Status,
}

/// Names a generation that is being made.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct Making(pub *const ());

// SAFETY: it is only handed back, to functions that may be called from any thread.
unsafe impl Send for Making {}
// SAFETY: as above.
unsafe impl Sync for Making {}

/// `&'static ExtensionDesc`. The tree below it is compared by hash and by content, not by `abi_stable`.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct ExtensionRef(pub *const ());

/// A slot that a plugin has filled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FilledSlot {
    /// Its number among those of the extension.
    pub index: usize,
    /// It was filled more than once.
    pub again: bool,
    /// The object in it.
    pub object: HeldView,
}
