//! `Value`, a value whose type is known only while the program runs.
use std::collections::BTreeMap;
use std::fmt;

/// A value whose type is known only while the program runs: an argument or a result of a call by name.
///
/// ```
/// use hotswap_plugin::Value;
///
/// let value = Value::from(vec![1, 2]);
/// assert_eq!(value.to_string(), "[1, 2]");
/// assert_eq!(value.decode::<Vec<u8>>()?, [1, 2]);
/// # Ok::<(), hotswap_plugin::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No value: `()` or `None`.
    #[default]
    Nil,
    /// A `bool`.
    Bool(bool),
    /// Any integer.
    Int(i128),
    /// An `f32` or `f64`.
    Float(f64),
    /// A `String`, a `char`, a variant without fields, or an error.
    Str(String),
    /// Bytes that are not UTF-8.
    Bytes(Vec<u8>),
    /// A collection or a tuple.
    List(Vec<Value>),
    /// A struct, a map with strings as keys, or, with one entry, a variant with fields.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// Returns the string, if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the entry of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// Returns the items of `what`, if their number is the expected one.
    pub(super) fn into_list(
        self,
        what: &str,
        len: Option<usize>,
    ) -> Result<Vec<Value>, ValueError> {
        match (self, len) {
            (Value::List(items), Some(len)) if items.len() != len => Err(ValueError::of(
                &format!("{what} of {len}"),
                &format!("a list of {}", items.len()),
            )),
            (Value::List(items), _) => Ok(items),
            (value, _) => Err(ValueError::new(what, &value)),
        }
    }

    /// Describes the value for an error message.
    fn what(&self) -> String {
        match self {
            Value::Nil => "nothing".into(),
            Value::Bool(_) => "a bool".into(),
            Value::Int(number) => format!("the integer {number}"),
            Value::Float(number) => format!("the number {number}"),
            Value::Str(text) if text.len() <= 32 => format!("the string {text:?}"),
            Value::Str(_) => "a string".into(),
            Value::Bytes(_) => "bytes".into(),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }
}

/// Shows the value as an author writes it. Strings are in quotes, unless the value itself is a string.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nested = |f: &mut fmt::Formatter<'_>, value: &Value| match value {
            Value::Str(text) => write!(f, "{text:?}"),
            value => write!(f, "{value}"),
        };
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Bool(yes) => write!(f, "{yes}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Str(text) => f.write_str(text),
            Value::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Value::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { "" })?;
                    nested(f, item)?;
                }
                f.write_str("]")
            }
            Value::Map(map) => {
                f.write_str("{")?;
                for (i, (key, value)) in map.iter().enumerate() {
                    write!(f, "{}{key}: ", if i > 0 { ", " } else { "" })?;
                    nested(f, value)?;
                }
                f.write_str("}")
            }
        }
    }
}

macro_rules! from {
    ($($ty:ty => $value:ident => $into:expr),* $(,)?) => {$(
        impl From<$ty> for Value {
            #[inline]
            fn from($value: $ty) -> Value {
                $into
            }
        }
    )*};
}
macro_rules! from_integer {
    ($($ty:ty),*) => { from! { $($ty => number => Value::Int(number as i128)),* } };
}
from_integer!(u8, u16, u32, u64, usize, i8, i16, i32, i64, i128, isize);
from! {
    // A number that is too large is a string.
    u128 => number => i128::try_from(number).map_or_else(|_| Value::Str(number.to_string()), Value::Int),
    f32 => number => Value::Float(number.into()),
    f64 => number => Value::Float(number),
    bool => yes => Value::Bool(yes),
    char => char => Value::Str(char.into()),
    () => _nil => Value::Nil,
    &str => text => Value::Str(text.to_owned()),
    String => text => Value::Str(text),
    BTreeMap<String, Value> => map => Value::Map(map),
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Nil, Into::into)
    }
}

/// The error of a value that has another type than expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueError {
    path: String,
    expected: String,
    found: String,
}

impl ValueError {
    /// Returns the error for `found` in the place of `expected`.
    pub fn new(expected: &str, found: &Value) -> Self {
        ValueError::of(expected, &found.what())
    }

    pub(super) fn of(expected: &str, found: &str) -> Self {
        ValueError {
            path: String::new(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    /// Returns the same error, as seen from the value that has this field.
    #[must_use]
    pub fn at(self, field: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        ValueError {
            path: format!("{field}{dot}{}", self.path),
            ..self
        }
    }

    /// Returns the same error, as seen from the value that has this item.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }

    /// Returns the path to the place, such as `ports[3].name`. Empty for the value itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what was expected.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Returns what was found.
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.path.is_empty() { "" } else { " at " };
        write!(
            f,
            "expected {}{at}{}, found {}",
            self.expected, self.path, self.found
        )
    }
}

impl std::error::Error for ValueError {}
