//! Tests that a call by name that does not fit is an error of its caller, and reaches no plugin.
use crate::support::Set;
use hotswap_host::prelude::*;
use hotswap_host::{HandleError, InvokeError};
use hotswap_tests::fixture::Build;
use insta::assert_snapshot;

fn set() -> Set {
    Set::open(&[
        ("guest", Build::First.bytes("guest")),
        ("probe", Build::First.bytes("probe")),
    ])
}

#[test]
fn a_function_that_nobody_knows() {
    let set = set();
    let swapper = &set.stage.swapper;
    let error = swapper.invoke("guest", "vist", &[]).unwrap_err();
    assert!(matches!(
        &error,
        InvokeError::NotLoaded { plugin, function } if plugin == "guest" && function == "vist"
    ));
    assert_snapshot!(error, @"guest.vist is not loaded in this generation");
    let error = swapper.dynamic("guest", "vist").err().unwrap();
    assert!(
        matches!(&error, HandleError::NoFunction { nearest_name: Some(name), .. } if name == "visit")
    );
    assert_snapshot!(error, @"guest has no function vist: did you mean visit?");
    let error = swapper.invoke("gest", "visit", &[]).unwrap_err();
    assert!(matches!(&error, InvokeError::NotLoaded { plugin, .. } if plugin == "gest"));
    assert_snapshot!(error, @"gest.visit is not loaded in this generation");
    let error = swapper.dynamic("gest", "visit").err().unwrap();
    assert!(
        matches!(&error, HandleError::NoPlugin { nearest_name: Some(name), .. } if name == "guest")
    );
    assert_snapshot!(error, @"no plugin gest is loaded: did you mean guest?");
    set.restored();
}

#[test]
fn arguments_that_do_not_fit() {
    let set = set();
    let swapper = &set.stage.swapper;
    let visit = swapper.dynamic("guest", "visit").unwrap();
    let wrong: [&[Value]; 4] = [&[], &[1.into(), 2.into()], &["two".into()], &[(-1).into()]];
    let texts = wrong.map(|args| {
        let error = swapper.invoke("guest", "visit", args).unwrap_err();
        assert!(matches!(
            &error,
            InvokeError::Arguments { plugin, function, .. } if plugin == "guest" && function == "visit"
        ));
        // A handle returns the same errors.
        assert_eq!(visit.call(args).unwrap_err(), error);
        error.to_string()
    });
    assert_snapshot!(texts.join("\n"), @r#"
    guest.visit: expected 1 argument, found 0
    guest.visit: expected 1 argument, found 2
    guest.visit: argument 1 at days: expected u32, found the string "two"
    guest.visit: argument 1 at days: expected u32, found the integer -1
    "#);
    assert_eq!(visit.call(&[2.into()]).unwrap(), "2 days 00".into());
    drop(visit);
    set.restored();
}

/// The plugin's code is not reached by any of these calls.
#[test]
fn nothing_runs() {
    let set = set();
    let count = |args: &[Value]| set.stage.swapper.invoke("probe", "count", args);
    let before = count(&[]).unwrap().to_string();
    count(&[Value::Nil]).unwrap_err();
    let after = count(&[]).unwrap().to_string();
    assert_eq!((&*before, &*after), ("[1, 1, 1]", "[2, 2, 2]"));
    set.stage.close();
}
