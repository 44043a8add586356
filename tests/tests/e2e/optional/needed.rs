//! Tests optional plugins that fail where the host cannot go on without them.
use super::{chain, redacted};
use hotswap_host::prelude::*;
use hotswap_host::{Hook, PluginErrorKind};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build, ordered, renamed};
use hotswap_tests::links::{bottom, build, link, middle, summit};
use insta::assert_snapshot;
use std::fs;
use std::time::Duration;

/// Returns the error of a reload that fails because an optional plugin does. Checks that nothing has changed, and that
/// nothing is left.
fn refused(stage: &Stage) -> (ReloadError, String) {
    let error = stage.swapper.reload().unwrap_err();
    assert_eq!(stage.swapper.generation(), 1);
    stage.settle();
    let text = redacted(stage, &error);
    assert!(text.lines().count() <= 6, "{text}");
    (error, text)
}

#[test]
fn who_needs_it_fails_with_it() {
    let failing = |optional: &[&'static str]| {
        let stage = chain(optional);
        stage.install("bottom", &build(&bottom(), 1));
        stage.install("middle", &ordered(&middle(), "fail on_load"));
        stage
    };
    let stage = failing(&["summit"]);
    let (error, text) = refused(&stage);
    assert!(matches!(error, ReloadError::Hook(failure) if failure.plugin == "middle"));
    assert_snapshot!(text, @"middle: on_load failed: on_load would rather not (DIR/libmiddle.so)");
    stage.close();

    let stage = failing(&["middle"]);
    let (error, text) = refused(&stage);
    assert_eq!(error.plugin().unwrap(), "middle");
    assert!(matches!(
        error,
        ReloadError::Needed { reason, .. } if matches!(reason.kind(), Some(PluginErrorKind::Import { .. }))
    ));
    assert_snapshot!(text, @"middle is optional, but cannot be left out (summit imports it): middle: on_load failed: on_load would rather not (DIR/libmiddle.so)");
    stage.close();

    let stage = failing(&["middle", "summit"]);
    let report = stage.swapper.reload().unwrap();
    assert_snapshot!(redacted(&stage, report).replace("; ", "\n"), @r"
    bottom: reloaded
    middle: failed, the host runs without it: middle: on_load failed: on_load would rather not (DIR/libmiddle.so)
    summit: failed, the host runs without it: summit (DIR/libsummit.so) imports middle: it failed
    ");
    stage.settle();
    stage.close();
}

/// The running build cannot stay, since the plugin that it imports is replaced.
#[test]
fn a_handle_needs_it_whatever_is_wrong_with_it() {
    let stage = chain(&["summit"]);
    let handle = stage.swapper.dynamic("summit", "trace").unwrap();
    stage.install("bottom", &build(&bottom(), 1));
    let mut said = Vec::new();
    for library in [
        b"no library".to_vec(),
        link("summit", "nobody"),
        link("summit", "summit"),
        ordered(&summit(), "fixed"),
        // This library has no such function.
        renamed(&Build::First.bytes("talker"), "talker", "summit"),
        ordered(&summit(), "panic new"),
    ] {
        stage.install("summit", &library);
        said.push(refused(&stage));
    }
    let (error, _) = said.last().unwrap();
    assert_eq!(error.plugin().unwrap(), "summit");
    let ReloadError::Needed {
        failure, reason, ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert!(matches!(&**failure, ReloadError::Hook(failure) if failure.hook == Hook::New));
    assert!(matches!(**reason, ReloadError::Handle { .. }));
    // There are two files of the plugin. After that, the plugin that it imports is gone.
    stage.install("summit", &summit());
    stage.install("summit2", &build(&summit(), 1));
    said.push(refused(&stage));
    fs::remove_file(stage.file("summit2")).unwrap();
    fs::remove_file(stage.file("middle")).unwrap();
    said.push(refused(&stage));
    let said: Vec<_> = said.into_iter().map(|(_, text)| text).collect();
    assert_snapshot!(said.join("\n"), @r"
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): summit: DIR/libsummit.so is not a library in any known format; build it with `cargo hotswap build`
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): summit (DIR/libsummit.so) imports nobody: there is no such plugin; build it, or make the import optional
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): plugins import each other in a circle: summit -> summit
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): summit (DIR/libsummit.so) is not reloadable, but imports reloadable plugins (summit -> middle -> bottom); make all of them reloadable, or none
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): the host holds a handle of summit.trace: the new build has no such function; put it back, or drop the handle before the reload
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): summit: new panicked: gave up: panic (DIR/libsummit.so)
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): two artifacts contain the plugin summit: DIR/libsummit.so and DIR/libsummit2.so; remove one of them
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): middle cannot be removed: it is imported by summit; keep it, or remove summit too
    ");
    assert_eq!(
        handle.call(&[]).unwrap().to_string(),
        "summit (build 00) <- middle (build 00) <- bottom (build 00)"
    );
    stage.close();
}

