//! Traces of functions through the endpoint, and by the command.
use crate::support::Controlled;
use hotswap_control::api::{FailureKind, TraceRequest, TracedCall};
use hotswap_control::{ClientError, TraceNotice, Traced};
use hotswap_host::prelude::*;
use hotswap_tests::until;
use serde_json::Value as Json;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

type Add = fn(u32) -> u32;

/// Begins a trace, and returns the functions that are traced.
fn trace(host: &Controlled, request: &TraceRequest) -> (Traced, Vec<String>) {
    let mut traced = host.client().trace("checked", request).unwrap();
    match traced.next() {
        Some(Ok(TraceNotice::Begun(begun))) => {
            assert_eq!(begun.plugin, "checked");
            (traced, begun.functions)
        }
        other => panic!("{other:?}"),
    }
}

fn of(function: &str) -> TraceRequest {
    let mut request = TraceRequest::default();
    request.function = function.into();
    request
}

fn call(traced: &mut Traced) -> TracedCall {
    match traced.next() {
        Some(Ok(TraceNotice::Call(call))) => *call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_are_told_with_types_and_by_name() {
    let host = Controlled::new();
    let swapper = &host.stage.swapper;
    let add: Function<Add> = swapper.function("checked", "add").unwrap();
    let mut request = of("add");
    request.values = true;
    let (mut traced, functions) = trace(&host, &request);
    assert_eq!(functions, ["add"]);
    add.call(3).unwrap();
    let told = call(&mut traced);
    assert_eq!(told.arguments.as_deref(), Some(&["3".to_owned()][..]));
    assert_eq!((told.result.as_deref(), told.panicked), (Some("3"), None));
    assert!(told.took >= 0.0 && told.at > 0.0);
    assert!(told.text.starts_with("checked.add(3) = 3 in "));
    drop(traced);

    // The host has no handles of the others.
    let (mut traced, functions) = trace(&host, &of("*"));
    for function in ["add", "orders", "boom"] {
        assert!(functions.iter().any(|it| it == function), "{functions:?}");
    }
    swapper.invoke("checked", "orders", &[]).unwrap();
    let told = call(&mut traced);
    assert!(told.text.starts_with("checked.orders() in "));
    assert_eq!((told.arguments, told.result), (None, None));
    swapper.invoke("checked", "boom", &[]).unwrap_err();
    assert_eq!(call(&mut traced).panicked.as_deref(), Some("boom"));
    add.call(1).unwrap();
    assert_eq!(call(&mut traced).function, "add");
    drop(traced);
    host.close();
}

#[test]
fn one_call_in_so_many_is_told_until_the_time_is_up() {
    let host = Controlled::new();
    let add: Function<Add> = host.stage.swapper.function("checked", "add").unwrap();
    let mut request = of("add");
    request.sample = Some(10);
    request.seconds = Some(0.2);
    let (traced, _) = trace(&host, &request);
    let ended = AtomicBool::new(false);
    let (calls, notices) = std::thread::scope(|scope| {
        let called = scope.spawn(|| {
            let mut calls = 0;
            while !ended.load(SeqCst) {
                add.call(0).unwrap();
                calls += 1;
                std::thread::yield_now();
            }
            calls
        });
        let notices: Vec<_> = traced.map(Result::unwrap).collect();
        ended.store(true, SeqCst);
        (called.join().unwrap(), notices)
    });
    // It ends although the function is called all the time.
    let last = notices.last().unwrap();
    assert_eq!(*last, TraceNotice::Ended("the time is up".into()));
    let told = notices.iter().map(|notice| match notice {
        TraceNotice::Call(_) => 1,
        TraceNotice::Lost(calls) => *calls,
        _ => 0,
    });
    let told: u64 = told.sum();
    assert!(told <= calls / 10 + 1, "{told} of {calls}");
    host.close();
}

#[test]
fn nothing_is_left_of_a_trace_whose_client_has_gone() {
    let host = Controlled::new();
    let swapper = &host.stage.swapper;
    let add: Function<Add> = swapper.function("checked", "add").unwrap();
    let (traced, _) = trace(&host, &of("add"));
    drop(traced);
    until("the trace has ended", || {
        add.call(0).unwrap();
        swapper.traces() == 0
    });
    // A host that ends takes its traces along.
    let mut host = host;
    let (mut traced, _) = trace(&host, &of("add"));
    host.serving = None;
    let last = traced.find_map(|notice| match notice {
        Ok(TraceNotice::Ended(reason)) => Some(reason),
        Ok(_) => None,
        Err(_) => Some("the connection is gone".into()),
    });
    assert!(last.is_none_or(|reason| reason.contains("endpoint") || reason.contains("gone")));
    host.close();
}

#[test]
fn what_cannot_be_traced_is_refused() {
    let host = Controlled::new();
    let refused = |plugin: &str, request: &TraceRequest| {
        let answer = host.client().trace(plugin, request);
        match answer.err() {
            Some(ClientError::Failure(failure)) => (failure.kind, failure.message),
            other => panic!("{other:?}"),
        }
    };
    let (kind, text) = refused("checked", &of("ad"));
    assert_eq!(kind, FailureKind::NotFound);
    assert!(text.contains("add"), "{text}");
    assert_eq!(refused("chekced", &of("add")).0, FailureKind::NotFound);
    assert_eq!(refused("checked", &of("")).0, FailureKind::Request);
    let mut request = of("add");
    request.sample = Some(0);
    assert_eq!(refused("checked", &request).0, FailureKind::Request);
    let mut request = of("add");
    request.seconds = Some(-1.0);
    assert_eq!(refused("checked", &request).0, FailureKind::Request);
    host.close();
}

#[test]
fn the_command_prints_calls_and_leaves_nothing_when_it_is_interrupted() {
    let host = Controlled::new();
    let swapper = &host.stage.swapper;
    let add: Function<Add> = swapper.function("checked", "add").unwrap();
    let mut command = host.command(&["trace", "checked::add", "--args"]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = command.spawn().unwrap();
    let mut told = BufReader::new(command.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(line.contains("Tracing add of checked"), "{line}");
    add.call(3).unwrap();
    let mut shown = BufReader::new(command.stdout.take().unwrap());
    line.clear();
    shown.read_line(&mut line).unwrap();
    assert!(line.starts_with("checked.add(3) = 3 in "), "{line}");
    let pid = command.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(command.wait().unwrap().code(), Some(130));
    until("the trace has ended", || swapper.traces() == 0);

    let ran = host.ok(&["trace", "checked::*", "--for", "50ms", "--sample", "1/2"]);
    assert!(ran.stderr.contains("Ended the time is up"), "{ran:?}");
    let mut command = host.command(&["trace", "checked::add", "--json", "-q", "--for", "1h"]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut command = command.spawn().unwrap();
    until("the trace has begun", || swapper.traces() == 1);
    add.call(4).unwrap();
    let mut shown = BufReader::new(command.stdout.take().unwrap());
    line.clear();
    shown.read_line(&mut line).unwrap();
    let told: Json = serde_json::from_str(&line).unwrap();
    assert_eq!(told["function"], "add");
    assert!(told["arguments"].is_null());
    command.kill().unwrap();
    command.wait().unwrap();
    until("the trace has ended", || swapper.traces() == 0);

    for (args, code) in [
        (&["trace", "checked::ad"][..], 3),
        (&["trace", "chekced::add"], 3),
        (&["trace", "checked"], 2),
        (&["trace", "checked::add", "--for", "soon"], 2),
        (&["trace", "checked::add", "--sample", "2/3"], 2),
    ] {
        let ran = host.ran(args);
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
    }
    host.close();
}
