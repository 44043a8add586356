//! The spans that plugins have open.
//!
//! A span lives in the subscriber that opened it, which need not be the current one when it is entered or closed. So
//! each span is kept here with its own subscriber. A plugin names a span by the subscriber's number for it or, if spans
//! of two subscribers have the same number, by another one. A number that is not found here has no effect, so a plugin
//! cannot close a span that it does not hold.
use super::contain::contain;
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::telemetry::table::SpanId;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing_core::span::Id;
use tracing_core::{Dispatch, Metadata};

/// A span that a plugin holds.
#[derive(Clone)]
pub(super) struct Open {
    /// The subscriber that opened it.
    pub(super) dispatch: Dispatch,
    /// The subscriber's id for it.
    pub(super) id: Id,
    /// The metadata with which it was opened.
    pub(super) metadata: &'static Metadata<'static>,
}

struct Held {
    open: Open,
    /// The number of times that the plugin will close it.
    users: usize,
    /// The address of the plugin's token.
    owner: usize,
}

const SHARDS: usize = 16;
static SPANS: [Mutex<BTreeMap<u64, Held>>; SHARDS] =
    [const { Mutex::new(BTreeMap::new()) }; SHARDS];

fn shard(span: SpanId) -> MutexGuard<'static, BTreeMap<u64, Held>> {
    lock(&SPANS[(span.0 % SHARDS as u64) as usize])
}

fn lock(shard: &Mutex<BTreeMap<u64, Held>>) -> MutexGuard<'_, BTreeMap<u64, Held>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a span that has one user.
pub(super) fn keep(token: Token, open: Open) -> SpanId {
    /// The first of the names that no subscriber is likely to use.
    static OTHER: AtomicU64 = AtomicU64::new(0xF000_0000_0000_0000);
    let mut name = SpanId(open.id.into_u64());
    loop {
        let mut spans = shard(name);
        if name != SpanId::NONE && !spans.contains_key(&name.0) {
            spans.insert(
                name.0,
                Held {
                    open,
                    users: 1,
                    owner: token.addr(),
                },
            );
            return name;
        }
        name = SpanId(OTHER.fetch_add(1, Relaxed));
    }
}

/// Returns the span with this name.
pub(super) fn find(span: SpanId) -> Option<Open> {
    shard(span).get(&span.0).map(|held| held.open.clone())
}

/// Returns the number by which a subscriber knows the span. It is the name itself for a span that no plugin holds.
pub(super) fn id(span: SpanId) -> Option<Id> {
    match find(span) {
        Some(open) => Some(open.id),
        None => NonZeroU64::new(span.0).map(Id::from_non_zero_u64),
    }
}

/// Counts one more user.
pub(super) fn clone(token: Token, span: SpanId) -> SpanId {
    let Some(open) = find(span).or_else(|| current(span)) else {
        return SpanId::NONE;
    };
    // No lock is held here, because a subscriber may do anything.
    let id = open.dispatch.clone_span(&open.id);
    if let Some(held) = shard(span)
        .get_mut(&span.0)
        .filter(|held| held.open.id == id)
    {
        held.users += 1;
        return span;
    }
    keep(token, Open { id, ..open })
}

/// Returns the host's own span with this number if it is the current one. A plugin clones it in `Span::current()`.
fn current(span: SpanId) -> Option<Open> {
    tracing_core::dispatcher::get_default(|dispatch| {
        let (id, metadata) = dispatch.current_span().into_inner()?;
        (id.into_u64() == span.0).then(|| Open {
            dispatch: dispatch.clone(),
            id,
            metadata,
        })
    })
}

/// Counts one user less. Returns true if the span is now closed.
pub(super) fn close(span: SpanId) -> bool {
    let mut spans = shard(span);
    let Some(held) = spans.get_mut(&span.0) else {
        return false;
    };
    held.users -= 1;
    let open = held.open.clone();
    if held.users == 0 {
        spans.remove(&span.0);
    }
    drop(spans);
    open.dispatch.try_close(open.id)
}

/// Closes the spans that a plugin left open. Called when its code can no longer run.
pub(crate) fn close_all_of(token: Token) {
    for shard in &SPANS {
        let mut left = Vec::new();
        lock(shard).retain(|_, held| {
            let keep = held.owner != token.addr();
            if !keep {
                left.push((held.open.clone(), held.users));
            }
            keep
        });
        for (open, users) in left {
            for _ in 0..users {
                contain(false, || open.dispatch.try_close(open.id.clone()));
            }
        }
    }
}
