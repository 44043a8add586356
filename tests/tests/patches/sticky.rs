//! Plugins and functions that are not to be changed.
use crate::support::{Visit, append, guest, stage_with, visit};
use hotswap_host::prelude::*;
use hotswap_host::{PatchError, PatchVersion};
use hotswap_tests::Stage;

fn overridden(stage: &Stage) -> Result<PatchVersion, PatchError> {
    let patch = stage.swapper.patch("guest").override_sticky();
    patch
        .rewrite::<Visit, _>("visit", |_: u32| "patched".to_owned())
        .apply()
}

#[test]
fn what_is_sticky_is_not_patched_without_the_host_and_the_call_allowing_it() {
    for of_function in [false, true] {
        for allowed in [false, true] {
            let stage = stage_with(|builder| {
                let builder = builder.allow_override_sticky(allowed);
                match of_function {
                    true => builder.sticky_function("guest", "visit"),
                    false => builder.sticky("guest"),
                }
            });
            let handle = visit(&stage);
            let error = append(&stage, "!").unwrap_err();
            let what = if of_function { "guest.visit" } else { "guest" };
            let remedy = match allowed {
                true => "ask for it with `override_sticky`",
                false => "this host does not allow that",
            };
            let expected = format!("{what} is sticky and cannot be changed: {remedy}");
            assert_eq!(error.to_string(), expected);
            assert_eq!(handle.call(3).unwrap(), "3 days 00");
            match overridden(&stage) {
                Ok(version) => assert!(allowed && version.overrode_sticky),
                Err(error) => assert!(!allowed, "{error}"),
            }
            let expected = if allowed { "patched" } else { "3 days 00" };
            assert_eq!(handle.call(3).unwrap(), expected);
            stage.close();
        }
    }
}

#[test]
fn other_functions_of_a_plugin_with_a_sticky_one_are_patched() {
    let stage = stage_with(|builder| builder.sticky_function("guest", "visit"));
    let patch = stage.swapper.patch("guest");
    let patch = patch.add_function::<fn(), _>("nothing", || ());
    assert!(!patch.apply().unwrap().overrode_sticky);
    // A new build may change it.
    stage.swap("guest", &guest(1));
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 01");
    stage.close();
}

#[test]
fn a_sticky_plugin_is_neither_replaced_nor_removed() {
    let stage = stage_with(|builder| builder.sticky("guest").allow_empty(true));
    stage.install("guest", &guest(1));
    let error = stage.swapper.reload().unwrap_err();
    insta::assert_snapshot!(error, @"guest is sticky and cannot be replaced: this host does not allow that");
    let error = stage
        .swapper
        .prepare_reload()
        .override_sticky()
        .run()
        .unwrap_err();
    assert!(matches!(error, ReloadError::Sticky { .. }), "{error}");
    let error = stage.swapper.unload("guest").unwrap_err();
    assert!(matches!(error, ReloadError::Sticky { .. }), "{error}");
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn a_sticky_plugin_is_replaced_where_host_and_caller_allow_it() {
    let stage = stage_with(|builder| builder.sticky("guest").allow_override_sticky(true));
    stage.install("guest", &guest(1));
    assert!(stage.swapper.reload().is_err());
    stage
        .swapper
        .prepare_reload()
        .override_sticky()
        .run()
        .unwrap();
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 01");
    stage.close();
}
