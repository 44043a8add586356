//! Patches of methods of interfaces that a plugin exports.
use hotswap_host::prelude::*;
use hotswap_host::{Next, PatchError};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, variant};
use shapes::{Alpha, Refused, Vector};
use std::thread;

type Greet = fn(&str, Vector) -> Result<String, Refused>;

fn alpha(number: u8) -> Vec<u8> {
    let text = format!("alpha {number:02}");
    variant(&Build::First.bytes("alpha"), "alpha 00", &text)
}

fn home() -> Vector {
    Vector {
        x: 1,
        label: "home".into(),
    }
}

fn greet_and_build(alpha: &Interface<dyn Alpha>) -> (String, String) {
    let both = alpha.call(|alpha| (alpha.greet("moon", home()).unwrap(), alpha.build()));
    both.unwrap()
}

#[test]
fn a_method_is_patched_and_the_others_are_not() {
    let beta = Build::First.bytes("beta");
    let stage = Stage::open(&[("alpha", &alpha(0)), ("beta", &beta)]);
    let alpha_of_host: Interface<dyn Alpha> = stage.swapper.interface("alpha").unwrap();
    let patch = stage.swapper.patch("alpha");
    patch
        .around::<Greet, _>(
            "Alpha::greet",
            |greet: Next<'_, Greet>, name: &str, at: Vector| {
                let greeting = greet.call((name, at))?;
                Ok(format!("{greeting}!"))
            },
        )
        .apply()
        .unwrap();
    let expected = ("moon at 1 (home)!".to_owned(), "alpha 00".to_owned());
    assert_eq!(greet_and_build(&alpha_of_host), expected);
    let later: Interface<dyn Alpha> = stage.swapper.interface("alpha").unwrap();
    assert_eq!(greet_and_build(&later), expected);
    // Errors and panics of the plugin go through the patch.
    let refused = alpha_of_host.call(|alpha| alpha.greet("", home())).unwrap();
    assert_eq!(refused, Err(Refused::No("nobody to greet".into())));
    let panicked = alpha_of_host.call(|alpha| drop(alpha.greet("panic", home())));
    assert!(
        matches!(panicked, Err(CallError::Panicked { .. })),
        "{panicked:?}"
    );
    // The calls of plugins through their imports meet it, too.
    let greet: Function<fn(&str) -> Result<String, Refused>> =
        stage.swapper.function("beta", "greet").unwrap();
    assert_eq!(greet.call("moon").unwrap(), "moon at 1 (home)!");
    // It goes on in another build.
    stage.swap("alpha", &alpha(1));
    let expected = ("moon at 1 (home)!".to_owned(), "alpha 01".to_owned());
    assert_eq!(greet_and_build(&alpha_of_host), expected);
    stage.swapper.patches("alpha").rollback(1).unwrap();
    let expected = ("moon at 1 (home)".to_owned(), "alpha 01".to_owned());
    assert_eq!(greet_and_build(&alpha_of_host), expected);
    stage.close();
}

#[test]
fn within_one_call_of_an_interface_there_is_one_version() {
    let stage = Stage::open(&[("alpha", &alpha(0))]);
    let handle: Interface<dyn Alpha> = stage.swapper.interface("alpha").unwrap();
    let builds = handle.call(|alpha| {
        let before = alpha.build();
        thread::scope(|scope| {
            let patch = || {
                let patch = stage.swapper.patch("alpha");
                let body = || "patched".to_owned();
                patch
                    .rewrite::<fn() -> String, _>("Alpha::build", body)
                    .apply()
            };
            scope.spawn(patch).join().unwrap().unwrap();
        });
        [before, alpha.build()]
    });
    assert_eq!(builds.unwrap(), ["alpha 00", "alpha 00"]);
    assert_eq!(handle.call(|alpha| alpha.build()).unwrap(), "patched");
    stage.close();
}

#[test]
fn a_method_is_neither_removed_nor_patched_with_another_signature() {
    let stage = Stage::open(&[("alpha", &alpha(0))]);
    let error = stage
        .swapper
        .patch("alpha")
        .remove_function("Alpha::build")
        .apply();
    assert!(matches!(error, Err(PatchError::Method { .. })), "{error:?}");
    let patch = stage.swapper.patch("alpha");
    let body = |_: &str, _: Vector| "no".to_owned();
    let error = patch
        .rewrite::<fn(&str, Vector) -> String, _>("Alpha::greet", body)
        .apply();
    insta::assert_snapshot!(error.unwrap_err(), @r#"
    the host cannot patch Alpha::greet of alpha: the signatures differ
      the patch expects result: String
      alpha has         result: Result<String, Refused>
      write the signature that the plugin has
    "#);
    let patch = stage.swapper.patch("alpha");
    let error = patch
        .rewrite::<fn(), _>("Alpha::great", || ())
        .apply()
        .unwrap_err();
    assert!(
        error.to_string().ends_with("did you mean Alpha::greet?"),
        "{error}"
    );
    stage.close();
}
