//! Passes events and spans of plugins to the host's subscribers.
//!
//! Each function does what the macros of `tracing` and its `Span` would do in the host, in the same order. A subscriber
//! with a filter for each layer depends on this.
use super::callsite::{self, HostCallsite};
use super::contain::contain;
use super::spans::{self, Open};
use super::values;
use crate::requests;
use abi_stable::std_types::{RSlice, RStr};
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::telemetry::table::{
    CallsiteRef, CallsiteView, FieldView, Parent, SpanId, SpanReceiver, interest,
};
use std::ptr::null;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::NoSubscriber;
use tracing_core::{Event, dispatcher};

pub(super) extern "C" fn callsite(_: Token, view: &CallsiteView<'_>) -> CallsiteRef {
    contain(CallsiteRef(null()), || {
        callsite::intern(view).map_or(CallsiteRef(null()), |callsite| {
            callsite.register();
            callsite.handle()
        })
    })
}

pub(super) extern "C" fn interest(_: Token, callsite: CallsiteRef) -> u32 {
    HostCallsite::of(callsite).map_or(interest::NEVER, HostCallsite::interest)
}

pub(super) extern "C" fn enabled(_: Token, callsite: CallsiteRef) -> bool {
    let callsite = HostCallsite::of(callsite);
    contain(false, || callsite.is_some_and(HostCallsite::enabled))
}

pub(super) extern "C" fn event(
    _: Token,
    callsite: CallsiteRef,
    parent: Parent,
    fields: RSlice<'_, FieldView<'_>>,
) {
    let Some(callsite) = HostCallsite::of(callsite) else {
        return;
    };
    contain((), || {
        // The plugin may not know yet that the host has become less verbose.
        if !callsite.wanted() {
            return;
        }
        let metadata = callsite.metadata();
        values::show(metadata, fields, |values| match parent {
            Parent::Current => Event::dispatch(metadata, values),
            Parent::Root => Event::child_of(None, metadata, values),
            Parent::Explicit(span) => Event::child_of(spans::id(span), metadata, values),
        });
    });
}

pub(super) extern "C" fn new_span(
    token: Token,
    callsite: CallsiteRef,
    parent: Parent,
    fields: RSlice<'_, FieldView<'_>>,
) -> SpanId {
    let Some(callsite) = HostCallsite::of(callsite) else {
        return SpanId::NONE;
    };
    contain(SpanId::NONE, || {
        if !callsite.wanted() {
            return SpanId::NONE;
        }
        let metadata = callsite.metadata();
        values::show(metadata, fields, |values| {
            let explicit = match parent {
                Parent::Explicit(span) => spans::id(span),
                _ => None,
            };
            let attributes = match (parent, explicit) {
                (Parent::Current, _) => Attributes::new(metadata, values),
                (_, Some(parent)) => Attributes::child_of(parent, metadata, values),
                _ => Attributes::new_root(metadata, values),
            };
            dispatcher::get_default(|dispatch| {
                if dispatch.is::<NoSubscriber>() {
                    return SpanId::NONE;
                }
                let id = dispatch.new_span(&attributes);
                spans::keep(
                    token,
                    Open {
                        dispatch: dispatch.clone(),
                        id,
                        metadata,
                    },
                )
            })
        })
    })
}

pub(super) extern "C" fn record(_: Token, span: SpanId, fields: RSlice<'_, FieldView<'_>>) {
    contain((), || {
        let Some(Open {
            dispatch,
            id,
            metadata,
        }) = spans::find(span)
        else {
            return;
        };
        values::show(metadata, fields, |values| {
            dispatch.record(&id, &Record::new(values))
        });
    });
}

/// Runs something on a plugin's span, in the subscriber that opened it.
fn with(span: SpanId, run: impl FnOnce(&Open)) {
    contain((), || {
        if let Some(open) = spans::find(span) {
            run(&open);
        }
    });
}

pub(super) extern "C" fn follows_from(_: Token, span: SpanId, follows: SpanId) {
    with(span, |open| {
        if let Some(follows) = spans::id(follows) {
            open.dispatch.record_follows_from(&open.id, &follows);
        }
    });
}

pub(super) extern "C" fn enter(_: Token, span: SpanId) {
    with(span, |open| open.dispatch.enter(&open.id));
}

pub(super) extern "C" fn exit(_: Token, span: SpanId) {
    with(span, |open| open.dispatch.exit(&open.id));
}

pub(super) extern "C" fn clone_span(token: Token, span: SpanId) -> SpanId {
    contain(SpanId::NONE, || spans::clone(token, span))
}

pub(super) extern "C" fn close_span(_: Token, span: SpanId) -> bool {
    contain(false, || spans::close(span))
}

pub(super) extern "C" fn current_span(_: Token, receiver: SpanReceiver) {
    contain((), || {
        let current = dispatcher::get_default(|dispatch| dispatch.current_span().into_inner());
        let Some((id, metadata)) = current else {
            return;
        };
        let span = SpanId(Id::into_u64(&id));
        // A plugin's span of another subscriber may have the same number, and the plugin would mean that one.
        if spans::find(span).is_some_and(|held| !std::ptr::eq(held.metadata, metadata)) {
            return;
        }
        let names: Vec<RStr<'static>> = metadata
            .fields()
            .iter()
            .map(|field| RStr::from_str(field.name()))
            .collect();
        let Some(callsite) = callsite::intern(&callsite::view_of(metadata, &names)) else {
            return;
        };
        requests::give_span(receiver, span, callsite.handle(), callsite.view());
    });
}
