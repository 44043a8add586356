//! The contract for the state of a plugin, on its way from one instance to the next.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use abi_stable::StableAbi;
use abi_stable::std_types::{RSlice, RStr};

/// The description of a plugin's state, if it has `save` and `restore`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StateDesc {
    /// The name of the state's type.
    ty: RStr<'static>,
    /// The schema version of the type.
    pub version: u32,
}

impl StateDesc {
    /// Returns the description of a state of the type with this name, in this version.
    pub const fn new(ty: &'static str, version: u32) -> Self {
        StateDesc {
            ty: RStr::from_str(ty),
            version,
        }
    }

    /// Returns the name of the state's type.
    pub const fn ty(&self) -> &'static str {
        self.ty.as_str()
    }
}

/// A saved state.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct StateView<'a> {
    /// The bytes of live data.
    pub bytes: RSlice<'a, u8>,
    /// The file descriptors of the state, whose indexes the data has. The receiver of this view owns them.
    pub descriptors: RSlice<'a, i32>,
}

/// The receiver of a saved state.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct StateSink {
    /// The first argument of `put`.
    pub data: *mut (),
    /// Copies the state, and takes its descriptors. Does not unwind.
    pub put: unsafe extern "C" fn(*mut (), StateView<'_>),
}
