//! The plugin's subscriber.
use super::callsites;
use super::table::{Parent, SpanId, interest, level};
use super::values::Values;
use crate::host::{Host, any_host};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::{Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber};

static LEVEL: AtomicU32 = AtomicU32::new(level::OFF);

static INSTALLED: AtomicBool = AtomicBool::new(false);

struct Forward;

pub(super) fn install() {
    // A constructor of the library may have set a subscriber of its own. That one stays.
    let _ = tracing_core::dispatcher::set_global_default(Dispatch::new(Forward));
    INSTALLED.store(true, Relaxed);
}

pub(super) fn set_level(trace: u32) {
    if !INSTALLED.load(Relaxed) {
        return;
    }
    LEVEL.store(trace, Relaxed);
    tracing_core::callsite::rebuild_interest_cache();
}

fn id(span: SpanId) -> Id {
    NonZeroU64::new(span.0).map_or(Id::from_u64(SpanId::NONE.0), Id::from_non_zero_u64)
}

/// Passes a span to the host, unless the host did not want it when it was made.
fn with<R>(span: &Id, run: impl FnOnce(Host, SpanId) -> R) -> Option<R> {
    let span = SpanId(span.into_u64());
    let host = any_host().filter(|_| span != SpanId::NONE)?;
    Some(run(host, span))
}

fn parent(explicit: Option<&Id>, root: bool) -> Parent {
    match explicit {
        Some(span) => Parent::Explicit(SpanId(span.into_u64())),
        None if root => Parent::Root,
        None => Parent::Current,
    }
}

impl Subscriber for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let Some(host) = any_host() else {
            return Interest::never();
        };
        let callsite = callsites::to_host(host, metadata);
        match host.interest(callsite) {
            interest::NEVER => Interest::never(),
            interest::ALWAYS => Interest::always(),
            _ => Interest::sometimes(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match LEVEL.load(Relaxed) {
            level::OFF => LevelFilter::OFF,
            level::ERROR => LevelFilter::ERROR,
            level::WARN => LevelFilter::WARN,
            level::INFO => LevelFilter::INFO,
            level::DEBUG => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let Some(host) = any_host() else { return false };
        host.enabled(callsites::to_host_of_any(host, metadata))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let Some(host) = any_host() else {
            return id(SpanId::NONE);
        };
        let callsite = callsites::to_host(host, span.metadata());
        let mut values = Values::default();
        span.record(&mut values);
        let parent = parent(span.parent(), span.is_root());
        id(values.show(|views| host.new_span(callsite, parent, views)))
    }

    fn record(&self, span: &Id, record: &Record<'_>) {
        with(span, |host, span| {
            let mut values = Values::default();
            record.record(&mut values);
            values.show(|views| host.record(span, views));
        });
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        let follows = SpanId(follows.into_u64());
        with(span, |host, span| host.follows_from(span, follows));
    }

    fn event(&self, event: &Event<'_>) {
        let Some(host) = any_host() else { return };
        let callsite = callsites::to_host(host, event.metadata());
        let mut values = Values::default();
        event.record(&mut values);
        let parent = parent(event.parent(), event.is_root());
        values.show(|views| host.event(callsite, parent, views));
    }

    fn enter(&self, span: &Id) {
        with(span, Host::enter);
    }

    fn exit(&self, span: &Id) {
        with(span, Host::exit);
    }

    fn clone_span(&self, span: &Id) -> Id {
        with(span, Host::clone_span).map_or_else(|| span.clone(), id)
    }

    fn try_close(&self, span: Id) -> bool {
        with(&span, Host::close_span).unwrap_or(false)
    }

    fn current_span(&self) -> Current {
        let mut current = Current::none();
        if let Some(host) = any_host() {
            host.current_span(|span, callsite, view| {
                current = Current::new(id(span), callsites::from_host(callsite, view));
            });
        }
        current
    }
}
