//! Tests that two versions of a plugin share nothing while both are loaded.
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, ordered};
use shapes::Vector;

type Count = fn() -> (u64, u64, u64);

#[test]
fn statics_thread_locals_and_instances_are_each_versions_own() {
    let probe = Build::First.bytes("probe");
    let stage = Stage::open(&[("probe", &probe)]);
    let count: Function<Count> = stage.probe("count");
    for n in 1..=5 {
        assert_eq!(count.call().unwrap(), (n, n, n));
    }
    let old = stage.swapper.pin();
    let other = ordered(&probe, "another build");
    std::thread::scope(|scope| {
        // The reload runs on a thread without a pin.
        scope.spawn(|| stage.swap("probe", &other));
    });
    // One thread calls both in turn: the new version through the handle, and the old one through the pin.
    for n in 1..=5 {
        assert_eq!(count.call().unwrap(), (n, n, n));
        assert_eq!(
            count.on(&old).unwrap().call().unwrap(),
            (5 + n, 5 + n, 5 + n)
        );
    }
    // A second thread has its own thread-locals in each version.
    std::thread::scope(|scope| {
        let calls = scope.spawn(|| count.call().unwrap());
        assert_eq!(calls.join().unwrap(), (6, 1, 6));
    });
    drop(old);
    stage.settle();
    // The first build comes back, and its statics have their initial values.
    stage.swap("probe", &probe);
    assert_eq!(count.call().unwrap(), (1, 1, 1));
    stage.settle();
    stage.close();
}

#[test]
fn a_type_with_another_field_is_each_versions_own() {
    let (first, later) = (Build::First.bytes("probe"), Build::Later.bytes("probe"));
    let stage = Stage::open(&[("probe", &first)]);
    let pin = stage.swapper.pin();
    std::thread::scope(|scope| {
        scope.spawn(|| stage.swap("probe", &later));
    });
    let new = stage.swapper.pin();
    let old_vector = |x: i64| {
        Value::encode(&Vector {
            x,
            label: "here".into(),
        })
    };
    let mut new_vector = old_vector(1);
    if let Value::Map(fields) = &mut new_vector {
        fields.insert("y".into(), 2.into());
    }
    for _ in 0..3 {
        let moved = pin.invoke("probe", "vector", &[old_vector(1)]).unwrap();
        assert_eq!(moved.to_string(), r#"{label: "here moved", x: 2}"#);
        let moved = new
            .invoke("probe", "vector", std::slice::from_ref(&new_vector))
            .unwrap();
        assert_eq!(
            moved.to_string(),
            r#"{label: "here moved later", x: 11, y: 12}"#
        );
    }
    // A value of one version is not accepted by the other.
    let wrong = pin.invoke("probe", "vector", &[new_vector]).unwrap_err();
    assert!(wrong.to_string().contains("\"y\""), "{wrong}");
    let wrong = new.invoke("probe", "vector", &[old_vector(1)]).unwrap_err();
    assert!(wrong.to_string().contains('y'), "{wrong}");
    drop((pin, new));
    stage.settle();
    stage.close();
}
