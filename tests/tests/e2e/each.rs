//! Tests calls of one function in every plugin that has it.
use hotswap_host::prelude::*;
use hotswap_host::{InvokeError, PluginName};
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::{Stage, records};

/// Guest does not have the functions that the tests call, the probe's `invoke_func` refuses them, and beta imports what
/// alpha exports.
fn stage() -> Stage {
    let plugins = ["alpha", "beta", "gamma", "guest", "probe"];
    let plugins = plugins.map(|name| (name, Build::First.bytes(name)));
    Stage::open(
        &plugins
            .each_ref()
            .map(|(name, bytes)| (*name, bytes.as_slice())),
    )
}

fn said(results: Vec<(PluginName, Result<Value, InvokeError>)>) -> Vec<String> {
    let say = |(name, result): (PluginName, Result<Value, InvokeError>)| match result {
        Ok(value) => format!("{name}: {value}"),
        Err(error) => format!("{name}: error: {error}"),
    };
    results.into_iter().map(say).collect()
}

/// Returns the plugins whose function was called with this text, in the order of the calls.
fn called(text: &str) -> Vec<String> {
    let records = records::with(&["pulse of", text]);
    let name = |record: &records::Record| {
        let text = record.text.strip_prefix("pulse of ").unwrap();
        text.split(':').next().unwrap().to_owned()
    };
    records.iter().map(name).collect()
}

#[test]
fn each_that_has_the_function_is_called_in_order() {
    records::keep();
    let stage = stage();
    let forward = stage.swapper.invoke_each("pulse", &["forward".into()]);
    assert_eq!(
        said(forward),
        [
            "alpha: alpha forward",
            "beta: beta forward",
            "gamma: gamma forward"
        ]
    );
    assert_eq!(called("forward"), ["alpha", "beta", "gamma"]);
    let backward = stage
        .swapper
        .invoke_each_backward("pulse", &["backward".into()]);
    assert_eq!(
        said(backward),
        [
            "gamma: gamma backward",
            "beta: beta backward",
            "alpha: alpha backward"
        ]
    );
    assert_eq!(called("backward"), ["gamma", "beta", "alpha"]);
    assert!(
        stage
            .swapper
            .invoke_each("no such function", &[])
            .iter()
            .all(|(name, _)| name == "probe")
    );
    stage.close();
}

#[test]
fn one_that_fails_or_panics_keeps_none_from_being_called() {
    let stage = stage();
    for (text, error) in [
        ("fail", "beta: error: no pulse"),
        ("panic", "beta: error: beta.pulse panicked: no pulse at all"),
    ] {
        let others = ["alpha", "gamma"].map(|name| format!("{name}: {name} {text}"));
        let [alpha, gamma] = others.each_ref().map(String::as_str);
        let forward = stage.swapper.invoke_each("pulse", &[text.into()]);
        assert_eq!(said(forward), [alpha, error, gamma]);
        let backward = stage.swapper.invoke_each_backward("pulse", &[text.into()]);
        assert_eq!(said(backward), [gamma, error, alpha]);
    }
    // Arguments that do not fit are an error of each plugin, too.
    let results = stage.swapper.invoke_each("pulse", &[]);
    let wrong = |result: &Result<_, _>| matches!(result, Err(CallError::Arguments { .. }));
    assert!(
        results.len() == 3 && results.iter().all(|(_, result)| wrong(result)),
        "{results:?}"
    );
    stage.close();
}

#[test]
fn all_calls_are_on_one_generation() {
    let stage = stage();
    let pin = stage.swapper.pin();
    let hold = pin.hold();
    let next = variant(&Build::First.bytes("alpha"), "alpha 00", "alpha 01");
    std::thread::scope(|scope| {
        scope.spawn(|| stage.swap("alpha", &next));
    });
    // Beta followed alpha, and only its new instance has not been asked yet.
    let asked = |generation: &hotswap_host::Generation| said(generation.invoke_each("ask", &[]));
    for count in 1..3 {
        assert_eq!(
            asked(&pin)[..2],
            [
                format!("beta: [\"alpha 00\", {count}]"),
                "gamma: alpha 00".into()
            ]
        );
    }
    assert_eq!(asked(&hold)[0], "beta: [\"alpha 00\", 3]");
    assert_eq!(
        said(stage.swapper.invoke_each("ask", &[]))[..2],
        ["beta: [\"alpha 01\", 1]", "gamma: alpha 01"]
    );
    drop((pin, hold));
    stage.settle();
    stage.close();
}

#[test]
fn a_function_that_the_plugin_itself_does_not_know_is_not_there() {
    let stage = stage();
    let error = stage.swapper.invoke("probe", "pulse", &[]).unwrap_err();
    assert_eq!(
        error,
        CallError::NotLoaded {
            plugin: "probe".into(),
            function: "pulse".into()
        }
    );
    stage.close();
}
