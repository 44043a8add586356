//! Descriptions, by which two libraries decide whether they may call each other: constant trees of names, fields,
//! sizes, and alignments.
//!
//! A tree describes the *view* of a type, which is what crosses. Each node has a hash of 128 bits, which the compiler
//! computes, so that an artifact can carry the hashes of its imports and exports. A difference is refused early by the
//! hash. Before a call, the trees themselves are compared ([`same`]). All types here are `repr(C)`, since the two sides
//! may come from different compilers.
mod calls;
mod extension;
mod hash;
mod types;

pub use crate::boundary::abi::{DynamicFn, DynamicLaterFn};
pub(crate) use calls::Written;
pub use calls::{FunctionDesc, InterfaceDesc, MethodDesc, ParamDesc, function_hash, same_function};
pub use extension::{ExtensionDesc, SlotDesc};
pub use hash::Hash;
pub use types::{FieldDesc, Kind, TypeDesc, same};
