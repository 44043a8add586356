//! How the state of a plugin goes from one instance to the next.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::boundary::StrView;
use abi_stable::StableAbi;
use abi_stable::std_types::RSlice;

/// What the state of a plugin is, where it has `save` and `restore`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StateDesc {
    /// The name of its type.
    ty: StrView,
    /// The schema version of the type.
    pub version: u32,
}

impl StateDesc {
    /// State of the type of this name, in this version.
    pub const fn new(ty: &'static str, version: u32) -> Self {
        StateDesc {
            ty: StrView::new(ty),
            version,
        }
    }

    /// The name of its type.
    pub const fn ty(&self) -> &'static str {
        // SAFETY: made of a constant.
        unsafe { self.ty.get() }
    }
}

/// A saved state.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct StateView<'a> {
    /// The bytes of live data.
    pub bytes: RSlice<'a, u8>,
    /// File descriptors that belong to it, by their numbers in the data. Whoever is handed this owns them.
    pub descriptors: RSlice<'a, i32>,
}

/// Where a saved state goes.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct StateSink {
    /// What `put` wants as its first argument.
    pub data: *mut (),
    /// Takes a copy of the state, and its descriptors. Does not unwind.
    pub put: unsafe extern "C" fn(*mut (), StateView<'_>),
}
