//! Each operation on a function, through each way to call it.
use crate::support::{Visit, answer, guest, stage, visit};
use hotswap_host::prelude::*;
use hotswap_host::{CallError, HandleError, Next};
use hotswap_tests::Stage;
use hotswap_tests::fixture::Build;
use shapes::{Everything, Refused, Vector};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

/// Calls the guest through a handle with types, through one without, and by name.
fn each_way(stage: &Stage, days: u32) -> [String; 3] {
    let dynamic = stage.swapper.dynamic("guest", "visit").unwrap();
    let text = |value: Value| value.as_str().unwrap().to_owned();
    [
        visit(stage).call(days).unwrap(),
        text(dynamic.call(&[days.into()]).unwrap()),
        text(
            stage
                .swapper
                .invoke("guest", "visit", &[days.into()])
                .unwrap(),
        ),
    ]
}

#[test]
fn a_rewrite_answers_in_the_place_of_the_function() {
    let stage = stage();
    let before = visit(&stage);
    answer(&stage, "never").unwrap();
    assert_eq!(before.call(3).unwrap(), "never");
    assert_eq!(each_way(&stage, 3), ["never"; 3]);
    let all = stage.swapper.invoke_each("visit", &[3_u32.into()]);
    assert_eq!(all[0].1.as_ref().unwrap().as_str(), Some("never"));
    stage.close();
}

#[test]
fn a_patch_before_the_function_may_answer_early() {
    let stage = stage();
    let seen = Arc::new(AtomicU32::new(0));
    let counted = seen.clone();
    let patch = stage.swapper.patch("guest");
    patch
        .before::<Visit, _>("visit", move |days: u32| {
            counted.fetch_add(days, SeqCst);
            (days > 10).then(|| "too long".to_owned())
        })
        .apply()
        .unwrap();
    assert_eq!(each_way(&stage, 3), ["3 days 00"; 3]);
    assert_eq!(each_way(&stage, 11), ["too long"; 3]);
    assert_eq!(seen.load(SeqCst), 3 * (3 + 11));
    stage.close();
}

#[test]
fn a_patch_after_the_function_sees_and_changes_its_result() {
    let stage = stage();
    let patch = stage.swapper.patch("guest");
    patch
        .after::<Visit, _>("visit", |answer: String, days: u32| {
            format!("{answer} ({days})")
        })
        .apply()
        .unwrap();
    assert_eq!(each_way(&stage, 3), ["3 days 00 (3)"; 3]);
    stage.close();
}

#[test]
fn a_patch_around_the_function_calls_it_as_often_as_it_likes() {
    let stage = stage();
    let patch = stage.swapper.patch("guest");
    patch
        .around::<Visit, _>("visit", |visit: Next<'_, Visit>, days: u32| {
            format!("{}, {}", visit.call((days,)), visit.call((days + 1,)))
        })
        .apply()
        .unwrap();
    assert_eq!(each_way(&stage, 3), ["3 days 00, 4 days 00"; 3]);
    stage.close();
}

#[test]
fn the_first_clause_whose_guard_matches_wins_and_the_function_comes_last() {
    let stage = stage();
    let add = |index, smallest, text: &'static str| {
        let patch = stage.swapper.patch("guest");
        let guard = move |days: u32| days >= smallest;
        patch
            .add_clause::<Visit, _>("visit", index, guard, move |days: u32| {
                format!("{days} {text}")
            })
            .apply()
    };
    add(0, 10, "ten").unwrap();
    // Behind the first clause, and so it wins only below 10.
    add(1, 5, "five").unwrap();
    add(0, 20, "twenty").unwrap();
    let answers = [3, 5, 10, 20].map(|days| each_way(&stage, days)[0].clone());
    assert_eq!(answers, ["3 days 00", "5 five", "10 ten", "20 twenty"]);
    stage.close();
}

