//! Conversion of structs, variants, and tuples from and to values. Generated code calls these functions.
use crate::boundary::value::{Value, ValueError};
use std::collections::BTreeMap;

/// The type of `Shared::from_value`.
pub type Read<T> = fn(Value) -> Result<T, ValueError>;

/// Returns the value of a struct with named fields.
pub fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

/// Returns the value of a variant with fields.
pub fn variant(name: &str, fields: Value) -> Value {
    Value::Map(BTreeMap::from([(name.to_owned(), fields)]))
}

/// Returns the name and the fields of a variant of `what`.
///
/// # Errors
/// Returns an error if the value is neither a string nor a map with one entry.
pub fn into_variant(value: Value, what: &str) -> Result<(String, Value), ValueError> {
    match value {
        Value::Str(name) => Ok((name, Value::Nil)),
        Value::Map(map) if map.len() == 1 => Ok(map.into_iter().next().unwrap_or_default()),
        value => Err(ValueError::new(what, &value)),
    }
}

/// Returns the error for a variant that `what` does not have.
pub fn unknown_variant<T>(what: &str, name: String) -> Result<T, ValueError> {
    Err(ValueError::new(
        &format!("a variant of {what}"),
        &Value::Str(name),
    ))
}

/// Reads the content of the field or variant `name`.
///
/// # Errors
/// Returns the error of `read`, with `name` in its path.
pub fn within<T>(
    name: &str,
    read: impl FnOnce() -> Result<T, ValueError>,
) -> Result<T, ValueError> {
    read().map_err(|error| error.at(name))
}

/// Reads the content of a variant or struct without fields.
///
/// # Errors
/// Returns an error if there is any content.
pub fn into_nothing(value: Value) -> Result<(), ValueError> {
    match value {
        Value::Nil => Ok(()),
        value => Err(ValueError::new("nothing", &value)),
    }
}

/// Returns the fields of `what`.
///
/// # Errors
/// Returns an error if the value is not a map.
pub fn into_fields(value: Value, what: &'static str) -> Result<Fields, ValueError> {
    match value {
        Value::Map(map) => Ok(Fields { map, what }),
        value => Err(ValueError::new(what, &value)),
    }
}

/// The fields of a struct or variant that is being read.
pub struct Fields {
    map: BTreeMap<String, Value>,
    what: &'static str,
}

impl Fields {
    /// Takes a field. A missing field reads as nil.
    ///
    /// # Errors
    /// Returns an error if the field has the wrong type.
    pub fn take<T>(&mut self, name: &str, read: Read<T>) -> Result<T, ValueError> {
        within(name, || read(self.map.remove(name).unwrap_or_default()))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Returns an error if there are fields that were not taken.
    pub fn end(self) -> Result<(), ValueError> {
        match self.map.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(ValueError::of(
                &format!("a field of {}", self.what),
                &format!("{name:?}"),
            )),
        }
    }
}

/// Returns the items of `what`.
///
/// # Errors
/// Returns an error if the value is not a list of this length.
pub fn into_items(value: Value, what: &str, len: usize) -> Result<Items, ValueError> {
    let items = value.into_list(what, Some(len))?;
    Ok(Items {
        items: items.into_iter(),
        index: 0,
    })
}

/// The items of a tuple that is being read.
pub struct Items {
    items: std::vec::IntoIter<Value>,
    index: usize,
}

impl Items {
    /// Takes the next item.
    ///
    /// # Errors
    /// Returns an error if the item has the wrong type.
    pub fn take<T>(&mut self, read: Read<T>) -> Result<T, ValueError> {
        let index = self.index;
        self.index += 1;
        read(self.items.next().unwrap_or_default()).map_err(|error| error.index(index))
    }
}
