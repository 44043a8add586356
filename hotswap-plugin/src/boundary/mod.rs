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
//! | [`call`] | results and panics: both ends of every call, and of every hook |
//! | [`hook_result`] | the result of a hook |
//! | [`dynamic`] | calls by name, without static types |
//! | [`signature`] | `fn(&str, u32) -> String` as a type |
//! | [`object`], [`import`] | traits as tables of C functions, objects of one library that another owns, and the imports of a plugin |
//! | [`later`] | results of `async fn`s, and wakers |
//! | [`relay`] | tables of functions that a host has replaced |
pub mod abi;
pub mod arg;
pub mod call;
pub mod describe;
pub mod dynamic;
mod error;
pub mod hook_result;
pub mod import;
pub mod invoke_error;
pub mod later;
pub mod mismatch;
mod noted;
pub mod object;
mod primitive;
pub mod relay;
pub mod shared;
pub mod signature;
mod std_types;
mod std_values;
pub mod value;
#[doc(hidden)]
pub mod value_shape;
pub mod view;

pub use abi::{DynamicOut, HeldView, LaterView, Out, RawObject, Sink, Status, ValueView};
pub use arg::Arg;
pub use call::{Crossed, Panicked, answer, attempt, collect, guard, raise, receive, try_receive};
pub use describe::{
    ExtensionDesc, FieldDesc, FunctionDesc, InterfaceDesc, Kind, MethodDesc, ParamDesc, SlotDesc,
    TypeDesc, same,
};
pub use dynamic::{answer_by_name, call_dynamic};
pub use error::{Error, Result, chain};
pub use hook_result::HookError;
pub use import::{Bindings, Import, ImportDesc, ImportKind, Imported};
pub use invoke_error::{DynamicResult, InvokeError, UnknownFunction};
pub use later::{Awaited, Later};
pub use mismatch::Party;
pub use noted::{CountErrors, NotedErrors};
pub use object::{ExportDesc, Held, Interface, Object, Provides, Tables};
pub use relay::{RawFunction, relayed};
pub use shared::{Return, Shared};
pub use signature::{AsyncSignature, Signature};
pub use value::{Value, ValueError};
pub use view::{Arena, SliceView, StrView};
