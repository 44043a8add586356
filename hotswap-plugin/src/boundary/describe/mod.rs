//! What decides whether two libraries may call each other: constant trees of names, fields, sizes and alignments.
//!
//! A tree describes the *view* of a type, which is what crosses. Each node has a hash of 128 bits, computed by the
//! compiler, so that an artifact can carry the hashes of what it needs and offers. The hash refuses early; before a
//! call is made the trees themselves are compared ([`same`]). Everything here is `repr(C)`: the two sides may come from
//! different compilers.
mod calls;
mod extension;
mod hash;
mod types;

pub(crate) use calls::Written;
pub use calls::{
    DynamicFn, DynamicLaterFn, FunctionDesc, InterfaceDesc, MethodDesc, ParamDesc, function_hash,
    same_function,
};
pub use extension::{ExtensionDesc, SlotDesc};
pub use hash::Hash;
pub use types::{FieldDesc, Kind, TypeDesc, same};
