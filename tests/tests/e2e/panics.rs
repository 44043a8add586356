//! Tests that a panic concerns its caller only.
use hotswap_host::prelude::*;
use hotswap_host::{Hook, HookFailure};
use hotswap_tests::fixture::{Build, ordered};
use hotswap_tests::{Stage, records};
use shapes::Fragile;

fn stage() -> (Stage, Vec<u8>) {
    let probe = Build::First.bytes("probe");
    (Stage::open(&[("probe", &probe)]), probe)
}

/// Returns the text of a call's panic.
fn panicked<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    match result {
        Err(CallError::Panicked {
            plugin, message, ..
        }) if plugin == "probe" => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn in_a_hook_before_the_switch_it_refuses_the_build() {
    let (stage, probe) = stage();
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    let build = stage.live_build();
    let cases = [
        ("panic reloadable", Hook::Reloadable, "gave up: panic"),
        ("panic new", Hook::New, "gave up: panic"),
        ("number new", Hook::New, "non-string panic payload"),
        ("bomb new", Hook::New, "non-string panic payload"),
        ("literal on_load", Hook::OnLoad, "a literal"),
        ("bomb on_load", Hook::OnLoad, "non-string panic payload"),
        ("panic on_init", Hook::OnInit, "gave up: panic"),
        ("number on_init", Hook::OnInit, "non-string panic payload"),
    ];
    for (n, (orders, at, text)) in (1..).zip(cases) {
        stage.install("probe", &ordered(&probe, orders));
        let error = stage.swapper.reload().unwrap_err();
        let ReloadError::Hook(HookFailure {
            plugin,
            file,
            hook,
            panicked,
            message,
            ..
        }) = &error
        else {
            panic!("{error}");
        };
        assert_eq!(*plugin, "probe");
        assert_eq!(
            (file, *hook, *panicked, message.as_str()),
            (&stage.file("probe"), at, true, text)
        );
        assert_eq!(
            error.to_string(),
            format!("probe: {at} panicked: {text} ({})", file.display())
        );
        assert_eq!((count.call().unwrap().2, stage.live_build()), (n, build));
        stage.settle();
    }
    stage.close();
}

#[test]
fn in_a_hook_after_the_switch_it_is_logged_and_the_host_goes_on() {
    records::keep();
    let (stage, probe) = stage();
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    for (orders, line) in [
        ("panic on_start", "on_start panicked: gave up: panic"),
        (
            "bomb on_start",
            "on_start panicked: non-string panic payload",
        ),
        ("literal on_stop", "on_stop panicked: a literal"),
        (
            "number on_stop",
            "on_stop panicked: non-string panic payload",
        ),
        ("literal on_free", "on_free panicked: a literal"),
        ("bomb on_free", "on_free panicked: non-string panic payload"),
        ("literal drop", "drop panicked: a literal"),
        ("bomb drop", "drop panicked: non-string panic payload"),
    ] {
        stage.swap("probe", &ordered(&probe, orders));
        assert_eq!(count.call().unwrap(), (1, 1, 1));
        stage.swap("probe", &probe);
        records::wait_for(&["probe: ", line, &stage.file("probe").display().to_string()]);
        assert_eq!(count.call().unwrap(), (1, 1, 1));
    }
    stage.settle();
    stage.close();
}

#[test]
fn in_a_call_it_is_the_callers_error() {
    let (stage, _) = stage();
    let panic: Function<fn(&str)> = stage.probe("panic");
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    for (n, (how, text)) in (1..).zip([
        ("now", "gave up: now"),
        ("literal", "a literal"),
        ("number", "non-string panic payload"),
        ("bomb", "non-string panic payload"),
    ]) {
        assert_eq!(panicked(panic.call(how)), text);
        let dynamic = stage.swapper.invoke("probe", "panic", &[how.into()]);
        assert!(
            matches!(&dynamic, Err(CallError::Panicked { message, .. }) if message == text),
            "{dynamic:?}"
        );
        assert_eq!(count.call().unwrap().2, n);
    }
    let error = panic.call("now").unwrap_err();
    assert_eq!(error.to_string(), "probe.panic panicked: gave up: now");
    stage.close();
}

#[test]
fn in_the_host_it_passes_through_the_plugin() {
    let (stage, _) = stage();
    let call: Function<fn(&str) -> String> = stage.probe("panic_in_host");
    assert_eq!(
        panicked(call.call("the desk is closed")),
        "the desk is closed"
    );
    // The plugin's own code may catch the panic.
    let catch: Function<fn(&str) -> Option<String>> = stage.probe("catch_panic_in_host");
    assert_eq!(catch.call("caught").unwrap().as_deref(), Some("caught"));
    stage.close();
}

#[test]
fn in_the_drop_of_an_argument_or_a_result() {
    let (stage, _) = stage();
    let argument: Function<fn(Fragile) -> usize> = stage.probe("drop_argument");
    let result: Function<fn(String) -> Fragile> = stage.probe("drop_result");
    let disarm: Function<fn()> = stage.probe("disarm");
    let fragile = || Fragile {
        text: "glass".into(),
    };
    for _ in 0..3 {
        assert_eq!(panicked(argument.call(fragile())), "broken: glass");
        disarm.call().unwrap();
        assert_eq!(panicked(result.call("glass".into())), "broken: glass");
        disarm.call().unwrap();
    }
    let named = std::collections::BTreeMap::from([("text".to_owned(), Value::from("glass"))]);
    let dynamic = stage
        .swapper
        .invoke("probe", "drop_argument", &[named.into()]);
    assert!(
        matches!(&dynamic, Err(CallError::Panicked { message, .. }) if message == "broken: glass"),
        "{dynamic:?}"
    );
    disarm.call().unwrap();
    stage.close();
}

#[test]
fn an_import_that_panics_is_the_error_of_whoever_called_its_user() {
    let stage = Stage::open(&[
        ("alpha", &Build::First.bytes("alpha")),
        ("beta", &Build::First.bytes("beta")),
    ]);
    let greet: Function<fn(&str) -> Result<String, shapes::Refused>> =
        stage.swapper.function("beta", "greet").unwrap();
    let error = greet.call("panic").unwrap_err();
    assert_eq!(
        error.to_string(),
        "beta.greet panicked: no greeting for home"
    );
    assert_eq!(greet.call("Ada").unwrap(), "Ada at 1 (home)");
    let refused = greet.call("").unwrap_err();
    assert!(
        matches!(refused, CallError::Returned(shapes::Refused::No(why)) if why == "nobody to greet")
    );
    stage.close();
}
