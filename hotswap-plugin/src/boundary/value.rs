//! Values whose type is known only while the program runs.
use std::collections::BTreeMap;
use std::fmt;

/// A value whose type is known only while the program runs: the argument or the result of a call by name.
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
    /// Nothing: `()`, `None`.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// Any integer.
    Int(i128),
    /// `f32`, `f64`.
    Float(f64),
    /// `String`, `char`, a variant without fields, an error.
    Str(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// A collection, a tuple.
    List(Vec<Value>),
    /// A struct, a map with texts as keys; with one entry, a variant with fields.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The entry of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// The items of `what`, where there are as many as there should be.
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

    /// What it is, as an error says it.
    fn what(&self) -> String {
        match self {
            Value::Nil => "nothing".into(),
            Value::Bool(_) => "a bool".into(),
            Value::Int(number) => format!("the integer {number}"),
            Value::Float(number) => format!("the number {number}"),
            Value::Str(text) if text.len() <= 32 => format!("the text {text:?}"),
            Value::Str(_) => "a text".into(),
            Value::Bytes(_) => "bytes".into(),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }
}

/// As one would write it: texts in quotes, except where the value is a text.
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
    // A text where it is too large.
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

/// A value that is not of the type it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueError {
    path: String,
    expected: String,
    found: String,
}

impl ValueError {
    /// `found` where `expected` should be.
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

    /// The same error, seen from what has it in this field.
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

    /// The same error, seen from what has it in this place.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }

    /// Where it is: `ports[3].name`. Empty for the value itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What should be there.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What is there.
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
