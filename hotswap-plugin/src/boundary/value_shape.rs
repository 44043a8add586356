//! How structs, variants and tuples become values and are read from them: what generated code calls.
use crate::boundary::value::{Value, ValueError};
use std::collections::BTreeMap;

/// `Shared::from_value` of a type.
pub type Read<T> = fn(Value) -> Result<T, ValueError>;

/// A struct with named fields.
pub fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

/// A variant with fields.
pub fn variant(name: &str, fields: Value) -> Value {
    Value::Map(BTreeMap::from([(name.to_owned(), fields)]))
}

/// The name and the fields of a variant of `what`.
///
/// # Errors
/// It is neither a text nor a map with one entry.
pub fn into_variant(value: Value, what: &str) -> Result<(String, Value), ValueError> {
    match value {
        Value::Str(name) => Ok((name, Value::Nil)),
        Value::Map(map) if map.len() == 1 => Ok(map.into_iter().next().unwrap_or_default()),
        value => Err(ValueError::new(what, &value)),
    }
}

/// The error of a variant that `what` does not have.
pub fn unknown_variant<T>(what: &str, name: String) -> Result<T, ValueError> {
    Err(ValueError::new(
        &format!("a variant of {what}"),
        &Value::Str(name),
    ))
}

/// Reads what is inside of the field or variant `name`.
///
/// # Errors
/// Those of `read`.
pub fn within<T>(
    name: &str,
    read: impl FnOnce() -> Result<T, ValueError>,
) -> Result<T, ValueError> {
    read().map_err(|error| error.at(name))
}

/// What is inside of a variant or struct without fields.
///
/// # Errors
/// It is something.
pub fn into_nothing(value: Value) -> Result<(), ValueError> {
    match value {
        Value::Nil => Ok(()),
        value => Err(ValueError::new("nothing", &value)),
    }
}

/// The fields of `what`.
///
/// # Errors
/// It is not a map.
pub fn into_fields(value: Value, what: &'static str) -> Result<Fields, ValueError> {
    match value {
        Value::Map(map) => Ok(Fields { map, what }),
        value => Err(ValueError::new(what, &value)),
    }
}

/// The fields of a struct or variant, while it is read.
pub struct Fields {
    map: BTreeMap<String, Value>,
    what: &'static str,
}

impl Fields {
    /// Takes a field. One that is missing reads as nothing.
    ///
    /// # Errors
    /// It is not of the type of the field.
    pub fn take<T>(&mut self, name: &str, read: Read<T>) -> Result<T, ValueError> {
        within(name, || read(self.map.remove(name).unwrap_or_default()))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// There are fields which nobody took.
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

/// The items of `what`.
///
/// # Errors
/// It is not a list of this length.
pub fn into_items(value: Value, what: &str, len: usize) -> Result<Items, ValueError> {
    let items = value.into_list(what, Some(len))?;
    Ok(Items {
        items: items.into_iter(),
        index: 0,
    })
}

/// The items of a tuple, while it is read.
pub struct Items {
    items: std::vec::IntoIter<Value>,
    index: usize,
}

impl Items {
    /// Takes the next item.
    ///
    /// # Errors
    /// It is not of the type of the item.
    pub fn take<T>(&mut self, read: Read<T>) -> Result<T, ValueError> {
        let index = self.index;
        self.index += 1;
        read(self.items.next().unwrap_or_default()).map_err(|error| error.index(index))
    }
}
