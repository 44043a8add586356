//! Converts recorded values of plugins to values of the host's `tracing`.
use abi_stable::std_types::{RSlice, RStr};
use hotswap_plugin::telemetry::table::{FieldValue, FieldView};
use std::error::Error;
use std::fmt;
use tracing_core::Metadata;
use tracing_core::field::{DisplayValue, Value, ValueSet, display};

/// Passes the values to `run`, as those of fields of `metadata`. Values of fields that it does not have are left out.
pub(super) fn show<R>(
    metadata: &'static Metadata<'static>,
    fields: RSlice<'_, FieldView<'_>>,
    run: impl FnOnce(&ValueSet<'_>) -> R,
) -> R {
    let taken: Vec<Taken<'_>> = fields
        .iter()
        .map(|field| Taken::from(&field.value))
        .collect();
    let mut values: Vec<Option<&dyn Value>> = vec![None; metadata.fields().len()];
    for (field, value) in fields.iter().zip(&taken) {
        if let Some(place) = values.get_mut(field.index as usize) {
            *place = Some(value.as_value());
        }
    }
    run(&metadata.fields().value_set_all(&values))
}

enum Taken<'a> {
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Bool(bool),
    Str(&'a str),
    Bytes(&'a [u8]),
    /// A value that is displayed, because it has already been formatted.
    Debug(DisplayValue<&'a str>),
    Error(Box<dyn Error>),
}

impl<'a> From<&FieldValue<'a>> for Taken<'a> {
    fn from(value: &FieldValue<'a>) -> Self {
        let wide = |[low, high]: [u64; 2]| u128::from(low) | u128::from(high) << 64;
        match *value {
            FieldValue::I64(value) => Taken::I64(value),
            FieldValue::U64(value) => Taken::U64(value),
            FieldValue::I128(halves) => Taken::I128(wide(halves) as i128),
            FieldValue::U128(halves) => Taken::U128(wide(halves)),
            FieldValue::F64(value) => Taken::F64(value),
            FieldValue::Bool(value) => Taken::Bool(value),
            FieldValue::Str(text) => Taken::Str(text.as_str()),
            FieldValue::Bytes(bytes) => Taken::Bytes(bytes.as_slice()),
            FieldValue::Debug(text) => Taken::Debug(display(text.as_str())),
            FieldValue::Error(texts) => Taken::Error(Box::new(TextError::new(texts.as_slice()))),
        }
    }
}

impl Taken<'_> {
    fn as_value(&self) -> &dyn Value {
        match self {
            Taken::I64(value) => value,
            Taken::U64(value) => value,
            Taken::I128(value) => value,
            Taken::U128(value) => value,
            Taken::F64(value) => value,
            Taken::Bool(value) => value,
            Taken::Str(value) => value,
            Taken::Bytes(value) => value,
            Taken::Debug(value) => value,
            Taken::Error(value) => value,
        }
    }
}

/// An error of a plugin: its text, and the texts of its sources.
#[derive(Debug)]
struct TextError {
    text: String,
    source: Option<Box<TextError>>,
}

impl TextError {
    fn new(texts: &[RStr<'_>]) -> Self {
        let (text, sources) = texts
            .split_first()
            .map_or(("", &[][..]), |(text, rest)| (text.as_str(), rest));
        let source = (!sources.is_empty()).then(|| Box::new(TextError::new(sources)));
        TextError {
            text: text.to_owned(),
            source,
        }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for TextError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
