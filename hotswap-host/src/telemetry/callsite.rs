//! The host's callsites for those of plugins.
//!
//! Subscribers keep the `&'static Metadata` of events and spans, so a plugin's own metadata must never reach them. Each
//! distinct content gets one copy in the host's memory, which stays. Reloading the same code adds nothing; code that
//! moved to other lines does.
use super::levels;
use abi_stable::std_types::{ROption, RSlice, RStr};
use hotswap_plugin::telemetry::table::{CallsiteRef, CallsiteView, interest, kind, level};
use std::collections::HashMap;
use std::ptr::without_provenance;
use std::sync::atomic::{AtomicU32, Ordering::*};
use std::sync::{LazyLock, Once, OnceLock, PoisonError, RwLock};
use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::{Interest, Kind, Level, LevelFilter, Metadata, dispatcher};

const UNKNOWN: u32 = u32::MAX;

/// One callsite.
pub(super) struct HostCallsite {
    number: usize,
    /// The last answer of the subscribers.
    interest: AtomicU32,
    registered: Once,
    /// This is set before the callsite is given to any subscriber or plugin.
    content: OnceLock<(Metadata<'static>, CallsiteView<'static>)>,
}

static CALLSITES: LazyLock<RwLock<HashMap<CallsiteView<'static>, &'static HostCallsite>>> =
    LazyLock::new(RwLock::default);

/// All callsites by their numbers, in chunks, each of which is twice as long as the one before it.
static BY_NUMBER: [OnceLock<Box<[OnceLock<&'static HostCallsite>]>>; CHUNKS] =
    [const { OnceLock::new() }; CHUNKS];
const CHUNKS: usize = 24;
const FIRST_CHUNK: usize = 64;

/// Returns the place of the callsite with this number, if there can be one.
fn place(number: usize) -> Option<(usize, usize)> {
    let at = number.checked_add(FIRST_CHUNK)?;
    let chunk = (at.ilog2() - FIRST_CHUNK.ilog2()) as usize;
    (chunk < CHUNKS).then(|| (chunk, at - (FIRST_CHUNK << chunk)))
}

/// Returns the callsite with this content, which may not be known to subscribers yet. Returns `None` if the content is
/// invalid.
pub(super) fn intern(view: &CallsiteView<'_>) -> Option<&'static HostCallsite> {
    fn find(
        known: &HashMap<CallsiteView<'_>, &'static HostCallsite>,
        view: &CallsiteView<'_>,
    ) -> Option<&'static HostCallsite> {
        known.get(view).copied()
    }
    if let Some(found) = find(
        &CALLSITES.read().unwrap_or_else(PoisonError::into_inner),
        view,
    ) {
        return Some(found);
    }
    let mut callsites = CALLSITES.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = find(&callsites, view) {
        return Some(found);
    }
    let callsite = HostCallsite::leak(view, callsites.len())?;
    callsites.insert(*callsite.view(), callsite);
    Some(callsite)
}

/// Returns the view of metadata of the host's own.
pub(super) fn view_of<'a>(metadata: &Metadata<'a>, names: &'a [RStr<'a>]) -> CallsiteView<'a> {
    CallsiteView {
        kind: match (metadata.is_event(), metadata.is_span()) {
            (true, _) => kind::EVENT,
            (_, true) => kind::SPAN,
            _ => kind::HINT,
        },
        level: match *metadata.level() {
            Level::ERROR => level::ERROR,
            Level::WARN => level::WARN,
            Level::INFO => level::INFO,
            Level::DEBUG => level::DEBUG,
            Level::TRACE => level::TRACE,
        },
        name: RStr::from_str(metadata.name()),
        target: RStr::from_str(metadata.target()),
        module_path: metadata.module_path().map(RStr::from_str).into(),
        file: metadata.file().map(RStr::from_str).into(),
        line: metadata.line().into(),
        fields: RSlice::from_slice(names),
    }
}

