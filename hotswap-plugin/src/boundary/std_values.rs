//! Types of the standard library as values without a static type.
use crate::boundary::shared::Shared;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::value_shape;
use std::time::Duration;

/// Returns a list of the items.
pub(super) fn list<'a, T: Shared>(items: impl Iterator<Item = &'a T>) -> Value {
    Value::List(items.map(T::to_value).collect())
}

pub(super) fn items<T: Shared, C: FromIterator<T>>(
    value: Value,
    what: &str,
    len: Option<usize>,
) -> Result<C, ValueError> {
    let items = value.into_list(what, len)?.into_iter().enumerate();
    items
        .map(|(i, item)| T::from_value(item).map_err(|e| e.index(i)))
        .collect()
}

/// Returns the items of a list of any length.
pub(super) fn items_of<T: Shared, C: FromIterator<T>>(
    value: Value,
    what: &str,
) -> Result<C, ValueError> {
    items(value, what, None)
}

/// Returns the items of a list. A `Vec<u8>` can also be read from bytes.
pub(super) fn vec_from_value<T: Shared>(value: Value, what: &str) -> Result<Vec<T>, ValueError> {
    match value {
        Value::Bytes(bytes) => bytes
            .into_iter()
            .map(|byte| T::from_value(byte.into()))
            .collect(),
        value => items_of(value, what),
    }
}

/// Returns a map if the keys are strings, otherwise a list of pairs.
pub(super) fn map_to_value<'a, K: Shared, V: Shared>(
    pairs: impl Iterator<Item = (&'a K, &'a V)>,
) -> Value {
    let pairs: Vec<_> = pairs
        .map(|(key, value)| (key.to_value(), value.to_value()))
        .collect();
    if pairs.iter().all(|(key, _)| matches!(key, Value::Str(_))) {
        let text = |key| match key {
            Value::Str(text) => text,
            key => key.to_string(),
        };
        Value::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (text(key), value))
                .collect(),
        )
    } else {
        Value::List(
            pairs
                .into_iter()
                .map(|(key, value)| Value::List(vec![key, value]))
                .collect(),
        )
    }
}

pub(super) fn map_from_value<K: Shared, V: Shared, C: FromIterator<(K, V)>>(
    value: Value,
    what: &str,
) -> Result<C, ValueError> {
    match value {
        Value::Map(map) => map
            .into_iter()
            .map(|(key, value)| {
                let value = V::from_value(value).map_err(|e| e.at(&key))?;
                Ok((K::from_value(Value::Str(key))?, value))
            })
            .collect(),
        value => items_of::<(K, V), C>(value, what),
    }
}

/// Returns a string, or bytes if the path is not UTF-8.
#[cfg(unix)]
pub(super) fn path_to_value(path: &std::path::Path) -> Value {
    use std::os::unix::ffi::OsStrExt;
    match path.to_str() {
        Some(text) => Value::Str(text.to_owned()),
        None => Value::Bytes(path.as_os_str().as_bytes().to_vec()),
    }
}

#[cfg(unix)]
pub(super) fn path_from_value(value: Value) -> Result<std::path::PathBuf, ValueError> {
    use std::os::unix::ffi::OsStringExt;
    match value {
        Value::Str(text) => Ok(text.into()),
        Value::Bytes(bytes) => Ok(std::ffi::OsString::from_vec(bytes).into()),
        _ => Err(ValueError::new("a path", &value)),
    }
}

pub(super) fn duration_to_value(duration: Duration) -> Value {
    value_shape::map([
        ("secs", duration.as_secs().into()),
        ("nanos", duration.subsec_nanos().into()),
    ])
}

pub(super) fn duration_from_value(value: Value) -> Result<Duration, ValueError> {
    let mut fields = value_shape::into_fields(value, "Duration")?;
    let (secs, nanos) = (
        fields.take("secs", u64::from_value)?,
        fields.take("nanos", u32::from_value)?,
    );
    fields.end()?;
    match Duration::from_nanos(nanos.into()).checked_add(Duration::from_secs(secs)) {
        Some(duration) => Ok(duration),
        None => Err(ValueError::new("Duration", &Value::Int(secs.into())).at("secs")),
    }
}
