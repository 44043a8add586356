//! How values cross between a plugin, its host, and other plugins.
//!
//! Nothing that owns memory crosses, and nothing whose layout Rust does not promise. A value crosses as a borrowed
//! `repr(C)` *view* of it. The receiver copies the value out of the view, in its own library and with its own
//! allocator, while the owner still holds it. Arguments are copied in the callee, and results in the caller, which
//! lends an [`Out`] for that. So two libraries need not agree on an allocator, on the layout of `String`, or on the
//! compiler.
//!
//! | module | |
//! |---|---|
//! | [`view`] | strings, slices, and the arena for arrays of views |
//! | [`abi`] | the types that every call consists of, as they lie in memory |
//! | [`describe`], [`mismatch`] | the descriptions that two libraries compare before they call each other, and the messages where they differ |
//! | [`value`], [`invoke_error`] | values without a static type, and the errors of a call by name |
//! | [`shared`] | the types that may cross; `#[shared]` adds an author's own |
//! | [`arg`] | parameters: `T`, `&T`, `&str`, `&[T]` |
//! | [`call`] | results and panics: both ends of every call |
//! | [`hook_result`] | both ends of a hook: the host gets the text of an error or a panic |
//! | [`dynamic`] | calls by name, without static types |
//! | [`signature`] | `fn(&str, u32) -> String` as a type |
//! | [`interface`], [`import`] | traits as tables of C functions, and the imports of a plugin |
//! | [`held`] | objects of one library that another owns |
//! | [`later`] | results of `async fn`s, and wakers |
pub mod abi;
pub mod arg;
pub mod call;
mod collections;
pub(crate) mod counted;
pub mod describe;
pub mod dynamic;
pub mod held;
pub mod hook_result;
pub mod import;
pub mod interface;
pub mod invoke_error;
pub mod later;
pub mod mismatch;
pub mod shared;
mod shared_value;
pub mod signature;
mod std_types;
pub mod value;
#[doc(hidden)]
pub mod value_shape;
pub mod view;

pub use abi::{DynamicOut, LaterView, Out, Status, ValueView};
pub use arg::Arg;
pub use call::{Crossed, Panicked, answer, raise, receive, try_receive};
pub use describe::{
    ExtensionDesc, FieldDesc, FunctionDesc, InterfaceDesc, Kind, MethodDesc, ParamDesc, SlotDesc,
    TypeDesc, same,
};
pub use dynamic::{UnknownFunction, answer_by_name, call_dynamic};
pub use held::Held;
pub use hook_result::{HookError, Sink, attempt, collect, guard};
pub use import::{Import, ImportDesc, ImportKind};
pub use interface::{ExportDesc, Imported, Interface, Object, Provides, RawObject};
pub use invoke_error::{DynamicResult, InvokeError};
pub use later::{AsyncSignature, Awaited, Later};
pub use mismatch::Party;
pub use shared::{Return, Shared};
pub use signature::Signature;
pub use std_types::{Error, Result, chain};
pub use value::{Value, ValueError};
pub use view::{Arena, SliceView, StrView};