fn leak(text: RStr<'_>) -> &'static str {
    String::leak(text.as_str().to_owned())
}

fn leak_option(text: ROption<RStr<'_>>) -> Option<&'static str> {
    text.into_option().map(leak)
}

impl HostCallsite {
    fn leak(view: &CallsiteView<'_>, number: usize) -> Option<&'static HostCallsite> {
        let (chunk, at) = place(number)?;
        let kind = match view.kind {
            kind::HINT => Kind::HINT,
            kind::EVENT => Kind::EVENT,
            kind::SPAN => Kind::SPAN,
            _ => return None,
        };
        let level = match view.level {
            level::ERROR => Level::ERROR,
            level::WARN => Level::WARN,
            level::INFO => Level::INFO,
            level::DEBUG => Level::DEBUG,
            level::TRACE => Level::TRACE,
            _ => return None,
        };
        let names: Vec<&'static str> = view.fields.iter().map(|name| leak(*name)).collect();
        let views: Vec<RStr<'static>> = names.iter().copied().map(RStr::from_str).collect();
        let callsite: &'static HostCallsite = Box::leak(Box::new(HostCallsite {
            number,
            interest: AtomicU32::new(UNKNOWN),
            registered: Once::new(),
            content: OnceLock::new(),
        }));
        callsite.content.get_or_init(|| {
            let metadata = Metadata::new(
                leak(view.name),
                leak(view.target),
                level,
                leak_option(view.file),
                view.line.into_option(),
                leak_option(view.module_path),
                FieldSet::new(names.leak(), Identifier(callsite)),
                kind,
            );
            let view = view_of(&metadata, views.leak());
            (metadata, view)
        });
        let chunk = BY_NUMBER[chunk]
            .get_or_init(|| (0..FIRST_CHUNK << chunk).map(|_| OnceLock::new()).collect());
        let _ = chunk[at].set(callsite);
        Some(callsite)
    }

    fn content(&self) -> &(Metadata<'static>, CallsiteView<'static>) {
        self.content
            .get()
            .expect("the content is set before the callsite is given out")
    }

    /// The metadata that subscribers keep.
    pub(super) fn metadata(&'static self) -> &'static Metadata<'static> {
        &self.content().0
    }

    /// The same content, as plugins see it.
    pub(super) fn view(&'static self) -> &'static CallsiteView<'static> {
        &self.content().1
    }

    /// Returns the handle by which a plugin names the callsite: its number, counted from 1.
    pub(super) fn handle(&'static self) -> CallsiteRef {
        CallsiteRef(without_provenance(self.number + 1))
    }

    /// Returns the callsite of a handle, or `None` if the handle is null or names none.
    pub(super) fn of(handle: CallsiteRef) -> Option<&'static HostCallsite> {
        let (chunk, at) = place(handle.0.addr().checked_sub(1)?)?;
        BY_NUMBER[chunk].get()?.get(at)?.get().copied()
    }

    /// Registers the callsite with the subscribers, unless they know it already.
    pub(super) fn register(&'static self) {
        self.registered.call_once(|| callsite::register(self));
    }

    /// The interest of the subscribers, as a number of [`interest`].
    pub(super) fn interest(&self) -> u32 {
        match self.interest.load(Acquire) {
            UNKNOWN => interest::SOMETIMES,
            known => known,
        }
    }

    /// Returns true if a subscriber may be interested in an event or span that is made now.
    pub(super) fn wanted(&'static self) -> bool {
        *self.metadata().level() <= LevelFilter::current() && self.interest() != interest::NEVER
    }

    /// Returns true if the current subscriber is interested in the event or span that is about to be made.
    pub(super) fn enabled(&'static self) -> bool {
        let ask = || dispatcher::get_default(|current| current.enabled(self.metadata()));
        self.wanted() && (self.interest() == interest::ALWAYS || ask())
    }
}

impl Callsite for HostCallsite {
    fn set_interest(&self, interest: Interest) {
        let now = match () {
            _ if interest.is_never() => interest::NEVER,
            _ if interest.is_always() => interest::ALWAYS,
            _ => interest::SOMETIMES,
        };
        let before = self.interest.swap(now, AcqRel);
        if before != now && before != UNKNOWN {
            levels::interest_changed();
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        &self.content().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view<'a>(name: &'a str, fields: &'a [RStr<'a>]) -> CallsiteView<'a> {
        CallsiteView {
            kind: kind::SPAN,
            level: level::INFO,
            name: RStr::from_str(name),
            target: RStr::from_str("interned"),
            module_path: ROption::RNone,
            file: ROption::RSome(RStr::from_str("src/lib.rs")),
            line: ROption::RSome(7),
            fields: RSlice::from_slice(fields),
        }
    }

    #[test]
    fn equal_content_is_one_metadata() {
        let first = intern(&view("one", &[RStr::from_str("a")])).unwrap();
        let copy = (String::from("one"), [String::from("a")]);
        let fields = [RStr::from_str(&copy.1[0])];
        let second = intern(&view(&copy.0, &fields)).unwrap();
        assert!(std::ptr::eq(first.metadata(), second.metadata()));
    }

    #[test]
    fn distinct_contents_are_distinct_metadata() {
        let names: Vec<String> = (0..100).map(|i| format!("span {i}")).collect();
        let mut contents: Vec<CallsiteView<'_>> =
            names.iter().map(|name| view(name, &[])).collect();
        let fields = [RStr::from_str("a")];
        contents.push(view("span 0", &fields));
        contents.push(CallsiteView {
            line: ROption::RSome(8),
            ..view("span 0", &[])
        });
        contents.push(CallsiteView {
            level: level::WARN,
            ..view("span 0", &[])
        });
        contents.push(CallsiteView {
            kind: kind::EVENT,
            ..view("span 0", &[])
        });
        let mut found: Vec<*const ()> = contents
            .iter()
            .map(|view| intern(view).unwrap().handle().0)
            .collect();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), contents.len());
    }

    #[test]
    fn a_handle_names_its_callsite_and_no_other_number_names_any() {
        let names: Vec<String> = (0..100).map(|i| format!("numbered {i}")).collect();
        for name in &names {
            let callsite = intern(&view(name, &[])).unwrap();
            let found = HostCallsite::of(callsite.handle()).unwrap();
            assert!(std::ptr::eq(found, callsite));
        }
        for number in [0, 1 << 20, usize::MAX - 1, usize::MAX] {
            assert!(HostCallsite::of(CallsiteRef(without_provenance(number))).is_none());
        }
    }

    #[test]
    fn the_copy_has_the_same_content() {
        let fields = [RStr::from_str("a"), RStr::from_str("b")];
        let metadata = intern(&view("whole", &fields)).unwrap().metadata();
        assert_eq!(metadata.name(), "whole");
        assert_eq!(metadata.target(), "interned");
        assert_eq!(*metadata.level(), Level::INFO);
        assert_eq!(
            (metadata.file(), metadata.line()),
            (Some("src/lib.rs"), Some(7))
        );
        assert_eq!(metadata.module_path(), None);
        assert!(metadata.is_span());
        let names: Vec<&str> = metadata.fields().iter().map(|field| field.name()).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn content_without_meaning_is_refused() {
        assert!(
            intern(&CallsiteView {
                level: 9,
                ..view("refused", &[])
            })
            .is_none()
        );
        assert!(
            intern(&CallsiteView {
                kind: 9,
                ..view("refused", &[])
            })
            .is_none()
        );
    }
}
