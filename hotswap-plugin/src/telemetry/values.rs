//! The values of one event or span, formatted.
use super::table::{FieldValue, FieldView};
use abi_stable::std_types::{RSlice, RStr};
use std::error::Error;
use std::fmt::{Debug, Display, Write};
use std::ops::Range;
use tracing_core::Field;
use tracing_core::field::Visit;

/// Collects values. Their texts lie one behind the other in one string, which takes few allocations.
#[derive(Default)]
pub(super) struct Values {
    items: Vec<(u32, Item)>,
    text: String,
    bytes: Vec<u8>,
    /// The texts of all errors, each with its sources.
    errors: Vec<Range<usize>>,
}

enum Item {
    /// A value that needs no memory of its own.
    Plain(FieldValue<'static>),
    Str(Range<usize>),
    Debug(Range<usize>),
    Bytes(Range<usize>),
    Error(Range<usize>),
}

impl Values {
    /// Passes the views of all values to `run`.
    pub(super) fn show<R>(&self, run: impl FnOnce(RSlice<'_, FieldView<'_>>) -> R) -> R {
        let text = |range: &Range<usize>| RStr::from_str(&self.text[range.clone()]);
        let errors: Vec<RStr<'_>> = self.errors.iter().map(text).collect();
        let view = |(index, item): &(u32, Item)| FieldView {
            index: *index,
            value: match item {
                Item::Plain(value) => *value,
                Item::Str(range) => FieldValue::Str(text(range)),
                Item::Debug(range) => FieldValue::Debug(text(range)),
                Item::Bytes(range) => {
                    FieldValue::Bytes(RSlice::from_slice(&self.bytes[range.clone()]))
                }
                Item::Error(range) => FieldValue::Error(RSlice::from_slice(&errors[range.clone()])),
            },
        };
        let views: Vec<FieldView<'_>> = self.items.iter().map(view).collect();
        run(RSlice::from_slice(&views))
    }

    fn push(&mut self, field: &Field, item: Item) {
        self.items.push((field.index() as u32, item));
    }

    fn write(&mut self, value: &dyn Display) -> Range<usize> {
        let start = self.text.len();
        // After a `Display` that fails, the text is incomplete, which is better than no record.
        let _ = write!(self.text, "{value}");
        start..self.text.len()
    }
}

impl Visit for Values {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, Item::Plain(FieldValue::F64(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Item::Plain(FieldValue::I64(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Item::Plain(FieldValue::U64(value)));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.push(
            field,
            Item::Plain(FieldValue::I128([value as u64, (value >> 64) as u64])),
        );
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.push(
            field,
            Item::Plain(FieldValue::U128([value as u64, (value >> 64) as u64])),
        );
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Item::Plain(FieldValue::Bool(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let range = self.write(&value);
        self.push(field, Item::Str(range));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.push(field, Item::Bytes(start..self.bytes.len()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let start = self.errors.len();
        let mut cause = Some(value);
        while let Some(error) = cause {
            let range = self.write(&error);
            self.errors.push(range);
            cause = error.source();
        }
        self.push(field, Item::Error(start..self.errors.len()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let range = self.write(&format_args!("{value:?}"));
        self.push(field, Item::Debug(range));
    }
}