#[test]
fn a_function_is_added_and_called_like_those_of_the_plugin() {
    let stage = stage();
    let patch = stage.swapper.patch("guest");
    patch
        .add_function::<fn(&str, u64) -> Option<u64>, _>("leave", |name: &str, days: u64| {
            days.checked_sub(name.len() as u64)
        })
        .apply()
        .unwrap();
    let leave: Function<fn(&str, u64) -> Option<u64>> =
        stage.swapper.function("guest", "leave").unwrap();
    assert_eq!(leave.call("four", 7).unwrap(), Some(3));
    let by_name = stage
        .swapper
        .invoke("guest", "leave", &["four".into(), 1_u64.into()]);
    assert_eq!(by_name.unwrap(), Value::Nil);
    // The message has no name of the parameter, since a closure's type has none.
    let wrong = stage.swapper.invoke("guest", "leave", &["four".into()]);
    assert!(
        matches!(wrong, Err(CallError::Arguments { .. })),
        "{wrong:?}"
    );
    // It can be patched like any other.
    let patch = stage.swapper.patch("guest");
    patch
        .after::<fn(&str, u64) -> Option<u64>, _>("leave", |_: Option<u64>, _: &str, days: u64| {
            Some(days)
        })
        .apply()
        .unwrap();
    assert_eq!(leave.call("four", 1).unwrap(), Some(1));
    stage.swapper.patches("guest").rollback(2).unwrap();
    let error = stage
        .swapper
        .function::<fn(), _>("guest", "leave")
        .unwrap_err();
    assert!(matches!(error, HandleError::NoFunction { .. }), "{error}");
    stage.close();
}

#[test]
fn calls_of_a_function_that_was_removed_say_so() {
    let stage = stage();
    let handle = visit(&stage);
    let patches = stage.swapper.patches("guest");
    stage
        .swapper
        .patch("guest")
        .remove_function("visit")
        .apply()
        .unwrap();
    let error = handle.call(3).unwrap_err();
    assert_eq!(error.to_string(), "guest.visit was removed by patch 1");
    let error = stage
        .swapper
        .invoke("guest", "visit", &[3_u32.into()])
        .unwrap_err();
    assert_eq!(error.to_string(), "guest.visit was removed by patch 1");
    assert!(
        stage
            .swapper
            .invoke_each("visit", &[3_u32.into()])
            .is_empty()
    );
    let error = stage
        .swapper
        .function::<Visit, _>("guest", "visit")
        .unwrap_err();
    assert!(matches!(error, HandleError::NoFunction { .. }), "{error}");
    // A reload of the plugin leaves it removed, and does not mind the handle.
    stage.swap("guest", &guest(1));
    assert!(matches!(
        handle.call(3),
        Err(CallError::Removed { by: 1, .. })
    ));
    let added = stage.swapper.patch("guest");
    added
        .add_function::<Visit, _>("visit", |days: u32| format!("{days} again"))
        .apply()
        .unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 again");
    patches.rollback(2).unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 01");
    stage.close();
}

#[test]
fn operations_of_one_patch_become_live_together() {
    let stage = stage();
    let patch = stage.swapper.patch("guest");
    let version = patch
        .rewrite::<Visit, _>("visit", |days: u32| days.to_string())
        .after::<Visit, _>("visit", |answer: String, _: u32| answer + "!")
        .add_function::<fn(), _>("nothing", || ())
        .by("a test")
        .apply()
        .unwrap();
    assert_eq!(version.number, 1);
    assert_eq!(
        version.to_string(),
        "1: rewrite visit, after visit, add nothing (by a test)"
    );
    assert_eq!(each_way(&stage, 3), ["3!"; 3]);
    stage.close();
}

#[test]
fn every_kind_of_value_reaches_a_closure_and_comes_back() {
    let stage = Stage::open(&[("probe", &Build::First.bytes("probe"))]);
    type Eight = fn(&Everything) -> Result<Everything, Refused>;
    let patch = stage.swapper.patch("probe");
    patch
        .rewrite::<fn(Vector) -> Vector, _>("vector", |at: Vector| Vector { x: -at.x, ..at })
        .rewrite::<Eight, _>("through_desk", |value: &Everything| Ok(value.clone()))
        .rewrite::<fn(&[String], &[u8], &Everything) -> Vec<usize>, _>(
            "lengths",
            |texts: &[String], bytes: &[u8], _: &Everything| vec![texts.len(), bytes.len()],
        )
        .rewrite::<fn(u32) -> Result<Everything, Refused>, _>("refuse", |limit: u32| {
            Err(Refused::No(format!("more than {limit}")))
        })
        .apply()
        .unwrap();
    let everything = Everything::sample();
    let at = Vector {
        x: 3,
        label: "here".into(),
    };
    let vector: Function<fn(Vector) -> Vector> = stage.probe("vector");
    assert_eq!(vector.call(at).unwrap().x, -3);
    let through: Function<Eight> = stage.probe("through_desk");
    assert_eq!(through.call(&everything).unwrap(), everything);
    let lengths: Function<fn(&[String], &[u8], &Everything) -> Vec<usize>> = stage.probe("lengths");
    let texts = ["a".to_owned(), "b".to_owned()];
    assert_eq!(
        lengths.call(&texts[..], &b"123"[..], &everything).unwrap(),
        [2, 3]
    );
    let refuse: Function<fn(u32) -> Result<Everything, Refused>> = stage.probe("refuse");
    let refused = refuse.call(7).unwrap_err();
    assert_eq!(
        refused,
        CallError::Returned(Refused::No("more than 7".into()))
    );
    stage.close();
}

