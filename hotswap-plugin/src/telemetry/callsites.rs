//! The mapping between callsites of the host and metadata of the plugin, in both directions.
use super::memo::Memo;
use super::table::{CallsiteRef, CallsiteView, kind, level};
use crate::host::Host;
use abi_stable::std_types::{RSlice, RStr};
use std::sync::OnceLock;
use tracing_core::callsite::{Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::{Interest, Kind, Level, Metadata};

/// Maps the address of a metadata of this library to a [`CallsiteRef`].
static TO_HOST: Memo<usize> = Memo::new();
/// Maps a [`CallsiteRef`] to a metadata of this library.
static FROM_HOST: Memo<&'static Metadata<'static>> = Memo::new();

const fn number(of: &Level) -> u32 {
    match *of {
        Level::ERROR => level::ERROR,
        Level::WARN => level::WARN,
        Level::INFO => level::INFO,
        Level::DEBUG => level::DEBUG,
        Level::TRACE => level::TRACE,
    }
}

/// Returns the host's callsite for a metadata of this library.
pub(super) fn to_host(host: Host, metadata: &'static Metadata<'static>) -> CallsiteRef {
    let key = (&raw const *metadata).addr();
    if let Some(known) = TO_HOST.get(key) {
        return CallsiteRef(std::ptr::with_exposed_provenance(known));
    }
    let callsite = ask(host, metadata);
    let value = callsite.0.expose_provenance();
    if value != 0 {
        TO_HOST.insert(key, value);
        if metadata.is_span() {
            FROM_HOST.insert(value, metadata);
        }
    }
    callsite
}

/// Returns the host's callsite for a metadata that may live shorter than the library. Bridges between `tracing` and
/// other facades make such a metadata for each record.
pub(super) fn to_host_of_any(host: Host, metadata: &Metadata<'_>) -> CallsiteRef {
    let registered: &'static Metadata<'static> = metadata.callsite().0.metadata();
    if std::ptr::eq(registered, metadata) {
        to_host(host, registered)
    } else {
        ask(host, metadata)
    }
}

fn ask(host: Host, metadata: &Metadata<'_>) -> CallsiteRef {
    let fields: Vec<RStr<'_>> = metadata
        .fields()
        .iter()
        .map(|field| RStr::from_str(field.name()))
        .collect();
    let view = CallsiteView {
        kind: match (metadata.is_event(), metadata.is_span()) {
            (true, _) => kind::EVENT,
            (_, true) => kind::SPAN,
            _ => kind::HINT,
        },
        level: number(metadata.level()),
        name: RStr::from_str(metadata.name()),
        target: RStr::from_str(metadata.target()),
        module_path: metadata.module_path().map(RStr::from_str).into(),
        file: metadata.file().map(RStr::from_str).into(),
        line: metadata.line().into(),
        fields: RSlice::from_slice(&fields),
    };
    host.callsite(&view)
}

/// Returns a metadata of this library for a callsite of the host. For a span of the plugin, it is the plugin's own,
/// otherwise a copy.
///
/// The copies are never freed. There is one for each span of the host in which the plugin asked for the current span.
pub(super) fn from_host(
    callsite: CallsiteRef,
    view: &CallsiteView<'static>,
) -> &'static Metadata<'static> {
    let key = callsite.0.addr();
    if FROM_HOST.get(key).is_none() {
        FROM_HOST.insert(key, copy(view));
    }
    FROM_HOST.get(key).unwrap_or_else(|| copy(view))
}

/// The callsite of a copy. It is not registered: the span exists already, so no subscriber is asked about it.
struct Copied(OnceLock<Metadata<'static>>);

impl Callsite for Copied {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0
            .get()
            .expect("set before the callsite is known to anyone")
    }
}

fn copy(view: &CallsiteView<'static>) -> &'static Metadata<'static> {
    let names: Vec<&'static str> = view.fields.as_slice().iter().map(RStr::as_str).collect();
    let callsite: &'static Copied = Box::leak(Box::new(Copied(OnceLock::new())));
    callsite.0.get_or_init(|| {
        Metadata::new(
            view.name.as_str(),
            view.target.as_str(),
            match view.level {
                level::ERROR => Level::ERROR,
                level::WARN => Level::WARN,
                level::INFO => Level::INFO,
                level::DEBUG => Level::DEBUG,
                _ => Level::TRACE,
            },
            view.file.into_option().map(|file| file.as_str()),
            view.line.into_option(),
            view.module_path.into_option().map(|path| path.as_str()),
            FieldSet::new(Box::leak(names.into_boxed_slice()), Identifier(callsite)),
            Kind::SPAN,
        )
    })
}