/// These failures depend on the settings of the host.
#[test]
fn a_build_that_the_host_cannot_take() {
    let stage = Stage::with(
        &[
            ("bottom", &bottom()),
            ("middle", &middle()),
            ("summit", &summit()),
        ],
        |builder| {
            builder
                .optional(["summit"])
                .require_same_toolchain(true)
                .hook_limit(Duration::from_millis(500))
        },
    );
    let _handle = stage.swapper.dynamic("summit", "trace").unwrap();
    let rustc = fixture::artifact(&summit()).metadata.rustc;
    let older = rustc.replacen("rustc 1", "rustc 0", 1);
    stage.install("bottom", &build(&bottom(), 1));
    let said = [
        renamed(&summit(), &rustc, &older),
        renamed(&summit(), "libc.so.6", "libc.so.0"),
        ordered(&summit(), "hang on_load"),
    ]
    .map(|library| {
        stage.install("summit", &library);
        let error = stage.swapper.reload().unwrap_err();
        assert!(matches!(&error, ReloadError::Needed { plugin, .. } if plugin == "summit"));
        let text = redacted(&stage, &error);
        text.replace(&older, "OLDER").replace(&rustc, "RUSTC")
    });
    assert_snapshot!(said.join("\n"), @r"
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): summit (DIR/libsummit.so) was built by OLDER, but the host requires RUSTC; build it again with that compiler
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): summit: DIR/libsummit.so cannot be opened: it needs the library libc.so.0, which was not found; install it, or add its directory to LD_LIBRARY_PATH
    summit is optional, but cannot be left out (the host holds a handle of summit.trace): summit: on_load has not returned within 500ms (DIR/libsummit.so): nothing has changed, and this build stays in memory until the hook returns; shorten it, or raise `Builder::hook_limit`
    ");
    // One of its hooks never returns.
    stage.swapper.shutdown(Duration::from_millis(100)).unwrap();
}

#[test]
fn a_mismatch_takes_its_six_lines_and_no_more() {
    let stage = Stage::with(
        &[
            ("alpha", &Build::First.bytes("alpha")),
            ("beta", &Build::First.bytes("beta")),
        ],
        |builder| builder.optional(["beta"]),
    );
    let _handle = stage.swapper.dynamic("beta", "ask").unwrap();
    stage.install("alpha", &Build::Later.bytes("alpha"));
    let (error, text) = refused(&stage);
    assert!(matches!(
        error,
        ReloadError::Needed { failure, .. } if matches!(failure.kind(), Some(PluginErrorKind::Mismatch(_)))
    ));
    assert_snapshot!(text, @r"
    beta is optional, but cannot be left out (the host holds a handle of beta.ask): beta cannot use Alpha of alpha: they were built with different versions of it
      Alpha::greet
      in at: Vector
      beta expects label: String
      alpha has    y: i64
      build both again: cargo hotswap build -p beta -p alpha
    ");
    stage.close();
}
