#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod edit;
mod error;
mod function;
mod packed;

pub use edit::{Change, Edited, Injection, Place};
pub use error::SourceError;
pub use function::{Function, expression_ast};
pub use packed::{SourceFile, Sources};
