//! Calls the functions of the table in the way in which a plugin calls them.
use crate::telemetry::TABLE;
use abi_stable::std_types::{ROption, RSlice, RStr};
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::telemetry::table::{
    CallsiteRef, CallsiteView, FieldValue, FieldView, Parent, SpanId, SpanReceiver, kind, level,
};
use std::ptr::without_provenance;

/// A plugin, as the table knows it.
pub(super) struct Plugin(pub(super) Token);

// SAFETY, for all calls of the table below: the token is only compared, the table has made all callsites, and
// everything that is lent lives until the function returns.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Plugin {
    pub(super) fn new(number: usize) -> Plugin {
        Plugin(without_provenance(number))
    }

    pub(super) fn callsite(&self, kind: u32, name: &str, fields: &[&str]) -> CallsiteRef {
        let fields: Vec<RStr<'_>> = fields.iter().copied().map(RStr::from_str).collect();
        let view = CallsiteView {
            kind,
            level: level::INFO,
            name: RStr::from_str(name),
            target: RStr::from_str("plugin"),
            module_path: ROption::RNone,
            file: ROption::RNone,
            line: ROption::RNone,
            fields: RSlice::from_slice(&fields),
        };
        unsafe { (TABLE.callsite)(self.0, &view) }
    }

    pub(super) fn span(&self, name: &str, parent: Parent) -> SpanId {
        let callsite = self.callsite(kind::SPAN, name, &["x"]);
        unsafe { (TABLE.new_span)(self.0, callsite, parent, RSlice::from_slice(&[])) }
    }

    pub(super) fn event(&self, name: &str, parent: Parent, values: &[FieldValue<'_>]) {
        let names: Vec<String> = (0..values.len()).map(|index| format!("f{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let callsite = self.callsite(kind::EVENT, name, &names);
        let views = values.iter().zip(0..).map(|(value, index)| FieldView {
            index,
            value: *value,
        });
        // The callsite has no such field, so the value is left out.
        let beyond = FieldView {
            index: 99,
            value: FieldValue::Bool(true),
        };
        let values: Vec<FieldView<'_>> = views.chain([beyond]).collect();
        unsafe { (TABLE.event)(self.0, callsite, parent, RSlice::from_slice(&values)) }
    }

    pub(super) fn record(&self, span: SpanId, value: i64) {
        let values = [FieldView {
            index: 0,
            value: FieldValue::I64(value),
        }];
        unsafe { (TABLE.record)(self.0, span, RSlice::from_slice(&values)) }
    }

    pub(super) fn enter(&self, span: SpanId) {
        unsafe { (TABLE.enter)(self.0, span) }
    }

    pub(super) fn exit(&self, span: SpanId) {
        unsafe { (TABLE.exit)(self.0, span) }
    }

    pub(super) fn clone(&self, span: SpanId) -> SpanId {
        unsafe { (TABLE.clone_span)(self.0, span) }
    }

    pub(super) fn close(&self, span: SpanId) -> bool {
        unsafe { (TABLE.close_span)(self.0, span) }
    }

    /// Returns the current span and its name.
    pub(super) fn current(&self) -> Option<(SpanId, String)> {
        unsafe extern "C" fn give(
            to: *mut (),
            span: SpanId,
            _: CallsiteRef,
            view: &CallsiteView<'static>,
        ) {
            // SAFETY: `to` leads to the option below.
            unsafe { *to.cast() = Some((span, view.name.to_string())) }
        }
        let mut current = None;
        let receiver = SpanReceiver {
            context: (&raw mut current).cast(),
            give,
        };
        unsafe { (TABLE.current_span)(self.0, receiver) }
        current
    }
}
