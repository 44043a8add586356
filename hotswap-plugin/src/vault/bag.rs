//! The entries of the data bag, which are named values of a generation.
use crate::boundary::Value;
use crate::live_data::LiveData;
use hotswap_macros::shared;
use std::fmt;

/// An entry of the data bag.
#[shared(crate = crate)]
#[derive(Clone, Debug, PartialEq)]
pub enum BagValue {
    /// A value.
    Value(Value),
    /// Live data.
    Data(LiveData),
}

impl BagValue {
    /// Returns the value, unless the entry is live data.
    pub fn value(&self) -> Option<&Value> {
        match self {
            BagValue::Value(value) => Some(value),
            BagValue::Data(_) => None,
        }
    }

    /// Returns the live data, unless the entry is a value.
    pub fn data(&self) -> Option<&LiveData> {
        match self {
            BagValue::Value(_) => None,
            BagValue::Data(data) => Some(data),
        }
    }

    /// Converts the entry to a value. Live data becomes its bytes: `vault.get("port").map(|port|
    /// port.into_value().decode::<u16>())`.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            BagValue::Value(value) => value,
            BagValue::Data(data) => Value::encode(&data),
        }
    }
}

impl fmt::Display for BagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BagValue::Value(value) => value.fmt(f),
            BagValue::Data(data) => write!(f, "{data:?}"),
        }
    }
}

/// The reason why an entry could not be put into the data bag.
#[shared(crate = crate)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BagError {
    /// Another plugin has set this entry.
    Taken {
        /// The name.
        name: String,
        /// The plugin.
        by: String,
    },
}

impl fmt::Display for BagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BagError::Taken { name, by } => write!(
                f,
                "{by} has already put {name} into the data bag; choose another name"
            ),
        }
    }
}

impl std::error::Error for BagError {}
