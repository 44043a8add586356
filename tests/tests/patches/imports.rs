//! Patches, mocks, and traces of methods, as the plugins meet them that import the interface.
use hotswap_host::prelude::*;
use hotswap_host::{Next, ReloadOptions, TraceOptions, TracedCall, UnloadMode};
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::{Stage, until};
use shapes::{Alpha, Refused};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

type BuildOf = fn() -> String;
type Ask = fn() -> (String, u32);

fn alpha(number: u8) -> Vec<u8> {
    let text = format!("alpha {number:02}");
    variant(&Build::First.bytes("alpha"), "alpha 00", &text)
}

/// A host with a plugin that imports the interface of another one.
fn stage() -> Stage {
    let beta = Build::First.bytes("beta");
    Stage::open(&[("alpha", &alpha(0)), ("beta", &beta)])
}

/// Returns alpha's build, as the plugin sees it that imports alpha.
fn ask(stage: &Stage) -> Function<Ask> {
    stage.swapper.function("beta", "ask").unwrap()
}

fn asked(ask: &Function<Ask>) -> String {
    ask.call().unwrap().0
}

/// Makes alpha's method answer with this text.
fn answer(swapper: &Swapper, text: &str) {
    let text = text.to_owned();
    let patch = swapper.patch("alpha");
    patch
        .rewrite::<BuildOf, _>("Alpha::build", move || text.clone())
        .apply()
        .unwrap();
}

/// Does something on another thread, which has no pin.
fn elsewhere<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}

#[test]
fn an_importing_plugin_meets_patches_and_rollbacks() {
    let stage = stage();
    let ask = ask(&stage);
    assert_eq!(asked(&ask), "alpha 00");
    answer(&stage.swapper, "alpha patched");
    assert_eq!(asked(&ask), "alpha patched");
    let more = |build: String| build + " twice";
    let patch = stage.swapper.patch("alpha");
    patch
        .after::<BuildOf, _>("Alpha::build", more)
        .apply()
        .unwrap();
    assert_eq!(asked(&ask), "alpha patched twice");
    let patches = stage.swapper.patches("alpha");
    assert_eq!(patches.list()[1].calls, 1);
    patches.rollback(2).unwrap();
    assert_eq!(asked(&ask), "alpha 00");
    patches.redo(1).unwrap();
    assert_eq!(asked(&ask), "alpha patched");
    patches.reset().unwrap();
    assert_eq!(asked(&ask), "alpha 00");
    drop(ask);
    stage.close();
}

#[test]
fn other_methods_errors_and_panics_go_through() {
    let stage = stage();
    answer(&stage.swapper, "alpha patched");
    let greet: Function<fn(&str) -> Result<String, Refused>> =
        stage.swapper.function("beta", "greet").unwrap();
    assert_eq!(greet.call("moon").unwrap(), "moon at 1 (home)");
    let patch = stage.swapper.patch("alpha");
    type Greet = fn(&str, shapes::Vector) -> Result<String, Refused>;
    patch
        .around::<Greet, _>(
            "Alpha::greet",
            |greet: Next<'_, Greet>, name: &str, at: shapes::Vector| match name {
                "nobody" => panic!("no greeting for nobody"),
                name => Ok(greet.call((name, at))? + "!"),
            },
        )
        .apply()
        .unwrap();
    assert_eq!(greet.call("moon").unwrap(), "moon at 1 (home)!");
    let refused = greet.call("").unwrap_err();
    assert!(
        matches!(refused, CallError::Returned(Refused::No(_))),
        "{refused:?}"
    );
    for name in ["panic", "nobody"] {
        let panicked = greet.call(name).unwrap_err();
        assert!(
            matches!(panicked, CallError::Panicked { .. }),
            "{panicked:?}"
        );
    }
    drop(greet);
    stage.close();
}

#[test]
fn a_call_of_a_plugins_own_function_is_not_intercepted() {
    let stage = stage();
    answer(&stage.swapper, "alpha patched");
    let own: Function<BuildOf> = stage.swapper.function("alpha", "own_build").unwrap();
    assert_eq!(own.call().unwrap(), "alpha 00");
    drop(own);
    stage.close();
}

#[test]
fn within_one_pin_an_importing_plugin_meets_one_version() {
    let stage = stage();
    let ask = ask(&stage);
    let pin = stage.swapper.pin();
    elsewhere(|| answer(&stage.swapper, "alpha one"));
    assert_eq!(ask.on(&pin).unwrap().call().unwrap().0, "alpha 00");
    // The call of a handle is one of the newest generation.
    assert_eq!(asked(&ask), "alpha one");
    assert_eq!(elsewhere(|| asked(&ask)), "alpha one");
    drop(pin);
    let pin = stage.swapper.pin();
    elsewhere(|| {
        stage.swapper.patches("alpha").rollback(1).unwrap();
        answer(&stage.swapper, "alpha two");
    });
    assert_eq!(ask.on(&pin).unwrap().call().unwrap().0, "alpha one");
    assert_eq!(elsewhere(|| asked(&ask)), "alpha two");
    elsewhere(|| stage.swapper.patches("alpha").reset().unwrap());
    assert_eq!(ask.on(&pin).unwrap().call().unwrap().0, "alpha one");
    assert_eq!(elsewhere(|| asked(&ask)), "alpha 00");
    drop(pin);
    assert_eq!(asked(&ask), "alpha 00");
    drop(ask);
    stage.close();
}

