//! Patches: closures of the host in the place of single functions of a plugin.
//!
//! | module | contents |
//! |---|---|
//! | `params` | the parameters of a handle's type, and the closures that accept them |
//! | `link` | the C functions with such a closure behind them |
//! | `dispatch` | the C function that chooses a link at each call through an import |
//! | `kinds` | what a closure does with a call: instead of the function, before, after, around |
//! | `original` | the call of an `async fn` below a patch |
//! | `mock` | closures in the place of a function for some of its callers |
//! | `stack` | the versions of a plugin, each of which patches some functions |
//! | `layers` | the functions that such versions make of those of an instance |
//! | `sticky` | the plugins and functions that are not to be patched |
//! | `calls` | counts of calls |
//! | `trace` | tells of the calls of a function |
//! | `by_name` | the same for calls by name, which need no type |
//! | `function` | a function with its links, in one generation |
//! | `fn_type` | the types of functions |
//!
//! # How a call meets a patch
//! A generation is immutable, and so are the patches in it. A patch makes a copy of the live generation, as a gate does,
//! in whose table the handles of the patched function lead to the topmost of its links. A link is a C function of the
//! host with the signature of the plugin's, so nothing else of a call differs, and a call of a function without patches
//! does not differ at all. Within one pin, one version is called, since the pin keeps one generation.
mod by_name;
mod calls;
pub(crate) mod dispatch;
pub(crate) mod fn_type;
pub(crate) mod function;
mod kinds;
pub(crate) mod layers;
pub(crate) mod link;
pub(crate) mod mock;
mod operation;
mod original;
pub(crate) mod params;
pub(crate) mod sourced;
pub(crate) mod stack;
pub(crate) mod sticky;
pub(crate) mod trace;

pub use kinds::{Given, NextOf, OriginalOf};
pub use link::Next;
pub use operation::PatchSignature;
pub(crate) use operation::{FunctionName, Made, Operation, What};
pub use original::Original;
pub use params::{Closure, ClosureWith};
