//! Patches of live functions.
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::Build;

type RollCall = fn(&str) -> String;

#[test]
fn a_live_function_is_patched_in_the_plugin_that_has_it() {
    let stage = Stage::open(&[("office", &Build::Live.bytes("office"))]);
    let swapper = &stage.swapper;
    let roll_call: Function<RollCall> = swapper.live_function("roll_call").unwrap();
    let own = roll_call.call("kitchen").unwrap();
    let body = |department: &str| format!("nobody in the {department}");
    let patch = swapper.patch("office");
    patch
        .rewrite::<RollCall, _>("roll_call", body)
        .apply()
        .unwrap();
    let expected = "nobody in the kitchen";
    assert_eq!(roll_call.call("kitchen").unwrap(), expected);
    let by_name = swapper
        .invoke_live("roll_call", &["kitchen".into()])
        .unwrap();
    assert_eq!(by_name.as_str(), Some(expected));
    let of_plugin = |function: &str, args: &[Value]| {
        let answer = swapper.invoke("office", function, args).unwrap();
        answer.as_str().unwrap().to_owned()
    };
    // Calls by name of a plugin meet the patch, and its calls with types do not.
    stage.desk.open("now");
    let args = Value::from(vec![Value::from("kitchen")]);
    assert_eq!(
        of_plugin("ask", &["now".into(), "roll_call".into(), args]),
        expected
    );
    assert_eq!(of_plugin("roll_call_of", &["kitchen".into()]), own);
    swapper.patches("office").rollback(1).unwrap();
    assert_eq!(roll_call.call("kitchen").unwrap(), own);
    stage.close();
}

#[test]
fn a_live_function_is_removed() {
    let stage = Stage::open(&[("office", &Build::Live.bytes("office"))]);
    let swapper = &stage.swapper;
    let roll_call: Function<RollCall> = swapper.live_function("roll_call").unwrap();
    swapper
        .patch("office")
        .remove_function("roll_call")
        .apply()
        .unwrap();
    assert!(matches!(
        roll_call.call("kitchen"),
        Err(CallError::Removed { by: 1, .. })
    ));
    let by_name = swapper.invoke_live("roll_call", &["kitchen".into()]);
    assert!(
        matches!(by_name, Err(CallError::NotLive { .. })),
        "{by_name:?}"
    );
    swapper.patches("office").reset().unwrap();
    assert!(roll_call.call("kitchen").unwrap().starts_with("kitchen"));
    stage.close();
}
