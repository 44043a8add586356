//! Traces without types: of functions of which the host has a handle, and of calls by name.
use crate::support::{answer, guest, stage, visit};
use hotswap_host::prelude::*;
use hotswap_host::{CallError, PatchError, TraceOptions, TracedCall};
use hotswap_tests::Stage;
use hotswap_tests::fixture::Build;
use std::sync::{Arc, Mutex};

type Told = Arc<Mutex<Vec<String>>>;

/// Keeps the lines of the calls that a trace tells of, without their durations.
fn keep() -> (Told, impl Fn(&TracedCall) + Send + Sync + 'static) {
    let told = Told::default();
    let keep = told.clone();
    (told, move |call: &TracedCall| {
        let line = call.to_string();
        let (line, _) = line.rsplit_once(" in ").unwrap();
        keep.lock().unwrap().push(line.to_owned());
    })
}

fn take(told: &Told) -> Vec<String> {
    std::mem::take(&mut told.lock().unwrap())
}

#[test]
fn a_function_with_a_handle_is_traced_with_the_type_of_the_handle() {
    let stage = stage();
    let handle = visit(&stage);
    let (told, keep) = keep();
    let options = TraceOptions::default();
    let trace = stage.swapper.trace_by_name("guest", "visit", options, keep);
    let trace = trace.unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    let by_name = stage.swapper.invoke("guest", "visit", &[4_u32.into()]);
    assert_eq!(by_name.unwrap().as_str(), Some("4 days 00"));
    let expected = ["guest.visit(3) = 3 days 00", "guest.visit(4) = 4 days 00"];
    assert_eq!(take(&told), expected);
    drop(trace);
    handle.call(5).unwrap();
    assert!(take(&told).is_empty());
    stage.close();
}

#[test]
fn calls_by_name_are_traced_without_a_handle() {
    let stage = stage();
    let swapper = &stage.swapper;
    let dynamic = swapper.dynamic("guest", "visit").unwrap();
    let (told, keep) = keep();
    let options = TraceOptions::default();
    let trace = swapper.trace_by_name("guest", "visit", options, keep);
    let trace = trace.unwrap();
    let days = |days: u32| [Value::from(days)];
    let answered = |found: Result<Value, _>| match found {
        Ok(Value::Str(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(answered(dynamic.call(&days(3))), "3 days 00");
    assert_eq!(
        answered(swapper.invoke("guest", "visit", &days(4))),
        "4 days 00"
    );
    // Arguments that do not fit call nothing.
    let wrong = dynamic.call(&["three".into()]).unwrap_err();
    assert!(matches!(wrong, CallError::Arguments { .. }), "{wrong}");
    // It is above all patches, and one above the other.
    answer(&stage, "patched").unwrap();
    let (again, keep_again) = self::keep();
    let second = swapper.trace_by_name("guest", "visit", options, keep_again);
    let second = second.unwrap();
    assert_eq!(answered(dynamic.call(&days(5))), "patched");
    assert_eq!(take(&again), ["guest.visit(5) = patched"]);
    drop(second);
    let expected = [
        "guest.visit(3) = 3 days 00",
        "guest.visit(4) = 4 days 00",
        "guest.visit(5) = patched",
    ];
    assert_eq!(take(&told), expected);
    // A typed handle that is made meanwhile works as ever, and goes on after the trace.
    let handle = visit(&stage);
    assert_eq!(handle.call(6).unwrap(), "patched");
    stage.swap("guest", &guest(1));
    assert_eq!(answered(dynamic.call(&days(7))), "patched");
    assert_eq!(take(&told), ["guest.visit(7) = patched"]);
    swapper.patches("guest").reset().unwrap();
    assert_eq!(handle.call(8).unwrap(), "8 days 01");
    assert_eq!(answered(dynamic.call(&days(8))), "8 days 01");
    assert_eq!(take(&told), ["guest.visit(8) = 8 days 01"]);
    drop(trace);
    assert_eq!(answered(dynamic.call(&days(9))), "9 days 01");
    assert!(take(&told).is_empty());
    stage.close();
}

#[test]
fn panics_and_errors_of_calls_by_name_are_told() {
    let stage = Stage::open(&[("checked", &Build::Checked.bytes("checked"))]);
    let swapper = &stage.swapper;
    let (told, keep) = keep();
    let keep = Arc::new(keep);
    let traced = |function: &str| {
        let keep = keep.clone();
        let options = TraceOptions::default();
        let tell = move |call: &TracedCall| keep(call);
        swapper.trace_by_name("checked", function, options, tell)
    };
    let traces = [traced("boom").unwrap(), traced("check").unwrap()];
    let error = swapper.invoke("checked", "boom", &[]).unwrap_err();
    assert!(matches!(error, CallError::Panicked { .. }), "{error}");
    swapper.invoke("checked", "check", &[3_u32.into()]).unwrap();
    let expected = ["checked.boom() panicked: boom", "checked.check(3) = 3"];
    assert_eq!(take(&told), expected);
    drop(traces);
    stage.close();
}

#[test]
fn a_live_function_is_traced() {
    let stage = Stage::open(&[("office", &Build::Live.bytes("office"))]);
    let swapper = &stage.swapper;
    let (told, keep) = keep();
    let options = TraceOptions::default().without_values();
    let trace = swapper.trace_by_name("office", "roll_call", options, keep);
    let trace = trace.unwrap();
    let args = ["kitchen".into()];
    swapper.invoke_live("roll_call", &args).unwrap();
    assert_eq!(take(&told), ["office.roll_call()"]);
    drop(trace);
    swapper.invoke_live("roll_call", &args).unwrap();
    assert!(take(&told).is_empty());
    stage.close();
}

#[test]
fn what_is_unknown_or_has_no_name_of_its_own_is_refused() {
    let stage = stage();
    let refused = |plugin: &str, function: &str| {
        let options = TraceOptions::default();
        let trace = stage
            .swapper
            .trace_by_name(plugin, function, options, |_| ());
        trace.unwrap_err()
    };
    let text = refused("guest", "vist").to_string();
    assert!(text.contains("visit"), "{text}");
    let text = refused("guset", "visit").to_string();
    assert!(text.contains("guest"), "{text}");
    stage.close();
    let build = Build::First.bytes("alpha");
    let stage = Stage::open(&[("alpha", &build)]);
    let options = TraceOptions::default();
    let swapper = &stage.swapper;
    let error = swapper.trace_by_name("alpha", "Alpha::greet", options, |_| ());
    let error = error.unwrap_err();
    assert!(matches!(error, PatchError::Untyped { .. }), "{error}");
    stage.close();
}
