//! Tests that handles always mean the newest build, and that no reload takes their function away.
use hotswap_host::HandleError;
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, ordered};
use std::sync::Arc;

#[test]
fn names_are_looked_up_with_help() {
    let stage = Stage::open(&[("probe", &Build::First.bytes("probe"))]);
    let swapper = &stage.swapper;
    let error = swapper.function::<fn(), _>("prob", "disarm").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no plugin prob is loaded: did you mean probe?"
    );
    let error = swapper.function::<fn(), _>("probe", "disrm").unwrap_err();
    assert_eq!(
        error.to_string(),
        "probe has no function disrm: did you mean disarm?"
    );
    assert!(matches!(
        swapper.dynamic("other", "x"),
        Err(HandleError::NoPlugin {
            nearest_name: None,
            ..
        })
    ));
    // Names may be written with other cases.
    swapper
        .function::<fn(), _>("PROBE", "disarm")
        .unwrap()
        .call()
        .unwrap();
    stage.close();
}

#[test]
fn another_signature_is_refused_with_both() {
    let stage = Stage::open(&[("probe", &Build::First.bytes("probe"))]);
    let error = stage
        .swapper
        .function::<fn(u64) -> u32, _>("probe", "next")
        .unwrap_err();
    insta::assert_snapshot!(error);
    let error = stage
        .swapper
        .function::<fn(&str) -> u32, _>("probe", "count")
        .unwrap_err();
    insta::assert_snapshot!(error);
    stage.close();
}

#[test]
fn calls_with_values_are_checked() {
    let stage = Stage::open(&[("probe", &Build::First.bytes("probe"))]);
    let invoke = |function: &str, args: &[Value]| stage.swapper.invoke("probe", function, args);
    assert_eq!(invoke("next", &[41.into()]).unwrap(), Value::Int(42));
    assert_eq!(
        invoke("count_args", &[Value::Nil, true.into()]).unwrap(),
        Value::Int(2)
    );
    assert_eq!(
        invoke("fail", &["it".into()]),
        Err(CallError::Returned("it".into()))
    );
    assert_eq!(
        invoke("nothing", &[]).unwrap_err().to_string(),
        "the probe has no function nothing"
    );
    let texts = [
        invoke("next", &[]),
        invoke("next", &["x".into()]),
        invoke("next", &[(1_i64 << 32).into()]),
        invoke("next", &[1.into(), 2.into()]),
        invoke(
            "eight",
            &[
                1.into(),
                2.into(),
                "c".into(),
                0.5.into(),
                true.into(),
                "no char".into(),
                Value::Nil,
                Value::Nil,
            ],
        ),
        stage.swapper.invoke("nobody", "next", &[]),
    ];
    let texts: Vec<_> = texts.map(|result| result.unwrap_err().to_string()).into();
    insta::assert_snapshot!(texts.join("\n"));

    let next = stage.swapper.dynamic("probe", "next").unwrap();
    assert_eq!(next.call(&[1.into()]).unwrap(), Value::Int(2));
    stage.close();
}

#[test]
fn eight_parameters_of_all_kinds() {
    let stage = Stage::open(&[("probe", &Build::First.bytes("probe"))]);
    type Eight = fn(u8, i64, &str, f64, bool, char, Option<u32>, &[u16]) -> String;
    let eight: Function<Eight> = stage.probe("eight");
    let answer = eight
        .call(1, -2, "three", 4.5, true, 'f', Some(7), &[8, 8])
        .unwrap();
    assert_eq!(answer, "1 -2 three 4.5 true f Some(7) [8, 8]");
    stage.close();
}

