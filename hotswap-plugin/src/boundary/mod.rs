//! How values cross between a plugin, its host and other plugins.
//!
//! Nothing that owns memory crosses, and nothing whose layout Rust does not promise. A value crosses as a borrowed
//! `repr(C)` *view* of it. Whoever receives the view copies out of it, in its own library and with its own allocator,
//! while the owner still holds the value: arguments in the callee, results in the caller, which lends an [`Out`] for
//! that. So two libraries need not agree on an allocator, on the layout of `String`, or on the compiler.
//!
//! | module | |
//! |---|---|
//! | [`view`] | text, slices, and the arena for arrays of views |
//! | [`shared`] | the types that may cross; `#[shared]` adds an author's own |
//! | [`arg`] | parameters: `T`, `&T`, `&str`, `&[T]` |
//! | [`call`] | status, results, panics: both ends of every call |
//! | [`sink`] | both ends of a hook: an error or a panic becomes a text |
//! | [`describe`], [`mismatch`] | what two libraries compare before they call each other, and what they say of it |
//! | [`value`], [`dynamic`] | values and calls without a type |
//! | [`signature`] | `fn(&str, u32) -> String` as a type |
//! | [`interface`], [`import`] | traits as tables of C functions, and who asks for them |
//! | [`held`] | objects of one library that another owns |
//! | [`later`] | results of `async fn`s, and wakers |
pub mod arg;
pub mod call;
mod collections;
pub mod describe;
pub mod dynamic;
mod foreign;
pub mod held;
pub mod import;
pub mod interface;
pub mod later;
pub mod mismatch;
#[doc(hidden)]
pub mod parts;
pub mod shared;
pub mod signature;
pub mod sink;
pub mod value;
pub mod view;

pub use arg::Arg;
pub use call::{Crossed, Out, Panicked, Status, answer, raise, receive, try_receive};
pub use describe::{
    ExtensionDesc, FieldDesc, FunctionDesc, InterfaceDesc, Kind, MethodDesc, ParamDesc, SlotDesc,
    TypeDesc, same,
};
pub use dynamic::{
    DynamicOut, DynamicResult, InvokeError, UnknownFunction, answer_by_name, call_dynamic,
};
pub use foreign::{Error, Result, chain};
pub use held::Held;
pub use import::{Import, ImportDesc, ImportKind};
pub use interface::{ExportDesc, Imported, Interface, Object, Provides, RawObject};
pub use later::{AsyncSignature, Awaited, Later};
pub use mismatch::Party;
pub use shared::{Return, Shared};
pub use signature::Signature;
pub use sink::{HookError, Sink, collect, guard};
pub use value::{Value, ValueError, ValueView};
pub use view::{Arena, SliceView, StrView};
