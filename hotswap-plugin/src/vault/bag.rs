//! The data bag: named values of a generation.
use crate::boundary::Value;
use crate::live_data::LiveData;
use hotswap_macros::shared;
use std::fmt;

/// What is in the data bag under a name.
#[shared(crate = crate)]
#[derive(Clone, Debug, PartialEq)]
pub enum BagValue {
    /// A value.
    Value(Value),
    /// Live data.
    Data(LiveData),
}

impl BagValue {
    /// The value, where it is one and not live data.
    pub fn value(&self) -> Option<&Value> {
        match self {
            BagValue::Value(value) => Some(value),
            BagValue::Data(_) => None,
        }
    }

    /// The live data, where it is some.
    pub fn data(&self) -> Option<&LiveData> {
        match self {
            BagValue::Value(_) => None,
            BagValue::Data(data) => Some(data),
        }
    }

    /// As a value, which live data is as its bytes: `vault.get("port").map(|port| port.into_value().decode::<u16>())`.
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

/// Why something could not be put into the data bag.
#[shared(crate = crate)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BagError {
    /// Another plugin has put something there.
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
                "{name} is in the data bag already, set by {by}: choose another name"
            ),
        }
    }
}

impl std::error::Error for BagError {}
