//! Mocks: closures in the place of functions, for the calls of one thread, of one future, or of all.
use crate::support::{Visit, answer, guest, stage, visit};
use hotswap_host::prelude::*;
use hotswap_host::{CallError, PatchError};
use hotswap_tests::fixture::Build;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;

#[test]
fn a_mock_is_for_its_thread_and_ends_when_it_is_dropped() {
    let stage = stage();
    let handle = visit(&stage);
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| "mocked".to_owned());
    let mock = mock.unwrap();
    assert_eq!(handle.call(3).unwrap(), "mocked");
    let by_name = stage
        .swapper
        .invoke("guest", "visit", &[3_u32.into()])
        .unwrap();
    assert_eq!(by_name.as_str(), Some("mocked"));
    let other = thread::scope(|scope| scope.spawn(|| handle.call(3).unwrap()).join().unwrap());
    assert_eq!(other, "3 days 00");
    drop(mock);
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn a_mock_ends_with_a_panic_too() {
    let stage = stage();
    let handle = visit(&stage);
    let test = || {
        let mock = stage
            .swapper
            .mock::<Visit, _>("guest", "visit", |_: u32| "mocked".to_owned());
        let _mock = mock.unwrap().times(7);
        assert_eq!(handle.call(3).unwrap(), "not this");
    };
    let panicked = catch_unwind(AssertUnwindSafe(test)).unwrap_err();
    let message = panicked.downcast_ref::<String>().unwrap();
    assert!(message.contains("not this"), "{message}");
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn tests_that_run_in_parallel_do_not_see_each_other() {
    const TESTS: u32 = 8;
    let stage = stage();
    let (handle, start) = (visit(&stage), Barrier::new(TESTS as usize));
    thread::scope(|scope| {
        for test in 0..TESTS {
            let (stage, handle, start) = (&stage, &handle, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..50 {
                    let expected = format!("{test} {round}");
                    let text = expected.clone();
                    let body = move |_: u32| text.clone();
                    let mock = stage
                        .swapper
                        .mock::<Visit, _>("guest", "visit", body)
                        .unwrap();
                    assert_eq!(handle.call(3).unwrap(), expected);
                    assert_eq!(mock.calls(), 1);
                }
                assert_eq!(handle.call(3).unwrap(), "3 days 00");
            });
        }
    });
    stage.close();
}

#[test]
fn a_mock_for_the_whole_host_is_seen_by_all_but_those_with_one_of_their_own() {
    let stage = stage();
    let handle = visit(&stage);
    let all = |_: u32| "for all".to_owned();
    let all = stage
        .swapper
        .mock_everywhere::<Visit, _>("guest", "visit", all)
        .unwrap();
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let own = |_: u32| "for one".to_owned();
            let _own = stage
                .swapper
                .mock::<Visit, _>("guest", "visit", own)
                .unwrap();
            handle.call(3).unwrap()
        });
        assert_eq!(other.join().unwrap(), "for one");
    });
    assert_eq!(handle.call(3).unwrap(), "for all");
    assert_eq!(all.calls(), 1);
    drop(all);
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn calls_are_counted_their_arguments_recorded_and_answers_come_in_sequence() {
    let stage = stage();
    let handle = visit(&stage);
    let answers = ["one", "two"].map(str::to_owned);
    let mock = stage
        .swapper
        .mock_sequence::<Visit, _>("guest", "visit", answers)
        .unwrap();
    let mock = mock.times(3);
    assert_eq!(handle.call(3).unwrap(), "one");
    assert_eq!(handle.call(4).unwrap(), "two");
    let error = handle.call(5).unwrap_err();
    assert!(matches!(error, CallError::Panicked { .. }), "{error}");
    assert_eq!(
        mock.arguments(),
        [3_u32, 4, 5].map(|days| vec![Value::from(days)])
    );
    drop(mock);
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| String::new())
        .unwrap();
    let missed = catch_unwind(AssertUnwindSafe(|| drop(mock.times(1)))).unwrap_err();
    let message = missed.downcast_ref::<String>().unwrap();
    let expected = "the mock of guest.visit has answered 0 calls, and 1 were expected";
    assert_eq!(message, expected);
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn a_mock_takes_effect_under_a_pin_and_is_made_under_one() {
    let stage = stage();
    let handle = visit(&stage);
    let pin = stage.swapper.pin();
    assert_eq!(handle.on(&pin).unwrap().call(3).unwrap(), "3 days 00");
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| "mocked".to_owned());
    let mock = mock.unwrap();
    assert_eq!(handle.call(3).unwrap(), "mocked");
    assert_eq!(handle.on(&pin).unwrap().call(3).unwrap(), "mocked");
    drop(mock);
    assert_eq!(handle.on(&pin).unwrap().call(3).unwrap(), "3 days 00");
    drop(pin);
    stage.close();
}

#[test]
fn a_mock_is_above_all_patches_and_no_version() {
    let stage = stage();
    let handle = visit(&stage);
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| "mocked".to_owned());
    let mock = mock.unwrap();
    answer(&stage, "patched").unwrap();
    assert_eq!(handle.call(3).unwrap(), "mocked");
    assert_eq!(stage.swapper.patches("guest").version(), 1);
    drop(mock);
    assert_eq!(handle.call(3).unwrap(), "patched");
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| "mocked".to_owned());
    let mock = mock.unwrap();
    stage.swapper.patches("guest").reset().unwrap();
    assert_eq!(handle.call(3).unwrap(), "mocked");
    drop(mock);
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn a_mock_outlives_a_reload_with_its_signature_and_refuses_any_other() {
    let stage = stage();
    let handle = visit(&stage);
    let mock = stage
        .swapper
        .mock::<Visit, _>("guest", "visit", |_: u32| "mocked".to_owned());
    let mock = mock.unwrap();
    stage.swap("guest", &guest(1));
    assert_eq!(handle.call(3).unwrap(), "mocked");
    stage.install("guest", &Build::Later.bytes("guest"));
    drop(handle);
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Mock { .. }), "{error}");
    insta::assert_snapshot!(error, @"a function of guest is mocked, and the reload does not leave it as it is: guest has no function visit: there is no function of a similar name");
    drop(mock);
    stage.swapper.reload().unwrap();
    stage.close();
}

#[test]
fn a_mock_with_another_signature_is_refused() {
    let stage = stage();
    let error = stage
        .swapper
        .mock::<fn(), _>("guest", "visit", || ())
        .unwrap_err();
    assert!(matches!(error, PatchError::Function(_)), "{error}");
    let error = stage
        .swapper
        .mock::<fn(), _>("gust", "visit", || ())
        .unwrap_err();
    assert!(
        error.to_string().ends_with("did you mean guest?"),
        "{error}"
    );
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 00");
    stage.close();
}
