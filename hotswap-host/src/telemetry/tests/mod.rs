//! Tests what the host's subscribers see of a plugin.
mod plugin;
pub(crate) mod recorder;

use super::{TABLE, close_all_of, lost};
use abi_stable::std_types::{RSlice, RStr};
use hotswap_plugin::telemetry::table::{CallsiteRef, FieldValue, Parent, SpanId, interest};
use plugin::Plugin;
use recorder::Recorder;
use std::ptr::without_provenance;
use tracing::subscriber::with_default;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};

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
        // SAFETY: the token is only compared, and the table has made both spans.
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

/// A subscriber that panics at everything.
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
        // SAFETY: null is the host's answer to content that it does not understand.
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