#[test]
fn a_panic_of_a_closure_is_the_error_of_the_call() {
    let stage = stage();
    let handle = visit(&stage);
    let panics = |error: CallError| match error {
        CallError::Panicked {
            function, message, ..
        } => format!("{function}: {message}"),
        other => panic!("{other}"),
    };
    let patches = stage.swapper.patches("guest");
    let patch = || stage.swapper.patch("guest");
    patch()
        .rewrite::<Visit, _>("visit", |_: u32| panic!("in the closure"))
        .apply()
        .unwrap();
    assert_eq!(panics(handle.call(3).unwrap_err()), "visit: in the closure");
    // It goes through the patches above.
    let around = |visit: Next<'_, Visit>, days: u32| visit.call((days,));
    patch().around::<Visit, _>("visit", around).apply().unwrap();
    assert_eq!(panics(handle.call(3).unwrap_err()), "visit: in the closure");
    patches.reset().unwrap();
    let guard = |days: u32| days > 5 || panic!("in the guard");
    patch()
        .add_clause::<Visit, _>("visit", 0, guard, |_: u32| "long".to_owned())
        .apply()
        .unwrap();
    assert_eq!(panics(handle.call(3).unwrap_err()), "visit: in the guard");
    assert_eq!(handle.call(6).unwrap(), "long");
    stage.close();
}

#[test]
fn a_closure_may_call_the_function_through_its_handle_and_meets_the_newest_patch() {
    let stage = stage();
    let handle = visit(&stage);
    let inner = handle.clone();
    // A function that calls itself through its handle meets a patch at the next call.
    let countdown = move |days: u32| match days {
        0 => "gone".to_owned(),
        days => format!("{days}, {}", inner.call(days - 1).unwrap()),
    };
    let patch = stage.swapper.patch("guest");
    patch
        .rewrite::<Visit, _>("visit", countdown)
        .apply()
        .unwrap();
    assert_eq!(handle.call(3).unwrap(), "3, 2, 1, gone");
    let patch = stage.swapper.patch("guest");
    let guard = |days: u32| days == 1;
    patch
        .add_clause::<Visit, _>("visit", 0, guard, |_: u32| "nearly gone".to_owned())
        .apply()
        .unwrap();
    assert_eq!(handle.call(3).unwrap(), "3, 2, nearly gone");
    // The handle in the closure would keep the swapper.
    stage.swapper.patches("guest").reset().unwrap();
    stage.close();
}

#[test]
fn within_one_pin_there_is_one_version() {
    let stage = stage();
    let handle = visit(&stage);
    let pin = stage.swapper.pin();
    let bound = handle.on(&pin).unwrap();
    assert_eq!(bound.call(3).unwrap(), "3 days 00");
    // A thread with a pin cannot patch.
    let error = answer(&stage, "never").unwrap_err();
    assert!(error.to_string().contains("holds a pin"), "{error}");
    thread::scope(|scope| {
        let patched = scope.spawn(|| answer(&stage, "never").unwrap());
        patched.join().unwrap();
    });
    assert_eq!(bound.call(3).unwrap(), "3 days 00");
    assert_eq!(handle.on(&pin).unwrap().call(3).unwrap(), "3 days 00");
    // A handle always calls the newest version.
    assert_eq!(handle.call(3).unwrap(), "never");
    drop(pin);
    let pin = stage.swapper.pin();
    assert_eq!(handle.on(&pin).unwrap().call(3).unwrap(), "never");
    drop(pin);
    stage.close();
}
