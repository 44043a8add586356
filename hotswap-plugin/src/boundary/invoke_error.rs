//! The errors of a call by name.
use crate::boundary::value::Value;
use std::fmt;

/// The result of a call by name.
pub type DynamicResult = Result<Value, InvokeError>;

/// The reason why a call by name returns no value.
#[derive(Clone, PartialEq, Debug)]
pub enum InvokeError {
    /// There is no such function.
    Unknown,
    /// The function is `async`, and the call was not.
    Async,
    /// The function has another number of parameters.
    WrongCount {
        /// The number of its parameters.
        expected: u32,
        /// The number of the arguments.
        found: u32,
    },
    /// An argument has the wrong type. Boxed, so that results without an error are small.
    WrongType(Box<WrongType>),
    /// The function returned an error of its own. It is a string, unless the error is of a `#[shared]` type.
    Returned(Value),
}

/// An argument of the wrong type.
#[derive(Clone, PartialEq, Debug)]
pub struct WrongType {
    /// The argument's index, from 0.
    pub index: u32,
    /// The parameter's name.
    pub name: String,
    /// The place within the argument; empty for the argument itself.
    pub path: String,
    /// The expected type or value.
    pub expected: String,
    /// The type or value that was found.
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
            InvokeError::Async => f.write_str("the function is async; call it with `invoke_async`"),
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

/// The error that a hand-written `invoke_func` returns for a name that it does not know. The caller learns that there
/// is no such function, and a call of every plugin with this name skips this one.
///
/// ```
/// use hotswap_plugin::UnknownFunction;
/// use hotswap_plugin::prelude::*;
///
/// # #[derive(Default)]
/// # struct Greeter;
/// # #[plugin]
/// # impl Greeter {
/// fn invoke_func(&self, name: &str, args: &[Value]) -> Result<Value> {
///     match name {
///         "count" => Ok(args.len().into()),
///         _ => Err(UnknownFunction.into()),
///     }
/// }
/// # }
/// # fn main() {}
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownFunction;

impl fmt::Display for UnknownFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        InvokeError::Unknown.fmt(f)
    }
}

impl std::error::Error for UnknownFunction {}