#[test]
fn within_one_call_an_importing_plugin_meets_one_version() {
    let stage = stage();
    let ask = ask(&stage);
    answer(&stage.swapper, "alpha one");
    let swapper = stage.swapper.clone();
    let twice = move |ask: Next<'_, Ask>| {
        let (before, _) = ask.call(());
        elsewhere(|| answer(&swapper, "alpha two"));
        let (after, count) = ask.call(());
        (format!("{before}, {after}"), count)
    };
    let patch = stage.swapper.patch("beta");
    patch.around::<Ask, _>("ask", twice).apply().unwrap();
    assert_eq!(asked(&ask), "alpha one, alpha one");
    stage.swapper.patches("beta").reset().unwrap();
    assert_eq!(asked(&ask), "alpha two");
    drop(ask);
    stage.close();
}

/// The closure itself ends its patch, and is used until it returns.
#[test]
fn a_closure_lives_until_it_returns() {
    let stage = stage();
    let ask = ask(&stage);
    let (swapper, kept) = (stage.swapper.clone(), Arc::new("alpha kept".to_owned()));
    let weak: Weak<String> = Arc::downgrade(&kept);
    let patch = stage.swapper.patch("alpha");
    let body = move || {
        elsewhere(|| swapper.patches("alpha").reset().unwrap());
        kept.to_string()
    };
    patch
        .rewrite::<BuildOf, _>("Alpha::build", body)
        .apply()
        .unwrap();
    assert_eq!(asked(&ask), "alpha kept");
    assert_eq!(asked(&ask), "alpha 00");
    until("the closure to be dropped", || weak.upgrade().is_none());
    drop(ask);
    stage.close();
}

#[test]
fn a_mock_of_a_thread_covers_the_imports_that_it_calls() {
    let stage = stage();
    let ask = ask(&stage);
    let mocked = || "alpha mocked".to_owned();
    let mock = stage
        .swapper
        .mock::<BuildOf, _>("alpha", "Alpha::build", mocked);
    let mock = mock.unwrap();
    assert_eq!(asked(&ask), "alpha mocked");
    assert_eq!(elsewhere(|| asked(&ask)), "alpha 00");
    assert_eq!(mock.calls(), 1);
    let everywhere = || "alpha everywhere".to_owned();
    let all = stage
        .swapper
        .mock_everywhere::<BuildOf, _>("alpha", "Alpha::build", everywhere);
    assert_eq!(elsewhere(|| asked(&ask)), "alpha everywhere");
    assert_eq!(asked(&ask), "alpha mocked");
    drop(mock);
    assert_eq!(asked(&ask), "alpha everywhere");
    drop(all);
    assert_eq!(asked(&ask), "alpha 00");
    drop(ask);
    stage.close();
}

#[test]
fn a_mock_takes_effect_under_a_pin() {
    let stage = stage();
    let ask = ask(&stage);
    answer(&stage.swapper, "alpha one");
    let pin = stage.swapper.pin();
    let bound = ask.on(&pin).unwrap();
    elsewhere(|| answer(&stage.swapper, "alpha two"));
    let mock = stage
        .swapper
        .mock::<BuildOf, _>("alpha", "Alpha::build", || "alpha mocked".into());
    let mock = mock.unwrap();
    for _ in 0..2 {
        assert_eq!(bound.call().unwrap().0, "alpha mocked");
    }
    assert_eq!(mock.calls(), 2);
    drop(mock);
    assert_eq!(bound.call().unwrap().0, "alpha one");
    drop(pin);
    drop(ask);
    stage.close();
}

#[test]
fn a_trace_tells_of_calls_through_imports() {
    let stage = stage();
    let ask = ask(&stage);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let tell = move |call: &TracedCall| {
        let result = call.result.as_ref().unwrap().as_ref().unwrap().to_string();
        tell.lock()
            .unwrap()
            .push(format!("{}: {result}", call.function));
    };
    let options = TraceOptions::default();
    let trace = stage
        .swapper
        .trace::<BuildOf, _>("alpha", "Alpha::build", options, tell);
    assert_eq!(asked(&ask), "alpha 00");
    answer(&stage.swapper, "alpha patched");
    assert_eq!(asked(&ask), "alpha patched");
    drop(trace);
    assert_eq!(asked(&ask), "alpha patched");
    let expected = ["Alpha::build: alpha 00", "Alpha::build: alpha patched"];
    assert_eq!(*told.lock().unwrap(), expected);
    drop(ask);
    stage.close();
}

