//! Tests calls of live functions by the host.
use crate::support::{numbered, office, office_numbered};
use hotswap_host::HandleError;
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::Build;
use hotswap_tests::load::under_load;

#[test]
fn a_handle_means_the_newest_build() {
    let stage = Stage::open(&[("office", &office())]);
    let roll_call: Function<fn(&str) -> String> = stage.swapper.live_function("roll_call").unwrap();
    assert_eq!(roll_call.call("accounts").unwrap(), "accounts of office 00");
    stage.swap("office", &office_numbered(1));
    assert_eq!(roll_call.call("accounts").unwrap(), "accounts of office 01");
    let before = stage.swapper.pin();
    stage.swapper.pin();
    assert_eq!(
        roll_call.on(&before).unwrap().call("x").unwrap(),
        "x of office 01"
    );
    drop(before);
    stage.settle();
    stage.close();
}

#[test]
fn names_are_compared_as_all_names_are_and_mistyped_ones_come_with_help() {
    let stage = Stage::open(&[("office", &office())]);
    let swapper = &stage.swapper;
    for name in ["roll_call", "Roll-Call", "ROLL_CALL"] {
        let called = swapper.invoke_live(name, &["x".into()]).unwrap();
        assert_eq!(called, Value::from("x of office 00"));
    }
    let error = swapper.live_function::<fn(&str) -> String, _>("rol_call");
    let error = error.unwrap_err();
    assert!(matches!(error, HandleError::NotLive { .. }));
    assert_eq!(
        error.to_string(),
        "there is no live function rol_call in this generation: did you mean roll_call?"
    );
    let error = swapper.invoke_live("nothing_like_it", &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no live function nothing_like_it in this generation: there is no live function of a similar name"
    );
    stage.close();
}

#[test]
fn what_a_call_gives_and_how_it_fails() {
    let stage = Stage::open(&[("office", &office())]);
    let swapper = &stage.swapper;
    let invoke = |name: &str, args: &[Value]| swapper.invoke_live(name, args);
    assert_eq!(
        invoke("add", &[40.into(), 2.into()]).unwrap(),
        Value::Int(42)
    );
    assert_eq!(
        invoke("live_hum", &[2.into()]).unwrap(),
        Value::from("hum hum ")
    );
    let refused = invoke("refuse", &["no reason".into()]);
    assert_eq!(refused, Err(CallError::Returned("no reason".into())));
    let error = invoke("fall", &["down".into()]).unwrap_err();
    assert_eq!(error.to_string(), "office.fall panicked: down");
    let error = invoke("add", &[1.into(), "x".into()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"office.add: argument 2 at b: expected i64, found the string "x""#
    );
    let error = invoke("add", &[1.into()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "office.add: expected 2 arguments, found 1"
    );

    let refuse: Function<fn(&str) -> hotswap_plugin::Result<u8>> =
        swapper.live_function("refuse").unwrap();
    assert_eq!(refuse.call("twice").unwrap_err().to_string(), "twice");
    let fall: Function<fn(&str)> = swapper.live_function("fall").unwrap();
    assert_eq!(
        fall.call("flat").unwrap_err().to_string(),
        "office.fall panicked: flat"
    );
    let error = swapper.live_function::<fn(i64, i64) -> u8, _>("add");
    insta::assert_snapshot!(error.unwrap_err(), @r"
    the host cannot call add of office: the signatures differ
      the host expects result: u8
      office has       result: i64
      build the plugin again, and the host: cargo hotswap build -p office
    ");
    stage.close();
}

#[test]
fn modules_within_modules_and_other_crates_have_live_functions() {
    let stage = Stage::open(&[("office", &office())]);
    let swapper = &stage.swapper;
    let deep: Function<fn() -> u8> = swapper.live_function("live_deep").unwrap();
    assert_eq!(deep.call().unwrap(), 3);
    let there: Function<fn(u8) -> Vec<String>> = swapper.live_function("who_is_there").unwrap();
    assert_eq!(there.call(1).unwrap(), ["Ben"]);
    let eight: Function<fn(u8, u16, u32, u64, &str, bool, &[i32], f64) -> String> =
        swapper.live_function("job_eight").unwrap();
    assert_eq!(
        eight.call(1, 2, 3, 4, "e", true, &[-1], 0.5).unwrap(),
        "1 2 3 4 e true [-1] 0.5"
    );
    // This name does not begin with the prefix.
    assert!(swapper.invoke_live("lively", &[]).is_err());
    stage.close();
}

#[test]
fn a_reload_that_would_take_one_away_is_refused_while_there_is_a_handle() {
    let stage = Stage::open(&[("office", &office())]);
    let add: Function<fn(i64, i64) -> i64> = stage.swapper.live_function("add").unwrap();
    let refused = |library: &[u8]| {
        stage.install("office", library);
        let error = stage.swapper.reload().unwrap_err().to_string();
        assert_eq!(add.call(1, 2).unwrap(), 3);
        stage.settle();
        error
    };
    insta::assert_snapshot!(refused(&Build::LiveLater.bytes("office")), @r"
    the host holds a handle of office.add: the host cannot call add of office: the signatures differ
      the host expects fn add(i64, i64) -> i64
      office has       fn add(a: i64, b: i64, loud: bool) -> i64
      build the plugin again, and the host: cargo hotswap build -p office
    ");
    insta::assert_snapshot!(refused(&Build::LiveWithout.bytes("office")), @"the host holds a handle of office.add: no plugin would have such a live function; put it back, or drop the handle before the reload");
    drop(add);
    stage.swapper.reload().unwrap();
    assert!(
        stage
            .swapper
            .invoke_live("add", &[1.into(), 2.into()])
            .is_err()
    );
    stage.close();
}

#[test]
fn no_call_fails_while_builds_are_swapped() {
    const SWAPS: u8 = 60;
    let stage = Stage::open(&[("office", &office())]);
    let roll_call: Function<fn(&str) -> String> = stage.swapper.live_function("roll_call").unwrap();
    let library = office();
    let calls = under_load(
        |caller, before| {
            let text = format!("{caller}-{before}");
            let said = match before % 2 {
                0 => roll_call.call(&text).unwrap(),
                _ => {
                    let said = stage
                        .swapper
                        .invoke_live("roll_call", &[text.as_str().into()]);
                    said.unwrap().as_str().unwrap().to_owned()
                }
            };
            assert!(said.starts_with(&format!("{text} of office ")), "{said}");
        },
        || {
            for number in 1..=SWAPS {
                stage.swap("office", &numbered(&library, number));
                assert_eq!(
                    roll_call.call("x").unwrap(),
                    format!("x of office {number:02}")
                );
            }
        },
    );
    assert!(calls > u64::from(SWAPS));
    stage.settle();
    stage.close();
}
