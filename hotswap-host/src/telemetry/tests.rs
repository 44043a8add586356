//! The functions that a plugin calls, called as a plugin does, with subscribers that write down what they see.
use super::{TABLE, close_all_of, lost};
use abi_stable::std_types::{ROption, RSlice, RStr};
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::telemetry::table::{
    CallsiteRef, CallsiteView, FieldValue, FieldView, Parent, SpanId, SpanReceiver, interest, kind,
    level,
};
use std::error::Error;
use std::fmt::{Debug, Write};
use std::ptr::without_provenance;
use std::sync::{Arc, Mutex};
use tracing::subscriber::with_default;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};

/// Writes down one line for each thing that happens. Its spans are `base` + 1, + 2, …, and are written as 1, 2, ….
#[derive(Clone)]
struct Recorder {
    base: u64,
    recorded: Arc<Mutex<Recorded>>,
}

#[derive(Default)]
struct Recorded {
    lines: Vec<String>,
    spans: Vec<&'static Metadata<'static>>,
    entered: Vec<Id>,
}

impl Recorder {
    /// Tests run at once, so each has its own numbers.
    fn new(base: u64) -> Recorder {
        Recorder {
            base,
            recorded: Arc::default(),
        }
    }

    fn short(&self, span: &Id) -> u64 {
        span.into_u64() - self.base
    }

    fn parent(&self, explicit: Option<&Id>, contextual: bool) -> String {
        match explicit {
            Some(id) => format!("in {}", self.short(id)),
            None if contextual => "in current".into(),
            None => "in none".into(),
        }
    }

    fn write(&self, line: String) {
        self.recorded.lock().unwrap().lines.push(line);
    }

    /// The lines since the last time.
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.recorded.lock().unwrap().lines)
    }
}

struct Line(String);

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let _ = write!(self.0, " {field}=f64:{value}");
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        let _ = write!(self.0, " {field}=i64:{value}");
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        let _ = write!(self.0, " {field}=u64:{value}");
    }
    fn record_i128(&mut self, field: &Field, value: i128) {
        let _ = write!(self.0, " {field}=i128:{value}");
    }
    fn record_u128(&mut self, field: &Field, value: u128) {
        let _ = write!(self.0, " {field}=u128:{value}");
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        let _ = write!(self.0, " {field}=bool:{value}");
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}=str:{value}");
    }
    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let _ = write!(self.0, " {field}=bytes:{value:?}");
    }
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let source = value.source().map(ToString::to_string);
        let _ = write!(self.0, " {field}=error:{value} from {source:?}");
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}=debug:{value:?}");
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut recorded = self.recorded.lock().unwrap();
        recorded.spans.push(span.metadata());
        let id = recorded.spans.len();
        drop(recorded);
        let parent = self.parent(span.parent(), span.is_contextual());
        let mut line = Line(format!("new {id} {} {parent}", span.metadata().name()));
        span.record(&mut line);
        self.write(line.0);
        Id::from_u64(self.base + id as u64)
    }
    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut line = Line(format!("record {}", self.short(span)));
        values.record(&mut line);
        self.write(line.0);
    }
    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.write(format!(
            "{} follows {}",
            self.short(span),
            self.short(follows)
        ));
    }
    fn event(&self, event: &Event<'_>) {
        let parent = self.parent(event.parent(), event.is_contextual());
        let mut line = Line(format!("event {} {parent}", event.metadata().name()));
        event.record(&mut line);
        self.write(line.0);
    }
    fn enter(&self, span: &Id) {
        self.recorded.lock().unwrap().entered.push(span.clone());
        self.write(format!("enter {}", self.short(span)));
    }
    fn exit(&self, span: &Id) {
        self.recorded
            .lock()
            .unwrap()
            .entered
            .retain(|id| id != span);
        self.write(format!("exit {}", self.short(span)));
    }
    fn clone_span(&self, span: &Id) -> Id {
        self.write(format!("clone {}", self.short(span)));
        span.clone()
    }
    fn try_close(&self, span: Id) -> bool {
        self.write(format!("close {}", self.short(&span)));
        true
    }
    fn current_span(&self) -> Current {
        let recorded = self.recorded.lock().unwrap();
        recorded.entered.last().map_or(Current::none(), |id| {
            Current::new(id.clone(), recorded.spans[self.short(id) as usize - 1])
        })
    }
}

/// A plugin, as the table knows one.
struct Plugin(Token);

