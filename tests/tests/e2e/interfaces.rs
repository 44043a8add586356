//! Tests the host's handles to the interfaces that plugins export.
use hotswap_host::HandleError;
use hotswap_host::prelude::*;
use hotswap_plugin::interface;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, renamed, variant};
use shapes::{Alpha, Refused, Vector};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn alpha(number: u8) -> Vec<u8> {
    variant(
        &Build::First.bytes("alpha"),
        "alpha 00",
        &format!("alpha {number:02}"),
    )
}

/// A build of alpha that exports nothing: guest under another name.
fn bare_alpha() -> Vec<u8> {
    renamed(&Build::First.bytes("guest"), "guest", "alpha")
}

fn stage() -> Stage {
    Stage::open(&[
        ("alpha", &alpha(1)),
        ("guest", &Build::First.bytes("guest")),
    ])
}

fn here() -> Vector {
    Vector {
        x: 7,
        label: "here".into(),
    }
}

#[test]
fn a_handle_calls_the_newest_build() {
    let stage = stage();
    let alpha: Interface<dyn Alpha> = stage.swapper.interface("alpha").unwrap();
    let greeted = alpha.call(|alpha| alpha.greet("Ada", here())).unwrap();
    assert_eq!(greeted.unwrap(), "Ada at 7 (here)");
    // The plugin's own error is the result of the method.
    let refused = alpha.call(|alpha| alpha.greet("", here())).unwrap();
    assert_eq!(refused, Err(Refused::No("nobody to greet".into())));
    // The proxy implements `Alpha`, too.
    fn build(alpha: &impl Alpha) -> String {
        alpha.build()
    }
    assert_eq!(alpha.call(build).unwrap(), "alpha 01");
    stage.swap("alpha", &self::alpha(2));
    assert_eq!(alpha.call(build).unwrap(), "alpha 02");
    // The same holds on other threads, with clones that live on their own.
    let theirs = alpha.clone();
    let theirs = std::thread::spawn(move || theirs.call(build).unwrap());
    assert_eq!(theirs.join().unwrap(), "alpha 02");
    assert_eq!(format!("{alpha:?}"), "alpha.Alpha");
    stage.settle();
    stage.close();
    let error = alpha.call(build).unwrap_err();
    assert_eq!(
        error.to_string(),
        "alpha.Alpha is not loaded in this generation"
    );
}

#[test]
fn the_calls_of_one_closure_are_on_one_generation() {
    let stage = stage();
    let alpha = stage.swapper.interface::<dyn Alpha>("alpha").unwrap();
    alpha
        .call(|old| {
            assert_eq!(old.build(), "alpha 01");
            std::thread::scope(|scope| {
                scope.spawn(|| stage.swap("alpha", &self::alpha(2)));
            });
            assert_eq!(old.build(), "alpha 01");
            // A handle means the newest build, even here.
            assert_eq!(alpha.call(|alpha| alpha.build()).unwrap(), "alpha 02");
            assert_eq!(old.build(), "alpha 01");
        })
        .unwrap();
    stage.settle();
    stage.close();
}

#[test]
fn on_a_pinned_generation_a_handle_means_that() {
    let stage = stage();
    let pin = stage.swapper.pin();
    let alpha = stage.swapper.interface::<dyn Alpha>("alpha").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| stage.swap("alpha", &self::alpha(2)));
    });
    let old = alpha.on(&pin).unwrap();
    assert_eq!(old.call(|alpha| alpha.build()).unwrap(), "alpha 01");
    // The same holds for a handle that was made later.
    let later = stage.swapper.interface::<dyn Alpha>("alpha").unwrap();
    assert_eq!(
        later.on(&pin).unwrap().call(|alpha| alpha.build()).unwrap(),
        "alpha 01"
    );
    let error = old.call(|alpha| alpha.greet("panic", here())).unwrap_err();
    assert!(matches!(error, CallError::Panicked { .. }), "{error:?}");
    drop(pin);
    stage.settle();
    stage.close();
}

#[test]
fn a_panic_of_the_plugin_is_an_error_and_one_of_the_closure_goes_on() {
    let stage = stage();
    let alpha = stage.swapper.interface::<dyn Alpha>("alpha").unwrap();
    let error = alpha
        .call(|alpha| alpha.greet("panic", here()))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "alpha.Alpha panicked: no greeting for here"
    );
    let own = catch_unwind(AssertUnwindSafe(|| {
        alpha.call(|alpha| {
            alpha.build();
            std::panic::panic_any(7_u8);
        })
    }));
    assert_eq!(own.unwrap_err().downcast_ref(), Some(&7_u8));
    // Neither call has left a pin behind.
    stage.swap("alpha", &self::alpha(2));
    stage.settle();
    stage.close();
}

/// The host's author has mistyped a name, or has another version of an interface.
mod mistaken {
    use super::interface;

    #[interface]
    pub trait Alpa: Send + Sync {
        fn build(&self) -> String;
    }

    #[interface]
    pub trait Tick: Send + Sync {
        fn tick(&self);
    }
}

#[test]
fn what_is_not_exported_is_told_with_what_is() {
    let stage = stage();
    let errors = [
        stage.swapper.interface::<dyn Alpha>("alhpa").map(drop),
        stage.swapper.interface::<dyn Alpha>("guest").map(drop),
        stage
            .swapper
            .interface::<dyn mistaken::Alpa>("alpha")
            .map(drop),
        stage
            .swapper
            .interface::<dyn mistaken::Tick>("alpha")
            .map(drop),
    ];
    let errors = errors.map(|result| result.unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"));
    stage.close();
}

#[test]
fn another_version_of_an_interface_is_refused() {
    let stage = Stage::open(&[("alpha", &Build::Later.bytes("alpha"))]);
    let error = stage.swapper.interface::<dyn Alpha>("alpha").unwrap_err();
    assert!(matches!(&error, HandleError::Interface { interface, .. } if interface == "Alpha"));
    insta::assert_snapshot!(error);
    stage.close();
}

#[test]
fn a_reload_that_would_take_an_interface_away_is_refused_while_there_is_a_handle() {
    let stage = stage();
    let alpha = stage.swapper.interface::<dyn Alpha>("alpha").unwrap();
    let copy = alpha.clone();
    let refused = || {
        let error = stage.swapper.reload().unwrap_err();
        assert!(
            matches!(&error, ReloadError::Handle { plugin, item, .. } if *plugin == "alpha" && item == "Alpha"),
            "{error:?}"
        );
        stage.settle();
        assert_eq!(stage.swapper.generation(), 1);
        assert_eq!(alpha.call(|alpha| alpha.build()).unwrap(), "alpha 01");
        error.to_string()
    };
    stage.install("alpha", &Build::Later.bytes("alpha"));
    let another = refused();
    stage.install("alpha", &bare_alpha());
    let none = refused();
    std::fs::remove_file(stage.file("alpha")).unwrap();
    let gone = refused();
    insta::assert_snapshot!([another, none, gone].join("\n"));
    // A removal is accepted as soon as the last handle is dropped.
    drop(alpha);
    stage.swapper.reload().unwrap_err();
    drop(copy);
    let report = stage.swapper.reload().unwrap();
    assert_eq!(report.to_string(), "guest: unchanged; alpha: removed");
    stage.settle();
    stage.close();
}
