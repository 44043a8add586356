//! Patches that are refused, after which nothing has changed.
use crate::support::{Visit, answer, stage, visit};
use hotswap_host::PatchError;
use hotswap_host::prelude::*;

/// Checks that a patch is refused, that the guest answers as before, and that it has no patches. Returns the error.
fn refused(
    patch: impl FnOnce(&Swapper) -> Result<hotswap_host::PatchVersion, PatchError>,
) -> String {
    let stage = stage();
    let handle = visit(&stage);
    let error = patch(&stage.swapper).unwrap_err();
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    let patches = stage.swapper.patches("guest");
    assert!(patches.list().is_empty() && patches.undone().is_empty());
    stage.close();
    error.to_string()
}

#[test]
fn another_signature() {
    let error = refused(|swapper| {
        let body = |_: &str| String::new();
        swapper
            .patch("guest")
            .rewrite::<fn(&str) -> String, _>("visit", body)
            .apply()
    });
    insta::assert_snapshot!(error, @r#"
    the host cannot patch visit of guest: the signatures differ
      the patch expects days: &str
      guest has         days: u32
      write the signature that the plugin has
    "#);
    assert!(error.lines().count() <= 6);
}

#[test]
fn a_future_for_a_function_that_is_not_async() {
    let error = refused(|swapper| {
        let body = |_: u32| async { String::new() };
        swapper
            .patch("guest")
            .rewrite_async::<Visit, _, _>("visit", body)
            .apply()
    });
    insta::assert_snapshot!(error, @r#"
    the host cannot patch visit of guest: the signatures differ
      the patch expects async fn visit(u32) -> String
      guest has         fn visit(days: u32) -> String
      write the signature that the plugin has
    "#);
}

#[test]
fn a_function_that_the_plugin_does_not_have() {
    let error = refused(|swapper| {
        let body = |_: u32| String::new();
        swapper
            .patch("guest")
            .rewrite::<Visit, _>("vist", body)
            .apply()
    });
    insta::assert_snapshot!(error, @"guest has no function vist: did you mean visit?");
}

#[test]
fn a_plugin_that_is_not_loaded() {
    let error = refused(|swapper| {
        let body = |_: u32| String::new();
        swapper
            .patch("gust")
            .rewrite::<Visit, _>("visit", body)
            .apply()
    });
    insta::assert_snapshot!(error, @"no plugin gust is loaded: did you mean guest?");
}

#[test]
fn a_function_of_std_of_another_crate_or_of_the_host() {
    let error = refused(|swapper| {
        let body = |_: u32| String::new();
        swapper
            .patch("guest")
            .rewrite::<Visit, _>("std::process::exit", body)
            .apply()
    });
    insta::assert_snapshot!(error, @"std::process::exit is not a function of the plugin guest; functions with `#[invoke]`, live functions, and methods of exported interfaces (`Interface::method`) can be patched, and functions of the host, of std, and of other crates cannot");
    for path in [
        "serde_json::to_string",
        "hotswap_host::Swapper::reload",
        "main",
    ] {
        let error = refused(|swapper| {
            let body = |_: u32| String::new();
            let patch = swapper.patch("guest");
            patch.rewrite::<Visit, _>(path, body).apply()
        });
        let expected = match path {
            "main" => "guest has no function main",
            path => &format!("{path} is not a function of the plugin guest;"),
        };
        assert!(error.starts_with(expected), "{error}");
    }
    let error = refused(|swapper| {
        let body = |_: u32| String::new();
        swapper
            .patch("std")
            .rewrite::<Visit, _>("exit", body)
            .apply()
    });
    insta::assert_snapshot!(error, @"no plugin std is loaded: there is no plugin of a similar name");
}

#[test]
fn a_function_to_be_added_that_is_there() {
    let error = refused(|swapper| {
        let body = |_: u32| String::new();
        swapper
            .patch("guest")
            .add_function::<Visit, _>("visit", body)
            .apply()
    });
    insta::assert_snapshot!(error, @"guest already has a function visit; rewrite it instead");
}

#[test]
fn a_function_that_the_same_patch_removes() {
    let error = refused(|swapper| {
        let body = |_: u32| String::new();
        let patch = swapper.patch("guest").remove_function("visit");
        patch.rewrite::<Visit, _>("visit", body).apply()
    });
    insta::assert_snapshot!(error, @"guest.visit was removed by patch 1; roll that patch back, or add the function again");
}

#[test]
fn a_clause_behind_more_clauses_than_there_are() {
    let error = refused(|swapper| {
        let patch = swapper.patch("guest");
        let guard = |_: u32| true;
        patch
            .add_clause::<Visit, _>("visit", 1, guard, |_: u32| String::new())
            .apply()
    });
    insta::assert_snapshot!(error, @"clause 1 cannot be added to guest.visit, which has 0 on top; choose a number from 0 to 0");
}

#[test]
fn a_patch_without_operations() {
    let error = refused(|swapper| swapper.patch("guest").apply());
    insta::assert_snapshot!(error, @"the patch of guest changes nothing; add an operation, such as `rewrite`");
}

#[test]
fn a_plugin_that_was_unloaded() {
    let stage = stage();
    answer(&stage, "patched").unwrap();
    stage.swapper.unload("guest").unwrap();
    let patches = stage.swapper.patches("guest");
    assert!(matches!(
        answer(&stage, "again"),
        Err(PatchError::Function(_))
    ));
    assert!(matches!(patches.rollback(1), Err(PatchError::Function(_))));
    assert!(patches.list().is_empty());
    // When it comes back, it is as it was built.
    stage.swapper.load(stage.file("guest")).unwrap();
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn a_patch_from_inside_a_call() {
    let stage = stage();
    let swapper = stage.swapper.clone();
    let body = move |_: u32| match swapper.patches("guest").rollback(1) {
        Ok(version) => version.to_string(),
        Err(error) => error.to_string(),
    };
    stage
        .swapper
        .patch("guest")
        .rewrite::<Visit, _>("visit", body)
        .apply()
        .unwrap();
    let error = visit(&stage).call(3).unwrap();
    assert!(error.contains("from inside a call"), "{error}");
    // The closure has a swapper.
    stage.swapper.patches("guest").reset().unwrap();
    stage.close();
}
