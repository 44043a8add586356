//! The plugin's subscriber.
use super::table::{CallsiteRef, CallsiteView, Parent, SpanId, SpanReceiver, interest, level};
use super::values::Values;
use super::{Link, callsites, link};
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
fn with<R>(span: &Id, run: impl FnOnce(Link, SpanId) -> R) -> Option<R> {
    let span = SpanId(span.into_u64());
    let host = link().filter(|_| span != SpanId::NONE)?;
    Some(run(host, span))
}

fn parent(explicit: Option<&Id>, root: bool) -> Parent {
    match explicit {
        Some(span) => Parent::Explicit(SpanId(span.into_u64())),
        None if root => Parent::Root,
        None => Parent::Current,
    }
}

// SAFETY, for all calls of the host below: the host gave the token together with the table, it made the callsite, and
// what is borrowed lives until the function returns.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Subscriber for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let Some(host) = link() else {
            return Interest::never();
        };
        let callsite = callsites::to_host(host, metadata);
        match unsafe { (host.table.interest)(host.token, callsite) } {
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
        let Some(host) = link() else { return false };
        unsafe { (host.table.enabled)(host.token, callsites::to_host_of_any(host, metadata)) }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let Some(host) = link() else {
            return id(SpanId::NONE);
        };
        let callsite = callsites::to_host(host, span.metadata());
        let mut values = Values::default();
        span.record(&mut values);
        let parent = parent(span.parent(), span.is_root());
        id(values
            .show(|views| unsafe { (host.table.new_span)(host.token, callsite, parent, views) }))
    }

    fn record(&self, span: &Id, record: &Record<'_>) {
        with(span, |host, span| {
            let mut values = Values::default();
            record.record(&mut values);
            values.show(|views| unsafe { (host.table.record)(host.token, span, views) });
        });
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        let follows = SpanId(follows.into_u64());
        with(span, |host, span| unsafe {
            (host.table.follows_from)(host.token, span, follows)
        });
    }

    fn event(&self, event: &Event<'_>) {
        let Some(host) = link() else { return };
        let callsite = callsites::to_host(host, event.metadata());
        let mut values = Values::default();
        event.record(&mut values);
        let parent = parent(event.parent(), event.is_root());
        values.show(|views| unsafe { (host.table.event)(host.token, callsite, parent, views) });
    }

    fn enter(&self, span: &Id) {
        with(span, |host, span| unsafe {
            (host.table.enter)(host.token, span)
        });
    }

    fn exit(&self, span: &Id) {
        with(span, |host, span| unsafe {
            (host.table.exit)(host.token, span)
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        let clone = with(span, |host, span| unsafe {
            (host.table.clone_span)(host.token, span)
        });
        clone.map_or_else(|| span.clone(), id)
    }

    fn try_close(&self, span: Id) -> bool {
        with(&span, |host, span| unsafe {
            (host.table.close_span)(host.token, span)
        })
        .unwrap_or(false)
    }

    fn current_span(&self) -> Current {
        let mut current = Current::none();
        if let Some(host) = link() {
            let receiver = SpanReceiver {
                context: (&raw mut current).cast(),
                give,
            };
            unsafe { (host.table.current_span)(host.token, receiver) }
        }
        current
    }
}

/// # Safety
/// `context` is the `Current` of a [`Forward::current_span`] that is running.
unsafe extern "C" fn give(
    context: *mut (),
    span: SpanId,
    callsite: CallsiteRef,
    view: &CallsiteView<'static>,
) {
    let current = Current::new(id(span), callsites::from_host(callsite, view));
    // SAFETY: the caller guarantees that `context` is a `Current`, which `current_span` reads later.
    unsafe { *context.cast::<Current>() = current }
}