/// A thread of a plugin has no pin, and no mock of a thread of the host.
#[test]
fn a_plugins_own_thread_meets_the_live_version() {
    for mode in [UnloadMode::Quarantine, UnloadMode::Unload] {
        let watcher = Build::Registrar.bytes("watcher");
        let plugins: [(&str, &[u8]); 2] = [("alpha", &alpha(0)), ("watcher", &watcher)];
        let stage = Stage::with(&plugins, |builder| builder.unload_mode(mode));
        stage.desk.until_told("watching alpha 00");
        let mock = stage
            .swapper
            .mock::<BuildOf, _>("alpha", "Alpha::build", || "mocked".into());
        let mock = mock.unwrap();
        let pin = stage.swapper.pin();
        elsewhere(|| answer(&stage.swapper, "one"));
        stage.desk.until_told("alpha 00 has become one");
        drop(pin);
        assert_eq!(mock.calls(), 0);
        drop(mock);
        let all = stage
            .swapper
            .mock_everywhere::<BuildOf, _>("alpha", "Alpha::build", || "mocked".into());
        stage.desk.until_told("alpha 00 has become mocked");
        drop(all);
        stage.swapper.patches("alpha").rollback(1).unwrap();
        stage.desk.told();
        stage.desk.until_told("watching alpha 00");
        // The thread goes on with the old instance, as that was patched, until the hold is gone.
        answer(&stage.swapper, "two");
        stage.desk.until_told("alpha 00 has become two");
        let hold = stage.swapper.pin().hold();
        stage.swap("alpha", &alpha(1));
        stage.desk.told();
        stage.desk.until_told("alpha 00 has become two");
        drop(hold);
        stage.settle();
        stage.close();
    }
}

#[test]
fn a_reload_of_either_side_keeps_the_patch() {
    let stage = stage();
    let ask = ask(&stage);
    let more = |build: String| build + " patched";
    let patch = stage.swapper.patch("alpha");
    patch
        .after::<BuildOf, _>("Alpha::build", more)
        .apply()
        .unwrap();
    assert_eq!(asked(&ask), "alpha 00 patched");
    // Beta follows alpha.
    stage.swap("alpha", &alpha(1));
    assert_eq!(asked(&ask), "alpha 01 patched");
    stage.swapper.restart("beta").unwrap();
    assert_eq!(asked(&ask), "alpha 01 patched");
    let mut window = ReloadOptions::default();
    window.healthy_deadline = Duration::from_secs(3600);
    window.auto_promote = false;
    stage.install("alpha", &alpha(2));
    stage
        .swapper
        .prepare_reload()
        .options(window)
        .run()
        .unwrap();
    stage.swapper.patches("alpha").reset().unwrap();
    assert_eq!(asked(&ask), "alpha 02");
    // The instances that are live again have the patch that they had.
    stage.swapper.rollback().unwrap();
    assert_eq!(asked(&ask), "alpha 01 patched");
    stage.swapper.patches("alpha").reset().unwrap();
    assert_eq!(asked(&ask), "alpha 01");
    drop(ask);
    stage.close();
}

/// Two hosts in one process: what a thread has pinned of one has nothing to do with the other.
#[test]
fn a_pin_of_another_host_does_not_matter() {
    let (one, other) = (stage(), stage());
    let (ask_one, ask_other) = (ask(&one), ask(&other));
    let (pin_one, pin_other) = (one.swapper.pin(), other.swapper.pin());
    elsewhere(|| {
        answer(&one.swapper, "alpha one");
        answer(&other.swapper, "alpha other");
    });
    assert_eq!(ask_one.on(&pin_one).unwrap().call().unwrap().0, "alpha 00");
    assert_eq!(
        ask_other.on(&pin_other).unwrap().call().unwrap().0,
        "alpha 00"
    );
    drop((pin_one, pin_other));
    let pin = one.swapper.pin();
    assert_eq!(asked(&ask_other), "alpha other");
    assert_eq!(asked(&ask_one), "alpha one");
    drop(pin);
    drop((ask_one, ask_other));
    one.close();
    other.close();
}

/// The host's own handle of the interface, and a plugin's import, at once.
#[test]
fn the_host_and_a_plugin_meet_the_same_version() {
    let stage = stage();
    let ask = ask(&stage);
    let of_host: Interface<dyn Alpha> = stage.swapper.interface("alpha").unwrap();
    answer(&stage.swapper, "alpha patched");
    assert_eq!(of_host.call(|alpha| alpha.build()).unwrap(), asked(&ask));
    drop((of_host, ask));
    // Both leave while the method is patched.
    stage.swapper.unload("beta").unwrap();
    stage.swapper.unload("alpha").unwrap();
    stage.settle();
    stage.close();
}
