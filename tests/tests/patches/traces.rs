//! Traces: what they tell of the calls of a function, and that nothing of them is left.
use crate::support::{Visit, answer, guest, stage, visit};
use hotswap_host::prelude::*;
use hotswap_host::{CallError, PatchError, TraceOptions, TracedCall};
use hotswap_tests::fixture::Build;
use hotswap_tests::{LIMIT, until};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Told = Arc<Mutex<Vec<TracedCall>>>;

/// Keeps the calls that a trace tells of.
fn keep() -> (Told, impl Fn(&TracedCall) + Send + Sync + 'static) {
    let told = Told::default();
    let keep = told.clone();
    (told, move |call: &TracedCall| {
        keep.lock().unwrap().push(call.clone())
    })
}

/// Returns the lines of the calls, without their durations.
fn lines(told: &Told) -> Vec<String> {
    let told = told.lock().unwrap();
    let line = |call: &TracedCall| call.to_string().rsplit_once(" in ").unwrap().0.to_owned();
    told.iter().map(line).collect()
}

#[test]
fn a_trace_tells_of_calls_with_arguments_results_and_durations() {
    let stage = stage();
    let handle = visit(&stage);
    let (told, keep) = keep();
    let options = TraceOptions::default();
    let trace = stage
        .swapper
        .trace::<Visit, _>("guest", "visit", options, keep)
        .unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage
        .swapper
        .invoke("guest", "visit", &[4_u32.into()])
        .unwrap();
    // It tells what callers get.
    answer(&stage, "patched").unwrap();
    handle.call(5).unwrap();
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| panic!("no visits"));
    let mock = mock.unwrap();
    assert!(matches!(handle.call(6), Err(CallError::Panicked { .. })));
    drop(mock);
    let expected = [
        "guest.visit(3) = 3 days 00",
        "guest.visit(4) = 4 days 00",
        "guest.visit(5) = patched",
        "guest.visit(6) panicked: no visits",
    ];
    assert_eq!(lines(&told), expected);
    assert!(told.lock().unwrap().iter().all(|call| call.took < LIMIT));
    drop(trace);
    handle.call(7).unwrap();
    assert_eq!(told.lock().unwrap().len(), 4);
    // Nothing of it is left, also not the closure.
    stage.swapper.patches("guest").reset().unwrap();
    stage.settle();
    until("the closure is dropped", || Arc::strong_count(&told) == 1);
    stage.close();
}

#[test]
fn a_trace_samples_and_leaves_out_values() {
    let stage = stage();
    let handle = visit(&stage);
    let (told, keep) = keep();
    let options = TraceOptions::default().sample(10).without_values();
    let trace = stage
        .swapper
        .trace::<Visit, _>("guest", "visit", options, keep)
        .unwrap();
    (0..100).for_each(|days| drop(handle.call(days).unwrap()));
    assert_eq!(lines(&told), ["guest.visit()"; 10]);
    drop(trace);
    stage.close();
}

#[test]
fn a_trace_ends_by_itself() {
    let stage = stage();
    let handle = visit(&stage);
    let (told, keep) = keep();
    let options = TraceOptions::default();
    let trace = stage
        .swapper
        .trace::<Visit, _>("guest", "visit", options, keep)
        .unwrap();
    trace.end_in(Duration::from_millis(1)).unwrap();
    until("the trace has ended", || {
        let before = told.lock().unwrap().len();
        handle.call(3).unwrap();
        told.lock().unwrap().len() == before
    });
    until("the closure is dropped", || Arc::strong_count(&told) == 1);
    stage.close();
}

#[test]
fn what_a_trace_calls_itself_is_not_traced_and_its_panics_are_discarded() {
    let stage = stage();
    let handle = visit(&stage);
    let (told, keep) = keep();
    let inner = handle.clone();
    let tell = move |call: &TracedCall| {
        keep(call);
        inner.call(1).unwrap();
        panic!("in the trace");
    };
    let options = TraceOptions::default();
    let trace = stage
        .swapper
        .trace::<Visit, _>("guest", "visit", options, tell)
        .unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    assert_eq!(handle.call(4).unwrap(), "4 days 00");
    assert_eq!(lines(&told).len(), 2);
    drop(trace);
    drop(handle);
    stage.close();
}

#[test]
fn a_trace_goes_on_after_a_reload_and_ends_where_the_function_is_gone() {
    let stage = stage();
    let handle = visit(&stage);
    let (told, keep) = keep();
    let options = TraceOptions::default();
    let trace = stage
        .swapper
        .trace::<Visit, _>("guest", "visit", options, keep)
        .unwrap();
    stage.swap("guest", &guest(1));
    handle.call(3).unwrap();
    assert_eq!(lines(&told), ["guest.visit(3) = 3 days 01"]);
    drop(handle);
    stage.swap("guest", &Build::Later.bytes("guest"));
    drop(trace);
    stage.close();
}

#[test]
fn a_trace_of_another_signature_is_refused() {
    let stage = stage();
    let options = TraceOptions::default();
    let error = stage
        .swapper
        .trace::<fn(), _>("guest", "visit", options, |_| ())
        .unwrap_err();
    assert!(matches!(error, PatchError::Function(_)), "{error}");
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 00");
    stage.close();
}