// SAFETY, for all calls of the table below: the token is only compared, callsites are those that the table gave, and
// what is borrowed lives until the function returns.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Plugin {
    fn new(number: usize) -> Plugin {
        Plugin(without_provenance(number))
    }

    fn callsite(&self, kind: u32, name: &str, fields: &[&str]) -> CallsiteRef {
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

    fn span(&self, name: &str, parent: Parent) -> SpanId {
        let callsite = self.callsite(kind::SPAN, name, &["x"]);
        unsafe { (TABLE.new_span)(self.0, callsite, parent, RSlice::from_slice(&[])) }
    }

    fn event(&self, name: &str, parent: Parent, values: &[FieldValue<'_>]) {
        let names: Vec<String> = (0..values.len()).map(|index| format!("f{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let callsite = self.callsite(kind::EVENT, name, &names);
        let views = values.iter().zip(0..).map(|(value, index)| FieldView {
            index,
            value: *value,
        });
        // The callsite has no such field: left out.
        let beyond = FieldView {
            index: 99,
            value: FieldValue::Bool(true),
        };
        let values: Vec<FieldView<'_>> = views.chain([beyond]).collect();
        unsafe { (TABLE.event)(self.0, callsite, parent, RSlice::from_slice(&values)) }
    }

    fn record(&self, span: SpanId, value: i64) {
        let values = [FieldView {
            index: 0,
            value: FieldValue::I64(value),
        }];
        unsafe { (TABLE.record)(self.0, span, RSlice::from_slice(&values)) }
    }

    fn enter(&self, span: SpanId) {
        unsafe { (TABLE.enter)(self.0, span) }
    }

    fn exit(&self, span: SpanId) {
        unsafe { (TABLE.exit)(self.0, span) }
    }

    fn clone(&self, span: SpanId) -> SpanId {
        unsafe { (TABLE.clone_span)(self.0, span) }
    }

    fn close(&self, span: SpanId) -> bool {
        unsafe { (TABLE.close_span)(self.0, span) }
    }

    /// The current span and its name.
    fn current(&self) -> Option<(SpanId, String)> {
        unsafe extern "C" fn give(
            to: *mut (),
            span: SpanId,
            _: CallsiteRef,
            view: &CallsiteView<'static>,
        ) {
            // SAFETY: the option below.
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

#[test]
fn values_keep_their_types() {
    let (recorder, plugin) = (Recorder::new(1000), Plugin::new(8));
    let errors = [RStr::from_str("outer"), RStr::from_str("inner")];
    let halves = |value: u128| [value as u64, (value >> 64) as u64];
    with_default(recorder.clone(), || {
        plugin.event(
            "numbers",
            Parent::Current,
            &[
                FieldValue::I64(-1),
                FieldValue::U64(u64::MAX),
                FieldValue::I128(halves(i128::MIN as u128)),
                FieldValue::U128(halves(u128::MAX)),
                FieldValue::F64(0.5),
                FieldValue::Bool(true),
            ],
        );
        plugin.event(
            "texts",
            Parent::Root,
            &[
                FieldValue::Str(RStr::from_str("a \"b\"")),
                FieldValue::Bytes(RSlice::from_slice(&[1, 2])),
                FieldValue::Debug(RStr::from_str("Some(1)")),
                FieldValue::Error(RSlice::from_slice(&errors)),
            ],
        );
    });
    let (signed, unsigned) = (i128::MIN, u128::MAX);
    let numbers = format!(
        "event numbers in current f0=i64:-1 f1=u64:18446744073709551615 \
         f2=i128:{signed} f3=u128:{unsigned} f4=f64:0.5 f5=bool:true"
    );
    let texts = "event texts in none f0=str:a \"b\" f1=bytes:[1, 2] f2=debug:Some(1) \
                 f3=error:outer from Some(\"inner\")";
    assert_eq!(recorder.lines(), [numbers.as_str(), texts]);
}

#[test]
fn a_span_lives_as_in_the_host() {
    let (recorder, plugin) = (Recorder::new(2000), Plugin::new(16));
    with_default(recorder.clone(), || {
        let root = plugin.span("root", Parent::Root);
        let child = plugin.span("child", Parent::Explicit(root));
        plugin.enter(root);
        assert_eq!(plugin.current(), Some((root, "root".into())));
        plugin.record(root, 5);
        plugin.event("inside", Parent::Explicit(child), &[]);
        plugin.exit(root);
        assert_eq!(plugin.current(), None);
        // SAFETY: as for the other calls of the table.
        unsafe { (TABLE.follows_from)(plugin.0, child, root) };
        assert_eq!(plugin.clone(child), child);
        assert!(plugin.close(child) && plugin.close(child) && plugin.close(root));
        assert!(!plugin.close(root), "closed more often than it was opened");
    });
    assert_eq!(
        recorder.lines(),
        [
            "new 1 root in none",
            "new 2 child in 1",
            "enter 1",
            "record 1 x=i64:5",
            "event inside in 2",
            "exit 1",
            "2 follows 1",
            "clone 2",
            "close 2",
            "close 2",
            "close 1",
        ]
    );
}

#[test]
fn a_span_stays_with_its_subscriber() {
    let (one, two, plugin) = (Recorder::new(3000), Recorder::new(3000), Plugin::new(24));
    let first = with_default(one.clone(), || plugin.span("first", Parent::Root));
    // The second subscriber gives its span the same number.
    with_default(two.clone(), || {
        let second = plugin.span("second", Parent::Root);
        assert_ne!(first, second);
        plugin.enter(first);
        plugin.enter(second);
        plugin.close(first);
        plugin.close(second);
    });
    assert_eq!(one.lines(), ["new 1 first in none", "enter 1", "close 1"]);
    assert_eq!(two.lines(), ["new 1 second in none", "enter 1", "close 1"]);
}

#[test]
fn the_current_span_of_the_host_can_be_held() {
    let (recorder, plugin) = (Recorder::new(5000), Plugin::new(32));
    with_default(recorder.clone(), || {
        tracing::info_span!("of the host", x = 1).in_scope(|| {
            let (span, name) = plugin.current().unwrap();
            assert_eq!(name, "of the host");
            let held = plugin.clone(span);
            plugin.record(held, 7);
            plugin.close(held);
        });
        assert_eq!(plugin.current(), None);
    });
    assert_eq!(
        recorder.lines(),
        [
            "new 1 of the host in current x=i64:1",
            "enter 1",
            "clone 1",
            "record 1 x=i64:7",
            "close 1",
            "exit 1",
            "close 1",
        ]
    );
}

#[test]
fn a_number_without_a_span_does_nothing() {
    let (recorder, plugin) = (Recorder::new(6000), Plugin::new(40));
    with_default(recorder.clone(), || {
        for span in [SpanId(0), SpanId(77), SpanId::NONE] {
            plugin.enter(span);
            plugin.record(span, 1);
            assert_eq!(plugin.clone(span), SpanId::NONE);
            assert!(!plugin.close(span));
        }
    });
    assert_eq!(recorder.lines(), [""; 0]);
}

#[test]
fn spans_left_open_are_closed_with_their_plugin() {
    let (recorder, one, two) = (Recorder::new(7000), Plugin::new(48), Plugin::new(56));
    with_default(recorder.clone(), || {
        let span = one.span("one", Parent::Root);
        one.clone(span);
        two.span("two", Parent::Root);
    });
    recorder.lines();
    close_all_of(one.0);
    assert_eq!(recorder.lines(), ["close 1", "close 1"]);
    close_all_of(two.0);
    assert_eq!(recorder.lines(), ["close 2"]);
}

/// Panics whenever something happens.
struct Broken;

impl Subscriber for Broken {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        panic!("broken")
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        panic!("broken")
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_loses_the_record_alone() {
    let plugin = Plugin::new(64);
    let before = lost();
    with_default(Broken, || {
        plugin.event("lost", Parent::Current, &[]);
        assert_eq!(plugin.span("lost", Parent::Current), SpanId::NONE);
    });
    assert!(lost() >= before + 2);
}

#[test]
fn a_callsite_of_nobody_is_ignored() {
    let (recorder, nobody) = (Recorder::new(8000), CallsiteRef(std::ptr::null()));
    let token = without_provenance(72);
    with_default(recorder.clone(), || {
        let none = RSlice::from_slice(&[]);
        // SAFETY: null is what the host answers to content that it does not understand.
        unsafe {
            assert_eq!((TABLE.interest)(token, nobody), interest::NEVER);
            assert!(!(TABLE.enabled)(token, nobody));
            (TABLE.event)(token, nobody, Parent::Current, none);
            assert_eq!(
                (TABLE.new_span)(token, nobody, Parent::Current, none),
                SpanId::NONE
            );
        }
    });
    assert_eq!(recorder.lines(), [""; 0]);
}