#[test]
fn a_reload_that_would_change_a_signature_is_refused_while_there_is_a_handle() {
    let (first, later) = (Build::First.bytes("probe"), Build::Later.bytes("probe"));
    let stage = Stage::open(&[("probe", &first)]);
    let next: Function<fn(u32) -> u32> = stage.probe("next");
    let copy = next.clone();
    stage.install("probe", &later);
    let error = stage.swapper.reload().unwrap_err();
    assert!(
        matches!(&error, ReloadError::Handle { plugin, item, .. } if *plugin == "probe" && item == "next")
    );
    insta::assert_snapshot!(error);
    assert_eq!((next.call(1).unwrap(), stage.swapper.generation()), (2, 1));
    stage.settle();
    drop(next);
    stage.swapper.reload().unwrap_err();
    // A reload is accepted as soon as the last handle is dropped.
    drop(copy);
    stage.swapper.reload().unwrap();
    let next: Function<fn(u64) -> u64> = stage.probe("next");
    assert_eq!(next.call(1 << 40).unwrap(), (1 << 40) + 1);
    stage.settle();
    stage.close();
}

#[test]
fn a_reload_that_would_lose_a_function_or_a_plugin_is_refused_while_there_is_a_handle() {
    let (first, later) = (Build::First.bytes("guest"), Build::Later.bytes("guest"));
    let stage = Stage::with(&[("guest", &first)], |builder| builder.allow_empty(true));
    let visit: Function<fn(u32) -> String> = stage.swapper.function("guest", "visit").unwrap();
    stage.install("guest", &later);
    let lost = stage.swapper.reload().unwrap_err();
    std::fs::remove_file(stage.file("guest")).unwrap();
    let gone = stage.swapper.reload().unwrap_err();
    insta::assert_snapshot!(format!("{lost}\n{gone}"));
    assert_eq!(visit.call(2).unwrap(), "2 days 00");
    stage.close();
}

/// The number of a dropped handle is given to the next one.
#[test]
fn on_an_older_generation_a_handle_means_what_it_meant_there() {
    let probe = Build::First.bytes("probe");
    let stage = Stage::open(&[("probe", &probe)]);
    let pin = stage.swapper.pin();
    drop(stage.probe::<fn() -> (u64, u64, u64), _>("count"));
    std::thread::scope(|scope| {
        scope.spawn(|| stage.swap("probe", &ordered(&probe, "another build")));
    });
    let build: Function<fn() -> String> = stage.probe("build");
    let old = build.on(&pin).unwrap().call().unwrap();
    assert_eq!(old, hotswap_tests::fixture::build_id(&probe).to_string());
    assert_ne!(build.call().unwrap(), old);
    drop(pin);
    // The pin belongs to another host, where the handle means nothing.
    let other = Stage::open(&[("guest", &Build::First.bytes("guest"))]);
    let pin = other.swapper.pin();
    assert!(matches!(build.on(&pin), Err(HandleError::NoPlugin { .. })));
    drop(pin);
    other.close();
    stage.settle();
    stage.close();
}

#[test]
fn a_handle_outlives_the_swapper_and_the_plugin() {
    let probe = Build::First.bytes("probe");
    let stage = Stage::open(&[("probe", &probe)]);
    let next: Arc<Function<fn(u32) -> u32>> = Arc::new(stage.probe("next"));
    let theirs = next.clone();
    std::thread::spawn(move || assert_eq!(theirs.call(1).unwrap(), 2))
        .join()
        .unwrap();
    stage.swap("probe", &ordered(&probe, "another build"));
    assert_eq!(next.call(1).unwrap(), 2);
    stage.close();
    assert!(matches!(next.call(1), Err(CallError::NotLoaded { .. })));
}

/// Two hosts have separate tables. On a pin of the other host, a handle means the function of the same name there.
#[test]
fn a_handle_on_a_pin_of_another_host() {
    let probe = Build::First.bytes("probe");
    let (ours, theirs) = (
        Stage::open(&[("probe", &probe)]),
        Stage::open(&[("probe", &probe)]),
    );
    let build: Function<fn() -> String> = ours.probe("build");
    let reload: Function<fn() -> String> = theirs.probe("reload");
    let expected = theirs.swapper.invoke("probe", "build", &[]).unwrap();
    let pin = theirs.swapper.pin();
    let answer = build.on(&pin).unwrap().call().unwrap();
    assert_eq!(Value::from(answer), expected);
    drop((pin, reload));
    theirs.close();
    ours.close();
}
