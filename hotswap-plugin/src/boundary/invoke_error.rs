//! Why a call by name gives no value.
use crate::boundary::value::Value;
use std::fmt;

/// What a dynamic call gives.
pub type DynamicResult = Result<Value, InvokeError>;

/// Why a dynamic call gives no value.
#[derive(Clone, PartialEq, Debug)]
pub enum InvokeError {
    /// There is no such function.
    Unknown,
    /// The function is `async`, and was called as if it were not.
    Async,
    /// The function has another number of parameters.
    WrongCount {
        /// How many it has.
        expected: u32,
        /// How many arguments there were.
        found: u32,
    },
    /// An argument is not of the type it should be. Boxed, so that results without an error are small.
    WrongType(Box<WrongType>),
    /// The function returned an error of its own: a text, unless it is of a `#[shared]` type.
    Returned(Value),
}

/// An argument that is not of the type it should be.
#[derive(Clone, PartialEq, Debug)]
pub struct WrongType {
    /// Which, from 0.
    pub index: u32,
    /// The parameter's name.
    pub name: String,
    /// The place within the argument; empty for the argument itself.
    pub path: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrongType {
            index,
            name,
            path,
            expected,
            found,
        } = self;
        let dot = if path.is_empty() || path.starts_with('[') {
            ""
        } else {
            "."
        };
        write!(
            f,
            "argument {} at {name}{dot}{path}: expected {expected}, found {found}",
            index + 1
        )
    }
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvokeError::Unknown => f.write_str("no function of this name"),
            InvokeError::Async => f.write_str("it is async: call it with `invoke_async`"),
            InvokeError::WrongCount { expected, found } => {
                let s = if *expected == 1 { "" } else { "s" };
                write!(f, "expected {expected} argument{s}, found {found}")
            }
            InvokeError::WrongType(wrong) => wrong.fmt(f),
            InvokeError::Returned(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for InvokeError {}
