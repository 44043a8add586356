//! The types of the options of reloads, as texts and in files.
use crate::base::seconds::seconds;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// The type of an option.
pub(super) trait OptionValue: Sized {
    const TYPE: &str;
    fn from_text(text: &str) -> Option<Self>;
    fn to_text(&self) -> String;
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
    fn read<'d, D: Deserializer<'d>>(from: D) -> Result<Self, D::Error>;
}

/// Serialises options.
pub(super) mod as_option {
    use super::OptionValue;
    use serde::{Deserializer, Serializer};

    pub(in crate::swapper) fn serialize<T: OptionValue, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.write(to)
    }

    pub(in crate::swapper) fn deserialize<'d, T: OptionValue, D: Deserializer<'d>>(
        from: D,
    ) -> Result<T, D::Error> {
        T::read(from)
    }
}

/// Writes and reads a type as serde does.
macro_rules! by_serde {
    () => {
        fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            self.serialize(to)
        }
        fn read<'d, D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
            Self::deserialize(from)
        }
    };
}
pub(super) use by_serde;

impl OptionValue for bool {
    const TYPE: &str = "true or false";
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn to_text(&self) -> String {
        self.to_string()
    }
    by_serde!();
}

impl OptionValue for u64 {
    const TYPE: &str = "a whole number";
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn to_text(&self) -> String {
        self.to_string()
    }
    by_serde!();
}

impl OptionValue for f64 {
    const TYPE: &str = "a number";
    fn from_text(text: &str) -> Option<Self> {
        text.parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }
    fn to_text(&self) -> String {
        self.to_string()
    }
    by_serde!();
}

impl OptionValue for Duration {
    const TYPE: &str = "a number of seconds";
    fn from_text(text: &str) -> Option<Self> {
        Duration::try_from_secs_f64(text.parse().ok()?).ok()
    }
    fn to_text(&self) -> String {
        self.as_secs_f64().to_string()
    }
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        seconds(self, to)
    }
    fn read<'d, D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
    }
}
